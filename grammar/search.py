"""Results in order of their scores, with no more work than those that are asked for take."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar, overload

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
                if self._is_final(ordered, index):
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

    def _is_final(self, ordered: list[T], index: int) -> bool:
        """Whether no later step can put anything else at a rank.

        What is found later and as good comes later, too, unless it had been found before.
        """
        score = self._score(ordered[index])
        if score != self._bound:
            return score > self._bound
        before = itertools.takewhile(lambda each: each is not ordered[index], self._found.values())
        return all(any(each is better for better in ordered[:index]) for each in before)

    def _ordered(self) -> list[T]:
        return sorted(self._found.values(), key=lambda each: -self._score(each))


class Later(Sequence[T]):
    """A sequence of which at most the first is known until more is asked for.

    Args:
        all_of_it: finds all of it.
        first: its first; it is found with the others when left out.
    """

    def __init__(self, all_of_it: Callable[[], tuple[T, ...]], first: T | None = None) -> None:
        self._first = first
        self._find: Callable[[], tuple[T, ...]] | None = all_of_it
        self._all: tuple[T, ...] = ()

    @property
    def found(self) -> tuple[T, ...]:
        """All of it."""
        if self._find is not None:
            self._all, self._find = self._find(), None
        return self._all

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...

    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        if index == 0 and self._first is not None:
            return self._first
        return self.found[index]

    def __len__(self) -> int:
        return len(self.found)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Later):
            other = other.found
        return self.found == other

    def __hash__(self) -> int:
        return hash(self.found)

    def __repr__(self) -> str:
        return repr(self.found)

    def __reduce__(self) -> tuple[type[tuple[T, ...]], tuple[tuple[T, ...]]]:
        return tuple, (self.found,)
