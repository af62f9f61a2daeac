"""The picture of a report: the photograph once, and over it boxes, masks and maps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from torch import Tensor

from neurosym.alignment import Alignment, align
from neurosym.views import palette
from neurosym.views.overlay import Box, Mark, masks_of, photograph_of
from neurosym.views.report_html import Markup, data_uri, element, joined
from neurosym.views.report_links import Links
from neurosym.views.text import object_text

if TYPE_CHECKING:
    from neurosym.result import Result

PHOTO_SIDE = 1024
"""Longest side of the photograph in a report, in pixels."""
MASK_SIDE = 640
"""Longest side to which the image is reduced for masks, in pixels."""
MOST_MASKS = 100
"""Most masks in a report; what comes after them has its box alone."""
MAP_SIDE = 256
"""Longest side of a map in a report, in pixels; of many maps less."""
MOST_MAPS = 24
"""More maps than this take no more room together: each is smaller."""
_QUALITY = 82
_LEVELS = 64
_COVER = 0.85
_FILL = 36


def report_alignment(result: Result) -> Alignment:
    """The alignment of a result at the size of a report's maps."""
    alignment = align(result, max_side=MAP_SIDE)
    crowded = len(alignment.phrases) / MOST_MAPS
    if crowded <= 1:
        return alignment
    return align(result, max_side=max(1, math.floor(MAP_SIDE / math.sqrt(crowded))))


def picture_element(links: Links) -> Markup:
    """The photograph, or a grey canvas, with everything that can be shown on it."""
    result = links.result
    height, width = result.scene.size
    marks = links.marks
    maps = [
        element("use", class_="map", data_shows=f"m{number}", href=f"#map-{number}")
        for number in range(len(links.alignment.phrases))
    ]
    return element(
        "svg",
        element("defs", *_definitions(links)),
        _ground(result),
        _veil(result),
        element("g", *maps, class_="maps"),
        element("g", *_masks(result, marks), class_="masks"),
        element("g", *_boxes(links, marks), class_="boxes"),
        id="picture",
        viewBox=f"0 0 {width} {height}",
        role="img",
        aria_label="the picture with the objects of the answer",
    )


def map_element(links: Links, number: int) -> Markup:
    """One map over the photograph, small; both are taken from the large picture."""
    height, width = links.result.scene.size
    return element(
        "svg",
        element("use", href="#photo", class_="ground"),
        _veil(links.result),
        element("use", href=f"#map-{number}"),
        viewBox=f"0 0 {width} {height}",
        aria_hidden="true",
    )


def _definitions(links: Links) -> list[Markup]:
    height, width = links.result.scene.size
    alignment = links.alignment
    return [
        element(
            "image",
            id=f"map-{number}",
            href=_heat_uri(alignment.maps[rows[0]]),
            width=width,
            height=height,
            preserveAspectRatio="none",
        )
        for number, rows in enumerate(alignment.phrases)
    ]


def _ground(result: Result) -> Markup:
    height, width = result.scene.size
    pixels = result.scene.pixels
    if pixels is None or pixels.image() is None:
        return element("rect", id="photo", class_="canvas", width=width, height=height)
    photo = photograph_of(result.scene)
    photo.thumbnail((PHOTO_SIDE, PHOTO_SIDE), Image.Resampling.LANCZOS)
    return element(
        "image",
        id="photo",
        href=data_uri(photo, "jpeg", quality=_QUALITY),
        width=width,
        height=height,
        preserveAspectRatio="none",
    )


def _veil(result: Result) -> Markup:
    """What darkens the photograph under a map."""
    height, width = result.scene.size
    return element("rect", class_="veil", width=width, height=height)


def _heat_uri(plane: Tensor) -> str:
    """A map as a picture of few colours that covers the more the higher it is."""
    levels = np.rint(plane.numpy().clip(0, 1) * (_LEVELS - 1)).astype(np.uint8)
    shares = np.linspace(0.0, 1.0, _LEVELS)
    colours = palette.heat()[np.rint(shares * 255).astype(np.int64)]
    cover = np.rint(255 * _COVER * np.sqrt(shares)).astype(np.uint8)
    return _indexed_uri(levels, colours.tolist(), cover.tobytes())


