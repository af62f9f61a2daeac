"""What a noun phrase of a dependency tree refers to: the best of its alternatives."""

from __future__ import annotations

from neurosym.grammar.meaning import NoReadingError, NounPhrase, Quantified, Scored, refer
from neurosym.program import Kind, Op, Union


def best(found: Scored[Op]) -> Op:
    """The cheapest alternative.

    Raises:
        NoReadingError: there is none.
    """
    if not found:
        raise NoReadingError
    return min(found, key=lambda scored: scored[0])[1]


def referred(phrase: NounPhrase) -> Op:
    """What a noun phrase refers to."""
    return best(refer(phrase))


def refer_to_members(phrase: NounPhrase) -> Op:
    """The set that a noun phrase describes, whatever its determiner."""
    if isinstance(phrase, Quantified):
        return phrase.objects
    left, *others = (refer_to_members(part) for part in phrase.parts)
    for other in others:
        left = Union(left, other, words=phrase.words)
    return left


def things_of(phrase: NounPhrase) -> Scored[Op]:
    """What a noun phrase refers to, less what is a truth."""
    return [(cost, op) for cost, op in refer(phrase) if op.returns is not Kind.TRUTH]
