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
    GROUP = "Group"
    """Several objects that the text takes as one; softly, memberships with none and many."""
    TRUTH = "Truth"
    """Yes or no; softly, the probability of yes."""
    VALUE = "Value"
    """A value of an attribute; softly, a distribution over its names."""
    REGION = "Region"
    """A part of the image: of the masks of some objects."""
    INTENT = "Intent"
    """Objects, and what is to be done with them."""

    def accepts(self, other: Kind) -> bool:
        """Whether a value of kind ``other`` may stand where this kind is expected.

        A referent is the set of the one object that it names, a group that of its members.
        """
        return self is other or (self is Kind.OBJECTS and other in (Kind.REFERENT, Kind.GROUP))

    @property
    def is_of_objects(self) -> bool:
        """Whether its value is a probability for each object."""
        return self not in (Kind.NUMBER, Kind.TRUTH, Kind.VALUE)


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
        Order("lightest", "lightness", descending=True),
        Order("darkest", "lightness", descending=False),
    )
}
"""Every order by name. Measures are those of :mod:`neurosym.scene`; depth grows with distance."""

DIRECTIONAL = frozenset({"left_of", "right_of", "above", "below", "in_front_of", "behind"})
"""Relations to a plural landmark that hold of all of it: left of the chairs, but on the tables."""

PLACES = frozenset({"horizontal", "vertical", "depth"})
"""The attributes that say where in the image an object is."""

EXTRINSIC = PLACES | {"visibility"}
"""The attributes that depend on where an object is, and do not say what it is like."""

EQUATIVE_TOLERANCE = 0.1
"""How far apart two measures are, as a share of the larger, that still count as the same."""


@dataclass(frozen=True, slots=True)
class Form:
    """A way in which objects make up a group.

    Attributes:
        relation: name of the scene relation that links neighbours, in either direction.
        least: fewest members.
        most: most members, None for any number.
    """

    relation: str
    least: int
    most: int | None = None


FORMS: dict[str, Form] = {
    "pair": Form("next_to", 2, 2),
    "row": Form("next_to", 3),
    "group": Form("next_to", 2),
    "stack": Form("on", 2),
}
"""Every form of group by name. Relations are those of :mod:`neurosym.scene`."""

PORTIONS: dict[str, tuple[float, float, float, float]] = {
    "left half": (0.0, 0.0, 0.5, 1.0),
    "right half": (0.5, 0.0, 1.0, 1.0),
    "top half": (0.0, 0.0, 1.0, 0.5),
    "bottom half": (0.0, 0.5, 1.0, 1.0),
    "left": (0.0, 0.0, 1 / 3, 1.0),
    "right": (2 / 3, 0.0, 1.0, 1.0),
    "top": (0.0, 0.0, 1.0, 1 / 3),
    "bottom": (0.0, 2 / 3, 1.0, 1.0),
    "middle": (1 / 3, 1 / 3, 2 / 3, 2 / 3),
}
"""Portion -> the rectangle (x1, y1, x2, y2) that it is, as shares of a box, y down."""

ACTIONS: dict[str, str] = {
    "find": "find",
    "show": "show",
    "select": "select",
    "highlight": "highlight",
    "point_to": "point to",
    "pick_up": "pick up",
    "put_down": "put down",
    "move": "move",
    "push": "push",
    "touch": "touch",
    "open": "open",
    "close": "close",
    "remove": "remove",
    "put": "put",
    "bring": "bring",
    "pour": "pour",
    "cut": "cut",
    "turn_on": "turn on",
    "turn_off": "turn off",
}
"""Action -> its English verb."""
