"""The best derivations of a sentence, without ever listing all of them."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TypeAlias

from neurosym.grammar.automaton import Rule, Symbol
from neurosym.grammar.chart import Chart

Node: TypeAlias = "tuple[str, tuple[Node, ...] | int]"
"""A node of a derivation: a phrase by its label with its parts, or the code of a word's class with
the position of the word. Plain tuples, because many are kept, and Python's garbage collector goes
again and again through all objects but such."""
Derivation: TypeAlias = tuple[float, tuple[Node, ...]]
Key: TypeAlias = tuple[Symbol | Rule, int, int, int]
"""A phrase, or the first parts of a rule: how many (0 for a phrase), from where, to where."""


@dataclass(slots=True)
class _Split:
    """One way to make what a key stands for: its last part, and what is before that.

    Attributes:
        rule: the rule.
        before: the parts before the last; None when there are none.
        last: the last part; None for a word.
        word: the last part when it is a word.
    """

    rule: Rule
    before: _Place | None
    last: _Place | None
    word: tuple[Node, ...] = ()


@dataclass(slots=True)
class _Place:
    """The derivations of what a key stands for, found one by one, the cheapest first.

    Attributes:
        key: the phrase, or the first parts of a rule.
        splits: the ways to make it; None until it is asked for.
        found: its derivations so far.
        tried: combinations to be compared with others once their parts are found: a split, and
            the ranks of the derivations before and of the last part.
        ahead: the combinations that can be compared, by their costs.
    """

    key: Key
    splits: list[_Split] | None = None
    found: list[Derivation] = field(default_factory=list)
    tried: list[tuple[int, int, int]] = field(default_factory=list)
    ahead: list[tuple[float, int, int, int]] = field(default_factory=list)


def best_derivations(chart: Chart, start: Symbol, limit: int) -> tuple[tuple[float, Node], ...]:
    """The ``limit`` cheapest derivations of a sentence, cheapest first.

    The cost of a derivation is the sum of the costs of its rules. Of equally dear ones, a rule
    that stands earlier in the grammar comes first, then the one whose last part is shorter, then
    the one whose parts come first among theirs. After the cheapest derivation of every phrase only
    those are worked out that the next one of the sentence needs (Huang and Chiang, "Better k-best
    Parsing", 2005), so the work is bounded by the size of the chart, which is polynomial.
    """
    forest = _Forest(chart, limit)
    root = forest.place((start, 0, 0, len(chart.codes)))
    for rank in range(limit):
        forest.find(root, rank)
    return tuple((cost, nodes[0]) for cost, nodes in root.found)


class _Forest:
    """What the keys of a chart stand for, each place made once."""

    def __init__(self, chart: Chart, limit: int) -> None:
        self._chart = chart
        self._limit = limit
        self._places: dict[Key, _Place] = {}

    def place(self, key: Key) -> _Place:
        known = self._places.get(key)
        if known is None:
            known = self._places[key] = _Place(key)
        return known

    def find(self, place: _Place, rank: int) -> None:
        """Find the derivation of a rank, if there are so many; without recursion."""
        waiting = [(place, rank)]
        while waiting:
            here, wanted = waiting[-1]
            if self._is_known(here, wanted):
                waiting.pop()
                continue
            missing = self._compare(here)
            if missing is not None:
                waiting.append(missing)
            elif here.ahead:
                _take(here)

    def _is_known(self, place: _Place, rank: int) -> bool:
        """Whether a derivation is found, or it is known that there is none."""
        if len(place.found) > rank or rank >= self._limit:
            return True
        return place.splits is not None and not place.tried and not place.ahead

    def _compare(self, place: _Place) -> tuple[_Place, int] | None:
        """Compare what is tried; returns a derivation that has to be found before, if any."""
        if place.splits is None:
            place.splits = self._splits(place.key)
            place.tried += [(index, 0, 0) for index in range(len(place.splits))]
        while place.tried:
            index, left, right = tried = place.tried[-1]
            split = place.splits[index]
            for part, rank in ((split.before, left), (split.last, right)):
                if part is not None and not self._is_known(part, rank):
                    return part, rank
            place.tried.pop()
            cost = 0.0
            for part, rank in ((split.before, left), (split.last, right)):
                if part is None:
                    continue
                if rank >= len(part.found):
                    break
                cost += part.found[rank][0]
            else:
                whole = cost if place.key[1] else cost + split.rule.cost
                heapq.heappush(place.ahead, (whole, *tried))
        return None

    def _splits(self, key: Key) -> list[_Split]:
        what, count, origin, end = key
        if isinstance(what, Rule):
            return self._splits_of(what, count, origin, end)
        rules = self._chart.columns[end].phrases.get((what, origin), ())
        return [
            split
            for rule in sorted(rules, key=lambda rule: rule.number)
            for split in self._splits_of(rule, len(rule.parts), origin, end)
        ]

    def _splits_of(self, rule: Rule, count: int, origin: int, end: int) -> list[_Split]:
        symbol = rule.parts[count - 1]
        if len(symbol) == 1:
            middle = end - 1
            if symbol not in self._chart.codes[middle] or (middle == origin) is not (count == 1):
                return []
            before = self.place((rule, count - 1, origin, middle)) if count > 1 else None
            return [_Split(rule, before, None, ((symbol, middle),))]
        if count == 1:
            return [_Split(rule, None, self.place((symbol, 0, origin, end)))]
        return [
            _Split(
                rule,
                self.place((rule, count - 1, origin, middle)),
                self.place((symbol, 0, middle, end)),
            )
            for middle in sorted(self._chart.columns[end].starts.get(symbol, ()), reverse=True)
            if middle - origin >= count - 1
        ]


def _take(place: _Place) -> None:
    """Add the cheapest of what can be compared, and try what comes next to it."""
    cost, index, left, right = heapq.heappop(place.ahead)
    assert place.splits is not None
    split = place.splits[index]
    nodes = split.word if split.last is None else split.last.found[right][1]
    if split.before is not None:
        nodes = split.before.found[left][1] + nodes
    rule = split.rule
    if not place.key[1] and not rule.inlined and not (rule.transparent and len(nodes) == 1):
        nodes = ((rule.label, nodes),)
    place.found.append((cost, nodes))
    if split.before is not None and right == 0:
        place.tried.append((index, left + 1, 0))
    if split.last is not None:
        place.tried.append((index, left, right + 1))
