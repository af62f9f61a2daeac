"""What of a scene a program can see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from neurosym.program import ORDERS, Comparative, Kind, Op
from neurosym.program.operator import names_of
from neurosym.scene import CATEGORY, Scene


@dataclass(frozen=True)
class Sight:
    """What a program can tell apart.

    Attributes:
        words: the category words that it mentions.
        values: attribute -> the values that it mentions; None when all of them matter.
        relations: the relations that it mentions.
        comparisons: the (measure, times) that it compares by.
    """

    words: frozenset[str]
    values: Mapping[str, frozenset[str] | None]
    relations: frozenset[str]
    comparisons: frozenset[tuple[str, int]]

    @staticmethod
    def of(program: Op, scene: Scene) -> Sight:
        """What this program can tell apart in this scene."""
        words: set[str] = set()
        relations: set[str] = set()
        comparisons: set[tuple[str, int]] = set()
        values: dict[str, frozenset[str] | None] = {}
        for op in program.walk():
            names = names_of(op)
            words.update(name for role, name in names if role == "category")
            relations.update(name for role, name in names if role == "relation")
            mentioned = frozenset(name for role, name in names if role == "value")
            # An operator that names an attribute but no value may look at any value.
            sees_any = not mentioned or op.returns is Kind.VALUE
            for attribute in (name for role, name in names if role == "attribute"):
                known = values.get(attribute, frozenset())
                values[attribute] = None if sees_any or known is None else known | mentioned
            if op.sees_all:
                values |= dict.fromkeys((CATEGORY, *scene.attributes))
            if isinstance(op, Comparative):
                comparisons.add((ORDERS[op.order].measure, op.times))
        return Sight(frozenset(words), values, frozenset(relations), frozenset(comparisons))
