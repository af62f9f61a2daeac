"""Objects by what they are to other objects: landmarks."""

from __future__ import annotations

from neurosym.program.kinds import Comparison, Kind
from neurosym.program.operator import (
    AttributeName,
    Natural,
    Objects,
    Op,
    OrderName,
    Rank,
    RelationName,
)


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


class RelatedBy(Op):
    """The objects to which some other thing stands in a relation.

    Meaning:
        The members i of ``objects`` for which some member j of ``landmarks`` has relation(j, i):
        the relation read backwards. Nothing is related to itself.
    Axes:
        [object], from [landmark, object]
    """

    objects: Objects
    relation: RelationName
    landmarks: Objects
    returns = Kind.OBJECTS
    evoked_by = ("a passive verb", "a clause in which it is the landmark")
    explanation = "{objects} {relation} by {landmarks}"


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
    restrictor = "landmarks"
    evoked_by = ("a preposition with all, both, every or each",)
    explanation = "{objects} {relation} all {landmarks}"


class RelateMost(Op):
    """The objects that stand in a relation to most landmarks.

    Meaning:
        The members i of ``objects`` such that relation(i, j) holds for more than half of the
        members j of ``landmarks`` other than i itself. With no such landmark it holds of none.
    Axes:
        [object], from [object, landmark]
    """

    objects: Objects
    relation: RelationName
    landmarks: Objects
    returns = Kind.OBJECTS
    restrictor = "landmarks"
    evoked_by = ("a preposition with most",)
    explanation = "{objects} {relation} most of {landmarks}"


class RelateOnly(Op):
    """The objects that stand in a relation to landmarks and to nothing else.

    Meaning:
        The members i of ``objects`` such that relation(i, j) holds for some object j, and every
        object j with relation(i, j) is a member of ``landmarks``.
    Axes:
        [object], from [object, landmark]
    """

    objects: Objects
    relation: RelationName
    landmarks: Objects
    returns = Kind.OBJECTS
    evoked_by = ("a preposition with only",)
    explanation = "{objects} {relation} only {landmarks}"


class RelateCount(Op):
    """The objects that stand in a relation to so many landmarks.

    Meaning:
        The members i of ``objects`` such that the number of members j of ``landmarks``, other
        than i itself, with relation(i, j) is exactly, at least, at most, more than or fewer than
        ``number``.
    Axes:
        [object], from [object, landmark]
    """

    objects: Objects
    relation: RelationName
    comparison: Comparison
    number: Natural
    landmarks: Objects
    returns = Kind.OBJECTS
    evoked_by = ("a preposition with at least, exactly or the like and a number",)
    explanation = "{objects} {relation} {comparison} {number} {landmarks}"


class RelatedByCount(Op):
    """The objects to which so many other things stand in a relation.

    Meaning:
        The members i of ``objects`` such that the number of members j of ``landmarks``, other
        than i itself, with relation(j, i) is exactly, at least, at most, more than or fewer than
        ``number``: the relation read backwards.
    Axes:
        [object], from [landmark, object]
    """

    objects: Objects
    relation: RelationName
    comparison: Comparison
    number: Natural
    landmarks: Objects
    returns = Kind.OBJECTS
    evoked_by = ("with two cups on it, with at least two cups on it or the like",)
    explanation = "{objects} with {comparison} {number} {landmarks} {relation} them"


class Between(Op):
    """The objects between two others.

    Meaning:
        The members i of ``objects`` for which there are a member a of ``first`` and a member b of
        ``second``, all three different, such that i is between a and b: seen from the centre of i
        the directions to the centres of a and b differ by at least 120 degrees (see
        :func:`neurosym.betweenness.between`).
    Axes:
        [object], from [object, landmark, landmark]
    """

    objects: Objects
    first: Objects
    second: Objects
    returns = Kind.OBJECTS
    evoked_by = ("between", "in between")
    explanation = "{objects} between {first} and {second}"


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


