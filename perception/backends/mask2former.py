"""Mask2Former: objects with their masks, of instance and of panoptic checkpoints.

Every query is an object of its own, with the mask that the model gives it. In the configuration
nothing tells things from stuff, or an instance checkpoint from a panoptic one, but the categories:
those of a panoptic one name stuff too, and a segment of stuff ("sky") is an object as well. No
pixel is taken from one segment for another, so that masks may overlap. A semantic checkpoint gives
all cars as one "car".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from neurosym.perception.base import Detections
from neurosym.perception.boxes import boxes_of
from neurosym.perception.loading import described, load_model, load_processor
from neurosym.perception.object_detection import named_columns
from neurosym.perception.preparing import batches, extended
from neurosym.perception.registry import BackEnd, Role, Settings

DEFAULT: Final = "facebook/mask2former-swin-tiny-coco-instance"
# Most of a hundred queries say "no object", and a mask for each would fill the memory. Half of the
# least existence that a scene keeps.
_LEAST_SCORE: Final = 0.025
# The largest number of mask pixels held at once as numbers: 64 MB.
_PIXELS_AT_ONCE: Final = 1 << 24


class Mask2Former:
    """A detector that gives masks, and boxes around them.

    The score of a category is the query's probability of it, among all and "no object", times the
    mean probability of the pixels in the mask (Cheng et al., 2022, "Masked-attention Mask
    Transformer for Universal Image Segmentation", as in the library's own results).

    Args:
        source: a folder, or a name on the hub; see :mod:`neurosym.perception.loading`.
        settings: device and precision.

    Raises:
        PerceptionError: the model cannot be had, or is another.
    """

    def __init__(self, source: str, settings: Settings) -> None:
        from transformers import Mask2FormerForUniversalSegmentation, Mask2FormerImageProcessorPil

        self._model = load_model(
            Mask2FormerForUniversalSegmentation, source, settings.device, settings.dtype
        )
        self._processor = load_processor(Mask2FormerImageProcessorPil, source)
        # Images of one batch have one size, see batches().
        self._processor.pad_size = None
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
        """See :meth:`neurosym.perception.base.Detector.detect`; with masks."""
        found: dict[int, Detections] = {}
        settings = self._settings
        for positions, pixels in batches(self._processor, images, settings.device, settings.dtype):
            output = self._model(pixel_values=pixels)
            scores = output.class_queries_logits.float().softmax(dim=-1)[..., :-1]
            for row, position in enumerate(positions):
                found[position] = _segments(
                    scores[row][:, self._columns],
                    output.masks_queries_logits[row].float(),
                    images[position],
                )
        return [found[position] for position in range(len(images))]


def _segments(scores: Tensor, logits: Tensor, image: np.ndarray) -> Detections:
    """What the queries show of one image.

    Args:
        scores: [query, category].
        logits: [query, rows, columns], of the extended image.
        image: [height, width, 3].
    """
    likely = scores.amax(dim=1) >= _LEAST_SCORE
    scores, logits = scores[likely], logits[likely]
    height, width = image.shape[:2]
    seen = extended(image).shape[:2]
    masks = torch.zeros((len(scores), height, width), dtype=torch.bool, device=scores.device)
    quality = torch.zeros(len(scores), device=scores.device)
    at_once = max(1, _PIXELS_AT_ONCE // (seen[0] * seen[1]))
    for start in range(0, len(logits), at_once):
        part = slice(start, start + at_once)
        whole = functional.interpolate(
            logits[part][:, None], seen, mode="bilinear", align_corners=False
        )[:, 0, :height, :width]
        masks[part] = whole > 0
        inside = masks[part].sum(dim=(1, 2)).clamp(min=1)
        quality[part] = (whole.sigmoid() * masks[part]).sum(dim=(1, 2)) / inside
    there = masks.any(dim=2).any(dim=1)
    masks, scores = masks[there], scores[there] * quality[there][:, None]
    return Detections(boxes_of(masks), scores.clamp(max=1), masks)


def _make(argument: str, settings: Settings) -> Mask2Former:
    return Mask2Former(argument or DEFAULT, settings)


BACK_END = BackEnd(
    name="mask2former",
    roles=(Role.DETECTOR,),
    summary="Mask2Former, objects with masks; things, and stuff where the checkpoint is panoptic",
    make=_make,
    weights=DEFAULT,
    # As the authors' model zoo has it; the hub says "other".
    licence="CC-BY-NC-4.0",
    requires=("scipy",),
    install="pip install scipy",
)
