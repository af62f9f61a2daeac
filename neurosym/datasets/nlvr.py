"""NLVR v1: sentences by people about three boxes of drawn shapes.

The release is JSON Lines: a sentence, whether it is true, an identifier ``n-m`` (sentence ``n``,
scene ``m``), and three lists of drawn items with their places. A sentence is judged as a claim
about the scene, so a reader of programs needs truths, nothing else.

Their words are those of ``Lexicon.domain("nlvr")``: "box" and "tower" mean something else here
than in a photograph.

Source: A. Suhr et al., "A corpus of natural language for visual reasoning", ACL 2017.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurosym.errors import DataError
from neurosym.interchange.nlvr import Drawn, drawn_items, one_of, scene_from_nlvr
from neurosym.scene import Scene


@dataclass(frozen=True)
class Item:
    """A sentence about one scene, with its gold.

    Attributes:
        sentence: as it was written.
        label: whether it is true of the scene.
        identifier: "n-m": sentence n, scene m.
        boxes: how many boxes there are.
        drawn: the drawn items of all boxes, in the release's order.
    """

    sentence: str
    label: bool
    identifier: str
    boxes: int
    drawn: tuple[Drawn, ...]

    @property
    def group(self) -> str:
        """The number of the sentence: items with one group ask the same of several scenes."""
        return self.identifier.partition("-")[0]

    def is_right(self, answer: object) -> bool:
        """Whether an answer is the gold one; what is no truth value is never right.

        Example:
            >>> Item("", True, "1-0", 3, ()).is_right(True)
            True
        """
        return isinstance(answer, bool) and answer == self.label

    def scene(self) -> Scene:
        """The gold scene; see :func:`scene_from_nlvr`."""
        return scene_from_nlvr(self.drawn, self.boxes)


def read_items(path: Path) -> list[Item]:
    """The items of a file of the release, or of every ``*.json`` of a folder, in their order.

    Args:
        path: for example ``FOLDER/dev.json``, or ``FOLDER``.

    Raises:
        DataError: there is no such file, or it is not of the released form.
    """
    paths = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not paths:
        raise DataError(f'"{path}" holds no NLVR items: expected a file such as dev.json')
    return [item for file in paths for item in _read_file(file)]


def _read_file(path: Path) -> list[Item]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f'cannot read "{path}": {error}') from error
    items = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            items.append(item_from_nlvr(json.loads(line)))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise DataError(f'line {number} of "{path}" is not as released: {error!r}') from error
        except DataError as error:
            raise DataError(f'line {number} of "{path}": {error.message}') from error
    return items


def item_from_nlvr(raw: Mapping[str, Any]) -> Item:
    """A line of the release.

    Raises:
        DataError: a value is unknown.
        KeyError: a field is missing.
    """
    return Item(
        sentence=str(raw["sentence"]),
        label=one_of(raw["label"], {"true": True, "false": False}),
        identifier=str(raw["identifier"]),
        boxes=len(raw["structured_rep"]),
        drawn=drawn_items(raw["structured_rep"]),
    )
