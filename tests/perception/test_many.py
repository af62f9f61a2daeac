"""Many images: order, bounds, batches, errors, interruptions."""

from __future__ import annotations

import io
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from neurosym import Grounder, Scene
from neurosym.errors import ModelStoreError, OptionError, PerceptionError
from neurosym.perception.base import Detections, Perception
from neurosym.perception.many import ReadAhead, images_in
from neurosym.perception.pipeline import Pipeline
from neurosym.pixels import DepthMap


def picture(level: int, width: int = 12) -> np.ndarray:
    return np.full((10, width, 3), level, dtype=np.uint8)


class Levels:
    """A detector of one box, whose score is the image's grey level; remembers its batches."""

    name = "levels"
    categories = ("thing",)

    def __init__(self) -> None:
        self.batches: list[int] = []

    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        self.batches.append(len(images))
        if any(image[0, 0, 0] == 13 for image in images):
            raise RuntimeError("thirteen")
        return [
            Detections(
                torch.tensor([[1.0, 1, image.shape[1] - 1, 9]]),
                torch.tensor([[float(image[0, 0, 0]) / 255]]),
            )
            for image in images
        ]


def level(scene: Scene) -> int:
    return round(float(scene.existence[0]) * 255)


def settled(read: Callable[[], int]) -> int:
    """A number that a thread counts up, once it has stopped doing so."""
    last, quiet = read(), 0
    while quiet < 10:
        time.sleep(0.01)
        quiet = quiet + 1 if read() == last else 0
        last = read()
    return last


def test_scenes_come_in_order_and_in_batches() -> None:
    detector = Levels()
    levels = list(range(100, 111))
    # Two sizes: a batch need not be of one.
    images = [picture(value, 12 + value % 2) for value in levels]
    scenes = list(Pipeline(detector).perceive_many(images, batch=4))
    assert [level(scene) for scene in scenes] == levels
    assert [scene.size.width for scene in scenes] == [image.shape[1] for image in images]
    assert detector.batches == [4, 4, 3]


def test_a_cpu_is_given_one_image_at_a_time_and_a_gpu_several() -> None:
    detector = Levels()
    list(Pipeline(detector).perceive_many([picture(100)] * 3))
    assert detector.batches == [1, 1, 1]
    assert Pipeline(detector, device="cuda").batch == 8


def test_scenes_are_those_of_one_by_one(grounder: Grounder, voc: dict[str, Any]) -> None:
    whole = voc["rgb"]
    images = [whole, whole[:, ::-1].copy(), whole[:200]]
    for scene, image in zip(grounder.perceive_many(images, batch=3), images, strict=True):
        alone = grounder.perceive(image)
        assert len(scene) == len(alone)
        torch.testing.assert_close(scene.boxes, alone.boxes, rtol=0, atol=0.01)
        torch.testing.assert_close(scene.existence, alone.existence, rtol=0, atol=1e-4)
        assert torch.equal(scene.groups, alone.groups)
        assert scene.categories.values == alone.categories.values
        torch.testing.assert_close(
            scene.categories.probabilities, alone.categories.probabilities, rtol=0, atol=1e-4
        )
        assert scene.provenance == alone.provenance


@pytest.mark.parametrize(("batch", "ahead"), [(1, 1), (4, 2), (2, 7)])
def test_a_stream_without_end_is_never_far_ahead(batch: int, ahead: int) -> None:
    made = 0

    def camera() -> Iterator[np.ndarray]:
        nonlocal made
        while True:
            made += 1
            yield picture(made % 100 + 100)

    scenes = Pipeline(Levels()).perceive_many(camera(), batch=batch, ahead=ahead)
    assert made == 0
    for handed_over in range(1, 12):
        next(scenes)
        # Not more, and in time all that there is room for.
        assert settled(lambda: made) == handed_over + batch + ahead
    scenes.close()  # type: ignore[attr-defined]
    assert settled(lambda: made) == 11 + batch + ahead


