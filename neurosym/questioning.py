"""What programs have to ask of a picture: the names in them."""

from __future__ import annotations

from collections.abc import Iterable

from neurosym.pixels import Wanted
from neurosym.program import Op
from neurosym.program.operator import names_of
from neurosym.program.operators.sets import Everything, Filter


def wanted_of(programs: Iterable[Op]) -> Wanted:
    """The names that a scene may have to be asked for, each once, in the programs' order.

    Args:
        programs: the readings of a text; they are asked for together.

    Example:
        >>> from neurosym.program import parse_program
        >>> program = "(relate (filter (select cup) color red) on (the (select table)))"
        >>> wanted = wanted_of([parse_program(program)])
        >>> wanted.nouns, wanted.values, wanted.relations
        (('cup', 'table'), (('color', 'red'),), ('on',))
    """
    nouns: dict[str, None] = {}
    values: dict[tuple[str, str], None] = {}
    attributes: dict[str, None] = {}
    relations: dict[str, None] = {}
    anything = False
    for program in programs:
        for op in program.walk():
            anything = anything or isinstance(op, Everything)
            said = names_of(op)
            nouns |= {name: None for role, name in said if role == "category"}
            relations |= {name: None for role, name in said if role == "relation"}
            for attribute in (name for role, name in said if role == "attribute"):
                if not isinstance(op, Filter):
                    attributes[attribute] = None
                values |= {(attribute, name): None for role, name in said if role == "value"}
    return Wanted(tuple(nouns), tuple(values), tuple(attributes), tuple(relations), anything)
