"""The colours of all pictures, defined once.

Answer and landmark lie at the two ends of the axis from yellow to blue, which the common forms of
colour blindness keep; line widths and dashes say the same again. The heat map is computed, not
listed: a path through Oklab (B. Ottosson, "A perceptual color space for image processing", 2020)
from dark violet over red to pale yellow, with even steps of perceived difference.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
"""Red, green, blue, each in 0 .. 255."""

PAPER: Colour = (250, 250, 248)
INK: Colour = (28, 30, 34)
FAINT: Colour = (96, 100, 108)
ANSWER: Colour = (255, 176, 0)
LANDMARK: Colour = (86, 190, 255)
CANDIDATE: Colour = (232, 130, 214)
CAUTION: Colour = (238, 160, 24)
"""An answer that is less likely than not, and words that were not used."""
NOTICE: Colour = (255, 236, 200)
CANVAS: Colour = (168, 168, 168)
STATUS: dict[str, Colour] = {
    "ok": (0, 102, 79),
    "none": (150, 50, 20),
    "many": (122, 42, 110),
    "abstained": (84, 84, 84),
    "unsupported": (84, 84, 84),
}
_STEPS = 256


def contrast(one: Colour, other: Colour) -> float:
    """The contrast ratio of WCAG 2.1, from 1 to 21; text wants at least 4.5."""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def ink_on(ground: Colour) -> Colour:
    """Dark or white text, whichever is easier to read on ``ground``."""
    white = (255, 255, 255)
    return INK if contrast(INK, ground) >= contrast(white, ground) else white


@cache
def heat() -> NDArray[np.uint8]:
    """[256, 3] uint8 sRGB: the colours of values from 0 (dark violet) to 1 (pale yellow)."""
    path = np.linspace(0.0, 1.0, 4096)
    lightness = 0.16 + 0.80 * path
    hue = np.radians(-75.0 + 180.0 * path**1.15)
    chroma = 0.17 * np.sin(np.pi * (0.12 + 0.76 * path)) + 0.01
    lab = _into_gamut(lightness, chroma, hue)
    # Even steps of perceived difference: resample by the length of the path in Oklab.
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(lab, axis=0), axis=1))])
    even = np.linspace(0.0, length[-1], _STEPS)
    resampled = np.stack([np.interp(even, length, lab[:, axis]) for axis in range(3)], axis=1)
    made: NDArray[np.uint8] = np.rint(_to_srgb(resampled).clip(0.0, 1.0) * 255).astype(np.uint8)
    return made


def oklab(colours: NDArray[np.uint8]) -> NDArray[np.float64]:
    """[..., 3] uint8 sRGB to Oklab: lightness in [0, 1], green to red, blue to yellow."""
    part = colours.astype(np.float64) / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    made: NDArray[np.float64] = np.cbrt(linear @ _TO_CONES.T) @ _TO_LAB.T
    return made


_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def _to_srgb(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = (lab @ np.linalg.inv(_TO_LAB).T) ** 3 @ np.linalg.inv(_TO_CONES).T
    curved = 1.055 * np.abs(linear) ** (1 / 2.4) - 0.055
    made: NDArray[np.float64] = np.where(linear <= 0.0031308, 12.92 * linear, curved)
    return made


def _into_gamut(
    lightness: NDArray[np.float64], chroma: NDArray[np.float64], hue: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Oklab colours of the wanted lightness and hue, with the chroma lowered where sRGB ends."""
    low, high = np.zeros_like(chroma), np.ones_like(chroma)
    for _ in range(24):
        middle = (low + high) / 2
        colours = _to_srgb(_lab(lightness, chroma * middle, hue))
        inside = ((colours >= 0) & (colours <= 1)).all(axis=1)
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return _lab(lightness, chroma * low, hue)


def _lab(
    lightness: NDArray[np.float64], chroma: NDArray[np.float64], hue: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], axis=1)


def _luminance(colour: Colour) -> float:
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (channel / 255 for channel in colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
