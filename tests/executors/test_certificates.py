"""What is certified exact, what stands in the way elsewhere, and what becomes of the rest."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from neurosym.executors.base import Certificate, Outcome
from neurosym.executors.run import MOST_SETTLED
from neurosym.executors.tensor import TensorExecutor
from neurosym.executors.worlds import WorldsExecutor
from neurosym.program import Definites, Op, parse_program, read_definites
from neurosym.scene import Measure, Relation, Scene
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


@pytest.mark.parametrize("other", ["relate", "relate_only"])
def test_only_looks_at_what_is_no_landmark_as_well(other: str) -> None:
    scene = near(build_scene(categories=["cup", "cup", "plate", "bowl"]), 0.3)
    only = parse_program(f"(relate_only {CUPS} next_to {PLATES})")
    program = parse_program(f"(intersect {only} ({other} {CUPS} next_to (select bowl)))")
    assert shared(TENSOR.run(program, scene)) == (only,)


@pytest.mark.parametrize(
    "program",
    [
        # The conditions ask the same relation, but only one of them the entry that is in doubt.
        f"(minus (relate {CUPS} next_to {PLATES}) (relate_all {CUPS} next_to (everything)))",
        f"(relate (the_group {PLATES} pair) next_to {CUPS})",
    ],
)
def test_a_relation_that_is_certain_where_it_is_asked_again_is_exact(program: str) -> None:
    scene = build_scene(categories=["cup", "plate", "plate"])
    table = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 0.5], [0.0, 0.0, 0.0]])
    scene = replace(scene, relations={**scene.relations, "next_to": Relation(table, "given")})
    outcome = TENSOR.run(parse_program(program), scene)
    assert outcome.exact
    assert agree(outcome, WORLDS.run(parse_program(program), scene))


def test_one_query_of_a_batch_says_nothing_of_another() -> None:
    program = parse_program(
        f"(minus (relate {CUPS} next_to {PLATES}) (relate_all {CUPS} next_to {PLATES}))"
    )
    scenes = [
        near(build_scene(categories=kinds), 0.3)
        for kinds in (["cup", "plate", "plate"], ["cup", "bowl", "bowl"])
    ]
    clash, without_plates = TENSOR.run_many([program] * 2, scenes)
    assert not clash.exact
    assert without_plates.exact


def test_uncertain_landmarks_are_counted_for_each_query_alone() -> None:
    count = MOST_SETTLED
    on = [(0, j) for j in range(1, 2 * count + 1)]
    kinds = ["cup", *["plate"] * 2 * count]
    half, none = [0.5] * count, [0.0] * count
    scenes = [
        build_scene(categories=kinds, existence=[1.0, *existence], relations={"on": on})
        for existence in (half + none, none + half, half + half)
    ]
    program = parse_program(f"(relate {CUPS} on {PLATES})")
    # A bound of their own, so that they run together in spite of their size.
    first, second, both = TensorExecutor(max_cases=2**count).run_many([program] * 3, scenes)
    assert (first.exact, second.exact, both.exact) == (True, True, False)
    assert first.none == pytest.approx(0.5**count, abs=1e-6)
    assert second.none == pytest.approx(0.5**count, abs=1e-6)


@pytest.mark.parametrize(
    "program",
    [
        # The cup is certain, so that all cases share it, but what is known of it differs.
        "(negation (equal (query (the (select cup)) color) (query (the (select cup)) color)))",
        "(negation (equal (query (the (select cup)) size) (query (the (select cup)) color)))",
        "(negation (equal (query (the (select cup)) size) (query (the (select plate)) color)))",
    ],
)
def test_values_are_told_in_every_case(program: str) -> None:
    scene = build_scene(categories=["cup", "plate"])
    rows = torch.tensor([[0.5, 0.3, 0.2], [0.2, 0.2, 0.6]])
    color = replace(scene.attributes["color"], probabilities=rows)
    scene = replace(scene, attributes={**scene.attributes, "color": color})
    outcome = TENSOR.run(parse_program(program), scene)
    assert outcome.exact
    assert outcome.truth == pytest.approx(WORLDS.run(parse_program(program), scene).truth, abs=1e-5)


def test_polyadic_comparatives_compare_once() -> None:
    # What is larger than the plate is what the plate is smaller than: one draw, not two.
    scene = build_scene(
        categories=["cup", "plate"], measures={"area": [2.0, 1.5]}, noise=0.5, existence=[1.0, 1.0]
    )
    strict = parse_program("(the (comparative (select cup) largest (the (select plate))))")
    polyadic = read_definites(strict, Definites.POLYADIC)
    expected = TENSOR.run(strict, scene).none
    assert expected == pytest.approx(1 / (1 + 2.718281828))
    assert WORLDS.run(polyadic, scene).none == pytest.approx(expected)
    assert not TENSOR.run(polyadic, scene).exact


def test_sums_that_are_off_by_a_rounding_are_made_good() -> None:
    scene = build_scene(categories=["cup"] * 3, existence=[0.3336] * 3, groups=[0] * 3)
    rows = torch.full((3, 3), 0.333)
    scene = replace(scene, categories=replace(scene.categories, probabilities=rows))
    for text in (
        "(the (everything))",
        "(the (superlative (everything) largest))",
        "(count (select cup))",
    ):
        program = parse_program(text)
        outcome, expected = TENSOR.run(program, scene), WORLDS.run(program, scene)
        assert outcome.none == pytest.approx(expected.none, abs=1e-6)
        got, wanted = (o.objects if o.number is None else o.number for o in (outcome, expected))
        assert got is not None
        assert wanted is not None
        torch.testing.assert_close(got, wanted, atol=1e-6, rtol=0.0)


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


def test_an_order_by_a_measure_that_was_not_measured_is_noted() -> None:
    scene = build_scene(categories=["cup"])
    depth = Measure(torch.zeros(1), "px", "guess", approximate=True)
    scene = replace(scene, measures={**scene.measures, "depth": depth})
    for text in (f"(superlative {CUPS} nearest)", f"(comparative {CUPS} farthest {CUPS})"):
        assert "is only estimated (guess)" in TENSOR.run(parse_program(text), scene).steps[-1].note
    assert TENSOR.run(parse_program(f"(top {CUPS} largest 1)"), scene).steps[-1].note == ""
