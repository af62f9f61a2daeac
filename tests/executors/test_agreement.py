"""The tensor executor against its two oracles: the reference, and the mean over worlds."""

from __future__ import annotations

import pytest
import torch
from hypothesis import assume, given, note, settings
from hypothesis import strategies as st

from neurosym.executors.base import Executor, Outcome
from neurosym.executors.reference import ReferenceExecutor
from neurosym.executors.tensor import TensorExecutor
from neurosym.executors.worlds import WorldsExecutor
from neurosym.program import Kind, Op, parse_program, registry
from neurosym.scene import Scene
from neurosym.span import Span
from tests.executors.strategies import any_program, build_scene, rooted, scenes

REFERENCE, TENSOR = ReferenceExecutor(), TensorExecutor()
WORLDS = WorldsExecutor(limit=5_000, samples=1)
every_operator = pytest.mark.parametrize(
    "operator", list(registry().values()), ids=list(registry())
)


def numbers(outcome: Outcome) -> torch.Tensor:
    """Every number of an outcome in one row."""
    rows = [row.detach().double() for row in (outcome.objects, outcome.number) if row is not None]
    single = [outcome.truth or 0.0, outcome.none, outcome.many]
    return torch.cat([*rows, torch.tensor(single, dtype=torch.float64)])


def describe(scene: Scene) -> str:
    """What a person needs to build the scene again."""
    lines = [f"existence {scene.existence.tolist()} groups {scene.groups.tolist()}"]
    tables = {"category": scene.categories, **scene.attributes}
    lines += [f"{name} {table.probabilities.tolist()}" for name, table in tables.items()]
    lines += [f"{name} {r.probabilities.tolist()}" for name, r in scene.relations.items()]
    lines += [f"{name} {m.values.tolist()}" for name, m in scene.measures.items()]
    distances = None if scene.distances is None else scene.distances.tolist()
    return "\n".join([*lines, f"distances {distances}"])


def assert_agree(
    got: Outcome, expected: Outcome, program: Op, scene: Scene, tolerance: float
) -> None:
    """The same kind, the same fields filled, and every number within the tolerance."""
    assert got.kind is expected.kind
    for field in ("objects", "number", "truth"):
        assert (getattr(got, field) is None) == (getattr(expected, field) is None), field
    distance = (numbers(got) - numbers(expected)).abs().max()
    assert distance <= tolerance, (
        f"{program}\ngot      {numbers(got)}\nexpected {numbers(expected)}\n{describe(scene)}"
    )


@every_operator
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_tensor_is_reference_on_crisp_scenes(operator: type[Op], data: st.DataObject) -> None:
    scene, program = data.draw(scenes(crisp=True)), data.draw(rooted(operator))
    assert_agree(TENSOR.run(program, scene), REFERENCE.run(program, scene), program, scene, 1e-5)


@every_operator
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_exact_tensor_is_mean_over_worlds(operator: type[Op], data: st.DataObject) -> None:
    scene = data.draw(scenes(crisp=False, max_objects=4))
    program = data.draw(rooted(operator))
    outcome = TENSOR.run(program, scene)
    assume(outcome.exact and outcome.unexplored < 1e-6)
    expected = WORLDS.run(program, scene)
    assume(expected.exact)
    assert_agree(outcome, expected, program, scene, 1e-4)


@settings(max_examples=60, deadline=None)
@given(scenes(crisp=False, max_objects=4, softness=3), any_program)
def test_worlds_is_reference_on_crisp_scenes(scene: Scene, program: Op) -> None:
    world = scene.most_likely()
    assert_agree(WORLDS.run(program, world), REFERENCE.run(program, world), program, world, 0.0)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(scenes(crisp=False, max_objects=4), any_program), max_size=4))
def test_batch_is_one_by_one(pairs: list[tuple[Scene, Op]]) -> None:
    batch = [program for _, program in pairs], [scene for scene, _ in pairs]
    outcomes = TENSOR.run_many(*batch)
    assert len(outcomes) == len(pairs)
    for outcome, (scene, program) in zip(outcomes, pairs, strict=True):
        alone = TENSOR.run(program, scene)
        assert_agree(outcome, alone, program, scene, 1e-5)
        assert outcome.exact == alone.exact


def test_groups_of_different_forms_in_one_batch() -> None:
    pairs = [(0, 1), (1, 2)]
    scene = build_scene(categories=["cup"] * 3, relations={"next_to": pairs})
    programs = [parse_program(f"(the_group (everything) {form})") for form in ("pair", "row")]
    pair, row = TENSOR.run_many(programs, [scene, scene])
    assert pair.none == 1
    assert row.objects is not None
    assert row.objects.tolist() == [1, 1, 1]


@pytest.mark.parametrize("executor", [TENSOR, WORLDS], ids=["tensor", "worlds"])
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_permuting_objects_permutes_the_answer(executor: Executor, data: st.DataObject) -> None:
    scene = data.draw(scenes(crisp=False, max_objects=4))
    program = data.draw(any_program)
    order = data.draw(st.permutations(range(len(scene))))
    moved, plain = executor.run(program, scene[order]), executor.run(program, scene)
    note(f"{program}, order {order}\n{describe(scene)}")
    assume(moved.exact and plain.exact)
    if plain.objects is not None:
        assert moved.objects is not None
        torch.testing.assert_close(moved.objects, plain.objects[order], atol=1e-5, rtol=0)
    else:
        torch.testing.assert_close(numbers(moved), numbers(plain), atol=1e-5, rtol=0)
    assert abs(moved.none - plain.none) + abs(moved.many - plain.many) < 1e-5


@settings(max_examples=60, deadline=None)
@given(scenes(crisp=False), any_program)
def test_every_number_is_a_probability(scene: Scene, program: Op) -> None:
    outcome = TENSOR.run(program, scene)
    note(f"{program}\n{describe(scene)}")
    for part in (outcome, *outcome.steps):
        rows = [row for row in (part.objects, part.number) if row is not None]
        for row in [*rows, torch.tensor([part.truth or 0.0, part.none, part.many])]:
            assert row.isfinite().all()
            assert ((row >= -1e-5) & (row <= 1 + 1e-5)).all()
    failed = outcome.none + outcome.many
    if outcome.kind is Kind.REFERENT:
        assert outcome.objects is not None
        assert abs(float(outcome.objects.sum()) + failed - 1) < 1e-4
    if outcome.number is not None:
        assert abs(float(outcome.number.sum()) + failed - 1) < 1e-4
    if outcome.truth is not None:
        assert outcome.truth + failed <= 1 + 1e-4


@every_operator
@settings(max_examples=3, deadline=None)
@given(data=st.data())
def test_a_scene_without_objects(operator: type[Op], data: st.DataObject) -> None:
    scene = data.draw(scenes(crisp=True, max_objects=0))
    program = data.draw(rooted(operator))
    outcome = TENSOR.run(program, scene)
    assert_agree(outcome, REFERENCE.run(program, scene), program, scene, 1e-6)
    assert_agree(outcome, WORLDS.run(program, scene), program, scene, 1e-6)


def test_equal_programs_keep_their_own_words() -> None:
    scene = build_scene(categories=["cup"])
    program = parse_program("(the (select cup))")
    for span in (Span(0, 3), Span(4, 7)):
        steps = TensorExecutor().run(program.at(span), scene).steps
        assert steps[-1].op.words == (span,)
