"""RT-DETR: a closed vocabulary, COCO's by default."""

from __future__ import annotations

from neurosym.perception.object_detection import ObjectDetector
from neurosym.perception.registry import BackEnd, Role, Settings

DEFAULT = "PekingU/rtdetr_r50vd"


def _make(argument: str, settings: Settings) -> ObjectDetector:
    return ObjectDetector(argument or DEFAULT, settings)


BACK_END = BackEnd(
    name="rt-detr",
    roles=(Role.DETECTOR,),
    summary="RT-DETR; a folder may also hold RT-DETRv2 or D-FINE",
    make=_make,
    weights=DEFAULT,
    licence="Apache-2.0",
)
