"""The parser: text to readings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from neurosym.errors import GrammarError, ProgramTypeError, TextError
from neurosym.grammar.anaphora import Antecedent
from neurosym.grammar.classes import OPEN, UNSPOKEN, WordClass
from neurosym.grammar.dependency import DependencyParser, Guess, guess
from neurosym.grammar.discourse import (
    PARAGRAPH_BEAM,
    joined_program,
    joined_tree,
    sentences,
)
from neurosym.grammar.failures import no_meaning, no_sentence, position
from neurosym.grammar.lexicon import Lexicon
from neurosym.grammar.lower import Lowering
from neurosym.grammar.meaning import NoReadingError, Scored
from neurosym.grammar.repair import Repair, Speller
from neurosym.grammar.search import Search
from neurosym.grammar.syntax import CACHED, MAX_TREES, MAX_UNITS, Failure, Syntax
from neurosym.grammar.tokens import SpacyTokenizer, Token, plain
from neurosym.grammar.tree import Tree
from neurosym.grammar.units import Unit, segmentations
from neurosym.program import Op

if TYPE_CHECKING:
    from spacy.language import Language

MAX_READINGS = 8
"""Most readings returned for a text."""
MAX_SEGMENTATIONS = 4
"""Most ways tried to cut a text into words and phrases."""
BEAM = 8
"""Fewest alternatives kept for every phrase while lowering."""
SPLIT_PHRASE = 1.0
"""Cost of taking a phrase of the lexicon word by word."""
GUESSED = 100.0
"""Cost of a reading by dependencies: more than any reading of the grammar has."""

_SILENT = {
    *{("of_nominal", "ONE"), ("predicate_and", "BOTH"), ("predicate_and", "BUT")},
    *{("attribute", "SHADE"), ("quality", "SHADE")},
    *{("of_nominal", "ALL"), ("whole", "IMAGE"), ("whole", "POINTING"), ("whole", "PRESENT")},
    *{("asked", "WHAT"), ("indefinite", "NUMBER"), ("number_of", "NUMBER"), ("of_them", "NUMBER")},
    *{("whole", "SEEN"), ("exist", "SEEN"), ("attribute", "SHAPED"), ("left_over", "LEFT_OVER")},
    *{("query", "SHARE"), ("mutual", "AS"), ("mutual", "EACH_OTHER")},
}


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to understand a text.

    Attributes:
        program: what it means.
        score: 0 at best; the more unusual the reading, the lower. Comparable within one text.
        syntax: the tree that the program was lowered from.
        unused: words that this program does not use, function words aside.
        source: what it was read by: "grammar", or "dependencies" for a guess by the fallback.
        units: the words and phrases that the tree's words are, by their positions.
        parts: of a text of several sentences, the programs of these; ``program`` is all of them
            together, or the last where that asks or names something.
    """

    program: Op
    score: float
    syntax: Tree
    unused: tuple[Token, ...]
    source: Literal["grammar", "dependencies"] = "grammar"
    units: tuple[Unit, ...] = field(default=(), repr=False, compare=False)
    parts: tuple[Op, ...] = ()

    @property
    def sentences(self) -> tuple[Op, ...]:
        """The programs of the text's sentences, in order."""
        return self.parts or (self.program,)

    @property
    def guessed(self) -> bool:
        """Whether it is a guess, made by the fallback where the grammar had no reading."""
        return self.source != "grammar"

    def __str__(self) -> str:
        return f"{self.program} (guessed from {self.source})" if self.guessed else str(self.program)


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
    readings: tuple[Reading, ...]
    repairs: tuple[Repair, ...] = ()

    @property
    def program(self) -> Op:
        """The best reading's program."""
        return self.readings[0].program

    @property
    def syntax(self) -> Tree:
        """The best reading's tree."""
        return self.readings[0].syntax

    @property
    def source(self) -> str:
        """What the best reading was read by: "grammar" or "dependencies"."""
        return self.readings[0].source

    @property
    def unused(self) -> tuple[Token, ...]:
        """The words that the best reading's program does not use, function words aside."""
        return self.readings[0].unused

    def __str__(self) -> str:
        return str(self.readings[0])


@dataclass(frozen=True)
class _Understood:
    """A sentence as it was understood, among others."""

    program: Op
    score: float
    syntax: Tree
    units: tuple[Unit, ...]
    tokens: tuple[Token, ...]
    lowering: Lowering

    @cached_property
    def reading(self) -> Reading:
        """It as a reading of the text, when that has no other sentences."""
        unused = _unused(self.program, self.syntax, self.units, self.tokens)
        return Reading(self.program, self.score, self.syntax, unused, units=self.units)

    @cached_property
    def mentioned(self) -> tuple[Antecedent, ...]:
        """What a next sentence can refer back to, the most salient first."""
        return self.lowering.mentioned(self.syntax, self.program)


