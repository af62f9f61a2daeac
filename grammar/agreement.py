"""Tags that agree in number: "a man winks" has no plural noun after "a".

A tagger that sees few verbs with an "s" takes them for plurals. What "a" or "each" opens is one
thing, though, so that a plural which no noun follows is what that thing does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neurosym.grammar.tokens import Token

_ONE = frozenset({"a", "an", "each", "every", "another"})
_WITHIN = frozenset({"NN", "NNP", "JJ", "VBG", "VBN", "HYPH", "RB"})
"""Tags of what may stand between an article and the last noun of its phrase."""
_NOUNS = frozenset({"NN", "NNP"})
_GOES_ON = frozenset({"NN", "NNS", "NNP", "NNPS", "POS", "HYPH", "VBG", "VBN", "VBZ", "VBD", "VBP"})
"""Tags of what goes on with a noun phrase, or has it for a subject."""
_AMOUNTS = frozenset(
    {"couple", "pair", "dozen", "few", "lot", "number", "bunch", "group", "hundred", "bit", "set"}
)
"""What stands before a plural although "a" stands before it: "a couple dogs"."""
_THERE_IS = frozenset({"is", "are", "was", "were", "has", "have"})


def agreeing(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    """The tokens of a text, with plurals that can only be verbs tagged as verbs."""
    found = [position for position in range(2, len(tokens)) if _is_verb(tokens, position)]
    if not found:
        return tokens
    changed = list(tokens)
    for position in found:
        changed[position] = replace(tokens[position], tag="VBZ", pos="VERB")
    return tuple(changed)


def _is_verb(tokens: tuple[Token, ...], position: int) -> bool:
    token, before = tokens[position], tokens[position - 1]
    if token.tag != "NNS" or before.tag not in _NOUNS or before.lower in _AMOUNTS:
        return False
    if not token.lower.endswith("s") or token.lower.endswith("ss"):
        return False
    after = tokens[position + 1] if position + 1 < len(tokens) else None
    if after is not None and after.tag in _GOES_ON:
        return False
    start = position - 1
    while start > 0 and tokens[start - 1].tag in _WITHIN:
        start -= 1
    # "There is a flower pots" has one verb already.
    named = start > 1 and tokens[start - 2].lower in _THERE_IS
    return start > 0 and tokens[start - 1].lower in _ONE and not named
