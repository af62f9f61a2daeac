"""The command ``neurosym describe``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neurosym.api import Grounder
    from neurosym.generation.describe import Description
    from neurosym.scene import Scene

FORMAT = "neurosym-description/1"


def describe_objects(grounder: Grounder, scene: Scene, index: int | None, *, as_json: bool) -> None:
    """Print the shortest expression for an object, or for each that probably exists.

    Args:
        grounder: describes.
        scene: the scene.
        index: the object's number; None for all of them.
        as_json: whether to print JSON.

    Raises:
        OptionError: there is no such object.
    """
    chosen = [index] if index is not None else [i for i, _ in _there(scene)]
    describer = grounder.describer(scene)
    found = [describer.describe(one) for one in chosen]
    if as_json:
        documents = [_document(scene, one) for one in found]
        print(json.dumps({"format": FORMAT, "objects": documents}, indent=2))
        return
    for one in found:
        print(_line(scene, one))


def _there(scene: Scene) -> list[tuple[int, float]]:
    return [(index, total) for index, total in scene.things(scene.existence) if total >= 0.5]


def _category(scene: Scene, index: int) -> str:
    return scene.categories.values[int(scene.categories.probabilities[index].argmax())]


def _line(scene: Scene, found: Description) -> str:
    said = f"{found.text} ({found.probability:.2f})" if found.found else f"none: {found.reason}"
    return f"{found.index:>3}  {_category(scene, found.index)}: {said}"


def _document(scene: Scene, found: Description) -> dict[str, Any]:
    return {
        "index": found.index,
        "category": _category(scene, found.index),
        "box_xyxy": [round(float(v), 2) for v in scene.boxes[found.index]],
        "status": found.why,
        "text": found.text or None,
        "program": str(found.program) if found.program is not None else None,
        "probability": round(found.probability, 6),
        "reason": found.reason or None,
    }
