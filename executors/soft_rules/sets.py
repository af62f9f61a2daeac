"""Soft rules for sets of objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from neurosym.executors.run import Run, Value
from neurosym.program import (
    ChooseSet,
    Everything,
    Filter,
    Intersect,
    Minus,
    Op,
    Pointed,
    Select,
    Superlative,
    Top,
    Union,
)


def _atom(run: Run) -> Value:
    return Value(member=run.atom())


def _filter(run: Run) -> Value:
    return Value(member=run.member() * run.atom())


def _intersect(run: Run) -> Value:
    return Value(member=run.member(0) * run.member(1))


def _union(run: Run) -> Value:
    left, right = run.member(0), run.member(1)
    return Value(member=left + right - left * right)


def _minus(run: Run) -> Value:
    return Value(member=run.member(0) * (1.0 - run.member(1)))


def _choose_set(run: Run) -> Value:
    # Which of the sets it is depends on all of their members, and so does all that follows.
    run.know_operand(0)
    run.know_operand(1)
    op = run.op(ChooseSet)
    left, right = (run.probability(run.member(index)).sum(-1).round() for index in (0, 1))
    holds = [op.comparison.holds(lead, 0) for lead in range(-run.objects, run.objects + 1)]
    compares = torch.tensor(holds, device=left.device)
    first = compares[(left - right).long() + run.objects]
    second = compares[(right - left).long() + run.objects]
    run.fail_with_many((first == second).to(run.weight.dtype))
    return Value(member=torch.where(first[..., None, None], run.member(0), run.member(1)))


def _superlative(run: Run) -> Value:
    op = run.op(Superlative)
    return ranked(run, run.member(), run.batch.keys[run.number], op.rank)


def _top(run: Run) -> Value:
    op = run.op(Top)
    return ranked(run, run.member(), run.batch.keys[run.number], op.count, whole=True)


def ranked(run: Run, member: Tensor, key: Tensor, rank: int, *, whole: bool = False) -> Value:
    """The members of the first operand with exactly ``rank`` - 1 others ahead.

    Args:
        run: the batch.
        member: the operand's membership, as of :meth:`Run.member`.
        key: [Q, K or 1, N], ascending.
        rank: which place.
        whole: with at most so many ahead instead.
    """
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
    return Value(member=torch.where(known[..., None], 1.0, ranking.member * tied[..., None]))


RULES: Mapping[type[Op], Callable[[Run], Value]] = {
    Everything: _atom,
    Select: _atom,
    Pointed: _atom,
    Filter: _filter,
    Superlative: _superlative,
    Top: _top,
    Intersect: _intersect,
    Union: _union,
    ChooseSet: _choose_set,
    Minus: _minus,
}
