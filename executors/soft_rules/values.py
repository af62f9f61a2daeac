"""Soft rules for what the values of an attribute come to over several objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from neurosym.executors.branches import none_of
from neurosym.executors.run import Run, Value
from neurosym.executors.soft_rules.relations import pin_values, values_in
from neurosym.program import Alike, CommonValue, CountValues, Op, RareValue


def shared_value(run: Run) -> Value:
    """The value that all members of a set have; cases in which there is none fail."""
    share, empty = _shares(run)
    agree = share.sum(-1).clamp(0.0, 1.0)
    some = (1.0 - empty).clamp_min(0.0)
    run.fail(empty)
    run.fail_with_many(_part(some - agree, some))
    return Value(value=_part(share, agree[..., None]))


def _alike(run: Run) -> Value:
    share, empty = _shares(run)
    return Value(truth=(share.sum(-1) + empty).clamp(0.0, 1.0))


def _shares(run: Run) -> tuple[Tensor, Tensor]:
    """[Q, K, V] probability that there are members and all have this value; [Q, K] that of none.

    It has a closed form while objects are independent, which serves the last step alone: for
    later ones the values have to be known.
    """
    if not run.is_root and not run.batch.crisp:
        run.know_operand(0)
        pin_values(run, 0)
    inside = run.probability(run.member())
    empty = none_of(inside, run.batch.groups)
    others = (inside[..., None] - values_in(run, 0)).clamp_min(0.0)
    shares = [none_of(other, run.batch.groups) for other in others.unbind(-1)]
    return (torch.stack(shares, -1) - empty[..., None]).clamp_min(0.0), empty


def _part(share: Tensor, whole: Tensor) -> Tensor:
    """Share of a whole, 0 of nothing."""
    return share / torch.where(whole > 0, whole, torch.ones_like(whole))


def _counted(run: Run) -> Tensor:
    """[Q, K, V] how many members have each value, known in every case."""
    if not run.batch.crisp:
        run.know_operand(0)
        pin_values(run, 0)
    return values_in(run, 0).sum(2)


def _count_values(run: Run) -> Value:
    found = (_counted(run) > 0.5).sum(-1)
    numbers = torch.arange(run.objects + 1, device=found.device)
    return Value(number=(found[..., None] == numbers).to(run.weight.dtype))


def _common_value(run: Run) -> Value:
    counts = _counted(run).round()
    most = counts.amax(-1, keepdim=True)
    return _only_one(run, (counts == most) & (most > 0))


def _rare_value(run: Run) -> Value:
    counts = _counted(run).round()
    there = torch.where(counts > 0, counts, torch.full_like(counts, run.objects + 1))
    return _only_one(run, (counts > 0) & (counts == there.amin(-1, keepdim=True)))


def _only_one(run: Run, found: Tensor) -> Value:
    """The one value [Q, K, V] that is found in a case; cases with none or several fail."""
    first = found.to(run.weight.dtype)
    firsts = first.sum(-1)
    run.fail((firsts < 1).to(run.weight.dtype))
    run.fail_with_many((firsts > 1).to(run.weight.dtype))
    return Value(value=_part(first, firsts[..., None]))


RULES: Mapping[type[Op], Callable[[Run], Value]] = {
    Alike: _alike,
    CountValues: _count_values,
    CommonValue: _common_value,
    RareValue: _rare_value,
}
