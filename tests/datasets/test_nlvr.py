"""NLVR: reading the release's form, what a scene holds, and sentences that are true or false."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from neurosym.datasets.nlvr import Item, item_from_nlvr, read_items
from neurosym.datasets.split import part_of
from neurosym.errors import DataError, NeurosymError
from neurosym.executors.reference import ReferenceExecutor
from neurosym.grammar import Lexicon, Parser
from neurosym.interchange.nlvr import scene_from_nlvr
from neurosym.models.store import path_of
from neurosym.program import claim_of, parse_program
from neurosym.scene import Scene

REFERENCE = ReferenceExecutor()
COLOURS = {"y": "Yellow", "k": "Black", "b": "#0099ff"}
SHAPES = {"o": "circle", "s": "square", "t": "triangle"}


def drawn(text: str) -> dict[str, Any]:
    """An item from "colour shape size@x,y", for example "ks20@40,80"."""
    what, _, place = text.partition("@")
    x, _, y = place.partition(",")
    return {
        "color": COLOURS[what[0]],
        "type": SHAPES[what[1]],
        "size": int(what[2:]),
        "x_loc": int(x),
        "y_loc": int(y),
    }


def tower(blocks: str) -> list[str]:
    """The items of a tower from its blocks' colours, base first."""
    return [f"{color}s20@40,{80 - 21 * level}" for level, color in enumerate(blocks)]


def released(*boxes: list[str], sentence: str = "", label: str = "true") -> dict[str, Any]:
    return {
        "sentence": sentence,
        "label": label,
        "identifier": "12-3",
        "structured_rep": [[drawn(item) for item in box] for box in boxes],
    }


def scene_of(*boxes: list[str]) -> Scene:
    item = item_from_nlvr(released(*boxes))
    return scene_from_nlvr(item.drawn, item.boxes)


TOWERS = scene_of(tower("bky"), tower("kk"), tower("yykb"))
"""Blue, black, yellow; black, black; yellow, yellow, black, blue; from the base up."""
SCATTERED = scene_of(
    ["ks10@0,0", "yo20@30,80", "bt30@50,40"],
    ["yt10@90,50", "ys20@40,40", "yo10@20,20"],
    ["bo30@0,70", "bs10@31,75", "kt20@77,10", "ks10@60,60"],
)


def objects(scene: Scene, program: str) -> list[int]:
    found = REFERENCE.run(parse_program(program), scene).objects
    assert found is not None
    return found.nonzero().flatten().tolist()


def test_an_item_is_read_as_released() -> None:
    raw = released(["ks20@40,80"], [], ["yo10@1,2"], sentence="There is a box.", label="false")
    item = item_from_nlvr(raw)
    assert (item.sentence, item.label, item.identifier, item.group) == (
        *("There is a box.", False, "12-3"),
        "12",
    )
    assert [(d.box, d.shape, d.color, d.size, d.x, d.y) for d in item.drawn] == [
        (0, "square", "black", 20, 40, 80),
        (2, "circle", "yellow", 10, 1, 2),
    ]
    assert item.is_right(False)
    assert not item.is_right(None)
    assert not item.is_right("false")


def test_files_and_folders_are_read(tmp_path: Path) -> None:
    line = json.dumps(released(["ks20@40,80"], [], []))
    (tmp_path / "dev.json").write_text(f"{line}\n\n{line}\n")
    assert len(read_items(tmp_path / "dev.json")) == 2
    assert read_items(tmp_path) == read_items(tmp_path / "dev.json")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("no json", "line 1 of"),
        ('{"sentence": "a"}', "not as released"),
        (json.dumps(released([]) | {"label": "maybe"}), "'maybe' is not one of true, false"),
    ],
)
def test_what_is_not_as_released_is_named(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "dev.json").write_text(line)
    with pytest.raises(DataError, match=message):
        read_items(tmp_path / "dev.json")


def test_no_items_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no NLVR items"):
        read_items(tmp_path)
    with pytest.raises(DataError, match="cannot read"):
        read_items(tmp_path / "dev.json")


def test_objects_come_in_order() -> None:
    scene = scene_of(tower("bk"), [], tower("y"))
    names = [scene.categories.values[i] for i in scene.categories.probabilities.argmax(1)]
    assert names[:3] == ["base block", "top block", "only block"]
    assert names[3:8] == ["box", "box", "box", "tower", "tower"]
    assert names.count("corner") == 12
    assert names.count("color") == 3
    assert scene.boxes[1].tolist() == [40, 59, 60, 79]
    assert scene.boxes[2].tolist() == [340, 80, 360, 100]
    assert scene.boxes[6].tolist() == [40, 59, 60, 100]


