"""Modifiers and predicates: from a set of objects to the part of it that they keep."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias, TypeGuard

from neurosym.grammar import landmarks
from neurosym.grammar.classes import WordClass
from neurosym.grammar.landmarks import DIRECTIONAL, Aspect
from neurosym.grammar.lexicon import Lexicon
from neurosym.grammar.meaning import (
    NoReadingError,
    NounPhrase,
    Quantified,
    Scored,
    cheapest,
    refer,
)
from neurosym.grammar.ranks import (
    OPPOSITE,
    ORDER_OF_PLACE,
    RELATION_OF_PLACE,
    Place,
    Rank,
    located,
    ranked,
    read_place,
    read_rank,
)
from neurosym.grammar.tree import Tree
from neurosym.grammar.units import Unit
from neurosym.program import (
    Closest,
    Everything,
    Farthest,
    Filter,
    Intersect,
    Kind,
    Minus,
    Op,
    Select,
    TopClosest,
    TopFarthest,
    Union,
)
from neurosym.span import Span

NOT_A_PERSON = 0.7
"""Cost of "in red" said of what wears no clothes."""

COLOUR_AS_NOUN = 1.0
"""Cost of the fruit in "in orange"."""

VIEWER_AS_THING = 0.6
"""Cost of a camera in the picture as what is closest to "the camera"."""

NARROW_NOT = 0.6
"""Cost of "not A or B" as (not A) or B, and of "not A and B" as not (A and B)."""

UNLIKE_RELATIONS = 0.1
"""Cost of joining a place with a property."""
FEW_IN_COLOUR = 0.6
"""Cost of the less usual reading of "red and white": both for one thing, either for several."""

OTHER_ASPECT = 0.6
"""Cost of the less usual of what a word such as "size" may compare things in."""

_SIDES = ("RELATION", "SIDE_RELATION", "LOCATION")

LAST_CLOSEST = '"last" with "closest" or "farthest" is not understood'
"""Reason to refuse "the last closest to": the language has no operator for it."""

Words: TypeAlias = tuple[Span, ...]
Step = Callable[[Op], Scored[Op]]
"""What a modifier does to a set."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a phrase can refer back to, and where it stands.

    Attributes:
        head: the set that "one" stands for; None when nothing came before.
        whole: inside an exception, the set that is excepted from.
        landmark: whether the phrase is the landmark of another.
        gap: whether a missing noun stands for ``head`` too: "except the red".
    """

    head: Op | None = None
    whole: Op | None = None
    landmark: bool = False
    gap: bool = False


class Modifiers(abc.ABC):
    """Lowers what restricts a set; noun phrases inside it are lowered by a subclass.

    Args:
        units: the words of the sentence.
        lexicon: tells which nouns are persons.
        beam: alternatives kept at every phrase.
    """

    def __init__(self, units: tuple[Unit, ...], lexicon: Lexicon, beam: int) -> None:
        self._units = units
        self._lexicon = lexicon
        self._beam = beam
        self.refused: list[NoReadingError] = []

    @abc.abstractmethod
    def _phrase(self, tree: Tree, context: Context) -> Scored[NounPhrase]:
        """The meanings of a noun phrase."""

    def _apply(self, start: Scored[Op], steps: Iterable[Step]) -> Scored[Op]:
        """Run steps one after the other over all alternatives, keeping the cheapest."""
        found = start
        for step in steps:
            grown: Scored[Op] = []
            for cost, objects in found:
                try:
                    grown += [(cost + extra, op) for extra, op in step(objects)]
                except NoReadingError as error:
                    self.refused.append(error)
            found = cheapest(grown, self._beam)
        return found

    def _step(
        self, tree: Tree, head: Op, plural: bool, number: int | None = None, extra: Words = ()
    ) -> Step:
        """A modifier or predicate as a function from a set to the part of it that it keeps.

        Args:
            tree: the modifier.
            head: the head noun that it modifies, which "one" in it stands for.
            plural: whether it modifies several things.
            number: how many, where the text says it: "the two cups closest to".
            extra: words elsewhere that say the same as the modifier: "other" before "the same".
        """
        match tree.label:
            case "attribute":
                return lambda objects: self._attribute(objects, tree.children[0])
            case "attributes":
                return lambda objects: self._attributes(objects, tree, plural)
            case "lacking":
                return lambda objects: [
                    (cost, Minus(objects, op, words=(tree.children[0].span,)))
                    for cost, op in self._related(head, tree, head)
                ]
            case "related":
                return lambda objects: self._related(objects, tree, head)
            case "sided":
                return lambda objects: self._sided(objects, tree, head)
            case "coloured":
                return lambda objects: self._coloured(objects, tree, head, plural)
            case "located":
                place = read_place(tree, self._units)
                return lambda objects: located(objects, place, unique=False)
            case "whole":
                return lambda objects: [(0.0, objects)]
            case "nearest":
                return self._nearest(tree, number)
            case "likeness":
                return self._likeness(tree, head, extra)
            case "similar" | "compared" | "equated" | "between" | "related_by" | "gapped":
                return self._linked(tree, head, extra)
            case "not_simple" | "not_attribute" | "not_same" | "negated":
                words = self._spans(tree, "NOT", "NEGATING")
                return self._minus(tree.children[-1], words, head, plural)
            case "coordination" | "predicate_and" | "predicate_or":
                return self._joined_predicates(tree, head, plural)
            case "counted":
                return self._counted(tree)
            case "same_as":
                return lambda objects: [*self._same_as(objects, tree, head)]
            case "clause":
                return self._step(tree.children[-1], head, plural)
        raise NoReadingError

    def _minus(self, tree: Tree, words: tuple[Span, ...], head: Op, plural: bool) -> Step:
        """Take away what a predicate holds of.

        What holds of an object whatever set it is in is said of the head noun, for short: "not
        black" takes away the black dogs. What compares within a set is said of the set.
        """
        if tree.label == "same_as":
            return lambda objects: [
                (cost, Minus(objects, op.right, words=words))
                for cost, op in self._same_as(objects, tree, head)
            ]
        keep = self._step(tree, head, plural)
        wide = tree.label == "coordination" and tree.find("AND") is not None
        cost_of_scope = NARROW_NOT if wide else 0.0
        compares = tree.label == "nearest"
        return lambda objects: [
            (cost + cost_of_scope, Minus(objects, op, words=words))
            for cost, op in keep(objects if compares else head)
        ]

    def _attribute(self, objects: Op, leaf: Tree) -> Scored[Op]:
        sense = self._unit(leaf).sense(WordClass.ATTRIBUTE)
        return [(0.0, Filter(objects, sense.dimension, sense.concept, words=(leaf.span,)))]

    def _attributes(self, objects: Op, tree: Tree, plural: bool) -> Scored[Op]:
        """Either for "red or blue"; for "red and white" both of one thing, either of several."""
        leaves = tree.all("ATTRIBUTE")
        words = self._spans(tree, "AND", "OR")
        either = self._attribute(objects, leaves[0])[0][1]
        both = objects
        for leaf in leaves[1:]:
            either = Union(either, self._attribute(objects, leaf)[0][1], words=words)
        for leaf in reversed(leaves):
            both = self._attribute(both, leaf)[0][1]
        if tree.find("OR"):
            return [(0.0, either)]
        sides = (either, both) if plural else (both, either)
        return [(0.0, sides[0]), (FEW_IN_COLOUR, sides[1])]

    def _related(self, objects: Op, tree: Tree, head: Op) -> Scored[Op]:
        *before, leaf, landmark = tree.children
        wearable = bool(self._unit(leaf).all(WordClass.WITH_COLOUR))
        if wearable and (_headless(landmark) or self._is_all_of_a_colour(landmark)):
            raise NoReadingError
        senses = self._unit(leaf).all(WordClass[leaf.label])
        phrases = self._phrase(landmark, Context(head, landmark=True))
        base = COLOUR_AS_NOUN if self._may_be_colour(leaf, landmark) else 0.0
        only = tuple(word.span for word in before)
        return [
            (base + cost + extra, op)
            for sense in senses
            for cost, phrase in phrases
            for extra, op in landmarks.related(
                objects, sense.concept, (leaf.span,), phrase, only=only
            )
        ]

    def _sided(self, objects: Op, tree: Tree, head: Op) -> Scored[Op]:
        """Relations that share their landmark: "above or below the cup"."""
        *before, landmark = tree.children
        named = [leaf for leaf in before if leaf.label in _SIDES]
        either = tree.find("OR") is not None
        if either and tree.find("AND"):
            raise NoReadingError('"and" and "or" are not understood together', [tree.span])
        words = self._spans(tree, "AND", "OR")
        found: Scored[Op] = []
        for cost, phrase in self._phrase(landmark, Context(head, landmark=True)):
            grown: Scored[Op] = []
            for number, leaf in enumerate(named):
                relation, said = self._side(leaf), (leaf.span,)
                if number == 0:
                    grown = landmarks.related(objects, relation, said, phrase)
                elif either:
                    grown = [
                        (have + more, Union(left, right, words=words))
                        for have, left in grown
                        for more, right in landmarks.related(objects, relation, said, phrase)
                    ]
                else:
                    grown = [
                        (have + more, op.at(*op.words, *words))
                        for have, inner in grown
                        for more, op in landmarks.related(inner, relation, said, phrase)
                    ]
            found += [(cost + extra, op) for extra, op in grown]
        return found

    def _side(self, leaf: Tree) -> str:
        """The relation that a word names, or that a place stands for: "to the left or"."""
        unit = self._unit(leaf)
        if leaf.label != "LOCATION":
            return unit.sense(WordClass[leaf.label]).concept
        senses = unit.all(WordClass.LOCATION)
        found = next(
            (RELATION_OF_PLACE[s.concept] for s in senses if s.concept in RELATION_OF_PLACE), ""
        )
        if not found:
            raise NoReadingError("this is no direction", [leaf.span])
        return found

    def _is_all_of_a_colour(self, phrase: Tree) -> bool:
        """Whether a phrase is "all white", which after "in" is a colour, not everything white."""
        first, *rest = phrase.children[0].children
        return (
            first.label == "EVERYTHING"
            and bool(self._unit(first).all(WordClass.ALL))
            and bool(rest)
            and rest[0].label in ("attribute", "attributes")
        )

    def _linked(self, tree: Tree, head: Op, extra: Words) -> Step:
        """What a landmark restricts by being like it, ahead of it, about it or acting on it."""
        words = (*extra, *(child.span for child in tree.children if child.unit is not None))
        link = self._link(tree, words)
        landmark = next(child for child in tree.children if child.unit is None)
        return lambda objects: [
            (cost + more, op)
            for cost, phrase in self._phrase(landmark, Context(head, landmark=True))
            for more, op in link(objects, phrase)
        ]

    def _link(self, tree: Tree, words: Words) -> Callable[[Op, NounPhrase], Scored[Op]]:
        match tree.label:
            case "similar":
                return lambda objects, to: landmarks.similar(objects, words, to)
            case "between":
                return lambda objects, to: landmarks.between(objects, words, to)
            case "equated":
                order = self._degree(tree)
                return lambda objects, to: landmarks.on_a_par(objects, order, words, to)
            case "compared":
                order, times = self._comparative(tree)
                return lambda objects, to: landmarks.ahead(objects, order, times, words, to)
        verb = self._spans(tree, "PASSIVE", "RELATION", "SIDE_RELATION")
        relation = self._concept(tree, "PASSIVE", "RELATION", "SIDE_RELATION")
        return lambda objects, by: landmarks.related_by(objects, relation, verb, by)

    def _degree(self, tree: Tree) -> str:
        """The order of "as tall as" or "as far left as"."""
        if tree.find("DEGREE"):
            return self._concept(tree, "DEGREE")
        place = next(iter(tree.all("LOCATION")))
        senses = self._unit(place).all(WordClass.LOCATION)
        order = next((ORDER_OF_PLACE[s.concept] for s in senses if s.concept in ORDER_OF_PLACE), "")
        if not order:
            raise NoReadingError("this is no direction", [place.span])
        return order

    def _comparative(self, tree: Tree) -> tuple[str, int]:
        """The order and the factor of "bigger than", "twice as big as", "half as big as"."""
        aspect = tree.find("ASPECT")
        if aspect is None:
            order = self._concept(tree, "COMPARATIVE", "DEGREE")
        else:
            order = next((a.name for _, a in self._aspects(aspect) if a.of_measure), "")
            if not order:
                raise NoReadingError("this cannot be twice or half as much", [aspect.span])
        if tree.find("FRACTION"):
            # Half as large is twice as small.
            return OPPOSITE[order], int(self._concept(tree, "FRACTION"))
        if tree.find("MULTIPLE", "NUMBER"):
            factor = int(self._concept(tree, "MULTIPLE", "NUMBER"))
            if factor < 1:
                raise NoReadingError("nothing is zero times as large", [tree.span])
            return order, factor
        return order, 1

    def _aspects(self, leaf: Tree) -> Scored[Aspect]:
        """What things may be compared in by a word, the usual one first."""
        senses = self._unit(leaf).all(WordClass.ASPECT)
        return [
            (number * OTHER_ASPECT, Aspect(sense.concept, sense.dimension == "order"))
            for number, sense in enumerate(senses)
        ]

    def _attribute_names(self, leaf: Tree) -> Scored[str]:
        """The attributes that a word may name; refuses one that names a measure alone."""
        names = [(cost, a.name) for cost, a in self._aspects(leaf) if not a.of_measure]
        if not names:
            raise NoReadingError("a measure has no value to ask for", [leaf.span])
        return names

    def _likeness(self, tree: Tree, head: Op, extra: Words) -> Step:
        """Of the same colour as, of a different size than."""
        aspect = tree.find("ASPECT")
        assert aspect is not None
        same = tree.find("SAME") is not None
        if same != (tree.find("AS") is not None):
            raise NoReadingError
        if tree.find("MADE_OF") and (0.0, Aspect("material", False)) not in self._aspects(aspect):
            raise NoReadingError("things are made of a material only", [aspect.span])
        if extra and not same:
            raise NoReadingError('"other" is not understood with a difference', extra)
        link = landmarks.alike if same else landmarks.unlike
        said = self._spans(tree, "MADE_OF", "SAME", "DIFFERENT", "ASPECT", "AS", "THAN")
        words = (*extra, *said)

        def step(objects: Op) -> Scored[Op]:
            return [
                (cost + more + further, op)
                for cost, phrase in self._phrase(tree.children[-1], Context(head, landmark=True))
                for more, kind in self._aspects(aspect)
                for further, op in link(objects, kind, words, phrase)
            ]

        return step

    def _may_be_colour(self, preposition: Tree, landmark: Tree) -> bool:
        """Whether a landmark is a lone word that names a colour as well: "in orange"."""
        lone, *others = landmark.leaves()
        return (
            not others
            and bool(self._unit(preposition).all(WordClass.WITH_COLOUR))
            and bool(self._unit(lone).all(WordClass.COLOUR))
        )

    def _same_as(self, objects: Op, tree: Tree, head: Op) -> Scored[Intersect]:
        bare = _headless(tree.children[0]) and not _picks(tree.children[0])
        if bare or _quantifies_no_noun(tree.children[0]):
            raise NoReadingError
        # "Is the red cup the largest" asks for the largest cup.
        context = Context(head, landmark=True, gap=True)
        found = [
            (cost + extra, Intersect(objects, op))
            for cost, phrase in self._phrase(tree.children[0], context)
            for extra, op in refer(phrase)
            if op.returns is not Kind.TRUTH and _can_be_said(phrase)
        ]
        if not found:
            raise NoReadingError('this is not understood after "is"', [tree.span])
        return found

    def _coloured(self, objects: Op, tree: Tree, head: Op, plural: bool) -> Scored[Op]:
        *before, colours = tree.children
        said = [leaf.span for leaf in before]
        leaves = tuple(colours.leaves())
        if any(
            leaf.label == "ATTRIBUTE" and not self._unit(leaf).all(WordClass.COLOUR)
            for leaf in leaves
        ):
            raise NoReadingError
        person = isinstance(head, Select) and self._lexicon.has_feature("person", head.category)
        cost = 0.0 if person or isinstance(head, Everything) else NOT_A_PERSON
        found = self._step(colours, head, plural)(objects)
        return [
            (cost + extra, op.at(*said, *op.words) if isinstance(op, Filter | Union) else op)
            for extra, op in found
        ]

    def _nearest(self, tree: Tree, number: int | None) -> Step:
        ordinal = tree.find("ORDINAL")
        several = number if number and number > 1 else None
        rank = read_rank(ordinal, self._units) if ordinal else Rank(1, (), several)
        leaf = tree.find("NEAREST", "FARTHEST")
        assert leaf is not None
        return self._by_distance(leaf, rank, tree)

    def _by_distance(self, leaf: Tree, rank: Rank, goal: Tree) -> Step:
        """Closest or farthest by distance to a landmark."""
        nearest = leaf.label == "NEAREST"
        preposition = goal.find("TO", "FROM")
        words = (*rank.words, leaf.span, *((preposition.span,) if preposition else ()))
        if rank.place is None:
            raise NoReadingError(LAST_CLOSEST, [leaf.span])
        place, several = rank.place, rank.number

        def closest(objects: Op, to: Op) -> Op:
            if several is None:
                return (Closest if nearest else Farthest)(objects, to, place, words=words)
            return (TopClosest if nearest else TopFarthest)(objects, to, several, words=words)

        def step(objects: Op) -> Scored[Op]:
            head = _head_below(objects)
            found: Scored[Op] = []
            for cost, phrase in self._phrase(goal.children[-1], Context(head, landmark=True)):
                if self._is_viewer(phrase):
                    order = "nearest" if nearest else "farthest"
                    said = (leaf.span, *words[len(rank.words) + 1 :])
                    said = (*said, *phrase.words, *phrase.head.words)
                    found.append((cost, ranked(objects, order, rank, said)))
                    cost += VIEWER_AS_THING
                found += [
                    (cost + extra, closest(objects, op))
                    for extra, op in refer(phrase)
                    if op.returns is not Kind.TRUTH
                ]
            return found

        return step

    def _is_viewer(self, phrase: NounPhrase) -> TypeGuard[Quantified]:
        """Whether a landmark is where the image was taken from: "the camera"."""
        return (
            isinstance(phrase, Quantified)
            and phrase.determiner == "the"
            and not phrase.plural
            and isinstance(phrase.objects, Select)
            and self._lexicon.has_feature("viewer", phrase.objects.category)
        )

    def _counted(self, tree: Tree) -> Step:
        rank = read_rank(tree.children[0], self._units)
        return counting(read_place(tree.children[1], self._units), rank, from_there=True)

    def _joined_predicates(self, tree: Tree, head: Op, plural: bool) -> Step:
        """Predicates with "and" or "or"; "not black or white" rather denies both."""
        parts = [child for child in tree.children if child.unit is None]
        steps = [self._step(part, head, plural) for part in parts]
        words = self._spans(tree, "AND", "OR", "BUT")
        base = UNLIKE_RELATIONS if len({self._family(part) for part in parts}) > 1 else 0.0
        if not tree.find("OR"):
            return lambda objects: self._apply([(base, objects)], steps)

        negative = parts[0].label.startswith("not_") and not parts[1].label.startswith("not_")

        def step(objects: Op) -> Scored[Op]:
            result = [
                (base + cost + (NARROW_NOT if negative else 0.0), op)
                for cost, op in steps[0](objects)
            ]
            for other in steps[1:]:
                result = [
                    (cost + extra, Union(left, right, words=words))
                    for cost, left in result
                    for extra, right in other(objects)
                ]
            return result

        return step

    def _family(self, tree: Tree) -> str:
        """Predicates of one family are joined more readily: places, or what one wears or holds."""
        if tree.label == "related":
            leaf = tree.children[0]
            concept = self._unit(leaf).sense(WordClass[leaf.label]).concept
            return "place" if concept in DIRECTIONAL or concept in ("next_to", "on") else concept
        return self._family(tree.children[-1]) if tree.label == "not_simple" else tree.label

    # ---- words

    def _unit(self, leaf: Tree) -> Unit:
        assert leaf.unit is not None
        return self._units[leaf.unit]

    def _concept(self, tree: Tree, *labels: str) -> str:
        """What the first word with one of these labels stands for."""
        leaf = tree.find(*labels)
        if leaf is None:
            raise NoReadingError
        return self._unit(leaf).sense(WordClass[leaf.label]).concept

    @staticmethod
    def _spans(tree: Tree, *labels: str) -> tuple[Span, ...]:
        return tuple(child.span for child in tree.all(*labels))

    def _joined_spans(self, tree: Tree, *labels: str) -> tuple[Span, ...]:
        """One span over the words with these labels, which stand side by side."""
        covered = Span.cover(self._spans(tree, *labels))
        return (covered,) if covered else ()


def _head_below(objects: Op) -> Op:
    return next(iter(objects.walk()))


def counting(place: Place, rank: Rank, *, from_there: bool) -> Step:
    """Count in the order of a place: from there ("second from the left") or there ("on")."""
    if not place.orders:
        raise NoReadingError
    order = place.orders[0]
    if rank.place is None and not from_there:
        order = OPPOSITE[order]
    return lambda objects: [(0.0, ranked(objects, order, rank, place.words))]


def _can_be_said(phrase: NounPhrase) -> bool:
    """Whether it can follow "is": "a cube", "cubes", but not "cube"."""
    if isinstance(phrase, Quantified):
        return phrase.plural or phrase.ranked or phrase.determiner != "bare"
    return all(_can_be_said(part) for part in phrase.parts)


def _picks(phrase: Tree) -> bool:
    """Whether modifiers alone pick one thing: "which cup is largest"."""
    headless = phrase.children[0].children[0]
    return any(child.label == "superlative" for child in headless.children)


def _quantifies_no_noun(phrase: Tree) -> bool:
    """Whether a phrase is a quantifier before modifiers alone: "all red", no things by name."""
    nominal = phrase.find("nominal")
    return (
        nominal is not None
        and nominal.children[0].label == "headless"
        and phrase.children[0].label in ("all", "both", "each", "no", "most", "number")
    )


def _headless(phrase: Tree) -> bool:
    """Whether a phrase is modifiers alone, without determiner or noun ("red")."""
    first = phrase.children[0]
    return first.label == "nominal" and first.children[0].label == "headless"
