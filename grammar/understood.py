"""Sentences as they were understood, and what they make together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from neurosym.errors import GrammarError
from neurosym.grammar.anaphora import Antecedent
from neurosym.grammar.classes import WordClass
from neurosym.grammar.dependency import Guess
from neurosym.grammar.discourse import joined_program, joined_tree
from neurosym.grammar.lexicon import Sense
from neurosym.grammar.lower import Lowering
from neurosym.grammar.readings import Reading
from neurosym.grammar.tokens import Token
from neurosym.grammar.tree import Tree
from neurosym.grammar.units import Unit
from neurosym.grammar.unused import content_words, unused_words
from neurosym.program import Kind, Negation, Op
from neurosym.span import Span

GUESSED = 100.0
"""Cost of a reading by dependencies: more than any reading of the grammar has."""


@dataclass(frozen=True)
class Understood:
    """A sentence as it was understood, among others.

    Attributes:
        program: what it means.
        score: 0 at best.
        syntax: the tree that the program was made of.
        units: its words and phrases.
        tokens: its words and marks.
        made: what made the program of the tree.
    """

    program: Op
    score: float
    syntax: Tree
    units: tuple[Unit, ...]
    tokens: tuple[Token, ...]
    made: Lowering | Guess

    @classmethod
    def guessed(
        cls, guess: Guess, units: tuple[Unit, ...], tokens: tuple[Token, ...]
    ) -> Understood:
        """A sentence that was read by its dependencies."""
        score = -GUESSED - len(guess.unused)
        return cls(guess.program, score, guess.tree, units, tokens, guess)

    @property
    def is_guess(self) -> bool:
        """Whether it was read by its dependencies, for want of a rule."""
        return isinstance(self.made, Guess)

    @cached_property
    def content(self) -> tuple[Token, ...]:
        """The words of which the program should say something."""
        if isinstance(self.made, Guess):
            return self.made.content
        return content_words(self.syntax, self.units, self.tokens)

    @cached_property
    def reading(self) -> Reading:
        """It as a reading of the text, when that has no other sentences."""
        unused = unused_words(self.program, self.content)
        return Reading(
            self.program,
            self.score,
            self.syntax,
            unused,
            "dependencies" if self.is_guess else "grammar",
            units=self.units,
        )

    @cached_property
    def mentioned(self) -> tuple[Antecedent, ...]:
        """What a next sentence can refer back to, the most salient first."""
        if isinstance(self.made, Guess):
            return self.made.mentioned
        return self.made.mentioned(self.syntax, self.program)


def answered(asked: Understood, tokens: tuple[Token, ...], answer: bool) -> Understood:
    """A question with the yes or no that follows it: a claim, or its denial."""
    program = asked.program
    if program.returns is not Kind.TRUTH:
        raise GrammarError("yes or no answers no question here", span=tokens[0].span)
    words = tokens[0].span
    said = program.at(*program.words, words) if answer else Negation(program, words=(words,))
    leaf = Tree("STOP", (), words, unit=len(asked.units), words=tokens[0].text)
    unit = Unit(tokens[:1], (Sense(WordClass.STOP, "answer"),))
    return replace(
        asked,
        program=said,
        syntax=Tree("answered", (asked.syntax, leaf), Span(asked.syntax.span.start, words.end)),
        units=(*asked.units, unit),
        tokens=(*asked.tokens, *tokens),
    )


def score_of(state: tuple[Understood, ...]) -> float:
    """The score of several sentences together."""
    return round(sum(each.score for each in state), 6) + 0.0


def joined(state: tuple[Understood, ...], text: str) -> Reading:
    """Several sentences, each as it was understood, as one reading."""
    programs = tuple(each.program for each in state)
    trees = tuple(each.syntax for each in state)
    program = joined_program(programs, trees, text)
    content = tuple(token for each in state for token in each.content)
    guesses = tuple(number for number, each in enumerate(state) if each.is_guess)
    return Reading(
        program,
        score_of(state),
        joined_tree(trees, tuple(len(each.units) for each in state)),
        unused_words(program, content),
        "dependencies" if guesses else "grammar",
        units=tuple(unit for each in state for unit in each.units),
        parts=programs,
        guesses=guesses,
    )
