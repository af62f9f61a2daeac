"""What Visual Genome and GQA share: objects with free attributes, and relationships.

Attributes are lists of words. Colour words go to the attribute "color" where exactly one of the
basic colours is among them; every other word is an attribute of its own with two values, as "old"
with "old" and "not old". Relationships become relations named by their words ("sitting_on");
some common ones by the names that programs use ("to the left of": left_of).

Absence proves nothing: an object without a word, or a pair without a relationship, is unknown, not
false. Unknown attributes are uniform and unknown relations 0, both without evidence. A relation
that boxes decide ("left_of", "on") keeps what they say of other pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import torch
from torch import Tensor

from neurosym.interchange.scenes import SOURCE, photograph
from neurosym.origin import Origin
from neurosym.perception import geometry
from neurosym.perception.colours import COLOURS
from neurosym.perception.given import Thing
from neurosym.pixels import ImageSize
from neurosym.scene import CATEGORY, Categorical, Relation, Scene

COLOR = "color"
SPELLINGS = {"grey": "gray"}
PREDICATES = {
    **dict.fromkeys(("to the left of", "left of", "on the left of"), "left_of"),
    **dict.fromkeys(("to the right of", "right of", "on the right of"), "right_of"),
    **dict.fromkeys(("over", "above"), "above"),
    **dict.fromkeys(("under", "underneath", "beneath", "below"), "below"),
    **dict.fromkeys(("next to", "beside", "near", "by"), "next_to"),
    **dict.fromkeys(("on", "on top of"), "on"),
    **dict.fromkeys(("in", "inside", "inside of"), "in"),
    **dict.fromkeys(("with", "has", "have"), "with"),
}
"""Predicates whose relation programs call otherwise."""

Fact: TypeAlias = tuple[str, int, int]
"""(relation, object, landmark)."""


@dataclass(frozen=True)
class Described:
    """One annotated object: its name, its box (x1, y1, x2, y2) and its attributes' words."""

    name: str
    box: tuple[float, float, float, float]
    words: tuple[str, ...] = ()


def graph_scene(
    things: Sequence[Described], facts: Iterable[Fact], size: ImageSize, origin: Origin
) -> Scene:
    """The scene of annotated objects and relationships.

    Args:
        things: the objects.
        facts: which relation holds between which of them; one of a thing to itself is passed over.
        size: of the image.
        origin: what else the file says.
    """
    scene = photograph(
        [Thing(plain(thing.name) or "thing", thing.box) for thing in things], size, origin
    )
    values = [_values([plain(word) for word in thing.words]) for thing in things]
    attributes = dict(scene.attributes)
    if any(colour for colour, _ in values):
        attributes[COLOR] = _colours([colour for colour, _ in values])
    for word in dict.fromkeys(word for _, words in values for word in words):
        if word not in (*scene.attributes, COLOR, CATEGORY):
            attributes[word] = _binary(word, [word in words for _, words in values])
    return replace(scene, attributes=attributes, relations=_relations(scene, facts))


def words_of(scene: Scene) -> list[set[str]]:
    """Of every object, the words that its attributes come from, as far as they are annotated.

    Those that boxes decide are left out: they follow again.
    """
    found: list[set[str]] = [set() for _ in range(len(scene))]
    if not len(scene):
        return found
    for name, table in scene.attributes.items():
        if table.source == geometry.SOURCE:
            continue
        best = table.probabilities.argmax(dim=1).tolist()
        for index, known in enumerate(table.evidence.tolist()):
            value = table.values[best[index]]
            if known and value != f"not {name}":
                found[index].add(value)
    return found


def representable(words: Sequence[str], scene: Scene) -> set[str]:
    """Of the words of one object, those that a scene has a place for; see :func:`words_of`."""
    colour, others = _values([plain(word) for word in words])
    kept = {
        word
        for word in others
        if word in scene.attributes and scene.attributes[word].values == _with_denial(word)
    }
    return kept | ({colour} if colour else set())


def facts_of(scene: Scene) -> set[Fact]:
    """The relations that hold, but for those that boxes decide."""
    found = set()
    for name, relation in scene.relations.items():
        if name in geometry.RELATIONS or relation.source == geometry.SOURCE:
            continue
        holds = relation.probabilities >= 0.5
        if relation.evidence is not None:
            holds = holds & relation.evidence
        found |= {(name, i, j) for i, j in holds.nonzero().tolist()}
    return found


def still_holds(scene: Scene, fact: Fact) -> bool:
    """Whether a relationship that was read holds in a scene; one of a thing to itself does."""
    name, i, j = fact
    if i == j:
        return True
    return name in scene.relations and bool(scene.relation(name).probabilities[i, j] >= 0.5)


def relation_name(predicate: str) -> str:
    """What a predicate is called in a scene.

    Example:
        >>> relation_name("to the left of"), relation_name("Sitting ON")
        ('left_of', 'sitting_on')
    """
    words = plain(predicate)
    return PREDICATES.get(words, words.replace(" ", "_"))


def plain(text: str) -> str:
    """Lower-case, with single spaces."""
    return " ".join(str(text).lower().split())


def _values(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """The one basic colour among some words, and the others; without it, all."""
    colours = {SPELLINGS.get(word, word) for word in words} & set(COLOURS)
    if len(colours) != 1:
        return None, [word for word in words if word]
    others = [word for word in words if word and SPELLINGS.get(word, word) not in colours]
    return next(iter(colours)), others


def _colours(chosen: Sequence[str | None]) -> Categorical:
    rows = torch.full((len(chosen), len(COLOURS)), 1 / len(COLOURS))
    for row, colour in enumerate(chosen):
        if colour is not None:
            rows[row] = 0
            rows[row, COLOURS.index(colour)] = 1
    return Categorical(
        COLOURS, rows, torch.tensor([colour is not None for colour in chosen]), SOURCE
    )


def _binary(word: str, holds: Sequence[bool]) -> Categorical:
    evidence = torch.tensor(holds, dtype=torch.bool)
    rows = torch.where(evidence[:, None], torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.5]))
    return Categorical(_with_denial(word), rows, evidence, SOURCE)


def _with_denial(word: str) -> tuple[str, str]:
    return (word, f"not {word}")


def _relations(scene: Scene, facts: Iterable[Fact]) -> dict[str, Relation]:
    count = len(scene)
    holds: dict[str, Tensor] = {}
    for name, i, j in facts:
        table = holds.setdefault(name, torch.zeros((count, count), dtype=torch.bool))
        table[i, j] = i != j
    made = dict(scene.relations)
    for name, table in holds.items():
        if name in made:
            known = made[name]
            probabilities = torch.maximum(known.probabilities, table.float())
            source = f"{SOURCE}, or {known.source}"
            made[name] = replace(known, probabilities=probabilities, source=source)
        else:
            made[name] = Relation(table.float(), SOURCE, evidence=table)
    return made
