"""SAM: a mask for each box, from the original Segment Anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from neurosym.errors import PerceptionError
from neurosym.perception.loading import described, load_model, load_processor
from neurosym.perception.preparing import extended, prepared
from neurosym.perception.registry import BackEnd, Role, Settings

DEFAULT: Final = "facebook/sam-vit-base"
# Bounds the memory that decoding takes.
_BOXES_AT_ONCE: Final = 16
# The largest number of mask pixels held at once as numbers: 64 MB.
_PIXELS_AT_ONCE: Final = 1 << 24


@dataclass(frozen=True, eq=False)
class Embedding:
    """One encoded image, to be asked for masks any number of times.

    Attributes:
        features: [1, channel, rows, columns].
        frame: height and width of the original image in pixels.
        seen: the same of the extended image, see :func:`neurosym.perception.preparing.extended`.
        resized: the same of what the model saw, without its padding.
        padded: the same with its padding.
    """

    features: Tensor
    frame: tuple[int, int]
    seen: tuple[int, int]
    resized: tuple[int, int]
    padded: tuple[int, int]


class Sam:
    """Segment Anything (Kirillov et al., 2023), of any size.

    Args:
        source: a folder, or a name on the hub; see :mod:`neurosym.perception.loading`.
        settings: device and precision.

    Raises:
        PerceptionError: the model cannot be had, or is another.
    """

    def __init__(self, source: str, settings: Settings) -> None:
        from transformers import SamImageProcessorPil, SamModel

        self._model = load_model(SamModel, source, settings.device, settings.dtype)
        self._processor = load_processor(SamImageProcessorPil, source)
        # Half precision would place a prompt some pixels beside where it belongs.
        self._model.prompt_encoder.float()
        self._model.shared_image_embedding.float()
        self._positions = self._model.get_image_wide_positional_embeddings().to(settings.dtype)
        self._settings = settings
        self.name = described(source, self._model)
        self.fingerprint = f"{self.name}, {settings.dtype}"

    @torch.inference_mode()
    def encode(self, image: np.ndarray) -> Embedding:
        """See :meth:`neurosym.perception.base.Segmenter.encode`; the expensive half of the work."""
        made = prepared(self._processor, image)
        pixels = made["pixel_values"].to(self._settings.device, self._settings.dtype)
        return Embedding(
            self._model.get_image_embeddings(pixels),
            frame=_size(image.shape[:2]),
            seen=_size(extended(image).shape[:2]),
            resized=_size(made["reshaped_input_sizes"][0]),
            padded=_size(pixels.shape[-2:]),
        )

    @torch.inference_mode()
    def masks(self, embedding: Embedding, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """See :meth:`neurosym.perception.base.Segmenter.masks`.

        Raises:
            PerceptionError: the boxes are not [box, 4] or not finite.
        """
        if boxes.ndim != 2 or boxes.shape[1] != 4 or not bool(torch.isfinite(boxes).all()):
            raise PerceptionError(f"boxes must be finite and [box, 4], not {list(boxes.shape)}")
        device = self._settings.device
        height, width = embedding.frame
        found = torch.zeros((len(boxes), height, width), dtype=torch.bool, device=device)
        quality = torch.zeros(len(boxes), device=device)
        at_once = max(1, min(_BOXES_AT_ONCE, _PIXELS_AT_ONCE // (height * width)))
        for start in range(0, len(boxes), at_once):
            part = slice(start, start + at_once)
            logits, quality[part] = self._logits(embedding, boxes[part])
            whole = functional.interpolate(
                logits[:, None], embedding.padded, mode="bilinear", align_corners=False
            )[..., : embedding.resized[0], : embedding.resized[1]]
            whole = functional.interpolate(
                whole, embedding.seen, mode="bilinear", align_corners=False
            )
            found[part] = whole[:, 0, :height, :width] > 0
        return found, quality

    def _logits(self, embedding: Embedding, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Mask logits [box, rows, columns] of the padded image, and the estimates [box]."""
        (high, wide), (seen_high, seen_wide) = embedding.resized, embedding.seen
        ratio = torch.tensor([wide / seen_wide, high / seen_high] * 2)
        prompts = (boxes.cpu().float() * ratio).to(self._settings.device)[None]
        corners, dense = self._model.prompt_encoder(None, None, prompts, None)
        masks, estimates = self._model.mask_decoder(
            image_embeddings=embedding.features,
            image_positional_embeddings=self._positions,
            sparse_prompt_embeddings=corners.to(self._settings.dtype),
            dense_prompt_embeddings=dense.to(self._settings.dtype),
            multimask_output=False,
        )
        return masks[0, :, 0].float(), estimates[0, :, 0].float()


def _size(shape: object) -> tuple[int, int]:
    height, width = (int(side) for side in np.asarray(shape))
    return height, width


def _make(argument: str, settings: Settings) -> Sam:
    return Sam(argument or DEFAULT, settings)


BACK_END = BackEnd(
    name="sam",
    roles=(Role.SEGMENTER,),
    summary="SAM, a mask for each box; a folder may hold any size of it",
    make=_make,
    weights=DEFAULT,
    licence="Apache-2.0",
)
