"""Scenes on disk: found again, as good as new, never stale, safe to share."""

from __future__ import annotations

import copy
import gzip
import json
import subprocess
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from neurosym import Grounder, Scene
from neurosym.cli import main
from neurosym.errors import DataError, OptionError
from neurosym.grammar import Parser
from neurosym.models.store import path_of
from neurosym.perception.base import Detections, Perception
from neurosym.perception.fingerprint import digest
from neurosym.perception.pipeline import Pipeline
from neurosym.pixels import DepthMap
from neurosym.scene_cache import CachedPerception, clear, contents, key_of
from neurosym.scene_io import to_document

ROOT = Path(__file__).resolve().parents[1]
IMAGE = np.full((60, 80, 3), (200, 20, 20), dtype=np.uint8)
CUP, DOG = (5.0, 5.0, 25.0, 25.0), (40.0, 10.0, 70.0, 50.0)


@dataclass
class Boxes:
    """A detector of cups and dogs; how often it was asked is told apart from what it is."""

    scores: tuple[tuple[float, ...], ...] = ((0.9, 0.1), (0.0, 0.7))
    asked: list[int] = field(default_factory=list)
    name: str = "boxes"
    categories: tuple[str, ...] = ("cup", "dog")
    masks: Tensor | None = None

    @property
    def fingerprint(self) -> str:
        return digest(self.scores, self.masks)

    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        self.asked.append(len(images))
        found = Detections(torch.tensor([CUP, DOG]), torch.tensor(self.scores), self.masks)
        return [found for _ in images]


