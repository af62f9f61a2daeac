"""Syntax trees: frozen, printable, and bound to the words they cover."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from neurosym.span import Span


@dataclass(frozen=True, slots=True)
class Tree:
    """One node of a syntax tree.

    Attributes:
        label: the grammar's name of the phrase, or of the word class for a word.
        children: the parts, left to right; empty for a word.
        unit: for a word, its position among the units of the sentence; None for a phrase.
        words: for a word, its text as written; empty for a phrase.
        span: the characters covered.
    """

    label: str
    children: tuple[Tree, ...]
    span: Span
    unit: int | None = None
    words: str = ""

    def __str__(self) -> str:
        return self.pretty()

    def pretty(self, indent: str = "  ") -> str:
        """The tree with one phrase or word on a line."""
        return "\n".join(self._lines("", indent))

    def _lines(self, prefix: str, indent: str) -> Iterator[str]:
        if self.unit is not None:
            yield f"{prefix}{self.label} {self.words!r}"
            return
        yield f"{prefix}{self.label}"
        for child in self.children:
            yield from child._lines(prefix + indent, indent)

    def leaves(self) -> Iterator[Tree]:
        """The words below this node, left to right."""
        if self.unit is not None:
            yield self
        for child in self.children:
            yield from child.leaves()

    def find(self, *labels: str) -> Tree | None:
        """The first child with one of ``labels``."""
        return next((child for child in self.children if child.label in labels), None)

    def all(self, *labels: str) -> tuple[Tree, ...]:
        """The children with one of ``labels``, left to right."""
        return tuple(child for child in self.children if child.label in labels)
