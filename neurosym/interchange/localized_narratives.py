"""Localized Narratives: people describe a picture while their mouse points at what they speak of.

Every timed piece of speech during which the mouse was in the picture is an object: its category is
what was said, without capitals and marks, its box the extent of the mouse's trace meanwhile. The
points are had by :func:`trace`. Words such as "a" point, too; take what is wanted.

What survives from a file to scenes and back: everything, since a narrative is kept as it is; a
scene with fewer objects is still the whole narrative. Only what was read from narratives can be
written.

Source: J. Pont-Tuset et al., "Connecting vision and language with localized narratives", ECCV
2020, and the data format of its release.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from neurosym.errors import DataError
from neurosym.interchange.scenes import Scenes, gathered, origin_of, photograph, reading
from neurosym.origin import Origin
from neurosym.perception.given import Thing
from neurosym.pixels import ImageSize
from neurosym.scene import Scene

FORMAT = "localized-narratives"
_MARKS = " \t\n.,;:!?\"'()"


def from_localized_narratives(
    lines: Sequence[Mapping[str, Any]], sizes: Mapping[Any, ImageSize]
) -> Scenes:
    """The scenes of narratives.

    Args:
        lines: the lines of a file: ``image_id``, ``annotator_id``, ``timed_caption`` and
            ``traces``, whose x and y are shares of the picture's width and height.
        sizes: of the images, by ``image_id``, as the file does not give them.

    Returns:
        A scene per narrative, by image and annotator: ``"IMAGE-ANNOTATOR"``.

    Raises:
        DataError: something is missing, the size of an image is not known, or an annotator tells
            of an image twice.
    """
    made: dict[str, Scene] = {}
    for number, line in enumerate(lines, start=1):
        with reading(f"line {number}"):
            key = f"{line['image_id']}-{line['annotator_id']}"
            if key in made:
                raise DataError(f"there is a narrative {key} already")
            if line["image_id"] not in sizes:
                raise DataError(f"the size of the image {line['image_id']!r} is not known")
            made[key] = _scene(line, sizes[line["image_id"]])
    return Scenes(made, FORMAT)


def to_localized_narratives(scenes: Scene | Mapping[Any, Scene]) -> list[dict[str, Any]]:
    """Scenes that were read from narratives as the lines that they came from.

    Raises:
        DataError: a scene was not read from narratives.
    """
    lines = []
    for key, scene in gathered(scenes).items():
        line = origin_of(scene, FORMAT).image
        if not line:
            raise DataError(f"scene {key!r}: only what was read from narratives can be written so")
        lines.append(dict(line))
    return lines


def trace(scene: Scene, index: int) -> Tensor:
    """Where the mouse was during what an object stands for.

    Args:
        scene: one that was read from narratives.
        index: the object's number.

    Returns:
        [P, 3] float32: x and y in pixels, and the time in seconds.

    Raises:
        DataError: the scene was not read from narratives.
    """
    origin = origin_of(scene, FORMAT)
    if "utterance" not in origin.of(index):
        raise DataError(f"object {index} was not read from a narrative")
    timed = origin.image["timed_caption"][origin.of(index)["utterance"]]
    return _points(origin.image, timed, scene.size)


def _scene(line: Mapping[str, Any], size: ImageSize) -> Scene:
    things, notes = [], []
    for number, timed in enumerate(line["timed_caption"]):
        with reading(f"utterance {number}"):
            points = _points(line, timed, size)
            said = " ".join(str(timed["utterance"]).lower().strip(_MARKS).split())
            if not len(points) or not said:
                continue
            limit = torch.tensor([size.width, size.height])
            places = points[:, :2].clamp(min=0).minimum(limit)
            x1, y1, x2, y2 = torch.cat([places.amin(0), places.amax(0)]).tolist()
            things.append(Thing(said, (x1, y1, x2, y2)))
            notes.append({"utterance": number})
    return photograph(things, size, Origin(FORMAT, dict(line), tuple(notes)))


def _points(line: Mapping[str, Any], timed: Mapping[str, Any], size: ImageSize) -> Tensor:
    """[P, 3]: the trace during one utterance, in pixels and seconds."""
    start, end = float(timed["start_time"]), float(timed["end_time"])
    inside = [
        (point["x"] * size.width, point["y"] * size.height, point["t"])
        for part in line["traces"]
        for point in part
        if start <= point["t"] <= end
    ]
    return torch.tensor(inside, dtype=torch.float32).reshape(-1, 3)
