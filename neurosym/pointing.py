"""What a user points at: a region of the image as the objects that are meant by "this"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

import torch
from torch import Tensor

from neurosym.errors import OptionError
from neurosym.scene import Scene

Region: TypeAlias = Tensor | Sequence[float] | Sequence[Sequence[bool]]
"""A box, 4 numbers xyxy in image pixels; or a mask, [height, width] of the image."""

FITS = 0.5
"""Overlap (intersection over union) from which on a region is around one object."""
CONTAINS = 0.5
"""Share of an object in a region around several, or of a region in an object, that counts."""


def pointed_at(scene: Scene, pointer: str, region: Region) -> Scene:
    """The scene with what the user points at marked.

    A region that fits an object (intersection over union of the boxes of ``FITS`` or more) points
    at the one that it fits best. Otherwise it points at all objects that lie in it by ``CONTAINS``
    or more of their box; and where there are none, as with a click, at the smallest object in
    which it lies by as much. Hypotheses of one thing are pointed at together. A mask stands for
    the box around it.

    Args:
        scene: the scene.
        pointer: "this" or "that".
        region: a box or a mask.

    Raises:
        OptionError: the region is neither, lies outside of the image, or has no object.
    """
    box = _box_of(scene, pointer, region)
    boxes = scene.boxes.float().cpu()
    lows, highs = torch.maximum(boxes[:, :2], box[:2]), torch.minimum(boxes[:, 2:], box[2:])
    shared = (highs - lows).clamp_min(0.0).prod(-1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(-1)
    area = (box[2:] - box[:2]).prod()
    there = scene.existence.cpu() > 0
    fit = torch.where(there, shared / (areas + area - shared).clamp_min(1e-6), 0.0)
    inside = there & (shared >= CONTAINS * areas) & (shared > 0)
    around = there & (shared >= CONTAINS * area) & (shared > 0)
    groups = scene.groups.cpu()
    if len(scene) and float(fit.max()) >= FITS:
        mark = groups == groups[fit.argmax()]
    elif bool(inside.any()):
        mark = torch.isin(groups, groups[inside])
    elif bool(around.any()):
        mark = groups == groups[torch.where(around, areas, torch.inf).argmin()]
    else:
        raise OptionError(f'there is no object at the region that "{pointer}" points at')
    mark = (mark & there).to(scene.boxes.device)
    return replace(scene, marks={**scene.marks, pointer: mark})


def _box_of(scene: Scene, pointer: str, region: Region) -> Tensor:
    """[4] float32 xyxy, the box of a region."""
    height, width = scene.size
    expected = (
        f'"{pointer}" must be a box x1, y1, x2, y2 in the image of {width} x {height} pixels, '
        f"or a mask of shape [{height}, {width}]"
    )
    try:
        area = torch.as_tensor(region).detach().cpu()
    except (TypeError, ValueError, RuntimeError) as error:
        raise OptionError(f"{expected}, not {region!r}") from error
    if tuple(area.shape) == (height, width):
        rows, columns = (area != 0).any(1).nonzero(), (area != 0).any(0).nonzero()
        if not len(rows):
            raise OptionError(f"{expected}: the mask is empty")
        corners = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        return torch.tensor([float(corner) for corner in corners])
    if tuple(area.shape) != (4,):
        raise OptionError(f"{expected}, not something of shape {list(area.shape)}")
    box = area.float()
    x1, y1, x2, y2 = box.tolist()
    # What is not a number is in no order.
    if not (x1 < x2 and y1 < y2):
        raise OptionError(f"{expected}; a box has x1 < x2 and y1 < y2, not {box.tolist()}")
    if not (x1 < width and y1 < height and x2 > 0 and y2 > 0):
        raise OptionError(f"{expected}; {box.tolist()} lies outside of the image")
    return box
