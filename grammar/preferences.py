"""Which of several nouns a modifier rather belongs to: the man, or the shirt that he is in.

A modifier after "a man in a shirt on the grass" can be of the grass, of the shirt or of the man. By
itself the nearest noun is likeliest; selectional preferences say when it is not: who acts, wears
and holds, what is worn, is a part of a body, is ground, holds other things or is eaten. They are
stated here once, as costs, for the readings of the grammar and for the guesses by dependencies.
"""

from __future__ import annotations

from dataclasses import dataclass

from neurosym.grammar.classes import NOUNS
from neurosym.grammar.lexicon import Lexicon

MODIFIED_LANDMARK = 0.7
"""Cost of "looking away" said of the corner that a woman is in, or "by the car" of her shirt."""

MISFIT = 1.4
"""Cost of a deed said of what does nothing of the kind, whatever else there is: a wood looking."""

UNLIKELY_DEED = 0.5
"""Cost of a deed of what does nothing of the kind, where there is nothing else to say it of."""

ASIDE = 0.6
"""Cost of what a comma sets apart as being said of the last noun: "behind the goat, eating"."""

MIXED_KINDS = 0.8
"""Cost of naming a person and a thing side by side, which may be a thing that the person has."""

UNLIKE_KINDS = 1.0
"""Cost of naming a person and a garment side by side, of which one rather has the other on."""

ACTING = "acting"
"""The relation that stands for any deed: "running", "holding a ball"."""

DEEDS = frozenset({ACTING, "holding", "wearing", "touch", "touching", "looking_at", "facing"})
"""The relations of who does something, which clothes and places do not."""

CARRYING = frozenset({"with", "wearing", "holding", "in", "of"})
"""Relations to what has no place of its own: "the man with the hat on the left" is on the left."""

_SPATIAL = frozenset(
    {
        *("left_of", "right_of", "above", "below", "in_front_of", "behind", "next_to", "between"),
        *("on", "in", "at", "near", "against", "across_from", "far_from", "among", "outside"),
    }
)
_BESIDE = _SPATIAL - {"on", "in", "at", "above", "below", "outside"}
"""Relations of things that stand side by side."""
_HERE = frozenset({"on", "in", "at"})
_SEEING = frozenset(
    {"look_at", "watch", "face", "see", "point_at", "point_to", "look", "stare_at", "show"}
)
"""Deeds to something that may be elsewhere."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a modifier says.

    Attributes:
        relation: the relation's name; :data:`ACTING` for a verb.
        noun: the noun of what it is a relation to; empty where there is none.
        verb: the base form of a verb.
        own: whether it comes first after a noun that is somebody's: "his eyes closed".
        who: whether it begins with "who".
        bound: whether what it is a relation to is a word that stands for something said before:
            "next to him".
        aside: whether a comma sets it apart.
    """

    relation: str
    noun: str = ""
    verb: str = ""
    own: bool = False
    who: bool = False
    bound: bool = False
    aside: bool = False


