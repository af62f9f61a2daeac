"""What the file that a scene was read from says beyond what a scene has a place for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Origin:
    """Identifiers and remarks of a scene's source, kept so that they can be written back.

    Everything here is ready for JSON, and nothing of it changes an answer.

    Attributes:
        format: the name of the format, for example "coco".
        image: what was said of the image as a whole.
        objects: what was said of each object, in the scene's order; objects that were added to
            the scene later have no entry.
    """

    format: str
    image: Mapping[str, Any] = field(default_factory=dict)
    objects: tuple[Mapping[str, Any], ...] = ()

    def of(self, index: int) -> Mapping[str, Any]:
        """What was said of one object; empty for one that was added later.

        Example:
            >>> Origin("coco", objects=({"id": 7},)).of(0)["id"]
            7
        """
        return self.objects[index] if index < len(self.objects) else {}

    def take(self, indices: Sequence[int]) -> Origin:
        """The same for a scene that keeps only these objects, in this order."""
        return replace(self, objects=tuple(self.of(index) for index in indices))
