"""Attributes and relations from models that compare pictures with texts (CLIP, SigLIP).

What such a model says of a picture and a text is their cosine c. It means little by itself; it
tells which of several texts fits better. So every question is put as a choice between texts, and
the answer is the first one's share of the weights w of all of them, where w = exp(scale * c) for
CLIP (the share is then the softmax that it was trained with) and w = sigmoid(scale * c + bias) for
SigLIP (the probability, by its own training, that picture and text belong together). Nobody has
measured what these shares are worth as probabilities.

- Attribute: the object's crop; "an old man" against the opposite, "a young man", where
  ``data/attributes.toml`` has one, and else against the bare noun, "a man".
- Relation: the crop of the box around both; "a man riding a horse" against "a horse riding a man"
  (left out where both nouns are the same) and "a man and a horse".
"""

from __future__ import annotations

import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

import numpy as np
import torch
from torch import Tensor

from neurosym.perception.loading import described, load_model, load_processor
from neurosym.perception.prompts import (
    TEMPLATES,
    attribute_words,
    relation_phrase,
    with_article,
)

MARGIN: Final = 0.1
"""How much of its width and height a crop shows around an object, on each side."""
_AT_ONCE: Final = 64
_MOST_TEXTS: Final = 20_000


class ContrastiveModel(ABC):
    """An attribute and relation model of a pair of encoders.

    Features of texts are kept, and those of the crops of the image that was asked about last.

    Args:
        model: a class of ``transformers`` with image and text features.
        processor: the class that prepares its images.
        source: a folder, or a name on the hub.
        device: where to run.
        dtype: in which precision.

    Attributes:
        name: what the source of its tables says.

    Raises:
        PerceptionError: the model cannot be had, or is another.
    """

    way: ClassVar[str]
    """How its scores come about, for its name."""

    def __init__(
        self,
        model: Any,
        processor: Any,
        source: str,
        device: torch.device | str,
        dtype: torch.dtype,
    ) -> None:
        from transformers import AutoTokenizer

        self._model = load_model(model, source, torch.device(device), dtype)
        self._tokenizer = load_processor(AutoTokenizer, source)
        self._processor = load_processor(processor, source)
        self.name = f"{described(source, self._model)}; {self.way}, uncalibrated"
        self._texts: dict[str, Tensor] = {}
        self._crops: dict[tuple[int, int, int, int], Tensor] = {}
        self._image: Callable[[], np.ndarray | None] = lambda: None

    def encode_images(self, crops: Sequence[np.ndarray]) -> Tensor:
        """[K, D] float32 features of uint8 [height, width, 3] RGB crops."""
        mean = self._processor.image_mean
        squares = [squared(crop, mean) for crop in crops]
        pixels = self._processor(
            images=squares, input_data_format="channels_last", return_tensors="pt"
        )["pixel_values"]
        with torch.inference_mode():
            found = self._model.get_image_features(
                pixel_values=pixels.to(self._model.device, self._model.dtype)
            )
        features: Tensor = found.pooler_output
        return features.float().cpu()

    @abstractmethod
    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """[T, D] float32 features."""

    @abstractmethod
    def log_weights(self, cosines: Tensor) -> Tensor:
        """The logarithms of the weights of texts in a choice; see the module."""

    def attributes(
        self, image: np.ndarray, boxes: Tensor, nouns: Sequence[str], values: Sequence[str]
    ) -> Tensor:
        """See :meth:`neurosym.perception.base.AttributeModel.attributes`."""
        opposites = attribute_words().opposites
        texts: list[str] = []
        for noun in nouns:
            for value in values:
                against = opposites.get(value)
                texts.append(with_article(f"{value} {noun}"))
                texts.append(with_article(f"{against} {noun}" if against else noun))
        features = self._text_features(texts).view(len(nouns), len(values), 2, -1)
        pictures = self._crop_features(image, _widened(boxes, MARGIN))
        cosines = torch.einsum("kd,kvcd->kvc", pictures, features)
        return self.log_weights(cosines).softmax(dim=-1)[..., 0]

    def relations(
        self,
        image: np.ndarray,
        figures: Tensor,
        landmarks: Tensor,
        nouns: Sequence[tuple[str, str]],
        relation: str,
    ) -> Tensor:
        """See :meth:`neurosym.perception.base.RelationModel.relations`."""
        said = relation_phrase(relation)
        texts: list[str] = []
        for figure, landmark in nouns:
            one, other = with_article(figure), with_article(landmark)
            texts += [f"{one} {said} {other}", f"{other} {said} {one}", f"{one} and {other}"]
        features = self._text_features(texts).view(len(nouns), 3, -1)
        corners = torch.minimum(figures[:, :2], landmarks[:, :2])
        ends = torch.maximum(figures[:, 2:], landmarks[:, 2:])
        pictures = self._crop_features(image, torch.cat([corners, ends], dim=1))
        weights = self.log_weights(torch.einsum("pd,pcd->pc", pictures, features))
        alike = torch.tensor([one == other for one, other in nouns], dtype=torch.bool)
        weights[alike, 1] = -torch.inf
        return weights.softmax(dim=-1)[:, 0]

    def _text_features(self, texts: Sequence[str]) -> Tensor:
        """[T, D] unit features, each the mean over the templates."""
        if len(self._texts) > _MOST_TEXTS:
            self._texts.clear()
        missing = [text for text in dict.fromkeys(texts) if text not in self._texts]
        filled = [template.format(text) for text in missing for template in TEMPLATES]
        parts = [
            self.encode_texts(filled[start : start + _AT_ONCE])
            for start in range(0, len(filled), _AT_ONCE)
        ]
        if parts:
            unit = torch.nn.functional.normalize(torch.cat(parts), dim=-1)
            means = unit.view(len(missing), len(TEMPLATES), -1).mean(dim=1)
            self._texts.update(
                zip(missing, torch.nn.functional.normalize(means, dim=-1), strict=True)
            )
        return torch.stack([self._texts[text] for text in texts])

    def _crop_features(self, image: np.ndarray, boxes: Tensor) -> Tensor:
        """[K, D] unit features of what boxes hold."""
        if self._image() is not image:
            self._image, self._crops = weakref.ref(image), {}
        places = [_pixels(box, image) for box in boxes.tolist()]
        missing = [place for place in dict.fromkeys(places) if place not in self._crops]
        for start in range(0, len(missing), _AT_ONCE):
            part = missing[start : start + _AT_ONCE]
            made = self.encode_images([image[y1:y2, x1:x2] for x1, y1, x2, y2 in part])
            self._crops.update(zip(part, torch.nn.functional.normalize(made, dim=-1), strict=True))
        return torch.stack([self._crops[place] for place in places])


def squared(crop: np.ndarray, mean: Sequence[float]) -> np.ndarray:
    """A crop in the middle of a square of the mean colour, so that nothing is cut off.

    Args:
        crop: uint8 [height, width, 3].
        mean: RGB in [0, 1], what a model's inputs are centred by.
    """
    height, width = crop.shape[:2]
    side = max(height, width)
    square = np.empty((side, side, 3), dtype=np.uint8)
    square[:] = np.round(255 * np.asarray(mean)).astype(np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = crop
    return square


def _widened(boxes: Tensor, margin: float) -> Tensor:
    around = margin * (boxes[:, 2:] - boxes[:, :2])
    return torch.cat([boxes[:, :2] - around, boxes[:, 2:] + around], dim=1)


def _pixels(box: Sequence[float], image: np.ndarray) -> tuple[int, int, int, int]:
    """The whole pixels that a box touches, at least one, inside the image."""
    height, width = image.shape[:2]
    x1, y1 = min(max(int(box[0]), 0), width - 1), min(max(int(box[1]), 0), height - 1)
    x2, y2 = int(np.ceil(box[2])), int(np.ceil(box[3]))
    return x1, y1, min(max(x2, x1 + 1), width), min(max(y2, y1 + 1), height)
