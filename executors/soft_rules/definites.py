"""Soft rules for what a text presupposes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from neurosym.executors.branches import none_of
from neurosym.executors.run import Run, Value, any_order, at_numbers
from neurosym.program import FORMS, Op, The, TheCount, TheGroup, ThePlural


def _the(run: Run) -> Value:
    if run.is_root:
        # No later step asks which case it is.
        return Value(marginal=run.referent(run.member()))
    (landmark,) = run.only(run.member())
    return Value(member=_only_these(at_numbers(landmark, run.objects)), landmark=landmark)


def _the_count(run: Run) -> Value:
    op = run.op(TheCount)
    ranking = run.rank(run.member(), any_order(run), op.count - 1)
    run.fail((ranking.last >= run.objects).to(run.weight.dtype))
    remaining = ranking.member * (ranking.places > ranking.last[..., None])[..., None]
    found = ranking.found
    landmark, found = run.only(remaining, found)
    return Value(member=_only_these(found | at_numbers(landmark, run.objects)))


def _only_these(objects: Tensor) -> Tensor:
    """Membership [Q, K, N, 1] of objects [Q, K, N] that are known to exist in each case."""
    return objects[..., None].float()


def _the_plural(run: Run) -> Value:
    member = run.member()
    empty = none_of(run.probability(member), run.batch.groups)
    if run.batch.crisp:
        run.fail(empty)
        return run.operand()
    if run.is_root:
        # Nothing else depends on the case, and being in implies that the set is not empty.
        run.none = run.none + (run.weight * empty).sum(1)
        return run.operand()
    ranking = run.rank(member, any_order(run), 1)
    run.fail((ranking.last >= run.objects).to(run.weight.dtype))
    found = ranking.found[..., None]
    return Value(member=torch.where(found, 1.0, ranking.member))


def _the_group(run: Run) -> Value:
    form = FORMS[run.op(TheGroup).form]
    if not run.objects:
        run.fail(torch.ones_like(run.weight))
        return run.operand()
    run.settle(0, run.objects)
    links = run.settle_links(run.probability(run.member()) > 0.5)
    inside = run.probability(run.member()) > 0.5
    reach = links | torch.diag_embed(inside)
    for _ in range(run.objects.bit_length()):
        reach = (reach.float() @ reach.float()) > 0.5
    sizes = reach.sum(-1)
    fitting = inside & (sizes >= form.least)
    if form.most is not None:
        fitting &= sizes <= form.most
    # Each member of a group of so many counts for its share of it.
    groups = (fitting / sizes.clamp_min(1)).sum(-1).round()
    run.fail_with_many((groups > 1).to(run.weight.dtype))
    run.fail((groups < 1).to(run.weight.dtype))
    return Value(member=fitting[..., None].float())


RULES: Mapping[type[Op], Callable[[Run], Value]] = {
    The: _the,
    ThePlural: _the_plural,
    TheCount: _the_count,
    TheGroup: _the_group,
}
