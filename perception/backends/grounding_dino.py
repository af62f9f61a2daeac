"""Grounding DINO of ``transformers``: boxes for phrases, all of them in one forward pass."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from neurosym.errors import PerceptionError
from neurosym.perception.base import Detections
from neurosym.perception.loading import described, load_model, load_processor
from neurosym.perception.object_detection import corners_of, in_frame
from neurosym.perception.preparing import batches
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
        # Images of one batch have one size, see batches().
        self._processor.do_pad = False
        self._most_tokens = int(self._model.config.max_text_len)

    def detect_phrases(
        self, images: Sequence[np.ndarray], phrases: Sequence[str]
    ) -> list[Detections]:
        """See :meth:`neurosym.perception.base.OpenDetector.detect_phrases`."""
        empty = Detections(torch.zeros((0, 4)), torch.zeros((0, len(phrases))))
        if not len(phrases):
            return [empty for _ in images]
        found = [[empty] for _ in images]
        device, dtype = self._model.device, self._model.dtype
        texts = [(chunk, *self._encoded(chunk, phrases)) for chunk in self._chunks(phrases)]
        for positions, pixels in batches(self._processor, images, device, dtype):
            for chunk, tokens, weights in texts:
                repeated = {name: ids.expand(len(positions), -1) for name, ids in tokens.items()}
                with torch.inference_mode():
                    output = self._model(pixel_values=pixels, **repeated)
                shares = output.logits[..., : weights.shape[1]].float().sigmoid() @ weights.T
                corners = corners_of(output.pred_boxes.float())
                for row, position in enumerate(positions):
                    boxes = in_frame(corners[row], images[position])
                    kept = (boxes[:, 2:] > boxes[:, :2]).all(dim=1)
                    kept &= shares[row].amax(dim=1) >= _LEAST
                    scores = shares.new_zeros((int(kept.sum()), len(phrases)))
                    scores[:, chunk.start : chunk.stop] = shares[row][kept].clamp(0, 1)
                    found[position].append(Detections(boxes[kept].cpu(), scores.cpu()))
        return [
            Detections(torch.cat([d.boxes for d in each]), torch.cat([d.scores for d in each]))
            for each in found
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

    def _encoded(self, chunk: range, phrases: Sequence[str]) -> tuple[dict[str, Tensor], Tensor]:
        """The tokens of a text, and [phrase, token] the share of each token in its phrase."""
        text, spans = "", []
        for phrase in _spelt(phrases[chunk.start : chunk.stop]):
            spans.append((len(text), len(text) + len(phrase)))
            text += f"{phrase} . "
        encoded = self._tokenizer(
            text.strip(), return_offsets_mapping=True, return_token_type_ids=True
        )
        weights = torch.zeros((len(spans), len(encoded["input_ids"])))
        for token, (start, end) in enumerate(encoded.pop("offset_mapping")):
            for row, (first, last) in enumerate(spans):
                if start < end and first <= start and end <= last:
                    weights[row, token] = 1.0
        weights /= weights.sum(dim=1, keepdim=True).clamp(min=1.0)
        device = self._model.device
        tokens = {name: torch.tensor([ids], device=device) for name, ids in encoded.items()}
        return tokens, weights.to(device)


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
