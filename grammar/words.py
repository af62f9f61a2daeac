"""What all lowering shares: the words of the sentence, and steps from one set to another."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from neurosym.grammar.classes import WordClass
from neurosym.grammar.lexicon import Lexicon
from neurosym.grammar.meaning import NoReadingError, NounPhrase, Scored, cheapest
from neurosym.grammar.tree import Tree
from neurosym.grammar.units import Unit
from neurosym.program import Op
from neurosym.span import Span

Words: TypeAlias = tuple[Span, ...]
Step = Callable[[Op], Scored[Op]]
"""What a modifier does to a set."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a phrase can refer back to, and where it stands.

    Attributes:
        head: the set that "one" stands for; None when nothing came before.
        whole: inside an exception, the set that is excepted from.
        landmark: whether the phrase is the landmark of another.
        gap: whether a missing noun stands for ``head`` too: "except the red".
        relation: of what it is a landmark of to it; empty where that is no relation by name.
        beside: of a landmark in a list, what the list is the landmark of: there ``head`` is the
            noun before it.
    """

    head: Op | None = None
    whole: Op | None = None
    landmark: bool = False
    gap: bool = False
    relation: str = ""
    beside: Op | None = None


class SentenceLowering(abc.ABC):
    """Lowers trees over the words of one sentence; what trees mean is said by subclasses.

    Args:
        units: the words of the sentence.
        lexicon: tells which nouns are persons.
        beam: alternatives kept at every phrase.
    """

    def __init__(self, units: tuple[Unit, ...], lexicon: Lexicon, beam: int) -> None:
        self._units = units
        self._lexicon = lexicon
        self._beam = beam
        self.refused: list[NoReadingError] = []
        # The trees of a sentence share most of their phrases. What is kept by identity is kept
        # whole, so that no identity is given out twice.
        self._lowered: dict[
            tuple[int, int, int, bool, bool],
            tuple[Tree, Context, Scored[NounPhrase] | NoReadingError],
        ] = {}

    @abc.abstractmethod
    def _phrase(self, tree: Tree, context: Context) -> Scored[NounPhrase]:
        """The meanings of a noun phrase."""

    @abc.abstractmethod
    def _step(
        self, tree: Tree, head: Op, plural: bool, number: int | None = None, extra: Words = ()
    ) -> Step:
        """A modifier or predicate as a function from a set to the part of it that it keeps."""

    def _apply(self, start: Scored[Op], steps: Iterable[Step]) -> Scored[Op]:
        """Run steps one after the other over all alternatives, keeping the cheapest."""
        found = start
        for step in steps:
            grown: Scored[Op] = []
            for cost, objects in found:
                try:
                    grown += [(cost + extra, op) for extra, op in step(objects)]
                except NoReadingError as error:
                    self.refused.append(error)
            found = cheapest(grown, self._beam)
        return found

    def _unit(self, leaf: Tree) -> Unit:
        assert leaf.unit is not None
        return self._units[leaf.unit]

    def _concept(self, tree: Tree, *labels: str) -> str:
        """What the first word with one of these labels stands for."""
        leaf = tree.find(*labels)
        if leaf is None:
            raise NoReadingError
        return self._unit(leaf).sense(WordClass[leaf.label]).concept

    def _concept_of(self, leaf: Tree) -> str:
        """What a word stands for in the class that the tree takes it for."""
        return self._unit(leaf).sense(WordClass[leaf.label]).concept

    @staticmethod
    def _spans(tree: Tree, *labels: str) -> tuple[Span, ...]:
        return tuple(child.span for child in tree.all(*labels))

    def _joined_spans(self, tree: Tree, *labels: str) -> tuple[Span, ...]:
        """One span over the words with these labels, which stand side by side."""
        covered = Span.cover(self._spans(tree, *labels))
        return (covered,) if covered else ()
