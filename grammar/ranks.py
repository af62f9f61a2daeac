"""Superlatives, ordinals and places in the image."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

from neurosym.grammar.classes import WordClass
from neurosym.grammar.lexicon import Sense
from neurosym.grammar.meaning import NoReadingError, Scored
from neurosym.grammar.tree import Tree
from neurosym.grammar.units import Unit
from neurosym.program import (
    PLACES,
    Closest,
    Everything,
    Farthest,
    Filter,
    Intersect,
    Minus,
    Op,
    Superlative,
    Top,
    TopClosest,
    TopFarthest,
    Union,
)
from neurosym.span import Span

ORDER_OF_PLACE = {
    "left": "leftmost",
    "right": "rightmost",
    "top": "topmost",
    "bottom": "bottommost",
    "front": "nearest",
    "back": "farthest",
}
"""The superlative that a place stands for: "the person on the left" is the leftmost one."""
RELATION_OF_PLACE = {
    "left": "left_of",
    "right": "right_of",
    "front": "in_front_of",
    "back": "behind",
}
"""The relation that a place stands for beside another: "to the left or right of the cup"."""
DEPTH = "depth"
"""The dimension of places that are no regions of the image: "front", "back"."""
ORDER_OF_SIZE = {"large": "largest", "small": "smallest"}
"""The superlative that a size may stand for: "the big dog" among dogs of which none is small."""
OPPOSITE = {
    "leftmost": "rightmost",
    "topmost": "bottommost",
    "nearest": "farthest",
    "largest": "smallest",
    "tallest": "shortest",
    "widest": "narrowest",
    "lightest": "darkest",
}
OPPOSITE |= {after: before for before, after in OPPOSITE.items()}

TOGETHER = "these places are not understood together"
"""Reason to refuse places that contradict each other."""

OTHER_PLACE = 0.6
"""Cost of reading a place as a region where a superlative is usual, or the other way round."""
SIZE_AS_RANK = 0.6
"""Cost of reading a size as a superlative."""
UNSAID_ORDER = 1.0
"""Cost of counting from the left when the text does not say from where."""


@dataclass(frozen=True, slots=True)
class Rank:
    """An ordinal: which place in an order.

    Attributes:
        place: 1 for the first; None for the last.
        words: the ordinal, and the number beside it.
        number: how many are meant, for "the first two".
    """

    place: int | None
    words: tuple[Span, ...]
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the image, in all the ways it can be understood.

    Attributes:
        values: (attribute, value) pairs; two for a corner. Alternatives, usual one first.
        far: whether it says "far", which makes it a superlative.
        words: the words that name it.
    """

    values: tuple[tuple[Sense, ...], ...]
    far: bool
    words: tuple[Span, ...]

    @property
    def orders(self) -> tuple[str, ...]:
        """The orders it may stand for; none for the middle and for corners."""
        if any(len(senses) != 1 for senses in self.values):
            return ()
        named = (ORDER_OF_PLACE.get(senses[0].concept) for senses in self.values)
        return tuple(dict.fromkeys(order for order in named if order))


def read_rank(tree: Tree, units: tuple[Unit, ...]) -> Rank:
    """The ordinal of a tree labelled "ordinal", or of an ORDINAL word."""
    leaves = tuple(tree.leaves())
    concept = _unit(leaves[0], units).sense(WordClass[leaves[0].label]).concept
    if concept == "0":
        raise NoReadingError
    number = None
    if len(leaves) > 1:
        number = int(_unit(leaves[1], units).sense(WordClass.NUMBER).concept)
        if number < 2 or concept not in ("1", "last"):
            raise NoReadingError
    place = None if concept == "last" else int(concept)
    return Rank(place, tuple(leaf.span for leaf in leaves), number)


