"""Captions: VSR, SugarCrepe and VALSE, as they were released or one item a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurosym.errors import DataError

VOTES = 2
"""How many annotators must prefer a caption to its foil for a pair of VALSE to count."""
_PHOTOGRAPH = re.compile(r"(?:COCO_\w+_)?(\d+)\.jpg")


@dataclass(frozen=True, slots=True)
class Caption:
    """A caption, and for most what it is told apart from.

    Attributes:
        key: unique in its corpus.
        image: the file name of the photograph.
        text: the caption.
        foil: a text that differs in a few words and is not true of the photograph; empty for
            none.
        kind: what was changed, or the relation that the caption names.
        valid: whether people agree that the caption is the true one.
    """

    key: str
    image: str
    text: str
    foil: str = ""
    kind: str = ""
    valid: bool = True

    @property
    def photograph(self) -> str:
        """What the open and the closed part go by: a COCO number, or else the file name."""
        numbered = _PHOTOGRAPH.fullmatch(self.image)
        return str(int(numbered.group(1))) if numbered else self.image


def read_captions(path: Path) -> Iterator[Caption]:
    """The captions of a file.

    Args:
        path: a JSONL file with an item a line (VSR's own form), or a JSON file of SugarCrepe or
            VALSE as released: a mapping from identifiers to items, named by what was changed.

    Raises:
        DataError: the file cannot be read, or an item is not of a known form.
    """
    try:
        source = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            items = [(str(key), item) for key, item in json.loads(source).items()]
        else:
            lines = [line for line in source.splitlines() if line.strip()]
            items = [(str(number), json.loads(line)) for number, line in enumerate(lines)]
    except (OSError, ValueError, AttributeError) as error:
        raise DataError(f'cannot read the captions of "{path}": {error}') from error
    for key, item in items:
        try:
            yield _caption(key, item, path.stem)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f'"{path}", item {key}: not of the released form: {error!r}') from error


def _caption(key: str, item: dict[str, Any], stem: str) -> Caption:
    image = str(item.get("image") or item.get("image_file") or item["filename"])
    text = str(item["caption"])
    if "negative_caption" in item:
        kind = str(item.get("category", stem))
        number = item.get("id", key)
        return Caption(f"{kind}/{number}", image, text, str(item["negative_caption"]), kind)
    if "foil" in item:
        votes = item.get("mturk") or {"caption": VOTES}
        kind = str(item.get("piece", stem))
        name = f"{kind}/{item.get('id', key)}"
        return Caption(name, image, text, str(item["foil"]), kind, votes["caption"] >= VOTES)
    return Caption(str(item.get("index", key)), image, text, kind=str(item["relation"]))
