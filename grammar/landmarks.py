"""What landmarks do to a set: relations, likeness and comparison, for every kind of landmark.

A landmark is a noun phrase, and its determiner says of how many of its members something holds.
Every function here takes the set, the landmark and the words that relate them, and returns the
part of the set that is meant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from neurosym.grammar.meaning import (
    AT_LEAST,
    Coordinated,
    NoReadingError,
    NounPhrase,
    Quantified,
    Scored,
    denied_by_no,
    joined,
    names_several,
    refer,
)
from neurosym.program import (
    DIRECTIONAL,
    Between,
    Comparative,
    Comparison,
    Different,
    Equative,
    Identical,
    Intersect,
    Kind,
    Minus,
    Op,
    Relate,
    RelateAll,
    RelateCount,
    RelatedBy,
    RelatedByCount,
    RelateMost,
    RelateOnly,
    Same,
    Similar,
    Superlative,
    ThePlural,
)
from neurosym.span import Span

VALUE = "of"
"""The relation of a thing to the colours, shapes or sizes that it, or what it holds, has."""

OTHER_QUANTIFIER = 0.8
"""Cost of the less usual of some and all for a plural landmark."""

Words = tuple[Span, ...]
Link = Callable[[Op, Op], Op]
"""From a set and its landmarks to the part of the set that is meant."""


@dataclass(frozen=True, slots=True)
class Aspect:
    """What things are compared in.

    Attributes:
        name: of an attribute, or of an order when its measure is meant.
        of_measure: whether it is an order.
    """

    name: str
    of_measure: bool


def related(
    objects: Op, relation: str, words: Words, to: NounPhrase, *, only: Words = ()
) -> Scored[Op]:
    """The ``objects`` in a relation to a landmark, and to each part of it that it names.

    With "black and blue cups" there are some of both; of "exactly two cups, which are red" there
    are exactly two cups. See :func:`_related_to` for the arguments.
    """
    if isinstance(to, Coordinated):
        return _related_to(objects, relation, words, to, only=only)
    if to.of_values and relation == "with":
        # What has two colours holds none of them.
        relation = VALUE
    if to.whole is not None and to.determiner == "bare":
        # "Items of only black color" are what there is.
        to = replace(to, determiner="only")
    found = _related_to(objects, relation, words, to, only=only)
    if to.whole is not None and to.number is not None and to.determiner in ("comparison", "number"):
        comparison = to.comparison or Comparison.EXACTLY
        found = [
            (cost, RelateCount(op, relation, comparison, to.number, to.whole, words=to.words))
            for cost, op in found
        ]
    if to.determiner in ("bare", "indefinite", "only", "comparison", "number"):
        for part in to.each:
            found = [(cost, Relate(op, relation, part, words=words)) for cost, op in found]
    return found


def _related_to(
    objects: Op, relation: str, words: Words, to: NounPhrase, *, only: Words = ()
) -> Scored[Op]:
    """The ``objects`` in a relation to a landmark.

    "and" asks for the relation to each part, "or" for the relation to any.

    Args:
        objects: what is restricted.
        relation: its name.
        words: the words for it.
        to: the landmark.
        only: the word "only", when it stands before the relation.
    """

    def some(of: Op, landmarks: Op) -> Op:
        return Relate(of, relation, landmarks, words=words)

    if only:
        return [
            (cost, RelateOnly(objects, relation, op, words=(*only, *words)))
            for cost, op in _named(to)
        ]
    if isinstance(to, Coordinated):
        return _to_parts(objects, to, some, lambda of, part: related(of, relation, words, part))
    quantified = (*words, *to.words)
    match to.determiner:
        case "no":
            return [(0.0, Minus(objects, some(objects, to.objects), words=to.words))]
        case "comparison" if to.comparison is not None and to.number is not None:
            counted = RelateCount(
                objects, relation, to.comparison, to.number, to.objects, words=quantified
            )
            return [(0.0, counted)]
        case "several" if to.number is not None:
            counted = RelateCount(
                objects, relation, Comparison.AT_LEAST, to.number, to.objects, words=quantified
            )
            return [(0.0, counted)]
        case "number_of" | "number" if to.number is not None:
            return _so_many(objects, relation, quantified, to, to.number)
        case "most" | "most_of":
            most = (*words, *to.words[:1])
            return [(0.0, RelateMost(objects, relation, whole_of(to), words=most))]
        case "only":
            said = (*words, *to.words[:1])
            if to.of_values and relation == VALUE:
                # "Only black and blue colours": of those, and of no others.
                beyond = Minus(to.head, to.objects)
                return [
                    (
                        0.0,
                        Minus(some(objects, to.objects), some(objects, beyond), words=to.words[:1]),
                    )
                ]
            return [(0.0, RelateOnly(objects, relation, whole_of(to), words=said))]
        case "all" | "each" | "everything":
            return [(0.0, RelateAll(objects, relation, to.objects, words=quantified))]
    landmarks = refer(to)
    if to.determiner == "both":
        return [(cost, RelateAll(objects, relation, op, words=words)) for cost, op in landmarks]
    of_some = [(cost, some(objects, op)) for cost, op in landmarks]
    if not names_several(to):
        return of_some
    of_all: Scored[Op] = [
        (cost, RelateAll(objects, relation, op, words=words)) for cost, op in landmarks
    ]
    first, second = (of_all, of_some) if relation in DIRECTIONAL else (of_some, of_all)
    return [*first, *((cost + OTHER_QUANTIFIER, op) for cost, op in second)]


def of_owner(objects: Op, words: Words, owner: NounPhrase) -> Scored[Op]:
    """The ``objects`` that are of someone: the hats of the man, and of some of the men each."""
    if isinstance(owner, Quantified) and owner.determiner in ("all", "each", "both"):
        number = owner.number if owner.determiner == "both" else None
        label = "the_number" if number else "the"
        owner = replace(owner, determiner=label, plural=True, number=number)
    if isinstance(owner, Coordinated) and not owner.any_of:
        # "The man and the woman's dogs" are of either.
        owner = replace(owner, any_of=True)
    return [
        (cost, op)
        for cost, op in related(objects, "of", words, owner)
        if not isinstance(op, RelateAll)
    ]


def _so_many(objects: Op, relation: str, words: Words, to: Quantified, number: int) -> Scored[Op]:
    """The ``objects`` in a relation to two plates: so many, whichever; or so many at least."""
    return [
        (cost, RelateCount(objects, relation, comparison, number, to.objects, words=words))
        for cost, comparison in ((0.0, Comparison.EXACTLY), (AT_LEAST, Comparison.AT_LEAST))
    ]


def related_by(objects: Op, relation: str, words: Words, to: NounPhrase) -> Scored[Op]:
    """The ``objects`` to which landmarks stand in a relation: "with two cups on it".

    Args:
        objects: what is restricted.
        relation: between a landmark and the objects.
        words: the words for it.
        to: the landmark, or so many of them.
    """
    if isinstance(to, Quantified):
        match to.determiner:
            case "comparison" | "several" | "number" | "number_of" if to.number is not None and (
                to.comparison is not None or to.number > 1
            ):
                return [
                    (
                        cost,
                        RelatedByCount(
                            objects,
                            relation,
                            comparison,
                            to.number,
                            to.objects,
                            words=(*words, *to.words),
                        ),
                    )
                    for cost, comparison in _comparisons(to)
                ]
            case "only" | "most" | "most_of":
                raise NoReadingError("this amount is not understood in this place", to.words[:1])
    return _linked(objects, lambda of, by: RelatedBy(of, relation, by, words=words), to, words)


def _comparisons(to: Quantified) -> Scored[Comparison]:
    """What a number says: what stands before it; or so many, or so many at least."""
    if to.comparison is not None:
        return [(0.0, to.comparison)]
    return [(0.0, Comparison.EXACTLY), (AT_LEAST, Comparison.AT_LEAST)]


def alike(objects: Op, aspect: Aspect, words: Words, to: NounPhrase) -> Scored[Op]:
    """The ``objects`` that share the value of an attribute, or an extent, with a landmark."""

    def share(of: Op, landmarks: Op) -> Op:
        if aspect.of_measure:
            return Equative(of, aspect.name, landmarks, words=words)
        return Same(of, aspect.name, landmarks, words=words)

    return _linked(objects, share, to, words)


def unlike(objects: Op, aspect: Aspect, words: Words, to: NounPhrase) -> Scored[Op]:
    """The ``objects`` that differ in an attribute, or an extent, from all of a landmark."""

    def differ(of: Op, landmarks: Op) -> Op:
        if aspect.of_measure:
            return Minus(of, Equative(of, aspect.name, landmarks, words=words), words=words)
        return Different(of, aspect.name, landmarks, words=words)

    # It holds of all that the landmark names, so its members need not be told apart.
    return _linked(objects, differ, to, words, of_all=lambda landmarks: landmarks)


def similar(objects: Op, words: Words, to: NounPhrase, *, exactly: bool = False) -> Scored[Op]:
    """The ``objects`` that are like a landmark, or ``exactly`` like it."""
    like = Identical if exactly else Similar
    return _linked(objects, lambda of, landmarks: like(of, landmarks, words=words), to, words)


def dissimilar(objects: Op, words: Words, to: NounPhrase) -> Scored[Op]:
    """The ``objects`` that are not like a landmark; of all others, not even similar to one."""
    exactly = not (isinstance(to, Quantified) and to.besides)
    return [
        (cost, Minus(objects, op, words=words))
        for cost, op in similar(objects, words, to, exactly=exactly)
    ]


def ahead(objects: Op, order: str, times: int, words: Words, to: NounPhrase) -> Scored[Op]:
    """The ``objects`` that are ahead of a landmark in an order, by a factor.

    What is ahead of each of several is ahead of the first of them: "bigger than the cups" is
    bigger than the largest cup. That says it in one step, where a comparison alone would ask for
    some cup only.
    """
    if isinstance(to, Quantified) and to.besides:
        if not to.plural or times > 1:
            raise NoReadingError("this is not understood of other things", to.besides)
        # What is larger than all others is the largest of all.
        said = (*words, *to.words, *to.besides)
        return [(0.0, Intersect(objects, Superlative(to.objects, order, words=said)))]
    return _linked(
        objects,
        lambda of, landmarks: Comparative(of, order, landmarks, times, words=words),
        to,
        words,
        of_all=lambda landmarks: Superlative(landmarks, order),
        plural_is_all=True,
    )


def on_a_par(objects: Op, order: str, words: Words, to: NounPhrase) -> Scored[Op]:
    """The ``objects`` that come up to a landmark in an order."""
    return _linked(
        objects, lambda of, landmarks: Equative(of, order, landmarks, words=words), to, words
    )


def between(objects: Op, words: Words, to: NounPhrase) -> Scored[Op]:
    """The ``objects`` between two landmarks, or between members of a landmark of several."""
    if isinstance(to, Coordinated):
        if to.any_of or len(to.parts) != 2:
            raise NoReadingError('"between" needs two things', words)
        first, second = (_named(part) for part in to.parts)
        said = (*words, *to.words)
        return [
            (left_cost + right_cost, Between(objects, left, right, words=said))
            for left_cost, left in first
            for right_cost, right in second
        ]
    if to.determiner == "number" and to.number == 2:
        # Between two plates: the two ends are different anyway, and need not be all there are.
        ends: Scored[Op] = [(0.0, to.objects)]
        words = (*words, *to.words)
    elif to.determiner == "group" or (to.plural and to.determiner not in ("no", "everything")):
        ends = _named(to)
    else:
        raise NoReadingError('"between" needs two things', words)
    return [(cost, Between(objects, op, op, words=words)) for cost, op in ends]


def whole_of(phrase: Quantified) -> Op:
    """The set that "most", "most of the" or "only" speaks of."""
    definite = phrase.words[1:]
    if phrase.determiner not in ("most_of", "only") or not definite:
        return phrase.objects
    if phrase.plural:
        return ThePlural(phrase.objects, words=definite)
    (_, the), *_ = refer(phrase.definite(definite))
    return the


def _linked(
    objects: Op,
    link: Link,
    to: NounPhrase,
    words: Words,
    *,
    of_all: Callable[[Op], Op] | None = None,
    plural_is_all: bool = False,
) -> Scored[Op]:
    """The ``objects`` that a link to some member of a landmark holds of.

    Args:
        objects: what is restricted.
        link: makes the program from objects and landmarks.
        to: the landmark.
        words: the words of the link, for errors.
        of_all: from several landmarks to those by which the link holds of all of them; None when
            that cannot be said, and "all", "every" and "both" are refused.
        plural_is_all: whether "the plates" means all of them, rather than some.
    """
    if isinstance(to, Coordinated):
        return _to_parts(
            objects,
            to,
            link,
            lambda of, part: _linked(
                of, link, part, words, of_all=of_all, plural_is_all=plural_is_all
            ),
        )
    if to.determiner == "no":
        return [(0.0, Minus(objects, link(objects, to.objects), words=to.words))]
    all_meant = to.any_of_them or (to.determiner in ("all", "each", "both", "number", "everything"))
    several = names_several(to)
    landmarks = _named(to)
    if all_meant and (to.number is None or to.number > 1):
        if of_all is None and not to.any_of_them:
            raise NoReadingError("this is not understood of all of several things", to.words)
    elif not (several and plural_is_all):
        of_all = None
    return [(cost, link(objects, of_all(op) if of_all else op)) for cost, op in landmarks]


def _named(to: NounPhrase) -> Scored[Op]:
    """What a landmark refers to; refuses what refers to nothing ("no plate")."""
    found = [(cost, op) for cost, op in refer(to) if op.returns is not Kind.TRUTH]
    if not found:
        words = to.words if isinstance(to, Quantified) else to.words[:1]
        raise NoReadingError("this is not understood as a landmark here", words)
    return found


def _to_parts(
    objects: Op,
    to: Coordinated,
    some: Link,
    one: Callable[[Op, NounPhrase], Scored[Op]],
) -> Scored[Op]:
    """A link to landmarks joined by "and" or "or"."""
    denied = denied_by_no(to)
    if denied is not None:
        said = denied.parts[0].words if isinstance(denied.parts[0], Quantified) else ()
        return [
            (cost, Minus(objects, op, words=said))
            for cost, op in _to_parts(objects, denied, some, one)
        ]
    if not to.any_of:
        chained: Scored[Op] = [(0.0, objects)]
        for part in to.parts:
            chained = [
                (cost + extra, op) for cost, inner in chained for extra, op in one(inner, part)
            ]
        # The word "and" has no operator of its own here: the outer relation stands for it.
        return [(cost, op.at(*op.words, *to.words)) for cost, op in chained]
    if all(isinstance(part, Quantified) and _is_one(part) for part in to.parts):
        return [(cost, some(objects, union)) for cost, union in refer(to)]
    return joined(to, [one(objects, part) for part in to.parts])


def _is_one(part: Quantified) -> bool:
    """Whether being linked to the set and to some member of it are the same."""
    return part.determiner in ("indefinite", "bare") or (
        part.determiner == "the" and not part.plural and part.number is None
    )
