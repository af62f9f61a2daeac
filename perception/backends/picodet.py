"""PicoDet-S, the default detector: the 80 categories of COCO, 1.2 million parameters."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from neurosym.perception.base import Detections
from neurosym.perception.detections import Calibration
from neurosym.perception.picodet import PicoDet, coco_categories
from neurosym.perception.registry import BackEnd, Role, Settings

STORED = "picodet-s"


class PicoDetector:
    """PicoDet with its default views, and their calibration.

    Args:
        weights: folder with ``model.pdiparams`` and ``model.pdmodel``.
        device: where to run.
    """

    name = "PicoDet-S, COCO"

    def __init__(self, weights: Path, device: torch.device | str = "cpu") -> None:
        self._model = PicoDet.load(
            weights / "model.pdiparams", weights / "model.pdmodel", torch.device(device)
        )

    @cached_property
    def calibration(self) -> Calibration:
        """What its scores are worth, as measured on photographs with gold boxes."""
        return Calibration.default()

    @property
    def categories(self) -> tuple[str, ...]:
        """The 80 categories of COCO."""
        return coco_categories()

    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        """See :meth:`neurosym.perception.base.Detector.detect`."""
        return self._model.detect_views(images)


def _make(argument: str, settings: Settings) -> PicoDetector:
    folder = Path(argument) if argument else settings.weights(STORED)
    return PicoDetector(folder, settings.device)


BACK_END = BackEnd(
    name="picodet",
    roles=(Role.DETECTOR,),
    summary="PicoDet-S, the 80 categories of COCO, calibrated; comes with the model store",
    make=_make,
    weights=STORED,
    licence="Apache-2.0",
)
