"""From tokens to units: words and multi-word phrases with all their senses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from neurosym.grammar.classes import BOUND, WordClass
from neurosym.grammar.lexicon import Lexicon, Sense
from neurosym.grammar.tokens import Token
from neurosym.span import Span

_PARTICIPLES = {"VBN", "VBG", "VBD"}
_MODIFIER_TAGS = {"JJ", "JJR"} | _PARTICIPLES
_GUESS_TAGS = _MODIFIER_TAGS | {"VB", "VBP", "FW", "UH", "XX", "ADD", "AFX", "RB", "NFP", "LS"}
_NEGATED = re.compile(r"(non|un(?!der))\w{3,}|\w{3,}less")
_NOT_NEGATED = {"unique", "united", "uniform", "unified", "universal", "wireless", "stainless"}
_ORDINAL = re.compile(r"(\d{1,3})(?:st|nd|rd|th)")


UNLISTED = "unlisted"
"""The concept of an unknown word that the lexicon does not list; a listed one has its kind."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A word or phrase that the grammar takes as one.

    Attributes:
        tokens: what it is made of.
        senses: everything it can be.
    """

    tokens: tuple[Token, ...]
    senses: tuple[Sense, ...]

    @property
    def span(self) -> Span:
        """The characters from its first to its last token."""
        return Span(self.tokens[0].span.start, self.tokens[-1].span.end)

    @property
    def code(self) -> str:
        """The codes of its classes, in a fixed order."""
        return "".join(sorted({sense.word_class.value for sense in self.senses}))

    def sense(self, *classes: WordClass) -> Sense:
        """The first sense that is of one of ``classes``."""
        return next(sense for sense in self.senses if sense.word_class in classes)

    @property
    def is_name(self) -> bool:
        """Whether it names a kind of thing: then its words may also be meant one by one."""
        return any(s.word_class in (WordClass.NOUN, WordClass.PLURAL_NOUN) for s in self.senses)

    @property
    def listed_unknown(self) -> bool:
        """Whether it is listed as a word that changes what is meant in a way we cannot say."""
        return any(s.concept != UNLISTED for s in self.all(WordClass.UNKNOWN))

    @property
    def not_understood(self) -> bool:
        """Whether it changes what is meant, in a way we cannot say but in its own constructions."""
        return self.listed_unknown or any(s.word_class in BOUND for s in self.senses)

    def all(self, word_class: WordClass) -> tuple[Sense, ...]:
        """Every sense of a class."""
        return tuple(sense for sense in self.senses if sense.word_class is word_class)


def segmentations(
    tokens: tuple[Token, ...], lexicon: Lexicon, limit: int
) -> Iterator[tuple[tuple[Unit, ...], Unit | None]]:
    """The ways to cut a sentence into units: longest phrases first, then with one phrase split.

    Yields the units and the phrase that was split, if any. Marks that are not words and that the
    lexicon does not list are left out.
    """
    lowers = tuple(token.lower for token in tokens)
    bases = tuple(_base_forms(token) for token in tokens)
    longest = _cut(tokens, lowers, bases, lexicon, split=None)
    yield longest, None
    phrases = [unit for unit in longest if len(unit.tokens) > 1 and not unit.listed_unknown]
    for unit in phrases[: limit - 1]:
        split = unit.tokens[0].index - tokens[0].index
        yield _cut(tokens, lowers, bases, lexicon, split=split), unit


def _cut(
    tokens: tuple[Token, ...],
    lowers: tuple[str, ...],
    bases: tuple[tuple[str, ...], ...],
    lexicon: Lexicon,
    split: int | None,
) -> tuple[Unit, ...]:
    units: list[Unit] = []
    position = 0
    while position < len(tokens):
        found = lexicon.matches(lowers, bases, position)
        if position == split:
            found = found[1:]
        if found and tokens[position].tag == "POS":
            # Taggers take some "'s" of "is" for the other one.
            end, senses = found[0]
            found = [(end, (*senses, Sense(WordClass.UNKNOWN, "possession")))]
        if found:
            end, senses = found[0]
            units.append(Unit(tokens[position:end], senses))
            position = end
            continue
        end = _hyphenated(tokens, position)
        if tokens[position].tag == "POS" and end < len(tokens):
            units.append(Unit(tokens[position:end], (Sense(WordClass.UNKNOWN, "possession"),)))
        elif tokens[position].is_word:
            units.append(Unit(tokens[position:end], _by_tag(tokens[position:end])))
        position = end
    return tuple(units)


def _hyphenated(tokens: tuple[Token, ...], start: int) -> int:
    """The end of the word at ``start`` with what hyphens join to it ("u-turn")."""
    end = start + 1
    while (
        end + 1 < len(tokens)
        and tokens[end].lower == "-"
        and tokens[end - 1].span.end == tokens[end].span.start
        and tokens[end].span.end == tokens[end + 1].span.start
        and tokens[end + 1].is_word
    ):
        end += 2
    return end


def _base_forms(token: Token) -> tuple[str, ...]:
    """What the word may be the plural of: its lemma, and its form less the ending.

    The latter because taggers take bare plurals for verbs: "cubes" of a verb "cub". The lemma of
    a participle is a verb, though, which the noun may look like: "stacked".
    """
    forms: tuple[str, ...] = (token.lemma, _singular(token.lower))
    if token.tag in _PARTICIPLES:
        forms = forms[1:]
    return tuple(dict.fromkeys(form for form in forms if form != token.lower))


def _singular(word: str) -> str:
    if len(word) < 4 or not word.endswith("s") or word.endswith("ss"):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("ches", "shes", "sses", "xes", "zes")) else word[:-1]


def _by_tag(tokens: tuple[Token, ...]) -> tuple[Sense, ...]:
    """The senses of a word that the lexicon does not list, by its tag."""
    last = tokens[-1]
    joined = "".join(token.lower for token in tokens[:-1])
    concept, form = joined + last.lemma, joined + last.lower
    ordinal = _ORDINAL.fullmatch(form)
    if ordinal and int(ordinal.group(1)) > 0:
        return (Sense(WordClass.ORDINAL, str(int(ordinal.group(1)))),)
    if form.isascii() and form.isdecimal() and len(form) <= 4:
        return (Sense(WordClass.NUMBER, str(int(form))),)
    if last.tag in ("NNS", "NNPS"):
        return (Sense(WordClass.PLURAL_NOUN, concept),)
    if last.tag in ("NN", "NNP"):
        return (Sense(WordClass.NOUN, concept),)
    if last.tag == "VBZ":
        return (Sense(WordClass.GUESSED_PLURAL, joined + _singular(last.lower)),)
    if last.tag in _MODIFIER_TAGS and _must_not_be_dropped(last, form):
        return (Sense(WordClass.UNKNOWN, "comparison"),)
    if last.tag in _MODIFIER_TAGS:
        return (Sense(WordClass.MODIFIER, form), Sense(WordClass.GUESSED_NOUN, form))
    if last.tag in _GUESS_TAGS:
        return (Sense(WordClass.GUESSED_NOUN, form),)
    return (Sense(WordClass.UNKNOWN, UNLISTED),)


def _must_not_be_dropped(token: Token, form: str) -> bool:
    """Whether a modifier negates or compares: "unlit", "nonyellow", "headless", "bigger"."""
    if token.tag == "JJR":
        return token.lemma != token.lower
    return bool(_NEGATED.fullmatch(form)) and form not in _NOT_NEGATED


def listed(tokens: tuple[Token, ...], lexicon: Lexicon) -> frozenset[int]:
    """The positions of the tokens that are, or are part of, a phrase of the lexicon."""
    lowers = tuple(token.lower for token in tokens)
    bases = tuple(_base_forms(token) for token in tokens)
    found: set[int] = set()
    position = 0
    while position < len(tokens):
        matches = lexicon.matches(lowers, bases, position)
        end = matches[0][0] if matches else position
        found.update(range(position, end))
        position = max(end, position + 1)
    return frozenset(found)
