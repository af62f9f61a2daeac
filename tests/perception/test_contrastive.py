"""CLIP and SigLIP from folders: prompts, contrasts, crops, batches, precision."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from neurosym.perception.backends.clip import Clip
from neurosym.perception.backends.siglip import Siglip
from neurosym.perception.contrastive import ContrastiveModel, squared
from tests.perception.tiny_contrastive import BLUE, RED, plain, save_clip, save_siglip

COSINES = {
    "an old cup": (0.8, 0.1),
    "a young cup": (0.2, 0.6),
    "a cup": (0.4, 0.5),
    "a furry cup": (0.1, 0.7),
    "a man riding a horse": (0.7, 0.1),
    "a horse riding a man": (0.3, 0.5),
    "a man and a horse": (0.5, 0.6),
    "a man riding a man": (0.6, 0.1),
    "a man and a man": (0.4, 0.1),
}
SCALE, BIAS = 10.0, -5.0


def exponential(cosine: float) -> float:
    return math.exp(SCALE * cosine)


def sigmoid(cosine: float) -> float:
    return 1 / (1 + math.exp(-SCALE * cosine - BIAS))


Models = tuple[ContrastiveModel, Callable[[float], float], Path]


@pytest.fixture(scope="module", params=["clip", "siglip"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Models:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "clip":
        save_clip(folder, COSINES, SCALE)
        return Clip(str(folder)), exponential, folder
    save_siglip(folder, COSINES, SCALE, BIAS)
    return Siglip(str(folder)), sigmoid, folder


def picture() -> np.ndarray:
    """Red on the left, blue on the right."""
    return np.concatenate([plain(RED, 40, 60), plain(BLUE, 40, 60)], axis=1)


LEFT, RIGHT = [4.0, 4, 36, 36], [84.0, 4, 116, 36]


def test_a_value_is_weighed_against_its_opposite_or_the_bare_noun(made: Models) -> None:
    model, weight, _ = made
    found = model.attributes(
        picture(), torch.tensor([LEFT, RIGHT]), ["cup", "cup"], ["old", "furry"]
    )

    def share(own: str, other: str, column: int) -> float:
        first, second = weight(COSINES[own][column]), weight(COSINES[other][column])
        return first / (first + second)

    expected = [
        [share("an old cup", "a young cup", side), share("a furry cup", "a cup", side)]
        for side in (0, 1)
    ]
    torch.testing.assert_close(found, torch.tensor(expected), atol=2e-3, rtol=0)


def test_a_relation_is_weighed_against_its_reverse_and_both_together(made: Models) -> None:
    model, weight, _ = made
    image, box = plain(RED, 40, 40), torch.tensor([[0.0, 0, 40, 40]])
    found = model.relations(image, box, box, [("man", "horse")], "ride")
    own, reverse, both = (
        weight(COSINES[text][0])
        for text in ("a man riding a horse", "a horse riding a man", "a man and a horse")
    )
    assert float(found) == pytest.approx(own / (own + reverse + both), abs=2e-3)


def test_between_two_of_a_kind_the_reverse_says_nothing(made: Models) -> None:
    model, weight, _ = made
    image, box = plain(RED, 40, 40), torch.tensor([[0.0, 0, 40, 40]])
    found = model.relations(image, box, box, [("man", "man")], "ride")
    own, both = weight(COSINES["a man riding a man"][0]), weight(COSINES["a man and a man"][0])
    assert float(found) == pytest.approx(own / (own + both), abs=2e-3)


def test_a_pair_is_seen_in_the_box_around_both(made: Models) -> None:
    model, _, _ = made
    seen: list[tuple[int, ...]] = []
    encode = model.encode_images

    def noted(crops: Sequence[np.ndarray]) -> torch.Tensor:
        seen.extend(crop.shape[:2] for crop in crops)
        return encode(crops)

    model.encode_images = noted  # type: ignore[method-assign]
    try:
        one, other = torch.tensor([[10.0, 5, 20, 15]]), torch.tensor([[90.0, 10, 110, 35]])
        model.relations(picture(), one, other, [("man", "horse")], "ride")
    finally:
        del model.encode_images  # type: ignore[method-assign]
    assert seen == [(30, 100)]


def test_texts_and_crops_are_encoded_once_and_together(
    made: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, _, _ = made
    crops: list[int] = []
    texts: list[int] = []
    images, words = model.encode_images, model.encode_texts
    monkeypatch.setattr(model, "encode_images", lambda c: (crops.append(len(c)), images(c))[1])
    monkeypatch.setattr(model, "encode_texts", lambda t: (texts.append(len(t)), words(t))[1])
    model._texts.clear()
    image, boxes = picture(), torch.tensor([LEFT, RIGHT, LEFT])
    model.attributes(image, boxes, ["cup"] * 3, ["old"])
    assert (crops, texts) == ([2], [2 * 4])
    model.attributes(image, boxes, ["cup"] * 3, ["old"])
    assert (crops, texts) == ([2], [2 * 4])
    model.attributes(image, boxes, ["cup"] * 3, ["furry"])
    assert (crops, texts) == ([2], [2 * 4, 2 * 4])
    model.attributes(picture(), boxes, ["cup"] * 3, ["old"])
    assert crops == [2, 2], "another picture has other crops"


def test_boxes_at_the_rim_and_without_extent_are_seen(made: Models) -> None:
    model, _, _ = made
    boxes = torch.tensor([[-9.0, -9, 200, 200], [119.5, 39.5, 120, 40], [30.0, 10, 30, 10]])
    found = model.attributes(picture(), boxes, ["cup"] * 3, ["old"])
    assert bool(((found >= 0) & (found <= 1)).all())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision(made: Models, dtype: torch.dtype) -> None:
    model, _, folder = made
    half: Any = type(model)(str(folder), "cpu", dtype)  # type: ignore[call-arg]
    assert half._model.dtype is dtype
    arguments = (picture(), torch.tensor([LEFT, RIGHT]), ["cup", "cup"], ["old"])
    found = half.attributes(*arguments)
    assert found.dtype is torch.float32
    torch.testing.assert_close(found, model.attributes(*arguments), atol=0.1, rtol=0)


def test_the_source_says_what_the_score_is(made: Models) -> None:
    model, _, _ = made
    assert "uncalibrated" in model.name
    assert "weights" in model.name


def test_a_crop_is_padded_not_cut() -> None:
    square = squared(plain(RED, 10, 30), (0.0, 0.5, 1.0))
    assert square.shape == (30, 30, 3)
    assert square[0, 0].tolist() == [0, 128, 255]
    assert (square[10:20] == np.array(RED)).all()
