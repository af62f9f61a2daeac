"""Relations, measures and places that boxes decide: the one definition of each.

Boxes are xyxy in absolute pixels, y down; ``x`` and ``y`` below are box centres. What boxes can
only approximate says so, and so does every result that uses it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from neurosym.pixels import ImageSize
from neurosym.scene import Categorical, Measure, Relation

SOURCE = "geometry"
REACH = 0.35
"""How far into a box, as a share of its width, the point lies that it is ranked by sideways."""


@dataclass(frozen=True)
class Geometry:
    """Boxes taken apart, every part [N] in pixels."""

    x1: Tensor
    y1: Tensor
    x2: Tensor
    y2: Tensor

    @staticmethod
    def of(boxes: Tensor) -> Geometry:
        """From [N, 4] xyxy."""
        return Geometry(*boxes.unbind(1))

    @property
    def x(self) -> Tensor:
        """Centre."""
        return (self.x1 + self.x2) / 2

    @property
    def y(self) -> Tensor:
        """Centre."""
        return (self.y1 + self.y2) / 2

    @property
    def width(self) -> Tensor:
        """Width."""
        return self.x2 - self.x1

    @property
    def height(self) -> Tensor:
        """Height."""
        return self.y2 - self.y1

    @property
    def area(self) -> Tensor:
        """Area in square pixels."""
        return self.width * self.height

    def horizontal_gap(self) -> Tensor:
        """[N, N] pixels between two boxes along x; negative where they overlap."""
        return _pairwise_gap(self.x1, self.x2)

    def vertical_gap(self) -> Tensor:
        """[N, N] pixels between two boxes along y; negative where they overlap."""
        return _pairwise_gap(self.y1, self.y2)


def _pairwise_gap(low: Tensor, high: Tensor) -> Tensor:
    return torch.maximum(low[:, None], low[None, :]) - torch.minimum(high[:, None], high[None, :])


def left_of(g: Geometry) -> Tensor:
    """I is left of j: its centre is farther left in the image."""
    return g.x[:, None] < g.x[None, :]


def right_of(g: Geometry) -> Tensor:
    """I is right of j: its centre is farther right in the image."""
    return g.x[:, None] > g.x[None, :]


def above(g: Geometry) -> Tensor:
    """I is above j: its centre is higher in the image."""
    return g.y[:, None] < g.y[None, :]


def below(g: Geometry) -> Tensor:
    """I is below j: its centre is lower in the image."""
    return g.y[:, None] > g.y[None, :]


def in_front_of(g: Geometry) -> Tensor:
    """I is in front of j: it reaches lower in the image, and their extents along x overlap.

    Approximate: without depth, where a thing meets the ground stands in for how near it is.
    """
    return (g.y2[:, None] > g.y2[None, :]) & (g.horizontal_gap() < 0)


def behind(g: Geometry) -> Tensor:
    """I is behind j: j is in front of i. Approximate, like in_front_of."""
    return in_front_of(g).T


def next_to(g: Geometry) -> Tensor:
    """I is next to j: side by side with little between.

    The gap along x is at most half the boxes' mean width, and along y they overlap by at least a
    quarter of the lower one's height. Approximate: things at different depths can look so too.
    """
    near = g.horizontal_gap() <= (g.width[:, None] + g.width[None, :]) / 4
    lower = torch.minimum(g.height[:, None], g.height[None, :])
    return near & (-g.vertical_gap() >= lower / 4)


def on(g: Geometry) -> Tensor:
    """I is on j: the middle of its lower edge lies inside j, and it is narrower than j.

    Approximate: a thing that stands behind j and is hidden by it looks the same.
    """
    x, foot = g.x[:, None], g.y2[:, None]
    across = (x >= g.x1[None, :]) & (x <= g.x2[None, :])
    down = (foot >= g.y1[None, :]) & (foot <= g.y2[None, :])
    return across & down & (g.width[:, None] < g.width[None, :])


def inside(g: Geometry) -> Tensor:
    """I is in j: at least 70 % of its box lies within j's, which is larger.

    Approximate: a thing in front of or behind j looks the same.
    """
    common = (-g.horizontal_gap()).clamp_min(0) * (-g.vertical_gap()).clamp_min(0)
    return (common >= 0.7 * g.area[:, None]) & (g.area[:, None] < g.area[None, :])


RELATIONS: dict[str, tuple[Callable[[Geometry], Tensor], bool]] = {
    "left_of": (left_of, False),
    "right_of": (right_of, False),
    "above": (above, False),
    "below": (below, False),
    "in_front_of": (in_front_of, True),
    "behind": (behind, True),
    "next_to": (next_to, True),
    "on": (on, True),
    "in": (inside, True),
}
"""Relation name -> its definition, and whether it only approximates the word."""


def relations(boxes: Tensor) -> dict[str, Relation]:
    """Every spatial relation between [N, 4] xyxy boxes; 1 where it holds, 0 on the diagonal."""
    geometry = Geometry.of(boxes)
    itself = torch.eye(len(boxes), dtype=torch.bool, device=boxes.device)
    return {
        name: Relation((define(geometry) & ~itself).float(), SOURCE, approximate)
        for name, (define, approximate) in RELATIONS.items()
    }


def measures(boxes: Tensor, size: ImageSize) -> dict[str, Measure]:
    """Every measure of [N, 4] xyxy boxes.

    A box reaches left to the point 35 % of its width from its left edge, and right likewise. On
    the 2,671 RefCOCO expressions for the leftmost or rightmost of several referred objects this
    picks the right one as often as the centre (91 %; the bare edge: 89 %), and it is steadier
    where the edge of the image cuts things off.

    Depth is approximate: how far above the image's lower edge a box ends, less a quarter of its
    height, since nearer things reach lower and look larger. It grows with distance.
    """
    g = Geometry.of(boxes)
    return {
        "left_reach": Measure(g.x1 + REACH * g.width, "px", SOURCE),
        "right_reach": Measure(g.x2 - REACH * g.width, "px", SOURCE),
        "y_center": Measure(g.y, "px", SOURCE),
        "area": Measure(g.area, "px^2", SOURCE),
        "height": Measure(g.height, "px", SOURCE),
        "width": Measure(g.width, "px", SOURCE),
        "depth": Measure(size.height - g.y2 - g.height / 4, "px", SOURCE, approximate=True),
    }


def distances(boxes: Tensor) -> Tensor:
    """[N, N] pixels between boxes: edge to edge, plus a tenth of centre to centre.

    The second part tells overlapping boxes apart.
    """
    g = Geometry.of(boxes)
    across, down = g.horizontal_gap().clamp_min(0), g.vertical_gap().clamp_min(0)
    x, y = g.x[:, None] - g.x[None, :], g.y[:, None] - g.y[None, :]
    return torch.hypot(across, down) + 0.1 * torch.hypot(x, y)


def places(boxes: Tensor, size: ImageSize) -> dict[str, Categorical]:
    """Where in the image a box's centre lies: in the first 40 %, the middle 20 % or the last 40 %.

    Gives the attributes "horizontal" (left, middle, right) and "vertical" (top, middle, bottom).
    """
    g = Geometry.of(boxes)
    return {
        "horizontal": _thirds(g.x / size.width, ("left", "middle", "right")),
        "vertical": _thirds(g.y / size.height, ("top", "middle", "bottom")),
    }


def _thirds(position: Tensor, values: tuple[str, str, str]) -> Categorical:
    third = (position >= 0.4).long() + (position > 0.6).long()
    table = torch.nn.functional.one_hot(third, 3).float()
    return Categorical(values, table, torch.ones_like(position, dtype=torch.bool), SOURCE)


def sizes(boxes: Tensor, existence: Tensor, categories: Tensor) -> Categorical:
    """The attribute "size" (small, large), relative to things of the same category in the picture.

    With r the logarithm of a box's area less the mean of that logarithm over the boxes of its
    category (weighted by existence and by how likely the categories agree), "large" has
    probability 1 / (1 + exp(-r / 0.25)): a thing without a like is as small as it is large.

    Args:
        boxes: [N, 4] xyxy.
        existence: [N] in [0, 1].
        categories: [N, category], rows sum to 1.
    """
    logarithm = Geometry.of(boxes).area.clamp_min(1e-3).log()
    alike = (categories @ categories.T) * existence[None, :]
    alike = alike + 1e-6 * torch.eye(len(boxes), device=boxes.device)
    mean = (alike * logarithm[None, :]).sum(1) / alike.sum(1)
    large = torch.sigmoid((logarithm - mean) / 0.25)
    table = torch.stack([1 - large, large], 1)
    evidence = torch.ones(len(boxes), dtype=torch.bool, device=boxes.device)
    return Categorical(("small", "large"), table, evidence, SOURCE)
