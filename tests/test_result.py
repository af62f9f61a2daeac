"""How a result is decided from probabilities."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neurosym.executors.base import Outcome
from neurosym.executors.plan import plan
from neurosym.executors.tensor import TensorExecutor
from neurosym.executors.worlds import WorldsExecutor
from neurosym.program import Kind, parse_program
from neurosym.result import PRESUME, THRESHOLD, Decision, decide, select_from_groups
from neurosym.scene import Scene
from tests.executors.strategies import any_program, build_scene, scenes

CUPS = build_scene(categories=["cup"] * 4)
PAIRS = build_scene(categories=["cup"] * 4, groups=[0, 0, 7, 7], existence=[0.4, 0.5, 0.45, 0.5])


def referent(*objects: float, none: float = 0.0, many: float = 0.0) -> Outcome:
    return Outcome(Kind.REFERENT, objects=torch.tensor(objects), none=none, many=many)


def a_set(*objects: float, none: float = 0.0, failed: float = 0.0, many: float = 0.0) -> Outcome:
    """Of a set: ``none`` empty or failed in all, ``failed`` of that by a presupposition."""
    found = torch.tensor(objects)
    return Outcome(Kind.OBJECTS, objects=found, none=none, many=many, empty=none - failed)


def number(*counts: float, none: float = 0.0, many: float = 0.0) -> Outcome:
    return Outcome(Kind.NUMBER, number=torch.tensor(counts), none=none, many=many)


def truth(yes: float, none: float = 0.0, many: float = 0.0) -> Outcome:
    return Outcome(Kind.TRUTH, truth=yes, none=none, many=many)


def assert_decides(
    got: Decision,
    status: str,
    objects: tuple[int, ...] = (),
    answer: int | bool | None = None,
    probability: float = 0.0,
) -> None:
    assert (got.status, got.objects) == (status, objects)
    assert got.answer is answer or (got.answer == answer and type(got.answer) is type(answer))
    assert got.probability == pytest.approx(probability, abs=1e-6)


# Referents


def test_a_referent_is_its_likeliest_object() -> None:
    got = decide(referent(0.1, 0.6, 0.2, 0.0, none=0.1), CUPS)
    assert_decides(got, "ok", (1,), probability=0.6)


def test_none_of_a_referent() -> None:
    got = decide(referent(0.1, 0.0, 0.0, 0.0, none=0.9), CUPS)
    assert_decides(got, "none", probability=0.9)


def test_many_of_a_referent() -> None:
    got = decide(referent(0.2, 0.2, 0.0, 0.0, many=0.6), CUPS)
    assert_decides(got, "many", probability=0.6)


def test_many_wins_over_an_object_at_even_odds() -> None:
    assert decide(referent(0.5, 0.0, 0.0, 0.0, many=0.5), CUPS).status == "many"


def test_failing_both_ways_is_the_likelier_way() -> None:
    assert decide(referent(0.0, 0.0, 0.0, 0.0, none=0.6, many=0.4), CUPS, presume=0.5).status == (
        "none"
    )
    assert decide(referent(0.0, 0.0, 0.0, 0.0, none=0.4, many=0.6), CUPS, presume=0.5).status == (
        "many"
    )


@pytest.mark.parametrize(
    ("presume", "none", "status"),
    [
        (0.5, 0.51, "none"),
        (0.5, 0.49, "ok"),
        (0.7, 0.69, "ok"),
        (0.7, 0.71, "none"),
        (0.9, 0.89, "ok"),
        (0.9, 0.91, "none"),
        (0.2, 0.21, "none"),
        (0.2, 0.19, "ok"),
    ],
)
def test_none_is_said_when_its_odds_exceed_the_prior(
    presume: float, none: float, status: str
) -> None:
    got = decide(referent(1 - none, 0.0, 0.0, 0.0, none=none), CUPS, presume=presume)
    assert got.status == status
    # The prior decides; it is not in what is reported.
    assert got.probability == pytest.approx(none if status == "none" else 1 - none, abs=1e-6)


def test_the_default_prior() -> None:
    assert PRESUME == 0.7
    assert THRESHOLD == 0.5
    assert decide(referent(0.31, 0.0, 0.0, 0.0, none=0.69), CUPS).status == "ok"


def test_the_hypotheses_of_one_thing_speak_for_it_together() -> None:
    got = decide(referent(0.25, 0.2, 0.4, 0.0, none=0.15), PAIRS)
    assert_decides(got, "ok", (0,), probability=0.45)
    alone = decide(referent(0.25, 0.2, 0.4, 0.0, none=0.15), CUPS)
    assert_decides(alone, "ok", (2,), probability=0.4)


# Sets


def test_a_set_is_what_reaches_the_threshold() -> None:
    got = decide(a_set(0.9, 0.5, 0.49, 0.0, none=0.02), CUPS)
    assert_decides(got, "ok", (0, 1), probability=0.98)
    assert decide(a_set(0.9, 0.5, 0.49, 0.0), CUPS, threshold=0.95).objects == (0,)
    assert decide(a_set(0.9, 0.5, 0.49, 0.0), CUPS, threshold=0.4).objects == (0, 1, 2)


def test_membership_is_judged_given_that_nothing_failed() -> None:
    # 0.3 and 0.26 of 0.5, the worlds in which the program did not fail.
    got = decide(a_set(0.3, 0.26, 0.24, 0.0, none=0.5, failed=0.5), CUPS)
    assert_decides(got, "ok", (0, 1), probability=0.5)
    empty = decide(a_set(0.45, 0.3, 0.0, 0.0, none=0.4, failed=0.0), CUPS)
    assert_decides(empty, "ok", (0,), probability=0.6)


def test_a_set_with_something_in_it_is_never_empty() -> None:
    got = decide(a_set(0.3, 0.4, 0.3, 0.2, none=0.3), CUPS)
    assert_decides(got, "ok", (1,), probability=0.7)


def test_a_set_that_is_probably_empty_is_none() -> None:
    got = decide(a_set(0.1, 0.0, 0.0, 0.0, none=0.9), CUPS)
    assert_decides(got, "none", probability=0.9)


def test_of_a_group_one_hypothesis_is_in_a_set() -> None:
    got = decide(a_set(0.3, 0.4, 0.1, 0.1, none=0.2), PAIRS)
    assert_decides(got, "ok", (1,), probability=0.8)


def test_groups_reach_the_threshold_by_their_total() -> None:
    shares = torch.tensor([0.3, 0.25, 0.2, 0.2])
    assert select_from_groups(shares, PAIRS, 0.5) == (0,)
    assert select_from_groups(shares, PAIRS, 0.4) == (0, 2)
    assert select_from_groups(shares, PAIRS, 0.56) == ()
    assert select_from_groups(shares, CUPS, 0.25) == (0, 1)
    assert select_from_groups(torch.zeros(0), Scene.empty(), 0.5) == ()


def test_the_trace_does_not_change_the_decision() -> None:
    scene = build_scene(categories=["cup", "plate"], existence=[0.35, 0.3])
    program = parse_program("(everything)")
    traced, untraced = (TensorExecutor(trace=trace).run(program, scene) for trace in (True, False))
    assert decide(traced, scene) == decide(untraced, scene)


# Numbers and truths


def test_a_count_is_the_likeliest_number() -> None:
    got = decide(number(0.1, 0.2, 0.6, 0.1, 0.0), CUPS)
    assert_decides(got, "ok", answer=2, probability=0.6)


def test_zero_is_a_count() -> None:
    assert_decides(decide(number(0.9, 0.1, 0.0, 0.0, 0.0), CUPS), "ok", answer=0, probability=0.9)


def test_a_count_whose_presupposition_fails() -> None:
    got = decide(number(0.1, 0.0, 0.0, 0.0, 0.0, none=0.1, many=0.8), CUPS)
    assert_decides(got, "many", probability=0.8)


@pytest.mark.parametrize(
    ("yes", "answer", "probability"), [(0.9, True, 0.9), (0.5, True, 0.5), (0.2, False, 0.8)]
)
def test_a_truth_is_the_likelier_answer(yes: float, answer: bool, probability: float) -> None:
    assert_decides(decide(truth(yes), CUPS), "ok", answer=answer, probability=probability)


def test_a_truth_is_judged_among_the_worlds_that_did_not_fail() -> None:
    got = decide(truth(0.4, none=0.3), CUPS)
    assert_decides(got, "ok", answer=True, probability=0.4)
    assert_decides(decide(truth(0.05, none=0.95), CUPS), "none", probability=0.95)


# Abstaining


@pytest.mark.parametrize(
    "outcome",
    [
        referent(0.3, 0.3, 0.2, 0.1, none=0.1),
        referent(0.3, 0.0, 0.0, 0.0, none=0.35, many=0.35),
        number(0.25, 0.25, 0.3, 0.2, 0.0),
        truth(0.3, none=0.25, many=0.2),
    ],
    ids=["referent", "many", "number", "truth"],
)
def test_abstaining_answers_nothing(outcome: Outcome) -> None:
    said = decide(outcome, CUPS)
    assert said.status != "abstained"
    got = decide(outcome, CUPS, abstain=said.probability + 0.01)
    assert_decides(got, "abstained", probability=said.probability)
    assert decide(outcome, CUPS, abstain=said.probability - 0.01) == said


# Laws


@settings(max_examples=60, deadline=None)
@given(scenes(crisp=False, max_objects=4), any_program, st.sampled_from([0.3, 0.5, 0.7, 0.9]))
def test_decisions_are_well_formed(scene: Scene, program: object, presume: float) -> None:
    outcome = WorldsExecutor(limit=2_000, samples=200).run(program, scene)  # type: ignore[arg-type]
    got = decide(outcome, scene, presume=presume)
    assert -1e-6 <= got.probability <= 1 + 1e-5
    assert got.status in ("ok", "none", "many")
    assert all(0 <= index < len(scene) for index in got.objects)
    groups = scene.groups[list(got.objects)].tolist()
    assert len(set(groups)) == len(groups), "two hypotheses of one thing"
    is_answer = got.status == "ok" and not outcome.kind.is_of_objects
    assert (got.answer is not None) == is_answer
    assert bool(got.objects) == (got.status == "ok" and not is_answer)
    if outcome.kind is Kind.REFERENT:
        assert len(got.objects) == (got.status == "ok")


@pytest.mark.parametrize("program", ["(everything)", "(the (everything))", "(select cup)"])
def test_an_empty_scene_has_none(program: str) -> None:
    scene = build_scene(categories=[])
    outcome = WorldsExecutor().run(parse_program(program), scene)
    assert_decides(decide(outcome, scene), "none", probability=1.0)


def test_counting_in_an_empty_scene() -> None:
    scene = build_scene(categories=[])
    run = WorldsExecutor().run
    assert_decides(
        decide(run(parse_program("(count (everything))"), scene), scene),
        "ok",
        answer=0,
        probability=1.0,
    )
    assert_decides(
        decide(run(parse_program("(exist (everything))"), scene), scene),
        "ok",
        answer=False,
        probability=1.0,
    )


def test_a_plan_lists_equal_nodes_once() -> None:
    plate = "(select plate)"
    program = parse_program(f"(minus (relate {plate} on {plate}) {plate})")
    assert str(plan(program)).splitlines() == [
        "%0 = select plate",
        "%1 = relate %0 %0 on",
        "%2 = minus %1 %0",
    ]


@pytest.mark.parametrize(
    "program", ['(part (the (select cup)) "left half")', "(command (the (select cup)) pick_up)"]
)
def test_what_is_said_of_one_object_has_its_probability(program: str) -> None:
    scene = build_scene(categories=["cup", "cup"], existence=[0.6, 0.1])
    outcome = WorldsExecutor().run(parse_program(program), scene)
    assert_decides(decide(outcome, scene), "ok", (0,), probability=0.54)


def test_a_command_about_several_objects_is_as_probable_as_that_there_are_any() -> None:
    scene = build_scene(categories=["cup", "cup"], existence=[0.6, 0.7])
    outcome = WorldsExecutor().run(parse_program("(command (select cup) pick_up)"), scene)
    assert_decides(decide(outcome, scene), "ok", (0, 1), probability=0.88)
