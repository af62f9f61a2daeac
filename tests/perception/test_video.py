"""Videos and folders of frames: which frames, when, and that things keep their numbers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from neurosym import Grounder, Scene
from neurosym.errors import NeurosymError, OptionError, PerceptionError
from neurosym.grammar import Parser
from neurosym.models.store import path_of
from neurosym.perception.base import Detections
from neurosym.perception.pipeline import Pipeline
from neurosym.perception.tracking import NO_TRACK
from neurosym.perception.video import Frame, Sampling, perceive_video, shots_of
from neurosym.pixels import Wanted

SIZE = 64, 96
RED, BLUE = (255, 0, 0), (0, 0, 255)
MISSING_AV = "PyAV, the extra video, is not installed"


class Blobs:
    """Finds what is quite red, a ball, and quite blue, a box; nothing else."""

    name = "blobs"
    categories = ("ball", "box")

    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        return [self._detect(image.astype(int)) for image in images]

    def _detect(self, image: np.ndarray) -> Detections:
        boxes, scores = [], []
        for colour, score in ((RED, (0.9, 0.05)), (BLUE, (0.05, 0.9))):
            y, x = np.nonzero(np.abs(image - colour).sum(axis=2) < 200)
            if len(x):
                boxes.append([x.min(), y.min(), x.max() + 1, y.max() + 1])
                scores.append(score)
        table = torch.tensor(scores).reshape(-1, 2)
        return Detections(torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4), table)


class Anything:
    """An open vocabulary: whatever it is asked for is where the picture is red."""

    name = "anything"

    def detect_phrases(
        self, images: Sequence[np.ndarray], phrases: Sequence[str]
    ) -> list[Detections]:
        found = []
        for image, blobs in zip(images, Blobs().detect(images), strict=True):
            assert image.dtype == np.uint8
            balls = blobs.boxes[blobs.scores[:, 0] > 0.5]
            found.append(Detections(balls, torch.full((len(balls), len(phrases)), 0.9)))
        return found


def drawn(step: int) -> np.ndarray:
    """A red ball goes right and a blue box left; they cross, the ball in front."""
    image = np.full((*SIZE, 3), 255, dtype=np.uint8)
    image[20:40, 76 - 4 * step : 92 - 4 * step] = BLUE
    image[24:36, 2 + 4 * step : 18 + 4 * step] = RED
    return image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for step in range(12):
        Image.fromarray(drawn(step)).save(tmp_path / f"frame{step}.png")
    return tmp_path


PIXELS = {"ffv1": "bgr0", "png": "rgb24", "mpeg4": "yuv420p"}


def write_video(path: Path, frames: Sequence[np.ndarray], codec: str = "ffv1") -> Path:
    av = pytest.importorskip("av", reason=MISSING_AV)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = PIXELS[codec]
        for frame in frames:
            for packet in stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Lossless: what is read is what was drawn."""
    return write_video(tmp_path / "drawn.mkv", [drawn(step) for step in range(12)])


def frames(source: Path, **options: Any) -> list[Frame]:
    found = list(perceive_video(Pipeline(Blobs()), source, **options))
    assert all(isinstance(frame, Frame) for frame in found)
    return [frame for frame in found if isinstance(frame, Frame)]


def kinds(frame: Frame) -> dict[str, int]:
    """The likeliest category of each object -> its track."""
    best = frame.scene.categories.probabilities.argmax(dim=1).tolist()
    return {
        frame.scene.categories.values[column]: track
        for column, track in zip(best, frame.tracks.tolist(), strict=True)
    }


def test_things_of_a_folder_keep_their_numbers(folder: Path) -> None:
    found = frames(folder, batch=4)
    assert [frame.index for frame in found] == list(range(12))
    assert [frame.path for frame in found] == [folder / f"frame{step}.png" for step in range(12)]
    assert all(frame.seconds is None for frame in found)
    numbers = kinds(found[0])
    assert sorted(numbers.values()) == [0, 1]
    assert all(kinds(frame) == numbers for frame in found)
    assert found[7].track_of(0) == found[7].tracks[0]
    assert found[7].track_of(2) == NO_TRACK


def test_a_video_is_read_as_it_was_drawn(video: Path) -> None:
    found = frames(video, batch=5)
    assert [frame.index for frame in found] == list(range(12))
    assert [frame.seconds for frame in found] == pytest.approx([step / 10 for step in range(12)])
    for step, frame in enumerate(found):
        assert frame.scene.pixels is not None
        picture = frame.scene.pixels.image()
        assert picture is not None
        assert np.array_equal(picture.numpy(), drawn(step))
    assert all(kinds(frame) == kinds(found[0]) for frame in found)


