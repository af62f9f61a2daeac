"""Plans: a program as a sequence of steps in which equal sub-programs occur once."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property

from neurosym.program import Kind, Op
from neurosym.program.operator import Name, names_of, signature


@dataclass(frozen=True)
class PlanStep:
    """One node to evaluate.

    Attributes:
        op: the node.
        operands: numbers of the earlier steps that give its operands.
        names: what the node names, in field order: with the scene, all that its tables depend on.
    """

    op: Op
    operands: tuple[int, ...]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """The steps of a program in order of evaluation; the last one is the root."""

    steps: tuple[PlanStep, ...]

    @cached_property
    def shape(self) -> Hashable:
        """What two plans must share to run in one batch: everything but the names."""
        return tuple((type(step.op), step.operands, _numbers(step.op)) for step in self.steps)

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
            steps.append(PlanStep(node, operands, names))
    return Plan(tuple(steps))


def _numbers(op: Op) -> tuple[Hashable, ...]:
    return tuple(
        getattr(op, parameter.name)
        for parameter in signature(type(op))
        if not isinstance(parameter.declared, Kind | Name)
    )
