"""Videos and folders of frames as sequences of scenes, in which things keep their numbers."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from torch import Tensor

from neurosym.errors import OptionError, PerceptionError
from neurosym.perception.images import MAX_PIXELS, ImageArray, load_image
from neurosym.perception.many import AHEAD, OnError, images_in, perceived
from neurosym.perception.tracking import MEMORY, NO_TRACK, Tracker
from neurosym.scene import Scene

if TYPE_CHECKING:
    from neurosym.perception.base import Perception

INSTALL: Final = 'pip install "neurosym-grounding[video]"'
# Times are sums of fractions: a frame that is due is not to be missed by the last digit.
_TIME_TOLERANCE: Final = 1e-4
_Place: TypeAlias = tuple[int, float | None, Path | None]


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a sequence.

    Attributes:
        index: its number in the video or folder, from 0, whether or not those before were taken.
        seconds: when it is shown, from the video's start; None in a folder, which has no clock.
        scene: what it shows.
        tracks: [N] int64, for each object of the scene the number of its thing, which is the same
            in every frame; ``NO_TRACK`` (-1) for what is too doubtful to have one. The hypotheses
            of one thing have the same number. See :mod:`neurosym.perception.tracking`.
        path: of its file, in a folder.
    """

    index: int
    seconds: float | None
    scene: Scene
    tracks: Tensor
    path: Path | None = None

    def track_of(self, index: int) -> int:
        """The track of an object; ``NO_TRACK`` for one that was looked for and found later.

        Args:
            index: the object's number, also in a scene that was made of :attr:`scene` by looking
                for more.
        """
        return int(self.tracks[index]) if index < len(self.tracks) else NO_TRACK


@dataclass(frozen=True)
class Sampling:
    """Which frames are taken.

    Attributes:
        every: each frame whose number is a multiple of it.
        fps: at most so many frames a second, instead: the first frame at or after each tick.

    Raises:
        OptionError: one of them is out of its range, or both are given.
    """

    every: int = 1
    fps: float | None = None

    def __post_init__(self) -> None:
        if self.every < 1:
            raise OptionError(f"every must be at least 1, not {self.every}")
        if self.fps is not None and not 0 < self.fps < float("inf"):
            raise OptionError(f"fps must be above 0, not {self.fps}")
        if self.fps is not None and self.every != 1:
            raise OptionError("frames are taken by every or by fps, not by both")


@dataclass(frozen=True, eq=False)
class Shot:
    """A frame before it is perceived: number, time, image or why there is none, file."""

    index: int
    seconds: float | None
    image: ImageArray | PerceptionError
    path: Path | None = None


def perceive_video(
    perception: Perception,
    source: str | os.PathLike[str],
    *,
    every: int = 1,
    fps: float | None = None,
    look: Callable[[Scene], Scene] | None = None,
    memory: int = MEMORY,
    batch: int | None = None,
    ahead: int = AHEAD,
    progress: bool = False,
    on_error: OnError = "raise",
    max_pixels: int = MAX_PIXELS,
) -> Iterator[Frame | PerceptionError]:
    """The frames of a video file, or of a folder of images in natural order.

    Args:
        perception: makes the scenes.
        source: a video file, for which the extra ``video`` is needed, or a folder.
        every: take each frame whose number is a multiple of this.
        fps: take at most so many frames a second instead; for video files.
        look: what else is looked for in each scene before its things are tracked.
        memory: for how many taken frames a thing that is not seen keeps its number.
        batch: as for :meth:`Perception.perceive_many`.
        ahead: likewise.
        progress: likewise.
        on_error: likewise; a video that breaks off raises in either case, after its frames.
        max_pixels: likewise.

    Raises:
        OptionError: an option is out of its range, or asks a folder for the time.
        PerceptionError: there is no such file or folder, it is no video, or the extra is missing;
            later, a frame fails.
    """
    sampling, tracker = Sampling(every, fps), Tracker(memory=memory)
    shots, total = shots_of(source, sampling, max_pixels=max_pixels)
    places: deque[_Place] = deque()

    def images() -> Iterator[ImageArray | PerceptionError]:
        for shot in shots:
            places.append((shot.index, shot.seconds, shot.path))
            yield shot.image

    perception.prepare()
    outcomes = perceived(
        perception.perceive_batch,
        images(),
        total=total,
        batch=perception.batch if batch is None else batch,
        ahead=ahead,
        progress=progress,
        on_error=on_error,
    )
    return _frames(outcomes, places, tracker, look)


