from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from neurosym.errors import PerceptionError
from neurosym.perception.picodet import (
    PicoDet,
    areas,
    coco_categories,
    pairwise_intersection,
    pairwise_iou,
    suppress,
)

Reference = Callable[[str], dict[str, Any]]


def test_eighty_categories() -> None:
    names = coco_categories()
    assert len(names) == len(set(names)) == 80
    assert (names[0], names[60], names[79]) == ("person", "dining table", "toothbrush")


@pytest.mark.parametrize("name", ["synthetic", "voc"])
def test_agrees_with_the_original_runtime(
    name: str, detector: PicoDet, images: dict[str, np.ndarray], reference: Reference
) -> None:
    expected = reference("picodet")[name]
    assert images[name].mean() == pytest.approx(expected["image_mean"], abs=1e-3)
    raw = detector.detect([images[name]], floor=0.0)[0]
    assert raw.boxes.shape == (3598, 4)
    assert raw.scores.shape == (3598, 80)
    assert (raw.height, raw.width) == (expected["height"], expected["width"])
    points = torch.tensor(expected["points"])
    wanted = torch.tensor(expected["boxes"]).clamp(min=0)
    frame = wanted.new_tensor([raw.width, raw.height, raw.width, raw.height])
    torch.testing.assert_close(raw.boxes[points], wanted.minimum(frame), atol=1.0, rtol=0)
    scores = torch.tensor(expected["scores"])
    torch.testing.assert_close(raw.scores[points], scores, atol=0.01, rtol=0)
    total = raw.scores.amax(dim=1).sum().item()
    assert total == pytest.approx(expected["total_of_best_scores"], rel=0.01)


@pytest.mark.parametrize("name", ["synthetic", "voc"])
def test_preprocessing_agrees_with_opencv(
    name: str, detector: PicoDet, images: dict[str, np.ndarray], reference: Reference
) -> None:
    sample = detector.preprocess(images[name])[:, ::52, ::52]
    expected = torch.tensor(reference("picodet")[name]["input_sample"])
    one_level = 1 / 255 / 0.224
    torch.testing.assert_close(sample, expected, atol=1.01 * one_level, rtol=0)


def test_a_batch_of_sizes_equals_one_by_one(
    detector: PicoDet, images: dict[str, np.ndarray]
) -> None:
    voc = images["voc"]
    batch = [voc, voc[:200, :100], images["synthetic"]]
    together = detector.detect(batch, batch=2)
    assert len(together) == 3
    for image, raw in zip(batch, together, strict=True):
        alone = detector.detect([image])[0]
        torch.testing.assert_close(raw.boxes, alone.boxes, atol=0.01, rtol=0)
        torch.testing.assert_close(raw.scores, alone.scores, atol=1e-4, rtol=0)


def test_boxes_lie_in_the_frame(detector: PicoDet, images: dict[str, np.ndarray]) -> None:
    raw = detector.detect([images["voc"]], floor=0.1)[0]
    x1, y1, x2, y2 = raw.boxes.unbind(dim=1)
    assert (x1 >= 0).all()
    assert (y1 >= 0).all()
    assert (x2 <= raw.width).all()
    assert (y2 <= raw.height).all()
    assert (x1 <= x2).all()
    assert (y1 <= y2).all()
    assert (raw.scores.amax(dim=1) >= 0.1).all()
    assert not raw.boxes.requires_grad


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 700, 3), (700, 1, 3)])
def test_extreme_images(detector: PicoDet, shape: tuple[int, int, int]) -> None:
    raw = detector.detect([np.full(shape, 128, np.uint8)], floor=0.0)[0]
    assert torch.isfinite(raw.boxes).all()
    assert (raw.boxes <= max(shape)).all()


def test_no_images(detector: PicoDet) -> None:
    assert detector.detect([]) == []


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_what_is_not_an_rgb_image(detector: PicoDet, image: np.ndarray) -> None:
    with pytest.raises(PerceptionError, match="uint8 RGB"):
        detector.detect([image])


def test_weights_of_another_model(
    weights: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from neurosym.perception import picodet

    monkeypatch.setattr(picodet, "read_parameters", lambda *_: {"conv2d_0.w_0": torch.zeros(1)})
    with pytest.raises(PerceptionError, match="is not PicoDet-S 416"):
        PicoDet.load(weights("picodet-s") / "model.pdiparams")


def test_overlap_by_hand() -> None:
    boxes = torch.tensor([[0.0, 0, 4, 4], [2, 2, 6, 6], [9, 9, 9, 9]])
    assert pairwise_intersection(boxes, boxes)[0].tolist() == [16, 4, 0]
    torch.testing.assert_close(pairwise_iou(boxes, boxes)[0], torch.tensor([1, 4 / 28, 0]))
    assert areas(boxes).tolist() == [16, 16, 0]
    assert pairwise_iou(boxes, boxes)[2].tolist() == [0, 0, 0]


def test_suppression_keeps_the_best() -> None:
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 5], [20, 20, 30, 30]])
    scores = torch.tensor([0.5, 0.9, 0.4, 0.7])
    assert suppress(boxes, scores).tolist() == [1, 3, 2]
    assert suppress(boxes, scores, limit=2).tolist() == [1, 3]
    assert suppress(boxes, scores, iou=0.4).tolist() == [1, 3]
    assert suppress(boxes[:0], scores[:0]).tolist() == []
