"""RefCOCO: reading both forms, candidates, and what a program says of places."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from neurosym.api import Grounder
from neurosym.datasets.refcoco import (
    Item,
    candidates,
    largest,
    located_part,
    overlap,
    read_items,
    scene_from_boxes,
)
from neurosym.errors import DataError
from neurosym.evaluation.cases import Ending
from neurosym.evaluation.refcoco import PlaceCase, cases
from neurosym.executors.reference import ReferenceExecutor
from neurosym.grammar import Parser
from neurosym.pixels import ImageSize
from neurosym.program import parse_program

SIZE = ImageSize(100, 300)
LEFT, MIDDLE, RIGHT = (0.0, 40.0, 40.0, 80.0), (130.0, 40.0, 170.0, 80.0), (220.0, 5.0, 290.0, 90.0)
SCENE = scene_from_boxes([LEFT, MIDDLE, RIGHT], SIZE)


def raw(text: str, bbox: list[float], number: int = 7, image: int = 12) -> dict[str, Any]:
    return {
        "img_id": f"COCO_train2014_{image:012d}_{number}",
        "sents": text,
        "bbox": bbox,
        "height": 100,
        "width": 300,
    }


def written(path: Path, document: object) -> Path:
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_the_repackaged_list(tmp_path: Path) -> None:
    path = written(tmp_path / "refcoco_val.json", [raw("cup on the left", [1, 2, 3, 4])])
    (item,) = read_items(path)
    assert item == Item(
        "0/COCO_train2014_000000000012_7", 12, "cup on the left", (1, 2, 4, 6), SIZE
    )
    assert item.says_where


def test_the_form_of_refer(tmp_path: Path) -> None:
    written(
        tmp_path / "instances.json",
        {
            "images": [{"id": 12, "height": 100, "width": 300}],
            "annotations": [{"id": 5, "image_id": 12, "bbox": [1, 2, 3, 4]}],
        },
    )
    sentences = [{"sent_id": 1, "sent": "the cup"}, {"sent_id": 2, "sent": "upper cup"}]
    references = [{"ref_id": 9, "ann_id": 5, "image_id": 12, "sentences": sentences}]
    first, second = read_items(written(tmp_path / "refs.json", references))
    assert (first.key, first.photograph, first.box, first.size) == ("9/1", 12, (1, 2, 4, 6), SIZE)
    assert (first.says_where, second.says_where) == (False, True)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("refs(unc).p", "", "pickle"),
        ("missing.json", None, "cannot read"),
        ("list.json", "{}", "must be a list"),
        ("item.json", '[{"img_id": "x"}]', "not of the released form"),
    ],
)
def test_what_is_not_read(name: str, content: str | None, says: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=says):
        read_items(tmp_path / name)


def test_candidates_are_each_there_once() -> None:
    def item(box: tuple[float, float, float, float], photograph: int = 1) -> Item:
        return Item("", photograph, "", box, SIZE)

    moved = (LEFT[0] + 1, *LEFT[1:])
    found = candidates([item(LEFT), item(moved), item(RIGHT), item(MIDDLE, photograph=2)])
    assert found == {1: (LEFT, RIGHT), 2: (MIDDLE,)}


def test_overlap_is_shared_over_joint() -> None:
    assert overlap((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert overlap(LEFT, RIGHT) == overlap((0, 0, 0, 0), (0, 0, 0, 0)) == 0


def test_the_largest_box() -> None:
    assert largest([LEFT, MIDDLE, RIGHT]) == 2
    assert largest([LEFT, MIDDLE, RIGHT], [1, 0]) == 0


@pytest.mark.parametrize(
    ("program", "left", "objects"),
    [
        ("(the (superlative (filter (select cup) color red) leftmost))", "", {0}),
        ("(the (filter (select cup) horizontal middle))", "", {1}),
        ("(relate (select cup) left_of (the (superlative (select dog) rightmost)))", "", {0, 1}),
        (
            "(relate (select man) in (the (filter (select coat) color red)))",
            "(everything)",
            {0, 1, 2},
        ),
        ("(relate (select man) riding (select horse))", "(everything)", {0, 1, 2}),
        ("(minus (select cup) (filter (select cup) color red))", "(everything)", {0, 1, 2}),
        ("(minus (select cup) (filter (select cup) horizontal left))", "", {1, 2}),
        ("(the (filter (select dog) size large))", "(superlative (everything) largest 1)", {2}),
        ("(exist (filter (the (select dog)) horizontal right))", "", {2}),
        ("(command (the (select dog)) find)", "(everything)", {0, 1, 2}),
    ],
)
def test_words_for_places_alone_decide(program: str, left: str, objects: set[int]) -> None:
    found = located_part(parse_program(program), SCENE)
    if left:
        assert str(found) == left
    outcome = ReferenceExecutor().run(found, SCENE)
    assert outcome.objects is not None
    assert set(outcome.objects.nonzero().flatten().tolist()) == objects


@pytest.fixture(scope="module")
def grounder(parser: Parser) -> Grounder:
    return Grounder(None, parser, executor=ReferenceExecutor())


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        ("guy left", Ending.WRONG),
        ("lady in the red coat on the right", Ending.RIGHT),
        ("right of the dog", Ending.RIGHT),
    ],
)
def test_an_expression_is_judged_by_its_box(
    text: str, ending: Ending, grounder: Grounder, parser: Parser
) -> None:
    item = Item("0", 12, text, RIGHT, SIZE)
    case = PlaceCase(key="0", split_key="12", texts=(text,), item=item, boxes=(LEFT, RIGHT))
    assert case.judge((parser.parse(text),), grounder).ending is ending
    assert case.baselines()["always the largest"] == 1.0
    assert set(case.baselines()) == {"always the largest", "random, seed 0"}


def test_only_what_can_be_judged_is(tmp_path: Path) -> None:
    document = [
        raw("left cup", [0, 40, 40, 40], number=1),
        raw("red cup", [130, 40, 40, 40], number=2),
        raw("left dog", [0, 0, 9, 9], number=3, image=13),
    ]
    found = list(cases([written(tmp_path / "refcoco_val.json", document)]))
    assert [case.judged for case in found] == [True, False, False]
    assert [len(case.boxes) for case in found] == [2, 2, 1]
    assert {case.split_key for case in found} == {"12", "13"}


def test_the_released_files(shared_data: Path) -> None:
    files = sorted((shared_data / "refcoco").glob("*_val.json"))
    if not files:
        pytest.skip("no RefCOCO there")
    items = [read_items(path) for path in files]
    assert [len(found) for found in items] == [10834, 4896, 10758]
    assert len(candidates(item for found in items for item in found)) > 1500
