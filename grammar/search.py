"""Results in order of their scores, with no more work than those that are asked for take."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")


class Search(Generic[T]):
    """What some work finds, the highest score first, of equals what was found first.

    Args:
        work: does a step of the work each time it is advanced; gives the highest score that
            anything found by later steps can have.
        found: what was found so far; the work puts it there.
        score: of something found.
        most: most results.
    """

    def __init__(
        self,
        work: Iterator[float],
        found: Mapping[object, T],
        score: Callable[[T], float],
        most: int,
    ) -> None:
        self._work = work
        self._found = found
        self._score = score
        self._most = most
        self._bound = float("inf")

    def __getitem__(self, index: int) -> T:
        """A result by its rank from 0; does the work until nothing better can come.

        Raises:
            IndexError: there are not so many.
        """
        if index >= self._most:
            raise IndexError(index)
        while True:
            if len(self._found) > index:
                ordered = self._ordered()
                # What is as good may still displace it: it may be found again, and came first.
                if self._score(ordered[index]) > self._bound:
                    return ordered[index]
            if self._bound == float("-inf"):
                raise IndexError(index)
            self._bound = next(self._work, float("-inf"))

    def all(self) -> list[T]:
        """All results, after all of the work."""
        for _ in self._work:
            pass
        self._bound = float("-inf")
        return self._ordered()[: self._most]

    def _ordered(self) -> list[T]:
        return sorted(self._found.values(), key=lambda each: -self._score(each))
