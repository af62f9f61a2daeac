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

    def turned(self, dimension: int) -> Geometry:
        """Every part with another dimension of size 1 at this place."""
        return Geometry(*(p.unsqueeze(dimension) for p in (self.x1, self.y1, self.x2, self.y2)))


@dataclass(frozen=True)
class Softness:
    """How wide the borders of relations are; all zero where boxes are known.

    A relation is a conjunction of conditions "this margin is above zero". With a border of scale s
    a condition of margin m holds with probability Phi(m / s), Phi the normal distribution function,
    taken as 0 and 1 beyond three s; conditions multiply. At a scale of zero it holds or does not.

    Attributes:
        centre: standard deviation of the error of a box's centre along y, as a share of the box's
            height; that of two boxes adds in squares.
        edge_across, edge_down: likewise of an edge along x and y, as a share of width and height.
        extent: of the logarithm of a width; that of an area is 1.4 times as much.
        vague: how vague the limits are that words themselves leave open ("next to", "in"), as a
            share of the limit.
    """

    centre: float
    edge_across: float
    edge_down: float
    extent: float
    vague: float


CRISP = Softness(0, 0, 0, 0, 0)
"""For boxes that are given."""
DETECTED = Softness(centre=0.05, edge_across=0.10, edge_down=0.08, extent=0.16, vague=0.2)
"""For boxes that a detector found.

From the default detector's 265 boxes of gold things in 53 COCO photographs (IoU of at least 0.5,
``python -m benchmarks.box_noise``): for centres the scale under which the true order of two things
along an axis is likeliest, for edges and extents that of a normal distribution with the same 90 %
quantile of errors. How vague words are is set, not measured.
"""


@dataclass(frozen=True)
class Pair:
    """Two sets of boxes of which every one of the first is compared with every one of the second.

    Attributes:
        i: the figures, as columns: every part [N, 1].
        j: the landmarks, as rows: every part [1, N].
        soft: how wide borders are.
    """

    i: Geometry
    j: Geometry
    soft: Softness

    def across(self) -> Tensor:
        """[N, N] scale of the difference of two edges along x."""
        return self.soft.edge_across * torch.hypot(self.i.width, self.j.width)

    def down(self) -> Tensor:
        """[N, N] scale of the difference of two edges along y."""
        return self.soft.edge_down * torch.hypot(self.i.height, self.j.height)

    def horizontal_gap(self) -> Tensor:
        """[N, N] pixels between two boxes along x; negative where they overlap."""
        return torch.maximum(self.i.x1, self.j.x1) - torch.minimum(self.i.x2, self.j.x2)

    def vertical_gap(self) -> Tensor:
        """[N, N] pixels between two boxes along y; negative where they overlap."""
        return torch.maximum(self.i.y1, self.j.y1) - torch.minimum(self.i.y2, self.j.y2)


def _above_zero(margin: Tensor, scale: Tensor, *, or_zero: bool = False) -> Tensor:
    """The probability of a condition; see :class:`Softness`."""
    crisp = (margin >= 0 if or_zero else margin > 0).float()
    graded = torch.special.ndtr(margin / scale.clamp_min(1e-12))
    return torch.where(margin.abs() < 3 * scale, graded, crisp)


def left_of(p: Pair) -> Tensor:
    """I is left of j: x_i < x_j.

    Crisp for detected boxes, too. With the measured noise of centres (0.08 of the width) it
    predicts the true order well, but expressions lose by it: of 100 on photographs
    (``benchmarks/photographs.py``) 50 are right instead of 53, with 0.03 of the width 52.
    """
    return (p.i.x < p.j.x).float()


def right_of(p: Pair) -> Tensor:
    """I is right of j: j is left of i. Crisp like left_of."""
    return left_of(p).T


def above(p: Pair) -> Tensor:
    """I is above j: its centre is higher in the image, y_i < y_j. Scale: that of the centres."""
    scale = p.soft.centre * torch.hypot(p.i.height, p.j.height)
    return _above_zero(p.j.y - p.i.y, scale)


