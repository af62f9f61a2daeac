"""Visual Genome: objects, attributes, relationships and scene graphs.

How words become attributes and relations: :mod:`neurosym.interchange.scene_graphs`. An object's
category is its first name; it keeps the others, as its synsets and numbers, in its origin.

What survives from ``objects.json`` or ``scene_graphs.json`` to scenes and back: everything. What
``attributes.json`` and ``relationships.json`` say survives, too, but is written in the form of
``scene_graphs.json``. What survives from any scene: categories (the likeliest), boxes, attributes
with evidence (the likeliest value) and relations that hold, but for those that boxes decide; masks,
probabilities, measures and marks are lost.

Source: R. Krishna et al., "Visual Genome", IJCV 2017, and the data format of visualgenome.org.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
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

FORMAT = "visual-genome"
_BOX = ("x", "y", "w", "h")
_ENDS = ("subject", "object")


def from_visual_genome(
    document: Sequence[Mapping[str, Any]],
    *more: Sequence[Mapping[str, Any]],
    sizes: Mapping[Any, ImageSize] | None = None,
) -> Scenes:
    """The scenes of one or more files of a release.

    Args:
        document: the content of ``objects.json``, ``attributes.json``, ``relationships.json`` or
            ``scene_graphs.json``: an entry per image.
        more: further files about the same images; what they add to an object is put to it.
        sizes: of the images, by identifier, where the files give no ``width`` and ``height``; see
            :func:`image_sizes`.

    Returns:
        A scene per image, by ``image_id``.

    Raises:
        DataError: something is not as released, or the size of an image is not known.
    """
    entries: dict[Any, dict[str, Any]] = {}
    for part in (document, *more):
        for number, raw in enumerate(part):
            with reading(f"entry {number}"):
                key, entry = raw["image_id"], _as_graph(raw)
                entries[key] = _joined(entries[key], entry) if key in entries else entry
    made = {}
    for key, entry in entries.items():
        with reading(f"image {key!r}"):
            made[key] = _scene(key, entry, sizes or {})
    return Scenes(made, FORMAT)


def image_sizes(document: Sequence[Mapping[str, Any]]) -> dict[Any, ImageSize]:
    """The sizes that ``image_data.json`` gives, by ``image_id``."""
    with reading("the file of images"):
        return {
            image["image_id"]: ImageSize(int(image["height"]), int(image["width"]))
            for image in document
        }


def to_visual_genome(scenes: Scene | Mapping[Any, Scene]) -> list[dict[str, Any]]:
    """Scenes as scene graphs: an entry per image with ``objects`` and ``relationships``."""
    scenes = gathered(scenes)
    used = [
        origin_of(scene, FORMAT).of(index).get("object_id", 0)
        for scene in scenes.values()
        for index in range(len(scene))
    ]
    fresh = itertools.count(max((n for n in used if isinstance(n, int)), default=0) + 1)
    return [_entry(key, scene, fresh) for key, scene in scenes.items()]


def _as_graph(raw: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of any of the files in the form of ``scene_graphs.json``."""
    entry = {name: part for name, part in raw.items() if name != "attributes"}
    entry["objects"] = [dict(thing) for thing in raw.get("objects", raw.get("attributes", ()))]
    if "relationships" in raw:
        known = {thing["object_id"] for thing in entry["objects"]}
        entry["relationships"] = []
        for relationship in raw["relationships"]:
            made = dict(relationship)
            for end in _ENDS:
                if end in made:
                    thing = dict(made.pop(end))
                    made[f"{end}_id"] = thing["object_id"]
                    if thing["object_id"] not in known:
                        entry["objects"].append(thing)
                        known.add(thing["object_id"])
            entry["relationships"].append(made)
    return entry


