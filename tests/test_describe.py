"""Expressions for objects: short, right, and read back; and that there is none where none is."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from hypothesis import event, given, settings
from hypothesis import strategies as st

from neurosym import cli
from neurosym.api import Grounder
from neurosym.datasets.clevr import read_scenes
from neurosym.errors import OptionError
from neurosym.executors.crisp_rules import RULES
from neurosym.executors.reference import ReferenceExecutor
from neurosym.executors.tensor import TensorExecutor
from neurosym.executors.world import Objects, World, world_of
from neurosym.generation.describe import Describer, Description
from neurosym.generation.language import Bounds
from neurosym.grammar import Parser
from neurosym.program import (
    ORDERS,
    PLACES,
    Closest,
    Everything,
    Farthest,
    Filter,
    Op,
    Relate,
    RelatedBy,
    Select,
)
from neurosym.scene import Scene
from tests.executors.laws import read_scene
from tests.executors.strategies import scenes

EXECUTOR = ReferenceExecutor()


def described(scene: Scene, parser: Parser, bounds: Bounds | None = None) -> list[Description]:
    describer = Describer(scene, parser, EXECUTOR, bounds=bounds)
    return [describer.describe(index) for index in range(len(scene))]


def check(scene: Scene, found: Description, parser: Parser) -> None:
    """An expression must be read as the object and nothing else, with no word left over."""
    parse = parser.parse(found.text)
    assert str(parse.program) == str(found.program)
    assert not parse.unused
    objects = EXECUTOR.run(parse.program, scene).objects
    assert objects is not None
    assert objects.nonzero().flatten().tolist() == [found.index], found.text
    assert found.probability == 1


# A scene, and the expression for each of its objects, or why there is none.
WORKED = {
    "a kind is enough": ("a: red cup\nb: red plate", ["the cup", "the plate"]),
    "colours before sizes": (
        "a: small red cup, at 1, area 5\nb: large green cup, at 1, area 5",
        ["the red cup", "the green cup"],
    ),
    "sizes before superlatives": (
        "a: small red cup, at 1, area 2\nb: large red cup, at 2, area 3",
        ["the small cup", "the large cup"],
    ),
    "two properties, in the order of English": (
        "a: small red cup\nb: small green cup\nc: large red cup\nd: large green cup",
        [f"the {size} {color} cup" for size in ("small", "large") for color in ("red", "green")],
    ),
    "ranks": (
        "a: cup, at 1\nb: cup, at 2\nc: cup, at 3\nd: cup, at 4",
        [
            *("the leftmost cup", "the second cup from the left"),
            *("the second cup from the right", "the rightmost cup"),
        ],
    ),
    "a slim lead in an extent is not said": (
        "a: cup, area 100\nb: cup, area 105\nc: plate, area 300\na on c",
        ["the cup on the plate", "the cup closest to the cup on the plate", "the plate"],
    ),
    "a relation": (
        "a: cup\nb: cup\np: plate\nq: bowl\na on p\nb on q",
        ["the cup on the plate", "the cup on the bowl", "the plate", "the bowl"],
    ),
    "a relation read backwards": (
        "m: person\nn: person\na: cup\nr: rabbit\ns: rabbit\nm holding r\nm holding a",
        [
            *("the person holding the cup", "the person closest to the person holding the cup"),
            *("the cup", "the rabbit held by a person"),
            "the rabbit closest to the rabbit held by a person",
        ],
    ),
    "nothing tells them apart": ("a: red cup\nb: red cup", ["alike", "alike"]),
    "indefinite landmarks, where none of them is the only one": (
        "a: cup\nb: cup\np: plate\nq: plate\na on p\na on q\np next_to q\nq next_to p",
        ["the cup on a plate", "the cup closest to the cup on a plate", "alike", "alike"],
    ),
    "what does not exist": ("a: cup\nx: cup, exists 0", ["the cup", "absent"]),
}


@pytest.mark.parametrize("name", WORKED)
def test_worked_scenes(name: str, parser: Parser) -> None:
    text, expected = WORKED[name]
    scene = read_scene(text)
    for found, wanted in zip(described(scene, parser), expected, strict=True):
        assert (found.text or found.why) == wanted, found.reason
        assert found.found == (not found.reason)
        if found.found:
            check(scene, found, parser)


def test_words_that_cover_more_than_they_say_are_not_used(parser: Parser) -> None:
    # "Dish" covers plates and bowls, and is as good a word as any.
    scene = read_scene("a: red plate\nb: red bowl\nc: red cup\nd: green plate\ne: green bowl")
    assert all(found.found for found in described(scene, parser))


# Brute force: every set of objects that the language can denote, by the reference's own rules.


def _rule(op: Op, world: World, *operands: Objects) -> Objects:
    value = RULES[type(op)](op, world, *operands)
    assert isinstance(value, frozenset)
    return value


class BruteForce:
    """Which objects of a world an expression of the language denotes alone."""

    def __init__(self, scene: Scene, bounds: Bounds) -> None:
        self.world = world_of(scene)
        self.bounds = bounds
        nouns = [_rule(Select(word), self.world) for word in (*scene.categories.values, "dish")]
        values = [
            [
                (name in PLACES, _rule(Filter(Everything(), name, value), self.world, self.all))
                for value in table.values
            ]
            for name, table in scene.attributes.items()
        ]
        self.plain = {
            frozenset.intersection(noun, *(holds for _, holds in chosen))
            for noun in (*nouns, self.all)
            for count in range(len(values) + 1)
            for tables in itertools.combinations(values, count)
            for chosen in itertools.product(*tables)
        }
        said = [holds for table in values for place, holds in table if not place]
        self.indefinite = {*nouns, *(noun & holds for noun in nouns for holds in said)}
        self.alone = cache(self._alone)

    @property
    def all(self) -> Objects:
        return self.world.existing

    def found(self) -> Objects:
        """The objects that an expression within the bounds picks out."""
        depth, sets = self.bounds.depth, self.plain
        reached = self._ranked(sets, depth)
        for _ in range(self.bounds.relations if depth else 0):
            sets = sets | {one & tie for one in sets for tie in self._ties(depth)}
            reached |= self._ranked(sets, depth)
        return reached

    def _alone(self, depth: int) -> Objects:
        """What can be a landmark."""
        plain = self._ranked(self.plain, depth)
        if not depth or not self.bounds.relations:
            return plain
        related = {one & tie for one in self.plain for tie in self._ties(depth)}
        # Relations are for landmarks that cannot be told apart without; it makes no difference.
        return plain | self._ranked(related, depth)

    def _ties(self, depth: int) -> set[Objects]:
        landmarks = {*self.indefinite, *(frozenset({i}) for i in self.alone(depth - 1))}
        return {
            _rule(operator(Everything(), name, Everything()), self.world, self.all, landmark)
            for operator in (Relate, RelatedBy)
            for name in self.world.relations
            for landmark in landmarks
        }

    def _ranked(self, sets: set[Objects], depth: int) -> Objects:
        found = {one for one in sets if len(one) == 1}
        for one in sets:
            found |= set(self._firsts(one))
            for landmark in self.alone(depth - 1) if depth else ():
                for operator, rank in itertools.product((Closest, Farthest), self._numbers):
                    op = operator(Everything(), Everything(), rank)
                    nearer = _rule(op, self.world, one, frozenset({landmark}))
                    found |= {nearer} if len(nearer) == 1 else set()
        return frozenset(i for one in found for i in one)

    @property
    def _numbers(self) -> range:
        return range(1, self.bounds.rank + 1)

    def _firsts(self, objects: Objects) -> Iterator[Objects]:
        for order in ORDERS.values():
            if order.measure not in self.world.measures:
                continue
            measure = self.world.measures[order.measure]
            extent = order.measure in ("area", "height", "width")
            for i in objects:
                others = [measure[j] for j in objects - {i}]
                lead = [abs(m - measure[i]) - 0.1 * max(m, measure[i]) * extent for m in others]
                ahead = [m > measure[i] if order.descending else m < measure[i] for m in others]
                if all(gap > 0 for gap in lead) and sum(ahead) < self.bounds.rank:
                    yield frozenset({i})


def _flat(scene: Scene) -> Scene:
    """The scene of things of one size and colour in one place, which only relations tell apart."""
    some = scene.measures["area"]
    level = {name: replace(some, values=torch.zeros(len(scene))) for name in scene.measures}
    color = scene.attributes["color"]
    red = torch.zeros_like(color.probabilities)
    red[:, 0] = 1
    return replace(
        scene,
        boxes=torch.zeros_like(scene.boxes),
        measures=level,
        distances=torch.zeros(len(scene), len(scene)),
        attributes={"color": replace(color, probabilities=red)},
        categories=replace(scene.categories, probabilities=red),
    )


@settings(max_examples=80)
@given(scene=scenes(crisp=True, max_objects=4), flat=st.booleans(), depth=st.integers(0, 2))
def test_an_expression_means_its_object_and_none_means_none(
    scene: Scene, flat: bool, depth: int, parser: Parser
) -> None:
    scene = _flat(scene) if flat else scene
    bounds = Bounds(depth=depth, relations=min(depth, 2), rank=3, words=60)
    reached = BruteForce(scene, bounds).found()
    for found in described(scene, parser, bounds):
        event(found.why)
        assert (found.why in ("found", "unread")) == (found.index in reached), found
        if found.found:
            check(scene, found, parser)


@settings(max_examples=30)
@given(scene=scenes(crisp=False, max_objects=4))
def test_in_an_uncertain_scene_the_probability_is_said(scene: Scene, parser: Parser) -> None:
    executor = TensorExecutor()
    describer = Describer(scene, parser, executor, bounds=Bounds(depth=1), threshold=0.6)
    for index in range(len(scene)):
        found = describer.describe(index)
        event(found.why)
        if found.found:
            objects = executor.run(parser.parse(found.text).program, scene).objects
            assert objects is not None
            assert found.probability == pytest.approx(float(objects[index]), abs=1e-5)
            assert 0.6 <= found.probability <= 1


def test_the_likelier_expression_is_said(parser: Parser) -> None:
    scene = read_scene("a: red 0.6 green 0.4 cup, at 1\nb: green 0.9 red 0.1 cup, at 2")
    describer = Describer(scene, parser, TensorExecutor())
    assert str(describer.describe(0)) == "the leftmost cup"
    unsure = read_scene("a: red cup, exists 0.7\nb: red cup, exists 0.7")
    found = Describer(unsure, parser, TensorExecutor()).describe(1)
    assert found.why == "alike"


def test_what_cannot_be_asked(parser: Parser) -> None:
    describer = Describer(read_scene("a: cup"), parser, EXECUTOR)
    for index in (-1, 1):
        with pytest.raises(OptionError, match="from 0 to 0"):
            describer.describe(index)
    with pytest.raises(OptionError, match="there is none"):
        Describer(Scene.empty(), parser, EXECUTOR).describe(0)
    with pytest.raises(OptionError, match="threshold"):
        Describer(read_scene("a: cup"), parser, EXECUTOR, threshold=0)
    with pytest.raises(OptionError, match="rank must be at least 1"):
        Bounds(rank=0)


def test_the_search_is_bounded(parser: Parser) -> None:
    scene = read_scene("\n".join(f"{name}: cup, at {n}" for n, name in enumerate("abcdefg")))
    found = {rank: described(scene, parser, Bounds(depth=0, rank=rank))[3] for rank in (2, 4)}
    assert found[2].why == "bounds"
    assert found[4].text == "the fourth cup from the left"
    assert described(scene, parser, Bounds(depth=0, words=5))[3].why == "bounds"


def test_a_grounder_describes(parser: Parser) -> None:
    grounder = Grounder(None, parser)
    scene = read_scene("a: red cup\nb: green cup")
    found = grounder.describe(scene, 1)
    assert (found.text, found.words, str(found)) == ("the green cup", 3, "the green cup")
    assert grounder.ground(scene, found.text).objects == (1,)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "cups.json"
    read_scene("a: red cup, at 1 1\nb: red plate, at 3 1\nc: red plate, at 3 1").save(path)
    assert cli.main(["describe", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "  0  cup: the cup (1.00)"
    assert lines[1].startswith("  1  plate: none: object 2 is the same in everything")
    assert cli.main(["describe", str(path), "--object", "0", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["objects"]
    assert (found["text"], found["program"], found["status"]) == (
        *("the cup", "(the (select cup))"),
        "found",
    )
    assert cli.main(["describe", str(path), "--object", "9"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_released_scenes(shared_data: Path, parser: Parser) -> None:
    some = list(read_scenes(shared_data / "clevr" / "scenes.json").values())[:6]
    for scene in some:
        for found in described(scene, parser):
            assert found.found, found.reason
            check(scene, found, parser)
