"""Syntax trees and programs as pictures: DOT for Graphviz, and SVG that needs no other program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from neurosym.program import Op
from neurosym.views.graph_document import dot_string
from neurosym.views.text import operator_text

if TYPE_CHECKING:
    from neurosym.grammar import Tree

_FONT = "ui-monospace, Menlo, Consolas, monospace"
_SIZE = 13
_LETTER = 7.9
_ROW = 46
_GAP = 14
_MARGIN = 16
_LINES = {"word": "#8a5a00", "phrase": "#555555", "operator": "#1a5fb4"}


@dataclass(frozen=True, slots=True)
class Branching:
    """A tree to be drawn.

    Attributes:
        label: what its root says.
        kind: "phrase", "word" or "operator".
        below: its branches, left to right.
    """

    label: str
    kind: str
    below: tuple[Branching, ...] = ()


def syntax_branching(tree: Tree) -> Branching:
    """A syntax tree to be drawn, each word below the name of its class."""
    if tree.unit is not None:
        return Branching(tree.label, "phrase", (Branching(f'"{tree.words}"', "word"),))
    return Branching(tree.label, "phrase", tuple(map(syntax_branching, tree.children)))


def program_branching(program: Op, text: str | None = None) -> Branching:
    """A program to be drawn.

    Args:
        program: the program.
        text: the text that it was made from; its words stand beside their operators.
    """
    words = [span.of(text) for span in sorted(program.words)] if text is not None else []
    said = f' "{" ".join(words)}"' if words else ""
    below = tuple(program_branching(operand, text) for operand in program.operands)
    return Branching(operator_text(program) + said, "operator", below)


def dot_text(trees: Sequence[tuple[str, Branching]]) -> str:
    """Trees in the language of Graphviz, each in a cluster with its title."""
    lines = [
        "digraph parse {",
        '  node [shape=box, fontname="monospace", fontsize=11];',
        "  edge [arrowhead=none];",
    ]
    number = 0

    def draw(tree: Branching) -> Iterator[str]:
        nonlocal number
        mine = number
        number += 1
        yield f'    n{mine} [label={dot_string(tree.label)}, color="{_LINES[tree.kind]}"];'
        for child in tree.below:
            yield f"    n{mine} -> n{number};"
            yield from draw(child)

    for index, (title, tree) in enumerate(trees):
        lines += [f"  subgraph cluster_{index} {{", f"    label={dot_string(title)};"]
        lines += [*draw(tree), "  }"]
    return "\n".join([*lines, "}"])


def svg_text(trees: Sequence[tuple[str, Branching]]) -> str:
    """Trees as one SVG picture, one below the other.

    A node stands in the middle above its branches; neighbours keep apart by the width of their
    labels. Lengths are in pixels.
    """
    body: list[str] = []
    top = float(_MARGIN)
    right = 0.0
    for title, tree in trees:
        width = max(_width_of(tree), len(title) * _LETTER)
        placed = list(_placed(tree, float(_MARGIN), top + _ROW))
        body.append(
            f'<text x="{_MARGIN}" y="{top + _SIZE:.1f}" font-weight="bold">{escape(title)}</text>'
        )
        body += [line for node in placed for line in _links(node)]
        body += [_label(node) for node in placed]
        top = max(node.y for node in placed) + _ROW
        right = max(right, width)
    size = f"{right + 2 * _MARGIN:.0f} {top:.0f}"
    width_text, height_text = size.split()
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" width="{width_text}" '
            f'height="{height_text}" font-family="{_FONT}" font-size="{_SIZE}">',
            '<rect width="100%" height="100%" fill="#ffffff"/>',
            *body,
            "</svg>",
        ]
    )


@dataclass(frozen=True, slots=True)
class _Placed:
    """A node with the middle of its label, and those of its branches."""

    tree: Branching
    x: float
    y: float
    below: tuple[tuple[float, float], ...]


def _width_of(tree: Branching) -> float:
    own = len(tree.label) * _LETTER
    branches = sum(map(_width_of, tree.below)) + _GAP * max(0, len(tree.below) - 1)
    return max(own, branches)


def _placed(tree: Branching, left: float, y: float) -> Iterator[_Placed]:
    """The nodes of a tree that begins at ``left``; the root comes first."""
    width = _width_of(tree)
    inner = sum(map(_width_of, tree.below)) + _GAP * max(0, len(tree.below) - 1)
    at = left + (width - inner) / 2
    parts: list[list[_Placed]] = []
    for child in tree.below:
        parts.append(list(_placed(child, at, y + _ROW)))
        at += _width_of(child) + _GAP
    roots = tuple((part[0].x, part[0].y) for part in parts)
    x = (roots[0][0] + roots[-1][0]) / 2 if roots else left + width / 2
    half = len(tree.label) * _LETTER / 2
    x = min(max(x, left + half), left + width - half)
    yield _Placed(tree, x, y, roots)
    for part in parts:
        yield from part


def _links(node: _Placed) -> Iterator[str]:
    for x, y in node.below:
        yield (
            f'<line x1="{node.x:.1f}" y1="{node.y + 6:.1f}" x2="{x:.1f}" y2="{y - _SIZE:.1f}" '
            'stroke="#aaaaaa"/>'
        )


def _label(node: _Placed) -> str:
    return (
        f'<text x="{node.x:.1f}" y="{node.y:.1f}" text-anchor="middle" '
        f'fill="{_LINES[node.tree.kind]}">{escape(node.tree.label)}</text>'
    )