class Parser:
    """Parses English referring expressions and questions.

    Args:
        tokenizer: a tokenizer, or the spaCy pipeline to make one from (loaded, a name or a path).
        lexicon: the words; the default lexicon when left out.
        fallback: whether a text that the grammar has no reading of is read by its dependencies.
        max_readings: most readings returned.
        max_trees: most syntax trees considered.
        max_units: most words and phrases in a sentence that is parsed.
        cached: sentence patterns whose trees are remembered.
        repair: whether slips of the keyboard are repaired where that is safe.

    Example:
        >>> parser = Parser("en_core_web_sm")  # doctest: +SKIP
        >>> print(parser.parse("the green plate"))  # doctest: +SKIP
        (the (filter (select plate) color green))
    """

    def __init__(
        self,
        tokenizer: SpacyTokenizer | Language | str | Path,
        lexicon: Lexicon | None = None,
        *,
        fallback: bool = True,
        max_readings: int = MAX_READINGS,
        max_trees: int = MAX_TREES,
        max_units: int = MAX_UNITS,
        cached: int = CACHED,
        repair: bool = True,
    ) -> None:
        if max_readings < 1:
            raise GrammarError(f"max_readings must be at least 1, not {max_readings}")
        self.tokenizer = (
            tokenizer if isinstance(tokenizer, SpacyTokenizer) else SpacyTokenizer(tokenizer)
        )
        self.lexicon = Lexicon.default() if lexicon is None else lexicon
        self.max_readings = max_readings
        self._dependencies = DependencyParser(self.tokenizer.pipeline) if fallback else None
        self._syntax = Syntax(max_trees=max_trees, max_units=max_units, cached=cached)
        self._speller = Speller(self.lexicon, lambda: self.tokenizer.english) if repair else None

    def parse(self, text: str, *, vocabulary: Iterable[str] = ()) -> Parse:
        """The readings of a text, best first.

        Where the grammar has none, the fallback's is returned, which is marked as such.

        Args:
            text: an expression, a question or a request.
            vocabulary: words that the text may have misspelt, besides those of the lexicon; for
                example the categories of a scene.

        Raises:
            TextError: the text cannot be read at all: empty, too long, not English.
            GrammarError: no reading; the error carries the text and the words at fault.
        """
        self.tokenizer.check(text)
        repairs = self._repairs(text, vocabulary)
        tokens = self.tokenizer(text, repairs)
        self._check_language(text, tokens)
        try:
            readings = self._by_grammar(text, tokens)
        except GrammarError:
            guessed = self._by_dependencies(text, tokens)
            if guessed is None:
                raise
            readings = (guessed,)
        return Parse(text, tokens, readings, repairs)

    def _by_dependencies(self, text: str, tokens: tuple[Token, ...]) -> Reading | None:
        """What the fallback makes of a text, if anything."""
        units, _ = next(segmentations(tokens, self.lexicon, 1))
        if self._dependencies is None or len(units) > self._syntax.max_units:
            return None
        made = guess(text, tokens, units, self._dependencies, self.lexicon)
        if not isinstance(made, Guess):
            return None
        score = -GUESSED - len(made.unused)
        return Reading(made.program, score, made.tree, made.unused, "dependencies", units)

    def _by_grammar(self, text: str, tokens: tuple[Token, ...]) -> tuple[Reading, ...]:
        parts = sentences(tokens, self.lexicon)
        if len(parts) < 2:
            return tuple(each.reading for each in self._search(text, tokens, ()).all())
        return self._discourse(text, tokens, parts)

    def _discourse(
        self, text: str, tokens: tuple[Token, ...], parts: list[tuple[Token, ...]]
    ) -> tuple[Reading, ...]:
        """The readings of several sentences, of which later ones refer back to earlier ones."""
        states: list[tuple[_Understood, ...]] = [()]
        for part in parts:
            grown: list[tuple[_Understood, ...]] = []
            refused: GrammarError | None = None
            for state in states:
                try:
                    found = self._search(text, part, state[-1].mentioned if state else ()).all()
                except GrammarError as error:
                    refused = refused or error
                    continue
                grown += [(*state, each) for each in found]
            if not grown:
                assert refused is not None
                raise refused
            grown.sort(key=lambda state: -_score(state))
            states = grown[: max(PARAGRAPH_BEAM, self.max_readings)]
        best: dict[str, Reading] = {}
        for state in states:
            programs = tuple(each.program for each in state)
            program = joined_program(programs)
            units = tuple(unit for each in state for unit in each.units)
            tree = joined_tree(
                tuple(each.syntax for each in state),
                tuple(len(each.units) for each in state),
            )
            unused = _unused(program, tree, units, tokens)
            reading = Reading(program, _score(state), tree, unused, units=units, parts=programs)
            best.setdefault(str(program), reading)
        return tuple(best.values())[: self.max_readings]

    def _search(
        self, text: str, tokens: tuple[Token, ...], said: tuple[Antecedent, ...]
    ) -> Search[_Understood]:
        """The readings of one sentence; getting at them raises GrammarError when there are none.

        Args:
            text: the whole text.
            tokens: those of the sentence.
            said: what earlier sentences named, the most salient first.
        """
        found: dict[object, _Understood] = {}
        work = self._understand(found, text, tokens, said)
        return Search(work, found, lambda each: each.score, self.max_readings)

    def _understand(
        self,
        best: dict[object, _Understood],
        text: str,
        tokens: tuple[Token, ...],
        said: tuple[Antecedent, ...],
    ) -> Iterator[float]:
        """Add the readings of a sentence to ``best``, tree by tree.

        Yields before each tree the highest score that its readings and later ones can have.

        Raises:
            GrammarError: at the end, when there are no readings.
        """
        failure: tuple[int, tuple[Unit, ...], Failure] | None = None
        meaningless: tuple[Unit, ...] | None = None
        refused: list[NoReadingError] = []
        for units, split in segmentations(tokens, self.lexicon, MAX_SEGMENTATIONS):
            if split is not None and best and not split.is_name:
                continue
            extra = 0.0 if split is None else SPLIT_PHRASE
            yield -extra
            found = self._syntax.parse(units, text)
            if isinstance(found, Failure):
                at = position(found, units, text)
                if failure is None or at > failure[0]:
                    failure = (at, units, found)
                continue
            lowering = Lowering(units, self.lexicon, beam=max(BEAM, self.max_readings))
            lowering.said = said
            for tree_cost, tree in found:
                # After these trees come those of the next way to cut the sentence.
                yield max(round(-(extra + tree_cost), 6), -SPLIT_PHRASE)
                for cost, program in _lowered(lowering, tree):
                    score = round(-(extra + tree_cost + cost), 6) + 0.0
                    known = best.get(program)
                    if known is None or known.score < score:
                        best[program] = _Understood(program, score, tree, units, tokens, lowering)
            refused += lowering.refused
            if not best:
                meaningless = units
        if best:
            return
        if failure is not None and meaningless is None:
            raise no_sentence(text, failure[1], failure[2], self.lexicon)
        raise no_meaning(text, meaningless or (), refused)

    def _repairs(self, text: str, vocabulary: Iterable[str]) -> tuple[Repair, ...]:
        if self._speller is None:
            return ()
        return self._speller.repairs(text, plain(text), vocabulary)

    def _check_language(self, text: str, tokens: tuple[Token, ...]) -> None:
        words = [token for token in tokens if token.is_word]
        foreign = [token for token in words if token.lower in self.lexicon.foreign]
        english = any(
            sense.word_class not in OPEN
            for token in words
            for sense in self.lexicon.senses(token.lower)
        )
        if foreign and not english and len(words) > 1:
            raise TextError(
                f'the text does not look English: "{foreign[0].text}" is no English word',
                text=text,
                span=foreign[0].span,
            )


def _lowered(lowering: Lowering, tree: Tree) -> Scored[Op]:
    try:
        return lowering.programs(tree)
    except ProgramTypeError:
        return []


def _score(state: tuple[_Understood, ...]) -> float:
    return round(sum(each.score for each in state), 6) + 0.0


def _unused(
    program: Op, tree: Tree, units: tuple[Unit, ...], tokens: tuple[Token, ...]
) -> tuple[Token, ...]:
    used = [span for node in program.walk() for span in node.words]
    silent = {token.index for unit in _silent(tree) for token in units[unit].tokens}
    return tuple(
        token
        for token in tokens
        if token.is_word
        and token.index not in silent
        and not any(s.start <= token.span.start and token.span.end <= s.end for s in used)
    )


def _silent(tree: Tree) -> Iterator[int]:
    """The units that a program says nothing of: function words, and "one" in "one of the"."""
    for child in tree.children:
        if child.unit is None:
            yield from _silent(child)
        elif WordClass[child.label] in UNSPOKEN or (tree.label, child.label) in _SILENT:
            yield child.unit
