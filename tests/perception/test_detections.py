from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from neurosym.api import perception_of
from neurosym.errors import DataError, PerceptionError
from neurosym.metrics import expected_calibration_error
from neurosym.perception.base import Detections
from neurosym.perception.calibration import Isotonic, Temperature
from neurosym.perception.colours import default_model
from neurosym.perception.detections import (
    NOTHING,
    Calibration,
    Example,
    candidates,
    claim,
    hypotheses,
)
from neurosym.perception.picodet import PicoDet, coco_categories
from neurosym.scene import Scene

CALIBRATION = Calibration(
    intercept=0.6, slope=2.0, overlapped=-1.3, contained=-0.7, categories=Temperature(0.4)
)
PERSON, CAR = 0, 2
KINDS = 80


def raw(*things: tuple[list[float], int, float]) -> Detections:
    """Detections from (box, category, score)."""
    boxes = torch.tensor([box for box, _, _ in things]).float().view(-1, 4)
    scores = torch.full((len(things), 80), 0.01)
    for row, (_, category, score) in enumerate(things):
        scores[row, category] = score
    return Detections(boxes, scores)


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


def existence(calibration: Calibration, category: int, *scores: float) -> Tensor:
    """What a calibration says of boxes that stand alone, by their best score."""
    rows = torch.full((len(scores), KINDS), 0.001)
    rows[:, category] = torch.tensor(scores)
    alone = torch.zeros(len(scores), dtype=torch.bool)
    return calibration.existence(rows, alone, alone)


def test_the_shipped_calibration_is_s_shaped_and_says_where_it_is_from() -> None:
    calibration = Calibration.default()
    low, middle, high = existence(calibration, CAR, 0.14, 0.5, 0.85)
    assert low < 0.15
    assert 0.4 < middle < 0.8
    assert high > 0.95
    assert calibration.overlapped <= 0
    assert calibration.contained <= 0
    assert "53 images" in calibration.describe()
    assert re.search("sha256 [0-9a-f]{12}$", calibration.describe())


def test_a_last_step_maps_the_probability() -> None:
    last = Temperature(2.0)
    found = existence(replace(CALIBRATION, after=last), CAR, 0.2, 0.9)
    torch.testing.assert_close(found, last(existence(CALIBRATION, CAR, 0.2, 0.9)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"parameters": {"slope": 1}}',
        '{"format": "neurosym-calibration/1", "slope": 1}',
    ],
)
def test_what_is_not_a_calibration(text: str) -> None:
    with pytest.raises(PerceptionError, match="not a calibration"):
        Calibration.from_json(text)


def test_categories_need_a_temperature() -> None:
    document = CALIBRATION.to_document()
    document["categories"] = Isotonic((0.5,), (0.5,)).to_document()
    with pytest.raises(PerceptionError, match="temperature"):
        Calibration.from_document(document)


def test_a_file_that_is_not_there_and_one_that_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(PerceptionError, match="cannot read"):
        Calibration.load(tmp_path / "none.json")
    wrong = tmp_path / "wrong.json"
    wrong.write_text("{}", "utf-8")
    with pytest.raises(PerceptionError, match=r"wrong\.json: not a calibration"):
        Calibration.load(wrong)


@pytest.mark.parametrize("after", [None, Temperature(1.3), Isotonic((0.2, 0.7), (0.1, 0.9))])
def test_a_calibration_of_ones_own_comes_back_from_its_file(tmp_path: Path, after) -> None:
    own = replace(CALIBRATION, slope=1.25, after=after, fitted_on="my photographs")
    path = tmp_path / "own.json"
    path.write_text(json.dumps({**own.to_document(), "provenance": {"by": "me"}}), "utf-8")
    assert Calibration.load(path) == own
    assert "my photographs" in own.describe()
    assert own.describe() != CALIBRATION.describe()


def test_claims_are_one_to_one_and_best_first() -> None:
    gold = torch.tensor([[0.0, 0, 10, 10], [20.0, 0, 30, 10]])
    boxes = torch.tensor([[0.0, 0, 10, 9], [0.0, 0, 10, 10], [20.0, 0, 30, 4], [50.0, 0, 60, 9]])
    assert claim(boxes, gold).tolist() == [0, NOTHING, 1, NOTHING]
    assert claim(boxes, gold, 0.5).tolist() == [0, NOTHING, NOTHING, NOTHING]
    assert claim(boxes, gold[:0]).tolist() == [NOTHING] * 4


