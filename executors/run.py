"""The state of a batch while the tensor executor evaluates its steps."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import torch
from torch import Tensor

from neurosym.executors.base import ROUNDING
from neurosym.executors.branches import (
    Choice,
    choose,
    condition,
    next_in_order,
    none_of,
    one_of,
    take_cases,
)
from neurosym.executors.encode import MAX_CELLS, Encoded
from neurosym.executors.plan import Plan
from neurosym.program import Op

_Operator = TypeVar("_Operator", bound=Op)
_Present = TypeVar("_Present")
SETTLED = ROUNDING
"""Probabilities closer to 0 or 1 than this count as known."""
MOST_SETTLED = 12
"""Most uncertain objects of a set that is settled case by case."""
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
        value: [Q, K, V] probability of each value of an attribute.
        marginal: [Q, N] probability of each object to be the referent, of a root.
    """

    member: Tensor | None = None
    landmark: Tensor | None = None
    number: Tensor | None = None
    truth: Tensor | None = None
    value: Tensor | None = None
    marginal: Tensor | None = None

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
            value=moved(self.value),
        )

    def with_twice(self, cells: int) -> Value:
        """The value after every one of so many cells was divided in two."""
        if self.member is None or self.member.shape[-1] != cells or cells == 1:
            return self
        return replace(self, member=self.member.repeat_interleave(2, -1))