def test_every_nth_frame(folder: Path) -> None:
    assert [frame.index for frame in frames(folder, every=5)] == [0, 5, 10]


def test_every_nth_frame_of_a_video(video: Path) -> None:
    assert [frame.index for frame in frames(video, every=5)] == [0, 5, 10]


@pytest.mark.parametrize(
    ("fps", "indices"),
    [
        (10, list(range(12))),
        (50, list(range(12))),
        (5, [0, 2, 4, 6, 8, 10]),
        (4, [0, 3, 5, 8, 10]),
        (1, [0, 10]),
        (0.5, [0]),
    ],
)
def test_so_many_frames_a_second(video: Path, fps: float, indices: list[int]) -> None:
    shots, total = shots_of(video, Sampling(fps=fps))
    assert [shot.index for shot in shots] == indices
    assert total is None


def test_how_many_frames_there_are_is_told_where_it_is_known(folder: Path) -> None:
    assert shots_of(folder, Sampling(every=5))[1] == 3


def test_how_many_frames_a_video_has_is_told(tmp_path: Path) -> None:
    video = write_video(tmp_path / "drawn.mp4", [drawn(step) for step in range(12)], "mpeg4")
    assert shots_of(video, Sampling(every=5))[1] == 3


def test_a_video_is_turned_as_it_is_to_be_shown(tmp_path: Path) -> None:
    """A phone held upright films lying frames, and says so in the header of the track."""
    image = np.full((*SIZE, 3), 255, dtype=np.uint8)
    image[:32, :48] = RED
    path = write_video(tmp_path / "drawn.mp4", [image] * 3, "mpeg4")
    data = bytearray(path.read_bytes())
    # The matrix of the track header, version 0: [0 1; -1 0], a quarter turn clockwise.
    matrix = data.index(b"tkhd") + 4 + 40
    one, minus = (1 << 16).to_bytes(4, "big"), (-1 << 16).to_bytes(4, "big", signed=True)
    nothing, unit = bytes(4), (1 << 30).to_bytes(4, "big")
    data[matrix : matrix + 36] = b"".join(
        (nothing, one, nothing, minus, nothing, nothing, nothing, nothing, unit)
    )
    path.write_bytes(data)
    shots, _ = shots_of(path, Sampling())
    turned = next(iter(shots)).image
    assert isinstance(turned, np.ndarray)
    assert turned.shape == (96, 64, 3)
    # The red corner at the top left has gone to the top right.
    assert np.abs(turned[20, 50].astype(int) - RED).sum() < 40
    assert turned[20, 10].min() > 230


def test_nouns_are_looked_for_before_things_are_tracked(folder: Path) -> None:
    pipeline = Pipeline(open_detector=Anything())

    def look(scene: Scene) -> Scene:
        assert scene.pixels is not None
        return scene.pixels.look_for(scene, Wanted(nouns=("apple",)))

    blind = list(perceive_video(pipeline, folder))
    assert all(isinstance(frame, Frame) and len(frame.tracks) == 0 for frame in blind)
    found = list(perceive_video(pipeline, folder, look=look))
    assert [frame.tracks.tolist() for frame in found if isinstance(frame, Frame)] == [[0]] * 12


@pytest.fixture(scope="module")
def parser() -> Parser:
    return Parser(path_of("en-core-web-sm"))


def test_a_text_is_answered_in_each_frame(folder: Path, parser: Parser) -> None:
    grounder = Grounder(Blobs(), parser)
    answers = [
        frame.tracks[list(result.objects)].tolist()
        for frame, result in grounder.ground_video(folder, "the leftmost thing", batch=4)
    ]
    (first,) = frames(folder)[:1]
    numbers = kinds(first)
    # The ball overtakes the box between the frames 9 and 10, by their centres.
    assert answers == [[numbers["ball"]]] * 10 + [[numbers["box"]]] * 2


def test_what_a_text_names_is_looked_for_and_tracked(folder: Path, parser: Parser) -> None:
    grounder = Grounder(Pipeline(open_detector=Anything()), parser)
    found = list(grounder.ground_video(folder, "the apple", every=3))
    assert [frame.index for frame, _ in found] == [0, 3, 6, 9]
    assert [frame.tracks[list(result.objects)].tolist() for frame, result in found] == [[0]] * 4
    assert [result.boxes[0, 0] for _, result in found] == [2, 14, 26, 38]
    same = grounder.perceive_video(folder, nouns=("apple",), every=3)
    assert [frame.tracks.tolist() for frame in same] == [[0]] * 4


