"""Common colour words that are not basic ones: "navy", "tan", "teal", "dark blue".

What is navy is blue as well, so each word is an attribute by itself: it fits an object, or it does
not. How far it fits is the geometric mean of two opinions:

- the share of the object's pixels that lie in the word's region of CIELAB, which the names of the
  xkcd colour survey that hold the word set out (``data/common_colours.json``);
- how probably the object has one of the basic colours that go with the word, by the model that was
  fitted on photographs (:func:`neurosym.perception.colours.object_colours`), which knows that what
  people call tan is often dark in a picture.

"Dark blue" and "light blue" divide what is blue by its lightness: with u going from 0 at the
survey's "dark blue" to 1 at its "light blue", a pixel is dark with Phi((1/3 - u) / (1/6)) and light
with Phi((u - 2/3) / (1/6)); of the object's pixels the share counts, times the probability of blue.
The regions are approximations: they were drawn by people at screens, not in photographs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import torch
from torch import Tensor

from neurosym.perception.colours import (
    COLOURS,
    bin_colours,
    object_bins,
    object_colours,
    pixel_features,
    pixel_scores,
    quantised,
)


@dataclass(frozen=True, eq=False)
class CommonColour:
    """One word.

    Attributes:
        basic: [11] float32 in [0, 1], how far each basic colour goes with it.
        pixels: [32768] float32 in [0, 1], how far a pixel of each quantised RGB value fits; rows as
            numbered by :func:`neurosym.perception.colours.quantised`.
        is_shade: whether it is a dark or a light basic colour.
    """

    basic: Tensor
    pixels: Tensor
    is_shade: bool = False


@cache
def common_colours() -> Mapping[str, CommonColour]:
    """Every word.

    Example:
        >>> {"navy", "tan", "dark blue"} <= set(common_colours())
        True
    """
    file = resources.files("neurosym.perception").joinpath("data/common_colours.json")
    numbers: dict[str, Any] = json.loads(file.read_text("utf-8"))
    lab = bin_colours()
    features = pixel_features(lab)
    found = {}
    for word, entry in numbers["words"].items():
        basic = torch.tensor([float(entry["basic"].get(colour, 0)) for colour in COLOURS])
        region = (features @ torch.tensor(entry["region"])).sigmoid()
        found[word] = CommonColour(basic / basic.max(), region)
    for colour, ends in numbers["shades"].items():
        basic = torch.tensor([float(colour == other) for other in COLOURS])
        place = (lab[:, 0] - ends["dark"]) / (ends["light"] - ends["dark"])
        for shade, depth in (("dark", 1 / 3 - place), ("light", place - 2 / 3)):
            found[f"{shade} {colour}"] = CommonColour(
                basic, torch.special.ndtr(6 * depth), is_shade=True
            )
    return found


def word_fits(word: str, image: Tensor, masks: Tensor, boxes: Tensor, clothing: Tensor) -> Tensor:
    """How far a common colour word fits each object.

    Args:
        word: one of :func:`common_colours`.
        image: [height, width, 3] uint8 RGB.
        masks: [object, height, width] bool.
        boxes: [object, 4] xyxy, absolute pixels.
        clothing: [object] in [0, 1], the probability that the object is a person, whose colour is
            that of the clothes.

    Returns:
        [object] float32 in [0, 1]; 0.5 for an empty mask.

    Raises:
        PerceptionError: shapes or types that do not fit together.
    """
    colour = common_colours()[word]
    likely = object_colours(image, masks, boxes, clothing) @ colour.basic.to(image.device)
    pixels = colour.pixels.to(image.device)
    found = torch.full_like(likely, 0.5)
    for index, seen in enumerate(object_bins(image, masks, boxes, clothing)):
        if seen:
            share = sum(part * (pixels[bins] @ w) / w.sum() for part, bins, w in seen)
            fit = likely[index] * share
            found[index] = fit if colour.is_shade else fit.sqrt()
    return found.clamp(0, 1)


def word_pixels(word: str, image: Tensor) -> Tensor:
    """How far each pixel by itself fits a common colour word: [height, width] float32 in [0, 1].

    Args:
        word: one of :func:`common_colours`.
        image: [height, width, 3] uint8 RGB.
    """
    colour = common_colours()[word]
    table = colour.pixels
    if colour.is_shade:
        table = table * (pixel_scores() @ colour.basic)
    return table.to(image.device)[quantised(image).long()]
