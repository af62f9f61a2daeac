"""CLEVR: released scenes, with the boxes and masks of a file beside them.

What an object is, its shape, is the category of a scene. The attribute "shape" says the same once
more, so that "what shape is it" can be asked.

What survives from two files to scenes and back: everything. The places in space, the rotations,
the camera and the names stay in the scene's origin, where only CLEVR puts them; so no scene of
another origin can be written as CLEVR.

Source: J. Johnson et al., "CLEVR", CVPR 2017; R. Liu et al., "CLEVR-Ref+", CVPR 2019.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neurosym.errors import DataError, did_you_mean, nearest
from neurosym.interchange.scenes import (
    SOURCE,
    Scenes,
    corners,
    gathered,
    known_masks,
    likeliest,
    origin_of,
    reading,
    segmentation_of,
    sides,
)
from neurosym.masks import Outlines, Segmentation, decode_mask
from neurosym.origin import Origin
from neurosym.perception import geometry
from neurosym.pixels import ImageSize
from neurosym.scene import Categorical, Concept, Measure, Relation, Scene

FORMAT = "clevr"
SHAPES = ("cube", "sphere", "cylinder")
VALUES: dict[str, tuple[str, ...]] = {
    "color": ("gray", "red", "blue", "green", "brown", "purple", "cyan", "yellow"),
    "size": ("small", "large"),
    "material": ("rubber", "metal"),
}
"""Attribute -> its values, as in the release; the shape is the category."""
VISIBILITY = ("fully visible", "partially visible")
"""The values of the attribute "visibility" of CLEVR-Ref+."""
TIE = 1 / 1024
"""Pixels by which an object counts as farther right than the one that is listed before it."""
HIDDEN_SHARE = 0.2
"""Covered to this share of its box, an object is only partially visible."""
CONCEPTS = {
    "thing": Concept(SHAPES),
    "object": Concept(SHAPES),
    "block": Concept(("cube",)),
    "ball": Concept(("sphere",)),
}
RELATIONS = {
    "left": "left_of",
    "right": "right_of",
    "front": "in_front_of",
    "behind": "behind",
}
"""Released relation -> ours."""
SceneKey = tuple[str, int]
"""(split, image index): indices are unique within a split only."""

_OF_OBJECT = ("rotation", "3d_coords", "pixel_coords")
_OF_OUTLINE = ("area", "amodal_bbox")


def from_clevr(document: Mapping[str, Any], masks: Mapping[str, Any]) -> Scenes:
    """The scenes of a ``scenes.json``.

    Args:
        document: its content.
        masks: that of the file of masks for the same images: ``scenes``, by image index as text.

    Returns:
        A crisp scene per image, by split and index; see :func:`scene_from_clevr`.

    Raises:
        DataError: something is not as released, or a scene has no masks.
    """
    made: dict[Any, Scene] = {}
    with reading("the CLEVR file"):
        listed, outlines = list(document["scenes"]), dict(masks["scenes"])
    for number, raw in enumerate(listed):
        with reading(f"scene {number}"):
            key = str(raw["image_index"])
            if key not in outlines:
                raise DataError(f"there are no masks of scene {key}")
            made[raw["split"], int(key)] = scene_from_clevr(raw, outlines[key])
    rest = {"scenes": document, "masks": masks}
    header = {name: {k: v for k, v in part.items() if k != "scenes"} for name, part in rest.items()}
    return Scenes(made, FORMAT, header)


def to_clevr(scenes: Scene | Mapping[Any, Scene]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Scenes that were read from CLEVR as the two documents that they came from.

    Returns:
        What ``scenes.json`` and ``masks.json`` hold.

    Raises:
        DataError: a scene was not read from CLEVR, or has objects that were not.
    """
    scenes = gathered(scenes)
    header = scenes.header if scenes.format == FORMAT else {}
    listed, outlines = [], {}
    for key, scene in scenes.items():
        with reading(f"scene {key!r}"):
            image = origin_of(scene, FORMAT).image
            if not image or len(scene.origin.objects if scene.origin else ()) < len(scene):
                raise DataError("only what was read from CLEVR can be written as CLEVR")
            listed.append({**image["scene"], **_released(scene)})
            outlines[str(image["scene"]["image_index"])] = {
                **image["masks"],
                "objects": _outlines(scene),
            }
    return (
        {**header.get("scenes", {}), "scenes": listed},
        {**header.get("masks", {}), "scenes": outlines},
    )