def test_the_reading_thread_ends() -> None:
    def threads() -> int:
        return sum(thread.name == "neurosym read ahead" for thread in threading.enumerate())

    before = threads()
    scenes = Pipeline(Levels()).perceive_many(itertools.repeat(picture(100)))
    next(scenes)
    assert threads() == before + 1
    scenes.close()  # type: ignore[attr-defined]
    assert threads() == before
    assert len(list(Pipeline(Levels()).perceive_many([picture(1)] * 3))) == 3
    assert threads() == before


def files(folder: Path, count: int) -> list[Path]:
    paths = [folder / f"photo{number}.png" for number in range(count)]
    for number, path in enumerate(paths):
        Image.fromarray(picture(100 + number)).save(path)
    return paths


def test_one_bad_file_does_not_lose_the_rest(tmp_path: Path) -> None:
    paths = files(tmp_path, 6)
    paths[2].write_bytes(b"not an image")
    paths[5].unlink()
    found = list(Pipeline(Levels()).perceive_many(paths, batch=4, on_error="yield"))
    assert [isinstance(outcome, PerceptionError) for outcome in found] == [
        *(False, False, True, False, False, True)
    ]
    assert [level(scene) for scene in found if isinstance(scene, Scene)] == [100, 101, 103, 104]
    assert "photo2.png" in str(found[2])
    assert "photo5.png" in str(found[5])


def test_an_error_is_raised_in_its_place(tmp_path: Path) -> None:
    paths = files(tmp_path, 5)
    paths[3].write_bytes(b"not an image")
    scenes = Pipeline(Levels()).perceive_many(paths, batch=5)
    assert [level(next(scenes)) for _ in range(3)] == [100, 101, 102]
    with pytest.raises(PerceptionError, match=r"photo3\.png"):
        next(scenes)


def test_an_image_that_breaks_the_detector_is_the_only_one_lost() -> None:
    images = [picture(value) for value in (100, 13, 102)]
    found = list(Pipeline(Levels()).perceive_many(images, batch=3, on_error="yield"))
    assert [level(found[0]), level(found[2])] == [100, 102]  # type: ignore[arg-type]
    assert str(found[1]) == "image 1 cannot be perceived: thirteen"
    scenes = Pipeline(Levels()).perceive_many(images, batch=3)
    assert level(next(scenes)) == 100
    with pytest.raises(RuntimeError, match="thirteen"):
        next(scenes)


def test_what_is_no_image_is_named_by_its_number() -> None:
    images = [picture(100), np.zeros((3, 3, 7), np.uint8), picture(101)]
    found = list(Pipeline(Levels()).perceive_many(images, on_error="yield"))
    assert str(found[1]).startswith("image 1: an image array has the shape")
    assert isinstance(found[2], Scene)


def test_missing_weights_are_nobodys_image() -> None:
    class Unloaded(Perception):
        name = "unloaded"

        def perceive(self, image: np.ndarray, *, depth: DepthMap | None = None) -> Scene:
            raise ModelStoreError("no weights")

    with pytest.raises(ModelStoreError):
        list(Unloaded().perceive_many([picture(1)] * 2, on_error="yield"))


def test_what_the_stream_raises_comes_after_its_images() -> None:
    def broken() -> Iterator[np.ndarray]:
        yield picture(100)
        yield picture(101)
        raise OSError("the camera is gone")

    scenes = Pipeline(Levels()).perceive_many(broken(), batch=4, on_error="yield")
    assert [level(next(scenes)), level(next(scenes))] == [100, 101]  # type: ignore[arg-type]
    with pytest.raises(OSError, match="the camera is gone"):
        next(scenes)