def _indexed_uri(indices: NDArray[np.uint8], colours: Sequence[Sequence[int]], cover: bytes) -> str:
    """A PNG of a few colours, each with how far it covers what is below."""
    image = Image.fromarray(indices, mode="P")
    image.putpalette([part for colour in colours for part in colour])
    return data_uri(image, "png", transparency=cover)


def _masks(result: Result, marks: Sequence[Mark]) -> list[Markup]:
    """The masks of what is marked, filled faintly and rimmed; candidates have none."""
    shown = [mark for mark in marks if mark.role != "candidate"][-MOST_MASKS:]
    planes = masks_of(result, shown)
    drawn = (_mask(mark, plane, result) for mark, plane in zip(shown, planes, strict=True))
    return [image for image in drawn if image is not None]


def _mask(mark: Mark, plane: Tensor, result: Result) -> Markup | None:
    """A mask, cut to where it is; None when it is empty."""
    height, width = result.scene.size
    whole = Image.fromarray((plane.cpu().numpy() * 255).astype(np.uint8))
    scale = min(1.0, MASK_SIDE / max(whole.size))
    small = whole.resize(
        (max(1, round(width * scale)), max(1, round(height * scale))), Image.Resampling.BOX
    ).point(lambda value: 255 * (value >= 128))
    found = small.getbbox()
    if found is None:
        return None
    left, top, right, bottom = found
    cut = small.crop((left - 1, top - 1, right + 1, bottom + 1))
    inside = np.asarray(cut) > 0
    core = np.asarray(cut.filter(ImageFilter.MinFilter(3))) > 0
    indices = (inside.astype(np.uint8) + (inside & ~core)).astype(np.uint8)
    across, down = width / small.width, height / small.height
    return element(
        "image",
        class_="mask",
        data_key=f"o{mark.index}",
        href=_indexed_uri(indices, [mark.colour] * 3, bytes([0, _FILL, 255])),
        x=(left - 1) * across,
        y=(top - 1) * down,
        width=cut.width * across,
        height=cut.height * down,
        preserveAspectRatio="none",
    )


def _boxes(links: Links, marks: Sequence[Mark]) -> list[Markup]:
    """Every object that is spoken of, the large ones below, so that all can be pointed at."""
    scene = links.result.scene
    marked = {mark.index: mark for mark in marks}
    placed: list[tuple[int, Box, Mark | None]] = []
    for index in links.objects:
        x1, y1, x2, y2 = scene.boxes[index].tolist()
        whole, mark = (x1, y1, x2, y2), marked.get(index)
        if mark is None or mark.box == whole:
            placed.append((index, whole, mark))
        else:
            # The answer is a part: the whole shows only when it is pointed at.
            placed += [(index, whole, None), (index, mark.box, mark)]
    placed.sort(key=lambda item: (-_area(item[1]), item[0]))
    return [_object(links, index, box, mark) for index, box, mark in placed]


def _object(links: Links, index: int, box: Box, mark: Mark | None) -> Markup:
    """One box with its label and its dark rim."""
    scene = links.result.scene
    size = max(scene.size) / 34
    x1, y1, x2, y2 = box
    # A label stands above its box, or inside where there is no room above.
    base = y1 - size / 3 if y1 > 1.4 * size else y1 + size
    x, anchor = (x1, None) if x1 < 0.66 * scene.size.width else (x2, "end")
    place = {"x": x1, "y": y1, "width": x2 - x1, "height": y2 - y1}
    return element(
        "g",
        element("rect", class_="rim", **place),
        element("rect", **place),
        element(
            "text",
            object_text(scene, index) if mark is None else mark.label,
            x=x,
            y=base,
            font_size=size,
            text_anchor=anchor,
        ),
        class_="object" if mark is None else f"object mark {mark.role}",
        data_key=f"o{index}",
    )


def _area(box: Sequence[float]) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def caption(links: Links) -> Markup:
    """What the colours on the picture mean, as far as they occur."""
    roles = {mark.role for mark in links.marks}
    said = {
        "answer": "the answer",
        "landmark": "other things that the text speaks of",
        "candidate": "candidates among which nothing decides",
    }
    keys = [
        joined(element("span", class_=f"swatch {role}"), f" {words} ")
        for role, words in said.items()
        if role in roles
    ]
    return joined(*keys)
