"""The relations and measures of a perceived scene: of boxes, of depth, and off the pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from neurosym.perception import depths, geometry, lightness
from neurosym.perception.mask_relations import MASK_RELATIONS, SOURCE
from neurosym.pixels import DepthMap, ImageSize
from neurosym.scene import Measure, Relation


def relations(boxes: Tensor, depth: DepthMap | None, *, outlined: bool) -> dict[str, Relation]:
    """The relations between detected boxes [N, 4] xyxy.

    Depth decides what is in front where there is a map. Where masks are to be had, they are asked
    of the pairs of which boxes allow what masks decide.
    """
    found = geometry.relations(boxes, geometry.DETECTED)
    if depth is not None:
        found.update(depths.relations(depth, boxes))
    if outlined:
        for name in found.keys() & MASK_RELATIONS.keys():
            found[name] = replace(found[name], evidence=found[name].probabilities == 0)
    return found


def unasked(count: int, device: torch.device, source: str = SOURCE) -> Relation:
    """A relation between so many objects of which nothing is known until somebody asks.

    Args:
        count: how many objects there are.
        device: of the scene.
        source: what will be asked; masks, which only approximate, when left out.
    """
    nothing = torch.zeros((count, count), device=device)
    return Relation(nothing, source, approximate=source == SOURCE, evidence=nothing.bool())


def measures(boxes: Tensor, image: np.ndarray, depth: DepthMap | None) -> dict[str, Measure]:
    """The measures of boxes [N, 4] xyxy; lightness and depth are those of their middle."""
    found = geometry.measures(boxes, ImageSize(*image.shape[:2]))
    light = lightness.box_lightness(torch.from_numpy(image), boxes)
    found["lightness"] = Measure(light, lightness.UNIT, lightness.SOURCE, approximate=True)
    if depth is not None:
        medians, _ = depths.box_depths(depth, boxes)
        found["depth"] = depths.measure(depth, medians)
    return found