@dataclass
class Halves:
    """A segmenter that takes the left half of a box."""

    fingerprint: str = "halves 1"
    asked: list[int] = field(default_factory=list)

    def encode(self, image: np.ndarray) -> Any:
        return image.shape[:2]

    def masks(self, embedding: Any, boxes: Tensor) -> tuple[Tensor, Tensor]:
        self.asked.append(len(boxes))
        made = torch.zeros((len(boxes), *embedding), dtype=torch.bool)
        for row, (x1, y1, x2, y2) in enumerate(boxes.int().tolist()):
            made[row, y1:y2, x1 : (x1 + x2) // 2] = True
        return made, torch.ones(len(boxes))


@dataclass
class Lamps:
    """An open vocabulary that finds whatever it is asked for at one place."""

    name: str = "lamps"
    fingerprint: str = "lamps 1"
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def detect_phrases(
        self, images: Sequence[np.ndarray], phrases: Sequence[str]
    ) -> list[Detections]:
        self.asked.append(tuple(phrases))
        box = torch.tensor([[30.0, 30, 38, 50]])
        return [Detections(box, torch.full((1, len(phrases)), 0.8)) for _ in images]


@dataclass
class Words:
    """Every word describes everything a little, and everything rides everything."""

    name: str = "words"
    fingerprint: str = "words 1"
    asked: list[str] = field(default_factory=list)

    def attributes(
        self, image: np.ndarray, boxes: Tensor, nouns: Sequence[str], values: Sequence[str]
    ) -> Tensor:
        self.asked += values
        return torch.full((len(boxes), len(values)), 0.8)

    def relations(
        self,
        image: np.ndarray,
        figures: Tensor,
        landmarks: Tensor,
        nouns: Sequence[tuple[str, str]],
        relation: str,
    ) -> Tensor:
        self.asked.append(relation)
        return torch.full((len(figures),), 0.9)


@pytest.fixture(scope="module")
def parser() -> Parser:
    return Parser(path_of("en-core-web-sm"))


def entries(folder: Path, suffix: str = ".scene.json.gz") -> list[Path]:
    return sorted(folder.rglob(f"*{suffix}"))


def test_a_picture_is_perceived_once(tmp_path: Path) -> None:
    boxes = Boxes()
    first = CachedPerception(Pipeline(boxes), tmp_path).perceive(IMAGE)
    assert boxes.asked == [1]
    again = Boxes()
    second = CachedPerception(Pipeline(again), tmp_path).perceive(IMAGE.copy())
    assert again.asked == []
    assert to_document(second) == to_document(first)
    other = IMAGE.copy()
    other[0, 0, 0] ^= 1
    CachedPerception(Pipeline(again), tmp_path).perceive(other)
    assert again.asked == [1]


def test_the_key_is_the_shape_and_the_pixels() -> None:
    assert key_of(IMAGE) == key_of(IMAGE[:, ::-1])
    assert key_of(IMAGE) == key_of(np.asfortranarray(IMAGE))
    assert key_of(IMAGE) != key_of(IMAGE.reshape(80, 60, 3))
    assert len({key_of(IMAGE), key_of(IMAGE[:30]), key_of(255 - IMAGE)}) == 3


def test_only_the_new_ones_of_a_batch_are_perceived(tmp_path: Path) -> None:
    boxes = Boxes()
    cached = CachedPerception(Pipeline(boxes), tmp_path)
    cached.perceive(IMAGE)
    images = [255 - IMAGE, IMAGE, IMAGE[:50]]
    scenes = list(cached.perceive_many(images, batch=3))
    assert boxes.asked == [1, 2]
    assert [scene.size.height for scene in scenes] == [60, 60, 50]
    pictures = [scene.pixels.image() for scene in scenes if scene.pixels is not None]
    for image, picture in zip(images, pictures, strict=True):
        assert picture is not None
        assert np.array_equal(picture.numpy(), image)


def test_a_scene_from_the_cache_answers_like_a_new_one(tmp_path: Path, parser: Parser) -> None:
    texts = ("the red cup", "the old dog", "the dog riding the cup", "lamps")

    def ask(cache: Path | bool) -> tuple[list[Any], list[Any]]:
        boxes, halves, lamps, words = Boxes(), Halves(), Lamps(), Words()
        pipeline = Pipeline(
            boxes, segmenter=halves, open_detector=lamps, attributes=words, relations=words
        )
        grounder = Grounder(pipeline, parser, cache=cache)
        scene = grounder.perceive(IMAGE)
        results = [grounder.ground(scene, text) for text in texts]
        answers = [
            (result.status, result.boxes.tolist(), result.probability, result.masks.tolist())
            for result in results
        ]
        grounder.keep(scene)
        return answers, [boxes.asked, lamps.asked, words.asked, halves.asked]

    fresh, asked = ask(False)
    assert [status for status, *_ in fresh] == ["ok"] * 4
    assert all(asked)
    assert ask(tmp_path) == (fresh, asked)
    again, (boxes, lamps, words, halves) = ask(tmp_path)
    assert again == fresh
    assert (boxes, lamps, words) == ([], [], [])
    # Of what was found later, masks are not kept.
    assert len(halves) < len(asked[3])


def test_masks_that_were_made_are_kept(tmp_path: Path) -> None:
    def made() -> tuple[CachedPerception, Halves]:
        halves = Halves()
        return CachedPerception(Pipeline(Boxes(), segmenter=halves), tmp_path), halves

    cached, _ = made()
    scene = cached.perceive(IMAGE)
    cached.keep(scene)
    assert not entries(tmp_path, ".made.json.gz")
    masks = scene.masks([1])
    cached.keep(scene)
    (entry,) = entries(tmp_path, ".made.json.gz")
    state = entry.stat()
    cached.keep(scene)
    assert entry.stat().st_ino == state.st_ino, "nothing new was made"
    again, other = made()
    scene = again.perceive(IMAGE)
    assert torch.equal(scene.masks([1]), masks)
    assert other.asked == []
    # And what comes to it stands beside the old.
    scene.masks([0])
    again.keep(scene)
    last, other = made()
    last.perceive(IMAGE).masks([0, 1])
    assert other.asked == []


def test_a_detectors_own_masks_are_kept_with_the_scene(tmp_path: Path) -> None:
    masks = torch.zeros((2, *IMAGE.shape[:2]), dtype=torch.bool)
    masks[0, 10, 10] = True
    for _ in range(2):
        scene = CachedPerception(Pipeline(Boxes(masks=masks)), tmp_path).perceive(IMAGE)
        assert torch.equal(scene.masks([0, 1]), masks)


@pytest.mark.parametrize(
    "change",
    [
        lambda: Pipeline(Boxes(scores=((0.8, 0.1), (0.0, 0.7)))),
        lambda: Pipeline(Boxes(), segmenter=Halves()),
        lambda: Pipeline(Boxes(), segmenter=Halves("halves 2")),
        lambda: Pipeline(Boxes(), name="other"),
        lambda: Pipeline(open_detector=Lamps()),
    ],
)
def test_another_perception_has_its_own_scenes(
    tmp_path: Path, change: Callable[[], Pipeline]
) -> None:
    CachedPerception(Pipeline(Boxes()), tmp_path).perceive(IMAGE)
    CachedPerception(change(), tmp_path).perceive(IMAGE)
    assert len(entries(tmp_path)) == 2
    assert len(contents(tmp_path)) == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-40]),
        lambda path: path.write_bytes(gzip.compress(b"[1, 2]")),
        lambda path: path.write_bytes(gzip.compress(b'{"format": "neurosym-scene/3"}')),
        lambda path: path.write_bytes(
            gzip.compress(gzip.decompress(path.read_bytes()).replace(b"60", b"61"))
        ),
        lambda path: path.unlink(),
    ],
)
def test_a_damaged_entry_is_made_again(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    expected = to_document(CachedPerception(Pipeline(Boxes()), tmp_path).perceive(IMAGE))
    (entry,) = entries(tmp_path)
    damage(entry)
    boxes = Boxes()
    scene = CachedPerception(Pipeline(boxes), tmp_path).perceive(IMAGE)
    assert boxes.asked == [1]
    assert to_document(scene) == expected
    assert json.loads(gzip.decompress(entry.read_bytes())) == json.loads(json.dumps(expected))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        gzip.compress(b"{}"),
        gzip.compress(b'{"format": "neurosym-scene-cache/1", "masks": {"0": {"size": [1, 1]}}}'),
    ],
)
def test_damaged_masks_are_made_again(tmp_path: Path, content: bytes) -> None:
    for _ in range(2):
        halves = Halves()
        cached = CachedPerception(Pipeline(Boxes(), segmenter=halves), tmp_path)
        scene = cached.perceive(IMAGE)
        assert scene.masks([0]).sum() == 10 * 20
        assert halves.asked == [1]
        cached.keep(scene)
        (entry,) = entries(tmp_path, ".made.json.gz")
        entry.write_bytes(content)