@pytest.mark.parametrize(
    ("items", "is_tower"),
    [
        (tower("b"), True),
        (tower("bkyb"), True),
        (["bs20@40,79"], False),
        (["bs20@40,80", "ks20@41,59"], False),
        (["bs20@40,80", "ks20@40,58"], False),
        (["bs20@40,80", "ko20@40,59"], False),
        (["bs20@40,80", "ks10@40,69"], False),
    ],
)
def test_a_tower_is_a_stack_on_the_floor(items: list[str], is_tower: bool) -> None:
    assert bool(objects(scene_of(items, [], []), "(select tower)")) == is_tower


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        # Blocks are 0 to 2, 3 and 4, 5 to 8; boxes 9 to 11; towers 12 to 14.
        ("(select base)", [0, 3, 5]),
        ("(select top)", [2, 4, 8]),
        ("(filter (select block) at_middle inner)", [1, 6, 7]),
        ("(filter (select block) level second)", [1, 4, 6]),
        ("(filter (select tower) color black)", [13]),
        ('(filter (select tower) "base color" yellow)', [14]),
        ("(superlative (select tower) tallest 1)", [14]),
        ("(relate_count (select tower) with exactly 3 (select block))", [12]),
        ("(relate (select block) on (filter (select block) level first))", [1, 4, 6]),
        ("(relate (filter (select block) color blue) above (select block))", [8]),
        ("(relate (select block) below (filter (select block) at_top uppermost))", [1, 3, 7]),
        ("(relate (select block) touching (select wall))", [0, 3, 5]),
        ("(relate (select block) in (filter (select box) at_middle inner))", [3, 4]),
        ("(relate_count (select tower) of exactly 1 (select color))", [13]),
        ("(relate_count (select box) of exactly 3 (select color))", [9, 11]),
    ],
)
def test_towers(program: str, expected: list[int]) -> None:
    walls = objects(TOWERS, "(select wall)")
    assert [i for i in objects(TOWERS, program) if i not in walls] == expected


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        # Items are 0 to 2, 3 to 5, 6 to 9; boxes 10 to 12.
        ("(relate (select item) touching (select wall))", [0, 1, 3, 6]),
        ("(relate (select item) touching (select corner))", [0, 6]),
        ("(relate (select item) in (select corner))", [0, 6]),
        ("(relate (select item) touching (select base))", [1, 6]),
        ('(relate (select item) touching (select "right wall"))', [3]),
        ("(relate (select item) touching (select item))", [6, 7]),
        ("(relate (select item) nearly_touching (select item))", [6, 7]),
        ("(relate (select item) on (select item))", []),
        ("(relate (select triangle) above (select square))", [8]),
        ("(relate (select item) left_of (select triangle))", [0, 1, 4, 5, 6, 7, 9]),
        ("(relate_only (select box) with (filter (select item) color yellow))", [11]),
        ("(relate (select color) touching (select corner))", [-3, -1]),
        ("(relate_count (select box) of exactly 2 (select shape))", []),
        ("(filter (select item) size large)", [2, 6]),
        ("(filter (select box) color gray)", [10, 11, 12]),
        ("(filter (select box) horizontal left)", [10]),
    ],
)
def test_scattered_items(program: str, expected: list[int]) -> None:
    if expected and expected[0] < 0:
        values = objects(SCATTERED, "(select color)")
        expected = [values[i] for i in (0, 2)]
    assert objects(SCATTERED, program) == expected


@pytest.fixture(scope="module")
def parser() -> Parser:
    return Parser(path_of("en-core-web-sm"), Lexicon.domain("nlvr"))


def holds(parser: Parser, text: str, scene: Scene) -> bool:
    program = claim_of(parser.parse(text).program, text)
    outcome = REFERENCE.run(program, scene)
    assert outcome.truth is not None
    return outcome.truth == 1 and not outcome.none and not outcome.many


