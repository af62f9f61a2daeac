"""Many images: read ahead in a thread, seen in batches, never more than a few in memory."""

from __future__ import annotations

import itertools
import operator
import os
import queue
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import numpy as np

from neurosym.errors import NeurosymError, OptionError, PerceptionError
from neurosym.perception.images import ImageArray, load_image

if TYPE_CHECKING:
    from neurosym.scene import Scene

IMAGE_SUFFIXES = frozenset(
    {".avif", ".bmp", ".gif", ".jp2", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff"}
    | {".webp"}
)
"""The names of files that :func:`images_in` takes for images end so, in either case."""
GPU_BATCH = 8
"""How many images a GPU is given at once. A CPU takes longer for a batch than for its images: 0.112
core seconds an image of 640 x 480 in batches of 8 against 0.095 alone, and twice the memory."""
AHEAD = 8
# A thread that waits for a camera cannot be stopped: it is left behind.
_PATIENCE = 1.0

OnError = Literal["raise", "yield"]
Item = TypeVar("Item")


class ReadAhead(Generic[Item]):
    """Takes items from an iterator in a thread of its own, a bounded number ahead.

    An item counts from before it is taken until it is released, so that the iterator's own work
    (decoding an image) never makes more items than the bound.

    Args:
        items: taken by the thread only, one at a time; closed by it when it is a generator.
        bound: most items that are taken and not released.
    """

    def __init__(self, items: Iterator[Item], bound: int) -> None:
        self._items = items
        self._room = threading.Semaphore(bound)
        self._taken: queue.SimpleQueue[Item | _End] = queue.SimpleQueue()
        self._end: _End | None = None
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="neurosym read ahead", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            while True:
                self._room.acquire()
                if self._stopped:
                    break
                self._taken.put(next(self._items))
        except StopIteration:
            pass
        except BaseException as caught:
            error = caught
        finally:
            close = getattr(self._items, "close", None)
            if close is not None:
                close()
            self._taken.put(_End(error))

    def take(self, count: int) -> list[Item]:
        """The next items: ``count`` of them, or fewer at the end, or none after it.

        Raises:
            BaseException: what the iterator raised, once all items before it have been given.
        """
        items: list[Item] = []
        while self._end is None and len(items) < count:
            item = self._taken.get()
            if isinstance(item, _End):
                self._end = item
            else:
                items.append(item)
        if not items and self._end is not None and self._end.error is not None:
            raise self._end.error
        return items

    def release(self) -> None:
        """Makes room for one more item."""
        self._room.release()

    def close(self) -> None:
        """Ends the thread; what it has taken and nobody has asked for is lost."""
        self._stopped = True
        self._room.release()
        self._thread.join(_PATIENCE)


class _End:
    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def perceived(
    perceive: Callable[[Sequence[np.ndarray]], list[Scene]],
    images: Iterable[ImageArray | PerceptionError],
    *,
    total: int | None,
    batch: int = 1,
    ahead: int = AHEAD,
    progress: bool = False,
    on_error: OnError = "raise",
) -> Iterator[Scene | PerceptionError]:
    """The scenes of images, in their order; the work behind :meth:`Perception.perceive_many`.

    Args:
        perceive: makes the scenes of a batch.
        images: uint8 [height, width, 3] RGB, or why there is none.
        total: how many there are, for the progress bar; None when nobody knows.
        batch: as there.
        ahead: as there.
        progress: as there.
        on_error: as there.

    Raises:
        OptionError: an option is out of its range.
    """
    for name, value in (("batch", batch), ("ahead", ahead)):
        if value < 1:
            raise OptionError(f"{name} must be at least 1, not {value}")
    if on_error not in ("raise", "yield"):
        raise OptionError(f'on_error is "raise" or "yield", not "{on_error}"')
    return _stream(perceive, images, total, batch, ahead, progress, on_error)


def _stream(
    perceive: Callable[[Sequence[np.ndarray]], list[Scene]],
    images: Iterable[ImageArray | PerceptionError],
    total: int | None,
    batch: int,
    ahead: int,
    progress: bool,
    on_error: OnError,
) -> Iterator[Scene | PerceptionError]:
    from tqdm import tqdm

    # disable=None: no bar where stderr is not a terminal.
    bar = tqdm(total=total, unit="image", disable=None if progress else True)
    reading = ReadAhead(iter(images), batch + ahead)
    done = 0
    try:
        while items := reading.take(batch):
            outcomes = _outcomes(perceive, items)
            # Nothing here may keep an image alive that the caller is done with.
            items.clear()
            while outcomes:
                outcome = outcomes.popleft()
                reading.release()
                if isinstance(outcome, Exception):
                    outcome = _as_outcome(outcome, done, on_error)
                done += 1
                bar.update()
                yield outcome
                del outcome
    finally:
        reading.close()
        bar.close()


def _outcomes(
    perceive: Callable[[Sequence[np.ndarray]], list[Scene]],
    items: Sequence[ImageArray | PerceptionError],
) -> deque[Scene | Exception]:
    """A scene or an error for each item. Where a batch fails, each of its images is tried alone."""
    images = [item for item in items if not isinstance(item, PerceptionError)]
    made: deque[Scene | Exception] = deque()
    try:
        made.extend(perceive(images) if images else [])
    except Exception as error:
        made.clear()
        if len(images) == 1:
            made.append(error)
        else:
            for image in images:
                try:
                    made.extend(perceive([image]))
                except Exception as single:
                    made.append(single)
    return deque(item if isinstance(item, PerceptionError) else made.popleft() for item in items)


def _as_outcome(error: Exception, index: int, on_error: OnError) -> PerceptionError:
    # Missing weights and the like are not the fault of one image.
    about_this_one = isinstance(error, PerceptionError) or not isinstance(error, NeurosymError)
    if on_error == "raise" or not about_this_one:
        raise error
    if isinstance(error, PerceptionError):
        return error
    reason = (str(error) or type(error).__name__).splitlines()[0]
    outcome = PerceptionError(f"image {index} cannot be perceived: {reason}")
    outcome.__cause__ = error
    return outcome


def sources_of(images: Any) -> tuple[Iterable[Any], int | None]:
    """What :meth:`Perception.perceive_many` was given, as single images; how many, if known.

    Raises:
        PerceptionError: it is one image, no folder, or a folder without images.
    """
    if isinstance(images, str | os.PathLike):
        path = Path(images)
        if path.is_file():
            raise PerceptionError(
                f'"{path}" is one file: give a folder or several images; [path] is a list of one'
            )
        images = images_in(path)
    one = isinstance(images, bytes | bytearray | memoryview) or (
        hasattr(images, "ndim") and images.ndim != 4
    )
    if one or not isinstance(images, Iterable):
        raise PerceptionError(
            f"many images are a folder, a list or another iterable of images, or an array [image, "
            f"height, width, 3], not one {type(images).__name__}; [image] is a list of one"
        )
    return images, operator.length_hint(images) or None


def loaded(sources: Iterable[Any], *, max_pixels: int) -> Iterator[ImageArray | PerceptionError]:
    """Each source as an image, or why it is none; errors name paths, and else the number."""

    def load(index: int, source: Any) -> ImageArray | PerceptionError:
        try:
            return load_image(source, max_pixels=max_pixels)
        except PerceptionError as error:
            if isinstance(source, str | os.PathLike):
                return error
            return PerceptionError(f"image {index}: {error.message}")

    # Not a generator, whose frame would keep a picture until the next one is asked for.
    return map(load, itertools.count(), sources)


def images_in(folder: str | os.PathLike[str]) -> list[Path]:
    """The image files of a folder, by the ends of their names, in natural order.

    Folders inside it and hidden files are left aside.

    Raises:
        PerceptionError: there is no such folder, or no image in it.
    """
    path = Path(folder)
    try:
        found = [
            file
            for file in path.iterdir()
            if file.suffix.lower() in IMAGE_SUFFIXES and not file.name.startswith(".")
        ]
    except OSError as error:
        raise PerceptionError(f'cannot read the folder "{path}": {error.strerror}') from error
    if not found:
        raise PerceptionError(f'there is no image in the folder "{path}"')
    return sorted(found, key=lambda file: natural_order(file.name))


def natural_order(name: str) -> tuple[list[tuple[int, str]], str]:
    """A key that sorts names as people count: "frame2" before "frame10".

    Example:
        >>> sorted(["frame10.png", "frame2.png", "Frame1.png"], key=natural_order)
        ['Frame1.png', 'frame2.png', 'frame10.png']
    """
    parts = re.split(r"(\d+)", name.casefold())
    # Odd parts are the numbers. Digits that int() does not know, such as "²", are not matched.
    return [(int(part), "") if i % 2 else (-1, part) for i, part in enumerate(parts)], name
