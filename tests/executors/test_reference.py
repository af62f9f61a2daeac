"""The reference executor beyond its answers: steps, names and bounds.

What every operator means is tested by the scene laws of tests/laws/scenes.txt. The tests here look
at one table of two cups, a plate and a bowl, and a false alarm.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from neurosym.errors import ExecutionError, UnknownConceptError
from neurosym.executors.base import Executor, Outcome
from neurosym.executors.reference import ReferenceExecutor
from neurosym.executors.tensor import TensorExecutor
from neurosym.program import Kind, parse_program
from neurosym.scene import Scene
from neurosym.span import Span
from tests.executors.strategies import build_scene

RUN = ReferenceExecutor().run
TABLE = build_scene(
    categories=["cup", "cup", "plate", "bowl", "plate"],
    color=["red", "green", "red", "blue", "red"],
    existence=[1.0, 1.0, 1.0, 1.0, 0.0],
)
NOTHING = build_scene(categories=[])
EMPTY = "(minus (everything) (everything))"


def test_steps_go_up_to_the_failure() -> None:
    program = parse_program("(minus (select cup) (the (select cup)))")
    outcome = RUN(program, TABLE)
    assert [str(step.op) for step in outcome.steps] == [
        "(select cup)",
        "(select cup)",
        "(the (select cup))",
    ]
    assert [(step.none, step.many) for step in outcome.steps] == [(0, 0), (0, 0), (0, 1)]
    rows = [step.objects.tolist() for step in outcome.steps if step.objects is not None]
    assert rows == [[1, 1, 0, 0, 0], [1, 1, 0, 0, 0], [0, 0, 0, 0, 0]]
    assert outcome.kind is Kind.OBJECTS
    assert (outcome.none, outcome.many) == (0, 1)


def test_steps_hold_every_kind_of_value() -> None:
    steps = RUN(parse_program("(negation (count_is (select cup) exactly 2))"), TABLE).steps
    assert [step.truth for step in steps] == [None, 1.0, 0.0]
    (objects, number) = RUN(parse_program("(count (select cup))"), TABLE).steps
    assert objects.number is None
    assert number.number is not None
    assert number.number.tolist() == [0, 0, 1, 0, 0, 0]
    assert number.number.dtype is torch.float32
    value = RUN(parse_program("(query (the (select bowl)) color)"), TABLE).steps[-1]
    assert value.values == ("red", "green", "blue")
    assert value.value is not None
    assert value.value.tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("program", "vacuous"),
    [
        (f"(relate_all (select cup) next_to {EMPTY})", [0, 0, 0, 0, 1]),
        (f"(exist (different (select cup) color {EMPTY}))", [0, 0, 0, 0, 1, 0]),
        # An empty scope is no empty restrictor.
        (f"(every (select cup) {EMPTY})", [0, 0, 0, 0, 0]),
        (f"(most {EMPTY} (select cup))", [0, 0, 0, 0, 1]),
        (f"(relate_count (select cup) next_to exactly 0 {EMPTY})", [0, 0, 0, 0, 0]),
    ],
)
def test_the_step_that_is_vacuous_says_so(program: str, vacuous: list[float]) -> None:
    assert [step.vacuous for step in RUN(parse_program(program), TABLE).steps] == vacuous


def test_only_an_empty_answer_is_none_without_a_failure() -> None:
    def numbers(outcome: Outcome) -> tuple[float, ...]:
        return outcome.none, outcome.empty, outcome.many

    assert numbers(RUN(parse_program(EMPTY), TABLE)) == (1, 1, 0)
    assert numbers(RUN(parse_program(f"(the {EMPTY})"), TABLE)) == (1, 0, 0)
    assert numbers(RUN(parse_program("(the (select cup))"), TABLE)) == (0, 0, 1)
    assert numbers(RUN(parse_program(f"(count {EMPTY})"), TABLE)) == (0, 0, 0)


def test_an_empty_set_on_the_way_is_no_failure() -> None:
    outcome = RUN(parse_program(f"(union {EMPTY} (select cup))"), TABLE)
    assert outcome.none == 0
    assert not any(step.none for step in outcome.steps)


@pytest.mark.parametrize(
    ("program", "kind", "name"),
    [
        ("(select cop)", "category", "cop"),
        ("(filter (everything) colour red)", "attribute", "colour"),
        ("(filter (everything) color purple)", "value", "purple"),
        ("(relate (everything) nextto (everything))", "relation", "nextto"),
        # Names are checked even where nothing that comes before them can be evaluated.
        ("(union (the (select cup)) (select cop))", "category", "cop"),
        ("(relate (filter (select cup) color blue) nextto (everything))", "relation", "nextto"),
    ],
)
@pytest.mark.parametrize("scene", [TABLE, NOTHING], ids=["table", "nothing"])
def test_unknown_names(program: str, kind: str, name: str, scene: Scene) -> None:
    with pytest.raises(UnknownConceptError) as caught:
        RUN(parse_program(program), scene)
    assert (caught.value.kind, caught.value.name) == (kind, name)


def test_an_unknown_name_carries_the_words_span() -> None:
    program = parse_program("(select cop)").at(Span(4, 7))
    with pytest.raises(UnknownConceptError) as caught:
        RUN(program, TABLE)
    assert caught.value.span == Span(4, 7)


def test_what_was_not_measured_is_unknown() -> None:
    bare = replace(TABLE, measures={}, distances=None)
    for program in ("(closest (everything) (everything))", "(farthest (select cup) (select cup))"):
        with pytest.raises(UnknownConceptError, match='no measure "distance"'):
            RUN(parse_program(program), bare)
    with pytest.raises(UnknownConceptError, match='no measure "area"'):
        RUN(parse_program("(top (everything) largest 1)"), bare)
    with pytest.raises(UnknownConceptError):
        RUN(parse_program("(filter (everything) color red)"), Scene.empty())


def test_a_soft_scene_is_refused() -> None:
    soft = replace(TABLE, existence=torch.tensor([1.0, 1.0, 1.0, 1.0, 0.5]))
    with pytest.raises(ExecutionError, match=r"scene\.most_likely\(\).*\"tensor\""):
        RUN(parse_program("(everything)"), soft)
    outcome = RUN(parse_program("(everything)"), soft.most_likely())
    assert outcome.objects is not None
    assert outcome.objects.tolist() == [1, 1, 1, 1, 1]


def test_bounds_and_batches() -> None:
    program = parse_program("(the (select plate))")
    outcomes = ReferenceExecutor().run_many([program, program], [TABLE, NOTHING])
    assert [outcome.none for outcome in outcomes] == [0, 1]
    assert ReferenceExecutor().run_many([], []) == []
    for executor, scenes in [
        (ReferenceExecutor(), []),
        (ReferenceExecutor(max_nodes=1), [TABLE]),
        (ReferenceExecutor(max_objects=4), [TABLE]),
    ]:
        with pytest.raises(ExecutionError):
            executor.run_many([program], scenes)


@pytest.mark.parametrize("executor", [ReferenceExecutor, TensorExecutor])
def test_time_is_bounded(executor: type[Executor]) -> None:
    program = parse_program("(the (select cup))")
    with pytest.raises(ExecutionError, match="longer than seconds=0"):
        executor(seconds=0.0).run(program, TABLE)
