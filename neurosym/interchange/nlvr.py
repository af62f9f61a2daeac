"""NLVR: scenes of three boxes of drawn shapes.

What people speak of is more than what is drawn, so a scene holds more objects than the release
lists (see :func:`scene_from_nlvr`): the boxes, their walls and corners, the towers, and the
colours, shapes and sizes themselves ("there is only one colour touching the wall").

What survives from a file to scenes and back: everything. Items are read off the scene's boxes,
shapes and colours; sentence, label and votes stay in its origin. Only scenes of this kind, made
here or by hand, can be written.

Source: A. Suhr et al., "A corpus of natural language for visual reasoning", ACL 2017.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from neurosym.errors import DataError, did_you_mean, nearest
from neurosym.interchange.scenes import SOURCE, Scenes, gathered, likeliest, origin_of, reading
from neurosym.origin import Origin
from neurosym.perception import geometry
from neurosym.pixels import ImageSize
from neurosym.scene import Categorical, Concept, Relation, Scene

FORMAT = "nlvr"
BOX = 100
"""Width and height of a box, in pixels."""
PITCH = 150
"""Pixels from the left wall of a box to that of the next one in a picture."""
CONTACT = 1
"""Pixels between two items that touch: the blocks of a tower are drawn one pixel apart."""
NEARLY = 5
"""Pixels between two things that nearly touch."""
COLOURS = {"Black": "black", "#0099ff": "blue", "Yellow": "yellow"}
"""Released colour -> ours."""
SHAPES = ("circle", "square", "triangle")
SIZES = {10: "small", 20: "medium", 30: "large"}
"""Released size in pixels -> ours."""
BLOCKS = ("base block", "middle block", "top block", "only block")
"""The categories of a tower's blocks; the only block of a tower is its base and its top."""
FLOOR = "floor"
"""The lower wall of a box with a tower, whose base is a block."""
CEILING = "ceiling"
"""The upper wall of a box with a tower, whose top is a block."""
WALLS = ("left wall", "right wall", "top wall", "bottom wall")
_PLACE_OF_WALL = {
    "left wall": {"horizontal": "left"},
    "right wall": {"horizontal": "right"},
    "top wall": {"horizontal": "top", "at_top": "uppermost"},
    "bottom wall": {"horizontal": "bottom", "at_base": "lowermost"},
}
KINDS = ("color", "shape", "size")
"""The attributes whose values are objects of their own."""
CATEGORIES = (
    *("circle", "loose square", "triangle", *BLOCKS, *WALLS, FLOOR, CEILING),
    *("corner", "box", "tower"),
)
CONCEPTS = {
    "item": Concept(("circle", "loose square", "triangle", *BLOCKS)),
    "square": Concept(("loose square", *BLOCKS)),
    "block": Concept(("loose square", *BLOCKS)),
    "wall": Concept((*WALLS, FLOOR, CEILING)),
    "base": Concept(("base block", "only block", "bottom wall")),
    "top": Concept(("top block", "only block", "top wall")),
    "middle": Concept(("middle block",)),
}
LEVELS = ("first", "second", "third", "fourth")
"""The places of a tower's blocks, from the base up; towers have no more than these."""
RELATIONS = (
    *("in", "part_of", "of", "with", "touching", "nearly_touching", "at", "on", "from"),
    *("above", "below", "left_of", "right_of", "next_to"),
)
OTHER = "none"
"""The value of an attribute that says nothing of an object."""
MIXED = "mixed"
"""The colour of a tower whose blocks differ in it."""


@dataclass(frozen=True)
class Drawn:
    """One drawn item.

    Attributes:
        box: number of the box that it is in, from the left.
        shape: circle, square or triangle.
        color: black, blue or yellow.
        size: width and height in pixels.
        x: pixels from the box's left wall.
        y: pixels from the box's top.
    """

    box: int
    shape: str
    color: str
    size: int
    x: int
    y: int


def from_nlvr(lines: Sequence[Mapping[str, Any]]) -> Scenes:
    """The scenes of lines of the release.

    Args:
        lines: each with an ``identifier`` and a ``structured_rep``: per box, its items.

    Returns:
        A crisp scene per line, by its identifier; see :func:`scene_from_nlvr`.

    Raises:
        DataError: something is not as released, or two lines have one identifier.
    """
    made: dict[str, Scene] = {}
    for number, raw in enumerate(lines, start=1):
        with reading(f"line {number}"):
            rows, key = raw["structured_rep"], str(raw["identifier"])
            if key in made:
                raise DataError(f"there is a line {key} already")
            rest = {name: part for name, part in raw.items() if name != "structured_rep"}
            scene = scene_from_nlvr(drawn_items(rows), len(rows))
            made[key] = replace(scene, origin=Origin(FORMAT, rest))
    return Scenes(made, FORMAT)


