"""COCO panoptic: segments there and back, to the pixel."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from neurosym.errors import DataError
from neurosym.interchange.coco import crowds as instance_crowds
from neurosym.interchange.coco import from_coco, to_coco
from neurosym.interchange.panoptic import crowds, from_coco_panoptic, to_coco_panoptic
from neurosym.pixels import GivenMasks, ImageSize
from tests.scenes import make

PICTURE = np.zeros((4, 6, 3), dtype=np.uint8)
PICTURE[:2, :3] = (1, 2, 3)
PICTURE[2:, :2] = (7, 0, 0)
PICTURE[3, 5] = (9, 0, 0)
DOCUMENT: dict[str, Any] = {
    "info": {"year": 2026},
    "categories": [{"id": 1, "name": "person", "isthing": 1}, {"id": 199, "name": "wall"}],
    "images": [
        {"id": 5, "file_name": "five.jpg", "width": 6, "height": 4, "license": 1},
        {"id": 6, "file_name": "six.jpg", "width": 6, "height": 4},
    ],
    "annotations": [
        {
            **{"image_id": 5, "file_name": "five.png"},
            "segments_info": [
                {"id": 7, "category_id": 1, "bbox": [0, 2, 2, 2], "area": 4, "iscrowd": 1},
                {"id": 197121, "category_id": 199, "bbox": [0, 0, 3, 2], "area": 6, "iscrowd": 0},
                {"id": 9, "category_id": 1, "bbox": [5, 3, 1, 1.1], "area": 1, "iscrowd": 0},
            ],
        }
    ],
}


def test_things_and_stuff_are_objects_and_crowds_are_apart() -> None:
    scenes = from_coco_panoptic(DOCUMENT, {"five.png": PICTURE})
    assert [len(scene) for scene in scenes.values()] == [2, 0]
    wall, person = scenes[5].masks([0, 1])
    assert torch.equal(wall.nonzero().amax(0), torch.tensor([1, 2]))
    assert (int(wall.sum()), int(person.sum())) == (6, 1)
    assert scenes[5].categories.probabilities.tolist() == [[0, 1], [1, 0]]
    (crowd,) = crowds(scenes[5]).masks([0])
    assert torch.equal(crowd, torch.from_numpy(PICTURE[..., 0] == 7))


def test_document_and_pictures_are_written_as_they_were_read(tmp_path: Path) -> None:
    Image.fromarray(PICTURE).save(tmp_path / "five.png")
    before = copy.deepcopy(DOCUMENT)
    document, pictures = to_coco_panoptic(from_coco_panoptic(DOCUMENT, tmp_path))
    assert json.loads(json.dumps(document)) == before
    assert list(pictures) == ["five.png"]
    assert np.array_equal(pictures["five.png"], PICTURE)


def test_the_released_files_are_written_as_they_were_read(shared_data: Path) -> None:
    folder = shared_data / "coco"
    released = json.loads((folder / "panoptic.json").read_text())
    some = {**released, "images": released["images"][:12]}
    kept = {image["id"] for image in some["images"]}
    some["annotations"] = [a for a in released["annotations"] if a["image_id"] in kept]
    scenes = from_coco_panoptic(some, folder / "panoptic")
    document, pictures = to_coco_panoptic(scenes)
    assert document == some
    for name, made in pictures.items():
        with Image.open(folder / "panoptic" / name) as file:
            assert np.array_equal(made, np.array(file.convert("RGB")))


def test_an_object_that_is_dropped_is_painted_no_more() -> None:
    scenes = from_coco_panoptic(DOCUMENT, {"five.png": PICTURE})
    document, pictures = to_coco_panoptic({5: scenes[5][[1]]}, scenes.header)
    infos = document["annotations"][0]["segments_info"]
    assert [info["id"] for info in infos] == [7, 9]
    assert (pictures["five.png"][..., 0] == 1).sum() == 0
    assert (pictures["five.png"][..., 0] == 7).sum() == 4


def test_smaller_masks_are_painted_over_larger_ones() -> None:
    small, large = (torch.zeros((20, 30), dtype=torch.bool) for _ in range(2))
    small[3:5, 3:5] = True
    large[2:9, 2:9] = True
    scene = make(pixels=GivenMasks(ImageSize(20, 30), {0: small, 1: large}))[[0, 1]]
    document, pictures = to_coco_panoptic({"a.jpg": scene})
    again = from_coco_panoptic(document, pictures)[1]
    assert torch.equal(again.masks([0])[0], small)
    assert torch.equal(again.masks([1])[0], large & ~small)
    assert again.categories.values == ("cup", "plate")
    assert torch.equal(again.boxes, scene.boxes)
    # Run lengths and segments say the same.
    assert len(from_coco({**document, "annotations": []})) == 1


def test_crowds_go_from_instances_to_segments_and_back() -> None:
    scenes = from_coco_panoptic(DOCUMENT, {"five.png": PICTURE})
    instances = to_coco(scenes)
    assert [entry["iscrowd"] for entry in instances["annotations"]].count(1) == 1
    read = from_coco(instances)
    assert [len(scene) for scene in read.values()] == [2, 0]
    assert torch.equal(instance_crowds(read[5]).masks([0]), crowds(scenes[5]).masks([0]))
    assert torch.equal(instance_crowds(scenes[5]).masks([0]), crowds(scenes[5]).masks([0]))
    document, pictures = to_coco_panoptic(read)
    again = from_coco_panoptic(document, pictures)
    assert torch.equal(crowds(again[5]).masks([0]), crowds(scenes[5]).masks([0]))
    assert torch.equal(again[5].masks([0, 1]), scenes[5].masks([0, 1]))


def test_what_does_not_fit_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r'image 5: there is no picture "five\.png"'):
        from_coco_panoptic(DOCUMENT, {})
    with pytest.raises(DataError, match="cannot read the panoptic picture"):
        from_coco_panoptic(DOCUMENT, tmp_path)[5].masks([0])
    with pytest.raises(DataError, match=r"must be uint8 \[4, 6, 3\], not \[2, 6, 3\]"):
        from_coco_panoptic(DOCUMENT, {"five.png": PICTURE[:2]})[5].masks([0])
    twice = {**DOCUMENT, "annotations": DOCUMENT["annotations"] * 2}
    with pytest.raises(DataError, match="annotation 1: there is a second annotation 5"):
        from_coco_panoptic(twice, {"five.png": PICTURE})
    broken = copy.deepcopy(DOCUMENT)
    broken["annotations"][0]["segments_info"][1]["category_id"] = 3
    with pytest.raises(DataError, match="image 5: segment 1: there is no category 3"):
        from_coco_panoptic(broken, {"five.png": PICTURE})