def read_place(tree: Tree, units: tuple[Unit, ...]) -> Place:
    """The place of a tree that holds LOCATION words, or a relation word that names a side."""
    leaves = tuple(tree.leaves())
    hour = leaves[0].words.lower() == "at" or leaves[-1].words.lower().endswith("clock")
    if tree.find("NUMBER") and not hour:
        raise NoReadingError
    named: list[tuple[Sense, ...]] = []
    words: list[Span] = []
    for leaf in leaves:
        if leaf.label == "LOCATION":
            named.append(_unit(leaf, units).all(WordClass.LOCATION))
            words.append(leaf.span)
        elif leaf.label == "NUMBER":
            named += _on_clock(int(_unit(leaf, units).sense(WordClass.NUMBER).concept))
            words.append(leaf.span)
        elif leaf.label in ("SIDE_RELATION", "RELATION"):
            relation = _unit(leaf, units).sense(WordClass[leaf.label]).concept
            named.append((Sense(WordClass.LOCATION, relation.removesuffix("_of"), "horizontal"),))
            words.append(leaf.span)
        elif leaf.label in ("FAR", "SIDE", "NEAREST", "FARTHEST") or _unit(leaf, units).all(
            WordClass.IMAGE
        ):
            words.append(leaf.span)
    values = tuple(
        senses
        for senses in itertools.product(*named)
        if len({sense.dimension for sense in senses}) == len(senses)
    )
    if not values:
        raise NoReadingError(TOGETHER, words)
    return Place(values, any(leaf.label == "FAR" for leaf in leaves), tuple(words))


def one_place(before: list[Tree]) -> list[Tree]:
    """What stands before a noun, with places side by side as one: "bottom front left".

    Raises:
        NoReadingError: they do not go together: "left red right", "farthest left" as two.
    """
    places = [part for part in before if part.label == "location"]
    labels = [leaf.label for part in before for leaf in part.leaves()]
    start = before.index(places[0]) if places else 0
    end = start + len(places)
    apart = before[start:end] != places
    if (len(places) > 1 and apart) or "FARTHEST LOCATION" in " ".join(labels):
        spans = [place.span for place in places]
        raise NoReadingError(TOGETHER, spans)
    if len(places) < 2:
        return before
    span = Span(places[0].span.start, places[-1].span.end)
    joined = Tree("location", tuple(child for place in places for child in place.children), span)
    return [*before[:start], joined, *before[end:]]


def _on_clock(number: int) -> list[tuple[Sense, ...]]:
    """Where an hour stands on a clock's face, as wide as the picture: "at 3", "at 1030"."""
    hour = number if number < 100 else number // 100
    if not 1 <= hour <= 12 or (number >= 100 and number % 100 > 59):
        raise NoReadingError
    named: list[tuple[Sense, ...]] = []
    if hour % 6:
        side = "right" if hour < 6 else "left"
        named.append((Sense(WordClass.LOCATION, side, "horizontal"),))
    if hour % 6 != 3:
        height = "bottom" if 3 < hour < 9 else "top"
        named.append((Sense(WordClass.LOCATION, height, "vertical"),))
    return named


def only_places(pres: list[Tree]) -> bool:
    """Whether a headless landmark is rather a place ("on the left")."""
    return all(pre.label == "location" for pre in pres)


def place_is_plain(place: Place) -> bool:
    """Whether a place is none in the picture, where one thing can be farthest out."""
    return all(sense.dimension not in PLACES for senses in place.values for sense in senses)


def in_place(objects: Op, place: Place) -> Scored[Op]:
    """The objects in a region of the image."""
    found: Scored[Op] = []
    for number, senses in enumerate(place.values):
        if any(sense.dimension == DEPTH for sense in senses):
            continue
        op = objects
        for sense in reversed(senses):
            op = Filter(op, sense.dimension, sense.concept, words=place.words)
        found.append((number * OTHER_PLACE, op))
    return found


