"""What a text presupposes: the one, the two, all of them, the group.

Presuppositions. An operator that presupposes something fails with ``none`` or ``many`` in a world
where it does not hold, and then the whole program fails with it there. Operands are evaluated left
to right, and the first failure counts.
"""

from __future__ import annotations

from neurosym.program.kinds import Kind
from neurosym.program.operator import (
    FormName,
    Objects,
    Op,
    Rank,
)


class The(Op):
    """The one object of a set.

    Meaning:
        The single member of ``objects``. Presupposes exactly one: fails with none or many.
    Axes:
        [object], plus none and many
    """

    objects: Objects
    returns = Kind.REFERENT
    presupposes = True
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
    presupposes = True
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
    presupposes = True
    evoked_by = ("both", "a number")
    explanation = "the {count} {objects}"


class TheGroup(Op):
    """The one group of a form that objects make up.

    Meaning:
        Two members of ``objects`` are linked when the form's relation (``FORMS``) holds between
        them in either direction. A group is a connected component of these links that has as many
        members as the form asks for. The members of the single group there is. Presupposes
        exactly one: fails with none or many.
    Axes:
        [object], plus none and many
    """

    objects: Objects
    form: FormName
    returns = Kind.GROUP
    presupposes = True
    evoked_by = ("the pair of", "the row of", "the stack of", "the group of")
    explanation = "the {form} of {objects}"
