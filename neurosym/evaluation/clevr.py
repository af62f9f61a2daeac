"""CLEVR, CLOSURE, CLEVR-Ref+ and localization as cases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from neurosym.datasets.clevr import Item, read_all_scenes, read_items
from neurosym.errors import DataError
from neurosym.evaluation.cases import OBJECT_KINDS, SceneCase
from neurosym.interchange.clevr import SceneKey
from neurosym.program import Kind
from neurosym.scene import Scene


def cases(paths: Sequence[Path]) -> Iterator[SceneCase]:
    """One case for each item of some files that lie beside their scenes.

    Raises:
        DataError: a file or a scene is missing, or not of the released form.
    """
    scenes = read_all_scenes(paths[0].parent)
    for path in paths:
        for item in read_items(path):
            if item.scene not in scenes:
                raise DataError(f'no scene {item.scene} for item {item.index} of "{path}"')
            yield _case(path, item, scenes)


def _case(path: Path, item: Item, scenes: dict[SceneKey, Scene]) -> SceneCase:
    return SceneCase(
        key=f"{path.stem}/{item.index}",
        split_key=item.image,
        texts=(item.text,),
        family=f"{path.stem}: {item.family}" if item.family else path.stem,
        scene=partial(scenes.__getitem__, item.scene),
        expected=item.answer if item.objects is None else sorted(item.objects),
        kinds=kinds_of(item),
        is_right=item.is_right,
    )


def kinds_of(item: Item) -> tuple[Kind, ...]:
    """What a program of an item's text may return, by its gold."""
    if item.answer is None:
        return OBJECT_KINDS
    if item.answer in ("yes", "no"):
        return (Kind.TRUTH,)
    return (Kind.NUMBER,) if item.answer.isdecimal() else (Kind.VALUE,)
