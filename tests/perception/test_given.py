from __future__ import annotations

import pytest
import torch

from neurosym.errors import OptionError, PerceptionError
from neurosym.executors.tensor import TensorExecutor
from neurosym.executors.worlds import WorldsExecutor
from neurosym.perception.given import Thing, scene_of
from neurosym.program import parse_program

THE_CUP = parse_program("(the (select cup))")
SIZE = (200, 2000)
DOUBT = 0.03
SPURIOUS = 40
SAMPLED = 20_000
executors = pytest.mark.parametrize(
    ("executor", "tolerance"),
    [(TensorExecutor(), 1e-5), (WorldsExecutor(samples=SAMPLED), 0.015)],
    ids=["tensor", "worlds"],
)


def cup(left: float, existence: float) -> Thing:
    return Thing("cup", (left, 0.0, left + 40.0, 40.0), existence=existence)


def around(certain: float) -> list[Thing]:
    """One cup, and doubtful boxes shifted by up to 8 of its 40 pixels: IoU 0.67 or more."""
    return [cup(10.0, certain), *(cup(10.0 + 0.2 * (i + 1), DOUBT) for i in range(SPURIOUS))]


@executors
@pytest.mark.parametrize("certain", [1.0, 0.99])
def test_spurious_boxes_on_a_cup_do_not_hide_it(executor, tolerance, certain: float) -> None:
    scene = scene_of(around(certain), SIZE, duplicates=0.5)
    assert scene.groups.unique().tolist() == [0]
    found = executor.run(THE_CUP, scene)
    odds = torch.tensor(DOUBT / (1 - DOUBT)) * SPURIOUS
    expected = 1.0 if certain == 1 else float(99 / (1 + 99 + odds))
    assert found.objects.argmax() == 0
    assert float(found.objects[0]) >= 0.6
    assert float(found.objects[0]) == pytest.approx(expected, abs=tolerance)
    assert float(found.many) == pytest.approx(0, abs=1e-6)


@executors
def test_without_the_option_they_are_things_apart(executor, tolerance) -> None:
    found = executor.run(THE_CUP, scene_of(around(1.0), SIZE))
    assert float(found.many) == pytest.approx(1 - (1 - DOUBT) ** SPURIOUS, abs=tolerance)


@executors
def test_boxes_that_do_not_overlap_stay_things_apart(executor, tolerance) -> None:
    things = [cup(0.0, 1.0), *(cup(45.0 * (i + 1), DOUBT) for i in range(SPURIOUS))]
    found = executor.run(THE_CUP, scene_of(things, SIZE, duplicates=0.5))
    assert float(found.many) == pytest.approx(1 - 0.97**40, abs=tolerance)
    assert float(found.objects[0]) == pytest.approx(0.97**40, abs=tolerance)


def test_the_likeliest_box_leads_wherever_it_stands() -> None:
    things = [cup(0.0, 0.2), cup(14.0, 0.9), cup(28.0, 0.3), cup(300.0, 0.5)]
    scene = scene_of(things, SIZE, duplicates=0.4)
    assert scene.groups.tolist() == [0, 0, 0, 1]
    # 0 and 2 do not overlap enough with each other: a leader holds them together.
    assert scene_of(things[::2], SIZE, duplicates=0.4).groups.tolist() == [1, 0]
    assert float(scene.existence[3]) == 0.5
    assert float(scene.existence[1]) == pytest.approx(9 / (1 + 9 + 0.25 + 3 / 7))
    assert "0.4" in scene.provenance["duplicates"]


def test_boxes_of_two_categories_are_two_readings_of_one_thing() -> None:
    box = (0.0, 0.0, 40.0, 40.0)
    scene = scene_of([Thing("cup", box), Thing("bowl", box)], SIZE, duplicates=0.5)
    assert scene.existence.tolist() == [0.5, 0.5]


def test_by_default_nothing_is_grouped() -> None:
    scene = scene_of(around(0.9), SIZE)
    assert scene.groups.tolist() == list(range(SPURIOUS + 1))
    assert float(scene.existence[1]) == pytest.approx(DOUBT)
    assert "duplicates" not in scene.provenance


def test_no_things() -> None:
    assert len(scene_of([], SIZE, duplicates=0.5)) == 0


@pytest.mark.parametrize("duplicates", [0.0, -1.0, 1.5, float("nan")])
def test_a_threshold_that_is_no_overlap(duplicates: float) -> None:
    with pytest.raises(OptionError, match="duplicates"):
        scene_of([], SIZE, duplicates=duplicates)


@pytest.mark.parametrize("existence", [-0.1, 1.5, float("nan")])
def test_an_existence_that_is_no_probability(existence: float) -> None:
    with pytest.raises(PerceptionError, match="existence of object 0"):
        scene_of([cup(0.0, existence)], SIZE, duplicates=0.5)
