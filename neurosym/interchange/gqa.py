"""GQA: scene graphs of photographs.

How words become attributes and relations: :mod:`neurosym.interchange.scene_graphs`. Relations that
boxes decide ("to the left of") hold as annotated, and as the boxes say for other pairs.

What survives from a file to scenes and back: everything. What survives from any scene: categories
(the likeliest), boxes, attributes with evidence (the likeliest value) and relations that hold, but
for those that boxes decide; masks, probabilities, measures and marks are lost.

Source: D. Hudson, C. Manning, "GQA", CVPR 2019, and the data format of its scene graphs.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from neurosym.errors import DataError
from neurosym.interchange.scene_graphs import (
    Described,
    Fact,
    facts_of,
    graph_scene,
    plain,
    relation_name,
    representable,
    still_holds,
    words_of,
)
from neurosym.interchange.scenes import (
    Scenes,
    corners,
    gathered,
    likeliest,
    origin_of,
    reading,
    sides,
)
from neurosym.origin import Origin
from neurosym.pixels import ImageSize
from neurosym.scene import Scene

FORMAT = "gqa"
_BOX = ("x", "y", "w", "h")


def from_gqa(document: Mapping[str, Any]) -> Scenes:
    """The scenes of a file of scene graphs.

    Args:
        document: image identifier -> ``width``, ``height`` and ``objects`` by identifier, each
            with ``name``, ``x``, ``y``, ``w``, ``h``, ``attributes`` and ``relations``.

    Returns:
        A scene per image, by its identifier.

    Raises:
        DataError: something is not as released.
    """
    made = {}
    for key, graph in document.items():
        with reading(f"image {key!r}"):
            made[key] = _scene(graph)
    return Scenes(made, FORMAT)


def to_gqa(scenes: Scene | Mapping[Any, Scene]) -> dict[str, Any]:
    """Scenes as scene graphs of GQA."""
    return {str(key): _graph(scene) for key, scene in gathered(scenes).items()}


def _scene(graph: Mapping[str, Any]) -> Scene:
    size = ImageSize(int(graph["height"]), int(graph["width"]))
    things, notes, facts = [], [], []
    places = {key: place for place, key in enumerate(graph["objects"])}
    for key, thing in graph["objects"].items():
        with reading(f"object {key!r}"):
            box = corners([thing[side] for side in _BOX])
            words = tuple(map(str, thing.get("attributes", ())))
            things.append(Described(str(thing["name"]), box, words))
            notes.append({"id": key, **thing})
            facts += [_fact(relation, places[key], places) for relation in thing["relations"]]
    image = {name: part for name, part in graph.items() if name != "objects"}
    return graph_scene(things, facts, size, Origin(FORMAT, image, tuple(notes)))


def _fact(relation: Mapping[str, Any], subject: int, places: Mapping[str, int]) -> Fact:
    if relation["object"] not in places:
        raise DataError(f"there is no object {relation['object']!r}")
    return (relation_name(relation["name"]), subject, places[relation["object"]])


def _graph(scene: Scene) -> dict[str, Any]:
    origin = origin_of(scene, FORMAT)
    size = {"width": scene.size.width, "height": scene.size.height}
    used = {str(note["id"]) for note in origin.objects if "id" in note}
    fresh = (str(number) for number in itertools.count(1) if str(number) not in used)
    keys = [origin.of(index).get("id") or next(fresh) for index in range(len(scene))]
    places = {key: place for place, key in enumerate(keys)}
    new = facts_of(scene)
    objects = {}
    names, words = likeliest(scene), words_of(scene)
    for index, key in enumerate(keys):
        noted = origin.of(index)
        relations = []
        for relation in noted.get("relations", ()):
            if relation["object"] in places:
                fact = _fact(relation, index, places)
                new.discard(fact)
                relations += [dict(relation)] if still_holds(scene, fact) else []
        objects[key] = {**_object(scene, index, noted, names[index], words[index])}
        objects[key]["relations"] = relations
    for name, i, j in sorted(new):
        objects[keys[i]]["relations"].append({"name": name.replace("_", " "), "object": keys[j]})
    return {**size, **origin.image, "objects": objects}


def _object(
    scene: Scene, index: int, noted: Mapping[str, Any], name: str, words: set[str]
) -> dict[str, Any]:
    """One object, as it was read while that still says the same as the scene."""
    made = {part: value for part, value in noted.items() if part != "id"}
    if not noted or (plain(noted["name"]) or "thing") != name:
        made["name"] = name
    if not noted or representable(noted.get("attributes", ()), scene) != words:
        made["attributes"] = sorted(words)
    box = sides(scene.boxes[index], [noted[side] for side in _BOX] if noted else None)
    return {**made, **dict(zip(_BOX, box, strict=True))}
