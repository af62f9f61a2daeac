"""Colours: which of eleven basic colour words a person would use for a pixel or an object.

A pixel is scored by a small logistic model on CIELAB, looked up in a table over quantised RGB. An
object is scored from the mean of its pixels' scores and five statistics of its pixels. The numbers
of both models lie in ``data/colours.json``, which says where they come from.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from neurosym.errors import PerceptionError
from neurosym.perception.calibration import Temperature, fingerprint

COLOURS: Final = (
    "black",
    "white",
    "gray",
    "red",
    "green",
    "blue",
    "yellow",
    "orange",
    "purple",
    "pink",
    "brown",
)
"""The basic colour words (Berlin and Kay, 1969), in the order of every table here."""

# sRGB to CIE XYZ (IEC 61966-2-1), the D65 white point, and the constants of CIELAB.
_TO_XYZ: Final = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
_WHITE: Final = (0.95047, 1.0, 1.08883)
_LAB_EPSILON: Final = 216 / 24389
_LAB_KAPPA: Final = 24389 / 27

_BITS: Final = 5
_STATISTICS: Final = 5
# A mask smaller than this keeps its edge; a larger one loses one or two pixels, which are mixed
# with the background.
_ERODE_FROM: Final = 400
_ERODE_TWICE_FROM: Final = 4000
AS_IT_IS: Final = Temperature(1.0)
"""The temperature that changes nothing."""


@dataclass(frozen=True, eq=False)
class ColourModel:
    """The fitted numbers.

    Attributes:
        pixel: [13, 11] float32: weights of :func:`pixel_features`.
        slope: how much the logarithm of an object's mean pixel score counts.
        floor: added to that mean before the logarithm.
        bias: [11] float32.
        weights: [5, 11] float32: weights of an object's statistics.
        temperature: of the distributions over colours.
        fitted_on: on what, for the provenance of scenes.
    """

    pixel: Tensor
    slope: float
    floor: float
    bias: Tensor
    weights: Tensor
    temperature: Temperature = AS_IT_IS
    fitted_on: str = ""

    def table(self) -> Tensor:
        """What a pixel of each quantised RGB value says, for :func:`object_statistics`.

        Returns:
            [32768, 16] float32, rows as numbered by :func:`quantised`: the 11 colours' scores (sum
            1), L / 25 - 2, a / 20, b / 20, chroma / 20, and the square of the second.
        """
        lab = bin_colours()
        scores = (pixel_features(lab) @ self.pixel).softmax(dim=1)
        lightness = lab[:, :1] / 25 - 2
        chroma = lab[:, 1:].norm(dim=1, keepdim=True) / 20
        return torch.cat([scores, lightness, lab[:, 1:] / 20, chroma, lightness.square()], dim=1)

    def distribution(self, statistics: Tensor) -> Tensor:
        """The colour word of objects with these :func:`object_statistics`.

        Args:
            statistics: [object, 16].

        Returns:
            [object, 11], rows sum to 1.
        """
        votes, rest = statistics[:, : len(COLOURS)], statistics[:, len(COLOURS) :]
        logits = self.slope * (votes + self.floor).log() + self.bias + rest @ self.weights
        return self.temperature(logits.softmax(dim=1))

    def describe(self) -> str:
        """One line for a scene's provenance: the steps, on what they were fitted, a fingerprint."""
        numbers = {
            "pixel": self.pixel.tolist(),
            "slope": self.slope,
            "floor": self.floor,
            "bias": self.bias.tolist(),
            "weights": self.weights.tolist(),
            "temperature": self.temperature.temperature,
        }
        steps = ["logistic"]
        if self.temperature != AS_IT_IS:
            steps.append(f"at temperature {self.temperature.temperature:.3g}")
        if self.fitted_on:
            steps.append(f"fitted on {self.fitted_on}")
        return f"{', '.join(steps)}, sha256 {fingerprint(numbers)}"


@cache
def default_model() -> ColourModel:
    """The model that comes with the package."""
    file = resources.files("neurosym.perception").joinpath("data/colours.json")
    numbers: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return ColourModel(
        torch.tensor(numbers["pixel"]),
        numbers["slope"],
        numbers["floor"],
        torch.tensor(numbers["bias"]),
        torch.tensor(numbers["weights"]),
        Temperature.from_document(numbers["temperature"]),
        numbers["fitted_on"],
    )


@cache
def _default_table() -> Tensor:
    # One table of 2 MB for the life of the process; it takes about 20 ms to make.
    return default_model().table()


def to_lab(image: Tensor) -> Tensor:
    """SRGB to CIELAB under D65.

    Args:
        image: [height, width, 3] uint8 RGB.

    Returns:
        [height, width, 3] float32: L in [0, 100], a and b within about [-110, 110].

    Raises:
        PerceptionError: another shape or type.
    """
    _check_image(image)
    encoded = image.float() / 255
    linear = torch.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    xyz = linear @ linear.new_tensor(_TO_XYZ).T / linear.new_tensor(_WHITE)
    root = xyz.clamp(min=_LAB_EPSILON) ** (1 / 3)
    response = torch.where(xyz > _LAB_EPSILON, root, (_LAB_KAPPA * xyz + 16) / 116)
    x, y, z = response.unbind(dim=-1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=-1)


