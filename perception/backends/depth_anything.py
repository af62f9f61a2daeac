"""Depth Anything: how far away every pixel is, from one image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from torch.nn import functional

from neurosym.perception.loading import described, load_model, load_processor
from neurosym.perception.preparing import batches, extended
from neurosym.perception.registry import BackEnd, Role, Settings
from neurosym.pixels import DepthMap

DEFAULT: Final = "depth-anything/Depth-Anything-V2-Small-hf"


class DepthAnything:
    """Depth Anything, version 1 or 2 (Yang et al., 2024).

    A metric checkpoint gives metres. A relative one gives inverse depth, up to a factor and an
    offset that nobody knows: only the order of pixels means something, and the map is the largest
    inverse depth of the image minus the pixel's.

    Args:
        source: a folder, or a name on the hub; see :mod:`neurosym.perception.loading`.
        settings: device and precision.

    Raises:
        PerceptionError: the model cannot be had, or is another.
    """

    def __init__(self, source: str, settings: Settings) -> None:
        from transformers import DepthAnythingForDepthEstimation, DPTImageProcessorPil

        self._model = load_model(
            DepthAnythingForDepthEstimation, source, settings.device, settings.dtype
        )
        self._processor = load_processor(DPTImageProcessorPil, source)
        self._settings = settings
        self._is_metric = self._model.config.depth_estimation_type == "metric"
        self.name = described(source, self._model)
        self.fingerprint = f"{self.name}, {settings.dtype}"

    @torch.inference_mode()
    def depth(self, images: Sequence[np.ndarray]) -> list[DepthMap]:
        """See :meth:`neurosym.perception.base.DepthModel.depth`."""
        found: dict[int, DepthMap] = {}
        settings = self._settings
        for positions, pixels in batches(self._processor, images, settings.device, settings.dtype):
            predicted = self._model(pixel_values=pixels).predicted_depth.float()
            for row, position in enumerate(positions):
                height, width = images[position].shape[:2]
                # Not bicubic, which would put depths before and behind an edge that nothing has.
                whole = functional.interpolate(
                    predicted[row][None, None],
                    extended(images[position]).shape[:2],
                    mode="bilinear",
                    align_corners=False,
                )[0, 0, :height, :width]
                values = whole if self._is_metric else whole.max() - whole
                unit = "m" if self._is_metric else "relative"
                found[position] = DepthMap(values.contiguous(), unit, self.name)
        return [found[position] for position in range(len(images))]


def _make(argument: str, settings: Settings) -> DepthAnything:
    return DepthAnything(argument or DEFAULT, settings)


BACK_END = BackEnd(
    name="depth-anything",
    roles=(Role.DEPTH,),
    summary="Depth Anything, depth from one image; in metres where the checkpoint is metric",
    make=_make,
    weights=DEFAULT,
    licence="Apache-2.0",
)
