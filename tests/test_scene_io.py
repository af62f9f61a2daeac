"""Scenes as files: saved without loss, and refused when damaged."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurosym.errors import SceneError
from neurosym.origin import Origin
from neurosym.pixels import GivenMasks
from neurosym.scene import Scene
from neurosym.scene_io import FORMAT, from_document, to_document
from tests.executors.strategies import scenes
from tests.scenes import SIZE, CountingPixels, make

# Saving


def same(one: Scene, other: Scene) -> bool:
    return to_document(one) == to_document(other)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(scene=st.booleans().flatmap(lambda crisp: scenes(crisp=crisp)), data=st.data())
def test_a_scene_is_saved_without_loss(tmp_path: Path, scene: Scene, data: st.DataObject) -> None:
    chosen = data.draw(st.sets(st.integers(0, max(0, len(scene) - 1)), max_size=len(scene)))
    masks = {
        i: torch.from_numpy(
            np.random.default_rng(data.draw(st.integers(0, 99))).random(scene.size) < 0.5
        )
        for i in chosen
    }
    pixels = GivenMasks(scene.size, masks) if masks else None
    scene = replace(scene, pixels=pixels, provenance={"détecteur": "ø"})
    path = tmp_path / "scene.json"
    scene.save(path)
    again = Scene.load(path)
    assert torch.equal(again.boxes, scene.boxes)
    assert torch.equal(again.existence, scene.existence)
    assert torch.equal(again.groups, scene.groups)
    for one, other in (
        (again.categories, scene.categories),
        *((again.attributes[name], scene.attributes[name]) for name in scene.attributes),
    ):
        assert torch.equal(one.probabilities, other.probabilities)
        assert torch.equal(one.evidence, other.evidence)
        assert (one.values, one.source) == (other.values, other.source)
    for name, relation in scene.relations.items():
        assert torch.equal(again.relations[name].probabilities, relation.probabilities)
    assert again.concepts == scene.concepts
    assert again.provenance == scene.provenance
    kept = {} if again.pixels is None else again.pixels.known_masks()
    assert kept.keys() == masks.keys()
    assert all(torch.equal(kept[i], mask) for i, mask in masks.items())
    assert same(again, scene)


def test_everything_of_a_scene_is_saved(tmp_path: Path) -> None:
    pixels = CountingPixels()
    scene = make(pixels=pixels, origin=Origin("coco", {"license": 4}, ({"id": 7}, {})))
    scene.save(tmp_path / "new folder" / "scene.json")
    again = Scene.load(str(tmp_path / "new folder" / "scene.json"))
    assert same(again, replace(scene, pixels=GivenMasks(SIZE, pixels.known_masks())))
    assert again.size == SIZE
    assert again.size.height == 20
    assert again.measures["area"].approximate
    behind = again.relations["behind"]
    assert behind.approximate
    assert behind.evidence is not None
    assert torch.equal(behind.evidence, torch.eye(3).bool())
    assert again.relations["left_of"].evidence is None
    assert again.concepts["dish"].source == "a hunch"
    assert again.origin == scene.origin
    assert again.distances is not None
    assert torch.equal(again.masks([1]), scene.masks([1]))
    assert [path.name for path in (tmp_path / "new folder").iterdir()] == ["scene.json"]


def test_an_empty_scene_and_one_without_extras_are_saved(tmp_path: Path) -> None:
    for scene in (Scene.empty((3, 4)), make(distances=None), make()[[]]):
        scene.save(tmp_path / "s.json")
        assert same(Scene.load(tmp_path / "s.json"), scene)


def test_saving_anew_replaces_the_file(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    make().save(path)
    Scene.empty((3, 4)).save(path)
    assert len(Scene.load(path)) == 0


def test_a_saved_scene_has_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    make().save(tmp_path / "s.json")
    assert (tmp_path / "s.json").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_scene_saved_with_some_masks_still_gives_all(tmp_path: Path) -> None:
    make(pixels=CountingPixels()).save(tmp_path / "s.json")
    assert Scene.load(tmp_path / "s.json").masks([0, 1]).shape == (2, 20, 30)


@pytest.mark.parametrize("target", ["file/scene.json", "folder", "x" * 300])
def test_what_cannot_be_written_is_one_line_and_leaves_nothing(tmp_path: Path, target: str) -> None:
    (tmp_path / "file").write_text("kept")
    (tmp_path / "folder").mkdir()
    with pytest.raises(SceneError) as caught:
        make().save(tmp_path / target)
    assert caught.value.message.startswith(('cannot write "', 'cannot make the folder "'))
    assert "\n" not in caught.value.message
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]
    assert list((tmp_path / "folder").iterdir()) == []
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(SceneError, match="Permission denied"):
            make().save(tmp_path / "s.json")
    finally:
        tmp_path.chmod(0o700)


def test_a_failure_while_writing_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.json"
    Scene.empty((3, 4)).save(path)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(SceneError, match="No space left on device"):
        make().save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["s.json"]


# Files that are no scenes


def refused(path: Path) -> str:
    with pytest.raises(SceneError) as caught:
        Scene.load(path)
    assert "\n" not in caught.value.message
    assert str(path) in caught.value.message
    return caught.value.message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"\xff\xfe\x00", "is not JSON"),
        (b"\x00" * 20, "is not JSON"),
        (b"[]", "is not a saved scene"),
        (b"3", "is not a saved scene"),
        (b"{}", "is not a saved scene"),
        (b'{"format": "neurosym-scene/0"}', "is not a saved scene"),
        (b'{"format": ["neurosym-scene/3"]}', "is not a saved scene"),
        (b'{"format": "neurosym-scene/3"}', "lacks"),
    ],
)
def test_a_file_that_is_no_scene(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    assert message in refused(path)


def test_a_file_that_is_not_there_or_a_folder(tmp_path: Path) -> None:
    assert "No such file" in refused(tmp_path / "missing.json")
    assert "Is a directory" in refused(tmp_path)


def test_a_scene_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    make().save(path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        assert "is not JSON" in refused(path)


DOCUMENT = to_document(make(pixels=CountingPixels()))
DAMAGE: list[tuple[str, Any]] = [
    *[
        (name, None)
        for name in DOCUMENT
        if name not in ("format", "distances", "provenance", "origin")
    ],
    *[(name, 5) for name in DOCUMENT if name not in ("format", "provenance")],
    ("boxes_xyxy", [[1, 2, 3]]),
    ("boxes_xyxy", [["a"] * 4] * 3),
    ("existence", [2.0, 0.0, 0.0]),
    ("existence", [0.5]),
    ("groups", [2**70, 1, 1]),
    ("groups", [1e30, 1, 1]),
    ("size", {"height": 0, "width": 30}),
    ("size", {"height": 20}),
    ("size", {"height": "20", "width": "30"}),
    ("masks", {"x": {"size": [20, 30], "counts": [600]}}),
    ("masks", {"0": {"size": [20, 31], "counts": [620]}}),
    ("masks", {"0": {"size": [20, 30], "counts": [-1, 601]}}),
    ("masks", {"0": {"size": [20, 30], "counts": [0.5, 599.5]}}),
    ("relations", {"on": {"pairs": [[0, 3, 1.0]], "source": "x", "approximate": False}}),
    ("relations", {"on": {"pairs": [[0, 1]], "source": "x", "approximate": False}}),
    ("relations", {"on": {"pairs": [[0, 0, 1.0]], "source": "x", "approximate": False}}),
    ("concepts", {"dish": {"categories": ["bowl"], "approximate": False}}),
    ("origin", {"format": "coco", "image": {}, "objects": [{}] * 4}),
]


@pytest.mark.parametrize(
    ("part", "value"),
    [
        pytest.param(
            part,
            value,
            id=f"{part}-{value}"[:60],
        )
        for part, value in DAMAGE
    ],
)
def test_a_scene_with_a_damaged_part(tmp_path: Path, part: str, value: Any) -> None:
    path = tmp_path / "bad.json"
    path.write_text(json.dumps({**DOCUMENT, part: value}))
    refused(path)


@pytest.mark.parametrize("part", [name for name in DOCUMENT if name != "format"])
def test_a_scene_that_lacks_a_part(tmp_path: Path, part: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(json.dumps({name: v for name, v in DOCUMENT.items() if name != part}))
    assert part in refused(path)


def test_a_deeply_nested_file(tmp_path: Path) -> None:
    path = tmp_path / "deep.json"
    path.write_text("[" * 100_000)
    refused(path)


def test_relations_and_masks_of_objects_that_are_not_there_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    saved = {"pairs": [[0, -1, 1.0]], "source": "x", "approximate": False}
    path.write_text(json.dumps({**DOCUMENT, "relations": {"on": saved}}))
    refused(path)


def test_the_document_is_plain_json() -> None:
    text = json.dumps(DOCUMENT, allow_nan=False)
    assert json.loads(text)["format"] == FORMAT
    assert same(from_document(json.loads(text)), from_document(DOCUMENT))
