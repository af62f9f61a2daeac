"""Scenes from objects that are already known: gold annotations, drawings, another detector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from neurosym.errors import OptionError, PerceptionError, did_you_mean, nearest
from neurosym.perception import geometry
from neurosym.perception.boxes import pairwise_iou
from neurosym.perception.groups import given_at_most_one, leader_groups
from neurosym.pixels import GivenMasks, ImageSize, Pixels
from neurosym.scene import Categorical, Concept, Scene

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
    duplicates: float | None = None,
    categories: Sequence[str] | None = None,
) -> Scene:
    """The scene of known objects; relations, measures and places come from their boxes.

    A detector often proposes several boxes for one thing. Taken as things apart, thirty doubtful
    boxes around one cup make it likely that there are two cups, and "the cup" has no answer. With
    ``duplicates`` such boxes are one thing: at most one of them exists. Each of them had its
    probability by itself; what it has beside the others is
    :func:`neurosym.perception.groups.given_at_most_one` of them, which also says why.

    Args:
        things: the objects; they keep their order.
        size: (height, width) of the image in pixels.
        concepts: words that the categories cover, beyond their own names.
        pixels: the picture behind the scene; the objects' masks when left out.
        duplicates: boxes that overlap by at least this IoU, in (0, 1], are hypotheses of one
            thing, whatever their categories: taken by falling existence, a box joins the first
            box that it overlaps so much and that leads a group, or leads one itself. None keeps
            all objects apart.
        categories: the vocabulary of the categories, which may have more of them than the things;
            theirs, in the order in which they come, when left out.

    Raises:
        OptionError: ``duplicates`` is not in (0, 1].
        PerceptionError: a box is not x1 <= x2, y1 <= y2, or an existence not in [0, 1], or
            a category is not in the vocabulary.
        SceneError: something else does not fit together.

    Example:
        >>> from neurosym.perception.given import Thing, scene_of
        >>> scene = scene_of([Thing("plate", (10, 10, 60, 60), {"color": "green"})], (100, 200))
        >>> len(scene), scene.attributes["color"].values
        (1, ('green',))
        >>> boxes = [Thing("cup", (0, 0, 9, 9), existence=p) for p in (0.9, 0.5)]
        >>> scene_of(boxes, (10, 10), duplicates=0.5).existence
        tensor([0.8182, 0.0909])
    """
    if duplicates is not None and not 0 < duplicates <= 1:
        raise OptionError(f"duplicates must be an IoU above 0 and at most 1, not {duplicates}")
    height, width = size
    for number, thing in enumerate(things):
        x1, y1, x2, y2 = thing.box
        if not (x1 <= x2 and y1 <= y2):
            raise PerceptionError(
                f"the box of object {number} ({thing.category}) must be (x1, y1, x2, y2) with "
                f"x1 <= x2 and y1 <= y2, not {thing.box}"
            )
        if not 0 <= thing.existence <= 1:
            raise PerceptionError(
                f"the existence of object {number} ({thing.category}) must lie in [0, 1], "
                f"not {thing.existence}"
            )
    boxes = torch.tensor([thing.box for thing in things], dtype=torch.float32).reshape(-1, 4)
    existence = torch.tensor([thing.existence for thing in things], dtype=torch.float32)
    groups = torch.arange(len(things))
    provenance = {"perception": SOURCE, "relations": geometry.SOURCE}
    if duplicates is not None:
        groups = _overlapping(boxes, existence, duplicates)
        existence = given_at_most_one(existence, groups)
        provenance["duplicates"] = f"one thing from IoU {duplicates:g} on"
    kinds = _table([thing.category for thing in things], categories)
    attributes = dict.fromkeys(name for thing in things for name in thing.attributes)
    masks = {n: thing.mask for n, thing in enumerate(things) if thing.mask is not None}
    if pixels is None and masks:
        pixels = GivenMasks(ImageSize(height, width), masks, boxes)
    return Scene(
        size=ImageSize(height, width),
        boxes=boxes,
        existence=existence,
        groups=groups,
        categories=kinds,
        attributes={
            "size": geometry.sizes(boxes, existence, kinds.probabilities),
            **geometry.places(boxes, ImageSize(height, width)),
            **{name: _table([t.attributes.get(name) for t in things]) for name in attributes},
        },
        relations=geometry.relations(boxes),
        measures=geometry.measures(boxes, ImageSize(height, width)),
        distances=geometry.distances(boxes),
        concepts=dict(concepts or {}),
        pixels=pixels,
        provenance=provenance,
    )


def _overlapping(boxes: Tensor, existence: Tensor, threshold: float) -> Tensor:
    """[object] int64 groups of boxes that overlap the likeliest box of their group."""
    order = existence.argsort(descending=True, stable=True)
    ordered = boxes[order]
    groups = torch.empty_like(order)
    groups[order] = leader_groups(pairwise_iou(ordered, ordered) >= threshold)
    return groups


def _table(chosen: Sequence[str | None], vocabulary: Sequence[str] | None = None) -> Categorical:
    if vocabulary is None:
        vocabulary = tuple(dict.fromkeys(value for value in chosen if value is not None))
    values = tuple(vocabulary) or ("thing",)
    unknown = [value for value in chosen if value is not None and value not in values]
    if unknown:
        hint = did_you_mean(nearest(unknown[0], values))
        raise PerceptionError(f'"{unknown[0]}" is not one of the categories{hint}')
    table = torch.full((len(chosen), len(values)), 1 / len(values))
    for row, value in enumerate(chosen):
        if value is not None:
            table[row] = 0.0
            table[row, values.index(value)] = 1.0
    evidence = torch.tensor([value is not None for value in chosen], dtype=torch.bool)
    return Categorical(values, table, evidence, SOURCE)
