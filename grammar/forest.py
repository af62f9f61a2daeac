"""The best derivations of a sentence, without ever listing all of them."""

from __future__ import annotations

from operator import itemgetter
from typing import TypeAlias

from neurosym.grammar.automaton import Rule, Symbol
from neurosym.grammar.chart import Chart

Node: TypeAlias = "tuple[str, tuple[Node, ...] | int]"
"""A node of a derivation: a phrase by its label with its parts, or the code of a word's class with
the position of the word. Plain tuples, because many are kept, and Python's garbage collector goes
again and again through all objects but such."""
Derivation: TypeAlias = tuple[float, tuple[Node, ...]]
Place: TypeAlias = tuple[Symbol | Rule, int, int, int]
"""A phrase, or the first parts of a rule: how many (0 for a phrase), from where, to where."""
Split: TypeAlias = "tuple[Place | None, Place | list[Derivation]]"
"""What is before the last part, if anything, and the last part; for a word, what is known of it."""

_COST = itemgetter(0)


def best_derivations(chart: Chart, start: Symbol, limit: int) -> tuple[tuple[float, Node], ...]:
    """The ``limit`` cheapest derivations of a sentence, cheapest first.

    The cost of a derivation is the sum of the costs of its rules. Of equally dear ones, a rule
    that stands earlier in the grammar comes first, then the one whose last part is shorter. Every
    phrase keeps its ``limit`` cheapest derivations only, so the work is bounded by the size of the
    chart, which is polynomial, not by the number of trees.
    """
    root: Place = (start, 0, 0, len(chart.codes))
    known: dict[Place, list[Derivation]] = {}
    families: dict[Place, list[tuple[Rule, Split]]] = {}
    pending = [root]
    while pending:
        place = pending[-1]
        if place in known:
            pending.pop()
            continue
        parts = families.get(place)
        if parts is None:
            parts = families[place] = _families(chart, place)
            below = [
                part
                for _, split in parts
                for part in split
                if isinstance(part, tuple) and part not in known
            ]
            if below:
                pending += below
                continue
        found: list[Derivation] = []
        for rule, split in parts:
            pairs = _pairs(split, known, limit)
            found += pairs if place[1] else _finished(rule, pairs)
        known[place] = _cheapest(found, limit)
        pending.pop()
    return tuple((cost, nodes[0]) for cost, nodes in known[root])


def _families(chart: Chart, place: Place) -> list[tuple[Rule, Split]]:
    """The ways to split a place into a last part and what is before it."""
    what, count, origin, end = place
    if isinstance(what, Rule):
        return [(what, split) for split in _splits(chart, what, count, origin, end)]
    rules = chart.columns[end].phrases.get((what, origin), ())
    return [
        (rule, split)
        for rule in sorted(rules, key=lambda rule: rule.number)
        for split in _splits(chart, rule, len(rule.parts), origin, end)
    ]


def _splits(chart: Chart, rule: Rule, count: int, origin: int, end: int) -> list[Split]:
    symbol = rule.parts[count - 1]
    if len(symbol) == 1:
        middle = end - 1
        if symbol not in chart.codes[middle] or (middle == origin) is not (count == 1):
            return []
        before: Place | None = (rule, count - 1, origin, middle) if count > 1 else None
        return [(before, [(0.0, ((symbol, middle),))])]
    if count == 1:
        return [(None, (symbol, 0, origin, end))]
    return [
        ((rule, count - 1, origin, middle), (symbol, 0, middle, end))
        for middle in sorted(chart.columns[end].starts.get(symbol, ()), reverse=True)
        if middle - origin >= count - 1
    ]


def _pairs(split: Split, known: dict[Place, list[Derivation]], limit: int) -> list[Derivation]:
    left, right = split
    ends = right if isinstance(right, list) else known[right]
    if left is None:
        return ends
    begins = known[left]
    if len(begins) == 1:
        ((cost, before),) = begins
        return [(cost + b, before + after) for b, after in ends]
    # Both are sorted, so a pair has all pairs of earlier parts before it.
    return [
        (a + b, before + after)
        for rank, (a, before) in enumerate(begins, 1)
        for b, after in ends[: limit // rank]
    ]


def _finished(rule: Rule, parts: list[Derivation]) -> list[Derivation]:
    cost = rule.cost
    if rule.inlined:
        return [(below + cost, nodes) for below, nodes in parts]
    return [
        (
            below + cost,
            nodes if rule.transparent and len(nodes) == 1 else ((rule.label, nodes),),
        )
        for below, nodes in parts
    ]


def _cheapest(found: list[Derivation], limit: int) -> list[Derivation]:
    if len(found) < 2:
        return found
    return sorted(found, key=_COST)[:limit]
