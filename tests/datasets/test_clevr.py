from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from neurosym import models
from neurosym.datasets.clevr import (
    Item,
    Node,
    SceneKey,
    read_all_scenes,
    read_items,
    read_scenes,
    translate,
)
from neurosym.errors import DataError, NeurosymError
from neurosym.executors.base import Outcome
from neurosym.executors.reference import ReferenceExecutor
from neurosym.grammar import Parser
from neurosym.interchange.clevr import scene_from_clevr
from neurosym.program import Kind, parse_program
from neurosym.scene import Scene

REFERENCE = ReferenceExecutor()
HEIGHT, WIDTH = 10, 20
PIPELINE = "en-core-web-sm"


def block(x: int, y: int, width: int, height: int) -> dict[str, Any]:
    """The run lengths of a filled rectangle."""
    runs, background = [], x * HEIGHT + y
    for _ in range(width):
        runs += [background, height]
        background = HEIGHT - height
    runs.append(WIDTH * HEIGHT - sum(runs))
    return {"size": [HEIGHT, WIDTH], "counts": runs}


def released(**changes: Any) -> dict[str, Any]:
    """Three objects: 0 and 1 at the same x, 1 behind 0 and partly hidden by it, 2 on the right."""

    def thing(shape: str, color: str, size: str, x: int, depth: float) -> dict[str, Any]:
        return {
            "shape": shape,
            "color": color,
            "size": size,
            "material": "metal",
            "3d_coords": [float(x), depth, 0.7],
            "pixel_coords": [x, 5, depth],
        }

    made = {
        "image_index": 7,
        "split": "val",
        "image_filename": "CLEVR_val_000007.png",
        "objects": [
            thing("cube", "red", "large", 4, 8.0),
            thing("cube", "blue", "small", 4, 10.0),
            thing("sphere", "red", "small", 15, 9.0),
        ],
        "relationships": {
            "left": [[], [], [0, 1]],
            "right": [[2], [2], []],
            "front": [[], [0], []],
            "behind": [[1], [], []],
        },
    }
    return made | changes


def outlines() -> dict[str, Any]:
    boxes = [[2, 4, 4, 6], [2, 2, 4, 2], [14, 4, 2, 2]]
    whole = [[2, 4, 4, 6], [2, 2, 4, 4], [14, 4, 2, 2]]
    return {
        "objects": [
            {"bbox": box, "amodal_bbox": amodal, "segmentation": block(*box)}
            for box, amodal in zip(boxes, whole, strict=True)
        ]
    }


@pytest.fixture
def scene() -> Scene:
    return scene_from_clevr(released(), outlines())


def answer_of(outcome: Outcome) -> str | int | bool | frozenset[int] | None:
    """What an outcome on a crisp scene says; None when a presupposition failed."""
    if outcome.none - outcome.empty or outcome.many:
        return None
    match outcome.kind:
        case Kind.TRUTH:
            return bool(outcome.truth)
        case Kind.NUMBER:
            assert outcome.number is not None
            return int(outcome.number.argmax())
        case Kind.VALUE:
            assert outcome.value is not None
            return outcome.values[int(outcome.value.argmax())]
        case _:
            assert outcome.objects is not None
            return frozenset(outcome.objects.nonzero().flatten().tolist())


def found(scene: Scene, program: str) -> frozenset[int]:
    answer = answer_of(REFERENCE.run(parse_program(program), scene))
    assert isinstance(answer, frozenset)
    return answer


def test_a_scene_is_crisp_and_says_what_was_released(scene: Scene) -> None:
    assert scene.is_crisp
    assert scene.size == (HEIGHT, WIDTH)
    assert scene.boxes.tolist() == [[2, 4, 6, 10], [2, 2, 6, 4], [14, 4, 16, 6]]
    assert found(scene, "(filter (select block) color red)") == {0}
    assert found(scene, "(filter (select thing) shape sphere)") == {2}
    assert found(scene, "(filter (select ball) size small)") == {2}
    assert scene.attribute("color").values[5] == "purple"
    assert scene.provenance["image"] == "CLEVR_val_000007.png"


@pytest.mark.parametrize(
    ("relation", "members"),
    [("left_of", {0, 1}), ("right_of", {2}), ("in_front_of", {0}), ("behind", {1})],
)
def test_relations_are_the_released_lists(scene: Scene, relation: str, members: set[int]) -> None:
    assert found(scene, f"(relate (everything) {relation} (everything))") == members


