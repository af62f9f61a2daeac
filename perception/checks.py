"""What is asked of the parts of a pipeline that a user may have written, in one line each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neurosym.errors import OptionError, PerceptionError
from neurosym.perception.base import (
    AttributeModel,
    DepthModel,
    Detections,
    Detector,
    HeatMapModel,
    OpenDetector,
    RelationModel,
    Segmenter,
)
from neurosym.perception.registry import Role
from neurosym.pixels import ImageSize

_ROUNDING = 1e-4
_INTERFACES: dict[Role, tuple[type, str]] = {
    Role.DETECTOR: (Detector, "name, categories and detect()"),
    Role.OPEN_DETECTOR: (OpenDetector, "name and detect_phrases()"),
    Role.SEGMENTER: (Segmenter, "encode() and masks()"),
    Role.ATTRIBUTES: (AttributeModel, "name and attributes()"),
    Role.RELATIONS: (RelationModel, "name and relations()"),
    Role.DEPTH: (DepthModel, "name and depth()"),
    Role.HEAT_MAPS: (HeatMapModel, "name and heat_maps()"),
}


def check_part(role: Role, part: Any) -> None:
    """Whether an object has the interface of a role.

    Raises:
        OptionError: it has not, or is a class.
    """
    interface, expected = _INTERFACES[role]
    if isinstance(part, type):
        raise OptionError(
            f"{role.value} must be an object, not the class {part.__name__}: make one of it"
        )
    if not isinstance(part, interface):
        raise OptionError(
            f"{role.value} must be an object with {expected}, not {type(part).__name__}"
        )
    name = getattr(part, "name", "")
    if not isinstance(name, str):
        raise OptionError(
            f"the name of {type(part).__name__} must be a text, not {type(name).__name__}"
        )


def called(part: Any) -> str:
    """What messages call a part: its name, or its class where it has none."""
    name = getattr(part, "name", None)
    return name if isinstance(name, str) and name else type(part).__name__


def checked_image(image: Any) -> np.ndarray:
    """The image, in memory as torch takes it.

    Raises:
        PerceptionError: it is none.
    """
    if not isinstance(image, np.ndarray):
        raise PerceptionError(
            f"an image must be an array, uint8 [height, width, 3], not {type(image).__name__}"
        )
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise PerceptionError(
            "an image must be uint8 [height, width, 3] with at least one pixel, "
            f"not {image.dtype} {list(image.shape)}"
        )
    # Turned or cut out of another one, it may run backwards, or may not be written to.
    return np.require(image, requirements=["C", "W"])


def checked_categories(detector: Detector) -> tuple[str, ...]:
    """The names of a detector's categories.

    Raises:
        PerceptionError: they are none, or one stands twice.
    """
    names = detector.categories
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise PerceptionError(
            f"the categories of {called(detector)} must be a sequence of names, "
            f"not {type(names).__name__}"
        )
    for name in names:
        if not isinstance(name, str) or not name.strip():
            raise PerceptionError(
                f"{called(detector)} has a category {name!r}: names must be texts"
            )
    twice = next((name for name in names if list(names).count(name) > 1), None)
    if twice is not None:
        raise PerceptionError(
            f'{called(detector)} has two categories of the name "{twice}": names must differ'
        )
    return tuple(names)


def checked_detections(
    found: Any, images: Sequence[np.ndarray], columns: int, detector: Any
) -> list[Detections]:
    """What a detector says of images, boxes cut at the edges of their image.

    Args:
        found: what it gave.
        images: what it was given.
        columns: how many categories or phrases there are.
        detector: who says so.

    Raises:
        PerceptionError: there is not one :class:`Detections` an image, or one does not fit.
    """
    name = called(detector)
    if not isinstance(found, Sequence):
        raise PerceptionError(
            f"{name} gave {type(found).__name__}, expected a list of Detections, one an image"
        )
    if len(found) != len(images):
        plural = "" if len(images) == 1 else "s"
        raise PerceptionError(f"{name} gave {len(found)} results for {len(images)} image{plural}")
    return [
        _fitted(detections, image, columns, name)
        for detections, image in zip(found, images, strict=True)
    ]


def _fitted(found: Any, image: np.ndarray, columns: int, name: str) -> Detections:
    if not isinstance(found, Detections):
        raise PerceptionError(f"{name} gave {type(found).__name__} for an image, not Detections")
    if found.scores.shape[1] != columns:
        raise PerceptionError(
            f"{name} gave scores for {found.scores.shape[1]} categories, expected {columns}"
        )
    if len(found.boxes) and not columns:
        raise PerceptionError(f"{name} has no categories, and gave {len(found.boxes)} boxes")
    height, width = image.shape[:2]
    if found.masks is not None and tuple(found.masks.shape[1:]) != (height, width):
        raise PerceptionError(
            f"{name} gave masks of {list(found.masks.shape[1:])} for an image of "
            f"{[height, width]} (height, width)"
        )
    boxes = found.boxes.detach()
    outside = (boxes[:, :2] > boxes.new_tensor([width, height])) | (boxes[:, 2:] < 0)
    if bool(outside.any()):
        box = boxes[outside.any(dim=1)][0].tolist()
        raise PerceptionError(
            f"{name} gave the box {[round(edge, 1) for edge in box]} for an image {width} wide and "
            f"{height} high: boxes must be xyxy in pixels of the original image"
        )
    edges = boxes.new_tensor([width, height, width, height])
    return replace(
        found, boxes=torch.minimum(boxes.clamp(min=0), edges), scores=found.scores.detach()
    )


def checked_masks(given: Any, count: int, size: ImageSize, segmenter: Any) -> Tensor:
    """The masks that a segmenter gave for ``count`` boxes, on the CPU.

    Raises:
        PerceptionError: they do not fit the boxes or the image.
    """
    name, expected = called(segmenter), [count, *size]
    if not isinstance(given, Sequence) or len(given) != 2:
        raise PerceptionError(f"{name} must give masks and their expected IoU, two tensors")
    masks = given[0]
    if not isinstance(masks, Tensor) or masks.dtype is not torch.bool:
        kind = masks.dtype if isinstance(masks, Tensor) else type(masks).__name__
        raise PerceptionError(f"{name} gave masks as {kind}, expected a bool tensor {expected}")
    if list(masks.shape) != expected:
        raise PerceptionError(f"{name} gave masks {list(masks.shape)}, expected {expected}")
    return masks.cpu()


def checked_scores(given: Any, shape: Sequence[int], model: Any) -> Tensor:
    """What a model gave for pairs, values or pixels: float32 in [0, 1], on the CPU.

    Raises:
        PerceptionError: it is of another shape or out of range.
    """
    name = called(model)
    if not isinstance(given, Tensor):
        raise PerceptionError(
            f"{name} gave {type(given).__name__}, expected a tensor {list(shape)}"
        )
    if list(given.shape) != list(shape):
        raise PerceptionError(f"{name} gave scores {list(given.shape)}, expected {list(shape)}")
    scores = given.detach().cpu().float()
    if not bool(((scores >= -_ROUNDING) & (scores <= 1 + _ROUNDING)).all()):
        raise PerceptionError(f"{name} gave scores outside [0, 1]: they must be probabilities")
    return scores.clamp(0, 1)
