"""What all formats share: the scenes of one file, and how numbers are read and written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neurosym.errors import DataError, NeurosymError
from neurosym.masks import Outlines, Segmentation, encode_mask
from neurosym.origin import Origin
from neurosym.perception.concepts import load_concepts
from neurosym.perception.given import Thing, scene_of
from neurosym.pixels import ImageSize, Pixels
from neurosym.scene import Scene

SOURCE = "given"


@dataclass(frozen=True, eq=False)
class Scenes(Mapping[Any, Scene]):
    """The scenes of one file, by image.

    Attributes:
        scenes: key of the image, as the format names it -> its scene, in the file's order.
        format: the name of the format that they come from; empty when they come from no file.
        header: what the file says of all of them, for example its licences.
    """

    scenes: Mapping[Any, Scene]
    format: str = ""
    header: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, key: Any) -> Scene:
        return self.scenes[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.scenes)

    def __len__(self) -> int:
        return len(self.scenes)

    def __repr__(self) -> str:
        objects = sum(len(scene) for scene in self.scenes.values())
        return f"Scenes({len(self)} of format {self.format!r}, {objects} objects)"


def gathered(scenes: Scene | Mapping[Any, Scene]) -> Scenes:
    """Scenes as they are, or one scene as the only one, with the key 1."""
    if isinstance(scenes, Scenes):
        return scenes
    return Scenes({1: scenes} if isinstance(scenes, Scene) else dict(scenes))


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Say of what is wrong inside, in one line, where it stands.

    Args:
        what: for example "annotation 3".

    Raises:
        DataError: something inside is missing or of the wrong kind.
    """
    try:
        yield
    except NeurosymError as error:
        raise DataError(f"{what}: {error.message}") from error
    except KeyError as error:
        raise DataError(f'{what} lacks "{error.args[0]}"') from error
    except (TypeError, ValueError, IndexError, AttributeError, RuntimeError) as error:
        raise DataError(f"{what} is not of the format: {error}") from error


def photograph(
    things: Sequence[Thing],
    size: ImageSize,
    origin: Origin,
    *,
    categories: Sequence[str] | None = None,
    pixels: Pixels | None = None,
    name: str = "",
) -> Scene:
    """The scene of annotated objects, with the relations that follow from their boxes.

    With a vocabulary come the words that its categories cover beyond their own names.

    Args:
        things: the objects.
        size: of the image.
        origin: what else the file says.
        categories: the vocabulary; that of the things when left out.
        pixels: the masks.
        name: the image's file name, where there is one.
    """
    concepts = {} if categories is None else load_concepts(categories)
    scene = scene_of(things, size, categories=categories, pixels=pixels, concepts=concepts)
    provenance = {**scene.provenance, "format": origin.format, **({"image": name} if name else {})}
    return replace(scene, origin=origin, provenance=provenance)


def origin_of(scene: Scene, *formats: str) -> Origin:
    """What a scene remembers of one of these formats; nothing when it comes from another."""
    origin = scene.origin
    return origin if origin is not None and origin.format in formats else Origin(formats[0])


def corners(box: Sequence[float]) -> tuple[float, float, float, float]:
    """(x1, y1, x2, y2) of x, y, width, height.

    Raises:
        DataError: these are not four finite numbers, or a side is negative.
    """
    numbers = [float(number) for number in box]
    if len(numbers) != 4 or not np.isfinite(numbers).all() or min(numbers[2:]) < 0:
        raise DataError(f"a box must be x, y, width, height in pixels, not {list(box)}")
    x, y, width, height = numbers
    return (x, y, x + width, y + height)


def sides(box: Tensor, noted: Sequence[float] | None = None) -> list[float]:
    """The x, y, width and height of a box [4] xyxy, in the shortest numbers.

    Args:
        box: of a scene.
        noted: how the file wrote it; taken while it still is the scene's box.
    """
    if noted is not None and torch.equal(torch.tensor(corners(noted)), box.cpu().float()):
        return list(noted)
    x1, y1, x2, y2 = (float(str(np.float32(number))) for number in box.tolist())
    return [shortest(number) for number in (x1, y1, x2 - x1, y2 - y1)]


def shortest(number: float) -> float:
    """The shortest decimal that is the same float32; whole numbers have no fraction.

    Example:
        >>> shortest(float(torch.tensor(0.1))), shortest(3.0)
        (0.1, 3)
    """
    short = float(str(np.float32(number)))
    return int(short) if short.is_integer() else short


def as_read(number: float, noted: float | None) -> float:
    """A float32 as the file wrote it, while it still is that number, or else the shortest."""
    if noted is not None and np.float32(noted) == np.float32(number):
        return noted
    return shortest(number)


def segmentation_of(scene: Scene, known: Mapping[int, Tensor], index: int) -> Segmentation | None:
    """The mask of an object as its file has it, or else as run lengths; None where none is made.

    Args:
        scene: the scene.
        known: the masks of it that are made, empty when its pixels are outlines.
        index: the object's number.
    """
    if isinstance(scene.pixels, Outlines):
        return scene.pixels.segmentations[index]
    return encode_mask(known[index]) if index in known else None


def known_masks(scene: Scene) -> Mapping[int, Tensor]:
    """The masks that :func:`segmentation_of` may have to encode."""
    if scene.pixels is None or isinstance(scene.pixels, Outlines):
        return {}
    return scene.pixels.known_masks()


def likeliest(scene: Scene) -> list[str]:
    """The likeliest category of every object."""
    return [name for name, _ in scores(scene)]


def scores(scene: Scene) -> list[tuple[str, float]]:
    """Of every object its likeliest category, and how probably it exists and is of it."""
    if not len(scene):
        return []
    best, which = scene.categories.probabilities.max(dim=1)
    sure = (scene.existence * best).tolist()
    names = scene.categories.values
    return [(names[i], p) for i, p in zip(which.tolist(), sure, strict=True)]