def _frames(
    outcomes: Iterator[Scene | PerceptionError],
    places: deque[_Place],
    tracker: Tracker,
    look: Callable[[Scene], Scene] | None,
) -> Iterator[Frame | PerceptionError]:
    for scene in outcomes:
        index, seconds, path = places.popleft()
        if isinstance(scene, PerceptionError):
            tracker.miss()
            yield scene
            continue
        seen = scene if look is None else look(scene)
        yield Frame(index, seconds, seen, tracker.update(seen), path)


def shots_of(
    source: str | os.PathLike[str], sampling: Sampling, *, max_pixels: int = MAX_PIXELS
) -> tuple[Iterator[Shot], int | None]:
    """The frames of a video file or a folder, and how many there are, if that is known.

    Args:
        source: a video file or a folder.
        sampling: which frames are taken.
        max_pixels: largest frame that is taken.

    Raises:
        OptionError: a folder was asked for the time.
        PerceptionError: as for :func:`perceive_video`.
    """
    path = Path(source)
    if not path.is_dir():
        return _decoded(path, sampling, max_pixels)
    if sampling.fps is not None:
        raise OptionError("a folder of frames has no clock: take every N-th frame, not fps")
    files = list(enumerate(images_in(path)))[:: sampling.every]
    return (_loaded(index, file, max_pixels) for index, file in files), len(files)


def _loaded(index: int, file: Path, max_pixels: int) -> Shot:
    try:
        return Shot(index, None, load_image(file, max_pixels=max_pixels), file)
    except PerceptionError as error:
        return Shot(index, None, error, file)


def _decoded(path: Path, sampling: Sampling, max_pixels: int) -> tuple[Iterator[Shot], int | None]:
    if not path.exists():
        raise PerceptionError(f'there is no video or folder "{path}"')
    try:
        import av
    except ImportError:
        raise PerceptionError(
            f'reading the video "{path}" needs PyAV: {INSTALL}; a folder of frames needs nothing'
        ) from None
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise PerceptionError(f'"{path}" has no video in it')
            stream = container.streams.video[0]
            size, length = (stream.height, stream.width), stream.frames
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise PerceptionError(f'cannot read "{path}" as a video: {_reason(error)}') from error
    if size[0] * size[1] > max_pixels:
        raise PerceptionError(
            f'the video "{path}" has frames of {size[1]} x {size[0]} pixels, more than the bound '
            f"of {max_pixels:,}"
        )
    # How many frames a file has is often known, and how many of them are taken by time is not.
    known = -(-length // sampling.every) if length and sampling.fps is None else None
    return _shots(path, sampling), known


def _shots(path: Path, sampling: Sampling) -> Iterator[Shot]:
    import av

    index, due = 0, 0.0
    broken = (av.error.FFmpegError, OSError, ValueError)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        start = float((stream.start_time or 0) * (stream.time_base or 0))
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
            except broken as error:
                raise PerceptionError(
                    f'the video "{path}" breaks off before frame {index}: {_reason(error)}'
                ) from error
            if packet is None:
                return
            try:
                frames = packet.decode()
            except broken as error:
                wrong = f'frame {index} of "{path}" cannot be decoded: {_reason(error)}'
                if sampling.fps is not None or index % sampling.every == 0:
                    yield Shot(index, None, PerceptionError(wrong))
                index += 1
                continue
            for frame in frames:
                seconds = None if frame.time is None else float(frame.time) - start
                if sampling.fps is None:
                    taken = index % sampling.every == 0
                elif seconds is None:
                    raise PerceptionError(
                        f'the frames of "{path}" have no times: use every, not fps'
                    )
                else:
                    taken = seconds >= due - _TIME_TOLERANCE
                    if taken:
                        # The next tick after this frame: a slow video has ticks without one.
                        due = (int((seconds + _TIME_TOLERANCE) * sampling.fps) + 1) / sampling.fps
                if taken:
                    yield Shot(index, seconds, _upright(frame))
                index += 1


def _upright(frame: Any) -> ImageArray:
    """A frame's pixels, turned as the file says that it is to be shown."""
    pixels = frame.to_ndarray(format="rgb24")
    return np.ascontiguousarray(np.rot90(pixels, round(frame.rotation / 90)))


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).splitlines()[0]
