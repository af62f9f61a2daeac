"""The expressions that describe an object, and what they cost.

    the  [rank]  [value ...]  noun  [place]  [relation landmark] ...  [closest to landmark]

An expression has one noun (a category, a word that covers it exactly, or "object"), any of the
object's attribute values, places in the image, relations to landmarks, and at most one rank: a
superlative ("largest"), an ordinal ("third from the left"), "closest to" or "farthest from" a
landmark. A landmark is an object that is described in the same way, one level less deep, with at
most one relation; or an indefinite one ("a red cup"), a category with at most one value.
:class:`Bounds` says how far this goes.

The cost of an expression is, first, the number of its words as the verbaliser says it. Of equally
long ones the one with the least *effort* is taken: people name kinds and properties before places,
places before ranks, and ranks before relations to other things, as in Dale and Reiter's order of
preferred attributes (1995).

A superlative of an extent (area, height, width) is said only where the next object is at least a
tenth behind, since smaller leads are not seen, and "as large as" forgives as much.

Sources: R. Dale, E. Reiter, "Computational interpretations of the Gricean maxims in the generation
of referring expressions", Cognitive Science 19, 1995; E. Krahmer, S. van Erk, A. Verleg,
"Graph-based generation of referring expressions", Computational Linguistics 29, 2003, whose
cheapest-first search over relations this follows; E. Krahmer, K. van Deemter, "Computational
generation of referring expressions: a survey", Computational Linguistics 38, 2012.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from neurosym.errors import OptionError
from neurosym.program import (
    PLACES,
    Closest,
    Everything,
    Farthest,
    Filter,
    Op,
    Relate,
    RelatedBy,
    Select,
    Superlative,
    The,
)
from neurosym.views.words import adjective, participle, place_phrase, relation_phrase

EXTENTS = frozenset({"area", "height", "width"})
"""Measures of which small differences are not seen."""
_RANKED = {"closest": Closest, "farthest": Farthest}
_BESIDE_NOUN = {"material": 0, "color": 1, "size": 3}
"""Attribute -> how far from the noun its value stands: "large red metal cube"; others take 2."""
_PREFERRED = {"color": 1, "size": 2}
"""Attribute -> the effort of saying it; others take 3, places 4."""


@dataclass(frozen=True)
class Bounds:
    """How far the search for an expression goes.

    Attributes:
        depth: how deep landmarks are described: 0 for none at all, 1 for landmarks that need none
            themselves, and so on.
        relations: most relations of the object itself.
        rank: the last ordinal.
        words: the longest expression.
        kept: how many of the expressions for the same set of objects are kept: where the best is
            not read back as it was meant, there is another one.
        tried: how many expressions are read back before giving up.
    """

    depth: int = 2
    relations: int = 2
    rank: int = 5
    words: int = 24
    kept: int = 2
    tried: int = 60

    def __post_init__(self) -> None:
        least = {"depth": 0, "relations": 0, "rank": 1, "words": 2, "kept": 1, "tried": 1}
        for name, low in least.items():
            if getattr(self, name) < low:
                raise OptionError(f"{name} must be at least {low}, not {getattr(self, name)}")


class Cost(NamedTuple):
    """By what expressions are ordered before they are put into words.

    Attributes:
        words: at most as many as the verbaliser needs.
        effort: what decides between equally long expressions; less is better.
    """

    words: int
    effort: int

    def more(self, words: int, effort: int) -> Cost:
        """The cost with so much more."""
        return Cost(self.words + words, self.effort + effort)

    def plus(self, other: Cost) -> Cost:
        """The sum."""
        return Cost(self.words + other.words, self.effort + other.effort)


@dataclass(frozen=True, slots=True)
class Tie:
    """A relation to a landmark.

    Attributes:
        relation: its name.
        inverse: whether the landmark stands in it to the object ("held by the man").
        landmark: the landmark.
        definite: whether it is "the" landmark, or just "a" one.
        cost: what it adds.
    """

    relation: str
    inverse: bool
    landmark: Expression
    definite: bool
    cost: Cost = field(init=False)

    def __post_init__(self) -> None:
        said = participle(self.relation) if self.inverse else None
        words = len((said or relation_phrase(self.relation)).split())
        effort = 8 + self.inverse
        object.__setattr__(self, "cost", self.landmark.cost.more(words, effort))


@dataclass(frozen=True, slots=True)
class Rank:
    """What comes first, or k-th, of all that fits.

    Attributes:
        order: an order, or "closest" or "farthest".
        rank: from 1.
        landmark: of distances, from where.
        cost: what it adds.
    """

    order: str
    rank: int
    landmark: Expression | None = None
    cost: Cost = field(init=False)

    def __post_init__(self) -> None:
        own = Cost(1 + (self.rank > 1), 4 + self.rank)
        # "To" comes before a landmark.
        cost = own if self.landmark is None else self.landmark.cost.more(own.words + 1, own.effort)
        object.__setattr__(self, "cost", cost)


@dataclass(frozen=True, slots=True)
class Expression:
    """A noun with all that is said of it.

    Attributes:
        noun: a category or a word that covers it; None for "object".
        filters: (attribute, value) pairs.
        ties: relations.
        rank: a rank, or None.
        cost: what it costs, its article included.
    """

    noun: str | None
    filters: tuple[tuple[str, str], ...] = ()
    ties: tuple[Tie, ...] = ()
    rank: Rank | None = None
    cost: Cost = field(init=False)

    def __post_init__(self) -> None:
        # "The" or "a" is a word, too.
        cost = Cost(1 + len((self.noun or "object").split()), 0 if self.noun else 2)
        for said in self.filters:
            cost = cost.plus(value_cost(said))
        for tie in self.ties:
            cost = cost.plus(tie.cost)
        if self.rank is not None:
            cost = cost.plus(self.rank.cost)
        object.__setattr__(self, "cost", cost)

    def nominal(self) -> Op:
        """The program of the set that is described."""
        made: Op = Everything() if self.noun is None else Select(self.noun)
        for attribute, value in sorted(self.filters, key=_from_noun):
            made = Filter(made, attribute, value)
        for tie in self.ties:
            operator = RelatedBy if tie.inverse else Relate
            landmark = tie.landmark.nominal()
            made = operator(made, tie.relation, The(landmark) if tie.definite else landmark)
        if self.rank is not None and self.rank.landmark is not None:
            ranked = _RANKED[self.rank.order]
            return ranked(made, The(self.rank.landmark.nominal()), self.rank.rank)
        if self.rank is not None:
            return Superlative(made, self.rank.order, self.rank.rank)
        return made

    def program(self) -> Op:
        """The program of the definite."""
        return The(self.nominal())


def value_cost(said: tuple[str, str]) -> Cost:
    """What an attribute's value adds."""
    attribute, value = said
    if attribute in PLACES:
        return Cost(len(place_phrase(value).split()), 4)
    return Cost(len(adjective(attribute, value).split()), _PREFERRED.get(attribute, 3))


def _from_noun(said: tuple[str, str]) -> tuple[bool, int]:
    return said[0] in PLACES, _BESIDE_NOUN.get(said[0], 2)
