"""What a picture cannot tell: open properties that a scene has no table for.

People say more of a thing than is needed to find it: "the old man sitting on the left". Where
nothing is known of age and of actions, the man on the left can still be found, as long as the
answer says what it did not check. What is asked, though, is never left out: whether the man is
sitting has no answer there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from neurosym.program.kinds import Kind
from neurosym.program.operator import Op, signature
from neurosym.program.operators.definites import The, TheCount, TheGroup, ThePlural
from neurosym.program.operators.sets import Filter, Minus

ACTION = "action"
"""The attribute of what a thing does."""
OPEN_ATTRIBUTES = frozenset({ACTION, "quality"})
"""The attributes whose values are any words: what a thing does, and what it is like."""

_DEFINITE = (The, TheCount, TheGroup, ThePlural)


@dataclass(frozen=True, slots=True)
class Checked:
    """A program without what a scene cannot tell.

    Attributes:
        program: what is left.
        left_out: the filters that are not in it, innermost first.
    """

    program: Op
    left_out: tuple[Filter, ...]


def leave_unchecked(program: Op, known: Mapping[str, Collection[str]]) -> Checked:
    """A program without the open filters that a scene has no table for.

    Only what helps to tell which thing is meant is left out: in an expression, and in a definite
    inside a question. A filter elsewhere in a question is what is asked, and stays. "Not sleeping"
    is left out as a whole, for without "sleeping" it would leave nothing.

    Args:
        program: any program.
        known: the values of the scene's attributes.

    Example:
        >>> from neurosym.program import parse_program
        >>> said = parse_program("(the (filter (select man) action sit))")
        >>> leave_unchecked(said, {"color": ("red",)}).program
        (the (select man))
        >>> asked = parse_program("(exist (filter (select man) action sit))")
        >>> leave_unchecked(asked, {"color": ("red",)}).left_out
        ()
    """
    left_out: list[Filter] = []
    return Checked(_without(program, known, left_out, asked=False), tuple(left_out))


def _without(
    op: Op, known: Mapping[str, Collection[str]], left_out: list[Filter], *, asked: bool
) -> Op:
    below = not op.returns.is_of_objects or (asked and not isinstance(op, _DEFINITE))
    operands: dict[str, Any] = {
        parameter.name: _without(getattr(op, parameter.name), known, left_out, asked=below)
        for parameter in signature(type(op))
        if isinstance(parameter.declared, Kind)
    }
    kept: Op
    if isinstance(op, Filter) and not asked and _is_unknown(op, known):
        left_out.append(op)
        kept = operands["objects"]
        return kept
    if isinstance(op, Minus) and operands["excluded"] != op.excluded:
        kept = operands["objects"]
        if operands["excluded"] in kept.walk():
            return kept
    changed = any(value != getattr(op, name) for name, value in operands.items())
    return dataclasses.replace(op, **operands) if changed else op


def _is_unknown(op: Filter, known: Mapping[str, Collection[str]]) -> bool:
    return op.attribute in OPEN_ATTRIBUTES and op.value not in known.get(op.attribute, ())
