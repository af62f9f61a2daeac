"""Character spans, carried from the text to every later stage."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True, slots=True)
class Span:
    """Characters ``[start, end)`` of the source text."""

    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.start}-{self.end}"

    def of(self, text: str) -> str:
        """The characters of ``text`` that this span covers."""
        return text[self.start : self.end]

    def lies_in(self, spans: Iterable[Span]) -> bool:
        """Whether one of ``spans`` covers it."""
        return any(s.start <= self.start and self.end <= s.end for s in spans)

    @staticmethod
    def cover(spans: Iterable[Span]) -> Span | None:
        """The smallest span over all of ``spans``; None when there are none."""
        found = list(spans)
        if not found:
            return None
        return Span(min(s.start for s in found), max(s.end for s in found))
