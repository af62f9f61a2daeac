"""Claims: what a predicate says of a noun phrase, by how many of its members it is said of."""

from __future__ import annotations

from dataclasses import replace

from neurosym.grammar.landmarks import whole_of
from neurosym.grammar.meaning import Quantified, Scored, exists, names_several, refer
from neurosym.grammar.ranks import among
from neurosym.grammar.tree import Tree
from neurosym.grammar.words import Step, Words
from neurosym.program import (
    CompareCounts,
    Comparison,
    Conjunction,
    CountIs,
    Every,
    Everything,
    Exist,
    Kind,
    Minus,
    Most,
    Negation,
    Op,
    TheCount,
    ThePlural,
)

_EVERYTHING = Everything()


def said_of(phrase: Quantified, step: Step, words: Words, things: Op = _EVERYTHING) -> Scored[Op]:
    """The truth of a predicate for a noun phrase.

    Args:
        phrase: what it is said of.
        step: the predicate, as a function from a set to the part of it that it keeps.
        words: spans of the verb.
        things: all of which "only" says that nothing else is so.
    """
    quantifier = phrase.determiner
    said_of_all = names_several(phrase) or quantifier in ("all", "each", "both", "everything")
    if quantifier in ("most", "most_of"):
        said = (*phrase.words[:1], *words)
        subject = whole_of(phrase)
        return [
            (cost, Most(subject, among(scope, subject, phrase.head), words=said))
            for cost, scope in step(subject)
        ]
    if quantifier in ("neither", "only", "all_but", "portion"):
        return _of_a_share(phrase, step, words, things)
    if quantifier in ("no", "indefinite", "bare", "comparison", "several", "number", "number_of"):
        found: Scored[Op] = []
        for extra, scope in step(phrase.objects):
            objects = among(scope, phrase.objects, phrase.head)
            claim = replace(phrase, objects=objects)
            found += [(extra + more, op) for more, op in exists(claim, words)]
        return found
    return [
        (
            cost + extra,
            Every(subject, scope, words=words) if said_of_all else Exist(scope, words=words),
        )
        for cost, subject in refer(phrase)
        if subject.returns is not Kind.TRUTH
        for extra, kept in step(subject)
        for scope in [among(kept, subject, phrase.head)]
    ]


def _of_a_share(phrase: Quantified, step: Step, words: Words, things: Op) -> Scored[Op]:
    """What is said of neither of two, of only some, of all but one, or of half of them."""
    said = (*phrase.words, *words)
    if phrase.determiner == "only":
        # Some of them are, and whatever is, is one of them.
        named = whole_of(phrase)
        return [
            (
                cost + more,
                Conjunction(Exist(some, words=words), Every(everything, named, words=said)),
            )
            for cost, some in step(named)
            for more, everything in step(things)
        ]
    if phrase.determiner == "neither":
        two = TheCount(phrase.objects, 2, words=phrase.words[:1])
        return [
            (cost, Negation(Exist(scope, words=words), words=phrase.words[:1]))
            for cost, scope in step(two)
        ]
    subject = ThePlural(phrase.objects) if len(phrase.words) > 1 else phrase.objects
    found: Scored[Op] = []
    for cost, kept in step(subject):
        scope = among(kept, subject, phrase.head)
        rest = Minus(subject, scope)
        if phrase.determiner == "all_but":
            exactly = CountIs(rest, Comparison.EXACTLY, phrase.number or 0, words=said)
            found.append((cost, exactly))
        else:
            comparison = phrase.comparison or Comparison.EXACTLY
            found.append((cost, CompareCounts(scope, comparison, rest, words=said)))
    return found


def any_such(claim: Op) -> Op:
    """What "not" denies of "not a single cup": that there is any, and not that there is one."""
    if isinstance(claim, CountIs) and claim.comparison is Comparison.EXACTLY and claim.number == 1:
        return Exist(claim.objects, words=claim.words)
    return claim


def telling(part: Tree) -> list[Tree]:
    """The words of a predicate that say something: "left" of "on the left", "cube" of "a cube"."""
    silent = ("PLACE", "THE", "SIDE") if part.label == "located" else ("INDEFINITE",)
    return [leaf for leaf in part.leaves() if leaf.label not in silent]
