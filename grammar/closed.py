"""Tokens without a tagger, for texts in which the lexicon alone decides what every word is."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from neurosym.grammar.classes import WordClass
from neurosym.grammar.forms import Word
from neurosym.grammar.lexicon import Lexicon, Sense, pieces
from neurosym.grammar.open_class import listed_verbs, singular
from neurosym.grammar.tokens import OPTIONAL_S, SpacyTokenizer, Token
from neurosym.grammar.units import segmentations
from neurosym.span import Span

REMEMBERED = 8192
"""Strings between spaces that are remembered with their tokens."""

_SIMPLE = re.compile(r"[a-z0-9]+[.,;:!?]*|[.,;:!?]+")
_NOUNS = frozenset({WordClass.NOUN, WordClass.GUESSED_NOUN})
_BY_TAG = frozenset({WordClass.VERB, WordClass.POSTURE, WordClass.PASSIVE})
"""Classes whose words are told apart from others, and put together with others, by tags."""
_BY_PLACE = frozenset({WordClass.COMMAND, WordClass.PARTICLE})
"""Classes whose words are what they are in some places only."""
_ENDINGS = ("ed", "d", "ing", "er", "r", "est", "st", "es", "s", "n", "en", "ly")

_Piece = tuple[str, int, int, bool, bool]
"""A token's plain form, where it starts in its string, its length, whether it is listed by itself,
and whether it is that at the beginning of a text only."""


class ClosedTokenizer:
    """Tokens of texts whose words are all listed, and none of whose words a tagger could change.

    Text is cut as spaCy cuts it, whose rules look at one string between spaces at a time. The
    tokens have no tags; what a word is follows from its senses in the lexicon.

    Args:
        tokenizer: cuts strings, and says what can be read at all.
        lexicon: the words.
    """

    def __init__(self, tokenizer: SpacyTokenizer, lexicon: Lexicon) -> None:
        self._tokenizer = tokenizer
        self._lexicon = lexicon
        self._phrasal = frozenset(
            piece
            for phrase in lexicon.phrases()
            if len(pieces(phrase)) > 1
            for piece in pieces(phrase)
        )
        self._last_of_nouns = frozenset(
            pieces(phrase)[-1] for phrase in lexicon.phrases() if _is_noun(lexicon.senses(phrase))
        )
        self._pieces = functools.lru_cache(maxsize=REMEMBERED)(self._cut)

    def __call__(self, text: str) -> tuple[Token, ...] | None:
        """The tokens of a text that can be read; None when a tagger has to see it."""
        words = self.words(text)
        return None if words is None else self.tokens(text, words)

    def tokens(self, text: str, words: list[Word]) -> tuple[Token, ...] | None:
        """The tokens of a text from its :meth:`words`; None when a tagger has to see it."""
        tokens = untagged(text, words)
        doubtful = {index for index, word in enumerate(words) if not word[3]}
        if doubtful and not self._in_phrases(tokens, doubtful):
            return None
        return tokens

    def words(self, text: str) -> list[Word] | None:
        """The words and marks of a text that can be read; None when a tagger has to see it.

        Where all are listed by themselves, or in phrases that are not names, none has to.
        """
        if not (text.isascii() and text.isprintable()):
            return None
        same = text.lower()
        optional = "(" in same
        if optional:
            same = OPTIONAL_S.sub(r"\1s  ", same)
        words: list[Word] = []
        pieces_of = self._pieces
        before, at = "", 0
        for string in same.split():
            found = pieces_of(string)
            if found is None:
                return None
            at = same.index(string, at)
            for lower, offset, length, sure, opens in found:
                # A word written twice may be a slip; in its midst a command is another word.
                if lower == before or (opens and words):
                    return None
                before = lower
                start = at + offset
                end = start + length
                if optional and text[end - 1] == "(":
                    end += 2
                words.append((lower, start, end, sure))
            at += len(string)
        return words

    def _in_phrases(self, tokens: tuple[Token, ...], positions: set[int]) -> bool:
        """Whether these words stand in phrases of the lexicon that are not read word by word."""
        units, _ = next(segmentations(tokens, self._lexicon, 1))
        return all(
            len(unit.tokens) > 1 and not unit.is_name
            for unit in units
            if any(token.index in positions for token in unit.tokens)
        )

    def _cut(self, string: str) -> tuple[_Piece, ...] | None:
        """The tokens of a string without spaces; None when one of them is not decided."""
        if not _SIMPLE.fullmatch(string):
            return None
        found: list[_Piece] = []
        for lower, offset in self._tokenizer.cut(string):
            sure = self._decided(lower) if lower[0].isalnum() else True
            if sure is None:
                return None
            found.append((lower, offset, len(lower), sure, sure and self._opens(lower)))
        return tuple(found)

    def _decided(self, word: str) -> bool | None:
        """Whether a word is listed by itself; None when it is not listed, or a tag can change it.

        False for one that is listed only in phrases, with others.
        """
        base = singular(word)
        senses = self._lexicon.senses(word)
        if base != word:
            senses += tuple(s for s in self._lexicon.senses(base) if s.word_class in _NOUNS)
        if any(sense.word_class in _BY_TAG for sense in senses):
            return None
        # "They drink water", "a drink".
        nouns = senses and all(sense.word_class in _NOUNS for sense in senses)
        if nouns and listed_verbs(word, self._lexicon):
            return None
        # Only after what a command names is it one: "pick it up".
        if senses and all(sense.word_class is WordClass.PARTICLE for sense in senses):
            return None
        # The lemma of another part of speech may be a noun of the lexicon.
        if any(stem in self._last_of_nouns for stem in _stems(word) if stem != base):
            return None
        if senses:
            return True
        return False if word in self._phrasal or base in self._phrasal else None

    def _opens(self, word: str) -> bool:
        """Whether a word is nothing but a command: elsewhere it is another: "the cut pizza"."""
        classes = {sense.word_class for sense in self._lexicon.senses(word)}
        return WordClass.COMMAND in classes and classes <= _BY_PLACE


def untagged(text: str, words: Iterable[Word]) -> tuple[Token, ...]:
    """The tokens of a text that no tagger saw, from its words and marks."""
    return tuple(
        [
            Token(index, text[start:end], lower, lower, "", "", Span(start, end))
            for index, (lower, start, end, _) in enumerate(words)
        ]
    )


def _is_noun(senses: tuple[Sense, ...]) -> bool:
    return any(sense.word_class in _NOUNS for sense in senses)


def _stems(word: str) -> set[str]:
    """What a lemmatizer may take a word to be a form of, by its ending."""
    stems: set[str] = set()
    for ending in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem != word and len(stem) > 1:
            stems |= {stem, stem + "e"}
            if stem[-1] == stem[-2]:
                stems.add(stem[:-1])
            if stem[-1] == "i":
                stems.add(stem[:-1] + "y")
    return stems - {word}
