"""What noun phrases mean where they stand: as answer, landmark, exclusion or question."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

from neurosym.program import (
    Comparison,
    Conjunction,
    CountIs,
    Disjunction,
    Exist,
    Kind,
    Negation,
    Op,
    The,
    TheCount,
    ThePlural,
    Union,
)
from neurosym.span import Span

T = TypeVar("T")
Scored: TypeAlias = list[tuple[float, T]]
"""Alternatives with their costs; smaller is better."""

DEFINITE_GUESS = 0.5
"""Cost of reading "the" into a bare singular noun."""
NARROW_NO = 0.6
"""Cost of "no dog or a cat" as: no dog, or a cat."""
AT_LEAST = 0.5
"""Cost of reading a bare number in a question as a lower bound."""


MAX_SIZE = 2000
"""Most nodes of a program that a text is read as. Some words repeat what they restrict, such as
"no" and "not", so that a long text may come to a program of any size."""

TOO_LARGE = "this is too much for one program"
"""Reason to refuse what would have more nodes than that."""

NOT_HERE = "this is not understood here"
"""Reason to refuse words that stand where they mean nothing."""


class NoReadingError(Exception):
    """A tree has no meaning: the grammar is wider than the language.

    Args:
        reason: for a person, what is not understood; empty when it is nothing worth saying.
        words: the words at fault.
    """

    def __init__(self, reason: str = "", words: Iterable[Span] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.span = Span.cover(words)


@dataclass(frozen=True, slots=True)
class Quantified:
    """A noun phrase before it is used.

    Attributes:
        determiner: the grammar's label of its determiner, "bare" when it has none.
        words: spans of the determiner.
        objects: the set that the rest of it describes.
        head: the set of its head noun alone, which "one" can stand for.
        plural: whether the head is a plural.
        ranked: whether a superlative or an ordinal already picks from it.
        number: the number in the determiner or beside an ordinal.
        comparison: how a count is compared, for "at least two".
        any_of_them: whether the determiner is "any", which after a comparison means all.
        each: what there must be some of, each by itself: for "black and blue cups" the black cups
            and the blue cups.
        of_values: whether it names colours, sizes or the like, and no things.
        whole: for "exactly three cups, which are red" the cups, of which there are three.
        besides: the word "other", where it is other than what the phrase is a landmark of.
    """

    determiner: str
    words: tuple[Span, ...]
    objects: Op
    head: Op
    plural: bool
    ranked: bool = False
    number: int | None = None
    comparison: Comparison | None = None
    any_of_them: bool = False
    each: tuple[Op, ...] = ()
    whole: Op | None = None
    of_values: bool = False
    besides: tuple[Span, ...] = ()

    def definite(self, words: tuple[Span, ...]) -> Quantified:
        """The same phrase with "the" for its determiner."""
        return replace(self, determiner="the", words=words)


@dataclass(frozen=True, slots=True)
class Coordinated:
    """Noun phrases joined by "and" or "or"; if ``neither``, by "neither" and "nor"."""

    any_of: bool
    words: tuple[Span, ...]
    parts: tuple[NounPhrase, ...]
    neither: bool = False


NounPhrase: TypeAlias = Quantified | Coordinated


def cheapest(alternatives: Iterable[tuple[float, T]], beam: int) -> Scored[T]:
    """The ``beam`` cheapest alternatives, cheapest first; of equals the earlier one first."""
    return heapq.nsmallest(beam, alternatives, key=lambda scored: scored[0])


def head_of(phrase: NounPhrase) -> Op:
    """The head that "one" in a later phrase stands for."""
    return phrase.head if isinstance(phrase, Quantified) else head_of(phrase.parts[0])


def names_several(phrase: Quantified) -> bool:
    """Whether a phrase names several things that are given: what is said of it is said of all."""
    return phrase.determiner == "group" or (
        phrase.plural and phrase.determiner in ("the", "the_number", "pronoun")
    )


def refer(phrase: NounPhrase) -> Scored[Op]:
    """The noun phrase as a whole expression: what it refers to, or a truth for "no dog"."""
    if isinstance(phrase, Coordinated):
        if denied_by_no(phrase):
            return exists(phrase, ())
        return joined(phrase, [refer(part) for part in phrase.parts])
    objects, words = phrase.objects, phrase.words
    match phrase.determiner:
        case "the" if phrase.number is not None:
            return [(0.0, TheCount(objects, phrase.number, words=words))]
        case "the" | "all" if phrase.plural or phrase.determiner == "all":
            return [(0.0, ThePlural(objects, words=words))]
        case "the":
            return [(0.0, The(objects, words=words))]
        case "each":
            return [(0.0, ThePlural(objects, words=words))]
        case "the_number" | "number" | "both" if phrase.number == 1:
            return [(0.0, The(objects, words=words))]
        case "the_number" | "number" | "both":
            return [(0.0, TheCount(objects, _number(phrase), words=words))]
        case "no":
            return [(0.0, Negation(Exist(objects), words=words))]
        case "comparison":
            return [(0.0, _count_is(phrase))]
        case "only":
            # "The only dog": there is no other.
            return [(0.0, (ThePlural if phrase.plural else The)(objects, words=words))]
        case "number_of" if phrase.number == 1:
            return [(0.0, objects)]
        case "most" | "most_of" | "number_of" | "neither" | "all_but" | "portion":
            raise NoReadingError("this amount is not understood in this place", words[:1])
        case "bare" if phrase.number is not None:
            return [(0.0, TheCount(objects, phrase.number, words=words))]
        case "bare" if not phrase.plural:
            the, plain = (0.0, DEFINITE_GUESS) if phrase.ranked else (DEFINITE_GUESS, 0.0)
            return cheapest([(the, The(objects, words=words)), (plain, objects)], 2)
    return [(0.0, objects)]


def exists(phrase: NounPhrase, words: tuple[Span, ...]) -> Scored[Op]:
    """Whether there is what the phrase describes."""
    if isinstance(phrase, Coordinated) and phrase.neither:
        either = exists(replace(phrase, neither=False), words)
        return [(cost, Negation(op, words=phrase.words)) for cost, op in either]
    if isinstance(phrase, Coordinated):
        as_said = joined(phrase, [exists(part, words) for part in phrase.parts])
        denied = denied_by_no(phrase)
        if denied is None:
            return as_said
        wide: Scored[Op] = [
            (cost, Negation(op, words=phrase.parts[0].words)) for cost, op in exists(denied, words)
        ]
        if all(isinstance(part, Quantified) and part.determiner == "bare" for part in denied.parts):
            return wide
        return [*wide, *((cost + NARROW_NO, op) for cost, op in as_said)]
    objects = phrase.objects
    match phrase.determiner:
        case "no" if phrase.number is not None:
            several = CountIs(objects, Comparison.AT_LEAST, _number(phrase), words=phrase.words[1:])
            return [(0.0, Negation(several, words=phrase.words[:1]))]
        case "no":
            return [(0.0, Negation(Exist(objects, words=words), words=phrase.words))]
        case "comparison":
            return [(0.0, _count_is(phrase))]
        case "several":
            return [(0.0, _count_is(replace(phrase, number=least_of(phrase))))]
        case "number" | "both" | "the_number" | "number_of":
            number = _number(phrase)
            exactly, at_least = (
                CountIs(objects, comparison, number, words=phrase.words)
                for comparison in (Comparison.EXACTLY, Comparison.AT_LEAST)
            )
            return [(0.0, exactly), (AT_LEAST, at_least)]
    if phrase.determiner in ("all", "each", "everything", "most", "most_of", "only") or (
        phrase.determiner in ("neither", "all_but", "portion")
    ):
        raise NoReadingError("what there is cannot be counted by this", phrase.words[:1])
    return [(0.0, Exist(objects, words=words))]


def denied_by_no(phrase: Coordinated) -> Coordinated | None:
    """What "no" denies in "no dog or cat": either of them. None for other coordinations."""
    if phrase.neither:
        return replace(phrase, neither=False)
    first = phrase.parts[0]
    said = [part.determiner if isinstance(part, Quantified) else "" for part in phrase.parts]
    after = {"bare", "indefinite"} if phrase.any_of else {"bare"}
    if said[0] != "no" or not after.issuperset(said[1:]) or not isinstance(first, Quantified):
        return None
    return Coordinated(True, phrase.words, (replace(first, determiner="bare"), *phrase.parts[1:]))


def least_of(phrase: Quantified) -> int:
    """The least number that "several" says; raises NoReadingError for "many", which says none."""
    if phrase.number is None:
        raise NoReadingError("how many that is depends on what one expects", phrase.words)
    return phrase.number


def _number(phrase: Quantified) -> int:
    if phrase.number is None or phrase.number < 1:
        raise NoReadingError
    return phrase.number


def _count_is(phrase: Quantified) -> Op:
    if phrase.comparison is None or phrase.number is None:
        raise NoReadingError
    return CountIs(phrase.objects, phrase.comparison, phrase.number, words=phrase.words)


def joined(phrase: Coordinated, parts: list[Scored[Op]]) -> Scored[Op]:
    """The alternatives of a coordination, from those of its parts."""
    result = parts[0]
    for part in parts[1:]:
        result = [
            (left_cost + right_cost, _join(phrase, left, right))
            for left_cost, left in result
            for right_cost, right in part
        ]
    return result


def _join(phrase: Coordinated, left: Op, right: Op) -> Op:
    truths = [side.returns is Kind.TRUTH for side in (left, right)]
    if not any(truths):
        return Union(left, right, words=phrase.words)
    if not all(truths):
        raise NoReadingError('things cannot be joined with "no" or a count', phrase.words)
    return (Disjunction if phrase.any_of else Conjunction)(left, right, words=phrase.words)


def objects_of(phrase: NounPhrase) -> Scored[Op]:
    """The objects that a noun phrase refers to; empty when it says a truth: "no dog"."""
    return [(cost, op) for cost, op in refer(phrase) if Kind.OBJECTS.accepts(op.returns)]


def as_one(phrase: NounPhrase) -> Scored[Op]:
    """The one thing that a question is about; "the" is read into a phrase without it.

    Raises:
        NoReadingError: the phrase names several things, or none.
    """
    if isinstance(phrase, Quantified) and not phrase.plural:
        if phrase.determiner in ("bare", "indefinite") and phrase.number is None:
            return [(DEFINITE_GUESS, The(phrase.objects, words=phrase.words))]
        found = [(cost, op) for cost, op in refer(phrase) if op.returns is Kind.REFERENT]
        if not found and phrase.determiner == "pronoun":
            found = [(cost, The(op)) for cost, op in refer(phrase)]
        if found:
            return found
    raise NoReadingError("this can be asked of one thing only", phrase.words)
