"""Views: the ways in which an image is shown to a network, and one answer from several of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from neurosym.perception.base import Detections
from neurosym.perception.boxes import SUPPRESSION_IOU, pairwise_iou, suppress


@dataclass(frozen=True)
class View:
    """One way to show an image to the network.

    Attributes:
        height: height in pixels that the image is resized to, a multiple of 32.
        width: width in pixels that the image is resized to, a multiple of 32. The aspect ratio of
            the image is not kept.
        mirrored: whether left and right are swapped. Boxes are mapped back.
    """

    height: int
    width: int
    mirrored: bool = False

    def __post_init__(self) -> None:
        if min(self.height, self.width) <= 0 or self.height % 32 or self.width % 32:
            # The neck doubles maps and adds them to finer ones: their sides must be even.
            raise ValueError(
                f"a view's sides must be multiples of 32, not {self.height} x {self.width}"
            )


def fuse(views: Sequence[Detections]) -> Detections:
    """One set of boxes from what several views say of one image.

    The boxes of all views are pooled and suppressed. A box that is kept is scored by the mean over
    the views of the best score vector among those that it suppressed or is itself: a view that has
    none there says zero. Each raw box speaks for one kept box only. If it spoke for all those that
    it overlaps, a weak box beside a sure one would be as sure.

    Args:
        views: at least one, of the same image.

    Returns:
        Boxes that overlap by no more than the IoU of :func:`suppress`; of a single view, that view
        unchanged.
    """
    if len(views) == 1:
        return views[0]
    boxes = torch.cat([view.boxes for view in views])
    scores = torch.cat([view.scores for view in views])
    best = scores.amax(dim=1)
    kept = suppress(boxes, best)
    overlaps = pairwise_iou(boxes[kept], boxes) > SUPPRESSION_IOU
    # Empty boxes do not even overlap themselves.
    overlaps[torch.arange(len(kept), device=kept.device), kept] = True
    # Kept boxes come best first: the first that overlaps a box is the one that suppressed it.
    speaks = overlaps & (overlaps.cumsum(dim=0) == 1)
    evidence = torch.zeros_like(scores[kept])
    start = 0
    for view in views:
        points = slice(start, start + len(view.boxes))
        start = points.stop
        if len(view.boxes) and len(kept):
            value, chosen = (speaks[:, points] * best[points]).max(dim=1)
            evidence += view.scores[chosen] * (value > 0)[:, None]
    return Detections(boxes[kept], evidence / len(views))
