"""Preparing images for models of ``transformers``, in batches whose company does not matter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from neurosym.errors import PerceptionError

MOST_ELONGATED: Final = 16
"""An image is at most so many times as long as it is wide, or it is extended."""


def batches(
    processor: Any, images: Sequence[np.ndarray], device: torch.device, dtype: torch.dtype
) -> Iterator[tuple[list[int], Tensor]]:
    """Images as a model takes them; those of one size after resizing go together.

    Images of different sizes are not padded to one: the models' convolutions see the padding, even
    where attention does not, so that what they say of an image would depend on its company.

    Args:
        processor: an image processor of the library.
        images: uint8 [height, width, 3] RGB, of any sizes.
        device: where the batches go.
        dtype: of their numbers.

    Yields:
        The positions of some images, and their pixels [image, 3, rows, columns].

    Raises:
        PerceptionError: something is no image.
    """
    alike: dict[tuple[int, ...], list[tuple[int, Tensor]]] = {}
    for position, image in enumerate(images):
        pixels = prepared(processor, image)["pixel_values"]
        alike.setdefault(tuple(pixels.shape), []).append((position, pixels))
    for group in alike.values():
        pixels = torch.cat([pixels for _, pixels in group])
        yield [position for position, _ in group], pixels.to(device, dtype)


def prepared(processor: Any, image: np.ndarray) -> Mapping[str, Any]:
    """What an image processor makes of one image, extended by :func:`extended`.

    Raises:
        PerceptionError: it is no image.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise PerceptionError(
            "an image must be uint8 [height, width, 3] with at least one pixel, "
            f"not {image.dtype} {list(image.shape)}"
        )
    # An image three pixels high would be taken for one of channels first.
    made: Mapping[str, Any] = processor(
        images=extended(image), input_data_format="channels_last", return_tensors="pt"
    )
    return made


def extended(image: np.ndarray) -> np.ndarray:
    """An image that is not too elongated: its last row or column is repeated.

    Resizing would leave nothing of the short side, or fewer pixels than a model's strides. Few
    images are that long, and of those the original part keeps its place, at the top left.

    Args:
        image: [height, width, 3].

    Example:
        >>> extended(np.zeros((2, 320, 3), dtype=np.uint8)).shape
        (20, 320, 3)
        >>> extended(np.zeros((30, 320, 3), dtype=np.uint8)).shape
        (30, 320, 3)
    """
    height, width = image.shape[:2]
    least = -(-max(height, width) // MOST_ELONGATED)
    below, right = max(0, least - height), max(0, least - width)
    if not below and not right:
        return image
    return np.pad(image, ((0, below), (0, right), (0, 0)), mode="edge")
