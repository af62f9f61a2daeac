"""The best derivations of a packed parse forest, without ever listing all of them."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass
from typing import TypeAlias

from lark.parsers.earley_forest import PackedNode, SymbolNode, TokenNode


@dataclass(frozen=True, slots=True)
class Branch:
    """A phrase of a derivation: its label and parts."""

    label: str
    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A word of a derivation: its class and where its code starts."""

    label: str
    start: int


Node: TypeAlias = Branch | Leaf
Derivation: TypeAlias = tuple[float, tuple[Node, ...]]


def best_derivations(root: SymbolNode, limit: int) -> tuple[tuple[float, Node], ...]:
    """The ``limit`` cheapest derivations of a forest, cheapest first.

    A rule's cost is the negative of its priority in the grammar file, in tenths; the cost of a
    derivation is the sum. Every node keeps its ``limit`` cheapest derivations only, so the work
    is bounded by the size of the forest, which is polynomial, not by the number of trees.
    """
    known: dict[int, list[Derivation]] = {}
    pending: list[SymbolNode] = [root]
    while pending:
        node = pending[-1]
        if id(node) in known:
            pending.pop()
            continue
        families: list[PackedNode] = node.children
        below = [
            child
            for family in families
            for child in (family.left, family.right)
            if isinstance(child, SymbolNode) and id(child) not in known
        ]
        if below:
            pending.extend(below)
            continue
        found = [d for family in families for d in _of_family(node, family, known, limit)]
        known[id(node)] = heapq.nsmallest(limit, found, key=lambda d: d[0])
        pending.pop()
    return tuple((cost, nodes[0]) for cost, nodes in known[id(root)])


def _of_family(
    node: SymbolNode, family: PackedNode, known: dict[int, list[Derivation]], limit: int
) -> list[Derivation]:
    pairs = [
        (left_cost + right_cost, left + right)
        for (left_cost, left), (right_cost, right) in itertools.product(
            _of_part(family.left, known), _of_part(family.right, known)
        )
    ]
    best = heapq.nsmallest(limit, pairs, key=lambda d: d[0]) if len(pairs) > limit else pairs
    if node.is_intermediate:
        return best
    rule = family.rule
    cost = -(rule.options.priority or 0) / 10
    label = str(rule.alias or rule.origin.name)
    transparent = rule.options.expand1 and not rule.alias
    if label.startswith("_"):
        return [(below + cost, nodes) for below, nodes in best]
    return [
        (
            below + cost,
            nodes if transparent and len(nodes) == 1 else (Branch(label, nodes),),
        )
        for below, nodes in best
    ]


def _of_part(
    part: SymbolNode | TokenNode | None, known: dict[int, list[Derivation]]
) -> list[Derivation]:
    if part is None:
        return [(0.0, ())]
    if isinstance(part, TokenNode):
        return [(0.0, (Leaf(str(part.token.type), int(part.token.start_pos)),))]
    return known[id(part)]