def below(p: Pair) -> Tensor:
    """I is below j: j is above i."""
    return above(p).T


def in_front_of(p: Pair) -> Tensor:
    """I is in front of j: it reaches lower in the image, and their extents along x overlap.

    Scale: that of the edges. Approximate: without depth, where a thing meets the ground stands in
    for how near it is.
    """
    return _above_zero(p.i.y2 - p.j.y2, p.down()) * _above_zero(-p.horizontal_gap(), p.across())


def behind(p: Pair) -> Tensor:
    """I is behind j: j is in front of i. Approximate, like in_front_of."""
    return in_front_of(p).T


def next_to(p: Pair) -> Tensor:
    """I is next to j: side by side with little between.

    The gap along x is at most half the boxes' mean width, and along y they overlap by at least a
    quarter of the lower one's height. Scale: that of the edges, and the word's own of both limits.
    Approximate: things at different depths can look so too.
    """
    limit = (p.i.width + p.j.width) / 4
    wide = torch.hypot(p.across(), p.soft.vague * limit)
    rows = torch.minimum(p.i.height, p.j.height) / 4
    high = torch.hypot(p.down(), p.soft.vague * rows)
    near = _above_zero(limit - p.horizontal_gap(), wide, or_zero=True)
    return near * _above_zero(-p.vertical_gap() - rows, high, or_zero=True)


def on(p: Pair) -> Tensor:
    """I is on j: the middle of its lower edge lies inside j, and it is narrower than j.

    Scale: that of the edges; for the width, that of the logarithm of their ratio. Approximate: a
    thing that stands behind j and is hidden by it looks the same.
    """
    inside_x = torch.minimum(p.i.x - p.j.x1, p.j.x2 - p.i.x)
    inside_y = torch.minimum(p.i.y2 - p.j.y1, p.j.y2 - p.i.y2)
    foot = _above_zero(inside_x, p.across(), or_zero=True)
    foot = foot * _above_zero(inside_y, p.down(), or_zero=True)
    return foot * _smaller(p.i.width, p.j.width, 2**0.5 * p.soft.extent)


def inside(p: Pair) -> Tensor:
    """I is in j: at most 30 % of its box lies outside of j's, which is larger.

    Scale: the word's own of the limit; for the area, that of the logarithm of their ratio.
    Approximate: a thing in front of or behind j looks the same.
    """
    common = (-p.horizontal_gap()).clamp_min(0) * (-p.vertical_gap()).clamp_min(0)
    scale = p.soft.vague * 0.3 * p.i.area
    within = _above_zero(common - 0.7 * p.i.area, scale, or_zero=True)
    return within * _smaller(p.i.area, p.j.area, 2 * p.soft.extent)


def _smaller(one: Tensor, other: Tensor, scale: float) -> Tensor:
    if not scale:
        # Logarithms would make equal what differs by little.
        return (one < other).float()
    margin = other.clamp_min(1e-3).log() - one.clamp_min(1e-3).log()
    return _above_zero(margin, torch.full_like(margin, scale))


RELATIONS: dict[str, tuple[Callable[[Pair], Tensor], bool]] = {
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


def relations(boxes: Tensor, soft: Softness = CRISP) -> dict[str, Relation]:
    """Every spatial relation between [N, 4] xyxy boxes; 0 on the diagonal.

    Args:
        boxes: in absolute pixels.
        soft: how wide the borders are; at ``CRISP`` every relation is 0 or 1.
    """
    geometry = Geometry.of(boxes)
    pair = Pair(geometry.turned(1), geometry.turned(0), soft)
    apart = 1 - torch.eye(len(boxes), device=boxes.device)
    return {
        name: Relation(define(pair) * apart, SOURCE, approximate)
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
    pair = Pair(g.turned(1), g.turned(0), CRISP)
    across, down = pair.horizontal_gap().clamp_min(0), pair.vertical_gap().clamp_min(0)
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
