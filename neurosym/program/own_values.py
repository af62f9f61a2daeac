"""Values that a scene knows as attributes of their own.

An attribute's values exclude each other: what is red is not blue. Of the things that people say
with any adjective, "old" and "wooden", many hold at once; a scene that can score such a word has
an attribute of that name, whose values are the word and its denial. Programs name them as they
were said, ``(filter X quality old)``, and are read as ``(filter X old old)`` where the scene is so.

Of colours, some words say more than the eleven basic ones: what is navy is blue as well. Where a
scene cannot tell navy from blue, navy is read as blue.
Where one attribute of a scene has the word among its values, "striped" among patterns, it is that.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

from neurosym.program.kinds import Kind
from neurosym.program.operator import Op, signature
from neurosym.program.operators.sets import Filter

BROADER: Mapping[str, tuple[str, ...]] = {
    "dark red": ("red",),
    "dark green": ("green",),
    "light green": ("green",),
    "dark blue": ("blue",),
    "light blue": ("blue",),
    "navy": ("blue",),
    "turquoise": ("cyan", "blue"),
    "teal": ("cyan", "green"),
    "silver": ("gray",),
    "gold": ("yellow",),
    "maroon": ("red",),
    "olive": ("green",),
    "tan": ("brown",),
    "beige": ("brown",),
    "khaki": ("brown",),
    "violet": ("purple",),
    "lavender": ("purple",),
    "magenta": ("pink",),
}
"""A value -> the wider ones that it is read as, the first that a scene's attribute has."""


def read_own_values(program: Op, known: Mapping[str, Collection[str]]) -> Op:
    """A program whose filters name the attributes that a scene has.

    Args:
        program: any program.
        known: the values of the scene's attributes.

    Example:
        >>> from neurosym.program import parse_program
        >>> said = parse_program("(the (filter (select man) quality old))")
        >>> read_own_values(said, {"old": ("old", "not old")})
        (the (filter (select man) old old))
        >>> read_own_values(said, {"quality": ("old",)})
        (the (filter (select man) quality old))
        >>> read_own_values(said, {"age": ("old", "young")})
        (the (filter (select man) age old))
        >>> said = parse_program("(the (filter (select car) color navy))")
        >>> read_own_values(said, {"color": ("red", "blue")})
        (the (filter (select car) color blue))
    """
    operands: dict[str, Any] = {
        parameter.name: read_own_values(getattr(program, parameter.name), known)
        for parameter in signature(type(program))
        if isinstance(parameter.declared, Kind)
    }
    if isinstance(program, Filter) and program.value not in known.get(program.attribute, ()):
        having = [name for name, values in known.items() if program.value in values]
        if program.value in having:
            operands["attribute"] = program.value
        elif program.attribute not in known and len(having) == 1:
            operands["attribute"] = having[0]
        else:
            values = known.get(program.attribute, ())
            wider = [value for value in BROADER.get(program.value, ()) if value in values]
            operands |= {"value": wider[0]} if wider else {}
    changed = any(value != getattr(program, name) for name, value in operands.items())
    return dataclasses.replace(program, **operands) if changed else program
