"""A small scene with one of everything, for tests of scenes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from neurosym.pixels import ImageSize, Pixels
from neurosym.scene import Categorical, Concept, Measure, Relation, Scene

SIZE = ImageSize(height=20, width=30)
COLOURS = ("red", "green", "blue")


@dataclass(frozen=True)
class CountingPixels(Pixels):
    """A picture on which object i is certainly of colour i modulo 3; records what is asked."""

    masks_asked: list[tuple[int, ...]] = field(default_factory=list)
    scores_asked: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    can_tell: bool = True

    def image(self) -> Tensor | None:
        return torch.zeros((*SIZE, 3), dtype=torch.uint8)

    def masks(self, indices: Sequence[int]) -> Tensor:
        self.masks_asked.append(tuple(indices))
        made = torch.zeros((len(indices), *SIZE), dtype=torch.bool)
        for row, index in enumerate(indices):
            made[row, index] = True
        return made

    def known_masks(self) -> Mapping[int, Tensor]:
        return {1: self.masks([1])[0]}

    def score(self, attribute: str, indices: Sequence[int]) -> Tensor | None:
        self.scores_asked.append((attribute, tuple(indices)))
        return torch.eye(3)[[i % 3 for i in indices]] if self.can_tell else None

    def evidence(self, attribute: str, value: str) -> Tensor | None:
        return torch.ones(SIZE) if (attribute, value) == ("color", "red") else None


def prior(count: int, values: tuple[str, ...], seen: Sequence[bool] | None = None) -> Categorical:
    table = torch.full((count, len(values)), 1 / len(values))
    evidence = torch.tensor(seen if seen is not None else [False] * count, dtype=torch.bool)
    return Categorical(values, table, evidence, "pixels")


def make(**changes: Any) -> Scene:
    """Three objects, two of which are hypotheses of one thing, with one of everything."""
    parts: dict[str, Any] = {
        "size": SIZE,
        "boxes": torch.tensor([[0.0, 0, 10, 10], [5, 5, 15, 20], [20, 2, 30, 9]]),
        "existence": torch.tensor([0.9, 0.6, 0.3]),
        "groups": torch.tensor([4, 1, 1]),
        "categories": Categorical(
            ("cup", "plate"),
            torch.tensor([[0.8, 0.2], [0.25, 0.75], [1.0, 0.0]]),
            torch.tensor([True, True, False]),
            "detector",
        ),
        "attributes": {"color": prior(3, COLOURS)},
        "relations": {
            "left_of": Relation(
                torch.tensor([[0.0, 0.5, 1], [0.0, 0, 0.25], [0, 0, 0]]), "geometry"
            ),
            "behind": Relation(
                torch.zeros(3, 3), "boxes", approximate=True, evidence=torch.eye(3).bool()
            ),
        },
        "measures": {"area": Measure(torch.tensor([100.0, 150, 70]), "px^2", "geometry", True)},
        "distances": torch.tensor([[0.0, 1, 2], [1, 0, 3], [2, 3, 0]]),
        "concepts": {"dish": Concept(("plate",), approximate=True, source="a hunch")},
        "provenance": {"detector": "picodet"},
    }
    return Scene(**{**parts, **changes})
