"""What every step of a program cost its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosym.program import Kind, Op, signature
from neurosym.scene import Scene

if TYPE_CHECKING:
    from neurosym.executors.base import Step
    from neurosym.result import Result

_NARROWED = ("objects", "left", "right")
"""The operands among whose members an answer is sought; others are landmarks and exceptions."""


def blame_per_step(result: Result) -> tuple[tuple[Step, float], ...]:
    """How much probability every step cost, in order of evaluation.

    The level of a step is the probability that its answer is still to be had: for a set, that
    the answer's likeliest object is in it, where the set is one from which the answer was taken,
    else that it has some member (its members taken as independent); for other kinds, that nothing
    has failed. A step costs what its level is below that of its operands: below the lowest of
    them, but below the highest of the sides of a union, and an exception's own level does not
    count. What a presupposition lost by "none" or "many" is thereby the cost of its step, unless
    there was nothing before it already.

    Args:
        result: of any status.

    Returns:
        Every step with its cost in [0, 1]; empty when nothing was executed.
    """
    answer = set(result.objects[:1]) if result.program.returns.is_of_objects else set()
    sources = set(_sources(result.program)) if answer else set()
    levels: dict[Op, float] = {}
    costs = []
    for step in result.trace:
        wanted = answer if step.op in sources else set()
        levels[step.op] = _level(step, wanted, result.scene)
        counted = step.op.operands[:1] if step.op.name == "minus" else step.op.operands
        below = [levels[operand] for operand in counted if operand in levels]
        before = (max if step.op.name == "union" else min)(below, default=1.0)
        costs.append((step, max(0.0, before - levels[step.op])))
    return tuple(costs)


def _sources(op: Op) -> list[Op]:
    """The node and the nodes below it from which its members come."""
    found = [op]
    for node in found:
        for parameter in signature(type(node)):
            if isinstance(parameter.declared, Kind) and parameter.name in _NARROWED:
                found.append(getattr(node, parameter.name))
    return found


def _level(step: Step, wanted: set[int], scene: Scene) -> float:
    if step.objects is None:
        return max(0.0, 1.0 - step.none - step.many)
    shares = dict(scene.things(step.objects))
    if wanted:
        groups = {int(scene.groups[i]) for i in wanted}
        return max((p for i, p in shares.items() if int(scene.groups[i]) in groups), default=0.0)
    if step.op.returns is Kind.REFERENT:
        return min(1.0, sum(shares.values()))
    rest = 1.0
    for share in shares.values():
        rest *= 1.0 - share
    return 1.0 - rest
