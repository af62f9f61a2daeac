"""COCO: instances and lists of results; panoptic annotations have a module of their own.

What survives from a file to scenes and back: everything. Boxes are the scene's, areas, identifiers,
licences and other fields stay in its origin. Masks are decoded when they are asked for and written
as they were read, be they polygons, run lengths or compressed ones; annotations are written by
rising identifier, whatever their order was.

What survives from any scene to a file and back:

======================  ==========================================================================
boxes, existence        yes; an existence other than 1 is the annotation's ``score``
categories              the likeliest one, and the names of all
masks                   those that have been made, as run lengths
attributes, relations,  no; those that follow from boxes follow again, others are lost
measures, marks, groups
======================  ==========================================================================

A crowd (``iscrowd``) is a region of many things, not a thing, so a scene does not count it among
its objects: see :func:`crowds`. Things and stuff are both objects.

Source: T.-Y. Lin et al., "Microsoft COCO: Common objects in context", ECCV 2014, and the data
format of cocodataset.org.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from neurosym.errors import DataError
from neurosym.interchange.scenes import (
    Scenes,
    as_read,
    corners,
    gathered,
    known_masks,
    likeliest,
    origin_of,
    photograph,
    reading,
    scores,
    segmentation_of,
    shortest,
    sides,
)
from neurosym.masks import Outlines, Segmentation, decode_mask
from neurosym.origin import Origin
from neurosym.perception.given import Thing
from neurosym.pixels import ImageSize
from neurosym.scene import Scene

FORMAT = "coco"
FAMILY = (FORMAT, "coco-panoptic")
"""Formats with one way of listing images and categories."""
_CROWDS = "crowds"
_LISTS = ("images", "annotations")
_HELD = ("image_id", "category_id", "bbox", "segmentation", "score")
"""Fields of an annotation that a scene has a place for."""


def from_coco(document: Mapping[str, Any]) -> Scenes:
    """The scenes of instance annotations.

    Args:
        document: ``images``, ``categories`` and ``annotations``, as in ``instances_val2017.json``.

    Returns:
        A scene per image, by its ``id``, also for images without annotations. An object exists
        with its ``score``, or else certainly. The header is the rest of the document.

    Raises:
        DataError: something is missing, or two parts do not fit together.

    Example:
        >>> scenes = from_coco({
        ...     "images": [{"id": 1, "file_name": "a.jpg", "width": 60, "height": 40}],
        ...     "categories": [{"id": 17, "name": "cat"}],
        ...     "annotations": [{"id": 5, "image_id": 1, "category_id": 17,
        ...         "bbox": [10, 5, 20, 30], "area": 600, "iscrowd": 0}]})
        >>> scenes[1].boxes
        tensor([[10.,  5., 30., 35.]])
    """
    names = category_names(document)
    images = images_by_id(document)
    by_image: dict[Any, list[tuple[str, Mapping[str, Any]]]] = {key: [] for key in images}
    with reading("the COCO file"):
        listed = list(document["annotations"])
    for number, annotation in enumerate(listed):
        with reading(f"annotation {number}"):
            if annotation["image_id"] not in by_image:
                raise DataError(f"there is no image {annotation['image_id']!r}")
            by_image[annotation["image_id"]].append((f"annotation {number}", annotation))
    header = {name: part for name, part in document.items() if name not in _LISTS}
    scenes = {key: _scene(image, by_image[key], names) for key, image in images.items()}
    return Scenes(scenes, FORMAT, header)


def from_coco_results(results: Sequence[Mapping[str, Any]], about: Mapping[str, Any]) -> Scenes:
    """The scenes of detections in the format that COCO's evaluation takes.

    Args:
        results: ``image_id``, ``category_id``, ``bbox`` and ``score`` of each detection, perhaps
            with a ``segmentation``.
        about: the file that lists the ``images`` and ``categories``, such as the annotations.

    Returns:
        A scene per image; an object exists with its score, each apart from all others.

    Raises:
        DataError: something is missing, or the two do not fit together.
    """
    return from_coco({**about, "annotations": results})


def crowds(scene: Scene) -> Scene:
    """The crowd regions of a scene that was read from COCO, as a scene of their own.

    That goes for instances and for panoptic annotations. Its objects are regions of several things
    of their category each; evaluation neither asks for them nor counts what lies in them.
    """
    if scene.origin is not None and scene.origin.format != FORMAT:
        from neurosym.interchange import panoptic

        return panoptic.crowds(scene)
    origin = origin_of(scene, FORMAT)
    names = {name: name for name in scene.categories.values}
    regions = [
        (f"crowd {number}", {**region, "category_id": region["category"], "iscrowd": 0})
        for number, region in enumerate(origin.image.get(_CROWDS, ()))
    ]
    return _scene({"id": origin.image.get("file_name"), **scene.size._asdict()}, regions, names)


def to_coco(
    scenes: Scene | Mapping[Any, Scene], header: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Instance annotations of scenes.

    Args:
        scenes: by image; unless all keys are whole numbers, images are numbered from 1 and the
            keys are their file names.
        header: ``categories``, ``licenses`` and the like; that of the scenes when left out.
            Categories that it lacks are added.

    Returns:
        A document of COCO's form, ready for JSON.
    """
    scenes = gathered(scenes)
    head = header_of(scenes, header)
    numbers = {category["name"]: category["id"] for category in head["categories"]}
    images, annotations = [], []
    for number, key, scene in numbered(scenes):
        origin = origin_of(scene, FORMAT)
        images.append(image_entry(scene, number, key))
        entries = list(_entries(scene, origin, numbers))
        entries += _crowd_entries(scene, origin, numbers)
        annotations += [{"image_id": number, **entry} for entry in entries]
    _identify(annotations)
    return {**head, "images": images, "annotations": annotations}


