"""The types of program values, and the names by which fields declare them."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Kind(enum.Enum):
    """What a program value is. Every operator returns exactly one kind."""

    OBJECTS = "Objects"
    """A set of objects; softly, a membership probability for each object."""
    REFERENT = "Referent"
    """One object that the text presupposes; softly, a distribution over objects, none and many."""
    NUMBER = "Number"
    """A count; softly, a distribution over 0, 1, 2, ..."""
    TRUTH = "Truth"
    """Yes or no; softly, the probability of yes."""

    def accepts(self, other: Kind) -> bool:
        """Whether a value of kind ``other`` may stand where this kind is expected.

        A referent is the set of the one object that it names.
        """
        return self is other or (self is Kind.OBJECTS and other is Kind.REFERENT)


class Comparison(enum.Enum):
    """How a count is compared with a number."""

    EXACTLY = "exactly"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    MORE_THAN = "more_than"
    FEWER_THAN = "fewer_than"

    def holds(self, count: int, number: int) -> bool:
        """Whether ``count`` stands in this comparison to ``number``."""
        match self:
            case Comparison.EXACTLY:
                return count == number
            case Comparison.AT_LEAST:
                return count >= number
            case Comparison.AT_MOST:
                return count <= number
            case Comparison.MORE_THAN:
                return count > number
            case Comparison.FEWER_THAN:
                return count < number


@dataclass(frozen=True, slots=True)
class Order:
    """A way to rank objects: by one measure, from its most or its least.

    Attributes:
        name: the superlative that names it.
        measure: name of the scene measure.
        descending: True when the largest value of the measure comes first.
    """

    name: str
    measure: str
    descending: bool


ORDERS: dict[str, Order] = {
    order.name: order
    for order in (
        Order("leftmost", "left_reach", descending=False),
        Order("rightmost", "right_reach", descending=True),
        Order("topmost", "y_center", descending=False),
        Order("bottommost", "y_center", descending=True),
        Order("largest", "area", descending=True),
        Order("smallest", "area", descending=False),
        Order("tallest", "height", descending=True),
        Order("shortest", "height", descending=False),
        Order("widest", "width", descending=True),
        Order("narrowest", "width", descending=False),
        Order("nearest", "depth", descending=False),
        Order("farthest", "depth", descending=True),
    )
}
"""Every order by name. Measures are those of :mod:`neurosym.scene`; depth grows with distance."""