def test_a_text_that_cannot_be_read_ends_it(folder: Path, parser: Parser) -> None:
    with pytest.raises(NeurosymError):
        list(Grounder(Blobs(), parser).ground_video(folder, ""))


def test_a_frame_that_cannot_be_read_is_an_outcome(folder: Path) -> None:
    (folder / "frame3.png").write_bytes(b"no image")
    found = list(perceive_video(Pipeline(Blobs()), folder, on_error="yield"))
    assert [i for i, frame in enumerate(found) if isinstance(frame, PerceptionError)] == [3]
    assert "frame3.png" in str(found[3])
    seen = [frame for frame in found if isinstance(frame, Frame)]
    assert [frame.index for frame in seen] == [0, 1, 2, *range(4, 12)]
    assert all(kinds(frame) == kinds(seen[0]) for frame in seen)
    with pytest.raises(PerceptionError, match=r"frame3\.png"):
        list(perceive_video(Pipeline(Blobs()), folder))


def test_a_damaged_frame_of_a_video_is_an_outcome(tmp_path: Path) -> None:
    images = [drawn(step) for step in range(12)]
    video = write_video(tmp_path / "drawn.mov", images, "png")
    data = bytearray(video.read_bytes())
    starts = [place for place in range(len(data)) if data[place : place + 4] == b"IHDR"]
    data[starts[3] : starts[3] + 20] = bytes(20)
    video.write_bytes(data)
    found = list(perceive_video(Pipeline(Blobs()), video, on_error="yield"))
    assert [i for i, frame in enumerate(found) if isinstance(frame, PerceptionError)] == [3]
    assert str(found[3]).startswith(f'frame 3 of "{video}" cannot be decoded: ')
    seen = [frame for frame in found if isinstance(frame, Frame)]
    assert [frame.index for frame in seen] == [0, 1, 2, *range(4, 12)]
    assert all(kinds(frame) == kinds(seen[0]) for frame in seen)
    with pytest.raises(PerceptionError, match="frame 3 of"):
        list(perceive_video(Pipeline(Blobs()), video))


def test_a_video_that_was_cut_short_gives_the_frames_before(tmp_path: Path) -> None:
    video = write_video(tmp_path / "drawn.mkv", [drawn(step) for step in range(12)])
    data = video.read_bytes()
    video.write_bytes(data[: len(data) // 2])
    found = list(perceive_video(Pipeline(Blobs()), video, batch=2, on_error="yield"))
    numbers = [frame.index for frame in found if isinstance(frame, Frame)]
    assert numbers == list(range(len(numbers)))
    assert 2 <= len(numbers) < 12


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("absent.mp4", None, "there is no video or folder"),
        ("notes.txt", b"only words\n", "cannot read .* as a video: Invalid data"),
    ],
)
def test_what_is_no_video_is_one_line(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        pytest.importorskip("av", reason=MISSING_AV)
        (tmp_path / name).write_bytes(content)
    with pytest.raises(PerceptionError, match=message) as caught:
        perceive_video(Pipeline(Blobs()), tmp_path / name)
    assert "\n" not in str(caught.value)


def test_without_the_extra_the_message_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "film.mp4").write_bytes(b"any")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(PerceptionError, match=r'pip install "neurosym-grounding\[video\]"'):
        perceive_video(Pipeline(Blobs()), tmp_path / "film.mp4")


def test_large_frames_are_refused_before_one_is_decoded(video: Path) -> None:
    with pytest.raises(PerceptionError, match="has frames of 96 x 64 pixels"):
        perceive_video(Pipeline(Blobs()), video, max_pixels=64 * 96 - 1)
    assert len(frames(video, max_pixels=64 * 96)) == 12


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": 0}, "every must be at least 1, not 0"),
        ({"fps": 0}, "fps must be above 0, not 0"),
        ({"fps": 2, "every": 2}, "by every or by fps, not by both"),
        ({"fps": 2}, "a folder of frames has no clock"),
        ({"memory": -1}, "memory must be at least 0"),
    ],
)
def test_wrong_options_are_refused(folder: Path, options: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        perceive_video(Pipeline(Blobs()), folder, **options)
