"""Exact inference by cases.

A scene's objects are independent but for exclusive groups, and each has few states that a program
can tell apart ("cells": a category and attribute values). While that holds, sets that depend on
each object's own state alone have closed forms. It stops to hold once something is known of
several objects together, as after "the fork" (this one is a fork and no other is). So the
executor splits into cases there: in each case the landmark is known, and the objects' states are
again independent, with updated probabilities. Cases are tensors along one axis.

Shapes: Q queries, K cases (1 where all cases share a value), N objects, C cells. The state of an
object is "does not exist" or one of the C cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_NEGLIGIBLE = 1e-8
"""What may be dropped at each split, all together."""
_TINY = 1e-30


@dataclass(frozen=True)
class Groups:
    """Which objects exclude each other.

    Attributes:
        same: [Q, N, N] float, 1 where two objects share a group (also of an object with itself).
        first: [Q, 1, N] bool, the first member of each group.
    """

    same: Tensor
    first: Tensor

    @staticmethod
    def of(numbers: Tensor) -> Groups:
        """From group numbers [Q, N]."""
        same = numbers[:, :, None] == numbers[:, None, :]
        count = numbers.shape[1]
        earlier = torch.ones(count, count, dtype=torch.bool, device=numbers.device).tril(-1)
        return Groups(same.float(), ~(same & earlier).any(-1)[:, None, :])


@dataclass(frozen=True)
class Choice:
    """A split into new cases.

    Attributes:
        parent: [Q, K'] which old case each new case comes from.
        position: [Q, K'] the position in the order that was chosen, N when the set was exhausted.
        weight: [Q, K'] probability of the new case.
        lost: [Q] probability of the cases that were dropped.
    """

    parent: Tensor
    position: Tensor
    weight: Tensor
    lost: Tensor


def _divisor(values: Tensor) -> Tensor:
    """What to divide by: 1 in place of 0, so that neither quotients nor gradients overflow."""
    return torch.where(values > _TINY, values, torch.ones_like(values))


def group_total(values: Tensor, groups: Groups | None) -> Tensor:
    """[.., N] -> [.., N]: for each object the sum over its group."""
    return values if groups is None else values @ groups.same


def merged(member: Tensor, groups: Groups | None) -> Tensor:
    """[Q, .., N] -> same: each group's total at its first object, 0 at the others, at most 1."""
    if groups is None:
        return member
    totals = member @ _spread(groups.same, member)
    first = _spread(groups.first, member)
    return torch.where(first, totals, torch.zeros_like(member)).clamp(0.0, 1.0)


def _spread(table: Tensor, like: Tensor) -> Tensor:
    """[Q, a, b] with axes of size 1 after the first, for as many axes as ``like`` has."""
    extra = [1] * (like.dim() - table.dim())
    return table.reshape(table.shape[0], *extra, *table.shape[1:])


def none_of(member: Tensor, groups: Groups | None) -> Tensor:
    """Probability that no object is in, from each object's probability [Q, K, N] -> [Q, K]."""
    return (1.0 - merged(member, groups)).prod(-1)


def one_of(member: Tensor, groups: Groups | None) -> Tensor:
    """Probability that exactly this object is in and no other: [Q, K, N] -> [Q, K, N]."""
    return member * none_of_the_others(member, groups)


def next_in_order(member: Tensor, order: Tensor, groups: Groups | None) -> tuple[Tensor, Tensor]:
    """Which object of a set comes first in an order.

    Args:
        member: [Q, K, N] probability of each object to be in the set.
        order: [Q, K or 1, N] object numbers, first to last.
        groups: exclusive groups.

    Returns:
        [Q, K, N] probability that the object at each *position* is in and none before it is;
        [Q, K] probability that the set is empty.
    """
    at = member.gather(-1, order.expand(member.shape))
    hazard = at
    if groups is not None:
        # Given that no earlier member of its group is in, an object is in with q / (1 - earlier):
        # a ratio of at most 1, whatever the rounding.
        count = member.shape[-1]
        rows = order.expand(member.shape)
        same = groups.same[:, None].expand(*rows.shape[:2], count, count)
        same = same.gather(-2, rows[..., :, None].expand(*rows.shape, count))
        same = same.gather(-1, rows[..., None, :].expand(*rows.shape, count))
        earlier = (same.tril(-1) * at[..., None, :]).sum(-1)
        hazard = (at / _divisor(1.0 - earlier)).clamp(0.0, 1.0)
    rest = 1.0 - hazard
    ones = torch.ones_like(rest[..., :1])
    passed = torch.cat([ones, rest], -1).cumprod(-1)
    return hazard * passed[..., :-1], passed[..., -1]


def choose(weights: Tensor, limit: int) -> Choice:
    """Keep the likeliest cases.

    Args:
        weights: [Q, K, options] joint probability of each old case and option.
        limit: most cases to keep for a query.
    """
    options = weights.shape[-1]
    flat = weights.flatten(1)
    top, index = flat.topk(max(1, min(limit, flat.shape[1])), dim=1)
    if limit > 1 and top.shape[1] > 1:
        # What is left after the first so many, counted from the smallest up.
        rest = top.detach().flip(1).cumsum(1).flip(1)
        keep = max(1, int((rest > _NEGLIGIBLE).sum(1).max()))
        top, index = top[:, :keep], index[:, :keep]
    lost = (flat.sum(1) - top.sum(1)).clamp_min(0.0)
    return Choice(index // options, index % options, top, lost)


def take_cases(values: Tensor, parent: Tensor) -> Tensor:
    """Rearrange the case axis [Q, K, ...] to [Q, K', ...]; a shared value stays shared."""
    if values.shape[1] == 1:
        return values
    index = parent.reshape(*parent.shape, *([1] * (values.dim() - 2)))
    return values.gather(1, index.expand(*parent.shape, *values.shape[2:]))


def condition(
    state: Tensor,
    member: Tensor,
    included: Tensor,
    excluded: Tensor,
    groups: Groups | None,
) -> Tensor:
    """The objects' states once it is known which are in a set.

    Args:
        state: [Q, K, N, C] probability that the object exists in this cell.
        member: [Q, K or 1, N, C or 1] membership of an object in this cell, in [0, 1].
        included: [Q, K, N] bool, objects known to be in.
        excluded: [Q, K, N] bool, objects known not to be in.
        groups: exclusive groups.

    Returns:
        The updated [Q, K, N, C]. Where what is known has probability 0 the numbers are
        meaningless but finite; such a case has weight 0.
    """
    inside = state * member
    outside = state - excluded[..., None] * inside
    removed = (excluded[..., None] * inside).sum(-1)
    left = _divisor(1.0 - group_total(removed, groups))
    updated = outside / left[..., None]
    if groups is not None:
        taken = group_total(included.to(state.dtype), groups) > 0
        updated = updated.masked_fill((taken & ~included)[..., None], 0.0)
    total = _divisor(inside.sum(-1, keepdim=True))
    return torch.where(included[..., None], inside / total, updated).clamp(0.0, 1.0)


def count_distribution(member: Tensor, groups: Groups | None, most: int | None = None) -> Tensor:
    """Poisson-binomial over groups: [Q, .., N] probabilities -> [Q, .., N + 1] of each count.

    Args:
        member: probability of each object to be counted.
        groups: exclusive groups.
        most: with this, only [Q, .., most + 2]: counts up to ``most``, and all higher ones.
    """
    inside = merged(member, groups)
    size = member.shape[-1] + 1 if most is None else most + 2
    counts = torch.zeros(*member.shape[:-1], size, device=member.device)
    counts[..., 0] = 1.0
    for number in range(member.shape[-1]):
        p = inside[..., number : number + 1]
        moved = torch.cat([torch.zeros_like(p), counts[..., :-1]], -1)
        if most is not None:
            # What is past the end stays there.
            moved = torch.cat([moved[..., :-1], moved[..., -1:] + counts[..., -1:]], -1)
        counts = counts * (1.0 - p) + moved * p
    return counts


def signed_walk(up: Tensor, down: Tensor, groups: Groups | None) -> Tensor:
    """How far one count is ahead of another when every object counts for one, both or neither.

    Args:
        up: [Q, .., N] probability that an object counts for the first only.
        down: [Q, .., N] probability that it counts for the second only.
        groups: exclusive groups; their members' steps exclude each other.

    Returns:
        [Q, .., 2 N + 1] probability of each lead, from -N to N.
    """
    up, down = merged(up, groups), merged(down, groups)
    size = up.shape[-1]
    leads = torch.zeros(*up.shape[:-1], 2 * size + 1, device=up.device)
    leads[..., size] = 1.0
    for number in range(size):
        rise, fall = up[..., number : number + 1], down[..., number : number + 1]
        edge = torch.zeros_like(rise)
        higher = torch.cat([edge, leads[..., :-1]], -1)
        lower = torch.cat([leads[..., 1:], edge], -1)
        leads = leads * (1.0 - rise - fall).clamp(0.0, 1.0) + higher * rise + lower * fall
    return leads


def none_of_the_others(member: Tensor, groups: Groups | None) -> Tensor:
    """Probability, for each object, that no object of another group is in: [Q, .., N] -> same.

    By prefix and suffix products, so that probabilities of exactly 1 need no division.
    """
    factors = 1.0 - merged(member, groups)
    ones = torch.ones_like(factors[..., :1])
    before = torch.cat([ones, factors[..., :-1]], -1).cumprod(-1)
    after = torch.cat([factors[..., 1:], ones], -1).flip(-1).cumprod(-1).flip(-1)
    others: Tensor = before * after
    if groups is not None:
        owner = groups.same * groups.first.float()  # [Q, N, N]: object -> its group's first
        others = others @ _spread(owner.transpose(-1, -2), member)
    return others
