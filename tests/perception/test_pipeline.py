"""Pipelines of small parts that a user might bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from neurosym import Grounder, Scene
from neurosym.errors import OptionError, PerceptionError
from neurosym.grammar import Parser
from neurosym.models.store import path_of
from neurosym.perception.base import Detections
from neurosym.perception.calibration import PROVENANCE, Temperature, calibrated
from neurosym.perception.detections import Calibration
from neurosym.perception.pipeline import Pipeline, as_perception
from neurosym.pixels import Wanted

IMAGE = np.full((60, 80, 3), 90, dtype=np.uint8)
CUP, DOG = (5.0, 5.0, 25.0, 25.0), (40.0, 10.0, 70.0, 50.0)


@dataclass
class Boxes:
    """A detector of cups and dogs that always says the same."""

    name: str = "boxes"
    categories: tuple[str, ...] = ("cup", "dog")
    boxes: tuple[tuple[float, ...], ...] = (CUP, DOG)
    scores: tuple[tuple[float, ...], ...] = ((0.9, 0.1), (0.0, 0.7))
    masks: Tensor | None = None

    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        found = Detections(torch.tensor(self.boxes), torch.tensor(self.scores), self.masks)
        return [found for _ in images]


@dataclass
class Halves:
    """A segmenter that takes the left half of a box, and counts what it is asked."""

    encoded: int = 0
    asked: list[int] = field(default_factory=list)

    def encode(self, image: np.ndarray) -> Any:
        self.encoded += 1
        return image.shape[:2]

    def masks(self, embedding: Any, boxes: Tensor) -> tuple[Tensor, Tensor]:
        self.asked.append(len(boxes))
        made = torch.zeros((len(boxes), *embedding), dtype=torch.bool)
        for row, (x1, y1, x2, y2) in enumerate(boxes.int().tolist()):
            made[row, y1:y2, x1 : (x1 + x2) // 2] = True
        return made, torch.ones(len(boxes))


@pytest.fixture(scope="module")
def parser() -> Parser:
    return Parser(path_of("en-core-web-sm"))


def perceived(*arguments: Any, **options: Any) -> Scene:
    return Pipeline(*arguments, **options).perceive(IMAGE)


def test_a_detector_alone_makes_a_scene_that_says_its_scores_are_uncalibrated() -> None:
    scene = perceived(Boxes())
    assert scene.boxes.tolist() == [list(CUP), list(DOG)]
    assert scene.existence.tolist() == pytest.approx([0.9, 0.7])
    assert scene.categories.values == ("cup", "dog")
    torch.testing.assert_close(
        scene.categories.probabilities, torch.tensor([[0.9, 0.1], [0.0, 1.0]])
    )
    assert scene.provenance["detector"] == "boxes"
    assert "detector: uncalibrated" in scene.provenance[PROVENANCE]


def test_a_calibration_is_used_and_named() -> None:
    doubtful = Calibration(-1.0, 1.0, 0.0, 0.0, Temperature(1.0), fitted_on="ten pictures")
    scene = perceived(Boxes(), calibration=doubtful)
    odds = torch.logit(torch.tensor([0.9, 0.7])) - 1
    torch.testing.assert_close(scene.existence, odds.sigmoid())
    assert "fitted on ten pictures" in scene.provenance[PROVENANCE]


def test_masks_are_made_once_and_only_when_asked_for() -> None:
    halves = Halves()
    scene = perceived(Boxes(), segmenter=halves)
    assert halves.encoded == 0
    assert scene.masks([1])[0].sum() == 15 * 40
    scene.masks([1, 0])
    scene.masks([0, 1])
    assert (halves.encoded, halves.asked) == (1, [1, 1])


def test_a_detectors_own_masks_come_before_the_segmenters() -> None:
    masks = torch.zeros((2, *IMAGE.shape[:2]), dtype=torch.bool)
    masks[0, 10, 10] = True
    masks[1, 20:22, 50:52] = True
    halves = Halves()
    scene = perceived(Boxes(masks=masks), segmenter=halves)
    assert torch.equal(scene.masks([0, 1]), masks)
    assert halves.encoded == 0


def test_masks_follow_their_boxes_when_hypotheses_are_dropped() -> None:
    """The unlikely first box is left out; the second one's mask must not become its."""
    masks = torch.zeros((2, *IMAGE.shape[:2]), dtype=torch.bool)
    masks[1] = True
    scene = perceived(Boxes(scores=((0.01, 0.0), (0.0, 0.7)), masks=masks))
    assert len(scene) == 1
    assert scene.masks([0]).all()


def test_without_a_segmenter_an_object_fills_its_box() -> None:
    assert perceived(Boxes()).masks([0]).sum() == 20 * 20


