"""What is wrong with a text that the grammar cannot read: where, which mistake, which remedy."""

from __future__ import annotations

import functools
import string
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources

from neurosym.errors import GrammarError, LexiconError, NeurosymError, nearest
from neurosym.grammar.classes import EXPECTED_FIRST, OPEN, WordClass
from neurosym.grammar.lexicon import Lexicon
from neurosym.grammar.parse import Parser
from neurosym.grammar.repair import Speller, distance
from neurosym.grammar.tokens import SpacyTokenizer
from neurosym.span import Span

ALIKE = 0.4
"""How much of what the grammar saw must agree for a text to have the mistake of an example."""
MAX_FIXES = 60
"""Most changed texts that are tried for one that can be read."""
_WEIGHTS = {"expected": 0.1, "after": 1.0, "at": 2.0, "of": 2.0, "because": 4.0, "unknown": 4.0}
_SLIPS = 2
_BEFORE_SEVERAL = {"HOW_MANY", "MORE", "NUMBER", "BOTH"}
_BEFORE_NOUNS = {
    *_BEFORE_SEVERAL,
    *("THE", "INDEFINITE", "EACH", "ALL", "NO", "ATTRIBUTE", "COLOUR", "MODIFIER", "WHAT"),
}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why the grammar cannot read a text.

    Attributes:
        error: what went wrong, with its place and what was expected there.
        mistake: the kind of mistake, a label of ``mistakes.toml``; None when it is like none.
        fix: the text with the smallest change that was found to make it readable, if any.
    """

    error: GrammarError
    mistake: str | None
    fix: str | None

    def __str__(self) -> str:
        lines = [self.error.message, *self.error.snippet().splitlines()]
        if self.error.expected:
            lines.append(f"expected: {', '.join(self.error.expected)}")
        if self.mistake:
            lines.append(f"mistake: {self.mistake}")
        if self.fix:
            lines.append(f'can be read: "{self.fix}"')
        return "\n".join(lines)


def diagnose(parser: Parser, text: str) -> Diagnosis | None:
    """Find out why the grammar cannot read a text; None when it can.

    Readings by the fallback do not count: this is about the grammar.

    Args:
        parser: its tokenizer and lexicon are used.
        text: the text.

    Raises:
        TextError: the text cannot be read at all: empty, too long, not English.
    """
    strict = Parser(parser.tokenizer, parser.lexicon, max_readings=1, fallback=False)
    try:
        strict.parse(text)
    except GrammarError as error:
        return Diagnosis(error, _mistake(strict, error), _fix(strict, text, error))
    return None


def _seen(parser: Parser, error: GrammarError) -> frozenset[str]:
    """The clues of an error, and whether a word at its place is no word at all."""
    assert error.text is not None
    assert error.span is not None
    at = error.text[error.span.start : error.span.end].split()
    words = [*error.text[: error.span.start].split()[-1:], *at]
    speller = Speller(parser.lexicon, lambda: parser.tokenizer.english)
    plain_words = [word.strip(string.punctuation).lower() for word in words]
    if all(speller.knows(word) for word in plain_words):
        return error.clues
    return error.clues | {"unknown word"}


def mistakes() -> dict[str, tuple[str, ...]]:
    """The kinds of mistakes with their examples, from ``mistakes.toml``.

    Raises:
        LexiconError: the file is wrong.
    """
    file = resources.files("neurosym.grammar").joinpath("mistakes.toml")
    document = tomllib.loads(file.read_text(encoding="utf-8"))
    for label, examples in document.items():
        if not (isinstance(examples, list) and all(isinstance(e, str) for e in examples)):
            raise LexiconError(f'mistakes.toml: "{label}" must be a list of sentences')
    return {label: tuple(examples) for label, examples in document.items()}


def _mistake(parser: Parser, error: GrammarError) -> str | None:
    """The label of the example that failed most alike."""
    best: tuple[float, str | None] = (ALIKE, None)
    seen = _seen(parser, error)
    for label, clues in _taught(parser.tokenizer, parser.lexicon):
        alike = _alike(seen, clues)
        if alike > best[0]:
            best = (alike, label)
    return best[1]


@functools.lru_cache(maxsize=4)
def _taught(tokenizer: SpacyTokenizer, lexicon: Lexicon) -> tuple[tuple[str, frozenset[str]], ...]:
    """The labels with what the grammar sees in each of their examples."""
    parser = Parser(tokenizer, lexicon, max_readings=1, fallback=False)
    found: list[tuple[str, frozenset[str]]] = []
    for label, examples in mistakes().items():
        for example in examples:
            try:
                parser.parse(example)
            except GrammarError as error:
                found.append((label, _seen(parser, error)))
    return tuple(found)


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    """The weighted share of clues that two failures have in common, in [0, 1]."""
    shared = sum(map(_weight, one & other))
    return shared / max(sum(map(_weight, one | other)), 1e-9)


def _weight(clue: str) -> float:
    return _WEIGHTS.get(clue.split(" ", 1)[0], 1.0)


def _fix(parser: Parser, text: str, error: GrammarError) -> str | None:
    """The first small change of a text that makes it readable."""
    for number, changed in enumerate(_changes(parser.lexicon, text, error)):
        if number >= MAX_FIXES:
            return None
        try:
            parser.parse(changed)
        except NeurosymError:
            continue
        return changed
    return None


def _changes(lexicon: Lexicon, text: str, error: GrammarError) -> Iterator[str]:
    """Changed texts, the smallest changes first: another word, one more, a swap, one less."""
    span = error.span or Span(len(text), len(text) + 1)
    before, at, after = text[: span.start], text[span.start : span.end], text[span.end :]
    word = at.strip().lower()
    if word and word not in lexicon:
        listed = (phrase for phrase in lexicon.phrases() if len(word) > _SLIPS)
        close = {phrase for phrase in listed if distance(word, phrase, _SLIPS) <= _SLIPS}
        for other in dict.fromkeys((*nearest(word, lexicon.phrases()), *sorted(close))):
            if other != word:
                yield f"{before}{other}{after}"
    for more in _words_for(lexicon, error):
        yield _joined(before, more, at + after)
    previous = before.split()
    following = after.split()
    if word and previous:
        yield _joined(*previous[:-1], at, previous[-1], after)
    if word and following:
        yield _joined(before, following[0], at, *following[1:])
    if word:
        yield _joined(before, after)
    if previous:
        yield _joined(*previous[:-1], at, after)
        yield _joined(before)


def _words_for(lexicon: Lexicon, error: GrammarError) -> Iterator[str]:
    """For every class that was expected, its first word; function words and nouns first."""
    expected = {clue.split(" ", 1)[1] for clue in error.clues if clue.startswith("expected ")}
    classes = [word_class for word_class in WordClass if word_class.name in expected]
    things = [WordClass.THING, WordClass.THINGS]
    after = {clue.split(" ", 1)[1] for clue in error.clues if clue.startswith("after ")}
    if after & _BEFORE_SEVERAL:
        things.reverse()
    order = (*things, WordClass.AND, WordClass.THE, WordClass.OF, WordClass.IS)
    ranked = sorted(
        classes,
        key=lambda c: (
            order.index(c) if c in order else len(order),
            c in OPEN and c not in EXPECTED_FIRST,
        ),
    )
    for word_class in ranked:
        phrases = lexicon.phrases(word_class)
        if phrases and word_class not in OPEN:
            whole = word_class in things and "THE" in expected and not after & _BEFORE_NOUNS
            yield f"the {phrases[0]}" if whole else phrases[0]


def _joined(*parts: str) -> str:
    return " ".join(" ".join(parts).split())
