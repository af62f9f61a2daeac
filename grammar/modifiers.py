"""Modifiers and predicates: from a set of objects to the part of it that they keep."""

from __future__ import annotations

import abc
import itertools
from dataclasses import replace

from neurosym.grammar.classes import WordClass
from neurosym.grammar.contents import Contents
from neurosym.grammar.lexicon import Sense
from neurosym.grammar.links import PART_OF, is_headless
from neurosym.grammar.meaning import (
    NoReadingError,
    NounPhrase,
    Quantified,
    Scored,
    refer,
)
from neurosym.grammar.ranks import (
    OPPOSITE,
    Place,
    Rank,
    located,
    ranked,
    read_place,
    read_rank,
)
from neurosym.grammar.tree import Tree
from neurosym.grammar.words import Context, Step, Words
from neurosym.program import (
    DIRECTIONAL,
    Everything,
    Filter,
    Intersect,
    Kind,
    Minus,
    Op,
    Relate,
    Select,
    The,
    Union,
)
from neurosym.span import Span

NOT_A_PERSON = 0.7
"""Cost of "in red" said of what wears no clothes."""

GOAL_AS_RELATION = 1.0
"""Cost of "from" as a relation, where no superlative is measured by it."""

NARROW_NOT = 0.6
"""Cost of "not A or B" as (not A) or B, and of "not A and B" as not (A and B)."""

UNLIKE_RELATIONS = 0.1
"""Cost of joining a place with a property."""
UNLIKE_OWNER = 1.0
"""Cost of joining what something is of with something else."""
HANDLED = 1.0
"""Cost of a thing that does what is done to it: "eating donut" is rather who eats one."""

_BEFORE_A_GOAL = frozenset(
    {"at", "to", "for", "from", "into", "onto", "toward", "towards", "against"}
)
"""What a verb may be joined to that needs an object after it: "looking at"."""

FEW_IN_COLOUR = 0.6
"""Cost of the less usual reading of "red and white": both for one thing, either for several."""


