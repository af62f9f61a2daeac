"""The expressions that denote one object alone, cheapest first.

What matters of an expression while it is built is the set that it denotes: of those for one set,
the cheapest few are kept. Landmarks come from the same search one level less deep, once for each
object.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import NamedTuple

from neurosym.generation.facts import Bits, Facts, members
from neurosym.generation.language import Bounds, Cost, Expression, Rank, Tie
from neurosym.program import ORDERS, PLACES

LEAST_RELATED = 5
"""Fewest words of an expression with a relation: "the cup on a table"."""


class _Table:
    """The cheapest expressions for each set of objects."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self.rows: dict[Bits, list[Expression]] = {}

    def takes(self, bits: Bits, cost: Cost) -> bool:
        """Whether an expression of this cost would be among the cheapest for a set."""
        row = self.rows.get(bits, [])
        return len(row) < self._kept or cost < row[-1].cost

    def add(self, bits: Bits, expression: Expression) -> None:
        """Add an expression, if it is among the cheapest for its set."""
        if self.takes(bits, expression.cost):
            row = self.rows.setdefault(bits, [])
            row.append(expression)
            row.sort(key=lambda one: one.cost)
            del row[self._kept :]

    def items(self) -> list[tuple[Bits, Expression]]:
        """Every set with each of its expressions."""
        return [(bits, one) for bits, row in self.rows.items() for one in row]


class _Found(NamedTuple):
    """An expression for one object, of which the rank is not yet part."""

    cost: Cost
    plain: Expression
    rank: Rank | None

    def whole(self) -> Expression:
        return self.plain if self.rank is None else replace(self.plain, rank=self.rank)


class Search:
    """Searches expressions for the objects of one world.

    Args:
        facts: what is known.
        bounds: how far to go.
    """

    def __init__(self, facts: Facts, bounds: Bounds) -> None:
        self._facts = facts
        self._bounds = bounds
        self._landmarks = cache(self._find_landmark)
        self._indefinite = cache(self._find_indefinite)

    def expressions(self, index: int) -> Iterator[Expression]:
        """What denotes an object and nothing else, by cost.

        Relations are looked at when everything shorter than the shortest expression with one
        has been given.
        """
        depth = self._bounds.depth
        if not self._facts.existing >> index & 1:
            return
        table = self._plain(index)
        held = self._exact(index, table, depth)
        if depth and self._bounds.relations:
            yield from self._shorter(held, LEAST_RELATED)
            ties = list(self._ties(index, depth))
            for number in range(self._bounds.relations if ties else 0):
                table = self._tied(table, ties)
                held += self._exact(index, table, depth)
                held.sort(key=lambda one: one.cost)
                if number + 1 < self._bounds.relations:
                    # The next relation adds at least as many words as the shortest one.
                    least = 2 + (number + 2) * min(tie.cost.words for _, tie in ties)
                    yield from self._shorter(held, least)
        yield from self._shorter(held, self._bounds.words + 1)

    @staticmethod
    def _shorter(held: list[_Found], words: int) -> Iterator[Expression]:
        """Take what has fewer words than that from the front of a sorted list."""
        short = [found for found in held if found.cost.words < words]
        del held[: len(short)]
        for found in short:
            yield found.whole()

    def _plain(self, index: int) -> _Table:
        """The nouns for an object with any of its values, by what they denote."""
        table = _Table(self._bounds.kept)
        for noun, bits in self._facts.nouns.items():
            if bits >> index & 1:
                table.add(bits, Expression(noun))
        for said, holds in self._facts.values.items():
            if holds >> index & 1:
                for bits, one in table.items():
                    if bits & holds != bits:
                        table.add(bits & holds, replace(one, filters=(*one.filters, said)))
        return table

    def _exact(self, index: int, table: _Table, depth: int) -> list[_Found]:
        """The expressions of a table, with or without a rank, that denote one object; sorted."""
        alone = 1 << index
        found: list[_Found] = []
        for bits, row in table.rows.items():
            ranks = [None] if bits == alone else list(self._ranks(index, bits, depth))
            for one in row:
                for rank in ranks:
                    cost = one.cost if rank is None else one.cost.plus(rank.cost)
                    found.append(_Found(cost, one, rank))
        found.sort(key=lambda one: one.cost)
        return found

    def _ranks(self, index: int, bits: Bits, depth: int) -> Iterator[Rank]:
        for order in ORDERS:
            rank = self._facts.place_in(order, index, bits)
            if rank is not None and rank <= self._bounds.rank:
                yield Rank(order, rank)
        if depth < 1:
            return
        for landmark in members(self._facts.existing & ~(1 << index)):
            for order in ("closest", "farthest"):
                rank = self._facts.distance_rank(order == "closest", index, bits, landmark)
                if rank is not None and rank <= self._bounds.rank:
                    for one in self._landmarks(landmark, depth - 1):
                        yield Rank(order, rank, one)

    def _ties(self, index: int, depth: int) -> Iterator[tuple[Bits, Tie]]:
        """The relations of an object, with what else stands in them; cheapest first for a set."""
        found: dict[Bits, list[Tie]] = {}
        for bits, tie in self._all_ties(index, depth):
            row = found.setdefault(bits, [])
            row.append(tie)
        for bits, row in found.items():
            row.sort(key=lambda tie: tie.cost)
            for tie in row[: self._bounds.kept]:
                yield bits, tie

    def _all_ties(self, index: int, depth: int) -> Iterator[tuple[Bits, Tie]]:
        related = self._facts.related
        for (relation, inverse, landmark), holds in related.items():
            if holds >> index & 1:
                for one in self._landmarks(landmark, depth - 1):
                    yield holds, Tie(relation, inverse, one, definite=True)
        kinds = {(relation, inverse) for relation, inverse, _ in related}
        for relation, inverse in sorted(kinds):
            for landmarks, one in self._indefinite():
                holds = 0
                for landmark in members(landmarks):
                    holds |= related.get((relation, inverse, landmark), 0)
                if holds >> index & 1:
                    yield holds, Tie(relation, inverse, one, definite=False)

    def _tied(self, table: _Table, ties: list[tuple[Bits, Tie]]) -> _Table:
        """A table with one more relation."""
        made = _Table(self._bounds.kept)
        for bits, one in table.items():
            for holds, tie in ties:
                both, cost = bits & holds, one.cost.plus(tie.cost)
                fits = cost.words <= self._bounds.words and made.takes(both, cost)
                if both != bits and fits:
                    made.add(both, replace(one, ties=(*one.ties, tie)))
        return made

    def _find_landmark(self, index: int, depth: int) -> tuple[Expression, ...]:
        """The cheapest expressions for an object as a landmark."""
        table = self._plain(index)
        found = self._exact(index, table, depth)
        if not found and depth and self._bounds.relations:
            found = self._exact(index, self._tied(table, list(self._ties(index, depth))), depth)
        return tuple(one.whole() for one in found[: self._bounds.kept])

    def _find_indefinite(self) -> tuple[tuple[Bits, Expression], ...]:
        """The categories with at most one value, by what they denote."""
        table = _Table(1)
        for noun, bits in self._facts.nouns.items():
            if noun is None:
                continue
            table.add(bits, Expression(noun))
            for (name, value), holds in self._facts.values.items():
                if name not in PLACES and bits & holds:
                    table.add(bits & holds, Expression(noun, ((name, value),)))
        return tuple(table.items())