def bin_colours() -> Tensor:
    """CIELAB of the middle of each quantised RGB value: [32768, 3], rows as for the table."""
    side = torch.arange(1 << _BITS)
    centres = side * (256 >> _BITS) + (128 >> _BITS)
    rgb = torch.stack(torch.meshgrid(centres, centres, centres, indexing="ij"), dim=-1)
    return to_lab(rgb.view(-1, 1, 3).to(torch.uint8))[:, 0]


def pixel_features(lab: Tensor) -> Tensor:
    """What the pixel model sees: polynomials of lightness, opponent colours and chroma.

    Args:
        lab: [..., 3] CIELAB.

    Returns:
        [..., 13] of the same type.
    """
    lightness, a, b = ((lab - lab.new_tensor([50.0, 0.0, 0.0])) / 50).unbind(dim=-1)
    chroma = (a.square() + b.square() + 1e-4).sqrt()
    terms = [torch.ones_like(lightness), lightness, a, b, chroma]
    terms += [lightness.square(), a.square(), b.square(), lightness * a, lightness * b, a * b]
    terms += [lightness * chroma, lightness**3]
    return torch.stack(terms, dim=-1)


def quantised(image: Tensor) -> Tensor:
    """The row of :meth:`ColourModel.table` that each pixel belongs to.

    Args:
        image: [height, width, 3] uint8 RGB.

    Returns:
        [height, width] int16 in [0, 32767]: five bits for each channel, red first.
    """
    _check_image(image)
    red, green, blue = (image >> (8 - _BITS)).to(torch.int16).unbind(dim=-1)
    return (red << (2 * _BITS)) | (green << _BITS) | blue


def pixel_scores() -> Tensor:
    """What :func:`pixel_colours` says of each quantised RGB value: [32768, 11]."""
    return _default_table()[:, : len(COLOURS)].contiguous()


def pixel_colours(image: Tensor) -> Tensor:
    """The colour word of every pixel by itself.

    Args:
        image: [height, width, 3] uint8 RGB.

    Returns:
        [height, width, 11] float32 in the order of COLOURS, summing to 1 over the last axis. It
        takes 44 bytes a pixel. Values are those of the pixel's RGB rounded to steps of 8.

    Raises:
        PerceptionError: another shape or type.
    """
    scores = pixel_scores().to(image.device)
    rows = quantised(image).flatten().int()
    return scores.index_select(0, rows).view(*image.shape[:2], len(COLOURS))


def object_colours(image: Tensor, masks: Tensor, boxes: Tensor, clothing: Tensor) -> Tensor:
    """The one word that a person would use for each object's colour.

    The colour of a person is that of the clothes: the upper body below the head counts, skin and
    hair hardly count beside other pixels, and a saturated garment counts more than the greys and
    blacks of its shadows. Where it is uncertain whether the object is a person, the answer is the
    mixture of both ways of looking.

    Args:
        image: [height, width, 3] uint8 RGB.
        masks: [object, height, width] bool.
        boxes: [object, 4] xyxy, absolute pixels; only says where a person's upper body is.
        clothing: [object] in [0, 1], the probability that the object is a person.

    Returns:
        [object, 11] float32 in the order of COLOURS, rows sum to 1; uniform for an empty mask.

    Raises:
        PerceptionError: shapes or types that do not fit together.
    """
    table = _default_table().to(image.device)
    found = torch.full((len(masks), len(COLOURS)), 1 / len(COLOURS), device=image.device)
    for index, seen in enumerate(object_bins(image, masks, boxes, clothing)):
        if seen:
            parts = [share * _colour(table, bins, weights) for share, bins, weights in seen]
            found[index] = torch.stack(parts).sum(dim=0)
    return found


Seen: TypeAlias = list[tuple[float, Tensor, Tensor]]
"""Ways to look at an object: share of the way, [pixel] int64 rows of the table, [pixel] weights."""


def object_bins(image: Tensor, masks: Tensor, boxes: Tensor, clothing: Tensor) -> Iterator[Seen]:
    """What is looked at of each object: its pixels, and if it is a person those of the clothes.

    Args:
        image: as for :func:`object_colours`.
        masks: likewise.
        boxes: likewise.
        clothing: likewise.

    Returns:
        For each object its ways, whose shares sum to 1; none for an empty mask.

    Raises:
        PerceptionError: shapes or types that do not fit together.
    """
    _check_image(image)
    count = len(masks)
    if masks.dtype != torch.bool or masks.shape != (count, *image.shape[:2]):
        raise PerceptionError(
            f"masks must be bool {[count, *image.shape[:2]]} for this image, "
            f"not {masks.dtype} {list(masks.shape)}"
        )
    if boxes.shape != (count, 4) or clothing.shape != (count,):
        raise PerceptionError(
            f"{count} masks need boxes {[count, 4]} and clothing {[count]}, "
            f"not {list(boxes.shape)} and {list(clothing.shape)}"
        )
    garment = _garment(_default_table().to(image.device))
    bins = quantised(image)
    for index in range(count):
        rows, columns = _extent(masks[index])
        kept = eroded(masks[index, rows, columns].to(image.device))
        here = bins[rows, columns][kept].long()
        seen: Seen = []
        if len(here):
            share = float(clothing[index].clamp(0, 1))
            if share < 1:
                seen.append((1 - share, here, torch.ones_like(here, dtype=torch.float32)))
            if share > 0:
                y = torch.nonzero(kept)[:, 0] + rows.start
                seen.append((share, here, _upper_body(y, boxes[index]) * garment[here]))
        yield seen