class Modifiers(Contents):
    """Lowers what restricts a set; noun phrases inside it are lowered by a subclass."""

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
            case "quality" | "described":
                return self._open_filter(tree, "quality")
            case "participle":
                return self._participle(tree, head)
            case "in_row":
                return self._in_row(tree)
            case "acting" if len(tree.children) == 1:
                return self._open_filter(tree, "action")
            case "made":
                return self._made(tree)
            case "attributes":
                return lambda objects: self._attributes(objects, tree, plural)
            case "lacking" if isinstance(head, Everything) and self._is_no(tree):
                raise NoReadingError
            case "lacking":
                return lambda objects: [
                    (cost, Minus(objects, op, words=(tree.children[0].span,)))
                    for cost, op in self._related(head, tree, head)
                ]
            case "held":
                self._check_held(tree)
                return self._linked(tree, head, extra)
            case "juxtaposed" | "dressed":
                self._check_juxtaposed(tree, head)
                return lambda objects: [
                    (cost + self._cost_of_wearer(tree, head), op)
                    for cost, op in self._juxtaposed(objects, tree, head)
                ]
            case "goal" if tree.find("TO") and self._is_turned(head):
                return lambda objects: self._related(objects, tree, head)
            case "goal" if tree.find("TO"):
                reason = "this is not understood without a superlative"
                raise NoReadingError(reason, [tree.children[0].span])
            case "goal":
                return lambda objects: [
                    (GOAL_AS_RELATION + cost, op) for cost, op in self._related(objects, tree, head)
                ]
            case "related" if self._is_side_of_image(tree):
                place = read_place(tree, self._units)
                return lambda objects: located(objects, place, unique=False)
            case "related" | "acting":
                return lambda objects: self._related(objects, tree, head)
            case "sided":
                return lambda objects: self._sided(objects, tree, head)
            case "coloured":
                return lambda objects: self._coloured(objects, tree, head, plural)
            case "located":
                place = read_place(tree, self._units)
                # "Farthest to the right" is said of one thing as of the cup that is it.
                return lambda objects: located(objects, place, unique=place.far and not plural)
            case "whole":
                return lambda objects: [(0.0, objects)]
            case "nearest":
                return self._nearest(tree, number)
            case "likeness":
                return self._likeness(tree, head, extra)
            case "similar" if self._is_value(head) and not self._may_be_thing(head):
                # "Its color is the same as that of the plate" is said of values.
                raise NoReadingError
            case "similar" | "compared" | "equated" | "between" | "related_by" | "gapped":
                return self._linked(tree, head, extra)
            case "not_simple" | "not_attribute" | "not_same" | "negated":
                words = self._spans(tree, "NOT", "NEGATING")
                return self._minus(tree.children[-1], words, head, plural)
            case "standing":
                steps = [self._step(part, head, plural) for part in tree.children if part.children]
                return lambda objects: self._apply([(0.0, objects)], steps)
            case "predicate_nor":
                return self._none_of(tree, head, plural)
            case "coordination" | "predicate_and" | "predicate_or":
                return self._joined_predicates(tree, head, plural)
            case "counted":
                return self._counted(tree)
            case "same_as":
                return lambda objects: [*self._same_as(objects, tree, head)]
            case "possessor" | "owned":
                return lambda objects: self._owned(objects, tree, head)
            case "viewed":
                return lambda objects: self._viewed(objects, tree)
            case "whose":
                return lambda objects: self._having(objects, tree)
            case "unique":
                return self._unique(tree)
            case "twins":
                return self._twins(tree, plural=plural)
            case "mutual" if not plural and tree.find("DIFFERENT"):
                return self._unique(tree)
            case "mutual":
                if not plural:
                    raise NoReadingError("this is understood of several things only", [tree.span])
                return self._mutual(tree)
            case "role":
                return self._role(tree, head)
            case "claimed":
                return self._claimed(tree, head)
            case "held_there":
                return self._held_there(tree, head)
            case "measured":
                return self._measured(tree)
            case "varied":
                return self._varied(tree, head)
            case "clause" | "added":
                return self._step(tree.children[-1], head, plural, extra=extra)
        raise NoReadingError

    @abc.abstractmethod
    def _owned(self, objects: Op, tree: Tree, head: Op) -> Scored[Op]:
        """What is of something: the handle of the cup, the hats of the man, "the man's"."""

    @abc.abstractmethod
    def _viewed(self, objects: Op, tree: Tree) -> Scored[Op]:
        """On her left, to the man's right."""

    @abc.abstractmethod
    def _having(self, objects: Op, tree: Tree) -> Scored[Op]:
        """Whose shirt is red."""

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
        if tree.label in ("noun", "nouns"):
            # "The non-cubes".
            leaf = tree.children[0]
            named = Select(self._concept_of(leaf), words=(leaf.span,))
            return lambda objects: [
                (0.0, Minus(Everything() if objects == named else objects, named, words=words))
            ]
        keep = self._step(tree, head, plural)
        wide = tree.label == "coordination" and tree.find("AND") is not None
        cost_of_scope = NARROW_NOT if wide else 0.0
        compares = tree.label == "nearest"
        return lambda objects: [
            (cost + cost_of_scope, Minus(objects, op, words=words))
            for cost, op in keep(objects if compares else head)
        ]

    def _check_juxtaposed(self, tree: Tree, head: Op) -> None:
        """Refuse what is named beside no thing, and before one what it has not got on."""
        *_, last = tree.leaves()
        name = self._concept_of(last)
        worn = self._lexicon.has_feature("worn", name)
        if isinstance(head, Everything) and worn and tree.label == "juxtaposed":
            # "Green shirt, white hat": whoever has both.
            return
        if not isinstance(head, Select) or (tree.label == "dressed" and not worn):
            raise NoReadingError
        fruit = any(
            sense.word_class is WordClass.COLOUR for sense in self._lexicon.senses(head.category)
        )
        wearer = tree.label == "juxtaposed" and self._preferences.is_of(head.category, "worn")
        if wearer and self._lexicon.has_feature("person", name):
            # "Denim jacket girl" is the girl.
            raise NoReadingError
        if worn and (fruit or (tree.label == "dressed" and self._is_on_body(head))):
            # Clothes and fruit have nothing on: "orange shirt".
            raise NoReadingError

    def _cost_of_wearer(self, tree: Tree, head: Op) -> float:
        """What it costs that a thing has clothes on which stand before it: "red hat table"."""
        if tree.label != "dressed" or not isinstance(head, Select):
            return 0.0
        listed = any(s.word_class is WordClass.NOUN for s in self._lexicon.senses(head.category))
        return HANDLED if listed and not self._preferences.is_animate(head.category) else 0.0

    def _is_on_body(self, head: Op) -> bool:
        """Whether something is on a body or a part of one, and has no clothes on."""
        return isinstance(head, Select) and self._preferences.is_of(
            head.category, "worn", "trimming", "body"
        )

    def _is_row(self, head: Tree) -> bool:
        """Whether a noun names things in a row: "the top row, second from the left"."""
        *_, last = head.leaves()
        return head.label == "noun" and bool(self._unit(last).all(WordClass.FORM))

    def _is_side_of_image(self, tree: Tree) -> bool:
        """Whether a relation is a place in the picture: "left of the picture"."""
        first = self._unit(tree.children[0])
        sides = [s for s in first.senses if s.concept in ("left_of", "right_of")]
        return bool(sides) and self._is_image(tree.children[-1])

    def _is_image(self, phrase: Tree) -> bool:
        """Whether a phrase is the picture itself."""
        *before, last = phrase.leaves()
        return all(leaf.label == "THE" for leaf in before) and bool(
            self._unit(last).all(WordClass.IMAGE)
        )

    def _is_turned(self, head: Op) -> bool:
        """Whether a noun names a side of a body, which is turned to something: "back to us"."""
        return isinstance(head, Select) and self._lexicon.has_feature("turned", head.category)

    def _is_no(self, tree: Tree) -> bool:
        """Whether what is lacking is said by "no", which after no thing denies instead."""
        return bool(self._unit(tree.children[0]).all(WordClass.NO))

    def _participle(self, tree: Tree, head: Op) -> Step:
        """What a thing does, before its noun: "the sleeping dog".

        "Looking at the camera" and "riding bike" leave out who does it.
        """
        deed = self._concept_of(tree.children[0])
        gerund = tree.children[0].words.lower().endswith("ing")
        named = head.category if isinstance(head, Select) else ""
        if deed.rpartition("_")[2] in _BEFORE_A_GOAL or self._lexicon.has_feature("viewer", named):
            raise NoReadingError
        handled = gerund and self._lexicon.has_feature("handling", deed) and named
        cost = HANDLED if handled and not self._preferences.is_animate(named) else 0.0
        keep = self._open_filter(tree, "action")
        return lambda objects: [(cost + extra, op) for extra, op in keep(objects)]

    def _in_row(self, tree: Tree) -> Step:
        """In the front row, in the second row."""
        form, said = tree.children[-1], tree.children[0]
        rows = Select(self._concept_of(form), words=(form.span,))
        if said.label == "ordinal":
            rank = read_rank(said, self._units)
            found: Scored[Op] = [(0.0, ranked(rows, self._order_of_rows(rows), rank, ()))]
        else:
            place = read_place(said, self._units)
            # The middle one of rows is between upper and lower ones.
            lying = tuple(v for v in place.values if v[0].dimension != "horizontal")
            place = replace(place, values=lying or place.values)
            found = located(rows, place, unique=True)
        return lambda objects: [
            (cost, Relate(objects, "in", The(row), words=())) for cost, row in found
        ]

    def _order_of_rows(self, objects: Op) -> str:
        """The order that an ordinal counts in when the text does not say from where."""
        head = next(iter(objects.walk()))
        senses = self._lexicon.senses(head.category) if isinstance(head, Select) else ()
        rows = any(sense == Sense(WordClass.FORM, "row") for sense in senses)
        return "topmost" if rows else "leftmost"

    def _open_filter(self, tree: Tree, attribute: str) -> Step:
        """Keep what has a quality or does something, by a word that need not be listed.

        A number that tells things apart is a quality, too: "number 12".
        """
        said = [leaf for leaf in tree.children if leaf.label not in ("COMMA", "SHADE")]
        words = tuple(leaf.span for leaf in said)
        value = self._concept_of(said[-1])
        if said[-1].label == "NUMBER":
            if len(said) == 1 and not said[-1].words.isdecimal():
                # "Bowl three dots" has three of them.
                raise NoReadingError
            value = f"number {value}"
        return lambda objects: [(0.0, Filter(objects, attribute, value, words=words))]

    def _none_of(self, tree: Tree, head: Op, plural: bool) -> Step:
        """Neither red nor blue."""
        words = self._spans(tree, "NEITHER", "NOR")
        parts = [child for child in tree.children if child.unit is None]
        steps = [self._minus(part, words, head, plural) for part in parts]
        return lambda objects: self._apply([(0.0, objects)], steps)

    def _attribute(self, objects: Op, leaf: Tree) -> Scored[Op]:
        if leaf.label == "NOUN":
            # "Cube shaped".
            shape = self._unit(leaf).sense(WordClass.NOUN).concept
            return [(0.0, Filter(objects, "shape", shape, words=(leaf.span,)))]
        sense = self._unit(leaf).sense(WordClass.ATTRIBUTE)
        return [(0.0, Filter(objects, sense.dimension, sense.concept, words=(leaf.span,)))]

    def _made(self, tree: Tree) -> Step:
        """Made of metal, of blue metal, of a matte material."""
        leaves = [part.children[0] for part in tree.all("attribute")]
        named, aspect = self._concept(tree, "MADE_OF"), tree.find("ASPECT")
        leaf = leaves[-1] if aspect is None else aspect
        if aspect is not None:
            dimensions = {name for _, name in self._attribute_names(aspect)}
        else:
            dimensions = {sense.dimension for sense in self._unit(leaf).all(WordClass.ATTRIBUTE)}
        if named not in dimensions or leaves[-1].label != "ATTRIBUTE":
            raise NoReadingError("this is not what things are made of", [leaf.span])
        said = self._spans(tree, "MADE_OF", "ASPECT")
        steps = [
            lambda objects, leaf=leaf: [
                (cost, op.at(*op.words, *said)) for cost, op in self._attribute(objects, leaf)
            ]
            for leaf in leaves
        ]
        return lambda objects: self._apply([(0.0, objects)], steps)

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

    def _same_as(self, objects: Op, tree: Tree, head: Op) -> Scored[Intersect]:
        bare = is_headless(tree.children[0]) and not _picks(tree.children[0])
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

    def _varied(self, tree: Tree, head: Op) -> Step:
        """Two different colours, which are no more than two colours."""
        if not self._is_value(head):
            raise NoReadingError("this is not understood without what it differs from", [tree.span])
        return lambda objects: [(0.0, objects.at(*objects.words, tree.span))]

    def _coloured(self, objects: Op, tree: Tree, head: Op, plural: bool) -> Scored[Op]:
        colours = tree.find("attribute", "attributes")
        assert colours is not None
        said = [leaf.span for leaf in tree.children if leaf.unit is not None]
        leaves = tuple(colours.leaves())
        if any(
            leaf.label == "ATTRIBUTE" and not self._unit(leaf).all(WordClass.COLOUR)
            for leaf in leaves
        ):
            raise NoReadingError
        person = isinstance(head, Select) and self._lexicon.has_feature("person", head.category)
        plain = person or isinstance(head, Everything) or tree.find("ASPECT")
        cost = 0.0 if plain else NOT_A_PERSON
        found = self._step(colours, head, plural)(objects)
        return [
            (cost + extra, op.at(*said, *op.words) if isinstance(op, Filter | Union) else op)
            for extra, op in found
        ]

    def _counted(self, tree: Tree) -> Step:
        rank = read_rank(tree.children[0], self._units)
        return counting(read_place(tree.children[-1], self._units), rank, from_there=True)

    def _joined_predicates(self, tree: Tree, head: Op, plural: bool) -> Step:
        """Predicates with "and" or "or"; "not black or white" rather denies both."""
        parts = [child for child in tree.children if child.unit is None]
        steps = [self._step(part, head, plural) for part in parts]
        words = self._spans(tree, "AND", "OR", "BUT")
        families = {self._family(part) for part in parts}
        base = UNLIKE_RELATIONS if len(families) > 1 else 0.0
        if len(families) > 1 and "owned" in families:
            # In "holding a cup of tea and smiling" it is not "of tea" that "smiling" is joined to.
            base = UNLIKE_OWNER
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


def counting(place: Place, rank: Rank, *, from_there: bool) -> Step:
    """Count in the order of a place: from there ("second from the left") or there ("on")."""
    if not place.orders:
        raise NoReadingError
    order = place.orders[0]
    if rank.place is None and not from_there:
        order = OPPOSITE[order]
    return lambda objects: [(0.0, ranked(objects, order, rank, place.words))]


def names_part(parts: list[Tree]) -> bool:
    """Whether a place and "part of" stand side by side: "the left part of" names a part."""
    return any(
        place.label in ("location", "located") and next(post.leaves()).words.lower() == PART_OF
        for place, post in itertools.pairwise(parts)
    )


def placed(place: Place, unique: bool, number: int | None) -> Step:
    """Where something is: the one thing that is farthest out, or so many, or those there."""
    several = number if number and number > 1 else None
    return lambda objects: located(objects, place, unique=unique, number=several)


def _can_be_said(phrase: NounPhrase) -> bool:
    """Whether it can follow "is": "a cube", "cubes", but not "cube"."""
    if isinstance(phrase, Quantified):
        # "Is only half in the picture" is no half.
        named = phrase.determiner not in ("bare", "only")
        return phrase.plural or phrase.ranked or named
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
