"""CLEVR and its relatives: released scenes as gold scenes, released programs as our programs.

The folder holds ``*scenes.json`` with a ``*masks.json`` beside each, and files of items:
questions (CLEVR, CLOSURE: an answer as gold) and expressions (CLEVR-Ref+, localization: a set of
objects as gold), each with the program that its text was made from.

Translated programs use the category for the shape, not the attribute that says the same, so that a
scene in which the shape is uncertain needs no second table that must agree with the first.

Sources: J. Johnson et al., "CLEVR", CVPR 2017; D. Bahdanau et al., "CLOSURE", 2019; R. Liu et
al., "CLEVR-Ref+", CVPR 2019.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from neurosym.errors import DataError, ProgramTypeError
from neurosym.interchange.clevr import RELATIONS, VALUES, VISIBILITY, SceneKey, from_clevr
from neurosym.program import (
    CompareCounts,
    Comparison,
    Count,
    Equal,
    Everything,
    Exist,
    Filter,
    Intersect,
    Op,
    Query,
    Relate,
    Same,
    Select,
    Superlative,
    The,
    Union,
)
from neurosym.scene import CATEGORY, Scene

SIDES = {"from left": "leftmost", "from right": "rightmost", "from front": "nearest"}
"""Where an ordinal of CLEVR-Ref+ counts from -> our order."""
ORDINALS = {
    word: rank
    for rank, word in enumerate(
        # "nineth" is how the release spells it.
        ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "nineth"),
        start=1,
    )
}


@dataclass(frozen=True)
class Node:
    """One step of a released program.

    Attributes:
        function: what it does, for example ``"filter_color"``.
        inputs: positions of the earlier nodes that it takes.
        values: its literals, for example ``("red",)``.
    """

    function: str
    inputs: tuple[int, ...]
    values: tuple[str, ...]


@dataclass(frozen=True)
class Item:
    """A question or an expression about one scene, with its gold.

    Attributes:
        index: its number in its file.
        scene: which scene it is about.
        image: file name of the scene's picture.
        text: the question or expression.
        program: the released program; the last node is the answer.
        answer: of a question: "yes", "no", a numeral, or an attribute's value; else None.
        objects: of an expression: the gold set; else None.
        family: the kind of text that it is; empty where the file names none.
    """

    index: int
    scene: SceneKey
    image: str
    text: str
    program: tuple[Node, ...]
    answer: str | None
    objects: frozenset[int] | None
    family: str

    def is_right(self, answer: str | int | bool | Iterable[int] | None) -> bool:
        """Whether an answer is the gold one.

        Args:
            answer: a truth, a count, an attribute's value, or the numbers of objects; None for
                no answer, which is never right.

        Example:
            >>> Item(0, ("val", 0), "", "Is there a cube?", (), "yes", None, "").is_right(True)
            True
        """
        if answer is None:
            return False
        if self.objects is not None:
            return not isinstance(answer, str | int) and frozenset(answer) == self.objects
        if isinstance(answer, bool):
            return self.answer == ("yes" if answer else "no")
        return isinstance(answer, str | int) and self.answer == str(answer)


# Reading files.


def read_items(path: Path) -> list[Item]:
    """The questions or expressions of a file, in its order.

    Args:
        path: for example ``FOLDER/refexps.json``.

    Raises:
        DataError: the file is missing or not of this form.
    """
    document = _read(path)
    for kind in ("questions", "refexps", "expressions"):
        if kind in document:
            return [_item(path, kind, number, raw) for number, raw in enumerate(document[kind])]
    raise DataError(f'"{path}" holds no questions, refexps or expressions')


def read_scenes(path: Path) -> dict[SceneKey, Scene]:
    """The gold scenes of a ``*scenes.json``, with the boxes and masks of the file beside it.

    Args:
        path: for example ``FOLDER/image_scenes.json``, whose masks are ``image_masks.json``.

    Raises:
        DataError: a file is missing or not of this form, or a scene has no masks.
    """
    beside = path.with_name(path.name.replace("scenes", "masks"))
    if beside == path:
        raise DataError(f'"{path}" is no file of scenes: its name must contain "scenes"')
    released, masks = _read(path), _read(beside)
    try:
        return dict(from_clevr(released, masks))
    except DataError as error:
        raise DataError(f'"{path}": {error.message}') from error


def read_all_scenes(folder: Path) -> dict[SceneKey, Scene]:
    """The gold scenes of all ``*scenes.json`` of a folder; equal keys are equal scenes.

    Raises:
        DataError: there is none, or one cannot be read.
    """
    paths = sorted(folder.glob("*scenes.json"))
    if not paths:
        raise DataError(f'"{folder}" holds no CLEVR scenes: expected scenes.json and masks.json')
    made: dict[SceneKey, Scene] = {}
    for path in paths:
        made |= read_scenes(path)
    return made


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f'cannot read "{path}": {error.strerror or error}') from error
    except ValueError as error:
        raise DataError(f'"{path}" is not JSON: {error}') from error
    if not isinstance(document, dict):
        raise DataError(f'"{path}" must hold a JSON object, not {type(document).__name__}')
    return document


def _item(path: Path, kind: str, number: int, raw: Mapping[str, Any]) -> Item:
    try:
        gold = raw["answer"] if kind == "questions" else None
        return Item(
            index=raw.get(f"{kind.removesuffix('s')}_index", raw.get("index", number)),
            scene=(raw["split"], raw["image_index"]),
            image=raw["image_filename"],
            text=raw[kind.removesuffix("s")],
            program=tuple(
                Node(node["function"], tuple(node["inputs"]), tuple(node["value_inputs"]))
                for node in raw["program"]
            ),
            answer=gold,
            objects=None if kind == "questions" else frozenset(raw["objects"]),
            family=raw.get("family", ""),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f'item {number} of "{path}" is not as released: {error!r}') from error


# Programs.


def translate(program: Sequence[Node]) -> Op:
    """A released program as ours.

    A filter goes to the noun that it describes, as in a program made from the text:
    ``(relate (filter (select cube) color red) left_of (the ...))``. That changes no value.
    Ordinals keep their place, since they count what was selected before them.

    Args:
        program: nodes in topological order.

    Raises:
        DataError: a function or literal is unknown, or an input comes later than its node.

    Example:
        >>> scene, red = Node("scene", (), ()), Node("filter_color", (0,), ("red",))
        >>> translate([scene, red, Node("filter_shape", (1,), ("cube",)), Node("count", (2,), ())])
        (count (filter (select cube) color red))
    """
    if not program:
        raise DataError("a released program has at least one node")
    made: list[Op] = []
    for number, node in enumerate(program):
        try:
            # A position below 0 would count from the end.
            operands = [made[number if position < 0 else position] for position in node.inputs]
            made.append(_translated(node, operands))
        except (IndexError, ValueError, KeyError, TypeError, ProgramTypeError) as error:
            raise DataError(
                f"node {number} of a released program, {node.function}, does not fit its "
                f"inputs {list(node.inputs)} and literals {list(node.values)}"
            ) from error
    return made[-1]


def _translated(node: Node, operands: Sequence[Op]) -> Op:
    verb, _, rest = node.function.partition("_")
    attribute = CATEGORY if rest == "shape" else rest
    if node.function in _FIXED:
        return _FIXED[node.function](*operands)
    if node.function in _COMPARISONS:
        left, right = operands
        if not (isinstance(left, Count) and isinstance(right, Count)):
            raise ValueError(node.function)
        return CompareCounts(left.objects, _COMPARISONS[node.function], right.objects)
    if node.function == "relate":
        (landmark,), (direction,) = operands, node.values
        return Relate(Everything(), RELATIONS[direction], landmark)
    if node.function == "filter_ordinal":
        (objects,), (ordinal, side) = operands, node.values
        _the, word, *_one_of_the = ordinal.split()
        return Superlative(objects, SIDES[side], ORDINALS[word])
    if node.function == "filter_visible":
        (objects,), (value,) = operands, node.values
        return _narrowed(objects, "visibility", VISIBILITY[VISIBILITY.index(value)])
    if attribute in (CATEGORY, *VALUES):
        match verb:
            case "filter":
                (objects,), (value,) = operands, node.values
                return _narrowed(objects, attribute, value)
            case "same":
                (landmark,) = operands
                return Same(Everything(), attribute, landmark)
            case "query":
                (objects,) = operands
                if not isinstance(objects, The):
                    raise ValueError(node.function)
                return Query(objects, attribute)
            case "equal":
                left, right = operands
                return Equal(left, right)
    raise DataError(f'unknown function "{node.function}" in a released program')


_FIXED: dict[str, Callable[..., Op]] = {
    "scene": Everything,
    "unique": The,
    "union": Union,
    "intersect": Intersect,
    "count": Count,
    "exist": Exist,
}
_COMPARISONS = {
    "equal_integer": Comparison.EXACTLY,
    "less_than": Comparison.FEWER_THAN,
    "greater_than": Comparison.MORE_THAN,
}


def _narrowed(objects: Op, attribute: str, value: str) -> Op:
    """The members of ``objects`` with this value, said of the noun below relations."""
    is_noun = attribute == CATEGORY
    if isinstance(objects, Everything) and is_noun:
        return Select(value)
    if isinstance(objects, Relate | Same) or (isinstance(objects, Filter) and is_noun):
        return replace(objects, objects=_narrowed(objects.objects, attribute, value))
    return Filter(objects, attribute, value)
