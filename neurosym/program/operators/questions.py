"""Whole programs: numbers, truths, values, parts and commands."""

from __future__ import annotations

from neurosym.program.kinds import Comparison, Kind
from neurosym.program.operator import (
    ActionName,
    AttributeName,
    GoalName,
    Natural,
    Objects,
    Op,
    PortionName,
    Referent,
    Truth,
    Value,
    ValueName,
)


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


class CountEven(Op):
    """Whether there is an even number of objects.

    Meaning:
        True when the number of members of ``objects`` is divisible by two; none is.
    Axes:
        []
    """

    objects: Objects
    returns = Kind.TRUTH
    evoked_by = ("an even number of", "an odd number of, with not")
    explanation = "there is an even number of {objects}"


class CompareCounts(Op):
    """Whether the numbers of two sets compare as said.

    Meaning:
        True when the number of members of ``left`` is exactly, at least, at most, more than or
        fewer than the number of members of ``right``.
    Axes:
        []
    """

    left: Objects
    comparison: Comparison
    right: Objects
    returns = Kind.TRUTH
    evoked_by = ("more than", "fewer than", "as many as")
    explanation = "there are {comparison} {left} than {right}"


class Difference(Op):
    """How many more objects one set has than another.

    Meaning:
        The number of members of ``left`` less the number of members of ``right``. Presupposes
        that it is not negative: fails with none when ``right`` has more members.
    Axes:
        [] over 0 .. N, plus none
    """

    left: Objects
    right: Objects
    returns = Kind.NUMBER
    presupposes = True
    evoked_by = ("how many more than", "how many fewer than")
    explanation = "how many more {left} than {right} are there"


class Every(Op):
    """Whether all of some objects are among others.

    Meaning:
        True when every member of ``objects`` is a member of ``scope``. With no ``objects`` it is
        true, vacuously.
    Axes:
        []
    """

    objects: Objects
    scope: Objects
    returns = Kind.TRUTH
    restrictor = "objects"
    evoked_by = ("all, every or each, and is",)
    explanation = "all {objects} are {scope}"


class Most(Op):
    """Whether most of some objects are among others.

    Meaning:
        True when more members of ``objects`` are members of ``scope`` than are not. With no
        ``objects`` it is false, vacuously.
    Axes:
        []
    """

    objects: Objects
    scope: Objects
    returns = Kind.TRUTH
    restrictor = "objects"
    evoked_by = ("most, and is",)
    explanation = "most of {objects} are {scope}"


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


class Query(Op):
    """The value of an attribute.

    Meaning:
        The value of ``attribute`` of ``objects``, which share it. Presupposes that they do: fails
        with none when there are none, with many when two of them have different values.
    Axes:
        [value], plus none and many
    """

    objects: Objects
    attribute: AttributeName
    returns = Kind.VALUE
    presupposes = True
    evoked_by = ("what colour is", "what size is", "what is the colour of")
    explanation = "what {attribute} is {objects}"


class Choose(Op):
    """Which of two values of an attribute.

    Meaning:
        The value of ``attribute`` of the single object of ``objects``. Presupposes that it is
        ``value`` or ``alternative``: fails with none when it is neither.
    Axes:
        [value], plus none
    """

    objects: Referent
    attribute: AttributeName
    value: ValueName
    alternative: ValueName
    returns = Kind.VALUE
    presupposes = True
    evoked_by = ("is it red or blue", "which colour, red or blue")
    explanation = "is {objects} {value} or {alternative}"


class Equal(Op):
    """Whether two values are the same.

    Meaning:
        True when ``left`` and ``right`` are the same value.
    Axes:
        []
    """

    left: Value
    right: Value
    returns = Kind.TRUTH
    evoked_by = ("have the same colour", "are of the same size")
    explanation = "{left} is the same as {right}"


class Part(Op):
    """A part of some objects, as a region of the image.

    Meaning:
        That part of the masks of ``objects`` which lies in the ``portion`` (``PORTIONS``) of each
        one's box.
    Axes:
        [object]
    """

    objects: Objects
    portion: PortionName
    returns = Kind.REGION
    evoked_by = ("the left half of", "the top of", "the middle of")
    explanation = "the {portion} of {objects}"


class Command(Op):
    """Something to do with objects.

    Meaning:
        ``objects`` itself, with what is to be done with them.
    Axes:
        [object]
    """

    objects: Objects
    action: ActionName
    returns = Kind.INTENT
    evoked_by = ("pick up", "highlight", "point to")
    explanation = "{action} {objects}"


class CommandTo(Command):
    """Something to do with objects that takes them elsewhere.

    Meaning:
        ``objects`` itself, with what is to be done with them, and where they are to be in the end:
        in the relation ``goal`` to ``landmarks``. Presupposes what ``landmarks`` presupposes.
    Axes:
        [object]
    """

    goal: GoalName
    landmarks: Objects
    returns = Kind.INTENT
    evoked_by = ("move to the left of", "put in", "bring to")
    explanation = "{action} {objects} {goal} {landmarks}"