def to_nlvr(scenes: Scene | Mapping[Any, Scene]) -> list[dict[str, Any]]:
    """Scenes as lines of the release.

    Raises:
        DataError: a scene is not of boxes with drawn shapes.
    """
    lines = []
    for key, scene in gathered(scenes).items():
        with reading(f"scene {key!r}"):
            rows = _structured(scene)
        rest = {"identifier": str(key), **origin_of(scene, FORMAT).image}
        lines.append({**rest, "structured_rep": rows})
    return lines


def drawn_items(rows: Sequence[Sequence[Mapping[str, Any]]]) -> tuple[Drawn, ...]:
    """The items of a ``structured_rep``.

    Raises:
        DataError: a value is unknown.
        KeyError: a field is missing.
    """
    return tuple(
        Drawn(
            box,
            one_of(thing["type"], {shape: shape for shape in SHAPES}),
            one_of(thing["color"], COLOURS),
            int(thing["size"]),
            int(thing["x_loc"]),
            int(thing["y_loc"]),
        )
        for box, things in enumerate(rows)
        for thing in things
    )


def one_of(value: Any, known: Mapping[Any, Any]) -> Any:
    """What a released value means, or DataError with the nearest ones."""
    if value not in known:
        hint = did_you_mean(nearest(str(value), [str(name) for name in known]))
        raise DataError(f"{value!r} is not one of {', '.join(map(str, known))}{hint}")
    return known[value]