def test_an_example_knows_the_categories_and_leaves_crowds_aside() -> None:
    things = raw(
        ([0.0, 0, 10, 10], PERSON, 0.9),
        ([50.0, 0, 60, 10], PERSON, 0.8),
        ([80.0, 0, 90, 10], CAR, 0.7),
    )
    found = candidates(things.boxes, things.scores)
    gold, crowd = torch.tensor([[0.0, 0, 10, 10]]), torch.tensor([[45.0, 0, 70, 20]])
    example = Example.of(found, gold, torch.tensor([CAR]), crowd=crowd)
    assert example.truth.tolist() == [CAR, NOTHING, NOTHING]
    assert example.counted.tolist() == [True, False, True]


def examples(images: int) -> list[Example]:
    """Images of people and cars whose scores are worth less than they say."""
    draw = torch.Generator().manual_seed(0)
    made = []
    for _ in range(images):
        boxes = torch.tensor([[100.0 * i, 0, 100.0 * i + 50, 50] for i in range(12)])
        scores = torch.full((12, 4), 0.02)
        best = 0.05 + 0.9 * torch.rand(12, generator=draw)
        kind = torch.randint(2, (12,), generator=draw) * CAR
        scores[torch.arange(12), kind] = best
        there = torch.rand(12, generator=draw) < (best.logit() * 1.5 - 1.0).sigmoid()
        found = candidates(boxes, scores)
        order = torch.round(found.boxes[:, 0] / 100).long()
        named = torch.where(there, kind, NOTHING)[order]
        made.append(Example(found, named, torch.ones(12, dtype=torch.bool)))
    return made


@pytest.mark.parametrize("after", [None, Temperature, Isotonic])
def test_a_fit_says_what_happens_on_other_images(after) -> None:
    every = examples(400)
    train, test = every[:200], every[200:]
    fitted = Calibration.fit(train, after=after, fitted_on="drawn boxes")
    found = torch.cat(
        [fitted.existence(e.found.scores, e.found.overlapped, e.found.contained) for e in test]
    )
    right = torch.cat([e.truth != NOTHING for e in test])
    raws = torch.cat([e.found.scores.amax(dim=1) for e in test])
    assert expected_calibration_error(found, right) < 0.06
    assert expected_calibration_error(raws, right) > 0.1
    assert fitted.slope == pytest.approx(1.5, abs=0.25)
    assert type(fitted.after) is (after or type(None))
    assert "drawn boxes" in fitted.describe()


def test_what_cannot_be_fitted_on() -> None:
    (example,) = examples(1)
    for truth in (NOTHING, CAR):
        one_sided = replace(example, truth=torch.full((12,), truth))
        with pytest.raises(DataError, match="boxes that are things"):
            Calibration.fit([one_sided])
    with pytest.raises(DataError, match="examples"):
        Calibration.fit([])


def test_the_provenance_of_a_scene_says_how_it_was_calibrated(
    voc_scene: Scene, tmp_path: Path
) -> None:
    said = voc_scene.provenance["calibration"]
    assert Calibration.default().describe() in said
    assert default_model().describe() in said
    voc_scene.save(tmp_path / "scene.json")
    assert Scene.load(tmp_path / "scene.json").provenance["calibration"] == said


def test_perception_takes_a_calibration_of_ones_own(
    weights: Callable[[str], Path], images: dict[str, np.ndarray], tmp_path: Path
) -> None:
    doubtful = replace(Calibration.default(), intercept=-2.0, fitted_on="nothing at all")
    path = tmp_path / "own.json"
    path.write_text(json.dumps(doubtful.to_document()), "utf-8")
    scenes = [
        perception_of("picodet+mobilesam", device="cpu", calibration=chosen).perceive(images["voc"])
        for chosen in (None, doubtful, path)
    ]
    assert scenes[1].existence.sum() < scenes[0].existence.sum()
    assert "nothing at all" in scenes[1].provenance["calibration"]
    assert torch.equal(scenes[1].existence, scenes[2].existence)


def test_a_cafeteria(detector: PicoDet, images: dict[str, np.ndarray]) -> None:
    """Seven people, three tables and eight chairs are annotated; most chairs are hidden."""
    found = hypotheses(detector.detect_views([images["voc"]])[0], Calibration.default())
    expected = (found.existence[:, None] * found.categories).sum(dim=0)
    names = coco_categories()
    assert expected[names.index("person")] == pytest.approx(7, abs=1)
    assert expected[names.index("dining table")] == pytest.approx(3, abs=1)
    assert 2.5 < expected[names.index("chair")] < 9
    likely = found.existence > 0.5
    people = found.categories[likely][:, PERSON] > 0.5
    assert people.sum() == 7
