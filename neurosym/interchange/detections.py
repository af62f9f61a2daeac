"""Detections as other libraries hold them: supervision, and torchvision's dictionaries.

Neither library is needed: both are told by their fields. What survives from there to a scene and
back: boxes, masks, classes, scores, trackers' numbers and further data. What survives from any
scene: boxes, the likeliest category, how probably it exists and is of it, and the masks that have
been made (objects without one fill their box, where any object has one); attributes, relations,
measures and marks are lost.

Sources: supervision.Detections (supervision.roboflow.com); the targets and outputs of torchvision's
detection models (pytorch.org/vision).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neurosym.errors import DataError
from neurosym.interchange.scenes import origin_of, photograph, reading, scores
from neurosym.origin import Origin
from neurosym.perception.given import Thing
from neurosym.pixels import GivenMasks, ImageSize
from neurosym.scene import Scene

SUPERVISION = "supervision"
TORCHVISION = "torchvision"
NAME = "class_name"
"""Where supervision keeps the names of classes."""


def from_supervision(
    detections: Any, size: ImageSize | tuple[int, int], names: Sequence[str] | None = None
) -> Scene:
    """The scene of a ``supervision.Detections``, or of what has its fields.

    Args:
        detections: ``xyxy`` [N, 4] absolute pixels, ``mask`` [N, height, width] or None,
            ``confidence`` [N] in [0, 1] or None, ``class_id`` [N] or None, ``tracker_id`` [N] or
            None, ``data`` with further arrays of N.
        size: (height, width) of the image.
        names: name of each class by its number; ``data["class_name"]`` when left out.

    Returns:
        A scene with an object per detection, apart from all others. Its categories are all
        ``names``, or those that occur.

    Raises:
        DataError: the fields do not fit together.

    Example:
        >>> from types import SimpleNamespace
        >>> found = SimpleNamespace(xyxy=[[1, 2, 3, 4]], class_id=[1], confidence=[0.5])
        >>> from_supervision(found, (10, 10), ["cat", "dog"]).most_likely().graph().nodes[0][
        ...     "category"]
        'dog'
    """
    with reading("the detections"):
        boxes = _boxes(detections.xyxy)
        count = len(boxes)
        data = {
            name: list(values) for name, values in (getattr(detections, "data", None) or {}).items()
        }
        for name, values in data.items():
            _same(f'data["{name}"]', values, count)
        classes = _optional(detections, "class_id", count)
        trackers = _optional(detections, "tracker_id", count)
        confidence = _optional(detections, "confidence", count)
        called = _names(classes, names, data, count)
        notes = [
            {
                "class_name": called[i],
                **({"class_id": int(classes[i])} if classes is not None else {}),
                **({"tracker_id": int(trackers[i])} if trackers is not None else {}),
                **({"confidence": None} if confidence is None else {}),
                "data": {k: _plain(v[i]) for k, v in data.items() if k != NAME},
            }
            for i in range(count)
        ]
        image = {"named": NAME in data, "metadata": getattr(detections, "metadata", None) or {}}
        return _scene(
            boxes,
            called,
            [1.0] * count if confidence is None else [float(score) for score in confidence],
            _masks(getattr(detections, "mask", None), ImageSize(*size)),
            ImageSize(*size),
            Origin(SUPERVISION, image, tuple(notes)),
            names,
        )


def to_supervision(scene: Scene) -> dict[str, Any]:
    """A scene as the arguments of ``supervision.Detections``.

    ``supervision.Detections(**to_supervision(scene))`` makes one. Class numbers are those that
    were read, else the columns of the scene's categories.
    """
    origin = origin_of(scene, SUPERVISION)
    notes = [origin.of(index) for index in range(len(scene))]
    found = scores(scene)
    classes = [
        note["class_id"]
        if note.get("class_name") == name and "class_id" in note
        else scene.categories.values.index(name)
        for note, (name, _) in zip(notes, found, strict=True)
    ]
    made: dict[str, Any] = {
        "xyxy": scene.boxes.cpu().numpy(),
        "confidence": np.array([score for _, score in found], dtype=np.float32),
        "class_id": np.array(classes, dtype=np.int64),
    }
    if notes and all("confidence" in note for note in notes):
        made["confidence"] = None
    masks = _made_masks(scene)
    if masks is not None:
        made["mask"] = masks.numpy()
    if notes and all("tracker_id" in note for note in notes):
        made["tracker_id"] = np.array([note["tracker_id"] for note in notes], dtype=np.int64)
    made["data"] = {NAME: np.array([name for name, _ in found], dtype=str)}
    for key in dict.fromkeys(key for note in notes for key in note.get("data", {})):
        if all(key in note.get("data", {}) for note in notes):
            made["data"][key] = np.array([note["data"][key] for note in notes])
    if origin.image.get("metadata"):
        made["metadata"] = dict(origin.image["metadata"])
    return made


def from_torchvision(
    target: Mapping[str, Any],
    names: Sequence[str],
    size: ImageSize | tuple[int, int] | None = None,
) -> Scene:
    """The scene of a target or an output of torchvision's detection models.

    Args:
        target: ``boxes`` [N, 4] xyxy in absolute pixels, ``labels`` [N], perhaps ``scores`` [N],
            ``masks`` [N, height, width] or [N, 1, height, width] (true from 0.5 on), and others.
        names: name of each label by its number; the first is the background.
        size: (height, width) of the image; that of the masks when left out.

    Raises:
        DataError: the parts do not fit together, or the size is not known.
    """
    with reading("the target"):
        boxes = _boxes(target["boxes"])
        count = len(boxes)
        labels = [int(label) for label in target["labels"]]
        _same("labels", labels, count)
        masks = target.get("masks")
        if masks is not None:
            masks = torch.as_tensor(masks)
            masks = masks[:, 0] if masks.ndim == 4 else masks
        if size is None:
            if masks is None:
                raise DataError("the size of the image is not known: give size=(height, width)")
            size = ImageSize(*masks.shape[-2:])
        sure = [1.0] * count if target.get("scores") is None else list(map(float, target["scores"]))
        _same("scores", sure, count)
        rest = {
            name: torch.as_tensor(part).tolist()
            for name, part in target.items()
            if name not in ("boxes", "labels", "scores", "masks")
        }
        scored = target.get("scores") is not None
        image = {"scored": scored, "names": list(names), "rest": rest}
        called = [_named(label, names) for label in labels]
        notes = tuple(
            {"label": label, "name": name} for label, name in zip(labels, called, strict=True)
        )
        return _scene(
            boxes,
            called,
            sure,
            _masks(masks, ImageSize(*size)),
            ImageSize(*size),
            Origin(TORCHVISION, image, notes),
            names,
        )


def to_torchvision(scene: Scene, names: Sequence[str] | None = None) -> dict[str, Any]:
    """A scene as torchvision's detection models take and give it.

    Args:
        scene: the scene.
        names: name of each label by its number, the first being the background; those that it was
            read with, or else the scene's categories from 1 on, when left out.

    Raises:
        DataError: a category is not among the names.
    """
    origin = origin_of(scene, TORCHVISION)
    found = scores(scene)
    if names is None:
        names = origin.image.get("names", ["", *scene.categories.values])
    labels = []
    for index, (name, _) in enumerate(found):
        # Names may stand twice, as "N/A" does among COCO's.
        label = origin.of(index).get("label", 0)
        if not 0 <= label < len(names) or names[label] != name:
            if name not in names:
                raise DataError(f'the names of labels lack "{name}"')
            label = list(names).index(name)
        labels.append(label)
    made: dict[str, Any] = {
        "boxes": scene.boxes.cpu(),
        "labels": torch.tensor(labels, dtype=torch.int64),
    }
    if origin.image.get("scored", True):
        made["scores"] = torch.tensor([score for _, score in found], dtype=torch.float32)
    masks = _made_masks(scene)
    if masks is not None:
        made["masks"] = masks
    return {**made, **{k: torch.tensor(v) for k, v in origin.image.get("rest", {}).items()}}


def _scene(
    boxes: Tensor,
    called: Sequence[str],
    sure: Sequence[float],
    masks: Tensor | None,
    size: ImageSize,
    origin: Origin,
    names: Sequence[str] | None,
) -> Scene:
    if masks is not None:
        _same("masks", masks, len(boxes))
    things = [
        Thing(name, (box[0], box[1], box[2], box[3]), existence=score)
        for name, box, score in zip(called, boxes.tolist(), sure, strict=True)
    ]
    pixels = None if masks is None else GivenMasks(size, dict(enumerate(masks)), boxes)
    vocabulary = None if names is None else tuple(dict.fromkeys(names))
    return photograph(things, size, origin, categories=vocabulary, pixels=pixels)


def _boxes(boxes: Any) -> Tensor:
    made = torch.as_tensor(np.asarray(boxes), dtype=torch.float32)
    if made.numel() == 0:
        return torch.zeros((0, 4))
    if made.ndim != 2 or made.shape[1] != 4:
        raise DataError(f"boxes must be [N, 4] xyxy, not {list(made.shape)}")
    return made


def _masks(masks: Any, size: ImageSize) -> Tensor | None:
    """[N, height, width] bool; numbers count as true from one half on."""
    if masks is None:
        return None
    made = torch.as_tensor(np.asarray(masks))
    made = made if made.dtype is torch.bool else made >= 0.5
    if made.ndim != 3 or tuple(made.shape[1:]) != tuple(size):
        raise DataError(f"masks must be {['N', *size]}, not {list(made.shape)}")
    return made


def _made_masks(scene: Scene) -> Tensor | None:
    """The masks of all objects if any has been made: [N, height, width] bool."""
    known = scene.pixels.known_masks() if scene.pixels is not None else {}
    if not known:
        return None
    return GivenMasks(scene.size, known, scene.boxes.cpu()).masks(range(len(scene)))


def _optional(detections: Any, name: str, count: int) -> list[Any] | None:
    values = getattr(detections, name, None)
    if values is None:
        return None
    _same(name, values, count)
    return list(values)


def _same(name: str, values: Any, count: int) -> None:
    if len(values) != count:
        raise DataError(f"{name} must be as many as the boxes, {count}, not {len(values)}")


def _names(
    classes: Sequence[Any] | None,
    names: Sequence[str] | None,
    data: Mapping[str, Sequence[Any]],
    count: int,
) -> list[str]:
    if names is not None and classes is not None:
        return [_named(int(number), names) for number in classes]
    if NAME in data:
        return [str(name) for name in data[NAME]]
    if count:
        raise DataError(f'the classes have no names: give names, or data["{NAME}"]')
    return []


def _named(number: int, names: Sequence[str]) -> str:
    if not 0 <= number < len(names):
        raise DataError(f"there are {len(names)} names, but a class {number}")
    return names[number]


def _plain(value: Any) -> Any:
    """A number or text of an array, ready for JSON."""
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