@pytest.mark.parametrize(
    ("detector", "message"),
    [
        (Boxes(categories=("cup",)), "gave scores for 2 categories, expected 1"),
        (
            Boxes(masks=torch.zeros((2, 80, 60), dtype=torch.bool)),
            r"gave masks of \[80, 60\] for an image of \[60, 80\]",
        ),
        (Boxes(categories=("N/A", "N/A")), 'boxes has two categories of the name "N/A"'),
        (Boxes(scores=((3.0, 0.0), (0.0, 0.7))), r"scores must lie in \[0, 1\]"),
        (Boxes(boxes=((float("nan"),) * 4, DOG)), "boxes must be finite"),
        (Boxes(boxes=(CUP,)), "the scores of 1 boxes"),
    ],
)
def test_what_does_not_fit_is_one_line(detector: Boxes, message: str) -> None:
    with pytest.raises(PerceptionError, match=message):
        perceived(detector)


def test_a_detector_must_answer_for_every_image() -> None:
    class Silent(Boxes):
        def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
            return []

    with pytest.raises(PerceptionError, match=r"gave 0 results for 1 image$"):
        perceived(Silent())


def test_whatever_has_the_interface_is_a_perception() -> None:
    pipeline = Pipeline(Boxes())
    assert as_perception(pipeline) is pipeline
    assert as_perception(Boxes()).perceive(IMAGE).categories.values == ("cup", "dog")
    with pytest.raises(OptionError, match="not int"):
        as_perception(3)


def test_an_image_must_be_one() -> None:
    with pytest.raises(PerceptionError, match="uint8"):
        Pipeline(Boxes()).perceive(np.zeros((4, 4, 3)))


def test_a_grounder_takes_a_detector(parser: Parser) -> None:
    grounder = Grounder(Boxes(), parser)
    result = grounder.ground(grounder.perceive(IMAGE), "the dog to the right of the cup")
    assert result.objects == (1,)


class Rides:
    """A relation model that knows who rides: only what is left of its landmark."""

    name = "rides"

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []

    def relations(
        self,
        image: np.ndarray,
        figures: Tensor,
        landmarks: Tensor,
        nouns: Sequence[tuple[str, str]],
        relation: str,
    ) -> Tensor:
        self.asked += [(figure, relation, landmark) for figure, landmark in nouns]
        return torch.where(figures[:, 0] < landmarks[:, 0], 0.95, 0.05)


class Ages:
    """An attribute model to which dogs are old."""

    name = "ages"

    def attributes(
        self, image: np.ndarray, boxes: Tensor, nouns: Sequence[str], values: Sequence[str]
    ) -> Tensor:
        return torch.tensor([[0.9 if noun == "dog" else 0.2] * len(values) for noun in nouns])


def test_a_free_relation_is_scored_for_the_pairs_that_matter(parser: Parser) -> None:
    rides = Rides()
    grounder = Grounder(Pipeline(Boxes(), relations=rides), parser)
    scene = grounder.perceive(IMAGE)
    result = grounder.ground(scene, "the cup riding the dog")
    assert result.objects == (0,)
    assert ("cup", "riding", "dog") in rides.asked or ("cup", "ride", "dog") in rides.asked
    assert grounder.ground(scene, "the dog riding the cup").status == "none"
    plain = Grounder(Boxes(), parser)
    unknown = plain.ground(plain.perceive(IMAGE), "the cup riding the dog")
    assert unknown.status == "unsupported"


def test_an_open_value_is_an_attribute_of_its_own(parser: Parser) -> None:
    grounder = Grounder(Pipeline(Boxes(), attributes=Ages()), parser)
    scene = grounder.perceive(IMAGE)
    result = grounder.ground(scene, "the old dog")
    assert result.objects == (1,)
    assert result.unchecked == ()
    assert result.scene.attributes["old"].values == ("old", "not old")
    assert result.scene.attributes["old"].source == "ages"
    assert grounder.ground(scene, "the old cup").status == "none"
    plain = Grounder(Boxes(), parser)
    aside = plain.ground(plain.perceive(IMAGE), "the old cup")
    assert aside.objects == (0,)
    assert [node.value for node in aside.unchecked] == ["old"]


def test_a_scene_that_is_not_asked_for_more_stays_as_it_is() -> None:
    scene = perceived(Boxes())
    assert scene.pixels is not None
    same = scene.pixels.look_for(scene, Wanted())
    assert same.attributes.keys() == scene.attributes.keys()
    assert torch.equal(same.boxes, scene.boxes)


def test_a_calibrated_scene_can_still_be_asked_for_more(parser: Parser) -> None:
    grounder = Grounder(Pipeline(Boxes(), attributes=Ages(), relations=Rides()), parser)
    scene = calibrated(grounder.perceive(IMAGE), attributes={"color": Temperature(2.0)})
    assert grounder.ground(scene, "the cup riding the old dog").objects == (0,)
    assert grounder.ground(scene, "the old cup").status == "none"
