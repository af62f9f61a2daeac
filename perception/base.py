"""The small interfaces that perception is composed of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from torch import Tensor

from neurosym.perception.detections import Hypotheses
from neurosym.scene import Scene


class Detector(Protocol):
    """Finds things.

    Attributes:
        name: what the scene's provenance says of it.
    """

    name: str

    @property
    def categories(self) -> tuple[str, ...]:
        """The names of the columns of :attr:`Hypotheses.categories`."""

    def detect(self, images: Sequence[np.ndarray]) -> list[Hypotheses]:
        """The things in each image.

        Args:
            images: uint8 [height, width, 3] RGB.
        """


class Segmenter(Protocol):
    """Gives the mask of what a box holds."""

    def encode(self, image: np.ndarray) -> Any:
        """What needs doing once per image, from uint8 [height, width, 3] RGB."""

    def masks(self, embedding: Any, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Masks [K, height, width] bool and their expected IoU [K], for boxes [K, 4] xyxy."""


class Perception(ABC):
    """Makes a scene from an image."""

    name: str

    @abstractmethod
    def perceive(self, image: np.ndarray) -> Scene:
        """The scene of one image.

        Args:
            image: uint8 [height, width, 3] RGB.
        """
