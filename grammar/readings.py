"""What parsing a text comes to: its readings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from neurosym.grammar.repair import Repair
from neurosym.grammar.search import Later
from neurosym.grammar.senses import Choice, Variant
from neurosym.grammar.tokens import Token
from neurosym.grammar.tree import Tree
from neurosym.grammar.units import Unit
from neurosym.program import Op


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to understand a text.

    Attributes:
        program: what it means.
        score: 0 at best; the more unusual the reading, the lower. Comparable within one text.
        syntax: the tree that the program was lowered from.
        unused: words that this program does not use, function words aside.
        source: what it was read by: "grammar", or "dependencies" when any of its sentences is a
            guess by the fallback.
        units: the words and phrases that the tree's words are, by their positions.
        senses: the words that can name several things, and what they are taken for.
        parts: of a text of several sentences, the programs of these; ``program`` is all of them
            together, or the last where that asks or names something.
        guesses: of a text of several sentences, which are guesses, as positions in ``parts``.
    """

    program: Op
    score: float
    syntax: Tree
    unused: tuple[Token, ...]
    source: Literal["grammar", "dependencies"] = "grammar"
    units: tuple[Unit, ...] = field(default=(), repr=False, compare=False)
    senses: tuple[Choice, ...] = ()
    parts: tuple[Op, ...] = ()
    guesses: tuple[int, ...] = ()

    @property
    def sentences(self) -> tuple[Op, ...]:
        """The programs of the text's sentences, in order."""
        return self.parts or (self.program,)

    @property
    def guessed(self) -> bool:
        """Whether it is a guess, made by the fallback where the grammar had no reading."""
        return self.source != "grammar"

    def __str__(self) -> str:
        if not self.guessed:
            return str(self.program)
        part = "in part " if 0 < len(self.guesses) < len(self.parts) else ""
        return f"{self.program} ({part}guessed from {self.source})"


class Foreseen(Later[Reading]):
    """Readings of which the program of the best is known before any is worked out.

    Args:
        program: of the best reading.
        score: of the best reading.
        unused: of the best reading.
        all_of_it: finds the readings.
    """

    def __init__(
        self,
        program: Op,
        score: float,
        unused: tuple[Token, ...],
        all_of_it: Callable[[], tuple[Reading, ...]],
    ) -> None:
        super().__init__(all_of_it)
        self.program = program
        self.score = score
        self.unused = unused


@dataclass(frozen=True, slots=True)
class Parse:
    """A text with everything that was made of it.

    Attributes:
        text: as given.
        tokens: its words and marks.
        readings: at least one, best first.
        repairs: slips of the keyboard, and what they were read as.
    """

    text: str
    tokens: tuple[Token, ...]
    readings: Sequence[Reading]
    repairs: tuple[Repair, ...] = ()

    @property
    def tagged(self) -> bool:
        """Whether a tagger saw the text; else the lexicon alone decided what its words are."""
        return any(token.tag for token in self.tokens)

    @property
    def program(self) -> Op:
        """The best reading's program."""
        return self._best.program

    @property
    def syntax(self) -> Tree:
        """The best reading's tree."""
        return self.readings[0].syntax

    @property
    def source(self) -> str:
        """What the best reading was read by: "grammar" or "dependencies"."""
        return "grammar" if isinstance(self.readings, Foreseen) else self.readings[0].source

    @property
    def score(self) -> float:
        """The best reading's score."""
        return self._best.score

    @property
    def unused(self) -> tuple[Token, ...]:
        """The words that the best reading's program does not use, function words aside."""
        return self._best.unused

    @property
    def _best(self) -> Reading | Foreseen:
        return self.readings if isinstance(self.readings, Foreseen) else self.readings[0]

    def __str__(self) -> str:
        best = self._best
        return str(best.program if isinstance(best, Foreseen) else best)


def in_sense(reading: Reading, variant: Variant) -> Reading:
    """A reading in the senses that a variant takes its words in."""
    if not variant.choices:
        return reading
    return replace(
        reading,
        program=variant.read(reading.program),
        score=round(reading.score - variant.cost, 6) + 0.0,
        senses=variant.choices,
        parts=tuple(map(variant.read, reading.parts)),
    )
