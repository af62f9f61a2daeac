"""The arithmetic of boxes: areas, overlaps, suppression of near-identical ones."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from torch import Tensor

SUPPRESSION_IOU: Final = 0.6
"""Boxes of one image that overlap by more are one proposal, made twice."""
_SUPPRESSED_AT_ONCE: Final = 256


def suppress(
    boxes: Tensor, scores: Tensor, iou: float = SUPPRESSION_IOU, limit: int = 300
) -> Tensor:
    """Greedy non-maximum suppression, blind to categories.

    Args:
        boxes: [point, 4] xyxy.
        scores: [point]; the best one is taken first.
        iou: a box that overlaps a kept one by more is dropped.
        limit: how many boxes to keep at most.

    Returns:
        [kept] int64 positions in ``boxes``, best score first.
    """
    order = scores.argsort(descending=True, stable=True)
    kept = order[:0]
    # In parts: thousands of boxes compared each with each would cost more than the network, and
    # most are dropped by the few that are kept.
    for start in range(0, len(order), _SUPPRESSED_AT_ONCE):
        part = order[start : start + _SUPPRESSED_AT_ONCE]
        part = part[~(pairwise_iou(boxes[kept], boxes[part]) > iou).any(dim=0)]
        overlaps = (pairwise_iou(boxes[part], boxes[part]) > iou).cpu().numpy()
        dropped = np.zeros(len(part), dtype=bool)
        chosen: list[int] = []
        for position, drops in enumerate(overlaps):
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
    shared = pairwise_intersection(first, second)
    union = areas(first)[:, None] + areas(second)[None, :] - shared
    return shared / union.clamp(min=1e-9)