def _structured(scene: Scene) -> list[list[dict[str, Any]]]:
    """Per box, the drawn items of a scene."""
    released = {ours: name for name, ours in COLOURS.items()}
    names = likeliest(scene)
    unknown = [name for name in names if name not in (*CATEGORIES, *KINDS)]
    if unknown:
        raise DataError(f'NLVR has no "{unknown[0]}"')
    rows: list[list[dict[str, Any]]] = [[] for _ in range((scene.size.width - BOX) // PITCH + 1)]
    chosen = {
        name: scene.attribute(name).probabilities.argmax(1).tolist() for name in ("shape", "color")
    }
    for index, name in enumerate(names):
        if name not in CONCEPTS["item"].categories:
            continue
        x1, y1, x2, _ = (int(number) for number in scene.boxes[index].tolist())
        row = x1 // PITCH
        rows[row].append(
            {
                "type": scene.attribute("shape").values[chosen["shape"][index]],
                "color": released[scene.attribute("color").values[chosen["color"][index]]],
                "size": x2 - x1,
                "x_loc": x1 - PITCH * row,
                "y_loc": y1,
            }
        )
    return rows


@dataclass
class _Things:
    """The objects of a scene while it is put together; lists run in parallel."""

    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    values: list[dict[str, str]] = field(default_factory=list)
    pairs: dict[str, set[tuple[int, int]]] = field(default_factory=dict)

    def add(
        self, category: str, box: tuple[float, float, float, float], values: dict[str, str]
    ) -> int:
        self.boxes.append(box)
        self.categories.append(category)
        self.values.append(values)
        return len(self.boxes) - 1

    def relate(self, name: str, pairs: Iterable[tuple[int, int]]) -> None:
        self.pairs.setdefault(name, set()).update(pairs)


def scene_from_nlvr(drawn: Sequence[Drawn], boxes: int = 3) -> Scene:
    """The crisp scene of some drawn items; pixels are those of the released pictures.

    Objects, in this order:

    - the drawn items. Category: circle, triangle, "loose square", or the part that a square plays
      in a tower; the word "square" (and "block") covers all of the latter, "base" and "top" cover
      the blocks that are a tower's lowest and highest (and where there is no tower the walls
      below and above).
    - the boxes, gray.
    - the towers. The items of a box are a tower when they are squares of one size, in one column,
      of which the lowest stands on the floor and every other one on the one below, and so in
      every box that is not empty. A tower has
      the color that all its blocks have, or else "mixed", and its height in pixels.
    - the four walls and the four corners of every box.
    - the values of color, shape and size, each an object of that category: "two colors".

    Attributes: ``color``, ``shape`` and ``size`` as drawn; ``level`` of a block in its tower
    ("first" is the base), and of boxes and towers from the left; ``at_top``, ``at_base`` and
    ``at_middle``: whether an item is the highest of its box, the lowest, or neither, of the boxes
    the middle one, and of walls the upper and the lower one; ``horizontal`` (left, right) of boxes
    and towers; ``base color`` and
    ``top color`` of towers. An attribute that says nothing of an object has the value "none".

    Relations, [object, landmark]:

    - ``in``: an item, a tower, a wall or a corner in its box; a block in its tower; an item in
      the corner that it touches. ``part_of`` and ``of`` are the same without the corners; ``of``
      also links boxes and towers to what they hold, walls and corners to the items beside them, and
      what has a value, or a part that has it, to that value, and an item's value to it.
    - ``with``: a box to its items, a tower to its blocks.
    - ``touching``: two items whose boxes are at most 1 px apart; an item and a wall or corner with
      no pixel between. ``nearly_touching``: at most 5 px apart. ``at``: touching a wall or corner.
    - ``on``: an item that touches another from above, or a wall; a tower's top block on the tower.
    - ``from``: the blocks of a tower from its base, where they are counted from.
    - ``above``, ``below``: of two items in one box, by their centres, but of the blocks of a tower
      only where nothing is between them; every item is above its box's lower wall.
    - ``left_of``, ``right_of``, ``next_to``: as in photographs, but of items in one box only, and
      of boxes and towers; the blocks of a tower are next to those that they touch.

    A value stands in the relations of the items that have it.

    Args:
        drawn: the items.
        boxes: how many boxes there are; an item's box is below that.

    Raises:
        DataError: an item's box or size is not one of the release's.
    """
    wrong = next((d for d in drawn if not 0 <= d.box < boxes or d.size not in SIZES), None)
    if wrong is not None:
        raise DataError(f"{wrong} is not as released: {boxes} boxes, sizes {[*SIZES]}")
    things = _Things()
    contents: list[list[int]] = [[] for _ in range(boxes)]
    for number, item in enumerate(drawn):
        contents[item.box].append(number)
    towers = [_tower([drawn[i] for i in held], held) for held in contents]
    if any(held and not tower for held, tower in zip(contents, towers, strict=True)):
        # Where things lie about, a lone square is no tower.
        towers = [() for _ in towers]
    for number, item in enumerate(drawn):
        _add_item(things, item, [drawn[i] for i in contents[item.box]], towers[item.box], number)
    shown = [things.add("box", _box(k), _beside(k, boxes, "gray")) for k in range(boxes)]
    stacks: list[int | None] = [
        _add_tower(things, drawn, tower, k, boxes) if tower else None
        for k, tower in enumerate(towers)
    ]
    _relate_items(things, drawn, contents, towers)
    for k, held in enumerate(contents):
        _relate_container(things, shown[k], held, stacks[k], towers[k])
        _add_walls(things, drawn, held, k, shown[k], stacked=bool(towers[k]))
    _relate_beside(things, shown)
    _relate_beside(things, [stack for stack in stacks if stack is not None])
    _add_values(things, len(drawn), shown, stacks, contents)
    return _scene(things, boxes)


def _tower(items: Sequence[Drawn], numbers: Sequence[int]) -> tuple[int, ...]:
    """The numbers of a tower's blocks from the base up; empty when the items are no tower."""
    order = sorted(range(len(items)), key=lambda i: -items[i].y)
    stack = [items[i] for i in order]
    if not stack or any(
        item.shape != "square" or (item.x, item.size) != (stack[0].x, stack[0].size)
        for item in stack
    ):
        return ()
    if stack[0].y + stack[0].size != BOX:
        return ()
    for below, above in itertools.pairwise(stack):
        if below.y - above.y - above.size > CONTACT:
            return ()
    return tuple(numbers[i] for i in order) if len(stack) <= len(LEVELS) else ()


def _box(number: int) -> tuple[float, float, float, float]:
    return (PITCH * number, 0, PITCH * number + BOX, BOX)


def _place(item: Drawn) -> tuple[float, float, float, float]:
    x = PITCH * item.box + item.x
    return (x, item.y, x + item.size, item.y + item.size)


def _beside(number: int, boxes: int, color: str) -> dict[str, str]:
    """What a box or tower is like by its place among the others."""
    values = {"color": color, "level": LEVELS[number]} if number < len(LEVELS) else {"color": color}
    if number in (0, boxes - 1):
        values["horizontal"] = "right" if number else "left"
    elif 2 * number == boxes - 1:
        values["at_middle"] = "inner"
    return values


def _add_item(
    things: _Things, item: Drawn, beside: Sequence[Drawn], tower: tuple[int, ...], number: int
) -> None:
    values = {"color": item.color, "shape": item.shape, "size": SIZES[item.size]}
    is_top = item.y == min(other.y for other in beside)
    is_base = item.y + item.size == max(other.y + other.size for other in beside)
    if is_top:
        values["at_top"] = "uppermost"
    if is_base:
        values["at_base"] = "lowermost"
    if not (is_top or is_base):
        values["at_middle"] = "inner"
    category = "loose square" if item.shape == "square" else item.shape
    if tower:
        level = tower.index(number)
        values["level"] = LEVELS[level]
        category = _role(level, len(tower))
    things.add(category, _place(item), values)


def _role(level: int, height: int) -> str:
    """The category of the block at a level, from 0, of a tower of so many blocks."""
    if height == 1:
        return "only block"
    if level in (0, height - 1):
        return "top block" if level else "base block"
    return "middle block"


def _add_tower(
    things: _Things, drawn: Sequence[Drawn], tower: tuple[int, ...], number: int, boxes: int
) -> int:
    blocks = [drawn[i] for i in tower]
    colours = {block.color for block in blocks}
    values = _beside(number, boxes, colours.pop() if len(colours) == 1 else MIXED)
    values |= {"base color": blocks[0].color, "top color": blocks[-1].color}
    x1, _, x2, y2 = _place(blocks[0])
    return things.add("tower", (x1, blocks[-1].y, x2, y2), values)


def _relate_items(
    things: _Things,
    drawn: Sequence[Drawn],
    contents: Sequence[Sequence[int]],
    towers: Sequence[Sequence[int]],
) -> None:
    for held, tower in zip(contents, towers, strict=True):
        for i in held:
            for j in held:
                if i != j:
                    _relate_pair(things, i, j, drawn[i], drawn[j], stacked=bool(tower))


def _relate_pair(
    things: _Things, i: int, j: int, one: Drawn, other: Drawn, *, stacked: bool
) -> None:
    """How one item stands to another of the same box, or of the same tower."""
    across = max(one.x, other.x) - min(one.x + one.size, other.x + other.size)
    down = max(one.y, other.y) - min(one.y + one.size, other.y + other.size)
    x = 2 * one.x + one.size - 2 * other.x - other.size
    y = 2 * one.y + one.size - 2 * other.y - other.size
    # Corner to corner is no contact.
    contact = max(across, down) <= CONTACT and min(across, down) < 0
    held: dict[str, bool] = {
        "touching": contact,
        "nearly_touching": max(across, down) <= NEARLY,
        "on": contact and across < 0 and y < 0,
        "above": y < 0 and (contact or not stacked),
        "below": y > 0 and (contact or not stacked),
        "left_of": x < 0,
        "right_of": x > 0,
        "next_to": across <= (one.size + other.size) / 4 and down < 0 if not stacked else contact,
    }
    for name, holds in held.items():
        if holds:
            things.relate(name, [(i, j)])


def _relate_container(
    things: _Things, box: int, held: Sequence[int], tower: int | None, blocks: Sequence[int]
) -> None:
    parts = list(held) if tower is None else [*held, tower]
    for name in ("in", "part_of", "of"):
        things.relate(name, ((i, box) for i in parts))
        if tower is not None:
            things.relate(name, ((i, tower) for i in blocks))
    for name in ("with", "of"):
        things.relate(name, ((box, i) for i in held))
    if tower is not None:
        things.relate("with", ((tower, i) for i in blocks))
        things.relate("of", ((tower, i) for i in blocks))
        things.relate("on", [(blocks[-1], tower)])
        things.relate("from", ((i, blocks[0]) for i in blocks[1:]))


def _relate_beside(things: _Things, row: Sequence[int]) -> None:
    """Boxes, or towers, from left to right."""
    for place, j in enumerate(row):
        things.relate("left_of", ((i, j) for i in row[:place]))
        things.relate("right_of", ((i, j) for i in row[place + 1 :]))
        things.relate("next_to", ((i, j) for i in row if abs(row.index(i) - place) == 1))


def _add_walls(
    things: _Things,
    drawn: Sequence[Drawn],
    held: Sequence[int],
    number: int,
    box: int,
    *,
    stacked: bool,
) -> None:
    """The walls and corners of a box, and what touches them."""
    x1, y1, x2, y2 = _box(number)
    lines = {
        "left wall": (x1, y1, x1 + 1, y2),
        "right wall": (x2 - 1, y1, x2, y2),
        "top wall": (x1, y1, x2, y1 + 1),
        "bottom wall": (x1, y2 - 1, x2, y2),
    }
    of_tower = {"bottom wall": FLOOR, "top wall": CEILING} if stacked else {}
    gaps = {i: _gaps(drawn[i]) for i in held}
    walls = {
        name: things.add(of_tower.get(name, name), line, {"color": "gray", **_PLACE_OF_WALL[name]})
        for name, line in lines.items()
    }
    corners = {
        (across, down): things.add(
            "corner",
            (*lines[across][:1], *lines[down][1:2], *lines[across][2:3], *lines[down][3:]),
            {
                "color": "gray",
                "horizontal": across.split()[0],
                **({"at_top": "uppermost"} if down == "top wall" else {"at_base": "lowermost"}),
            },
        )
        for across in WALLS[:2]
        for down in WALLS[2:]
    }
    marks = {wall: (name,) for name, wall in walls.items()} | {
        corner: names for names, corner in corners.items()
    }
    for mark, names in marks.items():
        for name in ("in", "part_of", "of"):
            things.relate(name, [(mark, box)])
        if not stacked:
            things.relate("of", ((mark, i) for i in held))
        for i in held:
            gap = max(gaps[i][name] for name in names)
            if gap <= NEARLY:
                things.relate("nearly_touching", [(i, mark)])
                things.relate("next_to", [(i, mark)])
            if gap == 0:
                things.relate("on", [(i, mark)])
                things.relate("touching", [(i, mark)])
                things.relate("at", [(i, mark)])
    touched = things.pairs.get("at", set())
    for i in held:
        things.relate("in", ((i, c) for c in corners.values() if (i, c) in touched))
        things.relate("below", [(i, walls["top wall"])])
        things.relate("above", [(i, walls["bottom wall"])])


def _gaps(item: Drawn) -> dict[str, int]:
    """Pixels between an item and each wall of its box."""
    return {
        "left wall": item.x,
        "right wall": BOX - item.x - item.size,
        "top wall": item.y,
        "bottom wall": BOX - item.y - item.size,
    }


def _add_values(
    things: _Things,
    items: int,
    shown: Sequence[int],
    stacks: Sequence[int | None],
    contents: Sequence[Sequence[int]],
) -> None:
    """The values of color, shape and size that items have, as objects."""
    base = {name: set(pairs) for name, pairs in things.pairs.items()}
    for kind in KINDS:
        having: dict[str, list[int]] = {}
        for i in range(items):
            having.setdefault(things.values[i][kind], []).append(i)
        for value, members in having.items():
            values = {kind: value}
            number = things.add(kind, (0, 0, 1, 1), values)
            for name, pairs in base.items():
                things.relate(name, ((number, j) for i, j in pairs if i in members))
            things.relate("of", ((i, number) for i in members))
            things.relate("of", ((number, i) for i in members))
            for box, stack, held in zip(shown, stacks, contents, strict=True):
                if set(held) & set(members):
                    things.relate("of", [(box, number)])
                    if stack is not None:
                        things.relate("of", [(stack, number)])


def _scene(things: _Things, boxes: int) -> Scene:
    count = len(things.boxes)
    size = ImageSize(BOX, PITCH * (boxes - 1) + BOX)
    places = torch.tensor(things.boxes, dtype=torch.float32).reshape(-1, 4)
    colours = (*COLOURS.values(), "gray", MIXED, OTHER)
    vocabularies = {
        "color": colours,
        "shape": (*SHAPES, OTHER),
        "size": (*SIZES.values(), OTHER),
        "level": (*LEVELS, OTHER),
        "at_top": ("uppermost", OTHER),
        "at_base": ("lowermost", OTHER),
        "at_middle": ("inner", OTHER),
        "horizontal": ("left", "right", "top", "bottom", OTHER),
        "base color": (*COLOURS.values(), OTHER),
        "top color": (*COLOURS.values(), OTHER),
    }
    return Scene(
        size=size,
        boxes=places,
        existence=torch.ones(count),
        groups=torch.arange(count),
        categories=_table((*CATEGORIES, *KINDS), things.categories),
        attributes={
            name: _table(values, [own.get(name, OTHER) for own in things.values])
            for name, values in vocabularies.items()
        },
        relations={
            name: Relation(_matrix(things.pairs.get(name, ()), count), SOURCE) for name in RELATIONS
        },
        measures=geometry.measures(places, size),
        distances=geometry.distances(places),
        concepts=CONCEPTS,
        provenance={"perception": SOURCE},
    )


def _table(values: tuple[str, ...], chosen: Sequence[str]) -> Categorical:
    columns = torch.tensor([values.index(value) for value in chosen], dtype=torch.int64)
    rows = torch.nn.functional.one_hot(columns, len(values)).float()
    return Categorical(values, rows, torch.ones(len(chosen), dtype=torch.bool), SOURCE)


def _matrix(pairs: Iterable[tuple[int, int]], count: int) -> Tensor:
    matrix = torch.zeros((count, count))
    for i, j in pairs:
        matrix[i, j] = 1
    return matrix
