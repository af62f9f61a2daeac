"""RefCOCO, RefCOCO+ and RefCOCOg: human expressions, each with the box of the object it means.

Two forms are read, both JSON: the list that MiniGPT-4 repackaged (one expression an item, with its
box), and the REFER release's own (references beside ``instances.json``). REFER ships its references
as pickles, which run code when they are read: they are refused, and have to be written as JSON
first, by whoever trusts them.

There are no pictures and no names of objects, so words for things and what they are like cannot be
checked. Places can, in part: the candidates are the boxes that are referred to in the same
photograph, over all files. What cannot be checked holds of every candidate (unknown is not
false), so that the words for places alone decide: :func:`located_part`.

Sources: L. Yu et al., "Modeling Context in Referring Expressions", ECCV 2016 (RefCOCO, RefCOCO+);
J. Mao et al., "Generation and Comprehension of Unambiguous Object Descriptions", CVPR 2016
(RefCOCOg); S. Kazemzadeh et al., "ReferItGame", EMNLP 2014 (REFER).
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from neurosym.errors import DataError
from neurosym.perception.given import Thing, scene_of
from neurosym.pixels import ImageSize
from neurosym.program import (
    DIRECTIONAL,
    PLACES,
    Command,
    Different,
    Everything,
    Filter,
    Kind,
    Minus,
    Op,
    Part,
    Pointed,
    Same,
    Select,
    Similar,
    Superlative,
    The,
    TheCount,
    TheGroup,
    ThePlural,
)
from neurosym.scene import Scene

Box: TypeAlias = tuple[float, float, float, float]
"""(x1, y1, x2, y2) in absolute pixels, origin at the top left."""

SAME_BOX = 0.9
"""Boxes that overlap by this IoU are of one object, annotated once in each file."""
LOCATION_WORDS = frozenset(
    (
        *("left", "right", "top", "bottom", "middle", "center", "centre", "upper", "lower"),
        *("front", "back", "rear", "foreground", "background", "corner", "side", "edge"),
        *("leftmost", "rightmost", "topmost", "closest", "nearest", "farthest", "furthest"),
        *("above", "below", "under", "behind", "between", "beside", "next", "near", "far"),
        *("higher", "highest", "lowest"),
    )
)
"""An expression with one of these words says where its object is."""
_WORD = re.compile(r"[a-z]+")
_RESTRICTING = (Same, Different, Similar)


@dataclass(frozen=True)
class Item:
    """An expression with the box of what it means.

    Attributes:
        key: unique in its file.
        photograph: the number of the COCO photograph.
        text: the expression.
        box: of the object.
        size: of the photograph.
    """

    key: str
    photograph: int
    text: str
    box: Box
    size: ImageSize

    @property
    def says_where(self) -> bool:
        """Whether the expression has a word for a place."""
        return not LOCATION_WORDS.isdisjoint(_WORD.findall(self.text.lower()))


def read_items(path: Path) -> list[Item]:
    """The expressions of a file, in its order.

    Args:
        path: a list of ``{"img_id", "sents", "bbox", "height", "width"}``; or REFER's references
            as JSON, a list of ``{"ref_id", "ann_id", "image_id", "sentences": [{"sent_id",
            "sent"}]}`` with the release's ``instances.json`` beside it.

    Raises:
        DataError: the file is missing, a pickle, or of neither form.
    """
    if path.suffix in (".p", ".pkl", ".pickle"):
        raise DataError(
            f'"{path}" is a pickle, which could run any code: write its list of references as '
            "JSON, and read that"
        )
    document = _read(path)
    if not isinstance(document, list) or not all(isinstance(raw, dict) for raw in document):
        raise DataError(f'"{path}" must be a list of expressions or of references')
    try:
        if any("ref_id" in raw for raw in document):
            return _from_refer(document, path.parent / "instances.json")
        return [_from_list(raw, number) for number, raw in enumerate(document)]
    except (KeyError, TypeError, ValueError, IndexError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise DataError(f'"{path}" is not of the released form: {reason}') from error


def candidates(items: Iterable[Item]) -> dict[int, tuple[Box, ...]]:
    """The referred objects of each photograph, each once, by the photograph's number.

    Args:
        items: of all files together, so that there are as many candidates as can be had.
    """
    found: dict[int, list[Box]] = {}
    for item in items:
        boxes = found.setdefault(item.photograph, [])
        if all(overlap(item.box, box) < SAME_BOX for box in boxes):
            boxes.append(item.box)
    return {photograph: tuple(boxes) for photograph, boxes in found.items()}


def scene_from_boxes(boxes: Sequence[Box], size: ImageSize) -> Scene:
    """A scene of things of which nothing but the place is known.

    Relations, measures and places in the image are those of
    :mod:`neurosym.perception.geometry`; there is one category, and no attribute but places.
    """
    scene = scene_of([Thing("thing", box) for box in boxes], size)
    places = {name: table for name, table in scene.attributes.items() if name in PLACES}
    return dataclasses.replace(scene, attributes=places)


def located_part(program: Op, scene: Scene) -> Op:
    """What a program says of places, as a set; the rest holds of everything.

    Nouns, properties and relations that are no directions are left out, and a definite is the
    set that it presupposes to be one. "Big" and "small" are the largest and the smallest.

    Args:
        program: of any kind; of a claim, the set that it is about.
        scene: from :func:`scene_from_boxes`.

    Example:
        >>> from neurosym.program import parse_program
        >>> scene = scene_from_boxes([(0, 0, 9, 9)], ImageSize(10, 20))
        >>> said = "(the (superlative (relate (select man) with (select hat)) leftmost))"
        >>> located_part(parse_program(said), scene)
        (superlative (everything) leftmost 1)
    """
    while not Kind.OBJECTS.accepts(program.returns):
        inner = [operand for operand in program.operands if operand.returns.is_of_objects]
        deeper = inner or list(program.operands)
        if not deeper:
            return Everything()
        program = deeper[0]
    return program.rebuild(lambda op: _located(op, scene))


def largest(boxes: Sequence[Box], chosen: Iterable[int] | None = None) -> int:
    """The number of the largest box, among ``chosen`` or all; the first of equals."""
    numbers = sorted(range(len(boxes)) if chosen is None else chosen)
    return max(numbers, key=lambda number: _area(boxes[number]))


def overlap(left: Box, right: Box) -> float:
    """Intersection over union of two boxes; 0 where both are empty."""
    x1, y1 = max(left[0], right[0]), max(left[1], right[1])
    x2, y2 = min(left[2], right[2]), min(left[3], right[3])
    shared = max(0.0, x2 - x1) * max(0.0, y2 - y1)
    union = _area(left) + _area(right) - shared
    return shared / union if union > 0 else 0.0


_SIZES = {"large": "largest", "small": "smallest"}


def _located(op: Op, scene: Scene) -> Op:
    """One node of a program without what cannot be checked; its operands are done already."""
    objects = op.operands[0] if op.operands else op
    match op:
        case Select() | Pointed():
            return Everything(words=op.words)
        case Filter(attribute="size", value=value) if value in _SIZES:
            return Superlative(objects, _SIZES[value], words=op.words)
        case Filter(attribute=attribute) if attribute not in scene.attributes:
            return objects
        case The() | TheCount() | ThePlural() | TheGroup() | Part() | Command():
            return objects
        case Minus(excluded=Everything()):
            return objects
        case Minus(objects=kept, excluded=excluded) if excluded == kept:
            return objects
    relation = getattr(op, "relation", None)
    # What something is in, on or next to is seldom referred to by itself, and so is hardly ever a
    # candidate: a coat, a table, a wall.
    if isinstance(op, _RESTRICTING) or (relation is not None and relation not in DIRECTIONAL):
        return objects
    return op


def _area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DataError(f'cannot read "{path}": {error}') from error


def _from_list(raw: Mapping[str, Any], number: int) -> Item:
    """An item of the repackaged list; ``img_id`` is "COCO_train2014_<photograph>_<object>"."""
    return Item(
        key=f"{number}/{raw['img_id']}",
        photograph=int(str(raw["img_id"]).split("_")[2]),
        text=str(raw["sents"]),
        box=_corners(raw["bbox"]),
        size=ImageSize(int(raw["height"]), int(raw["width"])),
    )


def _from_refer(references: Sequence[Mapping[str, Any]], instances: Path) -> list[Item]:
    """The items of REFER's references, whose boxes and sizes are in ``instances.json``."""
    document = _read(instances)
    sizes = {
        image["id"]: ImageSize(int(image["height"]), int(image["width"]))
        for image in document["images"]
    }
    boxes = {raw["id"]: _corners(raw["bbox"]) for raw in document["annotations"]}
    return [
        Item(
            key=f"{reference['ref_id']}/{sentence['sent_id']}",
            photograph=int(reference["image_id"]),
            text=str(sentence["sent"]),
            box=boxes[reference["ann_id"]],
            size=sizes[reference["image_id"]],
        )
        for reference in references
        for sentence in reference["sentences"]
    ]


def _corners(bbox: Sequence[float]) -> Box:
    x, y, width, height = map(float, bbox)
    return (x, y, x + width, y + height)