class Preferences:
    """What kinds of things modifiers are rather said of.

    Args:
        lexicon: lists the nouns of every kind as features.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon

    def is_of(self, noun: str, *kinds: str) -> bool:
        """Whether a noun, or the last word of a compound, is of one of some kinds."""
        last = noun.rpartition(" ")[2]
        return any(self._lexicon.has_feature(k, n) for k in kinds for n in {noun, last})

    def is_animate(self, noun: str) -> bool:
        """Whether it names persons or animals, which act."""
        return self.is_of(noun, "person", "animal", "child")

    def is_inert(self, noun: str) -> bool:
        """Whether it names something known that is neither alive nor a likeness of what is."""
        if not noun or self.is_animate(noun) or self.is_of(noun, "figure"):
            return False
        last = noun.rpartition(" ")[2]
        return any(sense.word_class in NOUNS for sense in self._lexicon.senses(last)) or self.is_of(
            noun, "worn", "body", "ground", "trimming", "food", "vehicle"
        )

    def of_landmark(
        self, owner: str, landmark: str, said: Said, relation: str, *, some: bool = False
    ) -> float:
        """The cost of a modifier being of a landmark, not of what that is a landmark of.

        Args:
            owner: the noun of what the landmark restricts: "man" in "the man in the shirt".
            landmark: the noun that the modifier stands nearer to.
            said: the modifier.
            relation: of the owner to the landmark; :data:`ACTING` or a verb's name for a deed.
            some: whether the landmark is named without "the" and the like: "of water".
        """
        cost = ASIDE if said.aside else 0.0
        if said.who and not self.is_animate(landmark) and self.is_inert(landmark):
            cost += MISFIT
        if said.own and not said.noun and self.is_of(landmark, "body", "grown"):
            # "With his eyes closed", "with its head hanging down".
            return cost
        if said.relation in DEEDS:
            return cost + self._acting(owner, landmark, said)
        filling = some and relation == "of" and self._is_of_whole(landmark, said)
        misplaced = filling or self._is_misplaced(owner, landmark, said, relation)
        return cost + (MODIFIED_LANDMARK if misplaced else 0.0)

    def of_head(self, noun: str, said: Said) -> float:
        """The cost of a modifier being of what an expression names itself."""
        deed = said.relation in DEEDS and not self.is_of(noun, "vehicle")
        return UNLIKELY_DEED if deed and self._acting("", noun, said) >= MISFIT else 0.0

    def _acting(self, owner: str, landmark: str, said: Said) -> float:
        """The cost of a deed being that of a landmark."""
        if self.is_animate(landmark) or self.is_of(landmark, "figure"):
            return 0.0
        if self.is_of(landmark, "worn", "ground", "body") or said.relation == "wearing":
            return MISFIT if self.is_inert(landmark) else MODIFIED_LANDMARK
        verb = said.verb.partition("_")[0]
        idle = said.relation not in (ACTING, "wearing") or self._lexicon.has_feature("idle", verb)
        vehicle = self.is_of(landmark, "vehicle")
        if self.is_inert(landmark) and not (idle or vehicle):
            return MISFIT
        moves = vehicle and self._lexicon.has_feature("moving", verb)
        return MODIFIED_LANDMARK if self._acts(owner) and not moves else 0.0

    def _acts(self, owner: str) -> bool:
        """Whether an owner does things, or is on somebody who does."""
        return self.is_animate(owner) or self.is_of(owner, "worn")

    def _is_misplaced(self, owner: str, landmark: str, said: Said, relation: str) -> bool:
        """Whether what is no deed is rather said of the owner."""
        carried, worn = relation in CARRYING, self.is_of(landmark, "worn")
        acts = self._acts(owner)
        inert = not self.is_animate(landmark)
        trimming = self.is_of(said.noun, "trimming")
        if carried and worn:
            beside = said.relation in _BESIDE - {"against"}
            on_body = (
                not beside and said.relation not in ("with", "in") and self.is_of(said.noun, "body")
            )
            return not (trimming or on_body or said.relation == "of")
        if said.relation == "in" and self.is_of(said.noun, "grown") and said.noun != landmark:
            # "A bow in her hair".
            return False
        if said.relation in ("with", "in") and self.is_of(said.noun, "worn"):
            return acts and inert and not trimming
        if said.relation == "related_by" and self.is_of(landmark, "ground"):
            return not self.is_of(owner, "ground")
        if said.relation == "with":
            return self._is_with(owner, landmark, said, relation)
        if said.relation not in _SPATIAL or (said.bound and not self.is_animate(said.noun)):
            return False
        if said.noun == owner != landmark and said.relation in _BESIDE:
            # A cat in a bed next to another cat; where kinds are listed, since texts of one form
            # may have any other nouns (forms.py).
            return self.is_of(landmark, "furniture", "vehicle", "food")
        grounded = self.is_of(said.noun, "ground") and inert
        if said.relation in _HERE and grounded:
            # A ball that somebody plays with is where they are, but what they look at is not.
            with_it = bool(relation) and relation not in _SPATIAL | _SEEING
            return carried or (with_it and acts)
        if self.is_of(landmark, "ground") and said.relation in _BESIDE:
            return True
        if acts and inert and said.relation in _BESIDE and self.is_animate(said.noun):
            # Who sits at a table next to a man is next to him.
            return relation in _HERE or carried or (bool(relation) and relation not in _SPATIAL)
        if relation not in ("with", "wearing", "holding") or acts or not inert:
            return False
        # A plate with a muffin next to a cup is next to it; but what is in a box is as it is there.
        support = said.relation in _HERE and self.is_of(said.noun, "furniture", "ground")
        return (support or said.relation in _BESIDE) and not self.is_of(owner, "container")

    def _is_of_whole(self, filling: str, said: Said) -> bool:
        """Whether what stands after "a glass of water" is rather said of the glass."""
        if self.is_animate(filling) or said.bound:
            return False
        if said.relation == "with":
            return not (self.is_of(filling, "food") and self.is_of(said.noun, "food"))
        return said.relation in _SPATIAL

    def _is_with(self, owner: str, landmark: str, said: Said, relation: str) -> bool:
        """Whether "with" something is rather said of the owner."""
        if self.is_animate(landmark):
            return False
        acts = self._acts(owner)
        if relation == "with" and self.is_of(landmark, "part", "trimming"):
            # A cup with a handle with tea in it, a bowl with flowers on it that holds seeds.
            return True
        if self.is_of(landmark, "ground"):
            return acts and relation not in CARRYING - {"in"}
        if self.is_of(said.noun, "body"):
            # Who eats with her hand; chairs have legs, and bears of cloth eyes.
            return acts and self.is_inert(landmark) and not self.is_of(landmark, "furniture")
        if self.is_of(said.noun, "tool") and self.is_of(landmark, "food"):
            return acts
        shows = self.is_of(landmark, "likeness", "figure")
        return acts and self.is_animate(said.noun) and self.is_inert(landmark) and not shows

    def of_list(self, nouns: list[str], *, landmarks: bool) -> float:
        """The cost of naming things side by side.

        Rather than a person and a garment, "a man with a tie and a hat" is a man with both.

        Args:
            nouns: the nouns of the list.
            landmarks: whether the list is a landmark itself.
        """
        persons, had = (
            any(self.is_of(noun, *kinds) for noun in nouns)
            for kinds in (("person",), ("worn", "body"))
        )
        if persons and had:
            return UNLIKE_KINDS
        first, *others = nouns
        mixed = self.is_animate(first) and not all(map(self.is_animate, others))
        return MIXED_KINDS if mixed and not landmarks else 0.0
