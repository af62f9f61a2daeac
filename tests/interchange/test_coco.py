"""COCO instances and results: there and back, and what is refused."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from neurosym.errors import DataError
from neurosym.interchange.coco import (
    crowds,
    from_coco,
    from_coco_results,
    to_coco,
    to_coco_results,
)
from neurosym.pixels import GivenMasks, ImageSize
from neurosym.scene_io import to_document
from tests.scenes import make

RUNS = {"size": [40, 60], "counts": [410, 30, 10, 30, 1920]}
DOCUMENT: dict[str, Any] = {
    "info": {"year": 2026},
    "licenses": [{"id": 4, "name": "a licence"}],
    "images": [
        {"id": 9, "file_name": "b.jpg", "width": 60, "height": 40, "license": 4},
        {"id": 3, "file_name": "a.jpg", "width": 30, "height": 20},
    ],
    "categories": [
        {"id": 17, "name": "cat", "supercategory": "animal", "isthing": 1},
        {"id": 95, "name": "wall", "isthing": 0},
    ],
    "annotations": [
        {
            **{"id": 1, "image_id": 9, "category_id": 17, "iscrowd": 0, "area": 702.10574999},
            **{"bbox": [10.07, 10.5, 2.01, 30.123456789], "segmentation": RUNS},
        },
        {
            **{"id": 2, "image_id": 9, "category_id": 17, "iscrowd": 1, "area": 60},
            **{"bbox": [10, 10, 2, 30], "segmentation": RUNS},
        },
        {
            **{"id": 5, "image_id": 9, "category_id": 95, "iscrowd": 0, "area": 100},
            **{"bbox": [5, 5, 10, 10], "segmentation": [[5, 5, 15, 5, 15, 15, 5, 15]]},
        },
        {
            **{"id": 6, "image_id": 9, "category_id": 95, "iscrowd": 0, "area": 60, "score": 0.3},
            **{"bbox": [10, 10, 2, 30], "segmentation": {"size": [40, 60], "counts": "j<n0:0fk1"}},
            **{"keypoints": [1, 2, 2], "num_keypoints": 1},
        },
    ],
}


def test_boxes_masks_and_names_are_those_of_the_file() -> None:
    scenes = from_coco(DOCUMENT)
    assert list(scenes) == [9, 3]
    assert [len(scene) for scene in scenes.values()] == [3, 0]
    scene = scenes[9]
    assert scene.size == ImageSize(height=40, width=60)
    assert scene.categories.values == ("cat", "wall")
    assert scene.categories.probabilities.tolist() == [[1, 0], [0, 1], [0, 1]]
    assert scene.existence.tolist() == pytest.approx([1, 1, 0.3])
    assert scene.boxes[1].tolist() == [5, 5, 15, 15]
    runs, square, _ = scene.masks([0, 1, 2])
    assert (int(runs.sum()), bool(runs[10, 10]), bool(runs[10, 11])) == (60, True, True)
    assert bool(square[5:15, 5:15].all())
    assert int(square.sum()) == 100
    assert scene.category_indices("kitten") == (0,)
    assert scene.relation("left_of").probabilities.shape == (3, 3)


def test_a_crowd_is_no_object_of_its_scene_but_can_be_had() -> None:
    apart = crowds(from_coco(DOCUMENT)[9])
    assert apart.boxes.tolist() == [[10, 10, 12, 40]]
    assert apart.categories.values[int(apart.categories.probabilities.argmax())] == "cat"
    assert int(apart.masks([0]).sum()) == 60
    assert len(crowds(from_coco(DOCUMENT)[3])) == 0
    assert len(crowds(make())) == 0


def test_a_document_is_written_as_it_was_read() -> None:
    before = copy.deepcopy(DOCUMENT)
    written = to_coco(from_coco(DOCUMENT))
    assert json.loads(json.dumps(written)) == before
    assert before == DOCUMENT


def test_the_released_files_are_written_as_they_were_read(shared_data: Path) -> None:
    document = json.loads((shared_data / "coco" / "instances.json").read_text())
    scenes = from_coco(document)
    assert sum(map(len, scenes.values())) == 545
    assert sum(len(crowds(scene)) for scene in scenes.values()) == 3
    assert to_coco(scenes) == document


def test_what_was_chosen_or_changed_is_what_is_written() -> None:
    scenes = from_coco(DOCUMENT)
    written = to_coco({9: scenes[9][[2, 0]]}, scenes.header)
    assert [entry["id"] for entry in written["annotations"]] == [1, 2, 6]
    assert written["annotations"][0] == DOCUMENT["annotations"][0]
    moved = scenes[9][[0]]
    moved.boxes[0] += 1
    again = to_coco({9: moved}, scenes.header)["annotations"][0]["bbox"]
    assert again == pytest.approx([11.07, 11.5, 2.01, 30.123457])


def test_any_scene_is_written_and_read_again() -> None:
    masks = {1: torch.zeros((20, 30), dtype=torch.bool)}
    masks[1][3:8, 4:9] = True
    scene = make(pixels=GivenMasks(ImageSize(20, 30), masks))
    document = json.loads(json.dumps(to_coco({"one.png": scene, "two.png": make()[[0]]})))
    assert [image["file_name"] for image in document["images"]] == ["one.png", "two.png"]
    assert [entry["id"] for entry in document["annotations"]] == [1, 2, 3, 4]
    assert document["annotations"][1]["area"] == 25
    assert document["annotations"][0]["area"] == 100
    again = from_coco(document)[1]
    assert torch.equal(again.boxes, scene.boxes)
    assert again.categories.values == scene.categories.values
    # Detections are uncertain twice over: whether there is something, and what.
    assert again.existence.tolist() == pytest.approx([0.9 * 0.8, 0.6 * 0.75, 0.3])
    assert torch.equal(again.masks([1])[0], masks[1])
    once_more = from_coco(to_coco({1: again}))[1]
    assert to_document(once_more)["boxes_xyxy"] == to_document(again)["boxes_xyxy"]
    assert torch.equal(once_more.existence, again.existence)


def test_results_are_written_as_they_were_read() -> None:
    results = [
        {"image_id": 9, "category_id": 95, "bbox": [1.25, 2, 3, 4], "score": 0.123456789012},
        {
            **{"image_id": 9, "category_id": 17, "bbox": [10, 10, 2, 30], "score": 1.0},
            "segmentation": RUNS,
        },
        {"image_id": 3, "category_id": 17, "bbox": [1, 2, 3, 4], "score": 0.5},
    ]
    scenes = from_coco_results(results, DOCUMENT)
    assert scenes[9].existence.tolist() == pytest.approx([0.123456789, 1.0])
    assert to_coco_results(scenes) == results
    assert to_coco_results(from_coco(DOCUMENT))[0] == {
        **{"image_id": 9, "category_id": 17, "bbox": DOCUMENT["annotations"][0]["bbox"]},
        **{"segmentation": RUNS, "score": 1},
    }


def test_areas_and_masks_agree_with_coco(tmp_path: Path) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(to_coco(from_coco(DOCUMENT))))
    api = coco.COCO(str(path))
    scene = from_coco(DOCUMENT)[9]
    for row, number in enumerate((1, 5, 6)):
        mask = torch.from_numpy(api.annToMask(api.anns[number])).bool()
        assert torch.equal(mask, scene.masks([row])[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("annotations", 0, "image_id", 8), "annotation 0: there is no image 8"),
        (("annotations", 2, "category_id", 1), "annotation 2: there is no category 1"),
        (("annotations", 2, "bbox", [1, 2, 3]), r"annotation 2: a box must be x, y, width, height"),
        (("annotations", 2, "bbox", [1, 2, -3, 4]), "annotation 2: a box must be"),
        (("annotations", 2, "score", 7), r"annotation 2: the score must lie in \[0, 1\], not 7"),
        (("images", 1, "id", 9), "two images have one identifier"),
        (("images", 1, "height", "tall"), "image 3 is not of the format"),
        (("categories", 1, "name", "cat"), "one identifier or one name"),
        (("annotations", 0, "bbox", None), "annotation 0 is not of the format"),
    ],
)
def test_what_does_not_fit_is_one_line(change: tuple[Any, ...], message: str) -> None:
    document = copy.deepcopy(DOCUMENT)
    part, number, field, value = change
    document[part][number][field] = value
    with pytest.raises(DataError, match=message) as caught:
        from_coco(document)
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("part", ["images", "categories", "annotations"])
def test_a_missing_part_is_named(part: str) -> None:
    document = {name: value for name, value in DOCUMENT.items() if name != part}
    with pytest.raises(DataError, match=f'lacks "{part}"'):
        from_coco(document)