@pytest.mark.parametrize(
    ("order", "rank", "member"),
    [
        ("leftmost", 1, 0),
        ("leftmost", 2, 1),
        ("rightmost", 1, 2),
        ("rightmost", 2, 1),
        ("nearest", 2, 2),
        ("farthest", 1, 1),
    ],
)
def test_orders_count_by_centre_and_equal_ones_by_their_place_in_the_list(
    scene: Scene, order: str, rank: int, member: int
) -> None:
    assert found(scene, f"(superlative (everything) {order} {rank})") == {member}


def test_an_object_behind_a_mask_that_covers_a_fifth_of_it_is_partially_visible(
    scene: Scene,
) -> None:
    # The visible part of 0 covers half of the whole of 1, which is behind it.
    assert found(scene, '(filter (everything) visibility "partially visible")') == {1}
    nearer = released()
    nearer["objects"][1]["pixel_coords"][2] = 7.0
    moved = scene_from_clevr(nearer, outlines())
    assert found(moved, '(filter (everything) visibility "partially visible")') == set()


def test_masks_are_decoded(scene: Scene) -> None:
    masks = scene.masks([2, 0])
    assert masks.shape == (2, HEIGHT, WIDTH)
    assert masks.sum((1, 2)).tolist() == [4, 24]
    assert bool(masks[0, 4:6, 14:16].all())


def test_distances_lie_in_space(scene: Scene) -> None:
    assert scene.distances is not None
    torch.testing.assert_close(scene.distances[0], torch.tensor([0.0, 2.0, 122**0.5]))


def test_a_scene_without_objects() -> None:
    nothing = released(objects=[], relationships={name: [] for name in released()["relationships"]})
    assert len(scene_from_clevr(nothing, {"objects": []})) == 0


S, UNIQUE = ("scene", (), ()), "unique"


