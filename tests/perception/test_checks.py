"""Parts that a user may have written wrongly, and pictures that are none: one line each."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from neurosym import Grounder
from neurosym.errors import OptionError, PerceptionError
from neurosym.grammar import Parser
from neurosym.models.store import path_of
from neurosym.perception.base import Detections
from neurosym.perception.pipeline import Pipeline, as_perception
from neurosym.perception.registry import parts_named

IMAGE = np.full((60, 80, 3), 90, dtype=np.uint8)
BOXES = torch.tensor([[5.0, 5, 25, 25], [40, 10, 70, 50]])
SCORES = torch.tensor([[0.9, 0.1], [0.0, 0.7]])


def detector(**changes: Any) -> Any:
    """A detector of cups and dogs, with something else about it."""
    made = SimpleNamespace(name="mine", categories=("cup", "dog"))
    made.detect = lambda images: [Detections(BOXES, SCORES) for _ in images]
    made.__dict__.update(changes)
    return made


def says(*arguments: Any) -> Any:
    return detector(detect=lambda images: [Detections(*arguments) for _ in images])


@pytest.fixture(scope="module")
def parser() -> Parser:
    return Parser(path_of("en-core-web-sm"))


def refused(message: str, make: Any, error: type[Exception] = PerceptionError) -> None:
    with pytest.raises(error, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (None, "not NoneType"),
        ("photo.jpg", "must be an array, uint8 .* not str"),
        ([[1]], "not list"),
        (torch.zeros(6, 8, 3, dtype=torch.uint8), "not Tensor"),
        (np.zeros((0, 5, 3), np.uint8), r"at least one pixel, not uint8 \[0, 5, 3\]"),
        (np.zeros((5, 5), np.uint8), r"not uint8 \[5, 5\]"),
        (np.zeros((5, 5, 4), np.uint8), r"not uint8 \[5, 5, 4\]"),
        (np.zeros((5, 5, 3)), "not float64"),
    ],
)
def test_what_is_no_image(image: Any, message: str) -> None:
    refused(message, lambda: Pipeline(detector()).perceive(image))


@pytest.mark.parametrize(
    "image", [IMAGE[::-1], IMAGE[:, ::-2], np.broadcast_to(np.uint8(7), (60, 80, 3))]
)
def test_a_view_of_an_image_is_one(image: np.ndarray) -> None:
    seen: list[np.ndarray] = []

    def detect(images: list[np.ndarray]) -> list[Detections]:
        seen.extend(images)
        return [Detections(BOXES[:0], SCORES[:0]) for _ in images]

    scene = Pipeline(detector(detect=detect)).perceive(image)
    assert len(scene) == 0
    assert np.array_equal(seen[0], image)
    assert torch.from_numpy(seen[0]).is_contiguous()


def test_one_pixel_is_an_image(parser: Parser) -> None:
    tiny = says(torch.tensor([[0.0, 0, 1, 1]]), SCORES[:1])
    grounder = Grounder(tiny, parser)
    scene = grounder.perceive(np.full((1, 1, 3), (200, 10, 10), dtype=np.uint8))
    assert grounder.ground(scene, "the red cup").objects == (0,)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "mine gave NoneType, expected a list of Detections"),
        (Detections(BOXES, SCORES), "mine gave Detections, expected a list"),
        (iter(()), "expected a list"),
        ([], "mine gave 0 results for 1 image$"),
        ([1, 2], "mine gave 2 results for 1 image$"),
        ([{"boxes": 1}], "mine gave dict for an image, not Detections"),
    ],
)
def test_what_is_no_answer(given: Any, message: str) -> None:
    refused(message, lambda: Pipeline(detector(detect=lambda _: given)).perceive(IMAGE))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1, 2, 3, 4]], SCORES), "boxes must be a tensor, not list"),
        ((BOXES.numpy(), SCORES), "boxes must be a tensor, not ndarray"),
        ((BOXES, SCORES.tolist()), "scores must be a tensor, not list"),
        ((BOXES, SCORES, [1]), "masks must be a tensor, not list"),
        ((BOXES, SCORES * float("nan")), r"scores must lie in \[0, 1\]"),
        ((BOXES + 100, SCORES), r"the box \[105.0, .* for an image 80 wide and 60 high"),
        ((BOXES - 100, SCORES), "in pixels of the original image"),
    ],
)
def test_detections_that_do_not_fit(arguments: tuple[Any, ...], message: str) -> None:
    refused(message, lambda: Pipeline(says(*arguments)).perceive(IMAGE))


def test_boxes_are_cut_at_the_edges_of_the_image() -> None:
    scene = Pipeline(says(torch.tensor([[-3.0, 5, 25, 25], [40, 10, 90, 99]]), SCORES)).perceive(
        IMAGE
    )
    assert scene.boxes.tolist() == [[0, 5, 25, 25], [40, 10, 80, 60]]


def test_scores_that_still_have_a_gradient_or_are_of_another_precision() -> None:
    trained = Pipeline(says(BOXES, SCORES.clone().requires_grad_())).perceive(IMAGE)
    assert not trained.existence.requires_grad
    for dtype in (torch.float16, torch.float64):
        scene = Pipeline(says(BOXES.to(dtype), SCORES.to(dtype))).perceive(IMAGE)
        assert scene.existence.dtype is torch.float32
        assert scene.existence.tolist() == pytest.approx([0.9, 0.7], abs=1e-3)


@pytest.mark.parametrize(
    ("categories", "message"),
    [
        (None, "must be a sequence of names, not NoneType"),
        ("ab", "must be a sequence of names, not str"),
        ((1, 2), "a category 1: names must be texts"),
        (("cup", " "), "a category ' ': names must be texts"),
        (("cup", "cup"), 'two categories of the name "cup"'),
        (("cup",), "scores for 2 categories, expected 1"),
    ],
)
def test_categories_that_are_none(categories: Any, message: str) -> None:
    refused(f"mine.*{message}", lambda: Pipeline(detector(categories=categories)).perceive(IMAGE))


def test_boxes_without_categories() -> None:
    given = detector(
        categories=(), detect=lambda images: [Detections(BOXES, SCORES[:, :0]) for _ in images]
    )
    refused("has no categories, and gave 2 boxes", lambda: Pipeline(given).perceive(IMAGE))


def test_parts_must_have_the_interface_of_their_role() -> None:
    class Mine:
        name = "mine"
        categories = ("cup",)

        def detect(self, images: Any) -> list[Detections]:
            return []

    refused("not the class Mine: make one of it", lambda: as_perception(Mine), OptionError)
    refused("not the class Mine: make one of it", lambda: Pipeline(Mine), OptionError)  # type: ignore[arg-type]
    segmenter: Any = Mine()
    refused(
        r"segmenter must be an object with encode\(\) and masks\(\), not Mine",
        lambda: Pipeline(Mine(), segmenter=segmenter),
        OptionError,
    )
    refused(
        "the name of SimpleNamespace must be a text, not int",
        lambda: Pipeline(detector(name=3)),
        OptionError,
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (lambda count: None, "must give masks and their expected IoU"),
        (lambda count: torch.zeros(count, 60, 80), "must give masks and their expected IoU"),
        (lambda count: (torch.zeros(count, 60, 80), 0), "as torch.float32, expected a bool tensor"),
        (
            lambda count: (torch.zeros(count, 80, 60, dtype=torch.bool), 0),
            r"masks \[1, 80, 60\], expected \[1, 60, 80\]",
        ),
        (lambda count: (torch.zeros(0, 60, 80, dtype=torch.bool), 0), r"masks \[0, 60, 80\]"),
    ],
)
def test_a_segmenter_that_does_not_fit(given: Any, message: str) -> None:
    segmenter: Any = SimpleNamespace(
        encode=lambda image: None, masks=lambda embedding, boxes: given(len(boxes))
    )
    scene = Pipeline(detector(), segmenter=segmenter).perceive(IMAGE)
    refused(f"SimpleNamespace.*{message}", lambda: scene.masks([0]))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (lambda shape: None, "wise gave NoneType, expected a tensor"),
        (lambda shape: np.zeros(shape), "wise gave ndarray, expected a tensor"),
        (lambda shape: torch.zeros(7), r"wise gave scores \[7\], expected \["),
        (lambda shape: torch.full(shape, 3.0), r"wise gave scores outside \[0, 1\]"),
        (lambda shape: torch.full(shape, float("nan")), r"wise gave scores outside \[0, 1\]"),
    ],
)
def test_models_that_do_not_fit(parser: Parser, given: Any, message: str) -> None:
    model: Any = SimpleNamespace(
        name="wise",
        attributes=lambda image, boxes, nouns, values: given((len(boxes), len(values))),
        relations=lambda image, figures, landmarks, nouns, relation: given((len(figures),)),
    )
    for role, text in (("attributes", "the old dog"), ("relations", "the cup riding the dog")):
        grounder = Grounder(Pipeline(detector(), **{role: model}), parser)
        scene = grounder.perceive(IMAGE)
        refused(message, lambda g=grounder, s=scene, t=text: g.ground(s, t))


@pytest.mark.parametrize("given", [None, [], [None]])
def test_an_open_detector_that_does_not_fit(parser: Parser, given: Any) -> None:
    model: Any = SimpleNamespace(name="wise", detect_phrases=lambda images, phrases: given)
    grounder = Grounder(Pipeline(open_detector=model), parser)
    scene = grounder.perceive(IMAGE)
    refused("wise gave", lambda: grounder.ground(scene, "the mug"))


def test_a_name_of_two_lines_is_shown_in_one() -> None:
    refused('back end "picodet mobilesam"', lambda: parts_named("picodet\nmobilesam"), OptionError)
