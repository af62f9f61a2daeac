"""Photographs with gold boxes in COCO's style, and what a perception sees in them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from neurosym.errors import DataError, NeurosymError, OptionError, PerceptionError
from neurosym.interchange.coco import crowds, from_coco
from neurosym.perception.images import load_image
from neurosym.pixels import Wanted
from neurosym.scene import Scene

if TYPE_CHECKING:
    from neurosym.perception.base import Perception

Item = TypeVar("Item")


@dataclass(frozen=True, eq=False)
class Photograph:
    """A photograph whose things are known.

    Attributes:
        number: its identifier in the file.
        path: of the picture.
        scene: the gold things, each certain.
        crowds: regions of many things that are not told apart.
    """

    number: Any
    path: Path
    scene: Scene
    crowds: Scene


@dataclass(frozen=True, eq=False)
class Album:
    """The photographs of a folder.

    Attributes:
        document: the annotations of things, in COCO's format.
        photographs: in the file's order.
    """

    document: Mapping[str, Any]
    photographs: Sequence[Photograph]

    @property
    def names(self) -> tuple[str, ...]:
        """The categories of things."""
        return tuple(str(entry["name"]) for entry in self.document["categories"])

    @property
    def things(self) -> int:
        """How many gold things there are."""
        return sum(len(photograph.scene) for photograph in self.photographs)


@dataclass(frozen=True, eq=False)
class Seen:
    """A photograph and what a perception made of it.

    Attributes:
        photograph: the photograph.
        scene: on the CPU; None when there is none.
        problem: why there is none.
    """

    photograph: Photograph
    scene: Scene | None
    problem: str = ""


def read_album(folder: Path, limit: int | None = None) -> Album:
    """The photographs below ``images/`` that ``instances.json`` lists, in COCO's format.

    Categories with ``isthing`` 0 are left out with their annotations: they have no instances.

    Args:
        folder: where both lie.
        limit: take so many photographs, see :func:`drawn`.

    Raises:
        DataError: the file cannot be read or is not of its form.
        OptionError: the limit is not positive.
    """
    path = folder / "instances.json"
    try:
        document = json.loads(path.read_text("utf-8"))
        categories = [entry for entry in document["categories"] if entry.get("isthing", 1)]
        numbers = {entry["id"] for entry in categories}
        images = drawn(document["images"], [str(i["file_name"]) for i in document["images"]], limit)
        kept = {image["id"] for image in images}
        annotations = [
            annotation
            for annotation in document["annotations"]
            if annotation["category_id"] in numbers and annotation["image_id"] in kept
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f'cannot read "{path}": {error!r}') from error
    document = {"images": images, "categories": categories, "annotations": annotations}
    scenes = from_coco(document)
    return Album(
        document,
        [
            Photograph(
                image["id"],
                folder / "images" / image["file_name"],
                scenes[image["id"]],
                crowds(scenes[image["id"]]),
            )
            for image in images
        ],
    )


def drawn(items: Sequence[Item], keys: Sequence[str], limit: int | None) -> list[Item]:
    """So many items, drawn by the hash of their keys, in their order; a smaller draw is part of it.

    Raises:
        OptionError: the limit is not positive.
    """
    if limit is None:
        return list(items)
    if limit < 1:
        raise OptionError(f"limit must be at least 1, not {limit}")
    order = sorted(keys, key=lambda key: hashlib.sha256(key.encode()).hexdigest())
    chosen = set(order[:limit])
    return [item for item, key in zip(items, keys, strict=True) if key in chosen]


def look(album: Album, perception: Perception, *, progress: bool = False) -> Iterator[Seen]:
    """What a perception sees in each photograph, with the album's categories looked for.

    A picture that cannot be read, and one that perception fails on, is given without a scene.

    Raises:
        PerceptionError: that happened with every picture.
        NeurosymError: models or options are missing or wrong.
    """
    failures: list[str] = []
    for photograph in bar(album.photographs, progress):
        try:
            seen = Seen(photograph, _scene(photograph, perception, album.names).to("cpu"))
        except (PerceptionError, DataError) as error:
            seen = Seen(photograph, None, error.message)
        except NeurosymError:
            raise
        except Exception as error:
            # A defect in somebody's detector costs one picture, which then says so.
            seen = Seen(photograph, None, f"{type(error).__name__}: {error}")
        if seen.scene is None:
            failures.append(seen.problem)
        yield seen
    if failures and len(failures) == len(album.photographs):
        raise PerceptionError(f"no picture could be looked at: {failures[0]}")


def _scene(photograph: Photograph, perception: Perception, names: Sequence[str]) -> Scene:
    image = load_image(photograph.path)
    if image.shape[:2] != tuple(photograph.scene.size):
        raise DataError(
            f'"{photograph.path.name}" is {image.shape[1]} x {image.shape[0]}, but its annotations '
            f"say {photograph.scene.size.width} x {photograph.scene.size.height}"
        )
    scene = perception.perceive(image)
    missing = tuple(name for name in names if name not in scene.categories.values)
    if missing and scene.pixels is not None:
        # An open vocabulary is asked for the names that there are.
        scene = scene.pixels.look_for(scene, Wanted(nouns=missing))
    return scene


def bar(items: Sequence[Item], progress: bool) -> Iterator[Item]:
    """The items, with a bar on the standard error where that is a terminal."""
    from tqdm import tqdm

    with tqdm(items, unit="picture", disable=None if progress else True) as shown:
        yield from shown
