from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from neurosym.errors import PerceptionError
from neurosym.perception.base import Detections
from neurosym.perception.boxes import areas, pairwise_intersection, pairwise_iou, suppress
from neurosym.perception.picodet import (
    PLAIN_VIEW,
    PicoDet,
    coco_categories,
)
from neurosym.perception.views import View, fuse

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
    height, width = images[name].shape[:2]
    assert (height, width) == (expected["height"], expected["width"])
    points = torch.tensor(expected["points"])
    wanted = torch.tensor(expected["boxes"]).clamp(min=0)
    frame = wanted.new_tensor([width, height, width, height])
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
    assert (x2 <= images["voc"].shape[1]).all()
    assert (y2 <= images["voc"].shape[0]).all()
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
    assert detector.detect_views([]) == []


def test_one_plain_view_is_the_plain_detection(
    detector: PicoDet, images: dict[str, np.ndarray]
) -> None:
    plain = detector.detect([images["voc"]], floor=0.1)[0]
    viewed = detector.detect_views([images["voc"]], views=[PLAIN_VIEW], floor=0.1)[0]
    assert torch.equal(plain.boxes, viewed.boxes)
    assert torch.equal(plain.scores, viewed.scores)


def test_a_mirrored_view_is_the_view_of_a_mirrored_image(
    detector: PicoDet, images: dict[str, np.ndarray]
) -> None:
    image = images["voc"]
    viewed = detector.detect([image], view=View(416, 416, mirrored=True), floor=0.0)[0]
    turned = detector.detect([image[:, ::-1].copy()], floor=0.0)[0]
    torch.testing.assert_close(
        viewed.boxes, _mirrored(turned.boxes, image.shape[1]), atol=1, rtol=0
    )
    torch.testing.assert_close(viewed.scores, turned.scores, atol=0.01, rtol=0)


def test_left_and_right_do_not_matter_to_a_view_and_its_mirror_image(
    detector: PicoDet, images: dict[str, np.ndarray]
) -> None:
    image = images["voc"]
    views = [View(544, 544), View(544, 544, mirrored=True)]
    straight, turned = detector.detect_views([image, image[:, ::-1].copy()], views=views)
    sure = straight.scores.amax(dim=1) > 0.4
    assert sure.sum() >= 8
    mirrored = _mirrored(turned.boxes, image.shape[1])
    overlap, partner = pairwise_iou(straight.boxes[sure], mirrored).max(dim=1)
    assert overlap.min() > 0.97
    assert len(set(partner.tolist())) == len(partner)
    scores = turned.scores[partner]
    torch.testing.assert_close(scores, straight.scores[sure], atol=0.02, rtol=0)


def test_other_sizes_give_boxes_in_the_same_frame(
    detector: PicoDet, images: dict[str, np.ndarray]
) -> None:
    """Wide views too: rows and columns of the cells must not be confused."""
    plain = detector.detect([images["voc"]], floor=0.7)[0]
    for view in (View(544, 544), View(416, 576), View(576, 416, mirrored=True)):
        raw = detector.detect([images["voc"]], view=view, floor=0.2)[0]
        people = raw.boxes[raw.scores.argmax(dim=1) == 0]
        found = pairwise_iou(plain.boxes[plain.scores[:, 0] > 0.7], people).amax(dim=1)
        assert found.median() > 0.8
    raw = detector.detect([images["voc"]], view=View(320, 448), floor=0.0)[0]
    assert len(raw.boxes) == 40 * 56 + 20 * 28 + 10 * 14 + 5 * 7


@pytest.mark.parametrize("side", [0, -32, 400])
def test_sides_that_the_network_cannot_halve(side: int) -> None:
    with pytest.raises(ValueError, match="multiples of 32"):
        View(416, side)


def _mirrored(boxes: torch.Tensor, width: int) -> torch.Tensor:
    x1, y1, x2, y2 = boxes.unbind(dim=1)
    return torch.stack([width - x2, y1, width - x1, y2], dim=1)


def _seen(*things: tuple[list[float], list[float]]) -> Detections:
    boxes = torch.tensor([box for box, _ in things]).view(-1, 4)
    return Detections(boxes, torch.tensor([s for _, s in things]).view(-1, 2))


def test_fused_scores_are_means_over_the_views() -> None:
    first = _seen(([0.0, 0, 10, 10], [0.8, 0.1]), ([0.0, 0, 10, 9], [0.3, 0.3]))
    second = _seen(([0.0, 0, 10, 8], [0.4, 0.5]), ([30.0, 30, 40, 40], [0.2, 0.6]))
    fused = fuse([first, second])
    assert fused.boxes.tolist() == [[0, 0, 10, 10], [30, 30, 40, 40]]
    torch.testing.assert_close(fused.scores, torch.tensor([[0.6, 0.3], [0.1, 0.3]]))


def test_a_sure_box_does_not_vouch_for_a_weak_one_beside_it() -> None:
    sure, beside = [0.0, 0, 10, 10], [0.0, 0, 10, 5.5]
    between = [0.0, 0, 10, 7]
    first = _seen((sure, [0.9, 0.0]), (beside, [0.2, 0.0]))
    second = _seen((between, [0.7, 0.0]))
    fused = fuse([first, second])
    assert fused.boxes.tolist() == [sure, beside]
    torch.testing.assert_close(fused.scores[:, 0], torch.tensor([0.8, 0.1]))


def test_views_that_saw_nothing() -> None:
    nothing, one = _seen(), _seen(([0.0, 0, 10, 10], [0.8, 0.1]))
    assert fuse([nothing, nothing]).boxes.shape == (0, 4)
    assert fuse([nothing, nothing]).scores.shape == (0, 2)
    torch.testing.assert_close(fuse([nothing, one]).scores, torch.tensor([[0.4, 0.05]]))
    empty = _seen(([5.0, 5, 5, 5], [0.8, 0.1]))
    torch.testing.assert_close(fuse([empty, nothing]).scores, torch.tensor([[0.4, 0.05]]))


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


def test_suppression_of_many_boxes_leaves_none_that_overlap() -> None:
    generator = torch.Generator().manual_seed(1)
    corners = torch.rand(1500, 2, generator=generator) * 100
    boxes = torch.cat([corners, corners + 5 + 20 * torch.rand(1500, 2, generator=generator)], dim=1)
    scores = torch.rand(1500, generator=generator)
    kept = suppress(boxes, scores, limit=1500)
    assert (scores[kept].diff() <= 0).all()
    overlaps = pairwise_iou(boxes, boxes[kept]) > 0.6
    assert (overlaps[kept].sum(dim=1) == 1).all()
    better = overlaps & (scores[:, None] < scores[kept][None, :])
    dropped = torch.ones(1500, dtype=torch.bool)
    dropped[kept] = False
    assert better[dropped].any(dim=1).all()
    assert suppress(boxes, scores).tolist() == kept[:300].tolist()
