"""What is known of a crisp world, as bit sets: object i is bit i."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from neurosym.executors.crisp_rules import RULES
from neurosym.executors.world import Objects, World
from neurosym.generation.language import EXTENTS
from neurosym.program import (
    EQUATIVE_TOLERANCE,
    ORDERS,
    PLACES,
    Everything,
    Filter,
    Op,
    Relate,
    RelatedBy,
    Select,
)
from neurosym.scene import CATEGORY, Scene

Bits = int
"""A set of objects."""


def members(bits: Bits) -> Iterator[int]:
    """The objects of a set, in order."""
    while bits:
        low = bits & -bits
        yield low.bit_length() - 1
        bits ^= low


def bits_of(objects: Objects) -> Bits:
    """The set as bits."""
    return sum(1 << i for i in objects)


@dataclass(frozen=True)
class Facts:
    """What can be said of single objects, and of which it holds.

    Attributes:
        world: what this is about.
        existing: the objects that exist.
        nouns: noun (None for "object") -> what it covers.
        values: (attribute, value) -> what has it, places last.
        related: (relation, inverse, landmark) -> what stands in the relation to the landmark; or,
            inverse, to what the landmark stands in it.
    """

    world: World
    existing: Bits
    nouns: dict[str | None, Bits]
    values: dict[tuple[str, str], Bits]
    related: dict[tuple[str, bool, int], Bits]

    @staticmethod
    def of(scene: Scene, world: World) -> Facts:
        """The facts of a crisp scene.

        Words that cover more than they say ("man" read as person), and values of which perception
        has no evidence, are left out; so are attributes that say what kind of thing an object is.
        """
        existing = bits_of(world.existing)

        def denoted(op: Op, *operands: Objects) -> Bits:
            value = RULES[type(op)](op, world, *operands)
            assert isinstance(value, frozenset)
            return bits_of(value)

        nouns: dict[str | None, Bits] = {
            word: denoted(Select(word))
            for word in (*scene.categories.values, *scene.concepts)
            if word not in scene.concepts or not scene.concepts[word].approximate
        }
        nouns[None] = existing
        values: dict[tuple[str, str], Bits] = {}
        for name in sorted(scene.attributes, key=lambda name: name in PLACES):
            table = scene.attributes[name]
            seen = frozenset(i for i in world.existing if bool(table.evidence[i]))
            for value in table.values:
                if value in nouns or name == CATEGORY:
                    continue
                values[name, value] = denoted(Filter(Everything(), name, value), seen)
        related: dict[tuple[str, bool, int], Bits] = {}
        for name in world.relations:
            for inverse, operator in ((False, Relate), (True, RelatedBy)):
                for landmark in world.existing:
                    op = operator(Everything(), name, Everything())
                    holds = denoted(op, world.existing, frozenset({landmark}))
                    if holds:
                        related[name, inverse, landmark] = holds
        return Facts(
            world,
            existing,
            {noun: bits for noun, bits in nouns.items() if bits},
            {key: bits for key, bits in values.items() if bits},
            related,
        )

    def place_in(self, order: str, index: int, objects: Bits) -> int | None:
        """The rank of an object among some, from 1; None where a tie or a slim lead is in the way.

        A lead in an extent counts from a tenth on.
        """
        ranking = ORDERS[order]
        measure = self.world.measures.get(ranking.measure)
        if measure is None:
            return None
        own, ahead = measure[index], 0
        for other in members(objects & ~(1 << index)):
            difference = measure[other] - own if ranking.descending else own - measure[other]
            larger = max(abs(measure[other]), abs(own))
            slim = EQUATIVE_TOLERANCE * larger if ranking.measure in EXTENTS else 0.0
            if abs(difference) <= slim:
                return None
            ahead += difference > 0
        return ahead + 1

    def distance_rank(self, nearest: bool, index: int, objects: Bits, landmark: int) -> int | None:
        """The rank of an object among some by its distance from a landmark; None at a tie."""
        if self.world.distances is None:
            return None
        far = self.world.distances
        ahead = 0
        for other in members(objects & ~(1 << index) & ~(1 << landmark)):
            difference = far[index][landmark] - far[other][landmark]
            if difference == 0:
                return None
            ahead += difference > 0 if nearest else difference < 0
        return ahead + 1

    def alike(self, one: int, other: int) -> bool:
        """Whether two objects may change places without anything that is known changing."""
        world = self.world

        def swapped(i: int) -> int:
            return {one: other, other: one}.get(i, i)

        per_object = (*world.attributes.values(), *world.measures.values(), world.positions)
        if any(known[one] != known[other] for known in per_object):
            return False
        if any((one in mark) != (other in mark) for mark in world.marks.values()):
            return False
        for pairs in world.relations.values():
            touching = {(i, j) for i, j in pairs if {i, j} & {one, other}}
            if touching != {(swapped(i), swapped(j)) for i, j in touching}:
                return False
        far = world.distances
        return far is None or all(
            far[one][i] == far[other][swapped(i)] and far[i][one] == far[swapped(i)][other]
            for i in world.existing
        )
