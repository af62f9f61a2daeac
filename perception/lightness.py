"""How light things are, and which of them are dark or light beside the others in the picture.

The unit is L*, the lightness of CIELAB in [0, 100]. It is what the picture shows, under the light
that there was, and not how light the thing's paint is.
"""

from __future__ import annotations

import torch
from torch import Tensor

from neurosym.perception.colours import to_lab

UNIT = "L*"
SOURCE = "pixels"
SHADES = ("dark", "light")
"""The words that say how light a thing is beside others."""
# A share of the box that seldom shows the background.
_CENTRAL = 0.5
_COARSE = 100
# How many like things the picture as a whole counts as.
_PICTURE = 0.5
# The difference in L* that makes the odds of a shade e to one.
_STEP = 8.0


def central(boxes: Tensor, height: int, width: int) -> list[tuple[slice, slice]]:
    """The rows and columns of the middle half, along each side, of boxes [N, 4] xyxy.

    Each holds at least a pixel of the image, which must not be empty.
    """
    found = []
    for x1, y1, x2, y2 in boxes.tolist():
        spans = []
        for low, high, size in ((y1, y2, height), (x1, x2, width)):
            margin = (high - low) * (1 - _CENTRAL) / 2
            first = min(max(int(low + margin), 0), size - 1)
            spans.append(slice(first, min(max(int(high - margin), first + 1), size)))
        found.append((spans[0], spans[1]))
    return found


def lightness_map(image: Tensor) -> Tensor:
    """[height, width] L* of an image [height, width, 3] uint8 RGB."""
    return to_lab(image)[..., 0]


def box_lightness(image: Tensor, boxes: Tensor) -> Tensor:
    """[N] mean L* of the middle half of boxes [N, 4] xyxy; approximate, for it may show others.

    Every k-th pixel of every k-th row is looked at, with k such that the shorter side has about a
    hundred: a scene is made for every question, and most do not ask how light things are.

    Args:
        image: [height, width, 3] uint8 RGB.
        boxes: in pixels.
    """
    step = max(1, min(image.shape[:2]) // _COARSE)
    coarse = lightness_map(image[::step, ::step])
    means = [coarse[place].mean() for place in central(boxes / step, *coarse.shape)]
    return torch.stack(means) if means else torch.zeros(0)


def mask_lightness(lightness: Tensor, masks: Tensor, otherwise: Tensor) -> Tensor:
    """[N] mean L* of the pixels in masks [N, height, width] bool; ``otherwise`` [N] where empty."""
    counts = masks.flatten(1).sum(1)
    sums = masks.flatten(1).float() @ lightness.flatten()
    return torch.where(counts > 0, sums / counts.clamp_min(1), otherwise)


def light(own: Tensor, lightness: Tensor, alike: Tensor, picture: float) -> Tensor:
    """How probably things are light, beside what is like them in the picture.

    With r a thing's L* less a reference, that is 1 / (1 + exp(-r / 8)). The reference is the mean
    L* of the things of its category in the picture, itself among them, in which the whole
    picture's mean counts as half a thing: so a thing without a like is judged by the picture.

    Args:
        own: [K] L* of the things asked about.
        lightness: [N] L* of every thing.
        alike: [K, N] how far each thing is of the category of those asked about, and is there.
        picture: mean L* of the picture.

    Returns:
        [K] in [0, 1]; "dark" has the rest.

    Example:
        >>> pair = torch.tensor([30.0, 70.0])
        >>> light(pair, pair, torch.ones(2, 2), 50.0)
        tensor([0.0759, 0.9241])
    """
    total = alike @ lightness + _PICTURE * picture
    return torch.sigmoid((own - total / (alike.sum(1) + _PICTURE)) / _STEP)