ABOUT_TOWERS = [
    ("There is a tower with a yellow block at the top", True),
    ("There is a tower with a yellow block at the bottom", True),
    ("There are two towers with a black block at the base", False),
    ("There is one tower with a blue block over a black block.", True),
    ("There is a tower with a blue block above a yellow block", False),
    ("there is a black tower", True),
    ("There is a three block tower.", True),
    ("There are exactly two towers having at least three blocks.", True),
    ("There is a tower with only black and blue blocks.", False),
    ("There is a yellow block as the base of a tower with four blocks.", True),
    ("There is no blue block as the top of a tower with three blocks", True),
    ("The base of the three block tower is blue", True),
    ("There is a tower where the second block is yellow", True),
    ("There is a tower that has only one color.", True),
    ("There are two towers with blocks of all three colors", True),
    ("There are only two towers which have the same top color", False),
    ("There is a tower with two black blocks stacked together.", True),
    ("There is a box with 2 items and a black item on top.", True),
    ("There is a box with 4 items and the blue one is on top", True),
    ("There is a tower with exactly two blocks having a black block at the top", True),
    ("each tower contains at least one black block", True),
    ("All towers have a blue block.", False),
    ("There is at least one black block in each box", True),
    ("There is a tower with exactly one block which is black", False),
    ("yellow block at the top", True),
    ("There is a tower that has a blue block at its base", True),
    ("A yellow block is at the top of a tower", True),
    ("A blue block is at the base of the black tower", False),
    ("A yellow block is on top of a tower", True),
    ("There is a tower made up of only black blocks", True),
    ("one tower is 3 blocks tall", True),
    ("There is a tower that is four blocks high", True),
    ("the three towers have different heights", True),
    ("All three towers have the same height", False),
    ("None of the towers have exactly one block", True),
    ("no tower has a blue base", False),
    ("there isn't a tower with only one block", True),
    ("only two towers have blue blocks", True),
    ("the shortest tower has only black blocks", True),
    ("There are a total of nine blocks", True),
    ("there is a tower where the second block from the bottom is yellow", True),
    ("A black block sits on top of a yellow block", True),
    ("there is a tower with blue, black and yellow blocks", True),
    ("There is a tower having only 2 blocks and both are black", True),
    ("there is a tower with two blocks which are both black", True),
    ("There is a tower with two blocks and both of them are black", True),
    ("there is a tower where all the blocks are black", True),
    ("There is a tower where all blocks are of the same color", True),
    ("there is one tower that has all black blocks", True),
    ("There is a tower that doesn't contain any blue blocks", True),
    ("there is a tower with fewer than 3 blocks", True),
    ("there is a tower with not more than two blocks", True),
    ("There is a tower with two or three blocks", True),
    ("there is at least one tower with either two or three blocks", True),
    ("There is tower with three blocks", True),
    ("There is two towers with blue blocks", True),
    ("There is a tower than has three blocks", True),
]
ABOUT_SCATTERED = [
    ("There is a black square touching the wall.", True),
    ("There is a black triangle touching the wall.", False),
    ("There are exactly two items touching a corner", True),
    ("There are two blue triangles closely touching the bottom of a box.", False),
    ("There is a yellow triangle touching the right wall of a box", True),
    ("There is exactly one square not touching any edge.", False),
    ("There is a box with only yellow items.", True),
    ("There is a box with items of only one color", True),
    ("There is a box with items of 3 different colors.", True),
    ("There is a box with only three items of yellow color", True),
    ("There is a box with a black triangle and two blue items.", True),
    ("one of the grey boxes has exactly four objects", True),
    ("There is a box with 1 yellow circle and 1 blue triangle", True),
    ("None of the squares are touching a triangle.", True),
    ("All yellow items are in the same box", False),
    ("Only two yellow and one black item are touching the wall", True),
    ("The black triangle and the yellow square are touching the wall", False),
    ("There is a box with a blue circle and no squares", False),
    ("There is only one color touching the base", False),
    ("In each box there is a circle", True),
    ("There are three yellow items in one box", True),
    ("There is a yellow item in two of the boxes", True),
    ("There is a box with two or more black items", True),
    ("There is a box with exactly three items, one of which is a triangle", True),
    ("There is a box that has four items and the two are black", True),
    ("There is a box with a triangle and the triangle is blue", True),
    ("there is a yellow triangle against the right wall", True),
    ("there is a yellow triangle attached to the right wall", True),
    ("there is a yellow triangle on the right edge", True),
    ("There is a yellow triangle next to the right wall", True),
    ("There is a yellow circle on the floor", True),
    ("There is a black square in the top left corner", True),
    ("there is a blue circle in the lower left corner", True),
    ("there is a black square in the upper right corner", False),
    ("there is a square touching the ceiling", True),
    ("exactly four items touch the edge", True),
    ("there is a black triangle close to the right wall", True),
    ("in at least one of the boxes there is a blue circle", True),
    ("there are more yellow items than black items", True),
    ("there are a total of 10 items", True),
    ("each grey box has at least one square", True),
    ("none of the boxes contain a circle", False),
    ("there is a box containing only yellow items", True),
    ("there is a box with all yellow items", True),
    ("there is a box where all items are yellow", True),
    ("There is a box where every item is yellow", True),
    ("there is a box in which every item has the same color", True),
    ("there is a box with one blue and one black square", True),
    ("there is a box with 2 blue items, one of which is a circle", True),
    ("There is a box with 4 items of which 2 are black", True),
    ("There is a box with 4 items of which two are squares", True),
    ("There is a box with four items and two of them are blue", True),
    ("There is a box with three items and all of them are yellow", True),
    ("there is a box with 3 items and they are all yellow", True),
    ("there is a box with 3 items and all are yellow", True),
    ("there is a box with exactly two squares, none of which touches the wall", True),
    ("both of the black squares are small", True),
    ("There is at most one yellow square", True),
    ("the only square in the first box is black", True),
    ("The yellow square and the yellow triangle are in the same box", True),
    ("The yellow square and the black triangle are in the same box", False),
]


