"""Scenes from and to the formats of other programs and data sets.

Every format has one module with pure functions ``from_...`` and ``to_...``; what a format cannot
say stands in the module's docstring, and for all of them in docs/interchange.md. What a scene has
no place for (identifiers, licences) is kept as its :class:`neurosym.origin.Origin`, so that a file
that is read and written again says the same. :func:`read` and :func:`write` do so with files.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Names are imported when first used, so that the command line can list formats without torch.
_HOME = {
    "Scenes": "scenes",
    "crowds": "coco",
    "from_clevr": "clevr",
    "from_coco": "coco",
    "from_coco_panoptic": "panoptic",
    "from_coco_results": "coco",
    "from_flickr30k": "flickr30k",
    "from_gqa": "gqa",
    "from_graph": "graphs",
    "from_localized_narratives": "localized_narratives",
    "from_nlvr": "nlvr",
    "from_supervision": "detections",
    "from_torchvision": "detections",
    "from_visual_genome": "visual_genome",
    "read": "files",
    "to_clevr": "clevr",
    "to_coco": "coco",
    "to_coco_panoptic": "panoptic",
    "to_coco_results": "coco",
    "to_flickr30k": "flickr30k",
    "to_gqa": "gqa",
    "to_localized_narratives": "localized_narratives",
    "to_nlvr": "nlvr",
    "to_supervision": "detections",
    "to_torchvision": "detections",
    "to_visual_genome": "visual_genome",
    "write": "files",
}

__all__ = [*_HOME]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'neurosym.interchange' has no attribute {name!r}")
    found = getattr(import_module(f"neurosym.interchange.{_HOME[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