def object_statistics(table: Tensor, bins: Tensor, weights: Tensor) -> Tensor:
    """What the object model sees of some pixels.

    Args:
        table: [32768, 16] from :meth:`ColourModel.table`.
        bins: [pixel] int64 rows of the table; at least one.
        weights: [pixel] float32, not all zero: how much each pixel counts.

    Returns:
        [16] float32: the weighted means of the table's columns, where the last becomes the
        standard deviation of the lightness.
    """
    counts = torch.bincount(bins, weights, minlength=len(table)).float()
    means = counts @ table / counts.sum()
    lightness = means[len(COLOURS)]
    deviation = (means[-1] - lightness.square()).clamp(min=0).sqrt()
    return torch.cat([means[:-1], deviation[None]])


def eroded(mask: Tensor) -> Tensor:
    """A mask without the pixels of its edge, where enough is left; the frame is no edge.

    Args:
        mask: [height, width] bool.
    """
    area = int(mask.sum())
    # Never more than the margin that _extent leaves.
    radius = int(area >= _ERODE_FROM) + int(area >= _ERODE_TWICE_FROM)
    if radius == 0:
        return mask
    outside = functional.max_pool2d((~mask)[None, None].float(), 2 * radius + 1, 1, radius)
    smaller = outside[0, 0] < 0.5
    # Nets, fences and legs are all edge.
    return smaller if 3 * int(smaller.sum()) >= area else mask


def _colour(table: Tensor, bins: Tensor, weights: Tensor) -> Tensor:
    """[11] distribution for the pixels of one object."""
    # The model is small and lies on the CPU.
    statistics = object_statistics(table, bins, weights).cpu()
    return default_model().distribution(statistics[None])[0].to(table.device)


def _upper_body(y: Tensor, box: Tensor) -> Tensor:
    """How far pixels in the rows ``y`` belong to the upper body of the person in ``box``: [pixel].

    A standing figure is about two and a half times as tall as wide and its trunk takes from a
    sixth to a little over a half of its height; in a figure as tall as wide the picture ends at
    the waist, and the head takes the upper third.
    """
    x1, top, x2, bottom = (float(value) for value in box)
    height, width = max(bottom - top, 1.0), max(x2 - x1, 1.0)
    standing = min(max((height / width - 1.0) / 1.4, 0.0), 1.0)
    first = 0.33 - 0.16 * standing
    last = 1.0 - 0.45 * standing
    place = (y.float() + 0.5 - top) / height
    # Soft borders: a bowed head or a sitting figure is no sharp exception. Nothing is quite zero,
    # so that a person whose trunk is hidden still has a colour.
    above = ((place - first) / 0.06).sigmoid()
    below = ((last - place) / 0.06).sigmoid()
    return above * below + 1e-3


def _garment(table: Tensor) -> Tensor:
    """How much a pixel of each row of the table counts as clothing: [32768] in (0, 4)."""
    lightness, a, b, chroma = table[:, len(COLOURS) : len(COLOURS) + 4].unbind(dim=1)
    lightness, chroma = 25 * (lightness + 2), 20 * chroma
    hue = torch.rad2deg(torch.atan2(b, a))
    # Human skin and brown or blond hair: yellowish reds of middling chroma, from dark to light.
    warm = ((hue - 28) / 5).sigmoid() * ((82 - hue) / 5).sigmoid()
    middling = ((chroma - 9) / 2).sigmoid() * ((40 - chroma) / 3).sigmoid()
    skin = warm * middling * ((lightness - 15) / 4).sigmoid()
    vivid = 1 + 2.5 * ((chroma - 15) / 20).clamp(0, 1)
    return (1 - skin) * vivid + 0.1


def _extent(mask: Tensor) -> tuple[slice, slice]:
    """The rows and columns that a mask touches, and two more on each side for its edge."""

    def span(touched: Tensor) -> slice:
        places = torch.nonzero(touched)
        if len(places) == 0:
            return slice(0, 0)
        return slice(max(0, int(places[0]) - 2), int(places[-1]) + 3)

    return span(mask.any(dim=1)), span(mask.any(dim=0))


def _check_image(image: Tensor) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != torch.uint8:
        raise PerceptionError(
            f"an image must be a [height, width, 3] uint8 RGB tensor, "
            f"not {image.dtype} {list(image.shape)}"
        )
