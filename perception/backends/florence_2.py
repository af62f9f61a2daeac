"""Florence-2 of ``transformers``: boxes for phrases, written out by a language model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from torch import Tensor

from neurosym.perception.base import Detections
from neurosym.perception.loading import described, load_model, load_processor
from neurosym.perception.object_detection import in_frame
from neurosym.perception.preparing import batches
from neurosym.perception.registry import BackEnd, Role, Settings

WEIGHTS = "florence-community/Florence-2-base"
BINS: Final = 1000
"""Into how many parts the model divides each side of the image."""
TOLERANCE: Final = 25
"""Bins to either side of a coordinate whose probability counts for it."""
_PROMPT: Final = "Locate the phrases in the caption: {}"
_MOST_TOKENS: Final = 1024


class _Written(NamedTuple):
    """A box as it was written: the words before it, bins xyxy, and a score."""

    words: str
    bins: tuple[int, int, int, int]
    score: float


class Florence2:
    """Florence-2, which is asked to ground all phrases in one caption ("cat. fire hydrant.").

    It writes each phrase and then the bins of its boxes. A box's score is the geometric mean over
    its four coordinates of the probability, when the coordinate was written, that it lies within
    :data:`TOLERANCE` bins of what was written. So the score says how sure the model is of the
    place; it says nothing of whether there is such a thing, for the model tends to place whatever
    a caption names. Decoding is greedy. No code that comes with weights is run.

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
        from transformers import AutoTokenizer, Florence2ForConditionalGeneration
        from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

        self._model = load_model(
            Florence2ForConditionalGeneration, source, torch.device(device), dtype
        )
        self.name = f"{described(source, self._model)}; scores of places only"
        self._tokenizer = load_processor(AutoTokenizer, source)
        self._processor = load_processor(CLIPImageProcessorPil, source)
        places = [f"<loc_{number}>" for number in range(BINS)]
        self._places = torch.tensor(self._tokenizer.convert_tokens_to_ids(places))
        self._bins = {token: number for number, token in enumerate(self._places.tolist())}

    def detect_phrases(
        self, images: Sequence[np.ndarray], phrases: Sequence[str]
    ) -> list[Detections]:
        """See :meth:`neurosym.perception.base.OpenDetector.detect_phrases`."""
        if not len(phrases):
            return [Detections(torch.zeros((0, 4)), torch.zeros((0, 0))) for _ in images]
        found: dict[int, Detections] = {}
        device, dtype = self._model.device, self._model.dtype
        room = self._model.config.text_config.max_position_embeddings - 1
        for positions, pixels in batches(self._processor, images, device, dtype):
            ids = self._prompt(phrases, pixels.shape[-2:]).expand(len(positions), -1).to(device)
            with torch.inference_mode():
                made = self._model.generate(
                    input_ids=ids,
                    attention_mask=torch.ones_like(ids),
                    pixel_values=pixels,
                    max_new_tokens=min(_MOST_TOKENS, room),
                    num_beams=1,
                    do_sample=False,
                    return_dict_in_generate=True,
                    output_logits=True,
                )
            for row, position in enumerate(positions):
                written = self._read(made, row)
                found[position] = _detections(written, phrases, images[position])
        return [found[position] for position in range(len(images))]

    def _prompt(self, phrases: Sequence[str], size: Sequence[int]) -> Tensor:
        """[1, token]: the places of the image's features, then the question."""
        vision = self._model.config.vision_config
        height, width = size
        stages = zip(vision.patch_size, vision.patch_stride, vision.patch_padding, strict=True)
        for kernel, stride, padding in stages:
            height = (height + 2 * padding - kernel) // stride + 1
            width = (width + 2 * padding - kernel) // stride + 1
        # One more for the features of the image as a whole.
        features = [self._model.config.image_token_id] * (height * width + 1)
        text = _PROMPT.format(" ".join(f"{phrase}." for phrase in phrases))
        said = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        ends = self._tokenizer.bos_token_id, self._tokenizer.eos_token_id
        return torch.tensor([[*features, ends[0], *said, ends[1]]])

    def _read(self, made: Any, row: int) -> list[_Written]:
        """The boxes in what was written about an image."""
        # The first token starts the text; no logits belong to it.
        tokens = made.sequences[row, 1:].tolist()
        special = set(self._tokenizer.all_special_ids) - set(self._bins)
        written: list[_Written] = []
        words: list[int] = []
        bins: list[int] = []
        shares: list[float] = []
        fresh = True
        for step, token in enumerate(tokens):
            if token in self._bins:
                bins.append(self._bins[token])
                shares.append(self._share(made.logits[step][row], bins[-1]))
                if len(bins) == 4:
                    said = self._tokenizer.decode(words, skip_special_tokens=True)
                    box = (bins[0], bins[1], bins[2], bins[3])
                    score = float(np.prod(shares) ** (1 / len(shares)))
                    written.append(_Written(said, box, score))
                    bins, shares = [], []
                fresh = True
            elif token not in special:
                # Words after boxes start another phrase; bins that make no box are dropped.
                words = [token] if fresh else [*words, token]
                bins, shares, fresh = [], [], False
        return written

    def _share(self, logits: Tensor, chosen: int) -> float:
        """The probability of the bins around the chosen one."""
        probabilities = logits.float().softmax(dim=-1)[self._places.to(logits.device)]
        around = slice(max(0, chosen - TOLERANCE), chosen + TOLERANCE + 1)
        return min(1.0, float(probabilities[around].sum()))


def _detections(
    written: Sequence[_Written], phrases: Sequence[str], image: np.ndarray
) -> Detections:
    columns = [_phrase_of(one.words, phrases) for one in written]
    kept = [row for row, column in enumerate(columns) if column is not None]
    # A bin's middle stands for it.
    bins = torch.tensor([written[row].bins for row in kept]).view(-1, 4) + 0.5
    boxes = in_frame(bins / BINS, image)
    proper = (boxes[:, 2:] > boxes[:, :2]).all(dim=1)
    labels = torch.tensor([columns[row] or 0 for row in kept], dtype=torch.int64)
    scores = torch.tensor([written[row].score for row in kept])
    return Detections.of_labels(boxes[proper], scores[proper], labels[proper], len(phrases))


def _phrase_of(words: str, phrases: Sequence[str]) -> int | None:
    """Which phrase was written: the same one, else the longest whose words are all there.

    Example:
        >>> _phrase_of("the red fire hydrant", ["fire", "fire hydrant", "cup"])
        1
    """
    said = " ".join(words.lower().replace(".", " ").replace(",", " ").split())
    within = [
        (len(phrase), -column)
        for column, phrase in enumerate(phrases)
        if phrase and f" {phrase.lower()} " in f" {said} "
    ]
    return -max(within)[1] if within else None


def _make(argument: str, settings: Settings) -> Florence2:
    return Florence2(argument or WEIGHTS, settings.device, settings.dtype)


BACK_END = BackEnd(
    name="florence-2",
    roles=(Role.OPEN_DETECTOR,),
    summary="Florence-2: boxes for the nouns of a text, written out; scores are of places only",
    make=_make,
    weights=WEIGHTS,
    licence="MIT",
)
