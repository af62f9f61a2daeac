"""Masks as run lengths and as polygons: the codecs of COCO, in one place.

Runs go down columns (column-major), alternate background and foreground, and start with
background. A mask is ``{"size": [height, width], "counts": ...}``, whose counts are a list of
runs, or the same in COCO's compressed text: every run (from the fourth on, its difference from the
run two before) in groups of five bits, least significant first, each a character from "0" on, with
a sixth bit that says whether more follow.

The format and the rule by which a polygon covers pixels are those of the COCO API (T.-Y. Lin et
al., "Microsoft COCO: Common objects in context", ECCV 2014; its maskApi), so that areas and AP
agree with it to the pixel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neurosym.errors import SceneError
from neurosym.pixels import ImageSize, Pixels, box_masks

Segmentation: TypeAlias = Mapping[str, Any] | Sequence[Sequence[float]]
"""One mask as COCO writes it: run lengths, plain or compressed, or polygons x1, y1, x2, y2, ...
whose union it is."""
_STEPS = 5
"""Into how many steps per pixel the corners of polygons are rounded."""


def encode_mask(mask: Tensor) -> dict[str, list[int]]:
    """A [height, width] bool mask as uncompressed COCO run lengths.

    Example:
        >>> encode_mask(torch.tensor([[False, True], [True, True]]))
        {'size': [2, 2], 'counts': [1, 3]}
    """
    flat = mask.cpu().numpy().T.ravel()
    changes = np.flatnonzero(np.diff(flat.astype(np.int8))) + 1
    runs = np.diff(np.concatenate(([0], changes, [flat.size]))).tolist()
    if flat.size and flat[0]:
        runs = [0, *runs]
    return {"size": [int(mask.shape[0]), int(mask.shape[1])], "counts": runs}


def decode_mask(segmentation: Segmentation, size: ImageSize) -> Tensor:
    """The mask [height, width] bool of a segmentation.

    Args:
        segmentation: run lengths or polygons.
        size: of the image.

    Raises:
        SceneError: it is neither, or does not fit the size.

    Example:
        >>> square = [[1, 1, 3, 1, 3, 3, 1, 3]]
        >>> decode_mask(square, ImageSize(4, 4)).sum()
        tensor(4)
    """
    if not isinstance(segmentation, Mapping):
        made = np.zeros(tuple(size), dtype=bool)
        for polygon in segmentation:
            made |= _polygon_mask(polygon, size)
        return torch.from_numpy(made)
    if "size" not in segmentation or "counts" not in segmentation:
        raise SceneError('run lengths must have "size" and "counts"')
    counts = segmentation["counts"]
    if isinstance(counts, str | bytes):
        counts = expand_counts(counts)
    runs = np.asarray(counts)
    if runs.ndim != 1 or runs.dtype.kind not in "iu" or (runs < 0).any():
        raise SceneError("the counts of run lengths must be whole numbers, at least 0")
    if tuple(segmentation["size"]) != tuple(size) or runs.sum() != size.height * size.width:
        raise SceneError(f"a mask does not fit the image of {size.width} x {size.height}")
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return torch.from_numpy(np.ascontiguousarray(flat.reshape(size.width, size.height).T))


def compress_counts(counts: Sequence[int]) -> str:
    """Run lengths as COCO's compressed text.

    Example:
        >>> compress_counts([1, 3, 120, 4])
        '13h31'
    """
    letters = []
    for place, count in enumerate(counts):
        rest = count - (counts[place - 2] if place > 2 else 0)
        while True:
            bits = rest & 0x1F
            rest >>= 5
            # The sign is the highest of the five bits that end a number.
            more = rest != (-1 if bits & 0x10 else 0)
            letters.append(chr(48 + bits + (0x20 if more else 0)))
            if not more:
                break
    return "".join(letters)


def expand_counts(text: str | bytes) -> list[int]:
    """The run lengths of COCO's compressed text.

    Raises:
        SceneError: the text breaks off, or is not of this form.

    Example:
        >>> expand_counts("13h31")
        [1, 3, 120, 4]
    """
    counts: list[int] = []
    number = shift = 0
    for code in text if isinstance(text, bytes) else text.encode():
        bits = code - 48
        if not 0 <= bits < 64:
            raise SceneError(f"{chr(code)!r} does not occur in compressed run lengths")
        number |= (bits & 0x1F) << shift
        shift += 5
        if bits & 0x20:
            continue
        if bits & 0x10:
            number -= 1 << shift
        counts.append(number + (counts[-2] if len(counts) > 2 else 0))
        number = shift = 0
    if shift:
        raise SceneError("compressed run lengths break off")
    return counts


def _polygon_mask(polygon: Sequence[float], size: ImageSize) -> NDArray[np.bool_]:
    """[height, width]: the pixels of one polygon.

    Every edge is walked in fifths of a pixel. Where the walk passes the middle of a column, the
    column's pixels from the next pixel middle on are toggled; in between parity decides.
    """
    corners = np.asarray(polygon, dtype=np.float64)
    if corners.ndim != 1 or corners.size < 6 or corners.size % 2 or not np.isfinite(corners).all():
        raise SceneError("a polygon must be at least three corners x1, y1, x2, y2, x3, y3, ...")
    points = (_STEPS * corners.reshape(-1, 2) + 0.5).astype(np.int64)
    walked = [_walk(start, end) for start, end in zip(points, np.roll(points, -1, 0), strict=True)]
    across, down = np.concatenate(walked, axis=1)
    steps = np.flatnonzero(np.diff(across)) + 1
    columns = (np.minimum(across[steps], across[steps - 1]) + 0.5) / _STEPS - 0.5
    rows = (np.minimum(down[steps], down[steps - 1]) + 0.5) / _STEPS - 0.5
    inside = (columns == np.floor(columns)) & (columns >= 0) & (columns <= size.width - 1)
    rows = np.ceil(rows.clip(0, size.height))[inside]
    starts = (columns[inside] * size.height + rows).astype(np.int64)
    toggles = np.bincount(starts, minlength=size.height * size.width + 1)[:-1]
    made: NDArray[np.bool_] = np.cumsum(toggles) % 2 == 1
    return made.reshape(size.width, size.height).T


def _walk(start: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
    """[2, steps + 1]: the points from one corner to the next, along the longer direction."""
    span = np.abs(end - start)
    long = 0 if span[0] >= span[1] else 1
    if span[long] == 0:
        return start[:, None]
    # Always from the lower end, so that an edge covers the same points both ways.
    low, high = (start, end) if start[long] <= end[long] else (end, start)
    ahead = np.arange(span[long] + 1)
    slope = (high[1 - long] - low[1 - long]) / span[long]
    walked = np.empty((2, len(ahead)), dtype=np.int64)
    walked[long] = low[long] + ahead
    walked[1 - long] = (low[1 - long] + slope * ahead + 0.5).astype(np.int64)
    return walked if low is start else walked[:, ::-1]


@dataclass(frozen=True)
class Outlines(Pixels):
    """Masks as a file has them, decoded when asked for; there is no picture.

    Attributes:
        size: the image's size.
        segmentations: the mask of every object; None where the file has none, so that the object
            is taken to fill its box.
        boxes: [N, 4] xyxy of the objects.
    """

    size: ImageSize
    segmentations: tuple[Segmentation | None, ...]
    boxes: Tensor

    def image(self) -> Tensor | None:  # noqa: D102 - inherited
        return None

    def masks(self, indices: Sequence[int]) -> Tensor:  # noqa: D102 - inherited
        made = box_masks(self.boxes[list(indices)], self.size)
        for row, index in enumerate(indices):
            segmentation = self.segmentations[index]
            if segmentation is not None:
                made[row] = decode_mask(segmentation, self.size)
        return made

    def known_masks(self) -> Mapping[int, Tensor]:  # noqa: D102 - inherited
        return {
            index: decode_mask(segmentation, self.size)
            for index, segmentation in enumerate(self.segmentations)
            if segmentation is not None
        }

    def score(self, attribute: str, indices: Sequence[int]) -> Tensor | None:  # noqa: ARG002, D102
        return None

    def evidence(self, attribute: str, value: str) -> Tensor | None:  # noqa: ARG002, D102
        return None

    def take(self, indices: Sequence[int]) -> Outlines:  # noqa: D102 - inherited
        kept = tuple(self.segmentations[index] for index in indices)
        return replace(self, segmentations=kept, boxes=self.boxes[list(indices)])
