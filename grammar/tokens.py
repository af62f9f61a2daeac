"""Text to tokens: spaCy's words, tags and lemmas, with spans into the text as it was given."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurosym.errors import TextError
from neurosym.grammar.agreement import agreeing
from neurosym.grammar.repair import SHORTEST, Repair
from neurosym.span import Span

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

MAX_CHARACTERS = 2000
"""Longest text that is read, in characters."""
MAX_WORDS = 200
"""Longest text that is read, in words."""

OPTIONAL_S = re.compile(r"([a-z])\(s\)")
"""The ending of a noun that may be one thing or several: "cup(s)"."""
SLASH_AT_END = re.compile(r"(?<=[a-z])/(?=\s*$)")
"""What ends a question where the shift key was not held."""
_PLAIN = {
    **dict.fromkeys("‘’‛ʼ`´", "'"),
    **dict.fromkeys("“”„‟«»", '"'),
    **dict.fromkeys("‐‑‒–—−", "-"),
}


@dataclass(frozen=True, slots=True)
class Token:
    """One word or punctuation mark.

    Attributes:
        index: position in the sentence.
        text: the characters as written.
        lower: plain lower-case form: what lexicons look up.
        lemma: base form, lower case.
        tag: Penn Treebank tag; empty where the lexicon alone decided what every word is.
        pos: universal part of speech; empty likewise.
        span: characters of the original text.
    """

    index: int
    text: str
    lower: str
    lemma: str
    tag: str
    pos: str
    span: Span

    def __str__(self) -> str:
        return f"{self.text}/{self.tag}"

    @property
    def is_word(self) -> bool:
        """Whether there is a letter or a digit in it."""
        return any(character.isalnum() for character in self.lower)


def plain(text: str) -> str:
    """``text`` in lower case with plain quotes, hyphens and spaces, character by character.

    The result has the same length, so that positions in it are positions in ``text``.
    """
    return "".join(_plain_character(character) for character in text)


def _plain_character(character: str) -> str:
    if character in _PLAIN:
        return _PLAIN[character]
    if character.isspace() or unicodedata.category(character) in ("Cf", "Cc", "Zs"):
        return " "
    lower = character.lower()
    return lower if len(lower) == 1 else character


class SpacyTokenizer:
    """Tokens from a spaCy pipeline.

    Args:
        pipeline: a loaded spaCy ``Language``, or the name or folder of a pipeline to load. The
            pipeline needs a tagger and a lemmatizer.
        max_characters: longest text accepted.
        max_words: most words accepted.

    Raises:
        TextError: the pipeline cannot be loaded, or a limit is not positive.
    """

    def __init__(
        self,
        pipeline: Language | str | Path,
        *,
        max_characters: int = MAX_CHARACTERS,
        max_words: int = MAX_WORDS,
    ) -> None:
        for name, limit in (("max_characters", max_characters), ("max_words", max_words)):
            if limit < 1:
                raise TextError(f"{name} must be at least 1, not {limit}")
        self.max_characters = max_characters
        self.max_words = max_words
        self.pipeline = pipeline
        self._language = _load(pipeline) if isinstance(pipeline, str | Path) else pipeline

    @functools.cached_property
    def english(self) -> frozenset[str]:
        """The words that the pipeline knows: its dictionary of base forms, contractions, names.

        Empty for a pipeline without a dictionary: then no spelling can be told to be wrong.
        """
        # spaCy's types do not say what a lemmatizer or a tokenizer has; others may lack it.
        pipes: dict[str, Any] = dict(self._language.pipeline)
        lookups = getattr(pipes.get("lemmatizer"), "lookups", None)
        if lookups is None or not lookups.has_table("lemma_index"):
            return frozenset()
        contractions = getattr(self._language.tokenizer, "rules", None) or {}
        words: set[str] = {*self._language.Defaults.stop_words, *contractions}
        for name in ("lemma_index", "lemma_exc"):
            for listed in lookups.get_table(name, {}).values():
                words.update(listed)
        # Words that the pipeline has only seen in small letters may be slips themselves.
        # So may the shortest names: "teh" is one.
        strings = self._language.vocab.strings
        seen = (word for word in strings if word.isalpha() and len(word) > SHORTEST)
        words.update(word.lower() for word in seen if word != word.lower())
        return frozenset(word.replace("'", "") for word in words)

    def __call__(self, text: str, repairs: Iterable[Repair] = ()) -> tuple[Token, ...]:
        """The tokens of ``text``.

        Args:
            text: the text.
            repairs: slips that are read as what was meant; the spans of their words stay those
                of what was written.

        Raises:
            TextError: the text is not a string, is empty or too long, has no letters, or is not
                in the Latin script. All of this is checked before spaCy sees the text.
        """
        self.check(text)
        kept = _kept(text, repairs)
        return _tokens(text, kept, self._language(_read(kept)))

    def pipe(
        self, texts: Iterable[tuple[str, Iterable[Repair]]], batch_size: int
    ) -> Iterator[tuple[Token, ...]]:
        """The tokens of many texts, with spaCy's batches; faster than one by one.

        Args:
            texts: each with its repairs; all have been checked.
            batch_size: texts that spaCy sees at a time.

        Yields:
            The tokens of each text, in order.
        """
        marked = ((text, _kept(text, repairs)) for text, repairs in texts)
        strings = ((_read(kept), (text, kept)) for text, kept in marked)
        for doc, (text, kept) in self._language.pipe(
            strings, as_tuples=True, batch_size=batch_size
        ):
            yield _tokens(text, kept, doc)

    def cut(self, string: str) -> list[tuple[str, int]]:
        """The tokens of a string as they are before anything is tagged, with their positions."""
        return [(word.text, word.idx) for word in self._language.make_doc(string)]

    def check(self, text: object) -> None:
        """Raise TextError unless ``text`` can be read at all."""
        if not isinstance(text, str):
            raise TextError(f"a text must be a string, not {type(text).__name__}")
        surrogate = next((i for i, c in enumerate(text) if "\ud800" <= c <= "\udfff"), None)
        if surrogate is not None:
            raise TextError(f"the text is not valid Unicode at character {surrogate}")
        if len(text) > self.max_characters:
            raise TextError(
                f"the text has {len(text):,} characters; at most {self.max_characters:,} are read",
                text=text[: self.max_characters],
            )
        words = text.split()
        if len(words) > self.max_words:
            raise TextError(
                f"the text has {len(words):,} words; at most {self.max_words:,} are read", text=text
            )
        if not words:
            raise TextError("the text is empty; expected an English phrase or question", text=text)
        letters = [character for character in text if character.isalpha()]
        # "23" alone is the player with that number.
        number = len(words) == 1 and words[0].isascii() and words[0].isdecimal()
        if not letters and not number:
            raise TextError(
                "the text has no letters; expected an English phrase or question",
                text=text,
                span=Span(0, len(text)),
            )
        if text.isascii():
            return
        foreign = [c for c in letters if not unicodedata.name(c, "").startswith("LATIN")]
        if 2 * len(foreign) > len(letters):
            start = text.index(foreign[0])
            raise TextError(
                "most letters of the text are not Latin; expected English",
                text=text,
                span=Span(start, start + 1),
            )


_Letter = tuple[str, int, int]
"""A character that is read, with the first and the last end of what it stands for."""


def _kept(text: str, repairs: Iterable[Repair]) -> list[_Letter]:
    """The characters of a text that spaCy sees."""
    # "cup(s)" is read as "cups", without moving what follows.
    # A slash at the end is a question mark without the shift key.
    marked = SLASH_AT_END.sub("?", OPTIONAL_S.sub(r"\1s  ", plain(text)))
    same = _repaired(marked, repairs)
    # Runs of spaces would become tokens, and change the tags of the words around them.
    return [c for i, c in enumerate(same) if c[0] != " " or (i and same[i - 1][0] != " ")]


def _read(kept: list[_Letter]) -> str:
    return "".join(letter for letter, _, _ in kept)


def _tokens(text: str, kept: list[_Letter], doc: Doc) -> tuple[Token, ...]:
    tokens: list[Token] = []
    for word in doc:
        if word.is_space:
            continue
        if not word.tag_:
            raise TextError("the spaCy pipeline gives words no tags; load one with a tagger")
        start, end = kept[word.idx][1], kept[word.idx + len(word.text) - 1][2]
        span = Span(start, end + 2 if text[end - 1 : end + 2].lower() == "(s)" else end)
        tokens.append(
            Token(
                index=len(tokens),
                text=span.of(text),
                lower=word.text,
                lemma=word.lemma_.lower() or word.text,
                tag=word.tag_,
                pos=word.pos_,
                span=span,
            )
        )
    return agreeing(tuple(tokens))


def _repaired(same: str, repairs: Iterable[Repair]) -> list[_Letter]:
    characters = [(letter, i, i + 1) for i, letter in enumerate(same)]
    for repair in sorted(repairs, key=lambda repair: -repair.span.start):
        start, end = repair.span.start, repair.span.end
        written = [c for c in characters[start:end] if c[0] != " "]
        letters = iter(written)
        if "".join(c[0] for c in written) == repair.meant.replace(" ", ""):
            # Only a space moved, so every letter stands for itself.
            read = [next(letters) if c != " " else (" ", start, end) for c in repair.meant]
        else:
            read = [(letter, start, end) for letter in repair.meant]
        characters[start:end] = read
    return characters


def _load(pipeline: str | Path) -> Language:
    # Late, because spaCy imports torch: reading a lexicon or a tree must not.
    import spacy

    try:
        return spacy.load(pipeline, exclude=["ner", "parser", "senter"])
    # spaCy imports a package of that name and calls its "load": any error may come of it.
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise TextError(f'cannot load the spaCy pipeline "{pipeline}": {reason}') from error
