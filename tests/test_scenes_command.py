"""``neurosym scenes``: many images and videos from the command line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from neurosym import Scene, api
from neurosym.cli import main
from neurosym.errors import DataError
from neurosym.files import whole_lines
from neurosym.perception.base import Detections
from neurosym.perception.pipeline import Pipeline


class Dark:
    """Finds the dark part of a picture, a block; asked for the last image, it is interrupted."""

    name = "dark"
    categories = ("block",)
    fingerprint = "dark 1"
    interrupted_at: int | None = None

    def __init__(self) -> None:
        self.asked = 0

    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        found = []
        for image in images:
            if self.asked == self.interrupted_at:
                raise KeyboardInterrupt
            self.asked += 1
            y, x = np.nonzero(image.sum(axis=2) < 300)
            box = [[float(x.min()), float(y.min()), float(x.max() + 1), float(y.max() + 1)]]
            found.append(Detections(torch.tensor(box), torch.tensor([[0.9]])))
        return found


@pytest.fixture
def detector(monkeypatch: pytest.MonkeyPatch) -> Dark:
    dark = Dark()
    monkeypatch.setattr(api, "perception_of", lambda *_, **__: Pipeline(dark))
    return dark


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    source = tmp_path / "images"
    source.mkdir()
    for step in range(11):
        image = np.full((30, 60, 3), 255, dtype=np.uint8)
        image[10:20, 3 * step : 3 * step + 12] = (200, 0, 0)
        Image.fromarray(image).save(source / f"photo{step}.png")
    return source


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_folder_of_photographs_becomes_saved_scenes(
    detector: Dark, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "scenes"
    assert main(["scenes", str(folder), "--out", str(out), "--batch", "4", "--colors"]) == 0
    assert capsys.readouterr().out == f"11 scenes written to {out}\n"
    assert sorted(path.name for path in out.iterdir()) == sorted(
        f"photo{step}.png.json" for step in range(11)
    )
    scene = Scene.load(out / "photo10.png.json")
    assert scene.boxes.tolist() == [[30, 10, 42, 20]]
    colors = scene.attribute("color")
    assert colors.values[int(colors.probabilities[0].argmax())] == "red"
    assert bool(colors.evidence.all())


def test_frames_have_tracks(
    detector: Dark, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "scenes"
    assert main(["scenes", str(folder), "--frames", "--every", "2", "--out", str(out)]) == 0
    found = lines((out / "tracks.jsonl").read_text())
    assert [line["index"] for line in found] == [0, 2, 4, 6, 8, 10]
    assert [line["tracks"] for line in found] == [[0]] * 6
    for line in found:
        assert len(Scene.load(out / line["file"])) == 1


@pytest.mark.parametrize("to_file", [True, False])
def test_lines_hold_whole_scenes(
    detector: Dark,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    to_file: bool,
) -> None:
    out = tmp_path / "scenes.jsonl"
    options = ["--out", str(out)] if to_file else []
    assert main(["scenes", str(folder), *options]) == 0
    found = lines(out.read_text() if to_file else capsys.readouterr().out)
    assert [Path(line["path"]).name for line in found] == [f"photo{i}.png" for i in range(11)]
    assert found[2]["scene"]["boxes_xyxy"] == [[6, 10, 18, 20]]


def test_one_bad_file_costs_a_line(
    detector: Dark, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "photo3.png").write_bytes(b"no image")
    out = tmp_path / "scenes"
    assert main(["scenes", str(folder), "--out", str(out)]) == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert "photo3.png" in said.err
    assert said.out == f"10 scenes written to {out}, 1 failed\n"
    assert len(list(out.iterdir())) == 10


@pytest.mark.parametrize("name", ["scenes", "scenes.jsonl"])
def test_what_was_made_before_an_interruption_is_there(
    detector: Dark, folder: Path, tmp_path: Path, name: str
) -> None:
    detector.interrupted_at = 6
    out = tmp_path / name
    command = ["scenes", str(folder), "--out", str(out), "--batch", "2"]
    assert main([*command, "--cache", str(tmp_path / "cache")]) == 130
    assert len(lines(out.read_text()) if out.is_file() else list(out.iterdir())) == 6
    # And with a cache nothing is done twice.
    detector.interrupted_at = None
    assert main([*command, "--cache", str(tmp_path / "cache")]) == 0
    assert len(lines(out.read_text()) if out.is_file() else list(out.iterdir())) == 11
    assert detector.asked == 11


def test_one_photograph_uses_the_cache_too(detector: Dark, folder: Path, tmp_path: Path) -> None:
    for _ in range(2):
        photo, cache = str(folder / "photo1.png"), str(tmp_path / "cache")
        out = str(tmp_path / "scene.json")
        assert main(["scene", photo, "--cache", cache, "--out", out]) == 0
    assert detector.asked == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("{absent}",), "there is no video or folder"),
        (("{folder}", "--every", "2"), "--every and --fps are for videos"),
        (("{folder}", "--frames", "--fps", "2"), "a folder of frames has no clock"),
        (("{folder}", "--batch", "0"), "batch must be at least 1"),
        (("{folder}", "--out", "{file}/x"), "is not a folder"),
    ],
)
def test_what_is_refused_is_one_line_and_writes_nothing(
    detector: Dark,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    message: str,
) -> None:
    names = {"absent": tmp_path / "absent", "folder": folder, "file": folder / "photo0.png"}
    before = sorted(tmp_path.rglob("*"))
    assert main(["scenes", *(argument.format(**names) for argument in arguments)]) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_whole_lines_are_kept_when_work_is_broken_off(tmp_path: Path) -> None:
    def work(path: Path, *texts: str, error: BaseException | None = None) -> None:
        with whole_lines(path) as write:
            for text in texts:
                write(text)
            if error is not None:
                raise error

    path = tmp_path / "lines"
    with pytest.raises(KeyboardInterrupt):
        work(path, error=KeyboardInterrupt())
    assert list(tmp_path.iterdir()) == []
    work(path, "one")
    with pytest.raises(KeyboardInterrupt):
        work(path, "two", "three", error=KeyboardInterrupt())
    assert path.read_text() == "two\nthree\n"
    assert [p.name for p in tmp_path.iterdir()] == ["lines"]
    with pytest.raises(DataError):
        work(tmp_path / "absent" / "lines", "one")
