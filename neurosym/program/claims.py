"""Descriptions as claims: what a caption that is no sentence says is there."""

from __future__ import annotations

from neurosym.program.kinds import Comparison, Kind
from neurosym.program.operator import Op
from neurosym.program.operators.definites import TheCount
from neurosym.program.operators.questions import Conjunction, CountIs, Every, Exist
from neurosym.program.operators.sets import Union


def claim_of(program: Op, text: str = "") -> Op:
    """The claim that a program makes, where a truth is wanted.

    A caption may be a sentence ("a dog sleeps") or a mere description ("a sleeping dog"), which
    claims that there is such a thing; with a number, that there are so many.

    Args:
        program: of any text.
        text: what it was parsed from. It tells a union of things that are all claimed ("a dog and
            a cat") from one of alternatives ("a dog or a cat"); without it a union is taken for
            alternatives.

    Returns:
        A program that returns a truth: ``program`` itself when it does, or is of no objects.

    Example:
        >>> from neurosym.program import parse_program
        >>> claim_of(parse_program("(the_count (select dog) 2)"))
        (count_is (select dog) exactly 2)
        >>> claim_of(parse_program("(filter (select dog) color black)"))
        (exist (filter (select dog) color black))
    """
    if not Kind.OBJECTS.accepts(program.returns):
        return program
    if isinstance(program, TheCount):
        return CountIs(program.objects, Comparison.EXACTLY, program.count, words=program.words)
    if isinstance(program, Union) and any(_joins(span.of(text)) for span in program.words):
        left, right = (claim_of(side, text) for side in program.operands)
        return Conjunction(left, right, words=program.words)
    return Exist(program)


def described_by(claim: Op) -> tuple[Op, ...]:
    """What a claim is of: the parts of a program that stand for the things of which it holds.

    It undoes :func:`claim_of`: "a man rides a horse" is of the man who does.

    Args:
        claim: a program that returns a truth.

    Returns:
        Programs of objects, in the order of the text; none for what denies, compares or leaves
        open what it is of.

    Example:
        >>> from neurosym.program import parse_program
        >>> described_by(parse_program("(exist (filter (select dog) color black))"))
        ((filter (select dog) color black),)
    """
    match claim:
        case Exist(objects=objects):
            return (objects,)
        case CountIs(objects=objects, comparison=comparison, number=number):
            return () if comparison.holds(0, number) else (objects,)
        case Every(scope=scope):
            return (scope,)
        case Conjunction(left=left, right=right):
            return (*described_by(left), *described_by(right))
    return ()


def _joins(words: str) -> bool:
    return words.lower() in ("and", "&")
