"""What a photograph can still be asked, once its scene is made: masks, colours, words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from neurosym.perception.calibration import LEAST
from neurosym.perception.colours import COLOURS, object_colours, pixel_colours
from neurosym.pixels import DepthMap, ImageSize, Pixels, Wanted, box_masks

if TYPE_CHECKING:
    from neurosym.perception.base import Detections, Segmenter
    from neurosym.perception.pipeline import Pipeline
    from neurosym.scene import Scene

COLOR = "color"
MASKS_AT_ONCE = 32


def own_values(word: str) -> tuple[str, str]:
    """The values of the attribute that a word has to itself: it holds, or it does not."""
    return word, f"not {word}"


def is_open(attribute: str, values: Sequence[str]) -> bool:
    """Whether an attribute is a word's own, see :func:`own_values`."""
    return tuple(values) == own_values(attribute)


class Photo:
    """A photograph and what is kept of it between questions.

    The scenes that are made of it number their objects alike, so they share what is kept.

    Args:
        image: uint8 [height, width, 3] RGB.
        depth: how far away every pixel is, when that is known.

    Attributes:
        masks: object number -> [height, width] bool.
        scores: attribute -> object number -> distribution over its values.
        searches: phrases -> what an open vocabulary found of them.
    """

    def __init__(self, image: np.ndarray, depth: DepthMap | None = None) -> None:
        self.image = image
        self.depth = depth
        self.masks: dict[int, Tensor] = {}
        self.scores: dict[str, dict[int, Tensor]] = {}
        self.searches: dict[tuple[str, ...], Detections] = {}
        self._embeddings: dict[int, Any] = {}

    def copy(self) -> Photo:
        """The same photograph for a scene with further objects; what is expensive is shared."""
        other = copy(self)
        other.masks = dict(self.masks)
        other.scores = {name: dict(known) for name, known in self.scores.items()}
        return other

    @property
    def size(self) -> ImageSize:
        """Height and width in pixels."""
        return ImageSize(*self.image.shape[:2])

    def embedding(self, segmenter: Segmenter) -> Any:
        """What the segmenter makes of the whole photograph, once."""
        key = id(segmenter)
        if key not in self._embeddings:
            self._embeddings[key] = segmenter.encode(self.image)
        return self._embeddings[key]


class PhotoPixels(Pixels):
    """Answers from a photograph. Every answer is made once and kept.

    Args:
        photo: the photograph.
        boxes: [N, 4] xyxy on the CPU.
        nouns: the likeliest category of each object.
        clothing: [N] probability that an object is a person, whose colour is that of the clothes.
        pipeline: has the models.
    """

    def __init__(
        self,
        photo: Photo,
        boxes: Tensor,
        nouns: Sequence[str],
        clothing: Tensor,
        pipeline: Pipeline,
    ) -> None:
        self.photo = photo
        self._boxes = boxes
        self._nouns = nouns
        self._clothing = clothing
        self._pipeline = pipeline

    @cached_property
    def _pixel_colours(self) -> Tensor:
        return pixel_colours(torch.from_numpy(self.photo.image))

    def image(self) -> Tensor | None:
        """The photograph."""
        return torch.from_numpy(self.photo.image)

    def depth(self) -> DepthMap | None:
        """See :meth:`Pixels.depth`."""
        return self.photo.depth

    def masks(self, indices: Sequence[int]) -> Tensor:
        """See :meth:`Pixels.masks`."""
        known, segmenter = self.photo.masks, self._pipeline.segmenter
        missing = [i for i in dict.fromkeys(indices) if i not in known]
        if segmenter is None:
            made = box_masks(self._boxes[missing], self.photo.size)
            known.update(zip(missing, made, strict=True))
        else:
            for start in range(0, len(missing), MASKS_AT_ONCE):
                part = missing[start : start + MASKS_AT_ONCE]
                made, _ = segmenter.masks(self.photo.embedding(segmenter), self._boxes[part])
                known.update(zip(part, made.cpu(), strict=True))
        if not len(indices):
            return torch.zeros((0, *self.photo.size), dtype=torch.bool)
        return torch.stack([known[i] for i in indices])

    def known_masks(self) -> Mapping[int, Tensor]:
        """See :meth:`Pixels.known_masks`."""
        return dict(self.photo.masks)

    def score(self, attribute: str, indices: Sequence[int]) -> Tensor | None:
        """Colours off the pixels in the mask; what else words say, by the attribute model."""
        values = self._pipeline.values_of(attribute)
        if values is None:
            return None
        known = self.photo.scores.setdefault(attribute, {})
        missing = [i for i in dict.fromkeys(indices) if i not in known]
        if missing:
            made = self._scored(attribute, values, missing)
            known.update(zip(missing, made, strict=True))
        kept = [known[i] for i in indices]
        return torch.stack(kept) if kept else torch.zeros((0, len(values)))

    def _scored(self, attribute: str, values: Sequence[str], indices: list[int]) -> Tensor:
        image, boxes = self.photo.image, self._boxes[indices]
        model = self._pipeline.attributes
        if attribute == COLOR or model is None:
            return object_colours(
                torch.from_numpy(image), self.masks(indices), boxes, self._clothing[indices]
            )
        nouns = [self._nouns[i] for i in indices]
        if is_open(attribute, values):
            holds = model.attributes(image, boxes, nouns, [attribute]).cpu()
            return torch.cat([holds, 1 - holds], dim=1)
        found = model.attributes(image, boxes, nouns, values).cpu().clamp_min(LEAST)
        return found / found.sum(dim=1, keepdim=True)

    def relate(self, relation: str, pairs: Sequence[tuple[int, int]]) -> Tensor | None:
        """See :meth:`Pixels.relate`; by the relation model."""
        model = self._pipeline.relations
        if model is None:
            return None
        figures, landmarks = [i for i, _ in pairs], [j for _, j in pairs]
        nouns = [(self._nouns[i], self._nouns[j]) for i, j in pairs]
        boxes = self._boxes
        return model.relations(
            self.photo.image, boxes[figures], boxes[landmarks], nouns, relation
        ).cpu()

    def evidence(self, attribute: str, value: str) -> Tensor | None:
        """How far each pixel has a colour."""
        if attribute != COLOR or value not in COLOURS:
            return None
        return self._pixel_colours[..., COLOURS.index(value)]

    def look_for(self, scene: Scene, wanted: Wanted) -> Scene:
        """See :meth:`Pixels.look_for`."""
        return self._pipeline.look_for(scene, self.photo, wanted)
