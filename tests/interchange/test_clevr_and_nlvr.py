"""CLEVR and NLVR: the released files are written as they were read."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from neurosym.errors import DataError
from neurosym.interchange.clevr import from_clevr, to_clevr
from neurosym.interchange.nlvr import from_nlvr, to_nlvr
from neurosym.scene_io import to_document
from tests.scenes import make


def thing(shape: str, x: int, depth: float) -> dict[str, Any]:
    return {
        **{"color": "red", "size": "small", "shape": shape, "material": "metal"},
        **{"rotation": 178.92387258999463, "3d_coords": [x / 10, 0.1, 0.35]},
        "pixel_coords": [x, 20, depth],
    }


SCENES: dict[str, Any] = {
    "info": {"split": "val"},
    "scenes": [
        {
            **{"image_index": 7, "split": "val", "image_filename": "seven.png"},
            "directions": {"left": [-1.0, 0.0, 0.0]},
            "objects": [thing("cube", 3, 9.123456789), thing("sphere", 8, 8.5)],
            "relationships": {"left": [[], [0]], "right": [[1], []], "front": [[1], []]}
            | {"behind": [[], [0]]},
        }
    ],
}
MASKS: dict[str, Any] = {
    "info": {"objects": 2},
    "scenes": {
        "7": {
            **{"image_filename": "seven.png", "camera": [7.5, -6.5, 5.0]},
            "objects": [
                {
                    **{"bbox": [x, 1, 2, 2], "area": 4, "amodal_bbox": [x, 1, 2, 3]},
                    "segmentation": {"size": [4, 12], "counts": [4 * x + 1, 2, 2, 2, 41 - 4 * x]},
                }
                for x in (2, 7)
            ],
        }
    },
}
LINES: list[dict[str, Any]] = [
    {
        **{"sentence": "There is a square", "label": "true", "identifier": "1-0", "evals": {}},
        "structured_rep": [
            [{"y_loc": 70, "type": "square", "color": "#0099ff", "x_loc": 3, "size": 30}],
            [],
            [
                {"y_loc": 0, "type": "circle", "color": "Black", "x_loc": 90, "size": 10},
                {"y_loc": 20, "type": "triangle", "color": "Yellow", "x_loc": 2, "size": 20},
            ],
        ],
    }
]


def test_clevr_is_written_as_it_was_read() -> None:
    scenes = from_clevr(SCENES, MASKS)
    assert list(scenes) == [("val", 7)]
    before = copy.deepcopy((SCENES, MASKS))
    assert json.loads(json.dumps(to_clevr(scenes))) == json.loads(json.dumps(before))
    scene = scenes["val", 7]
    again = from_clevr(*to_clevr(scenes))["val", 7]
    assert to_document(again) == to_document(scene)
    (half,), masks = (part["scenes"] for part in to_clevr({("val", 7): scene[[1]]}))
    assert half["objects"] == SCENES["scenes"][0]["objects"][1:]
    assert half["relationships"] == {"left": [[]], "right": [[]], "front": [[]], "behind": [[]]}
    assert masks["7"]["objects"] == MASKS["scenes"]["7"]["objects"][1:]


@pytest.mark.parametrize("prefix", ["", "image_", "closure_", "localization_"])
def test_released_clevr_files_are_written_as_they_were_read(shared_data: Path, prefix: str) -> None:
    read = [
        json.loads((shared_data / "clevr" / f"{prefix}{part}.json").read_text())
        for part in ("scenes", "masks")
    ]
    scenes, masks = (
        {**part, "scenes": dict(list(part["scenes"].items())[:40])}
        if isinstance(part["scenes"], dict)
        else {**part, "scenes": part["scenes"][:40]}
        for part in read
    )
    assert to_clevr(from_clevr(scenes, masks)) == (scenes, masks)


def test_only_clevr_can_be_written_as_clevr() -> None:
    with pytest.raises(DataError, match="scene 1: only what was read from CLEVR"):
        to_clevr(make())


def test_nlvr_is_written_as_it_was_read() -> None:
    scenes = from_nlvr(LINES)
    assert to_nlvr(scenes) == LINES
    assert json.loads(json.dumps(to_nlvr(scenes))) == LINES
    again = from_nlvr(to_nlvr(scenes))["1-0"]
    assert to_document(again) == to_document(scenes["1-0"])
    # Without the file's remarks, the items are still all there.
    scene = scenes["1-0"][torch.arange(len(scenes["1-0"]))]
    assert to_nlvr(scene)[0]["structured_rep"] == LINES[0]["structured_rep"]


def test_released_nlvr_lines_are_written_as_they_were_read(shared_data: Path) -> None:
    text = (shared_data / "nlvr" / "dev.json").read_text()
    lines = [json.loads(line) for line in text.splitlines()[::25]]
    assert len(lines) == 40
    assert to_nlvr(from_nlvr(lines)) == lines


def test_what_nlvr_cannot_say_is_refused() -> None:
    with pytest.raises(DataError, match='scene 1: NLVR has no "cup"'):
        to_nlvr(make())
    with pytest.raises(DataError, match="line 2: there is a line 1-0 already"):
        from_nlvr(LINES * 2)