def test_an_interruption_in_a_batch_ends_the_work_after_those_before_it() -> None:
    class Interrupted(Levels):
        def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
            if len(self.batches) == 2:
                raise KeyboardInterrupt
            return super().detect(images)

    scenes = Pipeline(Interrupted()).perceive_many(itertools.repeat(picture(100)), batch=2)
    assert [level(next(scenes)) for _ in range(4)] == [100] * 4
    with pytest.raises(KeyboardInterrupt):
        next(scenes)
    assert not [t for t in threading.enumerate() if t.name == "neurosym read ahead"]


def test_a_perception_of_ones_own_gets_it_for_nothing() -> None:
    class Own(Perception):
        name = "own"

        def perceive(self, image: np.ndarray, *, depth: DepthMap | None = None) -> Scene:
            return Scene.empty(image.shape[:2])

    sizes = [scene.size.width for scene in Own().perceive_many([picture(1, 5), picture(2, 6)])]
    assert sizes == [5, 6]


def test_a_folder_is_read_in_natural_order(tmp_path: Path) -> None:
    for name in ("frame10.png", "frame2.PNG", "frame1.png"):
        Image.fromarray(picture(100)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / ".hidden.png").write_bytes(b"")
    assert [path.name for path in images_in(tmp_path)] == [
        *("frame1.png", "frame2.PNG", "frame10.png")
    ]
    assert len(list(Pipeline(Levels()).perceive_many(str(tmp_path)))) == 3


def test_an_array_of_images_is_many() -> None:
    stack = np.stack([picture(100), picture(101)])
    assert [level(scene) for scene in Pipeline(Levels()).perceive_many(stack)] == [100, 101]


def test_what_is_not_many_images_is_refused_at_once(tmp_path: Path) -> None:
    path = files(tmp_path, 1)[0]
    (tmp_path / "empty").mkdir()
    pipeline = Pipeline(Levels())
    for images, message in (
        (picture(1), "not one ndarray"),
        (torch.zeros(3, 10, 10), "not one Tensor"),
        (b"\xff\xd8", "not one bytes"),
        (7, "not one int"),
        (str(path), "is one file"),
        (tmp_path / "empty", "there is no image in the folder"),
        (tmp_path / "absent", "cannot read the folder"),
    ):
        with pytest.raises(PerceptionError, match=message):
            pipeline.perceive_many(images)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch": 0}, "batch must be at least 1"),
        ({"ahead": 0}, "ahead must be at least 1"),
        ({"on_error": "skip"}, 'on_error is "raise" or "yield", not "skip"'),
    ],
)
def test_options_are_checked_before_anything_is_read(options: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Pipeline(Levels()).perceive_many(iter([]), **options)


def test_progress_is_drawn_on_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def drawn(stream: io.StringIO, *, progress: bool, images: Any) -> str:
        monkeypatch.setattr("sys.stderr", stream)
        list(Pipeline(Levels()).perceive_many(images, progress=progress))
        return stream.getvalue()

    images = [picture(100)] * 5
    assert "5/5" in drawn(Terminal(), progress=True, images=images)
    endless = drawn(Terminal(), progress=True, images=(image for image in images))
    assert "5image" in endless
    assert "/5" not in endless
    assert drawn(Terminal(), progress=False, images=images) == ""
    assert drawn(io.StringIO(), progress=True, images=images) == ""


def test_a_grounder_bounds_the_pixels() -> None:
    grounder = Grounder(Levels(), max_pixels=150)
    found = list(grounder.perceive_many([picture(1, 10), picture(1, 20)], on_error="yield"))
    assert isinstance(found[0], Scene)
    assert "more than the bound of 150" in str(found[1])
    with pytest.raises(PerceptionError, match="no perception"):
        Grounder(None).perceive_many([picture(1)])


def test_reading_ahead_closes_its_iterator() -> None:
    closed = threading.Event()

    def numbers() -> Iterator[int]:
        try:
            yield from itertools.count()
        finally:
            closed.set()

    reading = ReadAhead(numbers(), bound=2)
    assert reading.take(2) == [0, 1]
    reading.close()
    assert closed.is_set()
