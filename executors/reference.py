"""The reference: programs in a crisp world, node by node, by the rules of plain sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, TypedDict

import torch
from torch import Tensor

from neurosym.errors import ExecutionError
from neurosym.executors.base import Deadline, Executor, Outcome, Step, value_names
from neurosym.executors.crisp_rules import RULES, PresuppositionFailure, Rule, Value
from neurosym.executors.world import World, check_names, world_of
from neurosym.program import Kind, Op
from neurosym.program.operator import restrictor_of
from neurosym.scene import Scene


@dataclass(frozen=True)
class Evaluation:
    """How a program went in one world. Equal evaluations give equal outcomes.

    Attributes:
        values: the values of the nodes in order of evaluation, up to a failure.
        failed: True when the node after these failed.
        many: True when it failed because there are many, False when because there is none.
        vacuous: the positions of the quantifiers that had nothing to quantify over.
    """

    values: tuple[Value, ...]
    failed: bool = False
    many: bool = False
    vacuous: frozenset[int] = frozenset()


class Node(NamedTuple):
    """A node to evaluate.

    Attributes:
        op: the node.
        rule: the operator's rule.
        arity: how many operands it has.
        restrictor: of a quantifier, which operand it quantifies over.
    """

    op: Op
    rule: Rule
    arity: int
    restrictor: int | None


Plan = Sequence[Node]
"""The nodes in order of evaluation."""


def plan_of(program: Op, executor: Executor) -> Plan:
    """The plan of a program with an executor's rules; OperatorNotSupportedError without one."""
    return [
        Node(op, executor.rule(op), len(op.operands), restrictor_of(op)) for op in program.walk()
    ]


def evaluate(plan: Plan, world: World, deadline: Deadline | None = None) -> Evaluation:
    """The values of a program's nodes in one world; raises ExecutionError after a deadline."""
    values: list[Value] = []
    waiting: list[Value] = []
    vacuous: set[int] = set()
    for op, rule, arity, restrictor in plan:
        first = len(waiting) - arity
        operands = waiting[first:]
        del waiting[first:]
        if deadline is not None:
            deadline.check()
        if restrictor is not None and not operands[restrictor]:
            vacuous.add(len(values))
        try:
            value = rule(op, world, *operands)
        except PresuppositionFailure as failure:
            return Evaluation(tuple(values), True, failure.many, frozenset(vacuous))
        values.append(value)
        waiting.append(value)
    return Evaluation(tuple(values), vacuous=frozenset(vacuous))


class Numbers(TypedDict):
    """The fields in which steps and outcomes hold a value."""

    objects: Tensor | None
    number: Tensor | None
    truth: float | None
    value: Tensor | None
    values: tuple[str, ...]


def outcome_of(plan: Plan, evaluation: Evaluation, scene: Scene) -> Outcome:
    """The outcome that an evaluation in a world of a scene comes to.

    Its steps go up to and including the node that failed.
    """
    none = float(evaluation.failed and not evaluation.many)
    many = float(evaluation.failed and evaluation.many)
    steps = [
        Step(
            node.op,
            **numbers_of(node.op, value, scene),
            vacuous=float(position in evaluation.vacuous),
        )
        for position, (node, value) in enumerate(zip(plan, evaluation.values, strict=False))
    ]
    root = plan[-1].op
    if evaluation.failed:
        failing = plan[len(evaluation.values)].op
        steps.append(Step(failing, **numbers_of(failing, None, scene), none=none, many=many))
        answer = None
    else:
        answer = evaluation.values[-1]
        # Only an answer is reported as none for being empty; an empty set on the way is a value.
        none = float(answer == frozenset())
    return Outcome(
        root.returns,
        **numbers_of(root, answer, scene),
        none=none,
        empty=0.0 if evaluation.failed else none,
        many=many,
        steps=tuple(steps),
    )


def numbers_of(op: Op, value: Value | None, scene: Scene) -> Numbers:
    """A node's value as probabilities; all zero when it failed (None)."""
    numbers = Numbers(objects=None, number=None, truth=None, value=None, values=())
    match op.returns:
        case Kind.TRUTH:
            numbers["truth"] = float(value is True)
        case Kind.NUMBER:
            number = numbers["number"] = torch.zeros(len(scene) + 1)
            if isinstance(value, int):
                number[value] = 1
        case Kind.VALUE:
            numbers["values"] = value_names(op, scene)
            chosen = numbers["value"] = torch.zeros(len(numbers["values"]))
            if isinstance(value, str):
                chosen[numbers["values"].index(value)] = 1
        case _:
            objects = numbers["objects"] = torch.zeros(len(scene))
            if isinstance(value, frozenset):
                objects[sorted(value)] = 1
    return numbers


class ReferenceExecutor(Executor):
    """Runs programs on crisp scenes by plain sets; every probability is 0 or 1.

    Tensors of the outcomes lie on the CPU.
    """

    name: ClassVar[str] = "reference"
    rules: ClassVar[Mapping[type[Op], Callable[..., Any]]] = RULES

    def run_many(self, programs: Sequence[Op], scenes: Sequence[Scene]) -> list[Outcome]:
        """See :meth:`neurosym.executors.base.Executor.run_many`.

        Raises:
            ExecutionError: also when a scene is not crisp.
        """
        self.check(programs, scenes)
        deadline = Deadline(self.seconds)
        return [
            self._run(program, scene, deadline)
            for program, scene in zip(programs, scenes, strict=True)
        ]

    def _run(self, program: Op, scene: Scene, deadline: Deadline) -> Outcome:
        if not scene.is_crisp:
            raise ExecutionError(
                "the reference executor runs on crisp scenes only, and this scene is soft: use "
                'scene.most_likely(), or the executor "tensor" or "worlds"'
            )
        plan = plan_of(program, self)
        check_names(program, scene)
        return outcome_of(plan, evaluate(plan, world_of(scene), deadline), scene)
