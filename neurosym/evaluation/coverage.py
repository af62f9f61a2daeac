"""How much of a text's wording reaches its program: defined once, for every corpus.

A *content token* is a noun, verb, adjective, adverb, number or preposition that is no function
word: a word whose part of speech is open or a preposition, and whose every sense in the lexicon
is not one that programs never speak of (``UNSPOKEN``: articles, forms of "be", "of", "and").
It is

unlisted
    when no phrase of the lexicon has it, so that its tag alone says what it may be;
unused
    when the program of the best reading has no use for it; of a text that is refused, all are;
unknown
    when it is both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from neurosym.errors import NeurosymError
from neurosym.grammar import Lexicon, Parse, Parser, Token
from neurosym.grammar.classes import UNSPOKEN
from neurosym.grammar.units import listed

CONTENT = frozenset({"NOUN", "PROPN", "VERB", "ADJ", "ADV", "NUM", "ADP", "X"})
"""Universal parts of speech of words that say something."""


@dataclass(frozen=True)
class Coverage:
    """Counts over texts.

    Attributes:
        texts: how many.
        parsed: how many have a program.
        fallback: how many have one, but not by the grammar.
        tokens: how many content tokens the texts have.
        unlisted, unused, unknown: how many of them are.
    """

    texts: int = 0
    parsed: int = 0
    fallback: int = 0
    tokens: int = 0
    unlisted: int = 0
    unused: int = 0
    unknown: int = 0

    def shares(self) -> dict[str, float | None]:
        """Shares in [0, 1]; None where there is nothing to take a share of."""
        of = {"parsed": self.texts, "fallback": self.texts}
        return {
            name: getattr(self, name) / total if total else None
            for name in ("parsed", "fallback", "unlisted", "unused", "unknown")
            for total in (of.get(name, self.tokens),)
        }


def total(parts: Iterable[Coverage]) -> Coverage:
    """The sum of some counts."""
    listed_parts = list(parts)
    return Coverage(
        **{f.name: sum(getattr(part, f.name) for part in listed_parts) for f in fields(Coverage)}
    )


def coverage_of(text: str, parse: Parse | None, parser: Parser) -> Coverage:
    """The counts of one text.

    Args:
        text: the text.
        parse: its parse; None when it was refused.
        parser: what parsed it.
    """
    if parse is None:
        try:
            tokens = parser.tokenizer(text)
        except NeurosymError:
            return Coverage(texts=1)
    else:
        tokens = parse.tokens
    known = listed(tokens, parser.lexicon)
    content = {token.index for token in tokens if is_content(token, parser.lexicon)}
    unused = content if parse is None else content & {token.index for token in parse.unused}
    unlisted = content - known
    return Coverage(
        texts=1,
        parsed=int(parse is not None),
        fallback=int(parse is not None and parse.readings[0].guessed),
        tokens=len(content),
        unlisted=len(unlisted),
        unused=len(unused),
        unknown=len(unlisted & unused),
    )


def is_content(token: Token, lexicon: Lexicon) -> bool:
    """Whether a token is a content token."""
    senses = lexicon.senses(token.lower)
    function = bool(senses) and all(sense.word_class in UNSPOKEN for sense in senses)
    return token.is_word and token.pos in CONTENT and not function
