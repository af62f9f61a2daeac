"""What the values of an attribute come to over several objects: alike, how many, most common."""

from __future__ import annotations

from neurosym.program.kinds import Kind
from neurosym.program.operator import (
    AttributeName,
    Objects,
    Op,
)


class Alike(Op):
    """Whether objects all have the same value of an attribute.

    Meaning:
        True when no two members of ``objects`` have different values of ``attribute``. With no
        ``objects``, or one, it is true; with none vacuously.
    Axes:
        []
    """

    objects: Objects
    attribute: AttributeName
    returns = Kind.TRUTH
    restrictor = "objects"
    evoked_by = ("all of the same colour", "have the same size, of several")
    explanation = "{objects} are all of the same {attribute}"


class CountValues(Op):
    """How many different values of an attribute objects have.

    Meaning:
        The number of values of ``attribute`` that some member of ``objects`` has.
    Axes:
        [] over 0 .. N
    """

    objects: Objects
    attribute: AttributeName
    returns = Kind.NUMBER
    evoked_by = ("how many colours", "how many different sizes")
    explanation = "how many different {attribute} of {objects} are there"


class CommonValue(Op):
    """The most common value of an attribute.

    Meaning:
        The value of ``attribute`` that more members of ``objects`` have than any other value.
        Presupposes that there is one: fails with none when there are no ``objects``, with many
        when several values are equally common.
    Axes:
        [value], plus none and many
    """

    objects: Objects
    attribute: AttributeName
    returns = Kind.VALUE
    presupposes = True
    evoked_by = ("the most common colour", "what colour are most of")
    explanation = "what is the most common {attribute} of {objects}"


class RareValue(Op):
    """The least common value of an attribute.

    Meaning:
        The value of ``attribute`` that some member of ``objects`` has, and fewer of them than have
        any other such value. Presupposes that there is one: fails with none when there are no
        ``objects``, with many when several values are equally rare.
    Axes:
        [value], plus none and many
    """

    objects: Objects
    attribute: AttributeName
    returns = Kind.VALUE
    presupposes = True
    evoked_by = ("the least common colour", "what shape is there the fewest of")
    explanation = "what is the least common {attribute} of {objects}"
