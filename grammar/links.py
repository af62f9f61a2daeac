"""Modifiers that link a set to a landmark: relations, likeness, comparison and distance."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TypeGuard

from neurosym.grammar import landmarks
from neurosym.grammar.classes import WordClass
from neurosym.grammar.landmarks import Aspect
from neurosym.grammar.meaning import (
    Coordinated,
    NoReadingError,
    NounPhrase,
    Quantified,
    Scored,
    head_of,
    joined,
    refer,
)
from neurosym.grammar.preferences import Preferences
from neurosym.grammar.ranks import (
    OPPOSITE,
    ORDER_OF_PLACE,
    RELATION_OF_PLACE,
    Rank,
    ranked,
    read_rank,
)
from neurosym.grammar.tree import Tree
from neurosym.grammar.words import Context, SentenceLowering, Step, Words
from neurosym.program import (
    Closest,
    Everything,
    Farthest,
    Intersect,
    Kind,
    Op,
    Relate,
    Select,
    TopClosest,
    TopFarthest,
    Union,
)

COLOUR_AS_NOUN = 1.0
"""Cost of the fruit in "in orange"."""

VIEWER_AS_THING = 0.6
"""Cost of a camera in the picture as what is closest to "the camera"."""

OTHER_ASPECT = 0.6
"""Cost of the less usual of what a word such as "size" may compare things in."""

PART_OF = "part of"
"""What is a relation of things alone: "the wheel, part of the cart"."""

LAST_CLOSEST = '"last" with "closest" or "farthest" is not understood'
"""Reason to refuse "the last closest to": the language has no operator for it."""

WEARER_UNSAID = 0.5
"""Cost of clothes side by side as those of somebody who is not named."""

_SIDES = ("RELATION", "SIDE_RELATION", "LOCATION")


class Links(SentenceLowering):
    """Lowers what a landmark does to a set."""

    @cached_property
    def _preferences(self) -> Preferences:
        return Preferences(self._lexicon)

    def _related(self, objects: Op, tree: Tree, head: Op) -> Scored[Op]:
        *before, leaf, landmark = tree.children
        wearable = bool(self._unit(leaf).all(WordClass.WITH_COLOUR))
        if wearable and (self._is_bare_colour(landmark) or self._is_all_of_a_colour(landmark)):
            raise NoReadingError
        senses = self._senses_of(leaf, landmark)
        if leaf.words.lower() == PART_OF and self._is_its_part(head):
            # "The bottom part of the cup" names a part of it.
            raise NoReadingError
        if senses[0] in ("up", "down") and self._is_up_itself(head):
            raise NoReadingError
        if self._lexicon.has_feature("made_with", leaf.words.lower()):
            # "A chocolate frosted donut": nobody frosts it.
            raise NoReadingError
        context = Context(head, landmark=True, relation=senses[0])
        phrases = self._phrase(landmark, context)
        base = COLOUR_AS_NOUN if self._may_be_colour(leaf, landmark) else 0.0
        only = tuple(word.span for word in before)
        viewer = [phrase for _, phrase in phrases if self._is_viewer(phrase)]
        if viewer and senses[0] == "next_to":
            # "Close to us": nothing in a picture is next to whoever looks at it.
            words = (leaf.span, *viewer[0].words, *viewer[0].head.words)
            return [(base, ranked(objects, "nearest", Rank(1, (), None), words))]
        return [
            (base + cost + extra, op)
            for sense in senses
            for cost, phrase in phrases
            for extra, op in landmarks.related(objects, sense, (leaf.span,), phrase, only=only)
        ]

    def _is_its_part(self, head: Op) -> bool:
        """Whether what is said to be part of something is no thing besides: "bottom"."""
        named = self._lexicon.senses(head.category) if isinstance(head, Select) else ()
        return any(sense.word_class is WordClass.LOCATION for sense in named)

    def _is_up_itself(self, head: Op) -> bool:
        """Whether what is up or down is so by itself: "arm up guy".

        "Up no cup" is no place either, but what is left of "pick up".
        """
        body = isinstance(head, Select) and self._lexicon.has_feature("body", head.category)
        return isinstance(head, Everything) or body

    def _senses_of(self, leaf: Tree, landmark: Tree) -> tuple[str, ...]:  # noqa: ARG002
        """The relations that a word may name before a landmark, the usual one first."""
        return tuple(sense.concept for sense in self._unit(leaf).all(WordClass[leaf.label]))

    def _juxtaposed(self, objects: Op, tree: Tree, head: Op) -> Scored[Op]:
        """What is named beside a thing is with it: "man blue shirt".

        Clothes beside clothes are of one wearer: "blue shirt black hat" is whoever has both.
        """
        context = Context(head, landmark=True, relation="with")
        *_, named = tree.leaves()
        both = self._is_garment(head) and self._lexicon.has_feature("worn", self._concept_of(named))
        if both and next(iter(objects.walk())) == head:
            objects = Relate(Everything(), "with", objects)
        return [
            (cost + extra + both * WEARER_UNSAID, op)
            for cost, phrase in self._phrase(tree.children[0], context)
            for extra, op in landmarks.related(objects, "with", (), phrase)
        ]

    def _is_garment(self, head: Op) -> bool:
        return isinstance(head, Select) and self._preferences.is_of(head.category, "worn")

    def _check_held(self, tree: Tree) -> None:
        """Refuse what is no finite verb in a clause without "that": "the one the man eats"."""
        leaf = tree.children[-1]
        if leaf.words.split()[0].lower().endswith("ing"):
            raise NoReadingError
        for _, phrase in self._phrase(tree.children[0], Context(landmark=True)):
            head = head_of(phrase)
            if not (isinstance(head, Select) and self._preferences.is_animate(head.category)):
                raise NoReadingError

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

    def _is_bare_colour(self, phrase: Tree) -> bool:
        """Whether a phrase is modifiers alone, which after "in" is a colour: "plaid" is none."""
        leaves = tuple(phrase.leaves())
        return is_headless(phrase) and [leaf.label for leaf in leaves] != ["ADJECTIVE"]

    def _is_all_of_a_colour(self, phrase: Tree) -> bool:
        """Whether a phrase is "all white", which after "in" is a colour, not everything white."""
        first, *rest = phrase.children[0].children or (phrase.children[0],)
        return (
            first.label == "EVERYTHING"
            and bool(self._unit(first).all(WordClass.ALL))
            and bool(rest)
            and rest[0].label in ("attribute", "attributes")
        )

    def _linked(self, tree: Tree, head: Op, extra: Words) -> Step:
        """What a landmark restricts by being like it, ahead of it, about it or acting on it."""
        words = (*extra, *(child.span for child in tree.children if child.unit is not None))
        if tree.label == "compared" and tree.find("TO"):
            return self._closer(tree, head, words)
        link = self._link(tree, words)
        landmark = next(child for child in tree.children if child.unit is None)
        return lambda objects: [
            (cost + more, op)
            for cost, phrase in self._phrase(landmark, Context(head, landmark=True))
            for more, op in link(objects, phrase)
        ]

    def _closer(self, tree: Tree, head: Op, words: Words) -> Step:
        """Closer to one thing than another is: the closest of the two."""
        goal, rival = (child for child in tree.children if child.unit is None)
        order = self._concept(tree, "COMPARATIVE")
        if order not in ("nearest", "farthest"):
            raise NoReadingError("distances are not compared by this", words)
        rank = Closest if order == "nearest" else Farthest
        context = Context(head, landmark=True)

        def step(objects: Op) -> Scored[Op]:
            if objects.returns is not Kind.REFERENT:
                # Of several, more than the closest may be closer than another.
                raise NoReadingError('"than" is understood here of one thing only', words)
            return [
                (cost + c + more + m, Intersect(objects, rank(both, to, words=words)))
                for cost, phrase in self._phrase(goal, context)
                for c, to in refer(phrase)
                for more, second in self._phrase(rival, context)
                for m, other in refer(second)
                if Kind.TRUTH not in (to.returns, other.returns)
                for both in [Union(objects, other)]
            ]

        return step

    def _link(self, tree: Tree, words: Words) -> Callable[[Op, NounPhrase], Scored[Op]]:
        match tree.label:
            case "similar":
                said = (
                    self._concept(tree, "SIMILAR")
                    if tree.find("SIMILAR")
                    else tree.children[0].label
                )
                if said in ("DIFFERENT", "dissimilar"):
                    return lambda objects, to: landmarks.dissimilar(objects, words, to)
                exactly = said in ("SAME", "identical")
                return lambda objects, to: landmarks.similar(objects, words, to, exactly=exactly)
            case "between":
                place = tree.find("LOCATION")
                if place is not None and self._concept(tree, "LOCATION") != "middle":
                    raise NoReadingError
                return lambda objects, to: landmarks.between(objects, words, to)
            case "equated":
                order = self._degree(tree)
                return lambda objects, to: landmarks.on_a_par(objects, order, words, to)
            case "compared":
                order, times = self._comparative(tree)
                return lambda objects, to: landmarks.ahead(objects, order, times, words, to)
        named = ("PASSIVE", "RELATION", "SIDE_RELATION", "VERB")
        verb = self._spans(tree, "POSTURE", *named)
        relation = self._concept(tree, *named)
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
        """Of the same colour as, of a different size than, of the same size and shape as."""
        same = tree.find("DIFFERENT") is None
        relation = tree.find("RELATION")
        with_it = relation is not None and self._concept(tree, "RELATION") == "with"
        if same != (tree.find("AS", "MATCH") is not None or with_it):
            raise NoReadingError
        if extra and not same:
            raise NoReadingError('"other" is not understood with a difference', extra)
        aspects = self._same_aspects(tree)
        either = same and len(aspects) > 1 and tree.find("OR") is not None
        link = landmarks.alike if same else landmarks.unlike
        silent = ("AND", "COMMA", "INDEFINITE", "THE", "TO", "FROM", "OF")
        words = (
            *extra,
            *(c.span for c in tree.children if c.unit is not None and c.label not in silent),
        )

        landmark = next(child for child in tree.children if child.unit is None)

        def step(objects: Op) -> Scored[Op]:
            return [
                (cost + more, op)
                for cost, phrase in self._phrase(landmark, Context(head, landmark=True))
                for more, op in self._alike_in(aspects, objects, link, words, phrase, either=either)
            ]

        return step

    def _alike_in(
        self,
        aspects: tuple[Tree, ...],
        objects: Op,
        link: Callable[[Op, Aspect, Words, NounPhrase], Scored[Op]],
        words: Words,
        phrase: NounPhrase,
        *,
        either: bool = False,
    ) -> Scored[Op]:
        """What is like a landmark in every one of some aspects, or in ``either``."""
        if either:
            return joined(
                Coordinated(True, words, ()),
                [self._alike_in((leaf,), objects, link, words, phrase) for leaf in aspects],
            )
        found: Scored[Op] = [(0.0, objects)]
        for leaf in aspects:
            found = [
                (cost + more + further, op)
                for cost, kept in found
                for more, kind in self._aspects(leaf)
                for further, op in link(kept, kind, words, phrase)
            ]
        return found

    def _same_aspects(self, tree: Tree) -> tuple[Tree, ...]:
        """In what things are alike: "the same size and color"; all of it, or it is refused."""
        aspects = tree.all("ASPECT")
        choice = tree.find("OR") and tree.label != "likeness"
        if len(aspects) > 1 and (choice or tree.find("DIFFERENT")):
            raise NoReadingError("a choice of what things are alike in", [tree.span])
        named = self._concept(tree, "MADE_OF") if tree.find("MADE_OF") else None
        for leaf in aspects:
            if named is not None and named not in {n for _, n in self._attribute_names(leaf)}:
                raise NoReadingError("things are made of a material only", [leaf.span])
        return aspects

    def _may_be_colour(self, preposition: Tree, landmark: Tree) -> bool:
        """Whether a landmark is a lone word that names a colour as well: "in orange"."""
        lone, *others = landmark.leaves()
        compound = bool(others) and others[0].label in ("NOUN", "PLURAL_NOUN")
        return (
            lone.label == "NOUN"
            and not compound
            and bool(self._unit(preposition).all(WordClass.WITH_COLOUR))
            and bool(self._unit(lone).all(WordClass.COLOUR))
        )

    def _nearest(self, tree: Tree, number: int | None) -> Step:
        ordinal = tree.find("ORDINAL")
        several = number if number and number > 1 else None
        rank = read_rank(ordinal, self._units) if ordinal else Rank(1, (), several)
        leaf = tree.find("NEAREST", "FARTHEST", "COMPARATIVE")
        assert leaf is not None
        if not tree.find("TO", "FROM") and _has_goal(tree):
            # In "the closest dog to the door" it is "closest" that "to" belongs to.
            raise NoReadingError(LAST_CLOSEST, [leaf.span])
        return self._by_distance(leaf, rank, tree)

    def _by_distance(self, leaf: Tree, rank: Rank, goal: Tree) -> Step:
        """Closest or farthest by distance to a landmark."""
        order = self._concept_of(leaf)
        if order not in ("nearest", "farthest"):
            raise NoReadingError(
                "this is not understood without what it is compared with", [leaf.span]
            )
        nearest = order == "nearest"
        preposition = goal.find("TO", "FROM")
        if preposition is None and not nearest:
            # "The guy far left" is far from nothing that is named.
            raise NoReadingError
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
                if preposition is None and self._is_worn(phrase):
                    # "The man closest, white shirt" is closest to who looks.
                    continue
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

    def _is_worn(self, phrase: NounPhrase) -> bool:
        """Whether a phrase without a determiner names what somebody has on."""
        return (
            isinstance(phrase, Quantified)
            and phrase.determiner == "bare"
            and isinstance(phrase.head, Select)
            and self._lexicon.has_feature("worn", phrase.head.category)
        )

    def _is_viewer(self, phrase: NounPhrase) -> TypeGuard[Quantified]:
        """Whether a landmark is where the image was taken from: "the camera"."""
        return (
            isinstance(phrase, Quantified)
            and phrase.determiner in ("the", "bare")
            and not phrase.plural
            and isinstance(phrase.objects, Select)
            and self._lexicon.has_feature("viewer", phrase.objects.category)
        )


def _has_goal(tree: Tree) -> bool:
    return tree.label == "goal" or any(_has_goal(child) for child in tree.children)


def _head_below(objects: Op) -> Op:
    return next(iter(objects.walk()))


def is_headless(phrase: Tree) -> bool:
    """Whether a phrase is modifiers alone, without determiner or noun ("red")."""
    first = phrase.children[0]
    return first.label == "nominal" and first.children[0].label == "headless"
