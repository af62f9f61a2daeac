"""Grounding DINO of ``transformers``: boxes for phrases, all of them in one forward pass."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from neurosym.errors import PerceptionError
from neurosym.perception.base import Detections
from neurosym.perception.boxes import from_centres
from neurosym.perception.loading import described, load_model, load_processor
from neurosym.perception.registry import BackEnd, Role, Settings

WEIGHTS = "IDEA-Research/grounding-dino-tiny"
_LEAST = 0.01
"""Queries that no phrase scores higher than this are not handed on."""


class GroundingDino:
    """Grounding DINO.

    The text is the phrases, each followed by a full stop, "cat . fire hydrant .". The model gives
    each of its boxes a logit for every token; a phrase's score is the mean over its tokens of
    their sigmoids, as in the model's own evaluation on COCO. The tokens of a phrase are found by
    where its characters stand in the text. When the text would be longer than the model takes,
    there are as few forward passes as are needed.

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
        from transformers import AutoTokenizer, GroundingDinoForObjectDetection
        from transformers.models.grounding_dino.image_processing_pil_grounding_dino import (
            GroundingDinoImageProcessorPil,
        )

        self._model = load_model(
            GroundingDinoForObjectDetection, source, torch.device(device), dtype
        )
        self.name = described(source, self._model)
        self._tokenizer = load_processor(AutoTokenizer, source)
        self._processor = load_processor(GroundingDinoImageProcessorPil, source)
        self._most_tokens = int(self._model.config.max_text_len)

    def detect_phrases(
        self, images: Sequence[np.ndarray], phrases: Sequence[str]
    ) -> list[Detections]:
        """See :meth:`neurosym.perception.base.OpenDetector.detect_phrases`."""
        if not len(images) or not len(phrases):
            empty = Detections(torch.zeros((0, 4)), torch.zeros((0, len(phrases))))
            return [empty for _ in images]
        prepared = self._processor(images=list(images), return_tensors="pt")
        device, dtype = self._model.device, self._model.dtype
        pixels = prepared["pixel_values"].to(device, dtype)
        pixel_mask = prepared["pixel_mask"].to(device)
        boxes: list[list[Tensor]] = [[] for _ in images]
        scores: list[list[Tensor]] = [[] for _ in images]
        for chunk in self._chunks(phrases):
            columns = slice(chunk.start, chunk.stop)
            tokens, weights = self._encoded(phrases[columns])
            repeated = {name: ids.expand(len(images), -1) for name, ids in tokens.items()}
            with torch.inference_mode():
                found = self._model(pixel_values=pixels, pixel_mask=pixel_mask, **repeated)
            logits = found.logits[..., : weights.shape[1]].float()
            for row, image in enumerate(images):
                by_phrase = logits[row].sigmoid() @ weights.to(logits).T
                kept = by_phrase.amax(dim=1) >= _LEAST
                table = by_phrase.new_zeros((int(kept.sum()), len(phrases)))
                table[:, columns] = by_phrase[kept].clamp(0, 1)
                scores[row].append(table)
                height, width = image.shape[:2]
                boxes[row].append(from_centres(found.pred_boxes[row][kept], height, width))
        return [
            Detections(torch.cat(b).cpu(), torch.cat(s).cpu())
            for b, s in zip(boxes, scores, strict=True)
        ]

    def _chunks(self, phrases: Sequence[str]) -> list[range]:
        """Runs of phrases that fit in one text each."""
        sizes = [
            len(ids) + 1
            for ids in self._tokenizer(_spelt(phrases), add_special_tokens=False)["input_ids"]
        ]
        room = self._most_tokens - 2
        chunks: list[range] = []
        used = room + 1
        for number, size in enumerate(sizes):
            if size > room:
                raise PerceptionError(
                    f'"{phrases[number]}" has {size} tokens; {self.name} takes {room}'
                )
            if used + size > room:
                chunks.append(range(number, number))
                used = 0
            chunks[-1] = range(chunks[-1].start, number + 1)
            used += size
        return chunks

    def _encoded(self, phrases: Sequence[str]) -> tuple[dict[str, Tensor], Tensor]:
        """The tokens of a text, and [phrase, token] the share of each token in its phrase."""
        text, spans = "", []
        for phrase in _spelt(phrases):
            spans.append((len(text), len(text) + len(phrase)))
            text += f"{phrase} . "
        encoded = self._tokenizer(
            text.strip(), return_offsets_mapping=True, return_token_type_ids=True
        )
        weights = torch.zeros((len(phrases), len(encoded["input_ids"])))
        for token, (start, end) in enumerate(encoded.pop("offset_mapping")):
            for row, (first, last) in enumerate(spans):
                if start < end and first <= start and end <= last:
                    weights[row, token] = 1.0
        weights /= weights.sum(dim=1, keepdim=True).clamp(min=1.0)
        tokens = {
            name: torch.tensor([ids], device=self._model.device) for name, ids in encoded.items()
        }
        return tokens, weights


def _spelt(phrases: Sequence[str]) -> list[str]:
    """The phrases as the model expects them: full stops and question marks part phrases."""
    return [" ".join(p.lower().replace(".", " ").replace("?", " ").split()) for p in phrases]


def _make(argument: str, settings: Settings) -> GroundingDino:
    return GroundingDino(argument or WEIGHTS, settings.device, settings.dtype)


BACK_END = BackEnd(
    name="grounding-dino",
    roles=(Role.OPEN_DETECTOR,),
    summary="Grounding DINO: boxes for the nouns of a text; scores uncalibrated",
    make=_make,
    weights=WEIGHTS,
    licence="Apache-2.0",
)
