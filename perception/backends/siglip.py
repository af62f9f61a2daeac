"""SigLIP and SigLIP 2 of ``transformers``: which words describe an object, which relation holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from neurosym.perception.contrastive import ContrastiveModel
from neurosym.perception.registry import BackEnd, Role, Settings

WEIGHTS = "google/siglip2-base-patch16-224"
_MOST_TOKENS: Final = 64
"""Texts were padded to this many in training, whatever the tokenizer says."""


class Siglip(ContrastiveModel):
    """SigLIP; its scores are shares of sigmoid(scale * cosine + bias), see its base class's module.

    SigLIP 2 at a fixed resolution is of this kind as well; its NaFlex variants are not.

    Args:
        source: a folder, or a name on the hub.
        device: where to run.
        dtype: in which precision.
    """

    way = "share of sigmoids over prompts"

    def __init__(
        self,
        source: str = WEIGHTS,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        from transformers import SiglipModel
        from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

        super().__init__(SiglipModel, SiglipImageProcessorPil, source, device, dtype)

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """See :meth:`ContrastiveModel.encode_texts`."""
        most = min(_MOST_TOKENS, self._model.config.text_config.max_position_embeddings)
        tokens = self._tokenizer(
            list(texts),
            padding="max_length",
            truncation=True,
            max_length=most,
            return_tensors="pt",
        ).to(self._model.device)
        # It was trained without a mask: padding is part of the text.
        with torch.inference_mode():
            found = self._model.get_text_features(input_ids=tokens["input_ids"])
        features: Tensor = found.pooler_output
        return features.float().cpu()

    def log_weights(self, cosines: Tensor) -> Tensor:
        """Log sigmoid(scale * cosine + bias)."""
        scale = self._model.logit_scale.float().cpu().exp()
        bias = self._model.logit_bias.float().cpu()
        return torch.nn.functional.logsigmoid(scale * cosines + bias)


def _make(argument: str, settings: Settings) -> Siglip:
    return Siglip(argument or WEIGHTS, settings.device, settings.dtype)


BACK_END = BackEnd(
    name="siglip",
    roles=(Role.ATTRIBUTES, Role.RELATIONS),
    summary="SigLIP 2: attributes of crops and relations of pairs, by prompts; uncalibrated",
    make=_make,
    weights=WEIGHTS,
    licence="Apache-2.0",
)
