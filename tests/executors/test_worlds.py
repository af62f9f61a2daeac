"""The mean over worlds: what can be worked out by hand, sampling, and its bounds."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from neurosym.errors import ExecutionError, UnknownConceptError
from neurosym.executors.worlds import WorldsExecutor
from neurosym.program import parse_program
from neurosym.scene import Scene
from tests.executors.strategies import build_scene

CUPS = build_scene(categories=["cup", "cup"])


def soften(scene: Scene, existence: list[float], **rows: list[list[float]]) -> Scene:
    """The scene with this existence, and these rows of categories or attributes."""
    softened = {
        name: replace(table, probabilities=torch.tensor(rows.get(name, table.probabilities)))
        for name, table in scene.attributes.items()
        if name in rows
    }
    categories = scene.categories
    if "categories" in rows:
        categories = replace(categories, probabilities=torch.tensor(rows["categories"]))
    return replace(
        scene,
        existence=torch.tensor(existence),
        categories=categories,
        attributes={**scene.attributes, **softened},
    )


def test_the_of_two_independent_objects() -> None:
    outcome = WorldsExecutor().run(parse_program("(the (select cup))"), soften(CUPS, [0.5, 0.25]))
    assert outcome.exact
    assert outcome.objects is not None
    assert outcome.objects.tolist() == pytest.approx([0.375, 0.125])
    assert (outcome.none, outcome.many) == pytest.approx((0.375, 0.125))
    assert (outcome.unexplored, outcome.error) == (0, 0)


def test_hypotheses_of_one_thing_exclude_each_other() -> None:
    scene = replace(soften(CUPS, [0.5, 0.25]), groups=torch.tensor([3, 3]))
    outcome = WorldsExecutor().run(parse_program("(the (select cup))"), scene)
    assert outcome.objects is not None
    assert outcome.objects.tolist() == pytest.approx([0.5, 0.25])
    assert (outcome.none, outcome.many) == pytest.approx((0.25, 0))


def test_values_of_one_attribute_exclude_each_other() -> None:
    scene = soften(CUPS, [1.0, 0.0], color=[[0.5, 0.3, 0.2], [1.0, 0.0, 0.0]])
    program = "(union (filter (everything) color red) (filter (everything) color green))"
    outcome = WorldsExecutor().run(parse_program(program), scene)
    assert outcome.objects is not None
    assert outcome.objects.tolist() == pytest.approx([0.8, 0])
    assert outcome.none == pytest.approx(0.2)


def test_steps_are_means_and_failures_carry_on() -> None:
    program = parse_program("(count (union (the (select cup)) (select cup)))")
    outcome = WorldsExecutor().run(program, soften(CUPS, [0.5, 0.5]))
    steps = outcome.steps
    assert [step.op.name for step in steps] == ["select", "the", "select", "union", "count"]
    assert [step.none for step in steps] == pytest.approx([0, 0.25, 0.25, 0.25, 0.25])
    assert [step.many for step in steps] == pytest.approx([0, 0.25, 0.25, 0.25, 0.25])
    rows = [step.objects.tolist() for step in steps if step.objects is not None]
    assert rows == [pytest.approx(row) for row in ([0.5, 0.5], *[[0.25, 0.25]] * 3)]
    assert outcome.number is not None
    assert outcome.number.tolist() == pytest.approx([0, 0.5, 0])


def test_what_the_program_cannot_see_makes_no_worlds() -> None:
    third = [1 / 3, 1 / 3, 1 / 3]
    scene = build_scene(categories=["cup"] * 12)
    scene = soften(scene, [1.0] * 12, categories=[third] * 12, color=[third] * 12)
    executor = WorldsExecutor(limit=1, samples=1)
    assert executor.run(parse_program("(filter (everything) size small)"), scene).exact
    assert not executor.run(parse_program("(select cup)"), scene).exact
    # Of three categories the program tells two sorts apart; the same goes for colours.
    assert WorldsExecutor(limit=2**12).run(parse_program("(select dish)"), scene).exact
    assert (
        not WorldsExecutor(limit=2**12 - 1, samples=1)
        .run(parse_program("(select dish)"), scene)
        .exact
    )


def test_samples_come_near_and_say_how_near() -> None:
    scene = soften(build_scene(categories=["cup"] * 8), [0.5] * 8)
    program = parse_program("(count (select cup))")
    exact = WorldsExecutor().run(program, scene)
    sampled = WorldsExecutor(limit=10, samples=400).run(program, scene)
    assert exact.exact
    assert not sampled.exact
    assert sampled.number is not None
    assert exact.number is not None
    assert 0.01 < sampled.error < 0.03
    assert (sampled.number - exact.number).abs().max() < 4 * sampled.error
    assert "400 sampled worlds" in sampled.steps[-1].note
    again = WorldsExecutor(limit=10, samples=400).run(program, scene)
    assert torch.equal(again.number, sampled.number) if again.number is not None else False
    other = WorldsExecutor(limit=10, samples=400, seed=1).run(program, scene)
    assert other.number is not None
    assert not torch.equal(other.number, sampled.number)


def test_time_is_bounded() -> None:
    scene = soften(build_scene(categories=["cup"] * 8), [0.25] * 8)
    program = parse_program("(exist (select cup))")
    sampled = WorldsExecutor(limit=1, seconds=0).run(program, scene)
    assert not sampled.exact
    assert sampled.error > 0.4
    cut = WorldsExecutor(seconds=0).run(program, scene)
    assert not cut.exact
    assert cut.unexplored == cut.error == pytest.approx(1 - 0.25**8)


def test_names_are_checked_and_arguments_too() -> None:
    with pytest.raises(UnknownConceptError):
        WorldsExecutor().run(parse_program("(select cop)"), CUPS)
    with pytest.raises(ExecutionError):
        WorldsExecutor(samples=0)
    with pytest.raises(ExecutionError):
        WorldsExecutor(max_objects=1).run(parse_program("(everything)"), CUPS)
