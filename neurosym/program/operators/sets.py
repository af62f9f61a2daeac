"""Sets of objects: where they come from, what narrows them down, how they combine."""

from __future__ import annotations

from neurosym.program.kinds import Comparison, Kind
from neurosym.program.operator import (
    AttributeName,
    CategoryName,
    Objects,
    Op,
    OrderName,
    PointerName,
    Rank,
    ValueName,
)


class Everything(Op):
    """All objects.

    Meaning:
        The set of all objects that exist.
    Axes:
        [object]
    """

    returns = Kind.OBJECTS
    evoked_by = ("thing", "object", "item", "one", "anything", "something")
    explanation = "objects"


class Select(Op):
    """The objects of a category.

    Meaning:
        The set of objects whose category the scene's concepts count as ``category``.
    Axes:
        [object]
    """

    category: CategoryName
    returns = Kind.OBJECTS
    evoked_by = ("a noun",)
    explanation = "{category}"


class Pointed(Op):
    """The objects that the user points at.

    Meaning:
        The objects that the scene's marks list under ``pointer``.
    Axes:
        [object]
    """

    pointer: PointerName
    returns = Kind.OBJECTS
    evoked_by = ("this", "that", "these", "those")
    explanation = "{pointer} one"


class Filter(Op):
    """The objects that have a value of an attribute.

    Meaning:
        The members of ``objects`` whose ``attribute`` is ``value``.
    Axes:
        [object]
    """

    objects: Objects
    attribute: AttributeName
    value: ValueName
    returns = Kind.OBJECTS
    evoked_by = ("a colour", "a size", "a place in the image")
    explanation = "{value} {objects}"


class Superlative(Op):
    """The objects that come first, or k-th, in an order.

    Meaning:
        The members of ``objects`` with exactly ``rank`` - 1 members strictly ahead of them in
        ``order``. Objects that tie at a rank are all in; the ranks that a tie fills are empty.
    Axes:
        [object]
    """

    objects: Objects
    order: OrderName
    rank: Rank = 1
    returns = Kind.OBJECTS
    evoked_by = ("a superlative", "an ordinal")
    explanation = "{rank} {order} {objects}"


class Top(Op):
    """The first few objects in an order.

    Meaning:
        The members of ``objects`` with at most ``count`` - 1 members strictly ahead of them in
        ``order``.
    Axes:
        [object]
    """

    objects: Objects
    order: OrderName
    count: Rank
    returns = Kind.OBJECTS
    evoked_by = ("a number and a superlative",)
    explanation = "{count} {order} {objects}"


class Intersect(Op):
    """The objects in both sets.

    Meaning:
        The intersection of ``left`` and ``right``.
    Axes:
        [object]
    """

    left: Objects
    right: Objects
    returns = Kind.OBJECTS
    evoked_by = ("and", "that is also")
    explanation = "{left} that are also {right}"


class Union(Op):
    """The objects in either set.

    Meaning:
        The union of ``left`` and ``right``.
    Axes:
        [object]
    """

    left: Objects
    right: Objects
    returns = Kind.OBJECTS
    evoked_by = ("or", "and")
    explanation = "{left} or {right}"


class ChooseSet(Op):
    """Of two sets the one that has more members, or fewer.

    Meaning:
        ``left`` if its number of members compares with that of ``right`` as said, and ``right`` if
        that of ``right`` so compares with that of ``left``. Presupposes that just one of them
        does: fails with many when both do or neither does.
    Axes:
        [object], plus many
    """

    left: Objects
    comparison: Comparison
    right: Objects
    returns = Kind.OBJECTS
    presupposes = True
    evoked_by = ("are there more of these or those", "which are there fewer of")
    explanation = "the {comparison} numerous of {left} and {right}"


class Minus(Op):
    """The objects in one set and not in another.

    Meaning:
        The members of ``objects`` that are not members of ``excluded``.
    Axes:
        [object]
    """

    objects: Objects
    excluded: Objects
    returns = Kind.OBJECTS
    evoked_by = ("not", "but not", "except", "other than", "without")
    explanation = "{objects} except {excluded}"
