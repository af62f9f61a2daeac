"""What programs ask of a picture, and what scenes answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from neurosym.perception.given import Thing, scene_of
from neurosym.pixels import Pixels, Wanted
from neurosym.program import parse_program, read_own_values
from neurosym.questioning import wanted_of
from neurosym.scene import Relation, Scene


def test_what_programs_name_is_wanted_once() -> None:
    first = parse_program("(the (relate (filter (select cup) quality old) holding (select man)))")
    second = parse_program("(query (the (relate (select cup) on (select tray))) material)")
    assert wanted_of([first, second]) == Wanted(
        nouns=("cup", "man", "tray"),
        values=(("quality", "old"),),
        attributes=("material",),
        relations=("holding", "on"),
    )


def test_values_to_choose_from_are_wanted() -> None:
    program = parse_program("(choose (the (select table)) material bamboo metal)")
    wanted = wanted_of([program])
    assert wanted.values == (("material", "bamboo"), ("material", "metal"))
    assert wanted.attributes == ("material",)
    assert not wanted.anything
    assert wanted_of([parse_program("(count (everything))")]).anything


def test_only_values_that_the_attribute_lacks_are_read_as_their_own() -> None:
    program = parse_program("(filter (filter (select cup) color red) quality old)")
    known = {"color": ("red", "blue"), "red": ("red", "not red"), "old": ("old", "not old")}
    assert str(read_own_values(program, known)) == (
        "(filter (filter (select cup) color red) old old)"
    )


class Looks(Pixels):
    """Every figure with an even number stands in every relation; counts the pairs."""

    def __init__(self) -> None:
        self.pairs: list[tuple[int, int]] = []

    def image(self) -> Tensor | None:
        return None

    def masks(self, indices: Sequence[int]) -> Tensor:
        raise AssertionError("no mask is needed")

    def known_masks(self) -> Mapping[int, Tensor]:
        return {}

    def score(self, attribute: str, indices: Sequence[int]) -> Tensor | None:
        return None

    def evidence(self, attribute: str, value: str) -> Tensor | None:
        return None

    def relate(self, relation: str, pairs: Sequence[tuple[int, int]]) -> Tensor | None:
        self.pairs += pairs
        return torch.tensor([1.0 if figure % 2 == 0 else 0.25 for figure, _ in pairs])


def unscored(count: int = 3) -> tuple[Scene, Looks]:
    looks = Looks()
    things = [Thing("cup", (10.0 * i, 0, 10.0 * i + 8, 8)) for i in range(count)]
    table = Relation(
        torch.zeros(count, count), "looks", evidence=torch.zeros(count, count, dtype=torch.bool)
    )
    scene = scene_of(things, (20, 100), pixels=looks)
    return replace(scene, relations={**scene.relations, "under": table}), looks


def test_a_relation_is_looked_at_once_and_never_with_oneself() -> None:
    scene, looks = unscored()
    seen = scene.observe_relation("under", [0, 1], [1, 2])
    assert looks.pairs == [(0, 1), (0, 2), (1, 2)]
    assert seen.relation("under").probabilities.tolist() == [
        [0.0, 1.0, 1.0],
        [0.0, 0.0, 0.25],
        [0.0, 0.0, 0.0],
    ]
    again = seen.observe_relation("under", [0, 1], [0, 1, 2])
    assert looks.pairs[3:] == [(1, 0)]
    evidence = again.relation("under").evidence
    assert evidence is not None
    assert evidence.nonzero().tolist() == [[0, 1], [0, 2], [1, 0], [1, 2]]


def test_a_relation_with_all_its_evidence_is_not_looked_at() -> None:
    scene, looks = unscored()
    assert scene.observe_relation("left_of", [0, 1], [1, 2]) is scene
    assert looks.pairs == []


def test_the_evidence_of_a_relation_goes_where_its_objects_go() -> None:
    scene, looks = unscored()
    seen = scene.observe_relation("under", [0], [2])
    fewer = seen[[2, 0]]
    kept = fewer.relation("under")
    assert kept.evidence is not None
    assert kept.evidence.tolist() == [[False, False], [True, False]]
    assert kept.probabilities.tolist() == [[0.0, 0.0], [1.0, 0.0]]
    looks.pairs.clear()
    fewer.observe_relation("under", [0], [1])
    assert looks.pairs == [(2, 0)]
