"""Scenes from objects that are already known: gold annotations, drawings, another detector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from neurosym.errors import PerceptionError
from neurosym.perception import geometry
from neurosym.scene import Categorical, Concept, GivenMasks, ImageSize, Pixels, Scene

SOURCE = "given"


@dataclass(frozen=True)
class Thing:
    """One known object.

    Attributes:
        category: what it is.
        box: (x1, y1, x2, y2) in absolute pixels, origin top left.
        attributes: attribute name -> value, for example ``{"color": "green"}``; an attribute that
            other objects have and this one lacks is unknown.
        existence: probability in [0, 1] that it is there.
        mask: [height, width] bool, or None.
    """

    category: str
    box: tuple[float, float, float, float]
    attributes: Mapping[str, str] = field(default_factory=dict)
    existence: float = 1.0
    mask: Tensor | None = None


def scene_of(
    things: Sequence[Thing],
    size: ImageSize | tuple[int, int],
    *,
    concepts: Mapping[str, Concept] | None = None,
    pixels: Pixels | None = None,
) -> Scene:
    """The scene of known objects; relations, measures and places come from their boxes.

    Args:
        things: the objects; they keep their order.
        size: (height, width) of the image in pixels.
        concepts: words that the categories cover, beyond their own names.
        pixels: the picture behind the scene; the objects' masks when left out.

    Raises:
        PerceptionError: a box is not x1 <= x2, y1 <= y2.
        SceneError: something else does not fit together.

    Example:
        >>> from neurosym.perception.given import Thing, scene_of
        >>> scene = scene_of([Thing("plate", (10, 10, 60, 60), {"color": "green"})], (100, 200))
        >>> len(scene), scene.attributes["color"].values
        (1, ('green',))
    """
    height, width = size
    for number, thing in enumerate(things):
        x1, y1, x2, y2 = thing.box
        if not (x1 <= x2 and y1 <= y2):
            raise PerceptionError(
                f"the box of object {number} ({thing.category}) must be (x1, y1, x2, y2) with "
                f"x1 <= x2 and y1 <= y2, not {thing.box}"
            )
    boxes = torch.tensor([thing.box for thing in things], dtype=torch.float32).reshape(-1, 4)
    existence = torch.tensor([thing.existence for thing in things], dtype=torch.float32)
    categories = _table([thing.category for thing in things])
    attributes = dict.fromkeys(name for thing in things for name in thing.attributes)
    masks = {n: thing.mask for n, thing in enumerate(things) if thing.mask is not None}
    if pixels is None and masks:
        pixels = GivenMasks(ImageSize(height, width), masks, boxes)
    return Scene(
        size=ImageSize(height, width),
        boxes=boxes,
        existence=existence,
        groups=torch.arange(len(things)),
        categories=categories,
        attributes={
            "size": geometry.sizes(boxes, existence, categories.probabilities),
            **geometry.places(boxes, ImageSize(height, width)),
            **{name: _table([t.attributes.get(name) for t in things]) for name in attributes},
        },
        relations=geometry.relations(boxes),
        measures=geometry.measures(boxes, ImageSize(height, width)),
        distances=geometry.distances(boxes),
        concepts=dict(concepts or {}),
        pixels=pixels,
        provenance={"perception": SOURCE, "relations": geometry.SOURCE},
    )


def _table(chosen: Sequence[str | None]) -> Categorical:
    values = tuple(dict.fromkeys(value for value in chosen if value is not None)) or ("thing",)
    table = torch.full((len(chosen), len(values)), 1 / len(values))
    for row, value in enumerate(chosen):
        if value is not None:
            table[row] = 0.0
            table[row, values.index(value)] = 1.0
    evidence = torch.tensor([value is not None for value in chosen], dtype=torch.bool)
    return Categorical(values, table, evidence, SOURCE)