@pytest.mark.parametrize(
    ("nodes", "program"),
    [
        ([S], "(everything)"),
        ([S, ("filter_shape", (0,), ("cube",))], "(select cube)"),
        (
            [S, ("filter_color", (0,), ("red",)), ("filter_shape", (1,), ("cube",))],
            "(filter (select cube) color red)",
        ),
        (
            [
                S,
                (UNIQUE, (0,), ()),
                ("relate", (1,), ("front",)),
                ("filter_size", (2,), ("small",)),
                ("filter_shape", (3,), ("cube",)),
            ],
            "(relate (filter (select cube) size small) in_front_of (the (everything)))",
        ),
        (
            [S, (UNIQUE, (0,), ()), ("same_shape", (1,), ()), ("filter_color", (2,), ("red",))],
            "(same (filter (everything) color red) category (the (everything)))",
        ),
        (
            [
                S,
                ("filter_ordinal", (0,), ("the nineth one of the", "from right")),
                ("filter_shape", (1,), ("cube",)),
            ],
            "(filter (superlative (everything) rightmost 9) category cube)",
        ),
        (
            [S, ("filter_visible", (0,), ("fully visible",))],
            '(filter (everything) visibility "fully visible")',
        ),
        ([S, S, ("union", (0, 1), ())], "(union (everything) (everything))"),
        ([S, S, ("intersect", (0, 1), ())], "(intersect (everything) (everything))"),
        ([S, ("exist", (0,), ())], "(exist (everything))"),
        (
            [
                S,
                ("filter_shape", (0,), ("cube",)),
                ("count", (1,), ()),
                ("count", (0,), ()),
                ("less_than", (2, 3), ()),
            ],
            "(compare_counts (select cube) fewer_than (everything))",
        ),
        (
            [S, ("count", (0,), ()), ("count", (0,), ()), ("greater_than", (1, 2), ())],
            "(compare_counts (everything) more_than (everything))",
        ),
        (
            [S, ("count", (0,), ()), ("count", (0,), ()), ("equal_integer", (1, 2), ())],
            "(compare_counts (everything) exactly (everything))",
        ),
        (
            [S, (UNIQUE, (0,), ()), ("query_material", (1,), ())],
            "(query (the (everything)) material)",
        ),
        (
            [
                S,
                (UNIQUE, (0,), ()),
                ("query_shape", (1,), ()),
                ("query_shape", (1,), ()),
                ("equal_shape", (2, 3), ()),
            ],
            "(equal (query (the (everything)) category) (query (the (everything)) category))",
        ),
    ],
)
def test_released_functions_in_our_operators(nodes: list[Any], program: str) -> None:
    assert str(translate([Node(*node) for node in nodes])) == program


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([], "at least one node"),
        ([("filter_weight", (), ("heavy",))], 'unknown function "filter_weight"'),
        ([("union", (0, 1), ())], "node 0 of a released program, union"),
        ([S, ("relate", (0,), ("beside",))], "node 1 of a released program, relate"),
        ([S, ("filter_ordinal", (0,), ("the last one of the", "from left"))], "node 1"),
        ([S, ("count", (0,), ()), ("less_than", (1, 0), ())], "node 2"),
        ([S, ("query_color", (0,), ())], "node 1 of a released program, query_color"),
        ([S, ("unique", (), ())], "node 1"),
        ([("unique", (-1,), ())], "node 0"),
    ],
)
def test_a_program_that_was_never_released(nodes: list[Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        translate([Node(*node) for node in nodes])


def write(folder: Path, **files: Any) -> None:
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def test_scenes_are_read_with_the_masks_beside_them(tmp_path: Path) -> None:
    write(tmp_path, few_scenes={"scenes": [released()]}, few_masks={"scenes": {"7": outlines()}})
    (scene,) = read_scenes(tmp_path / "few_scenes.json").values()
    assert len(scene) == 3
    assert list(read_all_scenes(tmp_path)) == [("val", 7)]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "cannot read"),
        ({"scenes": {"scenes": []}}, "cannot read .*masks.json"),
        ({"scenes": [], "masks": {}}, "must hold a JSON object"),
        ({"scenes": {"pictures": []}, "masks": {}}, 'lacks "scenes"'),
        ({"scenes": {"scenes": [released()]}, "masks": {"scenes": {}}}, "no masks of scene 7"),
        (
            {
                "scenes": {"scenes": [released(relationships={})]},
                "masks": {"scenes": {"7": outlines()}},
            },
            'scene 0 lacks "left"',
        ),
        (
            {
                "scenes": {"scenes": [released()]},
                "masks": {"scenes": {"7": {"objects": outlines()["objects"][:2]}}},
            },
            "scene 7 has 3 objects, but masks of 2",
        ),
    ],
)
def test_files_of_scenes_that_cannot_be_used(
    tmp_path: Path, files: dict[str, Any], message: str
) -> None:
    write(tmp_path, **files)
    with pytest.raises(DataError, match=message):
        read_scenes(tmp_path / "scenes.json")


def test_an_unknown_value_is_named() -> None:
    wrong = released()
    wrong["objects"][0]["color"] = "grey"
    with pytest.raises(DataError, match=r'"grey" is not one of gray, .* did you mean "gray"'):
        scene_from_clevr(wrong, outlines())


def test_a_folder_without_scenes(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no CLEVR scenes"):
        read_all_scenes(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"scenes": []}, "holds no questions, refexps or expressions"),
        ({"questions": [{"question": "What?"}]}, "item 0 of .* is not as released: KeyError"),
        ({"refexps": ["the cube"]}, "item 0 of .* is not as released"),
    ],
)
def test_files_of_items_that_cannot_be_used(tmp_path: Path, content: Any, message: str) -> None:
    write(tmp_path, items=content)
    with pytest.raises(DataError, match=message):
        read_items(tmp_path / "items.json")
    (tmp_path / "items.json").write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match="is not JSON"):
        read_items(tmp_path / "items.json")


def test_what_is_right() -> None:
    question = Item(0, ("val", 0), "", "", (), "2", None, "")
    expression = Item(0, ("val", 0), "", "", (), None, frozenset({1, 2}), "")
    truth = Item(0, ("val", 0), "", "", (), "no", None, "")
    assert question.is_right(2)
    assert question.is_right("2")
    assert truth.is_right(False)
    assert not truth.is_right(0)
    assert expression.is_right([2, 1])
    assert not any(item.is_right(None) for item in (question, expression, truth))
    assert not expression.is_right({1})
    assert not question.is_right({2})


