"""DETR: a closed vocabulary, COCO's by default."""

from __future__ import annotations

from neurosym.perception.object_detection import ObjectDetector
from neurosym.perception.registry import BackEnd, Role, Settings

# The branch whose weights do not need the library timm.
DEFAULT = "facebook/detr-resnet-50@no_timm"


def _make(argument: str, settings: Settings) -> ObjectDetector:
    return ObjectDetector(argument or DEFAULT, settings)


BACK_END = BackEnd(
    name="detr",
    roles=(Role.DETECTOR,),
    summary="DETR; a folder may also hold Conditional or Deformable DETR, or YOLOS",
    make=_make,
    weights=DEFAULT,
    licence="Apache-2.0",
)