def scene_from_clevr(scene: Mapping[str, Any], masks: Mapping[str, Any]) -> Scene:
    """A released scene as a crisp scene.

    Categories are the shapes; left, right, front and behind hold exactly as the release lists
    them, and the other relations by the boxes of the visible parts. What ranks objects is what
    CLEVR-Ref+ counts by: the x of the projected centre (``left_reach``, ``right_reach``) and the
    depth of the centre along the viewing axis. Where x is equal in whole pixels, which is all that
    the release keeps, its list decides: the earlier object counts as farther left. Distances lie
    in space. "visibility" is as in CLEVR-Ref+: an object is partially visible when the visible
    mask of some nearer object covers at least 20 % of the box of the whole object.

    Args:
        scene: an entry of ``scenes.json``.
        masks: the entry of ``masks.json`` for the same image.

    Raises:
        DataError: the two do not list the same number of objects, or a value is unknown.
    """
    objects, outlines = scene["objects"], masks["objects"]
    if len(objects) != len(outlines):
        raise DataError(
            f"scene {scene.get('image_index')} has {len(objects)} objects, "
            f"but masks of {len(outlines)}"
        )
    runs = tuple(outline["segmentation"] for outline in outlines)
    size = ImageSize(*runs[0]["size"]) if runs else ImageSize(320, 480)
    boxes = _corners([outline["bbox"] for outline in outlines])
    centres = torch.tensor([thing["pixel_coords"] for thing in objects]).reshape(-1, 3)
    places = torch.tensor([thing["3d_coords"] for thing in objects]).reshape(-1, 3)
    shapes = _table(SHAPES, [thing["shape"] for thing in objects])
    whole = _corners([outline["amodal_bbox"] for outline in outlines])
    hidden = _partially_visible(runs, size, whole, centres[:, 2])
    x = Measure(centres[:, 0] + TIE * torch.arange(len(objects)), "px", SOURCE)
    return Scene(
        size=size,
        boxes=boxes,
        existence=torch.ones(len(objects)),
        groups=torch.arange(len(objects)),
        categories=shapes,
        attributes={
            "shape": shapes,
            **{
                name: _table(values, [thing[name] for thing in objects])
                for name, values in VALUES.items()
            },
            "visibility": _table(VISIBILITY, [VISIBILITY[covered] for covered in hidden]),
            **geometry.places(boxes, size),
        },
        relations={
            **geometry.relations(boxes),
            **{
                ours: Relation(_matrix(scene["relationships"][released], len(objects)), SOURCE)
                for released, ours in RELATIONS.items()
            },
        },
        measures={
            **geometry.measures(boxes, size),
            "left_reach": x,
            "right_reach": x,
            "depth": Measure(centres[:, 2], "world", SOURCE),
        },
        distances=torch.cdist(places, places, compute_mode="donot_use_mm_for_euclid_dist"),
        concepts=CONCEPTS,
        pixels=Outlines(size, runs, boxes),
        provenance={"perception": SOURCE, "image": str(scene.get("image_filename", ""))},
        origin=_origin(scene, masks),
    )


def _corners(boxes: Sequence[Sequence[float]]) -> Tensor:
    """[N, 4] xyxy from x, y, width, height."""
    return torch.tensor([corners(box) for box in boxes], dtype=torch.float32).reshape(-1, 4)


def _table(values: tuple[str, ...], chosen: Sequence[str]) -> Categorical:
    unknown = sorted(set(chosen) - set(values))
    if unknown:
        hint = did_you_mean(nearest(unknown[0], values))
        raise DataError(f'"{unknown[0]}" is not one of {", ".join(values)}{hint}')
    columns = torch.tensor([values.index(value) for value in chosen], dtype=torch.int64)
    rows = torch.nn.functional.one_hot(columns, len(values)).float()
    return Categorical(values, rows, torch.ones(len(chosen), dtype=torch.bool), SOURCE)


def _matrix(related: Sequence[Sequence[int]], count: int) -> Tensor:
    """[N, N] from the released lists: list i holds the objects that stand in the relation to i."""
    matrix = torch.zeros((count, count))
    for landmark, found in enumerate(related):
        matrix[list(found), landmark] = 1
    return matrix


def _partially_visible(
    runs: Sequence[Segmentation], size: ImageSize, whole: Tensor, depth: Tensor
) -> list[bool]:
    """Which objects, with boxes [N, 4] of their whole and depths [N], a nearer one covers."""
    # Arrays: torch would share out even these small sums among threads, which a busy machine
    # pays for dearly.
    masks = [decode_mask(run, size).numpy() for run in runs]
    hidden = []
    for own, (x1, y1, x2, y2) in zip(depth.tolist(), whole.int().tolist(), strict=True):
        least = HIDDEN_SHARE * (x2 - x1) * (y2 - y1)
        hidden.append(
            any(
                np.count_nonzero(mask[y1:y2, x1:x2]) >= least
                for mask, other in zip(masks, depth.tolist(), strict=True)
                if other < own
            )
        )
    return hidden


def _origin(scene: Mapping[str, Any], masks: Mapping[str, Any]) -> Origin:
    """What a scene has no place for, or only a less exact one."""
    image = {
        "scene": {k: v for k, v in scene.items() if k not in ("objects", "relationships")},
        "masks": {k: v for k, v in masks.items() if k != "objects"},
    }
    notes = [
        {
            **{name: thing[name] for name in _OF_OBJECT if name in thing},
            **{name: outline[name] for name in _OF_OUTLINE if name in outline},
        }
        for thing, outline in zip(scene["objects"], masks["objects"], strict=True)
    ]
    return Origin(FORMAT, image, tuple(notes))


def _released(scene: Scene) -> dict[str, Any]:
    """The objects and relationships of a scene as they are released."""
    origin = origin_of(scene, FORMAT)
    tables = {name: scene.attribute(name) for name in VALUES}
    chosen = {
        name: [table.values[i] for i in table.probabilities.argmax(1).tolist()]
        for name, table in tables.items()
    }
    objects = [
        {
            "shape": shape,
            **{name: values[index] for name, values in chosen.items()},
            **{name: part for name, part in origin.of(index).items() if name in _OF_OBJECT},
        }
        for index, shape in enumerate(likeliest(scene))
    ]
    relationships = {
        released: [
            column.nonzero().flatten().tolist()
            for column in (scene.relation(ours).probabilities >= 0.5).T
        ]
        for released, ours in RELATIONS.items()
    }
    return {"objects": objects, "relationships": relationships}


def _outlines(scene: Scene) -> list[dict[str, Any]]:
    """The objects of a scene as they are in the file of masks."""
    origin, known = origin_of(scene, FORMAT), known_masks(scene)
    return [
        {
            "bbox": sides(box),
            "segmentation": segmentation_of(scene, known, index),
            **{name: part for name, part in origin.of(index).items() if name in _OF_OUTLINE},
        }
        for index, box in enumerate(scene.boxes)
    ]
