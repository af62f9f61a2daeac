"""What belongs to things and what is at them: possessives, "with a cup on it", "on her left"."""

from __future__ import annotations

from dataclasses import replace

from neurosym.grammar import landmarks
from neurosym.grammar.anaphora import Anaphora, Antecedent, agreement
from neurosym.grammar.classes import WordClass
from neurosym.grammar.division import divide
from neurosym.grammar.meaning import NoReadingError, NounPhrase, Quantified, Scored, head_of
from neurosym.grammar.tree import Tree
from neurosym.grammar.words import Context, Words
from neurosym.program import Op, Relate, Select

LONG_OWNER = 0.8
"""Cost of "the hat of the man's dog" as the dog of the hat of the man."""
FROM_BEHIND = 0.4
"""Cost of "on her left" as left in the picture: people rather look at the camera."""
THING_AS_OWNER = 0.8
"""Cost of a thing as an owner without an apostrophe: "the bikes tire"."""
_MIRRORED = {"left": "right", "right": "left"}


class Belonging(Anaphora):
    """Lowers what is of a thing, or at it."""

    def _related(self, objects: Op, tree: Tree, head: Op) -> Scored[Op]:
        """In a relation to a landmark; or with something that is in a relation to it.

        "The table with a cup on it" is the table that a cup is on.
        """
        leaf, landmark = tree.children[-2:]
        if self._unit(leaf).sense(WordClass[leaf.label]).concept == "with":
            inside = self._without_inside(landmark, head)
            if inside is not None:
                return super()._related(
                    objects, replace(tree, children=(*tree.children[:-1], inside)), head
                )
            held = self._being_at(objects, landmark, head, (leaf.span,))
            if held:
                return held
        return super()._related(objects, tree, head)

    def _without_inside(self, landmark: Tree, head: Op) -> Tree | None:
        """What a thing has in it as what it has, where it has that in it anyway; or None."""
        if not isinstance(head, Select) or head.category not in self._lexicon.feature("container"):
            return None
        parts = [child for child in landmark.children if child.unit is None]
        last = parts[-1] if landmark.label == "np_and" else landmark
        plain, link = self._without_link(last, head)
        if link is None or self._concept_of(link.children[0]) != "in":
            return None
        if last is landmark:
            return plain
        return replace(landmark, children=(*landmark.children[:-1], plain))

    def _being_at(self, objects: Op, landmark: Tree, head: Op, words: Words) -> Scored[Op]:
        """The objects to which all that a phrase names stands as it says: "a cup on it"."""
        if isinstance(head, Select) and (
            self._lexicon.has_feature("weak_definite", head.category)
            or head.category in self._lexicon.feature("container")
        ):
            # A wall is a part of what has something on it, and what a box holds is in it.
            return []
        parts = [landmark]
        if landmark.label == "np_and":
            parts = [child for child in landmark.children if child.unit is None]
        elif landmark.label != "phrase":
            return []
        _, link = self._without_link(parts[-1], head)
        if link is None:
            return []
        found: Scored[Op] = [(0.0, objects)]
        for part in parts:
            plain, own = self._without_link(part, head)
            found = [
                (cost + extra, op)
                for cost, inner in found
                for extra, op in self._place_of(inner, plain, own or link, head, words)
            ]
        return found

    def _place_of(
        self, objects: Op, phrase: Tree, link: Tree, head: Op, words: Words
    ) -> Scored[Op]:
        leaf, pronoun = link.children
        words = (*words, leaf.span, pronoun.span)
        return [
            (cost + extra, op)
            for sense in self._unit(leaf).all(WordClass[leaf.label])
            for cost, found in self._phrase(phrase, Context(head, landmark=True))
            for extra, op in landmarks.related_by(objects, sense.concept, words, found)
        ]

    def _without_link(self, phrase: Tree, head: Op) -> tuple[Tree, Tree | None]:
        """A phrase less the link at its end to what it is said of: "on it"; None without one."""
        nominal = phrase.find("nominal")
        if nominal is None or nominal.children[0].unit is not None:
            return phrase, None
        for child in nominal.children:
            if child.label not in ("related", "acting") or len(child.children) != 2:
                continue
            leaf = next(child.children[1].leaves())
            alone = child.children[1].children[0].label == "pronoun"
            if alone and self._agrees(leaf, head):
                rest = tuple(other for other in nominal.children if other is not child)
                plain = replace(nominal, children=rest)
                changed = tuple(plain if c is nominal else c for c in phrase.children)
                return replace(phrase, children=changed), child
        return phrase, None

    def _agrees(self, leaf: Tree, head: Op) -> bool:
        whole = Antecedent(head, head, None)
        return any(
            agreement(sense.concept, whole, self._lexicon) is not None
            for sense in self._unit(leaf).all(WordClass.PRONOUN)
        )

    def _owned(self, objects: Op, tree: Tree, head: Op) -> Scored[Op]:
        """What is of something: the handle of the cup, the man's hat, "his", of whom that is."""
        word = next((child for child in tree.children if child.unit is not None), None)
        label = "" if word is None else word.label
        words = () if word is None else (word.span,)
        if label == "OF" and self._is_of_no_thing(head):
            raise NoReadingError("what is of a thing is not named", words)
        owners = self._owners(tree, head)
        holders = self._lexicon.feature("container")
        if holders and isinstance(head, Select):
            # "A tower with a block at its base": walls and tops are of what holds things.
            part = self._lexicon.has_feature("weak_definite", head.category)
            owners = [(c, o) for c, o in owners if not part or _is_one_of(o, holders)] or owners
        low = LONG_OWNER if label == "GENITIVE" and _is_modified(tree.children[0]) else 0.0
        if word is None:
            low += self._unmarked(owners[0][1])
        return [
            (low + cost + extra, op)
            for cost, owner in owners
            for extra, op in landmarks.of_owner(objects, words, owner)
        ]

    def _unmarked(self, owner: NounPhrase) -> float:
        """What it costs that a plural is an owner without its apostrophe: "the mans hat"."""
        head = head_of(owner)
        noun = head.category if isinstance(head, Select) else ""
        if self._preferences.is_of(noun, "worn"):
            raise NoReadingError
        return 0.0 if self._preferences.is_animate(noun) else THING_AS_OWNER

    def _viewed(self, objects: Op, tree: Tree) -> Scored[Op]:
        """On her left, to the man's right: seen from whom it is said of.

        Who looks at the camera has at the left what the picture has at the right. Nothing tells
        which way someone looks, so both are readings; things have the picture's own sides.
        """
        owner, place = tree.find("possessor"), tree.find("LOCATION")
        assert owner is not None
        assert place is not None
        said = (*self._spans(owner, "GENITIVE", "POSSESSIVE"), *self._spans(tree, "SIDE"))
        words = (*self._spans(tree, "PLACE"), place.span, *said)
        sides = [
            sense.concept
            for sense in self._unit(place).all(WordClass.LOCATION)
            if sense.concept in _MIRRORED
        ]
        if not sides:
            raise NoReadingError("this is not understood of what is seen from something", words)
        found: Scored[Op] = []
        for cost, phrase in self._owners(owner, None):
            head = head_of(phrase)
            noun = head.category if isinstance(head, Select) else ""
            last = noun.rpartition(" ")[2]
            sees = any(
                self._lexicon.has_feature(feature, name)
                for feature in ("person", "animal")
                for name in (noun, last)
            )
            first, second = (_MIRRORED[sides[0]], sides[0]) if sees else (sides[0], "")
            if not sees and tree.children[0].words.lower() != "to":
                # "On the table's left side" is on the table.
                raise NoReadingError("a part of a thing is not understood here", words)
            ways = [(0.0, first), (FROM_BEHIND, second)] if second else [(0.0, first)]
            found += [
                (cost + way + extra, op)
                for way, side in ways
                for extra, op in landmarks.related(objects, f"{side}_of", words, phrase)
            ]
        return found

    def _owners(self, tree: Tree, head: Op | None) -> Scored[NounPhrase]:
        """Whose something is, of "the man's", "his" and "of the man"."""
        word = next((child for child in tree.children if child.unit is not None), None)
        if word is not None and word.label == "POSSESSIVE":
            return [*self._pronoun(word)]
        phrase = next(child for child in tree.children if child.unit is None)
        return self._phrase(phrase, Context(head, landmark=True, relation="of"))

    def _having(self, objects: Op, tree: Tree) -> Scored[Op]:
        """Whose shirt is red: with a red shirt."""
        nominal = tree.find("nominal")
        assert nominal is not None
        predicate = tree.children[-1]
        words = self._spans(tree, "WHOSE", "IS")
        all_said = tree.find("floated") is not None
        if all_said or self._names_values(predicate):
            return [
                (cost + extra, op)
                for cost, had in self._nominal(nominal, Context(objects, landmark=True), "the")
                if had.plural and not had.other
                for some in [Relate(objects, "with", had.objects, words=words)]
                for held in [Quantified("all", words, had.objects, had.head, plural=True)]
                for extra, op in self._of_all(some, held, predicate, words)
            ]
        return [
            (extra, Relate(objects, "with", op, words=words))
            for cost, had in self._nominal(nominal, Context(objects, landmark=True), "the")
            if not had.other
            for extra, op in self._apply(
                [(cost, had.objects)], [self._step(predicate, had.head, plural=had.plural)]
            )
        ]


def _is_one_of(owner: NounPhrase, kinds: frozenset[str]) -> bool:
    """Whether what a phrase names is of one of some kinds."""
    return (
        isinstance(owner, Quantified)
        and isinstance(owner.head, Select)
        and owner.head.category in kinds
    )


def _is_modified(phrase: Tree) -> bool:
    """Whether something follows the noun of a phrase: "the man on the left"."""
    nominal = phrase.find("nominal")
    return nominal is not None and bool(divide(nominal)[2])
