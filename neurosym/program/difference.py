"""How two programs differ: the fewest nodes to change, take out and put in.

Captions come in pairs that differ in a few words. If programs are to be trusted, those of a pair
differ where the words do, and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from neurosym.program.kinds import Kind
from neurosym.program.operator import Op, signature
from neurosym.span import Span

_LINKING = frozenset({"a", "an", "the", "and", "or", "of", "is", "are"})
"""Words that stand in so many places that they cannot be said to have moved."""
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")


@dataclass(frozen=True, slots=True)
class Change:
    """One node in which two programs differ.

    Attributes:
        before: the node of the first program; None when the second has one more.
        after: the node of the second program; None when the first has one more. Where both are
            there, they stand in the same place and are different operators, or name something
            else.
    """

    before: Op | None
    after: Op | None

    def __str__(self) -> str:
        return f"{_said(self.before)} -> {_said(self.after)}"


def difference(before: Op, after: Op) -> tuple[Change, ...]:
    """The smallest set of changes that make one program of the other.

    Programs are ordered trees whose nodes are operators with their names and numbers. A change
    renames a node, takes one out (its operands move up to its place) or puts one in; each counts
    one. This is the tree edit distance of Zhang and Shasha (1989), with the changes themselves.
    What is said once and used twice counts once: a part that only repeats one that stays is no
    change ("a man and a dog are on the bed" has the bed twice).

    Returns:
        The changes, operands before the nodes above them; empty when the programs are equal.

    Example:
        >>> from neurosym.program import parse_program
        >>> one = parse_program("(exist (filter (select dog) color black))")
        >>> other = parse_program("(exist (filter (filter (select cat) color black) size small))")
        >>> for change in difference(one, other):
        ...     print(change)
        select dog -> select cat
        nothing -> filter size small
    """
    if before == after:
        return ()
    return _Trees(before, after).changes()


def changed_words(before: str, after: str) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Where two texts differ, word by word; marks and capitals do not count.

    Words are kept that a longest common part of the texts has. A word that is in the rest of both
    texts has moved, and then those that it has moved across have, too: of "the man sees a cat" and
    "a cat sees the man" nothing stays as it is.

    Returns:
        The changed spans of each text, each from the end of the word before it to the start of
        the word after it. Where words were only put in, the other text has a span between words.

    Example:
        >>> changed_words("a dog sleeps", "a black dog sleeps")
        ((Span(start=1, end=2),), (Span(start=1, end=8),))
    """
    words = [list(_WORD.finditer(text)) for text in (before, after)]
    said = [[word.group().lower() for word in found] for found in words]
    kept = _kept(said[0], said[1])
    moved = [
        (i, j)
        for i, word in enumerate(said[0])
        if word not in _LINKING and i not in kept
        for j, other in enumerate(said[1])
        if other == word and j not in kept.values()
    ]
    staying = [(i, j) for i, j in kept.items() if all((i < m) == (j < n) for m, n in moved)]
    gaps = zip([(-1, -1), *staying], [*staying, (len(said[0]), len(said[1]))], strict=True)
    spans: tuple[list[Span], list[Span]] = ([], [])
    for left, right in gaps:
        if all(b == a + 1 for a, b in zip(left, right, strict=True)):
            continue
        for side, text in enumerate((before, after)):
            found = words[side]
            start = found[left[side]].end() if left[side] >= 0 else 0
            end = found[right[side]].start() if right[side] < len(found) else len(text)
            spans[side].append(Span(start, end))
    return tuple(spans[0]), tuple(spans[1])


def _kept(before: list[str], after: list[str]) -> dict[int, int]:
    """The words of a longest common part, by their positions in both texts."""
    length = [[0] * (len(after) + 1) for _ in range(len(before) + 1)]
    for i in reversed(range(len(before))):
        for j in reversed(range(len(after))):
            same = length[i + 1][j + 1] + 1 if before[i] == after[j] else 0
            length[i][j] = max(same, length[i + 1][j], length[i][j + 1])
    kept: dict[int, int] = {}
    i = j = 0
    while i < len(before) and j < len(after):
        if before[i] == after[j] and length[i][j] == length[i + 1][j + 1] + 1:
            kept[i] = j
            i, j = i + 1, j + 1
        elif length[i + 1][j] >= length[i][j + 1]:
            i += 1
        else:
            j += 1
    return kept


def differs_only_at(
    changes: Iterable[Change], before: Iterable[Span], after: Iterable[Span]
) -> bool:
    """Whether all changes are at the changed words.

    A node is at them when one of its words touches a changed span, or when that holds of a node
    below it: what stands above a changed word speaks of it, too. Since changed spans reach to
    the words on both sides, these touch them; a compound may lose or gain a word there.

    Args:
        changes: from :func:`difference`.
        before: changed spans of the first text, see :func:`changed_words`.
        after: those of the second.
    """
    sides = (tuple(before), tuple(after))
    return all(
        node is None
        or any(_touches(span, at) for n in node.walk() for span in n.words for at in side)
        for change in changes
        for node, side in zip((change.before, change.after), sides, strict=True)
    )


