"""What a photograph can still be asked, once its scene is made: masks, colours, words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from neurosym.perception import depths, lightness, mask_relations
from neurosym.perception.calibration import LEAST
from neurosym.perception.checks import checked_masks, checked_scores
from neurosym.perception.colours import COLOURS, object_colours, pixel_colours
from neurosym.perception.common_colours import common_colours, word_fits, word_pixels
from neurosym.perception.prompts import attribute_words, is_relative, participle
from neurosym.perception.search import prompt_of
from neurosym.pixels import DepthMap, ImageSize, Pixels, Wanted, box_masks
from neurosym.scene import CATEGORY

if TYPE_CHECKING:
    from neurosym.perception.base import Detections, Segmenter
    from neurosym.perception.pipeline import Pipeline
    from neurosym.scene import Scene

COLOR = "color"
QUALITY = "quality"
MASKS_AT_ONCE = 32
_MOST_ODDS = 1e6


def own_values(word: str) -> tuple[str, str]:
    """The values of the attribute that a word has to itself: it holds, or it does not."""
    return word, f"not {word}"


def is_open(attribute: str, values: Sequence[str]) -> bool:
    """Whether an attribute is a word's own, see :func:`own_values`."""
    return tuple(values) == own_values(attribute)


def askable(wanted: Wanted, known: Mapping[str, Sequence[str]]) -> dict[str, dict[str, str]]:
    """The attributes that an attribute model can add to a scene, for what programs name.

    Args:
        wanted: what programs name.
        known: attribute -> values that the scene has already.

    Returns:
        Attribute -> value -> how a model is asked for it. An attribute of which a thing has one
        value, as materials, has all that ``data/attributes.toml`` lists, and the wanted ones;
        any other word has an attribute to itself, see :func:`own_values`.

    Example:
        >>> askable(Wanted(values=(("action", "sit"),)), {})
        {'sit': {'sit': 'sitting', 'not sit': 'not sitting'}}
    """
    exclusive = attribute_words().exclusive
    listing = {value: name for name, values in exclusive.items() for value in values}
    found = {name: dict(exclusive[name]) for name in wanted.attributes if name in exclusive}
    for attribute, value in wanted.values:
        if value in known.get(attribute, ()) or is_relative(value):
            continue
        said = participle(value) if attribute == "action" else value.replace("_", " ")
        listed = attribute if attribute in exclusive else listing.get(value)
        if listed is not None and listed not in known:
            found.setdefault(listed, dict(exclusive[listed])).setdefault(value, said)
        elif value not in known:
            found[value] = dict(zip(own_values(value), own_values(said), strict=True))
    return {name: values for name, values in found.items() if name not in known}


