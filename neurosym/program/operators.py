"""The operators: each one defined here and nowhere else.

Meaning is given for a crisp world, that is, for sets of objects; on a soft scene the value of a
program is the expectation of that over the worlds that the scene makes possible.

Presuppositions. An operator that presupposes something ("the" a single object, "both" two) fails
with ``none`` or ``many`` in a world where it does not hold, and then the whole program fails with
it there. Operands are evaluated left to right, and the first failure counts.
"""

from __future__ import annotations

from neurosym.program.kinds import Comparison, Kind
from neurosym.program.operator import (
    AttributeName,
    CategoryName,
    Natural,
    Objects,
    Op,
    OrderName,
    Rank,
    RelationName,
    Truth,
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


class Relate(Op):
    """The objects that stand in a relation to some landmark.

    Meaning:
        The members i of ``objects`` for which some member j of ``landmarks`` has relation(i, j).
        Nothing is related to itself.
    Axes:
        [object], from [object, landmark]
    """

    objects: Objects
    relation: RelationName
    landmarks: Objects
    returns = Kind.OBJECTS
    evoked_by = ("a preposition",)
    explanation = "{objects} {relation} {landmarks}"


class RelateAll(Op):
    """The objects that stand in a relation to every landmark.

    Meaning:
        The members i of ``objects`` such that relation(i, j) for every member j of ``landmarks``
        other than i itself. With no such landmark it holds of every i.
    Axes:
        [object], from [object, landmark]
    """

    objects: Objects
    relation: RelationName
    landmarks: Objects
    returns = Kind.OBJECTS
    evoked_by = ("a preposition with all, both, every or each",)
    explanation = "{objects} {relation} all of {landmarks}"


class Closest(Op):
    """The objects that are closest to a landmark.

    Meaning:
        An object's distance is that to its nearest other member of ``landmarks``; an object with
        no other landmark is left out. The members of ``objects`` to which exactly ``rank`` - 1
        members are strictly closer.
    Axes:
        [object], from [object, landmark]
    """

    objects: Objects
    landmarks: Objects
    rank: Rank = 1
    returns = Kind.OBJECTS
    evoked_by = ("closest to", "nearest to")
    explanation = "{objects} {rank} closest to {landmarks}"


class Farthest(Op):
    """The objects that are farthest from a landmark.

    Meaning:
        Distances as for closest. The members of ``objects`` to which exactly ``rank`` - 1 members
        are strictly farther.
    Axes:
        [object], from [object, landmark]
    """

    objects: Objects
    landmarks: Objects
    rank: Rank = 1
    returns = Kind.OBJECTS
    evoked_by = ("farthest from", "furthest from")
    explanation = "{objects} {rank} farthest from {landmarks}"


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


class The(Op):
    """The one object of a set.

    Meaning:
        The single member of ``objects``. Presupposes exactly one: fails with none or many.
    Axes:
        [object], plus none and many
    """

    objects: Objects
    returns = Kind.REFERENT
    evoked_by = ("the",)
    explanation = "the {objects}"


class ThePlural(Op):
    """All objects of a set that is not empty.

    Meaning:
        ``objects`` itself. Presupposes at least one member: fails with none.
    Axes:
        [object], plus none
    """

    objects: Objects
    returns = Kind.OBJECTS
    evoked_by = ("the, with a plural", "all", "all the", "every", "each")
    explanation = "all the {objects}"


class TheCount(Op):
    """All objects of a set that has a given number of members.

    Meaning:
        ``objects`` itself. Presupposes exactly ``count`` members: fails with none when there are
        fewer, with many when there are more.
    Axes:
        [object], plus none and many
    """

    objects: Objects
    count: Rank
    returns = Kind.OBJECTS
    evoked_by = ("both", "a number")
    explanation = "the {count} {objects}"


class Count(Op):
    """How many objects there are.

    Meaning:
        The number of members of ``objects``.
    Axes:
        [] over 0 .. N
    """

    objects: Objects
    returns = Kind.NUMBER
    evoked_by = ("how many", "the number of")
    explanation = "how many {objects} are there"


class Exist(Op):
    """Whether there is any object.

    Meaning:
        True when ``objects`` has a member.
    Axes:
        []
    """

    objects: Objects
    returns = Kind.TRUTH
    evoked_by = ("is there", "are there", "there is")
    explanation = "there is {objects}"


class CountIs(Op):
    """Whether the number of objects compares as said with a number.

    Meaning:
        True when the number of members of ``objects`` is exactly, at least, at most, more than or
        fewer than ``number``.
    Axes:
        []
    """

    objects: Objects
    comparison: Comparison
    number: Natural
    returns = Kind.TRUTH
    evoked_by = ("exactly", "at least", "at most", "more than", "fewer than", "less than")
    explanation = "there are {comparison} {number} {objects}"


class Negation(Op):
    """Not.

    Meaning:
        True when ``truth`` is false.
    Axes:
        []
    """

    truth: Truth
    returns = Kind.TRUTH
    evoked_by = ("no", "not")
    explanation = "it is not so that {truth}"


class Conjunction(Op):
    """And, of truths.

    Meaning:
        True when ``left`` and ``right`` are both true. Both are evaluated.
    Axes:
        []
    """

    left: Truth
    right: Truth
    returns = Kind.TRUTH
    evoked_by = ("and",)
    explanation = "{left} and {right}"


class Disjunction(Op):
    """Or, of truths.

    Meaning:
        True when ``left`` or ``right`` is true. Both are evaluated.
    Axes:
        []
    """

    left: Truth
    right: Truth
    returns = Kind.TRUTH
    evoked_by = ("or",)
    explanation = "{left} or {right}"