def to_coco_results(
    scenes: Scene | Mapping[Any, Scene], header: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Scenes as the list of detections that COCO's evaluation takes.

    Args:
        scenes: by image identifier.
        header: ``categories`` that say which category has which identifier; that of the scenes
            when left out.

    Returns:
        An entry per object, in their order: its likeliest category, its box, its mask where there
        is one, and as ``score`` the probability that it exists and is of that category.
    """
    scenes = gathered(scenes)
    numbers = {entry["name"]: entry["id"] for entry in header_of(scenes, header)["categories"]}
    wanted = ("category_id", "bbox", "segmentation")
    results = []
    for number, _, scene in numbered(scenes):
        for entry in _entries(scene, origin_of(scene, FORMAT), numbers):
            kept = {name: entry[name] for name in wanted if name in entry}
            results.append({"image_id": number, **kept, "score": entry.get("score", 1)})
    return results


def _scene(
    image: Mapping[str, Any],
    annotations: Iterable[tuple[str, Mapping[str, Any]]],
    names: Mapping[Any, str],
) -> Scene:
    """One image's scene; annotations come with what an error calls them."""
    with reading(f"image {image['id']!r}"):
        size = ImageSize(int(image["height"]), int(image["width"]))
    things, notes, segmentations, apart = [], [], [], []
    for what, annotation in annotations:
        with reading(what):
            if annotation["category_id"] not in names:
                raise DataError(f"there is no category {annotation['category_id']!r}")
            name = names[annotation["category_id"]]
            if annotation.get("iscrowd"):
                kept = {k: v for k, v in annotation.items() if k not in _HELD[:2]}
                apart.append({"category": name, **kept})
                continue
            score = float(annotation.get("score", 1))
            if not 0 <= score <= 1:
                raise DataError(f"the score must lie in [0, 1], not {score}")
            things.append(Thing(name, corners(annotation["bbox"]), existence=score))
            segmentations.append(annotation.get("segmentation") or None)
            notes.append(_note(annotation))
    with reading(f"image {image['id']!r}"):
        boxes = torch.tensor([thing.box for thing in things], dtype=torch.float32).reshape(-1, 4)
        masks = Outlines(size, tuple(segmentations), boxes) if any(segmentations) else None
        origin = Origin(FORMAT, image_note(image), tuple(notes))
        if apart:
            origin = replace(origin, image={**origin.image, _CROWDS: apart})
        return photograph(
            things,
            size,
            origin,
            categories=tuple(names.values()),
            pixels=masks,
            name=str(image.get("file_name", "")),
        )


def _note(annotation: Mapping[str, Any]) -> dict[str, Any]:
    """What of an annotation a scene cannot give back as it stands there."""
    note = {name: part for name, part in annotation.items() if name not in _HELD}
    box = torch.tensor(corners(annotation["bbox"]), dtype=torch.float32)
    if sides(box) != list(annotation["bbox"]):
        note["bbox"] = annotation["bbox"]
    if "score" in annotation and shortest(annotation["score"]) != annotation["score"]:
        note["score"] = annotation["score"]
    if annotation.get("segmentation") == []:
        note["segmentation"] = []
    return note


def _entries(scene: Scene, origin: Origin, numbers: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    """The annotations of a scene's objects, without image and, where it has none, identifier."""
    known = known_masks(scene)
    for index, (name, score) in enumerate(scores(scene)):
        note = origin.of(index)
        entry = {
            **note,
            "category_id": numbers[name],
            "bbox": sides(scene.boxes[index], note.get("bbox")),
        }
        segmentation = segmentation_of(scene, known, index)
        if segmentation is not None:
            entry["segmentation"] = segmentation
        if "area" not in entry:
            entry["area"] = _area(scene, index, segmentation)
        entry.setdefault("iscrowd", 0)
        if score != 1:
            entry["score"] = as_read(score, note.get("score"))
        yield entry


def _crowd_entries(
    scene: Scene, origin: Origin, numbers: Mapping[str, int]
) -> Iterator[dict[str, Any]]:
    """The annotations of a scene's crowd regions, as they were read if they were."""
    if origin is not scene.origin:
        apart = crowds(scene)
        for entry in _entries(apart, Origin(FORMAT), numbers):
            yield {**entry, "iscrowd": 1}
        return
    for region in origin.image.get(_CROWDS, ()):
        kept = {name: part for name, part in region.items() if name != "category"}
        yield {"category_id": numbers[region["category"]], **kept}


def _area(scene: Scene, index: int, segmentation: Segmentation | None) -> float:
    if segmentation is not None:
        return int(decode_mask(segmentation, scene.size).sum())
    _, _, width, height = sides(scene.boxes[index])
    return shortest(width * height)


def _identify(annotations: list[dict[str, Any]]) -> None:
    """Give those without an identifier, or with one that is taken, the next; put them in order."""
    used: set[Any] = set()
    numbers = [a["id"] for a in annotations if isinstance(a.get("id"), int)]
    fresh = itertools.count(max(numbers, default=0) + 1)
    for annotation in annotations:
        if annotation.get("id") is None or annotation["id"] in used:
            annotation["id"] = next(fresh)
        used.add(annotation["id"])
    if all(isinstance(annotation["id"], int) for annotation in annotations):
        annotations.sort(key=lambda annotation: int(annotation["id"]))


# What instances and panoptic annotations share.


def category_names(document: Mapping[str, Any]) -> dict[Any, str]:
    """Identifier -> name of the categories of a COCO file.

    Raises:
        DataError: there are none, or two have one name or identifier.
    """
    with reading("the COCO file"):
        names = {entry["id"]: str(entry["name"]) for entry in document["categories"]}
        if not len(document["categories"]) == len(names) == len(set(names.values())):
            raise DataError("two categories have one identifier or one name")
    return names


def images_by_id(document: Mapping[str, Any]) -> dict[Any, Mapping[str, Any]]:
    """The images of a COCO file by their ``id``.

    Raises:
        DataError: there are none, or two have one identifier.
    """
    with reading("the COCO file"):
        images = {image["id"]: image for image in document["images"]}
        if len(images) < len(document["images"]):
            raise DataError("two images have one identifier")
    return images


def image_note(image: Mapping[str, Any]) -> dict[str, Any]:
    """What a COCO file says of an image beyond its identifier and size."""
    return {name: part for name, part in image.items() if name not in ("id", "width", "height")}


def image_entry(scene: Scene, number: int, key: Any) -> dict[str, Any]:
    """What a COCO file says of an image."""
    noted = {k: v for k, v in origin_of(scene, *FAMILY).image.items() if k != _CROWDS}
    name = str(scene.provenance.get("image") or key)
    size = {"width": scene.size.width, "height": scene.size.height}
    return {"id": number, "file_name": name, **size, **noted}


def numbered(scenes: Mapping[Any, Scene]) -> Iterator[tuple[int, Any, Scene]]:
    """(image identifier, key, scene); keys that are whole numbers are kept, else it is 1, 2, ..."""
    given = all(str(key).isdecimal() for key in scenes)
    given = given and len({int(key) for key in scenes}) == len(scenes)
    for place, (key, scene) in enumerate(scenes.items(), start=1):
        yield int(key) if given else place, key, scene


def header_of(scenes: Scenes, header: Mapping[str, Any] | None) -> dict[str, Any]:
    """A COCO header that names every category that the scenes need.

    Args:
        scenes: whose header is taken when they come from COCO.
        header: another one.

    Raises:
        DataError: its categories are not of COCO's form.
    """
    if header is None:
        header = scenes.header if scenes.format in FAMILY else {}
    categories = list(header.get("categories", ()))
    known = set(category_names({"categories": categories}).values())
    used = dict.fromkeys(name for scene in scenes.values() for name in _named(scene))
    fresh = itertools.count(max((int(entry["id"]) for entry in categories), default=0) + 1)
    categories += [{"id": next(fresh), "name": name} for name in used if name not in known]
    return {**header, "categories": categories}


def _named(scene: Scene) -> Iterable[str]:
    """The categories that must have an identifier."""
    if scene.origin is None or scene.origin.format not in FAMILY:
        return scene.categories.values
    apart = [region["category"] for region in scene.origin.image.get(_CROWDS, ())]
    return (*likeliest(scene), *apart)
