"""How far away things are, and which is in front, from a map of depth.

A thing's depth is the median over its mask, or where there is none yet over the middle half of its
box: pixels of what lies behind it or before it then count little.
"""

from __future__ import annotations

import torch
from torch import Tensor

from neurosym.errors import PerceptionError
from neurosym.perception.geometry import Geometry
from neurosym.perception.lightness import central
from neurosym.pixels import DepthMap, ImageSize
from neurosym.scene import Measure, Relation

# Between the quartiles of a normal distribution lie 1.349 standard deviations.
_QUARTILES = 1.349


def checked(depth: DepthMap, size: ImageSize) -> DepthMap:
    """The map, or PerceptionError when it does not fit the image, or nothing in it is known."""
    if tuple(depth.values.shape) != tuple(size):
        raise PerceptionError(
            f"the depth map is {list(depth.values.shape)} and the image {list(size)} "
            f"(height, width): give the depth in the image's frame"
        )
    if not bool(depth.values.isfinite().any()):
        raise PerceptionError("the depth map has no finite value")
    return depth


def _spread(values: Tensor, otherwise: Tensor) -> tuple[Tensor, Tensor]:
    """Median and standard deviation (by the quartiles) of the finite values."""
    known = values[values.isfinite()]
    if not len(known):
        return otherwise, torch.zeros(())
    quartiles = known.quantile(torch.tensor([0.25, 0.5, 0.75]))
    return quartiles[1], (quartiles[2] - quartiles[0]) / _QUARTILES


def box_depths(depth: DepthMap, boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Depth and its spread in the middle half of each box.

    Args:
        depth: in the frame of the boxes.
        boxes: [N, 4] xyxy.

    Returns:
        [N] medians and [N] standard deviations; where nothing is known the median of the map.
    """
    values = depth.values.float().cpu()
    everywhere, _ = _spread(values.flatten(), torch.zeros(()))
    found = [
        _spread(values[place].flatten(), everywhere) for place in central(boxes, *values.shape)
    ]
    if not found:
        return torch.zeros(0), torch.zeros(0)
    return torch.stack([m for m, _ in found]), torch.stack([s for _, s in found])


def mask_depths(depth: DepthMap, masks: Tensor, otherwise: Tensor) -> Tensor:
    """[N] medians in masks [N, height, width] bool; ``otherwise`` [N] where nothing is known."""
    values = depth.values.float().cpu()
    found = [_spread(values[m], rest)[0] for m, rest in zip(masks, otherwise, strict=True)]
    return torch.stack(found) if found else torch.zeros(0)


def measure(depth: DepthMap, medians: Tensor) -> Measure:
    """The measure "depth"; approximate where the map only tells the order."""
    return Measure(medians, depth.unit, depth.source, approximate=depth.unit == "relative")


def relations(depth: DepthMap, boxes: Tensor) -> dict[str, Relation]:
    """The relations that depth decides: "in_front_of" and its inverse "behind".

    I is in front of j: it is nearer to the camera, and the boxes overlap along x. With d the
    medians of :func:`box_depths` and s their spreads, the first has probability
    Phi((d_j - d_i) / s) with s^2 = s_i^2 + s_j^2: where things are as deep as the distance between
    them, it says little.

    Args:
        depth: in the frame of the boxes.
        boxes: [N, 4] xyxy.
    """
    medians, spreads = box_depths(depth, boxes)
    lead = medians[None, :] - medians[:, None]
    scale = torch.hypot(spreads[:, None], spreads[None, :])
    nearer = torch.where(
        scale > 0, torch.special.ndtr(lead / scale.clamp_min(1e-9)), (lead > 0).float()
    )
    i, j = Geometry.of(boxes).turned(1), Geometry.of(boxes).turned(0)
    aligned = torch.minimum(i.x2, j.x2) > torch.maximum(i.x1, j.x1)
    table = nearer * aligned * (1 - torch.eye(len(boxes)))
    approximate = depth.unit == "relative"
    return {
        "in_front_of": Relation(table, depth.source, approximate),
        "behind": Relation(table.T.contiguous(), depth.source, approximate),
    }
