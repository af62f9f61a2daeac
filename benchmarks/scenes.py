"""Random scenes and programs of known size, for measuring executors."""

from __future__ import annotations

import random

import torch

from neurosym.perception import geometry
from neurosym.pixels import ImageSize
from neurosym.program import Filter, Op, Relate, Select, The
from neurosym.scene import Categorical, Scene

SHAPES = ("cube", "sphere", "cylinder")
COLORS = ("gray", "red", "blue", "green", "brown", "purple", "cyan", "yellow")
RELATIONS = ("left_of", "right_of", "above", "below")


def random_scene(objects: int, seed: int, *, soft: bool) -> Scene:
    """A scene of boxes at random places, with shapes and colours.

    Args:
        objects: how many.
        seed: of everything random.
        soft: whether existence, shapes and colours are uncertain.
    """
    generator = torch.Generator().manual_seed(seed)
    size = ImageSize(480, 640)
    corner = torch.rand(objects, 2, generator=generator) * torch.tensor([560.0, 400.0])
    extent = 10 + 60 * torch.rand(objects, 2, generator=generator)
    boxes = torch.cat([corner, corner + extent], 1)

    def table(values: tuple[str, ...]) -> Categorical:
        chosen = torch.randint(len(values), (objects,), generator=generator)
        rows = torch.nn.functional.one_hot(chosen, len(values)).float()
        if soft:
            noise = torch.rand(objects, len(values), generator=generator)
            rows = 0.9 * rows + 0.1 * noise / noise.sum(1, keepdim=True)
        return Categorical(values, rows, torch.ones(objects, dtype=torch.bool), "given")

    existence = torch.ones(objects)
    if soft:
        existence = 0.5 + 0.5 * torch.rand(objects, generator=generator)
    return Scene(
        size=size,
        boxes=boxes,
        existence=existence,
        groups=torch.arange(objects),
        categories=table(SHAPES),
        attributes={"color": table(COLORS)},
        relations=geometry.relations(boxes),
        measures=geometry.measures(boxes, size),
        distances=geometry.distances(boxes),
    )


def two_hops(seed: int) -> Op:
    """A coloured shape in relation to a coloured shape in relation to a coloured shape."""
    draw = random.Random(seed)

    def shape() -> Op:
        return Filter(Select(draw.choice(SHAPES)), "color", draw.choice(COLORS))

    inner = Relate(shape(), draw.choice(RELATIONS), The(shape()))
    return The(Relate(shape(), draw.choice(RELATIONS), The(inner)))