def _joined(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Two entries about one image; what the first says of an object counts."""
    things = {thing["object_id"]: thing for thing in one["objects"]}
    for thing in other["objects"]:
        known = things.get(thing["object_id"], {})
        # Some files call the one name of an object "name".
        rest = {k: v for k, v in thing.items() if not (k == "name" and "names" in known)}
        things[thing["object_id"]] = {**rest, **known}
    joined = {**other, **one, "objects": list(things.values())}
    if "relationships" in other:
        joined["relationships"] = [*one.get("relationships", ()), *other["relationships"]]
    return joined


def _scene(key: Any, entry: Mapping[str, Any], sizes: Mapping[Any, ImageSize]) -> Scene:
    if "width" in entry and "height" in entry:
        size = ImageSize(int(entry["height"]), int(entry["width"]))
    elif key in sizes:
        size = sizes[key]
    else:
        raise DataError("its size is not known: give that of image_data.json, or the images")
    things = []
    for number, thing in enumerate(entry["objects"]):
        with reading(f"object {number}"):
            words = tuple(map(str, thing.get("attributes", ())))
            things.append(Described(_name(thing), corners(_sides(thing)), words))
    places = {thing["object_id"]: place for place, thing in enumerate(entry["objects"])}
    facts = []
    for number, relationship in enumerate(entry.get("relationships", ())):
        with reading(f"relationship {number}"):
            facts.append(_fact(relationship, places))
    image = {name: part for name, part in entry.items() if name not in ("image_id", "objects")}
    return graph_scene(things, facts, size, Origin(FORMAT, image, tuple(entry["objects"])))


def _name(thing: Mapping[str, Any]) -> str:
    names = thing["names"] if "names" in thing else [thing["name"]]
    return str(names[0]) if names else ""


def _sides(thing: Mapping[str, Any]) -> list[float]:
    return list(thing["bbox"]) if "bbox" in thing else [thing[side] for side in _BOX]


def _fact(relationship: Mapping[str, Any], places: Mapping[Any, int]) -> Fact:
    ends = [relationship[f"{end}_id"] for end in _ENDS]
    missing = [end for end in ends if end not in places]
    if missing:
        raise DataError(f"there is no object {missing[0]!r}")
    return (relation_name(relationship["predicate"]), places[ends[0]], places[ends[1]])


def _entry(key: Any, scene: Scene, fresh: Iterator[int]) -> dict[str, Any]:
    origin = origin_of(scene, FORMAT)
    objects = [
        _object(scene, index, origin.of(index), words, name, fresh)
        for index, (words, name) in enumerate(zip(words_of(scene), likeliest(scene), strict=True))
    ]
    entry = {"image_id": key, **origin.image, "objects": objects}
    if scene.origin is not origin:
        entry |= {"width": scene.size.width, "height": scene.size.height}
    relationships = _relationships(scene, origin.image.get("relationships", ()), objects)
    if relationships or "relationships" in origin.image or scene.origin is not origin:
        entry["relationships"] = relationships
    return entry


def _object(
    scene: Scene,
    index: int,
    noted: Mapping[str, Any],
    words: set[str],
    name: str,
    fresh: Iterator[int],
) -> dict[str, Any]:
    """One object, as it was read while that still says the same as the scene."""
    made = {**noted} if noted else {"object_id": next(fresh), "attributes": []}
    if not noted or (plain(_name(noted)) or "thing") != name:
        made.pop("name", None)
        made["names"] = [name]
    if representable(noted.get("attributes", ()), scene) != words:
        made["attributes"] = sorted(words)
    box = sides(scene.boxes[index], _sides(noted) if noted else None)
    return {**made, **({"bbox": box} if "bbox" in noted else dict(zip(_BOX, box, strict=True)))}


def _relationships(
    scene: Scene, noted: Sequence[Mapping[str, Any]], objects: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Those that were read and still hold, and what holds beyond them."""
    places = {thing["object_id"]: place for place, thing in enumerate(objects)}
    kept, known = [], set()
    for relationship in noted:
        if all(relationship[f"{end}_id"] in places for end in _ENDS):
            fact = _fact(relationship, places)
            known.add(fact)
            if still_holds(scene, fact):
                kept.append(dict(relationship))
    numbers = [r["relationship_id"] for r in kept if isinstance(r.get("relationship_id"), int)]
    fresh = itertools.count(max(numbers, default=0) + 1)
    for name, i, j in sorted(facts_of(scene) - known):
        kept.append(
            {
                "relationship_id": next(fresh),
                "predicate": name.replace("_", " "),
                "subject_id": objects[i]["object_id"],
                "object_id": objects[j]["object_id"],
            }
        )
    return kept