def _touches(word: Span, changed: Span) -> bool:
    return word.start <= changed.end and changed.start <= word.end


def _said(node: Op | None) -> str:
    return "nothing" if node is None else " ".join(map(str, _label(node)))


def _label(node: Op) -> tuple[Any, ...]:
    """What a node is, without its operands."""
    values = (
        getattr(node, p.name) for p in signature(type(node)) if not isinstance(p.declared, Kind)
    )
    return (node.name, *(getattr(value, "value", value) for value in values))


class _Trees:
    """Two programs in post-order, with what is needed to compare all their sub-trees."""

    def __init__(self, before: Op, after: Op) -> None:
        self._nodes = (list(before.walk()), list(after.walk()))
        self._labels = tuple([_label(node) for node in side] for side in self._nodes)
        self._leftmost = tuple(_leftmost(side) for side in self._nodes)
        sizes = [len(side) for side in self._nodes]
        self._cost = [[0] * sizes[1] for _ in range(sizes[0])]
        for i in _key_roots(self._leftmost[0]):
            for j in _key_roots(self._leftmost[1]):
                self._compare(i, j)

    def _compare(self, i: int, j: int) -> list[list[int]]:
        """Fill in the distances of the forests that end at nodes ``i`` and ``j``."""
        left, right = self._leftmost
        first, second = left[i], right[j]
        table = [[0] * (j - second + 2) for _ in range(i - first + 2)]
        for x in range(1, i - first + 2):
            table[x][0] = x
        for y in range(1, j - second + 2):
            table[0][y] = y
        for x in range(1, i - first + 2):
            for y in range(1, j - second + 2):
                a, b = first + x - 1, second + y - 1
                least = min(table[x - 1][y] + 1, table[x][y - 1] + 1)
                if left[a] == first and right[b] == second:
                    table[x][y] = min(least, table[x - 1][y - 1] + self._renamed(a, b))
                    self._cost[a][b] = table[x][y]
                else:
                    before = table[left[a] - first][right[b] - second]
                    table[x][y] = min(least, before + self._cost[a][b])
        return table

    def _renamed(self, a: int, b: int) -> int:
        return int(self._labels[0][a] != self._labels[1][b])

    def changes(self) -> tuple[Change, ...]:
        """The changes of a cheapest way from one tree to the other."""
        left, right = self._leftmost
        one, other = self._nodes
        found: list[tuple[int, int, Change]] = []
        waiting = [(len(one) - 1, len(other) - 1)]
        while waiting:
            i, j = waiting.pop()
            table = self._compare(i, j)
            x, y = i - left[i] + 1, j - right[j] + 1
            while x or y:
                a, b = left[i] + x - 1, right[j] + y - 1
                whole = bool(x and y) and left[a] == left[i] and right[b] == right[j]
                if whole and table[x][y] == table[x - 1][y - 1] + self._renamed(a, b):
                    if self._renamed(a, b):
                        found.append((a, b, Change(one[a], other[b])))
                    x, y = x - 1, y - 1
                elif x and table[x][y] == table[x - 1][y] + 1:
                    found.append((a, b, Change(one[a], None)))
                    x -= 1
                elif y and table[x][y] == table[x][y - 1] + 1:
                    found.append((a, b, Change(None, other[b])))
                    y -= 1
                else:
                    waiting.append((a, b))
                    x, y = left[a] - left[i], right[b] - right[j]
        found.sort(key=lambda c: c[:2])
        # By place, not by identity: a part that is said once may be the same node twice.
        changed = (
            {a for a, _, change in found if change.before is not None},
            {b for _, b, change in found if change.after is not None},
        )
        stays = [
            [node for place, node in enumerate(nodes) if place not in places]
            for nodes, places in zip(self._nodes, changed, strict=True)
        ]
        return tuple(change for _, _, change in found if not _repeats(change, stays))


def _repeats(change: Change, stays: list[list[Op]]) -> bool:
    """Whether a node that was put in or taken out is also there as one that stays."""
    node = change.after if change.before is None else change.before
    if node is None or (change.before is not None and change.after is not None):
        return False
    others = stays[0 if change.after is None else 1]
    return bool(node.words) and any(o == node and o.words == node.words for o in others)


def _leftmost(nodes: list[Op]) -> list[int]:
    """For every node in post-order, the position of the leftmost leaf below it."""
    found: list[int] = []
    stack: list[int] = []
    for position, node in enumerate(nodes):
        arity = len(node.operands)
        below = stack[len(stack) - arity :] if arity else []
        del stack[len(stack) - arity :]
        found.append(found[below[0]] if below else position)
        stack.append(position)
    return found


def _key_roots(leftmost: list[int]) -> list[int]:
    """The nodes that are no leftmost child: the last one of each leftmost leaf."""
    return sorted({leaf: position for position, leaf in enumerate(leftmost)}.values())
