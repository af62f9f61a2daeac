"""Which of two nouns a modifier rather belongs to: the man, or the shirt that he is in.

A modifier after "a man in a shirt" can be of the shirt or of the man. By itself the nearer noun is
likelier; what kinds of things act, are worn and are places says when it is not. These are costs of
the grammar's readings; the fallback attaches as spaCy does.
"""

from __future__ import annotations

from dataclasses import dataclass

from neurosym.grammar.lexicon import Lexicon

MODIFIED_LANDMARK = 0.7
"""Cost of "looking away" said of the corner that a woman is in, or "by the car" of her shirt."""

MIXED_KINDS = 0.8
"""Cost of naming a person and a thing side by side, which may be a thing that the person has."""

UNLIKE_KINDS = 1.0
"""Cost of naming a person and a garment side by side, of which one rather has the other on."""

ACTING = "acting"
"""The relation that stands for any deed: "running", "holding a ball"."""

DEEDS = frozenset({ACTING, "holding", "wearing", "touch", "touching", "looking_at", "facing"})
"""The relations of who does something, which clothes and places do not."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a modifier says.

    Attributes:
        relation: the relation's name; :data:`ACTING` for a verb.
        noun: the noun of what it is a relation to; empty where there is none.
        own: whether it comes first after a noun that is somebody's: "his eyes closed".
    """

    relation: str
    noun: str = ""
    own: bool = False


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

    def of_landmark(self, owner: str, landmark: str, said: Said, *, carried: bool) -> float:
        """The cost of a modifier being of a landmark, not of what that is a landmark of.

        Args:
            owner: the noun of what the landmark restricts: "man" in "the man in the shirt".
            landmark: the noun that the modifier stands nearer to.
            said: the modifier.
            carried: whether the owner has the landmark on, holds it or is made of it.
        """
        worn = self.is_of(landmark, "worn")
        inside = self.is_animate(owner) or self.is_of(owner, "worn")
        acts = inside and not self.is_animate(landmark)
        if said.relation == "wearing" and not self.is_animate(landmark):
            return MODIFIED_LANDMARK
        if said.own and not said.noun and self.is_of(landmark, "body", "grown"):
            # "With his eyes closed", "with its head hanging down".
            return 0.0
        if said.relation in DEEDS:
            return MODIFIED_LANDMARK if acts or worn else 0.0
        trimming = self.is_of(said.noun, "trimming")
        if carried and worn:
            on_body = said.relation not in ("with", "in") and self.is_of(said.noun, "body")
            near = trimming or on_body or said.relation == "of"
            return 0.0 if near else MODIFIED_LANDMARK
        if acts and said.relation in ("with", "in") and self.is_of(said.noun, "worn"):
            return MODIFIED_LANDMARK if not trimming else 0.0
        if acts and not carried and said.relation == "with" and self.is_of(landmark, "ground"):
            return MODIFIED_LANDMARK
        ground = self.is_of(said.noun, "ground") and not self.is_animate(landmark)
        return MODIFIED_LANDMARK if carried and ground and said.relation in ("on", "in") else 0.0

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
