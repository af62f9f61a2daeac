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
    Minus,
    Negation,
    Op,
    Relate,
    RelateAll,
    The,
    TheCount,
    ThePlural,
    Union,
)
from neurosym.span import Span

T = TypeVar("T")
Scored: TypeAlias = list[tuple[float, T]]
"""Alternatives with their costs; smaller is better."""

DIRECTIONAL = frozenset({"left_of", "right_of", "above", "below", "in_front_of", "behind"})
"""Relations to a plural landmark that hold of all of it: left of the chairs, but on the tables."""

DEFINITE_GUESS = 0.5
"""Cost of reading "the" into a bare singular noun."""
OTHER_QUANTIFIER = 0.8
"""Cost of the less usual of some and all for a plural landmark."""
NARROW_NO = 0.6
"""Cost of "no dog or a cat" as: no dog, or a cat."""
AT_LEAST = 0.5
"""Cost of reading a bare number in a question as a lower bound."""


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
    """

    determiner: str
    words: tuple[Span, ...]
    objects: Op
    head: Op
    plural: bool
    ranked: bool = False
    number: int | None = None
    comparison: Comparison | None = None


@dataclass(frozen=True, slots=True)
class Coordinated:
    """Noun phrases joined by "and" or "or"."""

    any_of: bool
    words: tuple[Span, ...]
    parts: tuple[NounPhrase, ...]


NounPhrase: TypeAlias = Quantified | Coordinated


def cheapest(alternatives: Iterable[tuple[float, T]], beam: int) -> Scored[T]:
    """The ``beam`` cheapest alternatives, cheapest first; of equals the earlier one first."""
    return heapq.nsmallest(beam, alternatives, key=lambda scored: scored[0])


def head_of(phrase: NounPhrase) -> Op:
    """The head that "one" in a later phrase stands for."""
    return phrase.head if isinstance(phrase, Quantified) else head_of(phrase.parts[0])


def refer(phrase: NounPhrase) -> Scored[Op]:
    """The noun phrase as a whole expression: what it refers to, or a truth for "no dog"."""
    if isinstance(phrase, Coordinated):
        if _denied(phrase):
            return exists(phrase, ())
        return _joined(phrase, [refer(part) for part in phrase.parts])
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
        case "bare" if phrase.number is not None:
            return [(0.0, TheCount(objects, phrase.number, words=words))]
        case "bare" if not phrase.plural:
            the, plain = (0.0, DEFINITE_GUESS) if phrase.ranked else (DEFINITE_GUESS, 0.0)
            return cheapest([(the, The(objects, words=words)), (plain, objects)], 2)
    return [(0.0, objects)]


def related(objects: Op, relation: str, words: tuple[Span, ...], to: NounPhrase) -> Scored[Op]:
    """The ``objects`` in a relation to a landmark.

    "and" asks for the relation to each part, "or" for the relation to any.
    """
    if isinstance(to, Coordinated):
        return _related_to_parts(objects, relation, words, to)
    quantified = (*words, *to.words)
    if to.determiner == "no":
        return [
            (
                0.0,
                Minus(objects, Relate(objects, relation, to.objects, words=words), words=to.words),
            )
        ]
    if to.determiner == "comparison":
        raise NoReadingError("a comparison of numbers is not understood in this place", to.words)
    if to.determiner in ("all", "each"):
        return [(0.0, RelateAll(objects, relation, to.objects, words=quantified))]
    landmarks = refer(to)
    if to.determiner in ("both", "number"):
        return [(cost, RelateAll(objects, relation, op, words=words)) for cost, op in landmarks]
    some = [(cost, Relate(objects, relation, op, words=words)) for cost, op in landmarks]
    several = to.plural and to.determiner in ("the", "the_number")
    if not several:
        return [*some]
    every = [(cost, RelateAll(objects, relation, op, words=words)) for cost, op in landmarks]
    first, second = (every, some) if relation in DIRECTIONAL else (some, every)
    return [*first, *((cost + OTHER_QUANTIFIER, op) for cost, op in second)]


def exists(phrase: NounPhrase, words: tuple[Span, ...]) -> Scored[Op]:
    """Whether there is what the phrase describes."""
    if isinstance(phrase, Coordinated):
        as_said = _joined(phrase, [exists(part, words) for part in phrase.parts])
        denied = _denied(phrase)
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
        case "no":
            return [(0.0, Negation(Exist(objects, words=words), words=phrase.words))]
        case "comparison":
            return [(0.0, _count_is(phrase))]
        case "number" | "both" | "the_number":
            number = _number(phrase)
            exactly, at_least = (
                CountIs(objects, comparison, number, words=phrase.words)
                for comparison in (Comparison.EXACTLY, Comparison.AT_LEAST)
            )
            return [(0.0, exactly), (AT_LEAST, at_least)]
    if phrase.determiner in ("all", "each"):
        raise NoReadingError("what there is cannot be counted by this", phrase.words)
    return [(0.0, Exist(objects, words=words))]


def _denied(phrase: Coordinated) -> Coordinated | None:
    """What "no" denies in "no dog or cat": either of them. None for other coordinations."""
    first = phrase.parts[0]
    said = [part.determiner if isinstance(part, Quantified) else "" for part in phrase.parts]
    after = {"bare", "indefinite"} if phrase.any_of else {"bare"}
    if said[0] != "no" or not after.issuperset(said[1:]) or not isinstance(first, Quantified):
        return None
    return Coordinated(True, phrase.words, (replace(first, determiner="bare"), *phrase.parts[1:]))


def _number(phrase: Quantified) -> int:
    if phrase.number is None or phrase.number < 1:
        raise NoReadingError
    return phrase.number


def _count_is(phrase: Quantified) -> Op:
    if phrase.comparison is None or phrase.number is None:
        raise NoReadingError
    return CountIs(phrase.objects, phrase.comparison, phrase.number, words=phrase.words)


def _joined(phrase: Coordinated, parts: list[Scored[Op]]) -> Scored[Op]:
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


def _related_to_parts(
    objects: Op, relation: str, words: tuple[Span, ...], to: Coordinated
) -> Scored[Op]:
    denied = _denied(to)
    if denied is not None:
        said = to.parts[0].words
        return [
            (cost, Minus(objects, op, words=said))
            for cost, op in _related_to_parts(objects, relation, words, denied)
        ]
    if not to.any_of:
        chained: Scored[Op] = [(0.0, objects)]
        for part in to.parts:
            chained = [
                (cost + extra, op)
                for cost, inner in chained
                for extra, op in related(inner, relation, words, part)
            ]
        # The word "and" has no operator of its own here: the outer relation stands for it.
        return [(cost, op.at(*op.words, *to.words)) for cost, op in chained]
    if all(isinstance(part, Quantified) and _is_one(part) for part in to.parts):
        return [(cost, Relate(objects, relation, union, words=words)) for cost, union in refer(to)]
    return _joined(to, [related(objects, relation, words, part) for part in to.parts])


def _is_one(part: Quantified) -> bool:
    """Whether relating to the set and relating to some member of it are the same."""
    return part.determiner in ("indefinite", "bare") or (
        part.determiner == "the" and not part.plural and part.number is None
    )