def test_a_picture_with_its_own_depth_is_not_cached(tmp_path: Path) -> None:
    boxes = Boxes()
    cached = CachedPerception(Pipeline(boxes), tmp_path)
    depth = DepthMap(torch.ones(IMAGE.shape[:2]))
    for _ in range(2):
        scene = cached.perceive(IMAGE, depth=depth)
        assert scene.pixels is not None
        assert scene.pixels.depth() is depth
    assert boxes.asked == [1, 1]
    assert not entries(tmp_path)


def test_what_cannot_tell_when_it_changes_is_refused(tmp_path: Path) -> None:
    class Own(Perception):
        name = "own"

        def perceive(self, image: np.ndarray, *, depth: DepthMap | None = None) -> Scene:
            return Scene.empty()

    with pytest.raises(OptionError, match='scenes of "own" cannot be cached'):
        Grounder(Own(), cache=tmp_path)


def test_a_folder_that_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="is not a folder"):
        CachedPerception(Pipeline(Boxes()), tmp_path / "file")


def test_a_disk_that_fills_up_does_not_end_a_run(tmp_path: Path) -> None:
    cached = CachedPerception(Pipeline(Boxes()), tmp_path / "cache")
    (tmp_path / "cache").write_text("in the way")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert len(list(cached.perceive_many([IMAGE, 255 - IMAGE], batch=1))) == 2
    assert [str(warning.message)[:31] for warning in caught] == ["scenes are no longer cached: ca"]


