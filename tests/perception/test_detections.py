from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neurosym.errors import PerceptionError
from neurosym.perception.detections import Calibration, candidates, hypotheses
from neurosym.perception.picodet import PicoDet, RawDetections, coco_categories

CALIBRATION = Calibration(
    intercept=0.6, slope=2.0, overlapped=-1.3, contained=-0.7, category_power=2.5
)
PERSON, CAR = 0, 2


def raw(*things: tuple[list[float], int, float]) -> RawDetections:
    """Detections from (box, category, score)."""
    boxes = torch.tensor([box for box, _, _ in things]).float().view(-1, 4)
    scores = torch.full((len(things), 80), 0.01)
    for row, (_, category, score) in enumerate(things):
        scores[row, category] = score
    return RawDetections(boxes, scores, 100, 100)


def test_a_person_and_her_upper_half_are_one_group() -> None:
    whole, upper = [10.0, 10, 40, 90], [10.0, 10, 40, 50]
    found = hypotheses(raw((whole, PERSON, 0.8), (upper, PERSON, 0.7)), CALIBRATION, floor=0.0)
    assert found.group.tolist() == [0, 0]
    assert found.existence.sum() <= 1


def test_a_weak_part_competes_and_a_sure_one_is_its_own_thing() -> None:
    adult, child = [0.0, 0, 60, 100], [20.0, 60, 40, 100]
    weak = hypotheses(raw((adult, PERSON, 0.8), (child, PERSON, 0.4)), CALIBRATION, floor=0.0)
    sure = hypotheses(raw((adult, PERSON, 0.8), (child, PERSON, 0.7)), CALIBRATION)
    assert weak.group.tolist() == [0, 0]
    assert sure.group.tolist() == [0, 1]


def test_a_thing_of_another_category_on_a_thing_is_no_duplicate() -> None:
    found = hypotheses(
        raw(([0.0, 0, 60, 100], PERSON, 0.8), ([20.0, 60, 40, 80], CAR, 0.4)), CALIBRATION
    )
    assert found.group.tolist() == [0, 1]


def test_two_readings_of_one_box_are_one_group() -> None:
    found = hypotheses(
        raw(([0.0, 0, 60, 100], PERSON, 0.6), ([0.0, 0, 60, 55], CAR, 0.5)), CALIBRATION
    )
    assert found.group.tolist() == [0, 0]


def test_near_identical_boxes_collapse_to_the_best() -> None:
    found = hypotheses(
        raw(([0.0, 0, 50, 50], PERSON, 0.6), ([1.0, 1, 51, 51], PERSON, 0.8)), CALIBRATION
    )
    assert found.boxes.tolist() == [[1, 1, 51, 51]]


def test_groups_do_not_chain() -> None:
    row = [([20.0 * i, 0, 20.0 * i + 50, 50], PERSON, 0.6 - 0.05 * i) for i in range(3)]
    found = candidates(raw(*row).boxes, raw(*row).scores)
    assert found.group.tolist() == [0, 0, 1]
    assert found.overlapped.tolist() == [False, True, True]


def test_the_floor() -> None:
    weak = raw(([0.0, 0, 10, 10], PERSON, 0.05), ([50.0, 50, 60, 60], PERSON, 0.9))
    assert len(hypotheses(weak, CALIBRATION).boxes) == 1
    assert len(hypotheses(weak, CALIBRATION, floor=0.0).boxes) == 2


def test_nothing_at_all() -> None:
    found = hypotheses(raw(), CALIBRATION)
    assert found.boxes.shape == (0, 4)
    assert found.existence.shape == (0,)
    assert found.categories.shape == (0, 80)
    assert found.group.dtype == torch.int64


def test_the_best_category_stays_the_best_and_the_rest_is_kept() -> None:
    scores = torch.tensor([[0.6, 0.3, 0.1]])
    (distribution,) = CALIBRATION.category_distribution(scores)
    assert distribution.sum() == pytest.approx(1)
    assert distribution[1] / distribution[0] == pytest.approx(0.5**2.5, rel=1e-4)


boxes = st.tuples(*[st.floats(0, 60)] * 2, *[st.floats(1, 40)] * 2).map(
    lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3]]
)
scenes = st.lists(st.tuples(boxes, st.integers(0, 3), st.floats(0.02, 0.98)), max_size=12)


@settings(deadline=None)
@given(scenes)
def test_laws(things: list[tuple[list[float], int, float]]) -> None:
    found = hypotheses(raw(*things), CALIBRATION)
    count = len(found.boxes)
    assert ((found.existence >= 0.05 - 1e-6) & (found.existence <= 1)).all()
    torch.testing.assert_close(found.categories.sum(dim=1), torch.ones(count))
    groups = set(found.group.tolist())
    assert groups == set(range(len(groups)))
    for index in groups:
        assert found.existence[found.group == index].sum() <= 1 + 1e-5


@settings(deadline=None)
@given(scenes, st.randoms(use_true_random=False))
def test_the_order_of_the_points_does_not_matter(
    things: list[tuple[list[float], int, float]], random: np.random.Generator
) -> None:
    distinct = [(box, kind, 0.1 + 0.07 * i) for i, (box, kind, _) in enumerate(things)]
    shuffled = list(distinct)
    random.shuffle(shuffled)
    first, second = (hypotheses(raw(*order), CALIBRATION) for order in (distinct, shuffled))
    torch.testing.assert_close(first.boxes, second.boxes)
    torch.testing.assert_close(first.existence, second.existence)
    assert first.group.tolist() == second.group.tolist()


def test_the_shipped_calibration_is_s_shaped_and_says_where_it_is_from() -> None:
    calibration = Calibration.default()
    alone = torch.zeros(3, dtype=torch.bool)
    odds = calibration.log_odds(torch.tensor([0.14, 0.5, 0.85]), alone, alone).sigmoid()
    assert odds[0] < 0.15
    assert 0.4 < odds[1] < 0.8
    assert odds[2] > 0.95
    assert calibration.overlapped <= 0
    assert calibration.contained <= 0


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"parameters": {"slope": 1}}'])
def test_what_is_not_a_calibration(text: str) -> None:
    with pytest.raises(PerceptionError, match="not a calibration"):
        Calibration.from_json(text)


def test_a_calibration_of_ones_own() -> None:
    parameters = {
        "intercept": 1,
        "slope": 2,
        "overlapped": 0,
        "contained": 0,
        "category_power": 1,
    }
    assert Calibration.from_json(json.dumps({"parameters": parameters})).slope == 2.0


def test_a_cafeteria(detector: PicoDet, images: dict[str, np.ndarray]) -> None:
    """Seven people, three tables and eight chairs are annotated; most chairs are hidden."""
    found = hypotheses(detector.detect_views([images["voc"]])[0], Calibration.default())
    expected = (found.existence[:, None] * found.categories).sum(dim=0)
    names = coco_categories()
    assert expected[names.index("person")] == pytest.approx(7, abs=1)
    assert expected[names.index("dining table")] == pytest.approx(3, abs=1)
    assert 2.5 < expected[names.index("chair")] < 9
    sure = found.existence > 0.9
    people = found.categories[sure][:, PERSON] > 0.5
    assert people.sum() == 6
