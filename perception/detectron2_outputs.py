"""What models of detectron2 put out, as detections.

Nothing here needs detectron2: its ``Instances``, ``Boxes`` and ``BitMasks`` are read by the names
of their fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import torch
from torch import Tensor

from neurosym.errors import PerceptionError
from neurosym.perception.base import Detections
from neurosym.perception.boxes import boxes_of
from neurosym.pixels import ImageSize

SOURCE: Final = "detectron2"
# What detectron2 calls the first class of stuff where it lists stuff apart from things.
_THINGS: Final = "things"


@dataclass(frozen=True)
class Labels:
    """The names of a model's categories, which detectron2 numbers apart for things and stuff.

    Attributes:
        things: of what is counted: people, cups.
        stuff: of what is not: sky, grass. A first entry "things" stands for everything else.
    """

    things: tuple[str, ...]
    stuff: tuple[str, ...] = ()

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """Each name once: the columns of scores."""
        stuff = self.stuff[1:] if self.stuff[:1] == (_THINGS,) else self.stuff
        return tuple(dict.fromkeys((*self.things, *stuff)))

    def columns(self, *, of_things: bool) -> list[int]:
        """The column of each thing or stuff category; -1 for the one that stands for no name.

        Example:
            >>> Labels(("person", "cup"), ("things", "sky")).columns(of_things=False)
            [-1, 2]
        """
        known = {name: column for column, name in enumerate(self.categories)}
        return [known.get(name, -1) for name in (self.things if of_things else self.stuff)]


def detections_of(output: Mapping[str, Any], labels: Labels, size: ImageSize) -> Detections:
    """What a model says of one image.

    Things are the instances, with all their scores, where the model gives them; the things of a
    panoptic segmentation only where it does not, for they are what is left of the instances above
    a threshold. Stuff has no score of detectron2's: a segment has the mean, over its pixels, of
    the probabilities of the categories of stuff (the softmax of the semantic head), and 1 where
    the model has no such head.

    Args:
        output: the dict that the model gives for the image: "instances", or "panoptic_seg" with
            or without "sem_seg", or all of them.
        labels: the names of the categories.
        size: of the original image, in whose frame the output must be.

    Returns:
        On the CPU, boxes in the frame of the image. Boxes without an area are taken from their
        masks; what has neither area nor mask is left out.

    Raises:
        PerceptionError: the output lacks what is needed, or does not fit the labels or the image.
    """
    if not isinstance(output, Mapping):
        raise PerceptionError(
            f'{SOURCE} gave {type(output).__name__}, expected a dict with "instances" or '
            '"panoptic_seg" for each image'
        )
    instances, panoptic = output.get("instances"), output.get("panoptic_seg")
    if instances is None and panoptic is None:
        given = ", ".join(f'"{name}"' for name in output) or "nothing"
        raise PerceptionError(
            f'{SOURCE} gave {given}, expected "instances" or "panoptic_seg": a model of proposals '
            "or of semantic segmentation alone finds no objects"
        )
    if panoptic is None:
        return _of_instances(instances, labels, size)
    has_masks = instances is not None and getattr(instances, "pred_masks", None) is not None
    segments = _of_segments(panoptic, output.get("sem_seg"), labels, size, things=not has_masks)
    if not has_masks:
        return segments
    things = _of_instances(instances, labels, size)
    assert things.masks is not None
    assert segments.masks is not None
    return Detections(
        torch.cat([things.boxes, segments.boxes]),
        torch.cat([things.scores, segments.scores]),
        torch.cat([things.masks, segments.masks]),
    )


def _of_instances(instances: Any, labels: Labels, size: ImageSize) -> Detections:
    frame = getattr(instances, "image_size", tuple(size))
    if tuple(frame) != tuple(size):
        raise PerceptionError(
            f"{SOURCE} answered in a frame of {list(frame)}, expected that of the image, "
            f"{list(size)} (height, width)"
        )
    boxes = _field(instances, "pred_boxes").float()
    scores = _field(instances, "scores").float()
    classes = _field(instances, "pred_classes").long()
    if boxes.ndim == 2 and boxes.shape[1] == 5:
        raise PerceptionError(f"{SOURCE} gave rotated boxes, which are not supported")
    count = len(scores)
    if scores.ndim != 1 or boxes.shape != (count, 4) or classes.shape != (count,):
        raise PerceptionError(
            f"{SOURCE} gave pred_boxes {list(boxes.shape)}, pred_classes {list(classes.shape)} "
            f"and scores {list(scores.shape)}, expected [N, 4], [N] and [N]"
        )
    masks = None
    if getattr(instances, "pred_masks", None) is not None:
        masks = _field(instances, "pred_masks")
        if masks.shape != (count, *size):
            raise PerceptionError(
                f"{SOURCE} gave pred_masks {list(masks.shape)}, expected {[count, *size]}: masks "
                "in the frame of the image"
            )
        masks = masks if masks.dtype is torch.bool else masks > 0.5
        # Models that find masks first leave the boxes empty.
        boxes = torch.where(_is_empty(boxes)[:, None], boxes_of(masks), boxes)
    kept = ~_is_empty(boxes)
    columns = torch.tensor(labels.columns(of_things=True), dtype=torch.int64)
    return Detections.of_labels(
        boxes[kept],
        scores[kept],
        columns[_known(classes[kept], len(columns), "pred_classes")],
        len(labels.categories),
        None if masks is None else masks[kept],
    )


def _of_segments(
    panoptic: Any, logits: Tensor | None, labels: Labels, size: ImageSize, *, things: bool
) -> Detections:
    """The segments of stuff, and with ``things`` those of things too."""
    if not isinstance(panoptic, Sequence) or len(panoptic) != 2 or panoptic[1] is None:
        raise PerceptionError(f"{SOURCE} gave a panoptic_seg without the list of its segments")
    image, listed = _cpu(panoptic[0], "panoptic_seg"), panoptic[1]
    if image.shape != tuple(size):
        raise PerceptionError(
            f"{SOURCE} gave a panoptic_seg of {list(image.shape)}, expected {list(size)} "
            "(height, width)"
        )
    pixels = None if logits is None else _pixel_scores(_cpu(logits, "sem_seg"), size)
    columns = {kind: labels.columns(of_things=kind) for kind in (True, False)}
    masks: list[Tensor] = []
    rows: list[Tensor] = []
    for segment in listed:
        try:
            number, kind = int(segment["id"]), bool(segment["isthing"])
            category = int(segment["category_id"])
        except (KeyError, TypeError, ValueError) as error:
            raise PerceptionError(
                f"{SOURCE} gave the panoptic segment {segment!r}, expected id, isthing and "
                "category_id"
            ) from error
        mask = image == number
        if (kind and not things) or not bool(mask.any()):
            continue
        known = torch.tensor([category])
        _known(known, len(columns[kind]), f"{'thing' if kind else 'stuff'} segments")
        column = columns[kind][category]
        if column < 0:
            continue
        row = torch.zeros(len(labels.categories))
        if segment.get("score") is not None:
            row[column] = float(segment["score"])
        elif not kind and pixels is not None and len(pixels) == len(columns[False]):
            named = [(stuff, c) for stuff, c in enumerate(columns[False]) if c >= 0]
            means = pixels[:, mask].mean(dim=1)
            row[[c for _, c in named]] = means[[stuff for stuff, _ in named]]
        else:
            row[column] = 1.0
        masks.append(mask)
        rows.append(row)
    shapes = torch.stack(masks) if masks else torch.zeros((0, *size), dtype=torch.bool)
    table = torch.stack(rows) if rows else torch.zeros((0, len(labels.categories)))
    return Detections(boxes_of(shapes), table, shapes)


def _pixel_scores(maps: Tensor, size: ImageSize) -> Tensor:
    """Probabilities [C, height, width] of what a semantic head puts out.

    That of Panoptic FPN puts out logits. Others put out scores of at least 0 that need not sum to
    1: these are divided by their sum.
    """
    if maps.ndim != 3 or maps.shape[1:] != tuple(size):
        raise PerceptionError(
            f"{SOURCE} gave a sem_seg of {list(maps.shape)}, expected [C, {size.height}, "
            f"{size.width}]"
        )
    maps = maps.float()
    if bool((maps < 0).any()):
        return maps.softmax(dim=0)
    return maps / maps.sum(dim=0, keepdim=True).clamp(min=1e-9)


def _field(instances: Any, name: str) -> Tensor:
    found = getattr(instances, name, None)
    if found is None:
        raise PerceptionError(f'{SOURCE} gave instances without "{name}"')
    return _cpu(getattr(found, "tensor", found), name)


def _cpu(found: Any, name: str) -> Tensor:
    if not isinstance(found, Tensor):
        raise PerceptionError(f"{SOURCE} gave {name} as {type(found).__name__}, expected a tensor")
    return found.detach().cpu()


def _is_empty(boxes: Tensor) -> Tensor:
    """[N] bool: boxes [N, 4] without an area."""
    return (boxes[:, 2:] <= boxes[:, :2]).any(dim=1)


def _known(categories: Tensor, count: int, what: str) -> Tensor:
    for category in (categories.min(), categories.max()) if len(categories) else ():
        if not 0 <= int(category) < count:
            raise PerceptionError(
                f"{SOURCE} gave {what} of category {int(category)}, but {count} names are known: "
                "give the names of the model's categories"
            )
    return categories
