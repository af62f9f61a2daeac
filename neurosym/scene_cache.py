"""Scenes on disk: what a perception has made of a picture is made once.

An entry is found by the picture's pixels and by the fingerprint of the perception (code, weights,
settings), so that nothing stale is ever read: what has changed is made again. An entry is a saved
scene, and beside it what has been made of its picture since: masks, colours and other attributes,
and what an open vocabulary has found. Entries are written whole or not at all, so processes may
share a folder; one that is damaged is made again.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import warnings
import weakref
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from neurosym.errors import DataError, NeurosymError, OptionError
from neurosym.files import check_folder, make_folder, write_atomically
from neurosym.masks import decode_mask, encode_mask
from neurosym.models.store import home
from neurosym.perception.base import Detections, Perception
from neurosym.perception.photo import Photo, PhotoPixels
from neurosym.pixels import DepthMap, ImageSize
from neurosym.scene import Scene
from neurosym.scene_io import read_document, to_document

FORMAT: Final = "neurosym-scene-cache/1"
_LABEL: Final = "perception.json"
_SCENE: Final = ".scene.json.gz"
_MADE: Final = ".made.json.gz"
_DAMAGE: Final = (
    *(OSError, EOFError, zlib.error, ValueError, RecursionError, KeyError, TypeError),
    *(AttributeError, IndexError, RuntimeError, NeurosymError),
)


def default_cache() -> Path:
    """The folder of the cache that nobody has named: ``scenes`` beside the models."""
    return home() / "scenes"


def key_of(image: np.ndarray) -> str:
    """The name of a picture: the SHA-256 of its shape and pixels, uint8 [height, width, 3] RGB.

    Of the pixels, not of a file: the same picture is the same entry in whatever file or array it
    comes, and another way of decoding it is another picture.
    """
    whole = hashlib.sha256(f"{list(image.shape)}".encode())
    whole.update(np.ascontiguousarray(image).data)
    return whole.hexdigest()


class CachedPerception(Perception):
    """A perception whose scenes are kept in a folder.

    A scene that comes from the folder is as good as a new one: its picture is at hand, so masks,
    colours and words are still looked up when they are asked for. A picture that comes with a
    depth map of its own is always perceived anew.

    Args:
        perception: makes scenes.
        folder: where they are kept; made when it is not there.

    Raises:
        OptionError: the perception has no fingerprint.
        DataError: the folder cannot be written to.
    """

    def __init__(self, perception: Perception, folder: str | Path) -> None:
        fingerprint = perception.fingerprint
        if fingerprint is None:
            raise OptionError(
                f'scenes of "{perception.name}" cannot be cached: it has no fingerprint, which '
                "says when its scenes would change"
            )
        self.name = perception.name
        self.folder = Path(folder).expanduser() / fingerprint
        check_folder(self.folder)
        self._perception = perception
        # How much had been made of a picture when it was last written.
        self._kept: weakref.WeakKeyDictionary[Photo, tuple[str, int]] = weakref.WeakKeyDictionary()
        self._writes = True

    @property
    def batch(self) -> int:
        """That of the perception."""
        return self._perception.batch

    @property
    def fingerprint(self) -> str | None:
        """That of the perception."""
        return self._perception.fingerprint

    def prepare(self) -> None:
        """See :meth:`Perception.prepare`."""
        self._perception.prepare()

    def revive(self, scene: Scene, image: np.ndarray) -> Scene:
        """See :meth:`Perception.revive`."""
        return self._perception.revive(scene, image)

    def perceive(self, image: np.ndarray, *, depth: DepthMap | None = None) -> Scene:
        """See :meth:`Perception.perceive`."""
        if depth is not None:
            return self._perception.perceive(image, depth=depth)
        return self.perceive_batch([image])[0]

    def perceive_batch(self, images: Sequence[np.ndarray]) -> list[Scene]:
        """See :meth:`Perception.perceive_batch`; only new images are perceived."""
        keys = [key_of(image) for image in images]
        scenes = [self._load(key, image) for key, image in zip(keys, images, strict=True)]
        new = [index for index, scene in enumerate(scenes) if scene is None]
        made = self._perception.perceive_batch([images[index] for index in new]) if new else []
        for index, scene in zip(new, made, strict=True):
            scenes[index] = scene
            self._write(keys[index] + _SCENE, to_document(scene))
            self._watch(scene, keys[index])
        return [scene for scene in scenes if scene is not None]

    def keep(self, scene: Scene) -> None:
        """Writes what has been made of a scene's picture since it was perceived, if anything.

        Args:
            scene: from here; of others, and of parts of scenes, nothing is kept.
        """
        photo = scene.pixels.photo if isinstance(scene.pixels, PhotoPixels) else None
        if photo is None or photo not in self._kept:
            return
        key, before = self._kept[photo]
        now = _amount(photo)
        if now > before:
            self._write(key + _MADE, _made_document(photo))
            self._kept[photo] = key, now

    def _watch(self, scene: Scene, key: str) -> None:
        if isinstance(scene.pixels, PhotoPixels):
            self._kept[scene.pixels.photo] = key, _amount(scene.pixels.photo)

    def _load(self, key: str, image: np.ndarray) -> Scene | None:
        path = self._path(key + _SCENE)
        try:
            scene = read_document(_read(path), str(path))
            if tuple(scene.size) != image.shape[:2]:
                return None
        except _DAMAGE:
            # Absent or damaged: it is made again.
            return None
        scene = self._perception.revive(scene, image)
        if isinstance(scene.pixels, PhotoPixels):
            with contextlib.suppress(*_DAMAGE):
                _restore(scene.pixels.photo, _read(self._path(key + _MADE)), len(scene))
        self._watch(scene, key)
        return scene

    def _path(self, name: str) -> Path:
        # A folder of a million files is slow on some file systems.
        return self.folder / name[:2] / name

    def _write(self, name: str, document: dict[str, Any]) -> None:
        if not self._writes:
            return
        path = self._path(name)
        try:
            label = self.folder / _LABEL
            if not label.exists():
                make_folder(self.folder)
                text = json.dumps({"format": FORMAT, "perception": self.name})
                write_atomically(label, text.encode())
            make_folder(path.parent)
            write_atomically(path, gzip.compress(json.dumps(document).encode(), 1, mtime=0))
        except DataError as error:
            # A full disk is no reason to lose the scenes of a long run.
            self._writes = False
            warnings.warn(f"scenes are no longer cached: {error.message}", stacklevel=2)


def _read(path: Path) -> Any:
    return json.loads(gzip.decompress(path.read_bytes()))


def _amount(photo: Photo) -> int:
    scores = sum(len(rows) for rows in photo.scores.values())
    pairs = sum(len(known) for known in photo.pairs.values())
    return len(photo.masks) + len(photo.searches) + scores + pairs


def _made_document(photo: Photo) -> dict[str, Any]:
    """What has been made of a photograph, ready for JSON."""
    return {
        "format": FORMAT,
        "masks": {str(index): encode_mask(mask) for index, mask in photo.masks.items()},
        "scores": [
            {
                "attribute": attribute,
                "values": list(values),
                "rows": {str(index): row.tolist() for index, row in rows.items()},
            }
            for (attribute, values), rows in photo.scores.items()
        ],
        "pairs": {
            relation: [[*pair, float(probability)] for pair, probability in known.items()]
            for relation, known in photo.pairs.items()
        },
        "searches": [
            {
                "phrases": list(phrases),
                "boxes_xyxy": found.boxes.tolist(),
                "scores": found.scores.tolist(),
                "masks": None if found.masks is None else list(map(encode_mask, found.masks)),
            }
            for phrases, found in photo.searches
        ],
    }


def _restore(photo: Photo, document: Any, count: int) -> None:
    """Gives a photograph of a scene with ``count`` objects what :func:`_made_document` wrote."""
    if document["format"] != FORMAT:
        return

    def numbered(saved: dict[str, Any]) -> list[tuple[int, Any]]:
        return [(int(index), value) for index, value in saved.items() if 0 <= int(index) < count]

    masks = {index: decode_mask(run, photo.size) for index, run in numbered(document["masks"])}
    scores = {
        (saved["attribute"], tuple(saved["values"])): {
            index: torch.tensor(row, dtype=torch.float32).reshape(len(saved["values"]))
            for index, row in numbered(saved["rows"])
        }
        for saved in document["scores"]
    }
    pairs = {
        relation: {(i, j): torch.tensor(probability) for i, j, probability in known}
        for relation, known in document["pairs"].items()
    }
    searches = [_search(saved, photo.size) for saved in document["searches"]]
    photo.masks.update(masks)
    photo.scores.update(scores)
    photo.pairs.update(pairs)
    photo.searches.extend(searches)


def _search(saved: dict[str, Any], size: ImageSize) -> tuple[tuple[str, ...], Detections]:
    phrases = tuple(saved["phrases"])
    boxes = torch.tensor(saved["boxes_xyxy"], dtype=torch.float32).reshape(-1, 4)
    table = torch.tensor(saved["scores"], dtype=torch.float32).reshape(-1, len(phrases))
    if saved["masks"] is None:
        return phrases, Detections(boxes, table)
    masks = torch.zeros((len(boxes), *size), dtype=torch.bool)
    for row, run in enumerate(saved["masks"]):
        masks[row] = decode_mask(run, size)
    return phrases, Detections(boxes, table, masks)


@dataclass(frozen=True)
class Kept:
    """What a cache holds of one perception.

    Attributes:
        folder: where.
        perception: its name.
        scenes: how many.
        size: of all its files, in bytes.
    """

    folder: Path
    perception: str
    scenes: int
    size: int


def contents(folder: Path) -> list[Kept]:
    """What a cache holds, by perception; nothing when the folder is not there.

    Raises:
        DataError: the folder cannot be read.
    """
    found = []
    for part in _parts(folder):
        scenes = size = 0
        # Another process may remove files meanwhile.
        with contextlib.suppress(FileNotFoundError):
            label = json.loads((part / _LABEL).read_text("utf-8"))
            for file in _files(part):
                size += file.stat().st_size
                scenes += file.name.endswith(_SCENE)
            found.append(Kept(part, str(label["perception"]), scenes, size))
    return sorted(found, key=lambda kept: (kept.perception, kept.folder))


def clear(folder: Path) -> int:
    """Removes all entries of a cache, and nothing else; how many bytes that were.

    Raises:
        DataError: the folder cannot be read, or something cannot be removed.
    """
    freed = 0
    try:
        for part in _parts(folder):
            for file in _files(part):
                freed += file.stat().st_size
                file.unlink()
            (part / _LABEL).unlink()
            for inner in (*(path for path in part.iterdir() if path.is_dir()), part):
                # What somebody else has put there stays.
                with contextlib.suppress(OSError):
                    inner.rmdir()
    except OSError as error:
        raise DataError(f'cannot clear the cache "{folder}": {error.strerror}') from error
    return freed


def _parts(folder: Path) -> Iterator[Path]:
    """The folders of a cache that are ours, one for each perception."""
    try:
        inside = sorted(folder.iterdir()) if folder.exists() else []
    except OSError as error:
        raise DataError(f'cannot read the cache "{folder}": {error.strerror}') from error
    for part in inside:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            if json.loads((part / _LABEL).read_text("utf-8"))["format"] == FORMAT:
                yield part


def _files(part: Path) -> Iterator[Path]:
    # The names of unfinished files, which a process that was killed has left, begin with a dot.
    for pattern in (f"??/*{_SCENE}", f"??/*{_MADE}", "??/.[0-9a-f]*.????????"):
        yield from (path for path in part.glob(pattern) if path.is_file())
