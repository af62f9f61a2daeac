"""Claims: what a predicate says of a noun phrase, by how many of its members it is said of."""

from __future__ import annotations

from dataclasses import replace

from neurosym.grammar.landmarks import whole_of
from neurosym.grammar.meaning import Quantified, Scored, exists, names_several, refer
from neurosym.grammar.ranks import among
from neurosym.grammar.words import Step, Words
from neurosym.program import Every, Exist, Kind, Most, Op


def said_of(phrase: Quantified, step: Step, words: Words) -> Scored[Op]:
    """The truth of a predicate for a noun phrase.

    Args:
        phrase: what it is said of.
        step: the predicate, as a function from a set to the part of it that it keeps.
        words: spans of the verb.
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
    if quantifier in ("no", "indefinite", "bare", "comparison", "number", "number_of"):
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