def seen_in_pixels(wanted: Wanted, known: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The words of which pixels say whether they fit: common colours, and dark and light.

    Args:
        wanted: what programs name.
        known: attribute -> values that the scene has already.

    Example:
        >>> seen_in_pixels(Wanted(values=(("color", "navy"), ("quality", "old"))), {})
        ('navy',)
    """
    words = [
        value
        for attribute, value in wanted.values
        if (attribute == COLOR and value in common_colours())
        or (attribute == QUALITY and value in lightness.SHADES)
    ]
    return tuple(word for word in dict.fromkeys(words) if word not in known)


class Photo:
    """A photograph and what is kept of it between questions.

    The scenes that are made of it number their objects alike, so they share what is kept.

    Args:
        image: uint8 [height, width, 3] RGB.
        depth: how far away every pixel is, when that is known.

    Attributes:
        outlined: whether the detector gave masks.
        masks: object number -> [height, width] bool.
        scores: attribute and its values -> object number -> distribution over the values.
        pairs: relation -> (figure, landmark) -> probability that it holds, by the relation model.
        searches: what an open vocabulary was asked for and has found, in the order of asking; no
            phrase is asked for twice.
        extended: scene -> nouns -> that scene with what was found of them.
        heat: phrase -> [height, width] how well it describes each pixel.
    """

    def __init__(self, image: np.ndarray, depth: DepthMap | None = None) -> None:
        self.image = image
        self.depth = depth
        self.outlined = False
        self.masks: dict[int, Tensor] = {}
        self.scores: dict[tuple[str, tuple[str, ...]], dict[int, Tensor]] = {}
        self.pairs: dict[str, dict[tuple[int, int], Tensor]] = {}
        self.searches: list[tuple[tuple[str, ...], Detections]] = []
        self.extended: WeakKeyDictionary[Scene, dict[tuple[str, ...], Scene]] = WeakKeyDictionary()
        self.heat: dict[str, Tensor] = {}
        self._embeddings: dict[int, Any] = {}

    def copy(self) -> Photo:
        """The same photograph for a scene with further objects; what is expensive is shared."""
        other = copy(self)
        other.masks = dict(self.masks)
        other.scores = {name: dict(known) for name, known in self.scores.items()}
        other.pairs = {name: dict(known) for name, known in self.pairs.items()}
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
        alike: [N, N] how far a column's object is of the category of a row's, and is there.
        pipeline: has the models.
        words: attribute -> value -> how a model is asked for it; the attributes that the picture
            can be scored for, colours apart.
    """

    def __init__(
        self,
        photo: Photo,
        boxes: Tensor,
        nouns: Sequence[str],
        clothing: Tensor,
        alike: Tensor,
        pipeline: Pipeline,
        words: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self.photo = photo
        self.words = dict(words or {})
        self._boxes = boxes
        self._nouns = nouns
        self._clothing = clothing
        self._alike = alike
        self._pipeline = pipeline

    @cached_property
    def _pixel_colours(self) -> Tensor:
        return pixel_colours(torch.from_numpy(self.photo.image))

    @cached_property
    def _lightness_map(self) -> Tensor:
        return lightness.lightness_map(torch.from_numpy(self.photo.image))

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
                given = segmenter.masks(self.photo.embedding(segmenter), self._boxes[part])
                made = checked_masks(given, len(part), self.photo.size, segmenter)
                known.update(zip(part, made, strict=True))
        if not len(indices):
            return torch.zeros((0, *self.photo.size), dtype=torch.bool)
        return torch.stack([known[i] for i in indices])

    def known_masks(self) -> Mapping[int, Tensor]:
        """See :meth:`Pixels.known_masks`."""
        return dict(self.photo.masks)

    def score(self, attribute: str, indices: Sequence[int]) -> Tensor | None:
        """Colours off the pixels in the mask; what else words say, by the attribute model."""
        if attribute == COLOR:
            values: tuple[str, ...] = COLOURS
        elif attribute in self.words:
            values = tuple(self.words[attribute])
        elif attribute in common_colours() or attribute in lightness.SHADES:
            values = own_values(attribute)
        else:
            return None
        known = self.photo.scores.setdefault((attribute, values), {})
        missing = [i for i in dict.fromkeys(indices) if i not in known]
        if missing:
            made = self._scored(attribute, missing)
            known.update(zip(missing, made, strict=True))
        kept = [known[i] for i in indices]
        return torch.stack(kept) if kept else torch.zeros((0, len(values)))

    def _scored(self, attribute: str, indices: list[int]) -> Tensor:
        image, boxes = self.photo.image, self._boxes[indices]
        model = self._pipeline.attributes
        if attribute in lightness.SHADES and attribute not in self.words:
            fits = self._light(indices)
            return torch.stack([fits, 1 - fits] if attribute == "light" else [1 - fits, fits], 1)
        if attribute == COLOR or attribute not in self.words or model is None:
            seen = torch.from_numpy(image), self.masks(indices), boxes, self._clothing[indices]
            if attribute == COLOR:
                return object_colours(*seen)
            fits = word_fits(attribute, *seen)
            return torch.stack([fits, 1 - fits], 1)
        nouns, asked = [self._nouns[i] for i in indices], self.words[attribute]
        if is_open(attribute, tuple(asked)):
            given = model.attributes(image, boxes, nouns, [asked[attribute]])
            holds = checked_scores(given, (len(indices), 1), model)
            return torch.cat([holds, 1 - holds], dim=1)
        # Given that exactly one of the values holds, and each was judged by itself: the odds.
        given = model.attributes(image, boxes, nouns, list(asked.values()))
        found = checked_scores(given, (len(indices), len(asked)), model)
        odds = (found / (1 - found).clamp_min(LEAST)).clamp(LEAST, _MOST_ODDS)
        return odds / odds.sum(dim=1, keepdim=True)

    def unknown(self, noun: str) -> str:
        """See :meth:`Pixels.unknown`; by the pipeline's vocabulary."""
        return self._pipeline.unknown(noun)

    def _light(self, indices: list[int]) -> Tensor:
        """[K] how probably objects are light, beside those that are like them."""
        rough = lightness.box_lightness(torch.from_numpy(self.photo.image), self._boxes)
        own = lightness.mask_lightness(self._lightness_map, self.masks(indices), rough[indices])
        picture = float(self._lightness_map.mean())
        return lightness.light(own, rough, self._alike[indices], picture)

    def gauge(self, measure: str, indices: Sequence[int]) -> Tensor | None:
        """See :meth:`Pixels.gauge`; lightness, and depth where there is a map, in the masks."""
        boxes, chosen = self._boxes[list(indices)], list(indices)
        if measure == "lightness":
            rough = lightness.box_lightness(torch.from_numpy(self.photo.image), boxes)
            return lightness.mask_lightness(self._lightness_map, self.masks(chosen), rough)
        if measure == "depth" and self.photo.depth is not None:
            rough, _ = depths.box_depths(self.photo.depth, boxes)
            return depths.mask_depths(self.photo.depth, self.masks(chosen), rough)
        return None

    def relate(self, relation: str, pairs: Sequence[tuple[int, int]]) -> Tensor | None:
        """See :meth:`Pixels.relate`; by the masks, or by the relation model."""
        known = self.photo.pairs.setdefault(relation, {})
        missing = [pair for pair in dict.fromkeys(pairs) if pair not in known]
        model = self._pipeline.relations
        if relation in mask_relations.MASK_RELATIONS and self._pipeline.outlines(self.photo):
            made = mask_relations.relate(
                relation, missing, self._boxes, self.photo.size, self.masks
            )
            known.update(zip(missing, made, strict=True))
        elif model is None:
            return None
        elif missing:
            figures, landmarks = map(list, zip(*missing, strict=True))
            nouns = [(self._nouns[i], self._nouns[j]) for i, j in missing]
            boxes = self._boxes
            given = model.relations(
                self.photo.image, boxes[figures], boxes[landmarks], nouns, relation
            )
            made = checked_scores(given, (len(missing),), model)
            known.update(zip(missing, made, strict=True))
        return torch.stack([known[pair] for pair in pairs]) if pairs else torch.zeros(0)

    def evidence(self, attribute: str, value: str) -> Tensor | None:
        """How far each pixel has a colour, or what a heat map says of a noun or another value."""
        if attribute == COLOR and value in COLOURS:
            return self._pixel_colours[..., COLOURS.index(value)]
        if attribute == value and value in common_colours() and attribute not in self.words:
            return word_pixels(value, torch.from_numpy(self.photo.image))
        model = self._pipeline.heat_maps
        phrase = prompt_of(value) if attribute == CATEGORY else self._said_of(attribute, value)
        if model is None or phrase is None:
            return None
        if phrase not in self.photo.heat:
            given = model.heat_maps(self.photo.image, [phrase])
            (self.photo.heat[phrase],) = checked_scores(given, (1, *self.photo.size), model)
        return self.photo.heat[phrase]

    def _said_of(self, attribute: str, value: str) -> str | None:
        """How a model is asked for a value; None for the denial of one, and for what is known."""
        asked = self.words.get(attribute, {})
        return None if value != attribute and is_open(attribute, tuple(asked)) else asked.get(value)

    def with_words(self, words: Mapping[str, Mapping[str, str]]) -> PhotoPixels:
        """The same, with other attributes that it can be scored for."""
        other = copy(self)
        other.words = dict(words)
        return other

    def look_for(self, scene: Scene, wanted: Wanted) -> Scene:
        """See :meth:`Pixels.look_for`."""
        return self._pipeline.look_for(scene, self, wanted)
