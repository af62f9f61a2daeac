"""What can still be asked of the picture behind a scene."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from neurosym.errors import SceneError


class ImageSize(NamedTuple):
    """The size of an image in pixels."""

    height: int
    width: int


class Pixels(ABC):
    """What can still be asked of the picture behind a scene, answered when first asked for.

    Masks and colours cost time, so only the objects that matter to an answer are looked at.
    """

    @abstractmethod
    def image(self) -> Tensor | None:
        """The picture, [height, width, 3] uint8 RGB, or None when it is not at hand."""

    @abstractmethod
    def masks(self, indices: Sequence[int]) -> Tensor:
        """The masks of these objects: [len(indices), height, width] bool."""

    @abstractmethod
    def known_masks(self) -> Mapping[int, Tensor]:
        """The masks that need no more work: object index -> [height, width] bool."""

    @abstractmethod
    def score(self, attribute: str, indices: Sequence[int]) -> Tensor | None:
        """The distributions of an attribute for these objects: [len(indices), value] float32.

        None when this picture cannot tell.
        """

    @abstractmethod
    def evidence(self, attribute: str, value: str) -> Tensor | None:
        """How far each pixel shows a value: [height, width] float32 in [0, 1].

        None when single pixels say nothing about it.
        """

    def take(self, indices: Sequence[int]) -> Pixels:
        """The same for a scene that keeps only these objects, in this order."""
        return _TakenPixels(self, tuple(indices))


@dataclass(frozen=True)
class GivenMasks(Pixels):
    """Masks that are there already, without a picture.

    Attributes:
        size: the image's size.
        given: object index -> [height, width] bool.
        boxes: [N, 4] xyxy; an object without a mask is taken to fill its box. Without boxes
            every mask must be given.
    """

    size: ImageSize
    given: Mapping[int, Tensor]
    boxes: Tensor | None = None

    def image(self) -> Tensor | None:  # noqa: D102 - inherited
        return None

    def masks(self, indices: Sequence[int]) -> Tensor:  # noqa: D102 - inherited
        missing = [i for i in indices if i not in self.given]
        if self.boxes is None:
            if missing:
                raise SceneError(f"this scene holds no mask for object {missing[0]}")
            boxes = torch.zeros((len(indices), 4))
        else:
            boxes = self.boxes[list(indices)]
        made = box_masks(boxes, self.size)
        for row, index in enumerate(indices):
            if index in self.given:
                made[row] = self.given[index]
        return made

    def known_masks(self) -> Mapping[int, Tensor]:  # noqa: D102 - inherited
        return dict(self.given)

    def score(self, attribute: str, indices: Sequence[int]) -> Tensor | None:  # noqa: ARG002, D102
        return None

    def evidence(self, attribute: str, value: str) -> Tensor | None:  # noqa: ARG002, D102
        return None


def box_masks(boxes: Tensor, size: ImageSize) -> Tensor:
    """Masks [K, height, width] bool of filled boxes [K, 4] xyxy; at least a pixel wide and high."""
    made = torch.zeros((len(boxes), *size), dtype=torch.bool)
    for row, box in enumerate(boxes.tolist()):
        x1, y1, x2, y2 = (round(v) for v in box)
        columns = slice(max(x1, 0), max(x2, x1 + 1, 0))
        made[row, max(y1, 0) : max(y2, y1 + 1, 0), columns] = True
    return made


def portion_masks(
    boxes: Tensor, portion: tuple[float, float, float, float], size: ImageSize
) -> Tensor:
    """The pixels whose centres lie in a portion of each box.

    Args:
        boxes: [K, 4] xyxy in pixels.
        portion: (x1, y1, x2, y2) as shares of the box's width and height, y down.
        size: of the image.

    Returns:
        [K, height, width] bool, on the CPU.
    """
    left, top, right, bottom = portion
    x1, y1, x2, y2 = (boxes[:, side, None].cpu() for side in range(4))
    across, down = torch.arange(size.width) + 0.5, torch.arange(size.height) + 0.5
    wide, high = x2 - x1, y2 - y1
    columns = (across >= x1 + left * wide) & (across < x1 + right * wide)
    rows = (down >= y1 + top * high) & (down < y1 + bottom * high)
    return rows[:, :, None] & columns[:, None, :]


@dataclass(frozen=True)
class _TakenPixels(Pixels):
    whole: Pixels
    indices: tuple[int, ...]

    def image(self) -> Tensor | None:
        return self.whole.image()

    def masks(self, indices: Sequence[int]) -> Tensor:
        return self.whole.masks([self.indices[i] for i in indices])

    def known_masks(self) -> Mapping[int, Tensor]:
        there = self.whole.known_masks()
        return {new: there[old] for new, old in enumerate(self.indices) if old in there}

    def score(self, attribute: str, indices: Sequence[int]) -> Tensor | None:
        return self.whole.score(attribute, [self.indices[i] for i in indices])

    def evidence(self, attribute: str, value: str) -> Tensor | None:
        return self.whole.evidence(attribute, value)
