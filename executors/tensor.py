"""The tensor executor: soft, batched, exact wherever it says so.

The objects and the counts of an outcome carry gradients to the scene's tables.

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
    MAX_NODES,
    MAX_OBJECTS,
    MAX_SECONDS,
    Deadline,
    Executor,
    Outcome,
    Step,
)
from neurosym.executors.branches import count_distribution, none_of
from neurosym.executors.encode import Stacked, encode
from neurosym.executors.plan import Plan, plan
from neurosym.executors.run import SETTLED, Run, Value, at_numbers, present
from neurosym.program import (
    Closest,
    Conjunction,
    Count,
    CountIs,
    Disjunction,
    Everything,
    Exist,
    Farthest,
    Filter,
    Intersect,
    Kind,
    Minus,
    Negation,
    Op,
    Relate,
    RelateAll,
    Select,
    Superlative,
    The,
    TheCount,
    ThePlural,
    Top,
    Union,
)
from neurosym.scene import Scene

MAX_CASES = 256
"""Default bound on the cases that are kept apart for one query."""
# What one batch may hold, in elements of a case's tables: soft batches are padded to the query with
# the most cases, so that large ones waste more than they save.
_CRISP_ELEMENTS = 50_000_000
_SOFT_ELEMENTS = 500_000


# One rule per operator: the value of the step, from the values of its operands.


def _atom(run: Run) -> Value:
    return Value(member=run.batch.atoms[run.number])


def _filter(run: Run) -> Value:
    member = run.member() * run.batch.atoms[run.number]
    return Value(member=member, loose=run.operand().loose)


def _combine(run: Run, member: Tensor) -> Value:
    loose = (run.operand(0).loose, run.operand(1).loose)
    if all(loose):
        run.approximate()
    return Value(member=member, loose=any(loose))


def _intersect(run: Run) -> Value:
    return _combine(run, run.member(0) * run.member(1))


def _union(run: Run) -> Value:
    left, right = run.member(0), run.member(1)
    return _combine(run, left + right - left * right)


def _minus(run: Run) -> Value:
    return _combine(run, run.member(0) * (1.0 - run.member(1)))


def _relate(run: Run) -> Value:
    return _related(run, run.batch.relations[run.number], every=False)


def _relate_all(run: Run) -> Value:
    return _related(run, run.batch.relations[run.number], every=True)


def _related(run: Run, relation: Stacked, *, every: bool) -> Value:
    loose = run.number in run.batch.soft_relations
    landmark = run.operand(1).landmark
    if landmark is not None and run.objects:
        hold = relation.columns(landmark)
        if every:
            # With no landmark but itself it holds of all of them.
            hold = torch.where(at_numbers(landmark, run.objects), 1.0, hold)
    else:
        # Which landmarks there are is common to all objects: known, or an approximation.
        if run.operand(1).loose or not run.settle(1, run.limit.bit_length() - 1):
            run.approximate()
            loose = True
        landmarks = run.probability(run.member(1))
        if every:
            # It holds of all unless it fails of some; itself is not one of them.
            itself = torch.eye(run.objects, device=run.state.device)
            hold = 1.0 - _some_hit(run, (1.0 - relation.rows()) * (1.0 - itself), landmarks)
        else:
            hold = _some_hit(run, relation.rows(), landmarks)
    if loose and run.operand(0).loose:
        run.approximate()
    return Value(member=run.member(0) * hold[..., None], loose=loose or run.operand(0).loose)


def _some_hit(run: Run, matrix: Tensor, landmarks: Tensor) -> Tensor:
    """[Q, K, N] probability that the row of an object hits some landmark.

    Args:
        run: the batch.
        matrix: [Q, N, N].
        landmarks: [Q, K, N] probability of each object to be a landmark.
    """
    if run.batch.crisp:
        return ((landmarks @ matrix.transpose(1, 2)) > 0.5).to(matrix.dtype)
    hits = matrix[:, None] * landmarks[:, :, None, :]
    groups = run.batch.groups
    if groups is not None:
        totals = hits @ groups.same[:, None]
        hits = torch.where(groups.first[:, None], totals, torch.zeros_like(totals))
    return 1.0 - (1.0 - hits).clamp(0.0, 1.0).prod(-1)


def _closest(run: Run) -> Value:
    return _by_distance(run, run.op(Closest).rank, 1.0)


def _farthest(run: Run) -> Value:
    return _by_distance(run, run.op(Farthest).rank, -1.0)


def _by_distance(run: Run, rank: int, sign: float) -> Value:
    distances = run.batch.distances
    landmark = run.operand(1).landmark
    if not run.objects or distances is None:
        return run.operand(0)
    if landmark is not None:
        key = distances.columns(landmark)
        key = key.masked_fill(at_numbers(landmark, run.objects), torch.inf)
    else:
        if run.operand(1).loose:
            run.approximate()
        run.settle(1, run.objects)
        there = run.probability(run.member(1)) > 0.5
        itself = torch.eye(run.objects, dtype=torch.bool, device=run.state.device)
        usable = there[:, :, None, :] & ~itself
        key = distances.rows()[:, None].masked_fill(~usable, torch.inf).amin(-1)
    eligible = key.isfinite()
    key = torch.where(eligible, sign * key, torch.inf)
    return _ranked(run, run.decisive(0) * eligible[..., None], key, rank)


def _superlative(run: Run) -> Value:
    op = run.op(Superlative)
    return _ranked(run, run.decisive(), run.batch.keys[run.number], op.rank)


def _top(run: Run) -> Value:
    op = run.op(Top)
    return _ranked(run, run.decisive(), run.batch.keys[run.number], op.count, whole=True)


def _ranked(run: Run, member: Tensor, key: Tensor, rank: int, *, whole: bool = False) -> Value:
    """The members with exactly ``rank`` - 1 others ahead; with ``whole``, at most that many."""
    loose = run.operand().loose
    if not run.objects:
        return run.operand()
    ranking = run.rank(member, key, rank)
    last, places = ranking.last[..., None], ranking.places
    key = ranking.key.expand(-1, last.shape[1], -1)
    order = places.expand_as(key).argsort(-1)
    end = run.objects - 1
    level = key.gather(-1, order.gather(-1, last.clamp_max(end)))
    exhausted = last > end
    known = ranking.found
    tied = (key == level) & (places > last) & ~exhausted
    if not whole:
        known = known & (places == last)
        if rank > 1:
            ahead = key.gather(-1, order.gather(-1, ranking.before[..., None].clamp(0, end)))
            known, tied = known & (ahead != level), tied & (ahead != level)
    return Value(
        member=torch.where(known[..., None], 1.0, ranking.member * tied[..., None]), loose=loose
    )


def _the(run: Run) -> Value:
    if run.is_root:
        # No later step asks which case it is.
        return Value(marginal=run.referent(run.decisive()))
    (landmark,) = run.only(run.decisive())
    return Value(member=_only_these(at_numbers(landmark, run.objects)), landmark=landmark)


def _the_count(run: Run) -> Value:
    op = run.op(TheCount)
    ranking = run.rank(run.decisive(), _any_order(run), op.count - 1)
    run.fail((ranking.last >= run.objects).to(run.weight.dtype))
    remaining = ranking.member * (ranking.places > ranking.last[..., None])[..., None]
    found = ranking.found
    landmark, found = run.only(remaining, found)
    return Value(member=_only_these(found | at_numbers(landmark, run.objects)))


def _only_these(objects: Tensor) -> Tensor:
    """Membership [Q, K, N, 1] of objects [Q, K, N] that are known to exist in each case."""
    return objects[..., None].float()


def _any_order(run: Run) -> Tensor:
    """A key [Q, 1, N] for when the order does not matter."""
    return torch.arange(run.objects, device=run.state.device).expand(len(run.plans), 1, -1)


def _the_plural(run: Run) -> Value:
    member = run.decisive()
    empty = none_of(run.probability(member), run.batch.groups)
    if run.batch.crisp:
        run.fail(empty)
        return run.operand()
    if run.is_root:
        # Nothing else depends on the case, and being in implies that the set is not empty.
        run.none = run.none + (run.weight * empty).sum(1)
        return run.operand()
    loose = run.operand().loose
    ranking = run.rank(member, _any_order(run), 1)
    run.fail((ranking.last >= run.objects).to(run.weight.dtype))
    found = ranking.found[..., None]
    return Value(member=torch.where(found, 1.0, ranking.member), loose=loose)


def _count(run: Run) -> Value:
    return Value(number=count_distribution(run.probability(run.decisive()), run.batch.groups))


def _exist(run: Run) -> Value:
    member = run.decisive()
    if run.is_root or run.batch.crisp:
        return Value(truth=1.0 - none_of(run.probability(member), run.batch.groups))
    ranking = run.rank(member, _any_order(run), 1)
    return Value(truth=ranking.found.any(-1).to(run.weight.dtype))


def _count_is(run: Run) -> Value:
    op = run.op(CountIs)
    member = run.decisive()
    if not run.is_root:
        if run.operand().loose or not run.settle(0, run.limit.bit_length() - 1):
            run.approximate()
        member = present(run.operand().member)
    counts = count_distribution(run.probability(member), run.batch.groups)
    holds = [op.comparison.holds(count, op.number) for count in range(counts.shape[-1])]
    return Value(truth=counts[..., torch.tensor(holds, device=counts.device)].sum(-1))


def _negation(run: Run) -> Value:
    return Value(truth=1.0 - present(run.operand().truth))


def _conjunction(run: Run) -> Value:
    return Value(truth=present(run.operand(0).truth) * present(run.operand(1).truth))


def _disjunction(run: Run) -> Value:
    left, right = present(run.operand(0).truth), present(run.operand(1).truth)
    return Value(truth=left + right - left * right)


class TensorExecutor(Executor):
    """Runs programs on soft or crisp scenes with torch, where the scenes' arrays lie.

    Args:
        max_cases: bound on the cases kept apart for one query; what is dropped is reported as
            ``unexplored``, and the rest renormalised.
        trace: whether outcomes carry the value of every step.
        max_nodes: bound on the size of a program.
        max_objects: bound on the size of a scene.
        seconds: bound on the time of one call; it is looked at before every step.
    """

    name = "tensor"
    rules: ClassVar[Mapping[type[Op], Callable[[Run], Value]]] = {
        Everything: _atom,
        Select: _atom,
        Filter: _filter,
        Relate: _relate,
        RelateAll: _relate_all,
        Closest: _closest,
        Farthest: _farthest,
        Superlative: _superlative,
        Top: _top,
        Intersect: _intersect,
        Union: _union,
        Minus: _minus,
        The: _the,
        ThePlural: _the_plural,
        TheCount: _the_count,
        Count: _count,
        Exist: _exist,
        CountIs: _count_is,
        Negation: _negation,
        Conjunction: _conjunction,
        Disjunction: _disjunction,
    }

    def __init__(
        self,
        *,
        max_cases: int = MAX_CASES,
        trace: bool = True,
        max_nodes: int = MAX_NODES,
        max_objects: int = MAX_OBJECTS,
        seconds: float = MAX_SECONDS,
    ) -> None:
        super().__init__(max_nodes=max_nodes, max_objects=max_objects, seconds=seconds)
        if max_cases < 1:
            raise ExecutionError(f"max_cases must be at least 1, not {max_cases}")
        self.max_cases = max_cases
        self.trace = trace

    def run_many(self, programs: Sequence[Op], scenes: Sequence[Scene]) -> list[Outcome]:
        """See :meth:`Executor.run_many`. Plans of one shape run as one batch."""
        self.check(programs, scenes)
        deadline = Deadline(self.seconds)
        plans = [plan(program) for program in programs]
        crisp = {id(scene): scene.is_crisp for scene in scenes}
        batches: dict[tuple[Hashable, bool], list[int]] = defaultdict(list)
        for number, (steps, scene) in enumerate(zip(plans, scenes, strict=True)):
            batches[steps.shape, crisp[id(scene)]].append(number)
        outcomes: dict[int, Outcome] = {}
        for (_, is_crisp), numbers in batches.items():
            size = max(len(scenes[n]) for n in numbers)
            share = size * max(size, 8) * (1 if is_crisp else self.max_cases)
            most = max(1, (_CRISP_ELEMENTS if is_crisp else _SOFT_ELEMENTS) // max(1, share))
            for start in range(0, len(numbers), most):
                part = numbers[start : start + most]
                found = self._run_batch(
                    deadline, [plans[n] for n in part], [scenes[n] for n in part], is_crisp
                )
                outcomes.update(zip(part, found, strict=True))
        return [outcomes[number] for number in range(len(programs))]

    def _run_batch(
        self, deadline: Deadline, plans: Sequence[Plan], scenes: Sequence[Scene], crisp: bool
    ) -> list[Outcome]:
        run = Run(encode(plans, scenes, crisp), plans, self.max_cases)
        steps: list[list[Step]] = [[] for _ in plans]
        for number, step in enumerate(plans[0].steps):
            deadline.check()
            run.number = number
            value = self.rule(step.op)(run)
            run.values.append(value)
            if self.trace:
                for query, made in enumerate(_steps(run, value, scenes)):
                    steps[query].append(made)
        return _outcomes(run, steps)


def _means(run: Run, value: Value) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """The value averaged over cases: objects [Q, N], number [Q, N + 1], truth [Q]."""
    explored = (1.0 - run.lost).clamp_min(SETTLED)
    weight = run.weight / explored[:, None]
    if value.marginal is not None:
        return value.marginal / explored[:, None], None, None
    if value.member is not None:
        return (weight[..., None] * run.probability(value.member)).sum(1), None, None
    if value.number is not None:
        return None, (weight[..., None] * value.number).sum(1), None
    return None, None, (weight * present(value.truth)).sum(1)


def _steps(run: Run, value: Value, scenes: Sequence[Scene]) -> list[Step]:
    objects, number, truth = _means(run, value)
    explored = (1.0 - run.lost).clamp_min(SETTLED)
    none, many = (run.none / explored).tolist(), (run.many / explored).tolist()
    exact = run.number not in run.inexact
    made = []
    for query, scene in enumerate(scenes):
        op = run.plans[query].steps[run.number].op
        own = None if objects is None else objects[query, : len(scene)]
        made.append(
            Step(
                op,
                objects=own,
                number=None if number is None else number[query, : len(scene) + 1],
                truth=None if truth is None else float(truth[query]),
                none=none[query],
                many=many[query],
                exact=exact,
                note=_note(op, scene, own, exact),
            )
        )
    return made


def _note(op: Op, scene: Scene, objects: Tensor | None, exact: bool) -> str:
    notes = [] if exact else ["depends on several objects together"]
    if isinstance(op, Filter) and objects is not None:
        blind = int(((objects > 0.02) & ~scene.attribute(op.attribute).evidence).sum())
        if blind:
            counted = "1 object" if blind == 1 else f"{blind} objects"
            notes.append(f"the {op.attribute} of {counted} could not be seen")
    if isinstance(op, Select) and op.category in scene.concepts:
        concept = scene.concepts[op.category]
        if concept.approximate:
            notes.append(f"'{op.category}' is read as {' or '.join(concept.categories)}")
    if isinstance(op, Relate | RelateAll) and scene.relation(op.relation).approximate:
        said, source = op.relation.replace("_", " "), scene.relation(op.relation).source
        notes.append(f"'{said}' is only estimated ({source})")
    return "; ".join(notes)


def _outcomes(run: Run, steps: Sequence[Sequence[Step]]) -> list[Outcome]:
    value = run.values[-1]
    root = run.plans[0].steps[-1].op
    objects, number, truth = _means(run, value)
    explored = (1.0 - run.lost).clamp_min(SETTLED)
    none = run.none / explored
    empty = torch.zeros_like(none)
    if root.returns is Kind.OBJECTS and not isinstance(root, ThePlural):
        nothing = none_of(run.probability(present(value.member)), run.batch.groups)
        empty = (run.weight * nothing).sum(1) / explored
    many = run.many / explored
    made = []
    for query, count in enumerate(run.batch.counts):
        made.append(
            Outcome(
                root.returns,
                objects=None if objects is None else objects[query, :count],
                number=None if number is None else number[query, : count + 1],
                truth=None if truth is None else float(truth[query]),
                none=float(none[query] + empty[query]),
                many=float(many[query]),
                empty=float(empty[query]),
                exact=not run.inexact,
                unexplored=float(run.lost[query]),
                steps=tuple(steps[query]),
            )
        )
    return made