@dataclass(frozen=True)
class Bit:
    """Whether a soft relation holds, as a part of each object's state.

    Attributes:
        key: what tells the condition from others: equal keys, equal conditions.
        atoms: the step by whose number :attr:`Plan.atoms` calls the relation.
        backwards: whether the relation is read backwards; None for both ways.
        cells: [C] 1 in the cells in which it holds.
        columns: [Q, K, N] bool, the landmarks whose entries of the relation it depends on.
    """

    key: Hashable
    atoms: int
    backwards: bool | None
    cells: Tensor
    columns: Tensor


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
        inexact: for each query, step whose value is an approximation -> the steps whose atoms are
            shared.
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
        self.inexact: list[dict[int, frozenset[int]]] = [{} for _ in plans]
        self.number = 0
        self._bits: list[Bit] = []

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
        return present(self.operand(index).member)

    def atom(self) -> Tensor:
        """[Q, 1, N or 1, C or 1] what the step being evaluated names."""
        return self._in_cells(self.batch.atoms[self.number])

    def attribute_values(self, number: int | None = None) -> Tensor:
        """[Q, 1, N or 1, V, C] which value an object has, for this step or an earlier one."""
        return self._in_cells(self.batch.values[self.number if number is None else number])

    def alike(self) -> Tensor:
        """[Q, 1, N or 1, V, C] what is like a landmark with a value, for this step."""
        return self._in_cells(self.batch.alike[self.number])

    def _in_cells(self, table: Tensor) -> Tensor:
        """A table over the cells that there were at first, over those that there are now."""
        if table.shape[-1] == 1:
            return table
        return table.repeat_interleave(self.state.shape[-1] // table.shape[-1], -1)

    def probability(self, member: Tensor) -> Tensor:
        """[Q, K, N] probability of each object to exist and be in a set."""
        return (self.state * member).sum(-1)

    def approximate(self, where: Tensor, *shared: int) -> None:
        """Note that the step being evaluated is not exact, for these steps' atoms are shared.

        Args:
            where: [Q] bool, the queries of which that is so.
            shared: numbers of the steps.
        """
        for query in where.nonzero().flatten().tolist():
            before = self.inexact[query].get(self.number, frozenset())
            self.inexact[query][self.number] = before.union(shared)

    def likely(self, holds: Tensor) -> Tensor:
        """[Q, ...] bool, whether [Q, K, ...] bool holds in cases that are not negligible."""
        weight = self.weight.detach().reshape(*self.weight.shape, *[1] * (holds.dim() - 2))
        return (weight * holds).sum(1) > SETTLED

    def know_operand(self, index: int) -> None:
        """See to it that an operand that all objects depend on is known in every case.

        When it is uncertain in too many ways, the step is an approximation.
        """
        if self.operand(index).landmark is None:
            operand = self.plans[0].steps[self.number].operands[index]
            self.approximate(~self.settle(index), operand)

    def hold(self, held: Tensor, columns: Tensor) -> Tensor:
        """Membership in the set of objects of which a soft condition holds.

        It becomes a part of the objects' states, so that sets that depend on it may be combined
        in any way. What it depends on must be independent for different objects.

        Args:
            held: [Q, K, N] probability that it holds of an object.
            columns: [Q, K, N] bool, the landmarks whose entries of the step's relation it
                depends on.

        Returns:
            [Q, K, N, 1] or [1, 1, 1, C].
        """
        plain = held[..., None]
        if self.batch.crisp:
            return plain
        step = self.plans[0].steps[self.number]
        relation = self.plans[0].atoms[self.number]
        backwards = self.plans[0].backwards[self.number]
        key = (step.kind, step.operands[1:], relation, backwards)
        # What is certain tells nothing of the relation's entries.
        uncertain = ((held > SETTLED) & (held < 1.0 - SETTLED)).any(-1, keepdim=True)
        columns = columns & uncertain
        if self.number in self.batch.soft_relations:
            for bit in self._bits:
                if bit.key == key:
                    return bit.cells.expand(1, 1, 1, -1)
            self._look_for_clashes(columns, backwards)
        elif not bool(uncertain.any()):
            return plain
        cells = self.state.shape[-1]
        if self.is_root:
            return plain
        if 2 * cells > MAX_CELLS:
            self.approximate(self.likely(uncertain[..., 0]), relation)
            return plain
        self.state = torch.stack([self.state * plain, self.state * (1.0 - plain)], -1).flatten(-2)
        self.values = [value.with_twice(cells) for value in self.values]
        self._bits = [replace(b, cells=b.cells.repeat_interleave(2)) for b in self._bits]
        inside = torch.tensor([1.0, 0.0], device=held.device).repeat(cells)
        self._bits.append(Bit(key, relation, backwards, inside, columns))
        return inside.expand(1, 1, 1, -1)

    def _look_for_clashes(self, columns: Tensor, backwards: bool | None) -> None:
        relation = self.plans[0].atoms[self.number]
        for bit in self._bits:
            if bit.atoms != relation:
                continue
            if {bit.backwards, backwards} == {True, False}:
                # The rows of some objects and the columns of any others cross.
                clash = bit.columns.any(-1) & columns.any(-1)
            else:
                clash = (bit.columns & columns).any(-1)
            self.approximate(self.likely(clash), relation)

    def settle_links(self, inside: Tensor) -> Tensor:
        """Split until it is known which objects the step's relation links, in either direction.

        Args:
            inside: [Q, K, N] bool, the objects that matter.

        Returns:
            [Q, K, N, N] bool. With too many uncertain links the step is an approximation, and
            the likelier outcome of each is taken.
        """
        relation = self.batch.relations[self.number].rows()[:, None]
        linked = 1.0 - (1.0 - relation) * (1.0 - relation.transpose(-1, -2))
        pairs = inside[..., None, :] & inside[..., :, None]
        open_links = pairs & (linked > SETTLED) & (linked < 1.0 - SETTLED)
        listed = self.likely(open_links).triu(1)
        if not bool(listed.any()):
            return pairs & (linked > 0.5)
        columns = inside & open_links.any(-1)
        self._look_for_clashes(columns, None)
        settled = listed.flatten(1).sum(1) <= MOST_SETTLED
        self.approximate(~settled, self.plans[0].atoms[self.number])
        known = pairs & (linked > torch.where(settled, 1.0 - SETTLED, 0.5)[:, None, None, None])
        for one, other in (listed & settled[:, None, None]).any(0).nonzero().tolist():
            share = linked[..., one, other] * pairs[..., one, other] * settled[:, None]
            options = torch.stack([share, 1.0 - share], -1) * self.weight[..., None]
            choice = choose(options, self.limit)
            known, pairs, columns = self.split(choice, known, pairs, columns)
            holds = choice.position == 0
            known = known.expand(-1, holds.shape[1], -1, -1).clone()
            known[..., one, other] = known[..., other, one] = holds | known[..., one, other]
        key = (self.number, "links")
        cells = torch.ones(self.state.shape[-1], device=inside.device)
        self._bits.append(Bit(key, self.plans[0].atoms[self.number], None, cells, columns))
        return known

    def split(self, choice: Choice, *carried: Tensor) -> tuple[Tensor, ...]:
        """Go on with new cases; returns what else is ``carried`` in the new cases."""
        self.lost = self.lost + choice.lost
        self.weight = choice.weight
        # Later steps look up single objects in it, case by case.
        cases = choice.parent.shape[1]
        self.state = take_cases(self.state, choice.parent).expand(-1, cases, -1, -1)
        self.values = [value.take(choice.parent) for value in self.values]
        self._bits = [
            replace(bit, columns=take_cases(bit.columns, choice.parent)) for bit in self._bits
        ]
        return tuple(take_cases(tensor, choice.parent) for tensor in carried)

    def know(self, member: Tensor, included: Tensor, excluded: Tensor) -> None:
        """Update the objects' states by which of them are known to be in a set, or not in it."""
        if not self.batch.crisp:
            self.state = condition(self.state, member, included, excluded, self.batch.groups)

    def fail_with_many(self, share: Tensor) -> None:
        """Let this share [Q, K] of each case fail, because there are many."""
        self.many = self.many + (self.weight * share).sum(1)
        self.weight = self.weight * (1.0 - share)

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
        # A set without objects is exhausted at once.
        start = -1 if self.objects else 0
        last = torch.full_like(self.weight, start, dtype=torch.int64)
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

    def settle(self, index: int | None, most: int = MOST_SETTLED) -> Tensor:
        """Split until it is known of every object whether it is in an operand.

        Args:
            index: which operand; None for the objects that exist.
            most: with more uncertain objects than this, give up and change nothing.

        Returns:
            [Q] bool, for which queries it is settled.
        """
        if self.batch.crisp:
            return torch.ones_like(self.none, dtype=torch.bool)
        inside = self.probability(self._settling(index))
        uncertain = self.likely((inside > SETTLED) & (inside < 1 - SETTLED))
        settled = uncertain.sum(-1) <= most
        for column in (uncertain & settled[:, None]).any(0).nonzero().flatten().tolist():
            inside = self.probability(self._settling(index))[..., column] * settled[:, None]
            options = torch.stack([inside, 1.0 - inside], -1) * self.weight[..., None]
            choice = choose(options, self.limit)
            self.split(choice)
            here = torch.arange(self.objects, device=self.state.device) == column
            here = here & settled[:, None, None]
            chosen = (choice.position == 0)[..., None]
            self.know(self._settling(index), here & chosen, here & ~chosen)
        return settled

    def _settling(self, index: int | None) -> Tensor:
        return torch.ones_like(self.state) if index is None else present(self.operand(index).member)


def present(found: _Present | None) -> _Present:
    """The part of a value or of a batch that the program says is there."""
    if found is None:
        raise AssertionError("the type check of programs lets no other kind through")
    return found


def any_order(run: Run) -> Tensor:
    """A key [Q, 1, N] for when the order does not matter."""
    return torch.arange(run.objects, device=run.state.device).expand(len(run.plans), 1, -1)


def at_numbers(numbers: Tensor, count: int) -> Tensor:
    """[..., count] bool, True at each number."""
    return torch.arange(count, device=numbers.device) == numbers[..., None]
