"""What is certified exact, what stands in the way elsewhere, and what becomes of the rest."""

from __future__ import annotations

import pytest
import torch

from neurosym.executors.base import Certificate, Outcome
from neurosym.executors.run import MOST_SETTLED
from neurosym.executors.tensor import TensorExecutor
from neurosym.executors.worlds import WorldsExecutor
from neurosym.program import Op, parse_program
from neurosym.scene import Relation, Scene
from tests.executors.strategies import build_scene

TENSOR, WORLDS = TensorExecutor(), WorldsExecutor(limit=50_000)


def near(scene: Scene, probability: float) -> Scene:
    """The scene with every pair next to each other with this probability."""
    count = len(scene)
    table = torch.full((count, count), probability).fill_diagonal_(0.0)
    relations = {**scene.relations, "next_to": Relation(table, "given")}
    return Scene(**{**vars(scene), "relations": relations})


def agree(got: Outcome, expected: Outcome) -> bool:
    assert got.objects is not None
    assert expected.objects is not None
    near_enough = torch.allclose(got.objects, expected.objects, atol=1e-5)
    return near_enough and abs(got.none - expected.none) + abs(got.many - expected.many) < 1e-5


CUPS = "(select cup)"
PLATES = "(select plate)"


@pytest.mark.parametrize(
    "program",
    [
        # A soft relation in a chain, in a coordination, twice in one set, and beside its negation.
        f"(the (relate {CUPS} next_to (the (relate {PLATES} next_to (the (select bowl))))))",
        f"(minus {CUPS} (relate {CUPS} next_to {PLATES}))",
        f"(union (relate {CUPS} next_to {PLATES}) (filter {CUPS} color red))",
        f"(the (intersect (relate {CUPS} next_to {PLATES}) (relate {CUPS} on {PLATES})))",
        f"(relate (relate {CUPS} next_to {PLATES}) next_to (the (select bowl)))",
    ],
)
def test_soft_relations_are_exact(program: str) -> None:
    scene = near(build_scene(categories=["cup", "cup", "plate", "bowl"]), 0.3)
    outcome = TENSOR.run(parse_program(program), scene)
    assert outcome.exact
    assert agree(outcome, WORLDS.run(parse_program(program), scene))


def shared(outcome: Outcome) -> tuple[Op, ...]:
    assert not outcome.exact
    assert outcome.certificate == Certificate.sum(step.certificate for step in outcome.steps)
    return outcome.certificate.shared


def test_two_conditions_on_the_same_entries_of_a_relation_are_named() -> None:
    scene = near(build_scene(categories=["cup", "plate", "plate"]), 0.3)
    some = parse_program(f"(relate {CUPS} next_to {PLATES})")
    program = parse_program(f"(minus {some} (relate_all {CUPS} next_to {PLATES}))")
    outcome = TENSOR.run(program, scene)
    assert shared(outcome) == (some,)
    assert [step.op.name for step in outcome.steps if not step.exact] == ["relate_all"]


def test_too_many_uncertain_landmarks_are_named() -> None:
    count = MOST_SETTLED + 1
    scene = build_scene(
        categories=["cup", *["plate"] * count],
        existence=[1.0, *[0.5] * count],
        relations={"on": [(0, j) for j in range(1, count + 1)]},
    )
    outcome = TENSOR.run(parse_program(f"(relate {CUPS} on {PLATES})"), scene)
    assert shared(outcome) == (parse_program(PLATES),)


def test_what_was_left_out_is_not_exact() -> None:
    scene = build_scene(categories=["cup"] * 6, existence=[0.5] * 6)
    program = parse_program(f"(the (superlative {CUPS} largest 3))")
    outcome = TensorExecutor(max_cases=2).run(program, scene)
    assert outcome.unexplored > 0.1
    assert not outcome.exact
    assert TENSOR.run(program, scene).exact


def test_approximate_programs_go_to_worlds_by_argument() -> None:
    scene = near(build_scene(categories=["cup", "plate", "plate"]), 0.3)
    exact = parse_program(f"(relate {CUPS} next_to {PLATES})")
    clash = parse_program(f"(minus {exact} (relate_all {CUPS} next_to {PLATES}))")
    executor = TensorExecutor(fallback=WORLDS)
    outcomes = executor.run_many([exact, clash], [scene, scene])
    expected = WORLDS.run_many([exact, clash], [scene, scene])
    assert all(outcome.exact for outcome in outcomes)
    for outcome, other in zip(outcomes, expected, strict=True):
        assert agree(outcome, other)
    assert not agree(TENSOR.run(clash, scene), expected[1])


def test_a_fallback_that_samples_tells_its_error() -> None:
    scene = near(build_scene(categories=["cup", "plate", "plate"]), 0.3)
    clash = parse_program(
        f"(minus (relate {CUPS} next_to {PLATES}) (relate_all {CUPS} next_to {PLATES}))"
    )
    sampling = TensorExecutor(fallback=WorldsExecutor(limit=1, samples=500))
    outcome = sampling.run(clash, scene)
    assert 0 < outcome.error < 0.05
    assert not outcome.exact
    assert outcome.certificate.shared == ()
