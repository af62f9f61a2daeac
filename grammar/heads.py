"""Heads of nominals: what it costs that words name a thing, and not a place or what it has."""

from __future__ import annotations

import itertools

from neurosym.grammar.classes import WordClass
from neurosym.grammar.meaning import NoReadingError
from neurosym.grammar.modifiers import Modifiers
from neurosym.grammar.tree import Tree
from neurosym.grammar.words import Words
from neurosym.program import Everything, Filter, Op, Select

UNLIKELY_COMPOUND = 1.5
"""Cost of a person and what is worn as one kind of thing: one has the other."""

PLACE_AS_THING = 1.5
"""Cost of a side, a corner or a middle that is a thing, where it may be a place in the picture."""

ROW_AS_THING = 2.0
"""Cost of a row that is counted among rows from a side: it is rather what is in it."""

GARMENT_AS_PLACE = 1.5
"""Cost of a place that is also worn, after what is dressed in a colour: "girl in a blue top"."""


class Heads(Modifiers):
    """Weighs what the head of a nominal may be."""

    def _garment_as_place(self, pres: list[Tree], posts: list[Tree]) -> float:
        """What it costs that the "top" of "the girl in a blue top" is a place."""
        before = pres[-1:] if pres and pres[-1].label.startswith("attribute") else []
        parts = [*before, *posts]
        for said, place in itertools.pairwise(parts):
            dressed = said.label == "coloured" or said in before
            if not dressed or place.label != "located":
                continue
            lone = [*place.leaves()]
            if len(lone) == 1:
                nouns = self._unit(lone[0]).all(WordClass.GUESSED_NOUN)
                if any(self._lexicon.has_feature("worn", noun.concept) for noun in nouns):
                    return GARMENT_AS_PLACE
        return 0.0

    def _place_of_clothes(self, head: Op, pres: list[Tree], determiner: str) -> float:
        """What it costs that clothes have a place of their own: "man on the left blue shirt"."""
        hidden = any(
            sense.dimension == "visibility"
            for pre in pres
            if pre.label == "attribute"
            for sense in self._unit(next(pre.leaves())).all(WordClass.ATTRIBUTE)
        )
        if hidden and isinstance(head, Select) and self._preferences.is_of(head.category, "worn"):
            # "Man out of frame red shirt": the man is.
            return PLACE_AS_THING
        if not pres or pres[0].label != "location":
            return 0.0
        if any(self._unit(leaf).all(WordClass.IMAGE) for leaf in pres[0].leaves()):
            raise NoReadingError
        nearest = any(pre.find("NEAREST", "FARTHEST") for pre in pres)
        kinds = ("worn", "body") if len(pres) > 1 else ("worn",)
        worn = isinstance(head, Select) and self._preferences.is_of(head.category, *kinds)
        return PLACE_AS_THING if nearest or (worn and determiner in ("bare", "the")) else 0.0

    def _misformed(self, head: Tree | None) -> float:
        """What it costs that "mans" is a plural, and "dogs ear" a compound: they are owners."""
        leaves = [*head.leaves()] if head is not None else []
        if head is None or not (leaves[1:] or head.label == "nouns"):
            return 0.0
        *parts, last = leaves
        plurals = [part for part in parts if part.label == "PLURAL_NOUN"]
        animate = any(self._preferences.is_animate(self._concept_of(part)) for part in plurals)
        named, form = self._concept_of(last), last.words.lower()
        wrong = self._lexicon.has_feature("irregular", named) and form == f"{named}s"
        return UNLIKELY_COMPOUND if wrong or animate else 0.0

    def _clothes_aside(self, head: Op, posts: list[Tree]) -> float:
        """What it costs that a landmark has clothes on which stand beside it.

        In "man at a table blue shirt" the man has.
        """
        worn = any(
            self._lexicon.has_feature("worn", self._concept_of([*post.leaves()][-1]))
            for post in posts
            if post.label == "juxtaposed" and post.children[0].label == "phrase"
        )
        noun = head.category if isinstance(head, Select) else ""
        if worn and self._preferences.is_of(noun, "worn"):
            raise NoReadingError
        return UNLIKELY_COMPOUND if worn and not self._preferences.is_animate(noun) else 0.0

    def _unlikely_compound(self, head: Tree | None) -> float:
        """What it costs that "man hat" is a kind of hat, and "shirt man" one of men."""
        names = [self._concept_of(leaf) for leaf in head.leaves()] if head is not None else []
        people = [self._preferences.is_animate(name) for name in names]
        worn = [self._lexicon.has_feature("worn", name) for name in names]
        owned = names and ((people[-1] and any(worn[:-1])) or (worn[-1] and any(people[:-1])))
        garments = sum(worn) - 1 if names and worn[-1] and not self._is_cut(names[0]) else 0
        coloured = (
            [self._unit(leaf).all(WordClass.COLOUR) for leaf in head.leaves()] if head else []
        )
        placed = [self._is_place_name(leaf) for leaf in head.leaves()] if head else []
        unlikely = owned or any(coloured[:-1]) or any(placed[:-1])
        return UNLIKELY_COMPOUND * (garments or unlikely)

    def _is_place_name(self, leaf: Tree) -> bool:
        """Whether a word rather says where a thing is than what kind: "middle", "bottom"."""
        unit = self._unit(leaf)
        return bool(unit.all(WordClass.LOCATION))

    def _is_cut(self, noun: str) -> bool:
        """Whether a garment's name tells the cut of others: "suit jacket", and not "shirt hat"."""
        return self._lexicon.has_feature("cut", noun)

    def _place_as_thing(
        self, head: Tree | None, pres: list[Tree], posts: list[Tree], *, alone: bool
    ) -> float:
        """What it costs that a side or a corner is a thing: "right side", "top of the picture".

        Args:
            head: what names the thing.
            pres: what stands before it.
            posts: what follows it.
            alone: whether nothing else is said.
        """
        counted = any(
            part.label in ("counted", "located", "counted_before") for part in (*pres, *posts)
        )
        placed = any(pre.label in ("location", "ordinal") for pre in pres)
        if head is not None and counted and placed and self._is_row(head):
            return ROW_AS_THING
        alone = alone and not pres and not posts
        if head is None or [leaf.label for leaf in head.leaves()] not in (
            ["GUESSED_NOUN"],
            ["NOUN"] if alone else [],
        ):
            return 0.0
        leaf = next(head.leaves())
        if not (self._unit(leaf).all(WordClass.SIDE) or self._unit(leaf).all(WordClass.LOCATION)):
            return 0.0
        parts = [post for post in posts if post.label in ("owned", "related")]
        of_image = any(self._is_image(part.children[-1]) for part in parts)
        before = ("location", "counted_before", "in_row")
        placed = not parts and any(pre.label in before for pre in pres)
        return PLACE_AS_THING if placed or of_image or alone else 0.0

    def _name_of(self, leaf: Tree) -> str:
        """A word in a compound: as it is written, where what it stands for has another name."""
        forms = [" ".join(form) for form in self._unit(leaf).forms]
        concept = self._concept_of(leaf)
        plural = leaf.label in ("PLURAL_NOUN", "GUESSED_PLURAL")
        return concept if concept in forms else forms[-1 if plural else 0]

    def _things(self, words: Words = ()) -> Op:
        """What "thing" stands for, or a missing noun: any object, or what the lexicon says."""
        named = self._lexicon.feature("thing")
        return Select(min(named), words=words) if named else Everything(words=words)

    def _is_half(self, leaf: Tree) -> bool:
        return leaf.label == "SIDE" and self._unit(leaf).sense(WordClass.SIDE).concept == "half"

    def _numbered(self, tree: Tree) -> Op:
        """What bears a number: "behind 33"."""
        leaf = tree.children[0]
        if not leaf.words.isdecimal():
            raise NoReadingError
        number = f"number {self._concept_of(leaf)}"
        return Filter(Everything(), "quality", number, words=(leaf.span,))
