"""Overlaps of boxes and masks."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from neurosym.perception import boxes as module
from neurosym.perception.base import Detections
from neurosym.perception.boxes import boxes_of, mask_intersection, overlaps, pairwise_iou
from neurosym.perception.detections import AS_SCORED, hypotheses

WHOLE = [0.0, 0, 20, 20]


def halves() -> Tensor:
    """The upper and the lower triangle of one square, which have one box."""
    row = torch.arange(20)
    upper = row[:, None] <= row[None, :]
    return torch.stack([upper, ~upper])


def test_masks_tell_what_overlaps_where_there_are_masks() -> None:
    boxes = torch.tensor([WHOLE, WHOLE])
    assert overlaps(boxes, boxes)[0][0, 1] == 1
    iou, share = overlaps(boxes, boxes, halves(), halves())
    torch.testing.assert_close(iou, torch.eye(2))
    torch.testing.assert_close(share, torch.eye(2))


def test_the_share_is_of_the_smaller() -> None:
    outer = torch.ones((1, 20, 20), dtype=torch.bool)
    inner = torch.zeros((1, 20, 20), dtype=torch.bool)
    inner[:, 5:10, 5:15] = True
    boxes = torch.tensor([WHOLE])
    iou, share = overlaps(boxes, boxes, outer, inner)
    assert float(iou) == pytest.approx(50 / 400)
    assert float(share) == 1


def test_a_mask_without_a_pixel_leaves_it_to_the_boxes() -> None:
    first, second = torch.tensor([WHOLE]), torch.tensor([[10.0, 0, 30, 20]])
    empty = torch.zeros((1, 20, 30), dtype=torch.bool)
    full = torch.ones((1, 20, 30), dtype=torch.bool)
    torch.testing.assert_close(overlaps(first, second, empty, full)[0], pairwise_iou(first, second))


def test_pixels_are_counted_alike_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    masks = torch.rand((5, 31, 17), generator=torch.Generator().manual_seed(3)) < 0.4
    whole = mask_intersection(masks, masks[:3])
    monkeypatch.setattr(module, "_NUMBERS_AT_ONCE", 64)
    for part, expected in zip(mask_intersection(masks, masks[:3]), whole, strict=True):
        assert torch.equal(part, expected)
    assert whole[0][1, 2] == (masks[1] & masks[2]).sum()


def test_a_wall_and_the_floor_below_it_are_two_things() -> None:
    boxes, scores = torch.tensor([WHOLE, WHOLE]), torch.tensor([0.9, 0.8])
    labels = torch.tensor([1, 0])
    apart = Detections.of_labels(boxes, scores, labels, 2, halves())
    torch.testing.assert_close(apart.scores, torch.tensor([[0.0, 0.9], [0.8, 0.0]]))
    found = hypotheses(apart, AS_SCORED)
    assert found.group.tolist() == [0, 1]
    torch.testing.assert_close(found.existence, torch.tensor([0.9, 0.8]))
    assert found.masks is not None
    assert torch.equal(found.masks, halves())


def test_two_labels_of_one_shape_are_one_thing() -> None:
    mask = halves()[:1]
    smaller = mask.clone()
    smaller[:, :5] = False
    boxes, scores = torch.tensor([WHOLE, WHOLE]), torch.tensor([0.6, 0.9])
    found = Detections.of_labels(boxes, scores, torch.tensor([0, 1]), 2, torch.cat([mask, smaller]))
    torch.testing.assert_close(found.scores, torch.tensor([[0.6, 0.9]]))
    assert found.masks is not None
    assert torch.equal(found.masks, smaller)


def test_a_rider_and_the_horse_are_two_things() -> None:
    """The boxes are nearly one; the masks hardly touch."""
    rider, horse = torch.zeros((2, 40, 40), dtype=torch.bool)
    rider[0:22, 15:25] = True
    rider[0, 1] = True
    horse[20:40, 2:38] = True
    boxes = torch.tensor([[1.0, 0, 38, 40], [2.0, 2, 38, 40]])
    scores = torch.tensor([[0.9, 0.0], [0.0, 0.8]])
    alone = hypotheses(Detections(boxes, scores), AS_SCORED)
    assert len(alone.boxes) == 1
    both = hypotheses(Detections(boxes, scores, torch.stack([rider, horse])), AS_SCORED)
    assert both.group.tolist() == [0, 1]


def test_the_box_of_a_mask_ends_behind_its_last_pixels() -> None:
    masks = torch.zeros((4, 7, 9), dtype=torch.bool)
    masks[0, 0, 0] = True
    masks[1, 6, 8] = True
    masks[2, 2, 3] = masks[2, 5, 1] = True
    assert boxes_of(masks).tolist() == [[0, 0, 1, 1], [8, 6, 9, 7], [1, 2, 4, 6], [0, 0, 0, 0]]
    assert boxes_of(masks[:0]).shape == (0, 4)
    assert boxes_of(torch.ones((1, 1, 1), dtype=torch.bool)).tolist() == [[0, 0, 1, 1]]
