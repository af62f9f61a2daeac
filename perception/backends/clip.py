"""CLIP of ``transformers``: which words describe an object, and which relation two stand in."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from neurosym.perception.contrastive import ContrastiveModel
from neurosym.perception.registry import BackEnd, Role, Settings

WEIGHTS = "openai/clip-vit-base-patch32"


class Clip(ContrastiveModel):
    """CLIP; its scores are shares of exp(scale * cosine), see the module of its base class.

    Args:
        source: a folder, or a name on the hub.
        device: where to run.
        dtype: in which precision.
    """

    way = "softmax over prompts"

    def __init__(
        self,
        source: str = WEIGHTS,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        from transformers import CLIPModel
        from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

        super().__init__(CLIPModel, CLIPImageProcessorPil, source, device, dtype)

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """See :meth:`ContrastiveModel.encode_texts`."""
        tokens = self._tokenizer(
            list(texts),
            padding=True,
            truncation=True,
            max_length=self._model.config.text_config.max_position_embeddings,
            return_tensors="pt",
        ).to(self._model.device)
        with torch.inference_mode():
            found = self._model.get_text_features(
                input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]
            )
        features: Tensor = found.pooler_output
        return features.float().cpu()

    def log_weights(self, cosines: Tensor) -> Tensor:
        """Scale * cosine."""
        scale: Tensor = self._model.logit_scale
        return scale.float().cpu().exp() * cosines


def _make(argument: str, settings: Settings) -> Clip:
    return Clip(argument or WEIGHTS, settings.device, settings.dtype)


BACK_END = BackEnd(
    name="clip",
    roles=(Role.ATTRIBUTES, Role.RELATIONS),
    summary="CLIP: attributes of crops and relations of pairs, by prompts; uncalibrated",
    make=_make,
    weights=WEIGHTS,
    licence="MIT",
)
