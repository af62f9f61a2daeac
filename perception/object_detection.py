"""Detectors of ``transformers`` with a closed vocabulary: the DETR family.

A model gives every query a box and a score for each category. All of them are kept, not only the
best, for a program may ask for another. They are the model's own: softmax, or sigmoid where the
model was trained with it. What they are worth, nobody has measured, see
:class:`neurosym.perception.detections.Calibration`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor

from neurosym.errors import PerceptionError
from neurosym.perception.base import Detections
from neurosym.perception.loading import described, load_model, load_processor
from neurosym.perception.preparing import batches, extended
from neurosym.perception.registry import Settings

_ABSENT: Final = "N/A"
"""What COCO's checkpoints call the numbers that no category has."""
# Model type of a configuration -> image processor, and whether the last class is "no object".
# As in Carion et al., 2020 (DETR); those with a focal loss score each category by itself.
_FAMILIES: Final = {
    "detr": ("DetrImageProcessorPil", True),
    "table-transformer": ("DetrImageProcessorPil", True),
    "yolos": ("YolosImageProcessorPil", True),
    "conditional_detr": ("ConditionalDetrImageProcessorPil", False),
    "deformable_detr": ("DeformableDetrImageProcessorPil", False),
    "rt_detr": ("RTDetrImageProcessorPil", False),
    "rt_detr_v2": ("RTDetrImageProcessorPil", False),
    "d_fine": ("RTDetrImageProcessorPil", False),
}


class ObjectDetector:
    """A detector of the DETR family: DETR, Conditional and Deformable DETR, RT-DETR, D-FINE, YOLOS.

    Args:
        source: a folder, or a name on the hub; see :mod:`neurosym.perception.loading`.
        settings: device and precision.

    Raises:
        PerceptionError: the model cannot be had, or is of another family.
    """

    def __init__(self, source: str, settings: Settings) -> None:
        import transformers

        self._model = load_model(
            transformers.AutoModelForObjectDetection, source, settings.device, settings.dtype
        )
        family = self._model.config.model_type
        if family not in _FAMILIES:
            raise PerceptionError(
                f'"{source}" holds a "{family}" model, expected one of {", ".join(_FAMILIES)}'
            )
        processor, self._has_no_object = _FAMILIES[family]
        self._processor = load_processor(getattr(transformers, processor), source)
        # Images of one batch have one size, see batches().
        self._processor.do_pad = False
        self._settings = settings
        self._columns, self._categories = named_columns(self._model.config.id2label)
        self.name = described(source, self._model)
        self.fingerprint = f"{self.name}, {settings.dtype}"

    @property
    def categories(self) -> tuple[str, ...]:
        """The names in the model's configuration."""
        return self._categories

    @torch.inference_mode()
    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        """See :meth:`neurosym.perception.base.Detector.detect`; a row for each query."""
        found: dict[int, Detections] = {}
        settings = self._settings
        for positions, pixels in batches(self._processor, images, settings.device, settings.dtype):
            output = self._model(pixel_values=pixels)
            scores = self._scores(output.logits.float())
            corners = corners_of(output.pred_boxes.float())
            for row, position in enumerate(positions):
                boxes = in_frame(corners[row], images[position])
                there = (boxes[:, 2:] > boxes[:, :2]).all(dim=1)
                found[position] = Detections(boxes[there], scores[row][there])
        return [found[position] for position in range(len(images))]

    def _scores(self, logits: Tensor) -> Tensor:
        """[image, query, category] of logits, which may have a last column for "no object"."""
        scores = logits.softmax(dim=-1)[..., :-1] if self._has_no_object else logits.sigmoid()
        return scores[..., self._columns]


def named_columns(names: dict[int, str]) -> tuple[list[int], tuple[str, ...]]:
    """The columns of the classes that a configuration names, and their names.

    Example:
        >>> named_columns({0: "N/A", 1: "person", 2: "LABEL_2"})
        ([1, 2], ('person', 'LABEL_2'))
    """
    columns = [column for column in sorted(names) if names[column] != _ABSENT]
    return columns, tuple(names[column] for column in columns)


def corners_of(boxes: Tensor) -> Tensor:
    """Boxes [.., 4] as xyxy, of boxes given by centre, width and height."""
    centres, halves = boxes[..., :2], boxes[..., 2:] / 2
    return torch.cat([centres - halves, centres + halves], dim=-1)


def in_frame(corners: Tensor, image: np.ndarray) -> Tensor:
    """Boxes [.., 4] xyxy in pixels of an image, of shares of the image as the model saw it.

    Args:
        corners: xyxy; 1 is the width or height of the :func:`extended` image.
        image: [height, width, 3], the original.
    """
    height, width = image.shape[:2]
    seen_height, seen_width = extended(image).shape[:2]
    boxes = corners * corners.new_tensor([seen_width, seen_height] * 2)
    return torch.minimum(boxes.clamp(min=0), boxes.new_tensor([width, height] * 2))
