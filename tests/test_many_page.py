"""The page about many images runs as it stands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from neurosym.perception.base import Detections

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "many.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


class Balls:
    """Finds one ball, the dark part of a picture."""

    name = "balls"
    categories = ("ball",)
    fingerprint = "balls 1"

    def __init__(self) -> None:
        self.seen = 0

    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        self.seen += len(images)
        found = []
        for image in images:
            y, x = np.nonzero(image.sum(axis=2) < 300)
            box = [[float(x.min()), float(y.min()), float(x.max() + 1), float(y.max() + 1)]]
            found.append(Detections(torch.tensor(box), torch.tensor([[0.9]])))
        return found


def test_the_examples_run(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for step in range(11):
        image = np.full((30, 60, 3), 255, dtype=np.uint8)
        image[10:20, 3 * step : 3 * step + 12] = (200, 0, 0)
        Image.fromarray(image).save(folder / f"frame{step}.png")
    bad = folder / "notes.txt"
    bad.write_text("no image")
    detector = Balls()
    names: dict[str, Any] = {
        "detector": detector,
        "folder": folder,
        "paths": [folder / "frame0.png", bad, folder / "frame10.png"],
        "cache": tmp_path / "cache",
    }
    assert len(BLOCKS) == 5
    exec(BLOCKS[0], names)
    assert names["counts"] == [1] * 11
    exec(BLOCKS[1], names)
    assert list(names["failed"]) == ["notes.txt"]
    before = detector.seen
    exec(BLOCKS[2], names)
    assert detector.seen == before + 1
    assert torch.equal(names["first"].boxes, names["again"].boxes)
    exec(BLOCKS[3], names)
    assert names["seen"] == {index: [0] for index in range(0, 11, 2)}
    exec(BLOCKS[4], names)
    assert names["answers"] == list(names["seen"].items())


@pytest.mark.parametrize("option", ["--out", "--fps", "--frames", "--every", "--cache"])
def test_the_options_that_it_names_are_there(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from neurosym.cli import main

    assert option in PAGE
    with pytest.raises(SystemExit):
        main(["scenes", "--help"])
    assert option in capsys.readouterr().out
