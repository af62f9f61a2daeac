"""MobileSAM, the default segmenter: a mask for each box."""

from __future__ import annotations

from pathlib import Path

from neurosym.perception.mobile_sam import MobileSam
from neurosym.perception.registry import BackEnd, Role, Settings

STORED = "mobile-sam"


def _make(argument: str, settings: Settings) -> MobileSam:
    folder = Path(argument) if argument else settings.weights(STORED)
    return MobileSam.load(folder / "mobile_sam.pt", settings.device)


BACK_END = BackEnd(
    name="mobilesam",
    roles=(Role.SEGMENTER,),
    summary="MobileSAM, a mask for each box; comes with the model store",
    make=_make,
    weights=STORED,
    licence="Apache-2.0",
)