def test_processes_may_share_a_cache(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[2])\n"
        "import numpy as np\n"
        "from tests.test_scene_cache import Boxes, CachedPerception, Pipeline\n"
        "cached = CachedPerception(Pipeline(Boxes()), sys.argv[1])\n"
        "images = [np.full((40, 50, 3), level, np.uint8) for level in range(12)]\n"
        "for _ in range(2):\n"
        "    assert all(len(scene) == 2 for scene in cached.perceive_many(images, batch=4))\n"
    )
    command = [sys.executable, "-W", "error", "-c", code, str(tmp_path), str(ROOT)]
    runs = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) for _ in range(2)]
    for run in runs:
        _, errors = run.communicate()
        assert run.returncode == 0, errors.decode()
    boxes = Boxes()
    cached = CachedPerception(Pipeline(boxes), tmp_path)
    images = [np.full((40, 50, 3), level, np.uint8) for level in range(12)]
    assert len(list(cached.perceive_many(images))) == 12
    assert boxes.asked == []
    assert len(entries(tmp_path)) == 12


def test_clearing_removes_entries_and_nothing_else(tmp_path: Path) -> None:
    cached = CachedPerception(Pipeline(Boxes(), segmenter=Halves()), tmp_path)
    scene = cached.perceive(IMAGE)
    scene.masks([0])
    cached.keep(scene)
    entry = entries(tmp_path)[0]
    unfinished = entry.parent / f".{entry.name[:40]}.a1b2c3d4"
    unfinished.write_bytes(b"cut")
    size = sum(path.stat().st_size for path in entry.parent.iterdir())
    (kept,) = contents(tmp_path)
    assert (kept.scenes, kept.size, kept.perception) == (1, size, cached.name)
    mine = [tmp_path / "notes.txt", entry.parent / "notes.txt"]
    other = tmp_path / "photos" / "ab" / "x.scene.json.gz"
    other.parent.mkdir(parents=True)
    for path in (*mine, other):
        path.write_text("mine")
    assert clear(tmp_path) == size
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted([*mine, other])
    assert contents(tmp_path) == []
    assert clear(tmp_path / "absent") == 0


def test_the_commands_show_and_clear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEUROSYM_HOME", str(tmp_path))
    grounder = Grounder(Pipeline(Boxes(), name="cups and dogs"), cache=True)
    list(grounder.perceive_many([IMAGE, 255 - IMAGE]))
    assert main(["cache", "show"]) == 0
    shown = capsys.readouterr().out
    assert "2 scenes" in shown
    assert "cups and dogs" in shown
    assert str(tmp_path / "scenes") in shown
    assert main(["cache", "clear"]) == 0
    assert "removed from" in capsys.readouterr().out
    assert main(["cache", "show"]) == 0
    assert "no scenes in" in capsys.readouterr().out


def test_what_an_object_is_decides_its_digest() -> None:
    class Part:
        def __init__(self, **settings: Any) -> None:
            self.__dict__.update(settings)

    torch.manual_seed(0)
    layer = torch.nn.Linear(3, 2)
    same = torch.nn.Linear(3, 2)
    same.load_state_dict(layer.state_dict())
    other = torch.nn.Linear(3, 2)
    assert digest(Part(model=layer)) == digest(Part(model=same))
    different = [
        Part(model=layer),
        Part(model=other),
        Part(model=copy.deepcopy(layer).bfloat16()),
        Part(model=None),
        Part(threshold=0.3),
        Part(threshold=0.4),
        Part(size=np.float32(0.3)),
        Part(call=lambda x: x + 1),
        Part(call=lambda x: x + 2),
        Part(fingerprint="a"),
        Part(fingerprint="b"),
        np.zeros(3),
        np.zeros((3, 1)),
        torch.zeros(3),
    ]
    assert len({digest(thing) for thing in different}) == len(different)
    assert digest(Part(fingerprint="a", runs=1)) == digest(Part(fingerprint="a", runs=2))


def test_the_weights_of_a_named_pipeline_are_told_without_loading_them(tmp_path: Path) -> None:
    from neurosym.api import perception_of

    for name in ("model.pdiparams", "model.pdmodel"):
        (tmp_path / name).write_bytes(b"not read")
    before = perception_of(f"picodet:{tmp_path}").fingerprint
    assert before == perception_of(f"picodet:{tmp_path}").fingerprint
    (tmp_path / "model.pdiparams").write_bytes(b"not read either")
    after = perception_of(f"picodet:{tmp_path}").fingerprint
    halved = perception_of(f"picodet:{tmp_path}", dtype="float16").fingerprint
    assert len({before, after, halved, perception_of("picodet").fingerprint}) == 4
