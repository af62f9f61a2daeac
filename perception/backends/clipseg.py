"""CLIPSeg of ``transformers``: how well words describe every pixel."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from neurosym.perception.loading import described, load_model, load_processor
from neurosym.perception.preparing import extended, prepared
from neurosym.perception.registry import BackEnd, Role, Settings

WEIGHTS = "CIDAS/clipseg-rd64-refined"


class ClipSeg:
    """CLIPSeg; its values are the sigmoids of its logits, which nobody has calibrated.

    The image is seen at the model's own square size, and the maps are brought back to the image's
    by bilinear interpolation. The image's part of the work is done once, for the image that was
    asked about last.

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
        from transformers import AutoTokenizer, CLIPSegForImageSegmentation
        from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

        self._model = load_model(CLIPSegForImageSegmentation, source, torch.device(device), dtype)
        self.name = f"{described(source, self._model)}; sigmoid, uncalibrated"
        self._tokenizer = load_processor(AutoTokenizer, source)
        self._processor = load_processor(ViTImageProcessorPil, source)
        self._image: Callable[[], np.ndarray | None] = lambda: None
        self._seen: list[Tensor] = []

    def heat_maps(self, image: np.ndarray, phrases: Sequence[str]) -> Tensor:
        """See :meth:`neurosym.perception.base.HeatMapModel.heat_maps`."""
        height, width = image.shape[:2]
        if not len(phrases):
            return torch.zeros((0, height, width))
        text = self._model.config.text_config
        tokens = self._tokenizer(
            list(phrases),
            padding=True,
            truncation=True,
            max_length=text.max_position_embeddings,
            return_tensors="pt",
        ).to(self._model.device)
        with torch.inference_mode():
            condition = self._model.clip.get_text_features(
                input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]
            ).pooler_output
            seen = [layer.expand(len(phrases), -1, -1) for layer in self._activations(image)]
            logits = self._model.decoder(seen, condition).logits.float()
        side = logits.shape[-1]
        maps = torch.nn.functional.interpolate(
            logits.view(len(phrases), 1, side, side),
            extended(image).shape[:2],
            mode="bilinear",
            align_corners=False,
        )
        return maps[:, 0, :height, :width].sigmoid().cpu()

    def _activations(self, image: np.ndarray) -> list[Tensor]:
        """What the decoder needs of the image: [1, token, width] from some of the layers."""
        if self._image() is not image:
            pixels = prepared(self._processor, image)["pixel_values"]
            layers = self._model.clip.get_image_features(
                pixel_values=pixels.to(self._model.device, self._model.dtype),
                interpolate_pos_encoding=True,
                output_hidden_states=True,
            ).hidden_states
            # The first one is what goes into the first layer.
            self._seen = [layers[number + 1] for number in self._model.config.extract_layers]
            self._image = weakref.ref(image)
        return self._seen


def _make(argument: str, settings: Settings) -> ClipSeg:
    return ClipSeg(argument or WEIGHTS, settings.device, settings.dtype)


BACK_END = BackEnd(
    name="clipseg",
    roles=(Role.HEAT_MAPS,),
    summary="CLIPSeg: where in the picture words are, pixel by pixel; uncalibrated",
    make=_make,
    weights=WEIGHTS,
    licence="Apache-2.0",
)
