"""The state of a batch while the tensor executor evaluates its steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import torch
from torch import Tensor

from neurosym.executors.branches import (
    Choice,
    choose,
    condition,
    next_in_order,
    none_of,
    one_of,
    take_cases,
)
from neurosym.executors.encode import Encoded
from neurosym.executors.plan import Plan
from neurosym.program import Op

_Operator = TypeVar("_Operator", bound=Op)
SETTLED = 1e-6
"""Probabilities closer to 0 or 1 than this count as known."""
MOST_ELEMENTS = 100_000_000
"""Most elements of one [Q, K, N, N] tensor: with many objects fewer cases are kept apart."""


@dataclass(frozen=True)
class Value:
    """The value of a step in every case. Shapes as in :mod:`executors.branches`.

    Attributes:
        member: [Q, K or 1, N, C or 1] membership of an object in this cell, for sets.
        landmark: [Q, K] the referent's object number, for referents.
        number: [Q, K, N + 1] probability of each count.
        truth: [Q, K] probability of yes.
        marginal: [Q, N] probability of each object to be the referent, of a root.
        loose: whether membership depends on more than the object's own state, so that using it
            twice, or together with other loose sets, is an approximation.
    """

    member: Tensor | None = None
    landmark: Tensor | None = None
    number: Tensor | None = None
    truth: Tensor | None = None
    marginal: Tensor | None = None
    loose: bool = False

    def take(self, parent: Tensor) -> Value:
        """The value after a split into new cases."""

        def moved(values: Tensor | None) -> Tensor | None:
            return None if values is None else take_cases(values, parent)

        return replace(
            self,
            member=moved(self.member),
            landmark=moved(self.landmark),
            number=moved(self.number),
            truth=moved(self.truth),
        )


@dataclass(frozen=True)
class Ranking:
    """The objects of a set in order, as far as they were looked for.

    Attributes:
        member: [Q, K, N, C] the set, in the cases after the split.
        found: [Q, K, N] bool, the objects found.
        key: [Q, K or 1, N] what was ranked by, ascending.
        places: [Q, K or 1, N] the position of every object.
        last: [Q, K] the position of the object found last; N where the set was exhausted.
        before: [Q, K] the position of the one found before it, -1 in the first round.
    """

    member: Tensor
    found: Tensor
    key: Tensor
    places: Tensor
    last: Tensor
    before: Tensor


class Run:
    """The state of one batch while its steps are evaluated.

    Attributes:
        batch: the encoded inputs.
        plans: one per query, all of one shape.
        state: [Q, K, N, C] the objects' states in each case.
        weight: [Q, K] probability of each case.
        none: [Q] probability of having failed with none.
        many: [Q] probability of having failed with many.
        lost: [Q] probability of the cases that were dropped.
        values: the value of every step so far, always in the cases as they are now.
        inexact: numbers of the steps whose value is an approximation.
        number: the step being evaluated.
    """

    def __init__(self, batch: Encoded, plans: Sequence[Plan], max_cases: int) -> None:
        self.batch = batch
        self.plans = plans
        pairs = len(plans) * batch.state.shape[2] ** 2
        self.limit = 1 if batch.crisp else max(1, min(max_cases, MOST_ELEMENTS // max(1, pairs)))
        self.state = batch.state
        self.weight = torch.ones(batch.state.shape[:2], device=batch.state.device)
        self.none = torch.zeros(len(plans), device=batch.state.device)
        self.many = torch.zeros_like(self.none)
        self.lost = torch.zeros_like(self.none)
        self.values: list[Value] = []
        self.inexact: set[int] = set()
        self.number = 0
        self._loose_used = False

    def op(self, operator: type[_Operator]) -> _Operator:
        """The node being evaluated, of the first plan: the others differ in names only."""
        node = self.plans[0].steps[self.number].op
        if not isinstance(node, operator):
            raise AssertionError(f"{node} is no {operator.name}")
        return node

    @property
    def is_root(self) -> bool:
        """Whether the step being evaluated is the last."""
        return self.number == len(self.plans[0].steps) - 1

    @property
    def objects(self) -> int:
        """N, the padded number of objects."""
        return int(self.state.shape[2])

    def operand(self, index: int = 0) -> Value:
        """The value of an operand in the cases as they are now."""
        return self.values[self.plans[0].steps[self.number].operands[index]]

    def member(self, index: int = 0) -> Tensor:
        """The membership [Q, K or 1, N, C or 1] of an operand that is a set."""
        value = self.operand(index)
        if value.loose and self._loose_used:
            self.approximate()
        return present(value.member)

    def decisive(self, index: int = 0) -> Tensor:
        """The membership of an operand on which the cases from now on depend.

        A loose set is good for this once: it is not updated by what the cases then know.
        """
        member = self.member(index)
        self._loose_used = self._loose_used or self.operand(index).loose
        return member

    def probability(self, member: Tensor) -> Tensor:
        """[Q, K, N] probability of each object to exist and be in a set."""
        return (self.state * member).sum(-1)

    def approximate(self) -> None:
        """Note that the step being evaluated is not exact."""
        self.inexact.add(self.number)

    def split(self, choice: Choice, *carried: Tensor) -> tuple[Tensor, ...]:
        """Go on with new cases; returns what else is ``carried`` in the new cases."""
        self.lost = self.lost + choice.lost
        self.weight = choice.weight
        self.state = take_cases(self.state, choice.parent)
        self.values = [value.take(choice.parent) for value in self.values]
        return tuple(take_cases(tensor, choice.parent) for tensor in carried)

    def know(self, member: Tensor, included: Tensor, excluded: Tensor) -> None:
        """Update the objects' states by which of them are known to be in a set, or not in it."""
        if not self.batch.crisp:
            self.state = condition(self.state, member, included, excluded, self.batch.groups)

    def fail(self, share: Tensor) -> None:
        """Let this share [Q, K] of each case fail, because there is none."""
        self.none = self.none + (self.weight * share).sum(1)
        self.weight = self.weight * (1.0 - share)

    def rank(self, member: Tensor, key: Tensor, rounds: int) -> Ranking:
        """Split on which object of a set comes first, second, ... by ascending key.

        Args:
            member: the set, as of :meth:`member`.
            key: [Q, K or 1, N].
            rounds: how many objects to find.
        """
        order = key.argsort(dim=-1, stable=True)
        places = order.argsort(-1)
        last = torch.full_like(self.weight, -1, dtype=torch.int64)
        before = last
        found = torch.zeros_like(self.state[..., 0], dtype=torch.bool)
        # After every object there is the end of the set; later rounds change nothing.
        for _ in range(min(rounds, self.objects + 1) if self.objects else 0):
            remaining = self.probability(member) * (places > last[..., None])
            first, empty = next_in_order(remaining, order, self.batch.groups)
            options = torch.cat([first, empty[..., None]], -1) * self.weight[..., None]
            choice = choose(options, self.limit)
            member, key, order, places, before, found = self.split(
                choice, member, key, order, places, last, found
            )
            last = choice.position
            passed = (places > before[..., None]) & (places < last[..., None])
            here = places == last[..., None]
            found = found | here
            self.know(member, here, passed)
        return Ranking(member, found, key, places, last, before)

    def only(self, member: Tensor, *carried: Tensor) -> tuple[Tensor, ...]:
        """Split on which object is the only member of a set; cases with none or many fail.

        Returns:
            [Q, K] object numbers, then what else is ``carried`` in the new cases.
        """
        single = self._single(member)
        if not self.objects:
            self.weight = torch.zeros_like(self.weight)
            return torch.zeros_like(self.weight, dtype=torch.int64), *carried
        choice = choose(self.weight[..., None] * single, self.limit)
        member, *carried_on = self.split(choice, member, *carried)
        found = at_numbers(choice.position, self.objects)
        self.know(member, found, ~found)
        return choice.position, *carried_on

    def referent(self, member: Tensor) -> Tensor:
        """[Q, N] probability of each object to be the only member of a set.

        For a root: what is none or many fails, and the cases stay as they were.
        """
        return (self.weight[..., None] * self._single(member)).sum(1)

    def _single(self, member: Tensor) -> Tensor:
        """[Q, K, N] probability, in each case, to be the only member; the rest fails."""
        inside = self.probability(member)
        single = one_of(inside, self.batch.groups)
        empty = none_of(inside, self.batch.groups)
        many = (1.0 - empty - single.sum(-1)).clamp(0.0, 1.0)
        self.none = self.none + (self.weight * empty).sum(1)
        self.many = self.many + (self.weight * many).sum(1)
        return single

    def settle(self, index: int, most: int) -> bool:
        """Split until it is known of every object whether it is in operand ``index``.

        Args:
            index: which operand.
            most: with more uncertain objects than this, give up and change nothing.

        Returns:
            Whether it is settled.
        """
        if self.batch.crisp:
            return True
        member = self.probability(self.member(index))
        uncertain = (member > SETTLED) & (member < 1 - SETTLED)
        uncertain &= self.weight[..., None] > SETTLED
        columns = uncertain.flatten(0, 1).any(0).nonzero().flatten().tolist()
        if len(columns) > most:
            return False
        self.decisive(index)
        for column in columns:
            inside = self.probability(present(self.operand(index).member))[..., column]
            options = torch.stack([inside, 1.0 - inside], -1) * self.weight[..., None]
            choice = choose(options, self.limit)
            self.split(choice)
            here = torch.arange(self.objects, device=self.state.device) == column
            chosen = (choice.position == 0)[..., None]
            self.know(present(self.operand(index).member), here & chosen, here & ~chosen)
        return True


def present(tensor: Tensor | None) -> Tensor:
    """The part of a value that its kind says is there."""
    if tensor is None:
        raise AssertionError("the type check of programs lets no other kind through")
    return tensor


def at_numbers(numbers: Tensor, count: int) -> Tensor:
    """[..., count] bool, True at each number."""
    return torch.arange(count, device=numbers.device) == numbers[..., None]
