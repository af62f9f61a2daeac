"""The reference executor: each operator on scenes made by hand, from its documented meaning.

All tests look at one table. Objects 0 to 4, from left to right, two of which tie in area:

    0 cup    red    small  x 0  area 4
    1 cup    green  small  x 1  area 9
    2 plate  red    large  x 2  area 9
    3 bowl   blue   large  x 3  area 1
    4 plate  red    large  does not exist (it would be leftmost and largest)

next_to: 0-1, 1-2 both ways; left_of by x. Object 3 is next to nothing.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from neurosym.errors import ExecutionError, UnknownConceptError
from neurosym.executors.base import Executor
from neurosym.executors.reference import ReferenceExecutor
from neurosym.executors.tensor import TensorExecutor
from neurosym.program import Kind, parse_program, registry
from neurosym.scene import Scene
from neurosym.span import Span
from tests.executors.strategies import build_scene

RUN = ReferenceExecutor().run
NEXT_TO = [(0, 1), (1, 0), (1, 2), (2, 1), (4, 0), (0, 4)]
TABLE = build_scene(
    categories=["cup", "cup", "plate", "bowl", "plate"],
    color=["red", "green", "red", "blue", "red"],
    size=["small", "small", "large", "large", "large"],
    existence=[1.0, 1.0, 1.0, 1.0, 0.0],
    relations={
        "next_to": NEXT_TO,
        "left_of": [(i, j) for i in range(4) for j in range(4) if i < j] + [(4, 0), (4, 3)],
    },
    measures={
        "left_reach": [0, 1, 2, 3, -1],
        "right_reach": [0, 1, 2, 3, -1],
        "area": [4, 9, 9, 1, 20],
    },
    distances=[
        [0, 1, 2, 3, 1],
        [1, 0, 1, 2, 1],
        [2, 1, 0, 1, 1],
        [3, 2, 1, 0, 1],
        [1, 1, 1, 1, 0],
    ],
)
NOTHING = build_scene(categories=[])
NONE, MANY = "none", "many"
EMPTY = "(minus (everything) (everything))"


def answer(program: str, scene: Scene = TABLE) -> object:
    """The answer as a Python value: a set, a number, a truth, or how the program failed."""
    outcome = RUN(parse_program(program), scene)
    assert outcome.exact
    if outcome.many:
        return MANY
    if outcome.none and outcome.steps[-1].none:
        return NONE
    if outcome.number is not None:
        assert outcome.number.shape == (len(scene) + 1,)
        assert outcome.number.sum() == 1
        return int(outcome.number.argmax())
    if outcome.truth is not None:
        return outcome.truth == 1
    assert outcome.objects is not None
    assert outcome.objects.shape == (len(scene),)
    members = {i for i, value in enumerate(outcome.objects.tolist()) if value}
    assert outcome.none == (not members)
    return members


CASES: list[tuple[str, object]] = [
    ("(everything)", {0, 1, 2, 3}),
    # Categories and the words that cover several.
    ("(select cup)", {0, 1}),
    ("(select plate)", {2}),
    ("(select dish)", {2, 3}),
    # Attributes.
    ("(filter (everything) color red)", {0, 2}),
    ("(filter (select cup) color blue)", set()),
    ("(filter (select dish) size large)", {2, 3}),
    # Some landmark; nothing is related to itself.
    ("(relate (everything) next_to (select cup))", {0, 1, 2}),
    ("(relate (select cup) next_to (select cup))", {0, 1}),
    ("(relate (select plate) next_to (select plate))", set()),
    ("(relate (everything) left_of (select plate))", {0, 1}),
    ("(relate (select plate) left_of (everything))", {2}),
    (f"(relate (everything) next_to {EMPTY})", set()),
    # Every landmark other than itself; an empty restrictor holds of all.
    ("(relate_all (everything) left_of (select plate))", {0, 1, 2}),
    ("(relate_all (everything) left_of (select dish))", {0, 1, 2}),
    ("(relate_all (everything) next_to (select cup))", {0, 1}),
    ("(relate_all (everything) right_of (select cup))", set()),
    (f"(relate_all (select cup) next_to {EMPTY})", {0, 1}),
    ("(relate_all (the (select plate)) next_to (the (select plate)))", {2}),
    # Distances to the nearest other landmark, with ties; who has none is left out.
    ("(closest (everything) (select bowl))", {2}),
    ("(closest (everything) (select bowl) 2)", {1}),
    ("(closest (everything) (select bowl) 4)", set()),
    ("(closest (everything) (everything))", {0, 1, 2, 3}),
    ("(closest (everything) (everything) 2)", set()),
    ("(closest (select bowl) (select bowl))", set()),
    ("(closest (everything) (select cup))", {0, 1, 2}),
    ("(closest (everything) (select cup) 2)", set()),
    ("(closest (everything) (select cup) 4)", {3}),
    (f"(closest (everything) {EMPTY})", set()),
    ("(farthest (everything) (select bowl))", {0}),
    ("(farthest (everything) (select cup))", {3}),
    ("(farthest (everything) (select cup) 2)", {0, 1, 2}),
    ("(farthest (everything) (select cup) 3)", set()),
    # A member that has no other landmark is not ahead of anyone either.
    ("(farthest (select dish) (select plate))", {3}),
    # Orders: ties fill ranks; what does not exist is not ahead.
    ("(superlative (everything) leftmost)", {0}),
    ("(superlative (everything) leftmost 2)", {1}),
    ("(superlative (everything) rightmost)", {3}),
    ("(superlative (everything) largest)", {1, 2}),
    ("(superlative (everything) largest 2)", set()),
    ("(superlative (everything) largest 3)", {0}),
    ("(superlative (everything) smallest 2)", {0}),
    ("(superlative (everything) smallest 3)", {1, 2}),
    ("(superlative (everything) smallest 4)", set()),
    ("(superlative (everything) tallest)", {0, 1, 2, 3}),
    (f"(superlative {EMPTY} tallest)", set()),
    ("(top (everything) largest 1)", {1, 2}),
    ("(top (everything) largest 2)", {1, 2}),
    ("(top (everything) largest 3)", {0, 1, 2}),
    ("(top (everything) smallest 2)", {0, 3}),
    ("(top (everything) smallest 3)", {0, 1, 2, 3}),
    ("(top (select cup) rightmost 7)", {0, 1}),
    # Sets.
    ("(intersect (select cup) (filter (everything) color red))", {0}),
    ("(union (select cup) (filter (everything) color red))", {0, 1, 2}),
    ("(minus (select cup) (filter (everything) color red))", {1}),
    ("(minus (filter (everything) color red) (select cup))", {2}),
    # Presuppositions.
    ("(the (select plate))", {2}),
    ("(the (select cup))", MANY),
    ("(the (filter (select cup) color blue))", NONE),
    ("(the (superlative (everything) largest))", MANY),
    ("(the_plural (select cup))", {0, 1}),
    ("(the_plural (filter (select cup) color blue))", NONE),
    ("(the_count (select cup) 2)", {0, 1}),
    ("(the_count (select plate) 2)", NONE),
    (f"(the_count {EMPTY} 2)", NONE),
    ("(the_count (everything) 2)", MANY),
    # Counts and truths.
    ("(count (select cup))", 2),
    (f"(count {EMPTY})", 0),
    ("(exist (select bowl))", True),
    (f"(exist {EMPTY})", False),
    ("(count_is (select cup) exactly 2)", True),
    ("(count_is (select cup) exactly 1)", False),
    ("(count_is (select cup) at_least 2)", True),
    ("(count_is (select cup) at_least 3)", False),
    ("(count_is (select cup) at_most 2)", True),
    ("(count_is (select cup) at_most 1)", False),
    ("(count_is (select cup) more_than 1)", True),
    ("(count_is (select cup) more_than 2)", False),
    ("(count_is (select cup) fewer_than 3)", True),
    ("(count_is (select cup) fewer_than 2)", False),
    (f"(count_is {EMPTY} exactly 0)", True),
    ("(negation (exist (select cup)))", False),
    (f"(negation (exist {EMPTY}))", True),
    (f"(conjunction (exist (select cup)) (exist {EMPTY}))", False),
    ("(conjunction (exist (select cup)) (exist (select bowl)))", True),
    (f"(disjunction (exist (select cup)) (exist {EMPTY}))", True),
    (f"(disjunction (exist {EMPTY}) (exist {EMPTY}))", False),
    # Failures: left before right, below before above, and both operands are always evaluated.
    (f"(union (the {EMPTY}) (the (everything)))", NONE),
    (f"(union (the (everything)) (the {EMPTY}))", MANY),
    (f"(minus (select cup) (the {EMPTY}))", NONE),
    (f"(the (union (the_plural {EMPTY}) (everything)))", NONE),
    ("(conjunction (exist (everything)) (exist (the (select cup))))", MANY),
    ("(disjunction (exist (everything)) (exist (the (select cup))))", MANY),
    (f"(relate {EMPTY} next_to (the (select cup)))", MANY),
    ("(count (the (select cup)))", MANY),
    (f"(negation (exist (the_plural {EMPTY})))", NONE),
]


@pytest.mark.parametrize(("program", "expected"), CASES, ids=[program for program, _ in CASES])
def test_answer(program: str, expected: object) -> None:
    assert answer(program) == expected


def test_every_operator_has_a_case() -> None:
    seen = {type(op) for program, _ in CASES for op in parse_program(program).walk()}
    assert seen == set(registry().values())


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("(everything)", set()),
        ("(filter (select dish) color red)", set()),
        ("(relate_all (select cup) next_to (select cup))", set()),
        ("(closest (everything) (everything))", set()),
        ("(superlative (everything) largest)", set()),
        ("(the (everything))", NONE),
        ("(the_plural (everything))", NONE),
        ("(the_count (everything) 1)", NONE),
        ("(count (everything))", 0),
        ("(exist (everything))", False),
        ("(count_is (everything) at_most 0)", True),
    ],
)
def test_a_scene_without_objects(program: str, expected: object) -> None:
    assert answer(program, NOTHING) == expected


def test_a_self_relation_never_holds() -> None:
    # Scene refuses a diagonal, so this can only come from the landmark being the object itself.
    assert answer("(relate (the (select bowl)) left_of (the (select bowl)))") == set()


def test_one_hypothesis_of_a_group_exists() -> None:
    scene = build_scene(categories=["cup", "plate"], existence=[0.0, 1.0], groups=[7, 7])
    assert answer("(everything)", scene) == {1}
    assert answer("(the (select cup))", scene) == NONE


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
    assert answer("(everything)", soft.most_likely()) == {0, 1, 2, 3, 4}


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
