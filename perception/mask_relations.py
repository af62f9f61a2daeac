"""Relations that masks decide: touching, support, containment and hiding.

Masks are [height, width] bool of one picture, y down; i is the figure, j the landmark. All are
approximate: they see outlines in one picture, and things at different depths may border there. Each
is graded in [0, 1].

``near``, in pixels, is how far apart outlines may be that count as in contact: see :func:`reach`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from neurosym.pixels import ImageSize

SOURCE = "masks"
# Contact along this share of the smaller thing's height and width is full contact.
_CONTACT = 0.1
# Shares of a thing from which on it certainly rests on another or lies in it, and of the box of
# another from which on it certainly hides that.
_RESTING = 0.4
_WITHIN = 0.7
_HIDING = 0.1
# How far lowest rows are off, as a share of the greater height.
_FOOT = 0.05


def reach(size: ImageSize) -> int:
    """1 % of the mean side of a picture, at least a pixel: masks end a little short of edges."""
    return max(1, round(0.005 * (size.height + size.width)))


def _window(mask: Tensor, margin: int = 0) -> tuple[slice, slice]:
    """The rows and columns of a mask that is not empty, and so many more on each side."""
    rows, columns = mask.any(1).nonzero(), mask.any(0).nonzero()
    return (
        slice(max(int(rows[0]) - margin, 0), int(rows[-1]) + 1 + margin),
        slice(max(int(columns[0]) - margin, 0), int(columns[-1]) + 1 + margin),
    )


def _extent(mask: Tensor) -> int:
    """The height and the width of the mask's box, added."""
    rows, columns = _window(mask)
    return int(rows.stop - rows.start + columns.stop - columns.start)


def touching(i: Tensor, j: Tensor, near: int) -> float:
    """I touches j: their outlines run along each other.

    The pixels of the thing with the smaller box that are within reach of the other, divided by the
    reach, are about the length of the contact. Counted is its share of a tenth of that box's height
    and width, at most 1.
    """
    if not (bool(i.any()) and bool(j.any())):
        return 0.0
    small, large = sorted((i, j), key=_extent)
    window = _window(small, near)
    side = 2 * near + 1
    other = large[window][None, None].float()
    # Across, then down: the square around each pixel.
    around = max_pool2d(max_pool2d(other, (1, side), 1, (0, near)), (side, 1), 1, (near, 0))
    length = float((small[window] & (around[0, 0] > 0)).sum()) / near
    return min(1.0, length / (_CONTACT * _extent(small)))


def resting_on(i: Tensor, j: Tensor, near: int) -> float:
    """I is on j: what is right below i is j, or, seen from above, j is around i.

    Of the columns that i takes, the share in which a pixel of j lies within reach below i's lowest
    pixel, in units of 0.4, at most 1, and 0 where i's lowest row is below j's; or how far i is
    contained in j, where that is more.
    """
    if not (bool(i.any()) and bool(j.any())):
        return 0.0
    bottom, _ = _window(j)
    rows, columns = _window(i)
    share = 0.0
    if rows.stop <= bottom.stop:
        inner, below = i[:, columns], j[:, columns]
        numbers = torch.arange(rows.start, rows.stop)
        lowest = (inner[rows] * numbers[:, None]).amax(0)
        steps = (lowest + torch.arange(1, near + 1)[:, None]).clamp(max=len(i) - 1)
        touched = below.gather(0, steps).any(0)
        taken = inner.any(0)
        share = float((touched & taken).sum()) / float(taken.sum())
    return max(min(1.0, share / _RESTING), contained(i, j, near))


def contained(i: Tensor, j: Tensor, near: int) -> float:  # noqa: ARG001 - one form for all
    """I is in j: j's pixels lie on both sides of it and below it.

    The share of i's pixels that have pixels of j to the left and to the right in their row and
    below in their column, in units of 0.7, at most 1; a container may be open above.
    """
    if not (bool(i.any()) and bool(j.any())):
        return 0.0
    window = _window(j)
    outer = j[window].to(torch.uint8)
    left = outer.cummax(1).values
    right = outer.flip(1).cummax(1).values.flip(1)
    below = outer.flip(0).cummax(0).values.flip(0)
    inside = i[window] & (left & right & below).bool()
    return min(1.0, float(inside.sum()) / float(i.sum()) / _WITHIN)


def hiding(i: Tensor, j: Tensor, near: int) -> float:
    """I hides part of j: they touch, i covers a part of j's box, and i is the nearer one.

    The product of touching, of the share of j's box that i covers in units of a tenth, at most 1,
    and of how probably i is nearer: of what stands on the ground, that reaches lower. With y the
    lowest rows and h the heights that is Phi((y_i - y_j) / (0.05 max(h_i, h_j))).
    """
    if not (bool(i.any()) and bool(j.any())):
        return 0.0
    (own, _), window = _window(i), _window(j)
    covers = min(1.0, float(i[window].float().mean()) / _HIDING)
    tallest = max(own.stop - own.start, window[0].stop - window[0].start)
    lead = torch.tensor((own.stop - window[0].stop) / (_FOOT * tallest))
    return covers * float(torch.special.ndtr(lead)) * touching(i, j, near)


MASK_RELATIONS: dict[str, Callable[[Tensor, Tensor, int], float]] = {
    **dict.fromkeys(("touch", "against"), touching),
    **dict.fromkeys(("on", "rest_on"), resting_on),
    "support": lambda i, j, near: resting_on(j, i, near),
    "in": contained,
    **dict.fromkeys(("hide", "obscure", "obstruct", "occlude", "block"), hiding),
}
"""Name of a relation in programs -> its definition; "support" is "on" the other way round."""


def relate(
    relation: str,
    pairs: Sequence[tuple[int, int]],
    boxes: Tensor,
    size: ImageSize,
    masks: Callable[[Sequence[int]], Tensor],
) -> Tensor:
    """[len(pairs)] float32: how far a relation of ``MASK_RELATIONS`` holds of pairs.

    Boxes that do not come within reach of each other stand in none, and need no masks.

    Args:
        relation: its name.
        pairs: (figure, landmark), object numbers.
        boxes: [N, 4] xyxy.
        size: of the picture.
        masks: gives the masks [K, height, width] bool of objects.
    """
    define, near = MASK_RELATIONS[relation], reach(size)
    found = torch.zeros(len(pairs))
    if not pairs:
        return found
    i, j = (boxes[[pair[side] for pair in pairs]].cpu() for side in (0, 1))
    gaps = torch.maximum(i[:, :2], j[:, :2]) - torch.minimum(i[:, 2:], j[:, 2:])
    close = (gaps <= near).all(1).nonzero().flatten().tolist()
    numbers = sorted({index for place in close for index in pairs[place]})
    seen = dict(zip(numbers, masks(numbers).cpu(), strict=True))
    for place in close:
        figure, landmark = pairs[place]
        found[place] = define(seen[figure], seen[landmark], near)
    return found