SAID_OTHERWISE = {
    "values of contents": [
        (TOWERS, "There is a tower in which each block is black", True),
        (TOWERS, "there is a tower that contains only blue blocks", False),
        (TOWERS, "At least one tower has only one color", True),
        (TOWERS, "there is a tower with two same colored blocks", True),
        (TOWERS, "there is a tower with 3 blocks that are all the same color", False),
        (TOWERS, "There is a tower that has blocks of only 2 colors", False),
        (SCATTERED, "There is a box having objects of three colors", True),
        (SCATTERED, "there is a box where all the items are the same color", True),
        (SCATTERED, "There is a box with exactly 3 items all of the same color", True),
        (SCATTERED, "there is a box with four items which all have the same color", False),
        (SCATTERED, "There is a box with all items of the same shape", False),
    ],
    "parts of towers": [
        (TOWERS, "there is a tower where the second block is yellow", True),
        (TOWERS, "There is a tower with three blocks and the middle one is black", True),
        (
            TOWERS,
            "there is a tower with exactly three blocks having a blue block in the middle",
            False,
        ),
        (TOWERS, "There is a tower in which a yellow block is above a black block", True),
        (TOWERS, "there is at least one blue block resting on a yellow block", False),
        (TOWERS, "There is a tower with a black block above a different colored block", True),
        (TOWERS, "there is a tower with a black block directly over another black block", True),
    ],
    "bases and tops": [
        (TOWERS, "All three towers have the same color base", False),
        (TOWERS, "all towers have a different color base", True),
        (TOWERS, "There are exactly two towers with bases of the same color", False),
        (TOWERS, "at least two towers have the same color top", False),
        (TOWERS, "There is a tower with yellow at the top", True),
        (TOWERS, "There are a minimum of two towers with a black base", False),
    ],
    "heights": [
        (TOWERS, "At least one tower has exactly 3 blocks", True),
        (TOWERS, "At least one tower has more than three blocks", True),
        (TOWERS, "Every tower has two or more blocks", True),
        (TOWERS, "there are at least 3 blocks in every tower", False),
        (TOWERS, "All of the towers have the same height", False),
        (TOWERS, "each tower has a different height", True),
    ],
    "quantifiers over boxes": [
        (TOWERS, "all towers have a black block", True),
        (TOWERS, "each grey box has at least one yellow block", False),
        (SCATTERED, "each grey square has at least one circle", True),
        (SCATTERED, "all boxes have a blue item touching the wall", False),
        (SCATTERED, "there are only 2 boxes with a black square", True),
        (SCATTERED, "there is a yellow triangle in exactly two boxes", False),
        (TOWERS, "None of the towers have a black block", False),
        (TOWERS, "there is a tower with no yellow blocks", True),
        (TOWERS, "not all towers have a black block", False),
    ],
    "walls and corners": [
        (SCATTERED, "There is a yellow circle touching the boundary", True),
        (SCATTERED, "there is one or more yellow squares touching the wall", False),
        (SCATTERED, "There is a yellow item touching the base", True),
        (SCATTERED, "there is a black item touching the bottom of its box", False),
        (SCATTERED, "There is a square that touches the top wall of a box", True),
        (SCATTERED, "There is a circle attached to the top of a box", False),
        (SCATTERED, "There is a yellow item touching the right wall", True),
        (SCATTERED, "There is a blue item against the right wall", False),
        (SCATTERED, "There is a square placed in the corner of the box", True),
        (SCATTERED, "there is a triangle in one of the corners of a box", False),
        (SCATTERED, "There is a circle at the lower right corner", False),
    ],
    "what touches what": [
        (SCATTERED, "there is a box in which a black item touches a blue item", False),
        (SCATTERED, "a circle is touching another circle", False),
        (SCATTERED, "There are no items touching each other", False),
        (SCATTERED, "two yellow items and 1 black item touch the wall", True),
        (
            SCATTERED,
            "exactly two blue items and exactly one yellow item are touching the wall",
            False,
        ),
        (SCATTERED, "there is a blue circle or a black circle touching the wall", True),
        (SCATTERED, "there is a blue or black triangle touching the wall", False),
    ],
    "asides": [
        (SCATTERED, "there is a box with four items one of which is a circle", True),
        (SCATTERED, "There is a box with four items of which only one is a square", False),
        (SCATTERED, "there is a box with three items, all yellow", True),
        (SCATTERED, "there is a box with four items, all of which are yellow", False),
        (SCATTERED, "there is a box with three items, one of them is a circle", True),
        (SCATTERED, "the items touching the wall are all blue", False),
        (SCATTERED, "There is a box with only items that are yellow", True),
        (SCATTERED, "there is a box with items of only blue color", False),
    ],
    "places of boxes": [
        (SCATTERED, "a blue triangle is in the first box", True),
        (SCATTERED, "a blue square is in the first box", False),
        (SCATTERED, "the center box has three yellow items", True),
        (SCATTERED, "The second box has three items that are blue", False),
        (SCATTERED, "the right box has at least 2 squares", True),
        (SCATTERED, "there are at least 3 squares in the box on the right", False),
        (TOWERS, "the first tower from the left has a blue block at the base", True),
        (TOWERS, "the first tower from the left has a black block at the base", False),
        (TOWERS, "the middle tower has at least one black block", True),
        (TOWERS, "the middle tower has at least one yellow block", False),
    ],
    "both and no": [
        (TOWERS, "there is a tower with blue and black blocks in it", True),
        (SCATTERED, "There is a box containing a yellow item without a blue item", True),
        (SCATTERED, "there is a box with a black item and no blue items", False),
        (SCATTERED, "a box has a black square and a blue triangle", True),
        (SCATTERED, "there is a blue square in a box with a black circle", False),
        (SCATTERED, "all blue items are within the same box", False),
    ],
}
"""Construct -> scene, sentence, truth: the same things in other words than above."""
MISSPELT = [
    ("Thre is a twoer with thre bloks", True),
    ("There is a towr wth a balck block at the tpo", True),
    ("There isa tower with2 black blocks", True),
    ("There is a a tower with three three blocks", True),
    ("There are 2 towers with a ble block at the botom", False),
]


