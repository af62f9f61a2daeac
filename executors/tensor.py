"""The tensor executor: soft, batched, exact wherever it says so.

Outcomes carry gradients to the scene's tables: their objects, counts and values, and the single
numbers as :attr:`Outcome.differentiable`.

Plans of one shape run together, one step after the other, each step on all queries at once. How a
step is exact although its inputs depend on each other is told in
:mod:`neurosym.executors.branches`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor

from neurosym.errors import ExecutionError
from neurosym.executors.base import (
    EXACT,
    MAX_NODES,
    MAX_OBJECTS,
    MAX_SECONDS,
    Certificate,
    Deadline,
    Differentiable,
    Executor,
    Outcome,
    Step,
    value_names,
)
from neurosym.executors.branches import none_of
from neurosym.executors.encode import encode, is_joint
from neurosym.executors.plan import Plan, plan
from neurosym.executors.run import SETTLED, Run, Value, present
from neurosym.executors.soft_rules import RULES
from neurosym.program import ORDERS, Filter, Op, Select, ThePlural
from neurosym.program.operator import names_of, restrictor_of
from neurosym.scene import Scene

MAX_CASES = 1024
"""Default bound on the cases that are kept apart for one query."""
MOST_STATES = 25_600
"""By default no more cases are kept apart than leave so many states of objects over all cases."""
# What one batch may hold, in elements of a case's tables: soft batches are padded to the query with
# the most cases, so that large ones waste more than they save.
_CRISP_ELEMENTS = 50_000_000
_SOFT_ELEMENTS = 500_000
_USUAL_CASES = 256


class TensorExecutor(Executor):
    """Runs programs on soft or crisp scenes with torch, where the scenes' arrays lie.

    Args:
        max_cases: bound on the cases kept apart for one query; what is dropped is reported as
            ``unexplored``, and the rest renormalised. When left out, 1,024, but fewer with more
            than 25 objects (256 with 100).
        trace: whether outcomes carry the value of every step.
        fallback: runs what would not be exact instead, for example a
            :class:`neurosym.executors.worlds.WorldsExecutor`; its outcomes carry no gradients.
        max_nodes: bound on the size of a program.
        max_objects: bound on the size of a scene.
        seconds: bound on the time of one call; it is looked at before every step.
    """

    name = "tensor"
    rules: ClassVar[Mapping[type[Op], Callable[[Run], Value]]] = RULES

    def __init__(
        self,
        *,
        max_cases: int | None = None,
        trace: bool = True,
        fallback: Executor | None = None,
        max_nodes: int = MAX_NODES,
        max_objects: int = MAX_OBJECTS,
        seconds: float = MAX_SECONDS,
    ) -> None:
        super().__init__(max_nodes=max_nodes, max_objects=max_objects, seconds=seconds)
        if max_cases is not None and max_cases < 1:
            raise ExecutionError(f"max_cases must be at least 1, not {max_cases}")
        self.max_cases = max_cases
        self.trace = trace
        self.fallback = fallback

    def run_many(self, programs: Sequence[Op], scenes: Sequence[Scene]) -> list[Outcome]:
        """See :meth:`Executor.run_many`. Plans of one shape run as one batch."""
        self.check(programs, scenes)
        deadline = Deadline(self.seconds)
        plans = [plan(program) for program in programs]
        batches: dict[Hashable, list[int]] = defaultdict(list)
        for number, (steps, scene) in enumerate(zip(plans, scenes, strict=True)):
            batches[steps.shape, scene.device, self._manner(steps, scene)].append(number)
        outcomes: dict[int, Outcome] = {}
        for numbers in batches.values():
            is_crisp = scenes[numbers[0]].is_crisp
            size = max(len(scenes[n]) for n in numbers)
            cases = 1 if is_crisp else min(self.max_cases or MAX_CASES, _USUAL_CASES)
            share = size * max(size, 8) * cases
            most = max(1, (_CRISP_ELEMENTS if is_crisp else _SOFT_ELEMENTS) // max(1, share))
            for start in range(0, len(numbers), most):
                part = numbers[start : start + most]
                found = self._run_batch(
                    deadline, [plans[n] for n in part], [scenes[n] for n in part], is_crisp
                )
                outcomes.update(zip(part, found, strict=True))
        if self.fallback is not None:
            doubtful = [n for n in range(len(programs)) if not outcomes[n].exact]
            again = self.fallback.run_many(
                [programs[n] for n in doubtful], [scenes[n] for n in doubtful]
            )
            outcomes.update(zip(doubtful, again, strict=True))
        return [outcomes[number] for number in range(len(programs))]

    def _manner(self, steps: Plan, scene: Scene) -> Hashable:
        """What decides how a program is run, beside its shape: in a batch all must agree in it."""
        if scene.is_crisp:
            return None
        # Which steps share a relation matters only where relations are soft.
        relations = () if scene.has_crisp_relations else (steps.atoms, steps.backwards)
        joint = tuple(is_joint(step.op, scene) for step in steps.steps)
        return relations, joint, self._most_cases(scene)

    def _most_cases(self, scene: Scene) -> int:
        if self.max_cases is not None:
            return self.max_cases
        return max(1, min(MAX_CASES, MOST_STATES // max(1, len(scene))))

    def _run_batch(
        self, deadline: Deadline, plans: Sequence[Plan], scenes: Sequence[Scene], crisp: bool
    ) -> list[Outcome]:
        cases = max(map(self._most_cases, scenes))
        run = Run(encode(plans, scenes, crisp), plans, cases)
        steps: list[list[Step]] = [[] for _ in plans]
        for number, step in enumerate(plans[0].steps):
            deadline.check()
            run.number = number
            vacuous = _vacuous(run) if self.trace else None
            value = self.rule(step.op)(run)
            run.values.append(value)
            if self.trace:
                for query, made in enumerate(_steps(run, value, vacuous, scenes)):
                    steps[query].append(made)
        return _outcomes(run, steps, scenes)


def _means(run: Run, value: Value) -> tuple[Tensor | None, ...]:
    """The value averaged over cases: objects [Q, N], number [Q, N + 1], truth [Q], value [Q, V]."""
    explored = (1.0 - run.lost).clamp_min(SETTLED)
    weight = run.weight / explored[:, None]
    if value.marginal is not None:
        return value.marginal / explored[:, None], None, None, None
    if value.member is not None:
        return (weight[..., None] * run.probability(value.member)).sum(1), None, None, None
    if value.number is not None:
        return None, (weight[..., None] * value.number).sum(1), None, None
    if value.value is not None:
        return None, None, None, (weight[..., None] * value.value).sum(1)
    return None, None, (weight * present(value.truth)).sum(1), None


def _vacuous(run: Run) -> list[float] | None:
    """For each query the probability that the quantifier at hand has nothing to range over."""
    restrictor = restrictor_of(run.plans[0].steps[run.number].op)
    if restrictor is None:
        return None
    empty = none_of(run.probability(run.member(restrictor)), run.batch.groups)
    share: Tensor = (run.weight * empty).sum(1) / (1.0 - run.lost).clamp_min(SETTLED)
    return share.tolist()


def _steps(
    run: Run, value: Value, vacuous: list[float] | None, scenes: Sequence[Scene]
) -> list[Step]:
    objects, number, truth, chosen = _means(run, value)
    explored = (1.0 - run.lost).clamp_min(SETTLED)
    none, many = (run.none / explored).tolist(), (run.many / explored).tolist()
    truths = None if truth is None else truth.tolist()
    made = []
    for query, scene in enumerate(scenes):
        plan = run.plans[query]
        op = plan.steps[run.number].op
        own = None if objects is None else objects[query, : len(scene)]
        values = () if chosen is None else value_names(op, scene)
        certificate = _certificate(run, query, run.number)
        made.append(
            Step(
                op,
                objects=own,
                number=None if number is None else number[query, : len(scene) + 1],
                truth=None if truths is None else truths[query],
                value=None if chosen is None else chosen[query, : len(values)],
                values=values,
                none=none[query],
                many=many[query],
                vacuous=0.0 if vacuous is None else vacuous[query],
                certificate=certificate,
                note=_note(op, scene, own),
            )
        )
    return made


def _certificate(run: Run, query: int, number: int) -> Certificate:
    shared = run.inexact[query].get(number)
    if shared is None:
        return EXACT
    steps = run.plans[query].steps
    return Certificate(False, tuple(steps[step].op for step in sorted(shared)))


def _note(op: Op, scene: Scene, objects: Tensor | None) -> str:
    notes = []
    if isinstance(op, Filter) and objects is not None:
        blind = int(((objects > 0.02) & ~scene.attribute(op.attribute).evidence).sum())
        if blind:
            counted = "1 object" if blind == 1 else f"{blind} objects"
            notes.append(f"the {op.attribute} of {counted} could not be seen")
    if isinstance(op, Select) and op.category in scene.concepts:
        concept = scene.concepts[op.category]
        if concept.approximate:
            notes.append(f"'{op.category}' is read as {' or '.join(concept.categories)}")
    for role, name in names_of(op):
        if role not in ("relation", "order"):
            continue
        by_name = (
            scene.relation(name) if role == "relation" else scene.measure(ORDERS[name].measure)
        )
        if by_name.approximate:
            notes.append(f"'{name.replace('_', ' ')}' is only estimated ({by_name.source})")
    return "; ".join(notes)


def _outcomes(run: Run, steps: Sequence[Sequence[Step]], scenes: Sequence[Scene]) -> list[Outcome]:
    value = run.values[-1]
    root = run.plans[0].steps[-1].op
    objects, number, truth, chosen = _means(run, value)
    explored = (1.0 - run.lost).clamp_min(SETTLED)
    empty = torch.zeros_like(run.none)
    if value.member is not None and not isinstance(root, ThePlural):
        nothing = none_of(run.probability(value.member), run.batch.groups)
        empty = (run.weight * nothing).sum(1) / explored
    none = run.none / explored + empty
    many = run.many / explored
    single = [tensor for tensor in (none, many, empty, truth) if tensor is not None]
    differentiable = any(tensor.requires_grad for tensor in single)
    nones, manys, empties = none.tolist(), many.tolist(), empty.tolist()
    truths = None if truth is None else truth.tolist()
    lost = run.lost.tolist()
    made = []
    for query, scene in enumerate(scenes):
        count = len(scene)
        plan = run.plans[query]
        values = () if chosen is None else value_names(plan.steps[-1].op, scene)
        live = None
        if differentiable:
            yes = None if truth is None else truth[query]
            live = Differentiable(none[query], many[query], empty[query], yes)
        made.append(
            Outcome(
                root.returns,
                objects=None if objects is None else objects[query, :count],
                number=None if number is None else number[query, : count + 1],
                truth=None if truths is None else truths[query],
                value=None if chosen is None else chosen[query, : len(values)],
                values=values,
                none=nones[query],
                many=manys[query],
                empty=empties[query],
                certificate=Certificate.sum(
                    _certificate(run, query, number) for number in sorted(run.inexact[query])
                ),
                unexplored=lost[query],
                steps=tuple(steps[query]),
                differentiable=live,
            )
        )
    return made
