"""When one object is between two others: the one definition."""

from __future__ import annotations

from torch import Tensor

LEAST_ANGLE_COSINE = -0.5
"""Cosine of the least angle, 120 degrees, under which the two others are seen."""


def between(points: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """Which points are between two others.

    A point is between a and b when the directions from it to a and to b differ by at least 120
    degrees. This depends on no scale and is the same in an image and in space. A point that
    coincides with a or b is not between them.

    Args:
        points: [..., D] coordinates.
        first: [..., D] coordinates of a.
        second: [..., D] coordinates of b.

    Returns:
        [...] bool, of the shape to which the arguments broadcast.
    """
    to_first, to_second = first - points, second - points
    across: Tensor = (to_first * to_second).sum(-1)
    lengths: Tensor = to_first.norm(dim=-1) * to_second.norm(dim=-1)
    return (lengths > 0) & (across <= LEAST_ANGLE_COSINE * lengths * (1 - 1e-6))
