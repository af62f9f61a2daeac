"""The arithmetic of boxes and masks: areas, overlaps, suppression of near-identical ones."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from torch import Tensor

SUPPRESSION_IOU: Final = 0.6
"""Boxes of one image that overlap by more are one proposal, made twice."""
_SUPPRESSED_AT_ONCE: Final = 256
_NUMBERS_AT_ONCE: Final = 1 << 24


def suppress(
    boxes: Tensor,
    scores: Tensor,
    iou: float = SUPPRESSION_IOU,
    limit: int = 300,
    masks: Tensor | None = None,
) -> Tensor:
    """Greedy non-maximum suppression, blind to categories.

    Args:
        boxes: [point, 4] xyxy.
        scores: [point]; the best one is taken first.
        iou: a box that overlaps a kept one by more is dropped.
        limit: how many boxes to keep at most.
        masks: [point, height, width] bool, when known: then what overlaps is told by them.

    Returns:
        [kept] int64 positions in ``boxes``, best score first.
    """

    def overlaps_of(first: Tensor, second: Tensor) -> Tensor:
        if masks is None:
            return pairwise_iou(boxes[first], boxes[second])
        return overlaps(boxes[first], boxes[second], masks[first], masks[second])[0]

    order = scores.argsort(descending=True, stable=True)
    kept = order[:0]
    # In parts: thousands of boxes compared each with each would cost more than the network, and
    # most are dropped by the few that are kept.
    for start in range(0, len(order), _SUPPRESSED_AT_ONCE):
        part = order[start : start + _SUPPRESSED_AT_ONCE]
        part = part[~(overlaps_of(kept, part) > iou).any(dim=0)]
        overlapping = (overlaps_of(part, part) > iou).cpu().numpy()
        dropped = np.zeros(len(part), dtype=bool)
        chosen: list[int] = []
        for position, drops in enumerate(overlapping):
            if not dropped[position]:
                chosen.append(position)
                dropped |= drops
        kept = torch.cat([kept, part[chosen]])
        if len(kept) >= limit:
            break
    return kept[:limit]


def pairwise_intersection(first: Tensor, second: Tensor) -> Tensor:
    """Areas shared by boxes [n, 4] and [m, 4], xyxy: [n, m], in the boxes' unit squared."""
    # One axis at a time: reducing over an axis of length two is many times slower.
    shared = []
    for axis in (0, 1):
        start = torch.maximum(first[:, None, axis], second[None, :, axis])
        end = torch.minimum(first[:, None, axis + 2], second[None, :, axis + 2])
        shared.append((end - start).clamp_(min=0))
    return shared[0] * shared[1]


def areas(boxes: Tensor) -> Tensor:
    """Areas [n] of boxes [n, 4], xyxy."""
    return (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(dim=-1)


def pairwise_iou(first: Tensor, second: Tensor) -> Tensor:
    """Intersection over union [n, m] in [0, 1] of boxes [n, 4] and [m, 4]; 0 for empty boxes."""
    return overlaps(first, second)[0]


def overlaps(
    first: Tensor,
    second: Tensor,
    first_masks: Tensor | None = None,
    second_masks: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """How far things overlap: by their masks where both are known, else by their boxes.

    The boxes of a wall and of the floor below it are much the same, and so are those of a rider
    and the horse; their masks are not. A mask without a pixel says nothing, and the box is taken.

    Args:
        first: [n, 4] xyxy.
        second: [m, 4].
        first_masks: [n, height, width] bool, in the frame of the boxes.
        second_masks: [m, height, width] bool.

    Returns:
        Intersection over union [n, m], and the intersection over the smaller of the two [n, m],
        both in [0, 1].
    """
    shared, sizes, others = pairwise_intersection(first, second), areas(first), areas(second)
    iou, share = _ratios(shared, sizes, others)
    if first_masks is None or second_masks is None:
        return iou, share
    shared, sizes, others = mask_intersection(first_masks, second_masks)
    known = (sizes > 0)[:, None] & (others > 0)[None, :]
    by_mask = _ratios(shared, sizes, others)
    return torch.where(known, by_mask[0], iou), torch.where(known, by_mask[1], share)


def mask_intersection(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Pixels shared by masks [n, height, width] and [m, height, width], and the areas of both.

    Returns:
        [n, m], [n] and [m] float32 counts of pixels.
    """
    ours, theirs = first.flatten(1), second.flatten(1)
    shared = ours.new_zeros((len(ours), len(theirs)), dtype=torch.float32)
    # In parts: as floating point, all masks of a large image at once would take gigabytes.
    step = max(1, _NUMBERS_AT_ONCE // max(1, len(ours) + len(theirs)))
    for start in range(0, ours.shape[1], step):
        part = slice(start, start + step)
        shared += ours[:, part].float() @ theirs[:, part].float().T
    return shared, ours.sum(dim=1).float(), theirs.sum(dim=1).float()


def boxes_of(masks: Tensor) -> Tensor:
    """The smallest boxes around masks.

    Args:
        masks: [n, height, width] bool.

    Returns:
        [n, 4] float32 xyxy, the right and lower edges behind the last pixel; zeros for a mask
        without a pixel.

    Example:
        >>> mask = torch.zeros((1, 4, 6), dtype=torch.bool)
        >>> mask[0, 1:3, 2:5] = True
        >>> boxes_of(mask)
        tensor([[2., 1., 5., 3.]])
    """
    edges = []
    for seen in (masks.any(dim=1), masks.any(dim=2)):
        length, seen = seen.shape[1], seen.int()
        # On no pixel at all, both are taken for position 0.
        last = length - seen.flip(1).argmax(dim=1)
        edges.append((seen.argmax(dim=1), torch.where(seen.any(dim=1), last, 0)))
    (left, right), (top, bottom) = edges
    return torch.stack([left, top, right, bottom], dim=1).float()


def _ratios(shared: Tensor, sizes: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """Intersection over union, and over the smaller."""
    union = sizes[:, None] + others[None, :] - shared
    smaller = torch.minimum(sizes[:, None], others[None, :])
    return shared / union.clamp(min=1e-9), shared / smaller.clamp(min=1e-9)