@pytest.mark.parametrize(("text", "truth"), ABOUT_TOWERS)
def test_sentences_about_towers(text: str, truth: bool, parser: Parser) -> None:
    assert holds(parser, text, TOWERS) is truth


@pytest.mark.parametrize(("text", "truth"), ABOUT_SCATTERED)
def test_sentences_about_scattered_items(text: str, truth: bool, parser: Parser) -> None:
    assert holds(parser, text, SCATTERED) is truth


@pytest.mark.parametrize("construct", SAID_OTHERWISE)
def test_sentences_that_say_it_otherwise(construct: str, parser: Parser) -> None:
    for scene, text, truth in SAID_OTHERWISE[construct]:
        assert parser.parse(text).source == "grammar", text
        assert holds(parser, text, scene) is truth, text


def test_slips_of_the_keyboard(parser: Parser) -> None:
    for text, truth in MISSPELT:
        assert parser.parse(text).repairs, text
        assert holds(parser, text, TOWERS) is truth, text


def test_most_of_the_open_part_is_right(parser: Parser, shared_data: Path) -> None:
    right = total = 0
    for item in read_items(shared_data / "nlvr" / "dev.json"):
        if part_of(item.group) == "closed":
            continue
        total += 1
        try:
            right += item.is_right(holds(parser, item.sentence, item.scene()))
        except NeurosymError:
            continue
    assert total == 792
    assert right / total >= 0.95


def test_an_item_makes_its_scene() -> None:
    item: Item = item_from_nlvr(released(["ks20@40,80"], [], []))
    assert len(item.scene()) == len(scene_of(["ks20@40,80"], [], []))
