"""OWLv2 of ``transformers``: boxes for phrases, each phrase a query of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor

from neurosym.perception.base import Detections
from neurosym.perception.loading import described, load_model, load_processor
from neurosym.perception.object_detection import corners_of
from neurosym.perception.prompts import with_article
from neurosym.perception.registry import BackEnd, Role, Settings

WEIGHTS = "google/owlv2-base-patch16-ensemble"
_TEMPLATE: Final = "a photo of {}"
_LEAST: Final = 0.01
"""Boxes that no phrase scores higher than this are not handed on."""


class Owlv2:
    """OWLv2; a phrase's score is the sigmoid of its logit, whatever else is asked for beside it.

    The image is padded to a square at its right and bottom, as in training; boxes are given in the
    image's own frame, without what lies in the padding.

    Args:
        source: a folder, or a name on the hub.
        device: where to run.
        dtype: in which precision.
    """

    def __init__(
        self,
        source: str = WEIGHTS,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        from transformers import AutoTokenizer, Owlv2ForObjectDetection
        from transformers.models.owlv2.image_processing_pil_owlv2 import Owlv2ImageProcessorPil

        self._model = load_model(Owlv2ForObjectDetection, source, torch.device(device), dtype)
        self.name = described(source, self._model)
        self._tokenizer = load_processor(AutoTokenizer, source)
        self._processor = load_processor(Owlv2ImageProcessorPil, source)

    def detect_phrases(
        self, images: Sequence[np.ndarray], phrases: Sequence[str]
    ) -> list[Detections]:
        """See :meth:`neurosym.perception.base.OpenDetector.detect_phrases`."""
        if not len(images) or not len(phrases):
            empty = Detections(torch.zeros((0, 4)), torch.zeros((0, len(phrases))))
            return [empty for _ in images]
        device, dtype = self._model.device, self._model.dtype
        pixels = torch.stack([self._prepared(image) for image in images]).to(device, dtype)
        tokens = self._tokenizer(
            [_TEMPLATE.format(with_article(phrase)) for phrase in phrases],
            padding="max_length",
            truncation=True,
            max_length=self._model.config.text_config.max_position_embeddings,
            return_tensors="pt",
        ).to(device)
        # The model wants the queries of the first image, then those of the second, and so on.
        repeated = {
            name: tokens[name].repeat(len(images), 1) for name in ("input_ids", "attention_mask")
        }
        with torch.inference_mode():
            found = self._model(pixel_values=pixels, **repeated)
        made = []
        for image, boxes, logits in zip(images, found.pred_boxes, found.logits, strict=True):
            height, width = image.shape[:2]
            side = max(height, width)
            scores = logits.float().sigmoid()
            corners = (corners_of(boxes.float()) * side).clamp(min=0)
            corners = torch.minimum(corners, corners.new_tensor([width, height] * 2))
            inside = (corners[:, 2:] > corners[:, :2]).all(dim=1)
            kept = inside & (scores.amax(dim=1) >= _LEAST)
            made.append(Detections(corners[kept].cpu(), scores[kept].cpu()))
        return made

    def _prepared(self, image: np.ndarray) -> Tensor:
        """[3, height, width] as the model wants it.

        The library's own preparation needs scipy for the resizing; this is bilinear, too, and
        smoothed likewise where it shrinks.
        """
        processor = self._processor
        side = max(image.shape[:2])
        square = torch.zeros((3, side, side))
        square[:, : image.shape[0], : image.shape[1]] = (
            torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)
            * processor.rescale_factor
        )
        resized = torch.nn.functional.interpolate(
            square[None],
            (processor.size["height"], processor.size["width"]),
            mode="bilinear",
            antialias=True,
            align_corners=False,
        )[0]
        mean, std = (
            torch.tensor(values).view(3, 1, 1)
            for values in (processor.image_mean, processor.image_std)
        )
        return (resized - mean) / std


def _make(argument: str, settings: Settings) -> Owlv2:
    return Owlv2(argument or WEIGHTS, settings.device, settings.dtype)


BACK_END = BackEnd(
    name="owlv2",
    roles=(Role.OPEN_DETECTOR,),
    summary="OWLv2: boxes for the nouns of a text; scores uncalibrated",
    make=_make,
    weights=WEIGHTS,
    licence="Apache-2.0",
)
