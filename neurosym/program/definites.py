"""The readings of "the": policies, as rewritings of programs.

"The rabbit in the hat" is the strict program ``(the (relate (select rabbit) in (the (select
hat))))``: it fails as soon as there are two hats. People judge uniqueness over pairs instead: with
two hats of which one holds a rabbit the phrase is fine. That reading is a program, too, in which
the hats are narrowed to those that hold a rabbit; so every reading is executed, traced and
explained like any other program.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable
from typing import Any

from neurosym.program.kinds import ORDERS, Kind
from neurosym.program.operator import Op, signature
from neurosym.program.operators.definites import The, TheCount, ThePlural
from neurosym.program.operators.relations import Comparative, Equative, Relate, RelatedBy, Same
from neurosym.program.operators.sets import Filter, Superlative

SALIENCE = "largest"
"""The order by which several candidates differ in salience: their size in the image."""


class Definites(enum.Enum):
    """What "the" asks for where it is not clear what is meant."""

    STRICT = "strict"
    """Exactly one in the whole scene, wherever the phrase stands; else none or many."""
    POLYADIC = "polyadic"
    """As strict, but a landmark inside a definite only needs to be the one that the rest of the
    phrase fits: uniqueness is judged over tuples."""
    ACCOMMODATE = "accommodate"
    """Of several candidates the most salient one is meant, the largest in the image. Ties are
    many, and none stays none."""
    ABSTAIN = "abstain"
    """As strict, but where what is presupposed fails with a probability of one half or more, no
    answer is given."""


def read_definites(program: Op, policy: Definites) -> Op:
    """The program of a reading of "the".

    Args:
        program: as parsed, which is the strict reading.
        policy: the reading wanted.

    Returns:
        The rewritten program. Nodes keep their words; strict and abstain change nothing, for they
        differ only in how the outcome is decided.

    Example:
        >>> from neurosym.program import parse_program
        >>> strict = parse_program("(the (relate (select rabbit) in (the (select hat))))")
        >>> read_definites(strict, Definites.POLYADIC)
        (the (relate (select rabbit) in (the (related_by (select hat) in (select rabbit)))))
    """
    if policy is Definites.POLYADIC:
        return _within_definites(program)
    if policy is Definites.ACCOMMODATE:
        return program.rebuild(_most_salient)
    return program


def _most_salient(op: Op) -> Op:
    if not isinstance(op, The):
        return op
    return dataclasses.replace(op, objects=Superlative(op.objects, SALIENCE))


_Narrow = Callable[[Op], Op]
"""From a set to those of its members that the rest of the phrase fits."""


def _within_definites(op: Op) -> Op:
    """The program with every definite in it read over tuples."""
    if isinstance(op, The | ThePlural | TheCount):
        return dataclasses.replace(op, objects=_polyadic(op.objects, lambda objects: objects))
    replaced: dict[str, Any] = {
        p.name: _within_definites(getattr(op, p.name))
        for p in signature(type(op))
        if isinstance(p.declared, Kind)
    }
    return dataclasses.replace(op, **replaced) if replaced else op


def _polyadic(objects: Op, narrow: _Narrow) -> Op:
    """A set under a definite with the definite landmarks in it narrowed.

    Args:
        objects: the set.
        narrow: what the phrase around the definite leaves of it.
    """
    chain = [objects]
    while _restricts(chain[-1]):
        chain.append(chain[-1].operands[0])
    *modifiers, made = chain
    made = _within_definites(made)
    for modifier in reversed(modifiers):
        landmark = getattr(modifier, "landmarks", None)
        changed: dict[str, Any] = {"objects": made}
        if isinstance(landmark, The) and _converse(modifier, made, made) is not None:
            others = [other for other in modifiers if other is not modifier]
            figures = narrow(_existential(chain[-1], others))
            changed["landmarks"] = _narrowed_landmark(modifier, landmark, figures)
        else:
            changed |= {
                p.name: _within_definites(getattr(modifier, p.name))
                for p in signature(type(modifier))
                if isinstance(p.declared, Kind) and p.name != "objects"
            }
        made = dataclasses.replace(modifier, **changed)
    return made


def _narrowed_landmark(modifier: Op, landmark: The, figures: Op) -> Op:
    def narrow(landmarks: Op) -> Op:
        narrowed = _converse(modifier, landmarks, figures)
        if narrowed is None:
            raise AssertionError("only what has a converse is narrowed")
        return narrowed

    return dataclasses.replace(landmark, objects=narrow(_polyadic(landmark.objects, narrow)))


def _existential(base: Op, modifiers: list[Op]) -> Op:
    """The set with "some" in place of "the", without what picks from it."""
    made = base
    for modifier in reversed(modifiers):
        if isinstance(modifier, Filter):
            made = dataclasses.replace(modifier, objects=made)
        elif _converse(modifier, made, made) is not None:
            landmark = getattr(modifier, "landmarks")  # noqa: B009 - not every node has it
            if isinstance(landmark, The):
                landmark = _existential_of(landmark.objects)
            changed: dict[str, Any] = {"objects": made, "landmarks": landmark}
            made = dataclasses.replace(modifier, **changed)
    return made


def _existential_of(objects: Op) -> Op:
    chain = [objects]
    while _restricts(chain[-1]):
        chain.append(chain[-1].operands[0])
    *modifiers, base = chain
    return _existential(base, modifiers)


def _restricts(op: Op) -> bool:
    """Whether a node keeps a part of its first operand."""
    first = next(iter(signature(type(op))), None)
    return (
        op.returns is Kind.OBJECTS
        and first is not None
        and first.name == "objects"
        and not isinstance(op, ThePlural | TheCount)
    )


def _converse(modifier: Op, landmarks: Op, figures: Op) -> Op | None:
    """The landmarks to which some figure stands as the modifier says; None when that has no name.

    It has none for what depends on all landmarks together, or on what else there is.
    """
    words = modifier.words
    match modifier:
        case Relate():
            return RelatedBy(landmarks, modifier.relation, figures, words=words)
        case RelatedBy():
            return Relate(landmarks, modifier.relation, figures, words=words)
        case Same():
            return Same(landmarks, modifier.attribute, figures, words=words)
        case Equative():
            return Equative(landmarks, modifier.order, figures, words=words)
        case Comparative():
            opposite = _OPPOSITE.get(modifier.order)
            if opposite is None:
                return None
            return Comparative(landmarks, opposite, figures, modifier.times, words=words)
        case _:
            return None


_OPPOSITE = {
    order.name: other.name
    for order in ORDERS.values()
    for other in ORDERS.values()
    if order.measure == other.measure and order.descending != other.descending
}