class TopClosest(Op):
    """The few objects that are closest to a landmark.

    Meaning:
        Distances as for closest. The members of ``objects`` to which at most ``count`` - 1 members
        are strictly closer.
    Axes:
        [object], from [object, landmark]
    """

    objects: Objects
    landmarks: Objects
    count: Rank
    returns = Kind.OBJECTS
    evoked_by = ("a number and closest to",)
    explanation = "{count} {objects} closest to {landmarks}"


class TopFarthest(Op):
    """The few objects that are farthest from a landmark.

    Meaning:
        Distances as for closest. The members of ``objects`` to which at most ``count`` - 1 members
        are strictly farther.
    Axes:
        [object], from [object, landmark]
    """

    objects: Objects
    landmarks: Objects
    count: Rank
    returns = Kind.OBJECTS
    evoked_by = ("a number and farthest from",)
    explanation = "{count} {objects} farthest from {landmarks}"


class Comparative(Op):
    """The objects that are ahead of some landmark in an order.

    Meaning:
        The members i of ``objects`` that are strictly ahead of some member j of ``landmarks``
        other than i: where the order runs downwards, measure(i) > ``times`` * measure(j), else
        ``times`` * measure(i) < measure(j).
    Axes:
        [object], from [object, landmark]
    """

    objects: Objects
    order: OrderName
    landmarks: Objects
    times: Rank = 1
    returns = Kind.OBJECTS
    evoked_by = ("a comparative with than", "twice as, three times as")
    explanation = "{objects} {times} {order} than {landmarks}"


class Equative(Op):
    """The objects that come up to some landmark in an order.

    Meaning:
        The members i of ``objects`` for which some member j of ``landmarks`` other than i has a
        measure of the order that differs from that of i by at most 10 % of the larger of the two.
    Axes:
        [object], from [object, landmark]
    """

    objects: Objects
    order: OrderName
    landmarks: Objects
    returns = Kind.OBJECTS
    evoked_by = ("as large as", "the same size as", "as tall as")
    explanation = "{objects} as {order} as {landmarks}"


class Same(Op):
    """The objects that share the value of an attribute with some landmark.

    Meaning:
        The members i of ``objects`` for which some member j of ``landmarks`` other than i has the
        same value of ``attribute``. The attribute "category" is what the objects are.
    Axes:
        [object], from [object, value] and [landmark, value]
    """

    objects: Objects
    attribute: AttributeName
    landmarks: Objects
    returns = Kind.OBJECTS
    evoked_by = ("the same colour as", "of the same size as")
    explanation = "{objects} of the same {attribute} as {landmarks}"


class Different(Op):
    """The objects that differ in an attribute from every landmark.

    Meaning:
        The members i of ``objects`` whose value of ``attribute`` no member j of ``landmarks``
        other than i has. With no such landmark it holds of every i.
    Axes:
        [object], from [object, value] and [landmark, value]
    """

    objects: Objects
    attribute: AttributeName
    landmarks: Objects
    returns = Kind.OBJECTS
    restrictor = "landmarks"
    evoked_by = ("a different colour than", "of a different size from")
    explanation = "{objects} of a different {attribute} than {landmarks}"


class Similar(Op):
    """The objects that are like some landmark.

    Meaning:
        The members i of ``objects`` for which some member j of ``landmarks`` other than i has the
        same category and the same value of at least half of the scene's attributes. What depends
        on where it is (``EXTRINSIC``) is no attribute in this.
    Axes:
        [object], from [object, landmark]
    """

    objects: Objects
    landmarks: Objects
    returns = Kind.OBJECTS
    sees_all = True
    evoked_by = ("similar to", "like")
    explanation = "{objects} similar to {landmarks}"


class Identical(Similar):
    """The objects that are like some landmark in everything.

    Meaning:
        The members i of ``objects`` for which some member j of ``landmarks`` other than i has the
        same category and the same values of all of the scene's attributes that are compared for
        ``similar``.
    Axes:
        [object], from [object, landmark]
    """

    returns = Kind.OBJECTS
    evoked_by = ("identical to", "the same as")
    explanation = "{objects} identical to {landmarks}"
