"""Plans: a program as a sequence of steps in which equal sub-programs occur once."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property

from neurosym.program import ORDERS, Comparative, Kind, Op, RelatedBy, RelatedByCount
from neurosym.program.operator import Name, names_of, signature


@dataclass(frozen=True)
class PlanStep:
    """One node to evaluate.

    Attributes:
        op: the node.
        operands: numbers of the earlier steps that give its operands.
        names: what the node names, in field order: with the scene, all that its tables depend on.
        kind: the operator and its numbers: what the step does, whatever it names.
    """

    op: Op
    operands: tuple[int, ...]
    names: tuple[str, ...]
    kind: Hashable


@dataclass(frozen=True)
class Plan:
    """The steps of a program in order of evaluation; the last one is the root."""

    steps: tuple[PlanStep, ...]

    @cached_property
    def shape(self) -> Hashable:
        """What two plans must share to run in one batch: everything but the names.

        Where relations are soft they must also share :attr:`atoms` and :attr:`backwards`, for
        these decide what is exact.
        """
        return tuple((step.kind, step.operands) for step in self.steps)

    @cached_property
    def atoms(self) -> tuple[int, ...]:
        """For each step the first step that looks at the same atoms of a relation; else itself."""
        first: dict[Hashable, int] = {}
        return tuple(
            first.setdefault(_relation_atoms(step.op) or number, number)
            for number, step in enumerate(self.steps)
        )

    @cached_property
    def backwards(self) -> tuple[bool, ...]:
        """For each step whether it reads its relation from the landmark to the object.

        "Smaller than" reads "larger than" backwards: it is the same comparison.
        """
        return tuple(
            isinstance(step.op, RelatedBy | RelatedByCount)
            or (isinstance(step.op, Comparative) and not ORDERS[step.op.order].descending)
            for step in self.steps
        )

    def __str__(self) -> str:
        lines = []
        for number, step in enumerate(self.steps):
            names = [
                str(getattr(step.op, p.name))
                for p in signature(type(step.op))
                if not isinstance(p.declared, Kind)
            ]
            inputs = [f"%{operand}" for operand in step.operands]
            lines.append(f"%{number} = {' '.join([step.op.name, *inputs, *names])}")
        return "\n".join(lines)


def plan(program: Op) -> Plan:
    """The plan of a program: operands before nodes, left to right, equal nodes once.

    Leaving out the repetition changes no value and no failure: in any one world an equal node has
    an equal value, and if it failed, it failed the first time.
    """
    numbers: dict[Op, int] = {}
    steps: list[PlanStep] = []
    for node in program.walk():
        if node not in numbers:
            numbers[node] = len(steps)
            operands = tuple(numbers[operand] for operand in node.operands)
            names = tuple(name for _, name in names_of(node))
            kind = type(node), *(getattr(node, field) for field in _own_fields(type(node)))
            steps.append(PlanStep(node, operands, names, kind))
    return Plan(tuple(steps))


def _relation_atoms(op: Op) -> Hashable:
    """What tells the relation that a node looks at from others; None when it looks at none."""
    if isinstance(op, Comparative):
        return ORDERS[op.order].measure, op.times
    return next(((role, name) for role, name in names_of(op) if role == "relation"), None)


LOOKED_UP = frozenset({"category", "attribute", "value", "relation", "order", "pointer"})
"""Roles of names that depend on the scene, or whose tables do."""


_OWN_FIELDS: dict[type[Op], tuple[str, ...]] = {}


def _own_fields(operator: type[Op]) -> tuple[str, ...]:
    """What a rule reads off a node itself: all but operands and what is looked up in a scene."""
    if operator not in _OWN_FIELDS:
        _OWN_FIELDS[operator] = tuple(
            parameter.name
            for parameter in signature(operator)
            if not isinstance(parameter.declared, Kind)
            and not (isinstance(parameter.declared, Name) and parameter.declared.role in LOOKED_UP)
        )
    return _OWN_FIELDS[operator]