def first_in_place(objects: Op, place: Place) -> Scored[Op]:
    """The object that is farthest out in the direction of a place.

    Of two directions one is where it is, the other which of those it is: of "the front left dog"
    and "the closest dog on the left" alike the nearest of those on the left, for what is nearest
    of all is one thing already.
    """
    found: Scored[Op] = [
        (number * OTHER_PLACE, _outermost(objects, senses[0], place.words))
        for number, senses in enumerate(place.values)
        if len(senses) == 1 and senses[0].concept in ORDER_OF_PLACE
    ]
    for senses in place.values:
        # Nothing is in a region of depth: what is in front is what is nearest.
        *inner, outer = sorted(senses, key=_is_outer)
        if inner and outer.concept in ORDER_OF_PLACE:
            region = objects
            for sense in reversed(inner):
                region = Filter(region, sense.dimension, sense.concept, words=place.words)
            order = ORDER_OF_PLACE[outer.concept]
            found.append((OTHER_PLACE, Superlative(region, order, words=place.words)))
    return found


def _is_outer(sense: Sense) -> tuple[bool, bool]:
    return sense.dimension == DEPTH, sense.concept in ORDER_OF_PLACE


def _outermost(objects: Op, sense: Sense, words: tuple[Span, ...]) -> Op:
    """What is farthest out in one direction."""
    match objects:
        case Superlative(order="nearest" | "farthest", rank=1) if sense.dimension != DEPTH:
            region = Filter(objects.objects, sense.dimension, sense.concept, words=words)
            return replace(objects, objects=region)
    return Superlative(objects, ORDER_OF_PLACE[sense.concept], words=words)


def located(objects: Op, place: Place, *, unique: bool, number: int | None = None) -> Scored[Op]:
    """The readings of a place: for one thing the outermost, for several those in the region.

    "The two people on the left" may also be the two leftmost ones.
    """
    region = in_place(objects, place)
    if unique:
        first = first_in_place(objects, place)
    elif number is not None:
        first = [(0.0, Top(objects, order, number, words=place.words)) for order in place.orders]
    else:
        first = [] if region else first_in_place(objects, place)
    if not region or (place.far and first):
        found = first
    elif not first:
        found = region
    elif unique and all(len(senses) == 1 for senses in place.values):
        found = first + [(cost + OTHER_PLACE, op) for cost, op in region]
    else:
        found = region + [(cost + OTHER_PLACE, op) for cost, op in first]
    if not found:
        raise NoReadingError
    return found


def ranked(objects: Op, order: str, rank: Rank, words: tuple[Span, ...]) -> Op:
    """The k-th, or the first few, in an order."""
    if rank.place is None:
        order = OPPOSITE[order]
    if rank.number is not None:
        return Top(objects, order, rank.number, words=(*rank.words, *words))
    return Superlative(objects, order, rank.place or 1, words=(*rank.words, *words))


def among(scope: Op, subject: Op, head: Op) -> Op:
    """A predicate's scope in which what compares does so with more than the subject.

    "The dog is closest to the cat" compares it with other things, "the red cup is closest to the
    plate" with other cups: within the subject alone it would hold whatever is the case.

    Args:
        scope: what a predicate made of ``subject``.
        subject: what the predicate is said of.
        head: the set of the subject's noun alone.
    """
    if scope == subject or subject not in scope.walk():
        return scope
    changed: dict[str, Any]
    match scope:
        case Superlative() | Top() | Closest() | Farthest() | TopClosest() | TopFarthest():
            narrowed = subject.operands[:1] not in ((), (head,))
            whole = head if narrowed and subject != head else Everything()
            changed = {"objects": whole}
            return Intersect(among(scope.objects, subject, head), replace(scope, **changed))
        case Union():
            left, right = (among(side, subject, head) for side in scope.operands)
            return Union(left, right, words=scope.words)
        case Minus():
            left, right = (among(side, subject, head) for side in scope.operands)
            return Minus(left, right, words=scope.words)
        case Intersect():
            return Intersect(among(scope.left, subject, head), scope.right, words=scope.words)
    changed = {"objects": among(scope.operands[0], subject, head)}
    return replace(scope, **changed)


def _unit(leaf: Tree, units: tuple[Unit, ...]) -> Unit:
    if leaf.unit is None:
        raise NoReadingError
    return units[leaf.unit]
