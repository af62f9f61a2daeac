"""The value that a question asks for, of what a noun phrase names."""

from __future__ import annotations

from neurosym.grammar.landmarks import whole_of
from neurosym.grammar.meaning import (
    Coordinated,
    NoReadingError,
    NounPhrase,
    Quantified,
    Scored,
    as_one,
    objects_of,
)
from neurosym.grammar.words import Words
from neurosym.program import CommonValue, Op, Query, Same

SOME = ("indefinite", "number", "number_of", "comparison")
"""Determiners of some things, which need not be all of them."""


def value_of(phrase: NounPhrase, attribute: str, words: Words) -> Scored[Op]:
    """The value that a thing has, that several share, or that is the most common of theirs.

    Args:
        phrase: whose value is asked for.
        attribute: of what.
        words: spans of the question.
    """
    if isinstance(phrase, Quantified) and phrase.determiner in ("most", "most_of"):
        said = (*words, *phrase.words[:1])
        return [(0.0, CommonValue(whole_of(phrase), attribute, words=said))]
    shared = _sharing(phrase, attribute)
    if shared is not None:
        return [(0.0, Query(shared, attribute, words=words))]
    try:
        subjects = as_one(phrase)
    except NoReadingError:
        if isinstance(phrase, Coordinated) and phrase.any_of:
            raise
        subjects = objects_of(phrase)
    return [(cost, Query(subject, attribute, words=words)) for cost, subject in subjects]


def _sharing(phrase: NounPhrase, attribute: str) -> Op | None:
    """Those of some things that share a value: two of the cups, a cup and a plate.

    None where the phrase names given things, all of which are asked about.
    """
    if isinstance(phrase, Coordinated):
        if phrase.any_of or len(phrase.parts) != 2:
            return None
        first, second = phrase.parts
        if not (isinstance(first, Quantified) and isinstance(second, Quantified)):
            return None
        if first.determiner not in SOME and second.determiner not in SOME:
            return None
        left, right = (
            _sharing(part, attribute) or objects_of(part)[0][1] for part in (first, second)
        )
        return Same(left, attribute, right, words=phrase.words)
    if phrase.number == 2 and phrase.determiner in SOME:
        # "What color do two of the cups have": the one that they share.
        return Same(phrase.objects, attribute, phrase.objects, words=phrase.words)
    return None