@pytest.fixture(scope="module")
def clevr(shared_data: Path) -> Path:
    folder = shared_data / "clevr"
    if not folder.is_dir():
        pytest.skip(f"CLEVR is not at {folder}")
    return folder


@pytest.fixture(scope="module")
def gold_scenes(clevr: Path) -> dict[SceneKey, Scene]:
    return read_all_scenes(clevr)


@pytest.mark.parametrize(
    ("name", "every"),
    [
        ("questions", 3),
        ("image_questions", 1),
        ("closure_252", 1),
        ("closure_val", 1),
        ("refexps", 1),
        ("image_refexps", 1),
        ("localization", 1),
    ],
)
def test_released_programs_give_the_gold_on_gold_scenes(
    clevr: Path, gold_scenes: dict[SceneKey, Scene], name: str, every: int
) -> None:
    items = read_items(clevr / f"{name}.json")[::every]
    assert len(items) > 100
    wrong = [
        item.index
        for item in items
        if not item.is_right(
            answer_of(REFERENCE.run(translate(item.program), gold_scenes[item.scene]))
        )
    ]
    assert not wrong


@pytest.fixture(scope="module")
def parser() -> Parser:
    if not models.is_present(PIPELINE):
        pytest.skip("the spaCy pipeline is not fetched")
    return Parser(models.path_of(PIPELINE), fallback=False)


SENTENCES: list[tuple[str, str | int | bool | frozenset[int]]] = [
    # Of the scene above: 0 a large red cube, 1 a small blue cube behind it, 2 a small red ball.
    ("How many blocks are visible?", 2),
    ("Are there any partially visible cubes in this picture?", True),
    ("the fully visible thing(s)", frozenset({0, 2})),
    ("There is a small cube; what is its color?", "blue"),
    ("There is a small cube; does it have the same size as the ball?", True),
    ("There is a red cube; how many small things are behind it?", 1),
    (
        "Find the first one of the thing(s) from left; The thing(s) that are right of it",
        frozenset({2}),
    ),
    ("The second one of the object(s) from right", frozenset({1})),
    ("The red things that are sphere(s) or small cube(s)", frozenset({2})),
    ("The block(s) from left that are red", frozenset({0})),
    ("Are the cubes the same size?", False),
    ("Are all the small things made of the same material?", True),
    ("How many different colors are there?", 2),
    ("How many different sizes of red things are there?", 2),
    ("What is the most common shape?", "cube"),
    ("What color are most of the objects?", "red"),
    ("What color are the red things?", "red"),
    ("Are there more red or blue objects?", "red"),
    ("Are there more cubes than spheres and cylinders combined?", True),
    ("If you removed the ball, how many things would be left?", 2),
    ("Besides the cubes, how many objects are there?", 1),
    ("What shape is the only small red thing?", "sphere"),
    ("What color block is behind the red cube?", "blue"),
    ("What shape is to the right of the cubes?", "sphere"),
    ("Do you see a blue ball?", False),
    ("How many things share a color with the ball?", 1),
    ("Is the ball made of the same material as the block behind the large thing?", True),
    ("The ball is made of what material?", "metal"),
]


@pytest.mark.parametrize(("text", "answer"), SENTENCES)
def test_sentences_about_a_scene(
    parser: Parser, scene: Scene, text: str, answer: str | int | bool | frozenset[int]
) -> None:
    given = answer_of(REFERENCE.run(parser.parse(text).program, scene))
    assert type(given) is type(answer)
    assert given == answer


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("questions", 90),
        ("image_questions", 25),
        ("closure_252", 30),
        ("closure_val", 40),
        ("refexps", 80),
        ("image_refexps", 20),
        ("localization", 15),
    ],
)
def test_texts_give_the_gold_on_gold_scenes(
    parser: Parser, clevr: Path, gold_scenes: dict[SceneKey, Scene], name: str, count: int
) -> None:
    items = read_items(clevr / f"{name}.json")
    sample = items[:: max(1, len(items) // count)]
    wrong = []
    for item in sample:
        try:
            program = parser.parse(item.text).program
            right = item.is_right(answer_of(REFERENCE.run(program, gold_scenes[item.scene])))
        except NeurosymError:
            right = False
        wrong += [] if right else [item.index]
    assert not wrong
