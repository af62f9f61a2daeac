"""COCO panoptic: segments that do not overlap, listed in JSON and painted in PNG files.

Things and stuff are both objects; a crowd segment is no object but is had apart, as for
instances (:func:`crowds`).

What survives from a file to scenes and back: everything, the pictures to the pixel. What survives
from any scene: categories (the likeliest one), boxes, and masks, which are made if they have not
been; where they overlap, the smaller one is painted over the larger. Existence, attributes,
relations, measures and marks are lost.

Source: A. Kirillov et al., "Panoptic segmentation", CVPR 2019, and the data format of
cocodataset.org. The segment of a pixel is R + 256 G + 65536 B; 0 is no segment.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from neurosym.errors import DataError
from neurosym.interchange.coco import (
    category_names,
    header_of,
    image_entry,
    image_note,
    images_by_id,
    numbered,
)
from neurosym.interchange.coco import (
    crowds as crowds_of,
)
from neurosym.interchange.scenes import (
    Scenes,
    corners,
    gathered,
    likeliest,
    origin_of,
    photograph,
    reading,
    sides,
)
from neurosym.origin import Origin
from neurosym.perception.given import Thing
from neurosym.pixels import GivenMasks, ImageSize
from neurosym.scene import Scene

FORMAT = "coco-panoptic"
Pictures: TypeAlias = Path | Mapping[str, NDArray[np.uint8]]
"""The PNG files: their folder, or file name -> [height, width, 3] uint8."""
_BASE = np.array([1, 256, 65536])
_CROWDS = "crowds"
_ANNOTATION = "annotation"
_HELD = ("category_id", "bbox")


@dataclass(frozen=True)
class Segments(GivenMasks):
    """The masks of a panoptic picture, which is read when one is asked for.

    Attributes:
        picture: the picture's file, or the picture itself, [height, width, 3] uint8.
        numbers: the segment of every object.
    """

    picture: Path | NDArray[np.uint8] = Path()
    numbers: tuple[int, ...] = ()

    def segments(self) -> NDArray[np.int64]:
        """The segment of every pixel, [height, width].

        Raises:
            DataError: the picture cannot be read, or is of another size.
        """
        picture = self.picture if isinstance(self.picture, np.ndarray) else _read(self.picture)
        if picture.shape != (*self.size, 3):
            raise DataError(
                f"a panoptic picture must be uint8 {[*self.size, 3]}, not {list(picture.shape)}"
            )
        made: NDArray[np.int64] = picture.astype(np.int64) @ _BASE
        return made

    def masks(self, indices: Sequence[int]) -> Tensor:  # noqa: D102 - inherited
        painted = self.segments()
        made = torch.zeros((len(indices), *self.size), dtype=torch.bool)
        for row, index in enumerate(indices):
            made[row] = torch.from_numpy(painted == self.numbers[index])
        return made

    def known_masks(self) -> Mapping[int, Tensor]:  # noqa: D102 - inherited
        return dict(enumerate(self.masks(range(len(self.numbers)))))

    def take(self, indices: Sequence[int]) -> Segments:  # noqa: D102 - inherited
        return replace(self, numbers=tuple(self.numbers[index] for index in indices))


def from_coco_panoptic(document: Mapping[str, Any], pictures: Pictures) -> Scenes:
    """The scenes of panoptic annotations.

    Args:
        document: ``images``, ``categories`` and ``annotations`` with ``segments_info``.
        pictures: the PNG files, which are read when masks are asked for.

    Returns:
        A scene per image, by its ``id``, also for images without annotations.

    Raises:
        DataError: something is missing, or two parts do not fit together.
    """
    names = category_names(document)
    images = images_by_id(document)
    listed: dict[Any, Mapping[str, Any]] = {}
    with reading("the panoptic file"):
        annotations = list(document["annotations"])
    for number, annotation in enumerate(annotations):
        with reading(f"annotation {number}"):
            key = annotation["image_id"]
            if key not in images or key in listed:
                known = "a second annotation" if key in listed else "no image"
                raise DataError(f"there is {known} {key!r}")
            listed[key] = annotation
    scenes = {}
    for key, image in images.items():
        with reading(f"image {key!r}"):
            scenes[key] = _scene(image, listed.get(key), names, pictures)
    kept = {name: part for name, part in document.items() if name not in ("images", "annotations")}
    return Scenes(scenes, FORMAT, kept)


def to_coco_panoptic(
    scenes: Scene | Mapping[Any, Scene], header: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], dict[str, NDArray[np.uint8]]]:
    """Panoptic annotations of scenes.

    Args:
        scenes: by image, as for :func:`neurosym.interchange.coco.to_coco`.
        header: ``categories`` and the like; that of the scenes when left out.

    Returns:
        The document, and its pictures: file name -> [height, width, 3] uint8.
    """
    scenes = gathered(scenes)
    head = header_of(scenes, header)
    numbers = {category["name"]: category["id"] for category in head["categories"]}
    images, annotations, pictures = [], [], {}
    for number, key, scene in numbered(scenes):
        images.append(image_entry(scene, number, key))
        images[-1].pop(_ANNOTATION, None)
        origin = origin_of(scene, FORMAT)
        if origin is scene.origin and _ANNOTATION not in origin.image:
            continue
        with reading(f"image {key!r}"):
            infos, pixels = _painted(scene, origin, numbers)
        noted = origin.image.get(_ANNOTATION, {})
        name = noted.get("file_name", f"{Path(images[-1]['file_name']).stem}.png")
        annotation = {"image_id": number, "file_name": name, "segments_info": infos}
        annotations.append({**noted, **annotation})
        pictures[name] = pixels
    return {**head, "images": images, "annotations": annotations}, pictures


def crowds(scene: Scene) -> Scene:
    """The crowd segments of a scene that was read from panoptic annotations, as a scene.

    :func:`neurosym.interchange.coco.crowds` gives those of instances, too.
    """
    regions = origin_of(scene, FORMAT).image.get(_CROWDS, ())
    things = [Thing(region["category"], corners(region["bbox"])) for region in regions]
    pixels = None
    if isinstance(scene.pixels, Segments):
        boxes = torch.tensor([thing.box for thing in things]).reshape(-1, 4)
        pixels = replace(scene.pixels, boxes=boxes, numbers=tuple(r["id"] for r in regions))
    origin = Origin(FORMAT, objects=tuple({"id": region["id"]} for region in regions))
    return photograph(things, scene.size, origin, categories=scene.categories.values, pixels=pixels)


def _scene(
    image: Mapping[str, Any],
    annotation: Mapping[str, Any] | None,
    names: Mapping[Any, str],
    pictures: Pictures,
) -> Scene:
    size = ImageSize(int(image["height"]), int(image["width"]))
    things, notes, apart = [], [], []
    for number, info in enumerate(annotation["segments_info"] if annotation else ()):
        with reading(f"segment {number}"):
            if info["category_id"] not in names:
                raise DataError(f"there is no category {info['category_id']!r}")
            name = names[info["category_id"]]
            note = {key: part for key, part in info.items() if key not in _HELD}
            box = corners(info["bbox"])
            if sides(torch.tensor(box, dtype=torch.float32)) != list(info["bbox"]):
                note["bbox"] = info["bbox"]
            if info.get("iscrowd"):
                apart.append({**note, "bbox": info["bbox"], "category": name, "place": number})
                continue
            things.append(Thing(name, box))
            notes.append(note)
    remarks = image_note(image)
    pixels = None
    if annotation is not None:
        rest = {k: v for k, v in annotation.items() if k not in ("image_id", "segments_info")}
        remarks[_ANNOTATION] = rest
        boxes = torch.tensor([thing.box for thing in things], dtype=torch.float32).reshape(-1, 4)
        picture = _picture(pictures, str(annotation["file_name"]))
        pixels = Segments(size, {}, boxes, picture, tuple(int(note["id"]) for note in notes))
    if apart:
        remarks[_CROWDS] = apart
    return photograph(
        things,
        size,
        Origin(FORMAT, remarks, tuple(notes)),
        categories=tuple(names.values()),
        pixels=pixels,
        name=str(image.get("file_name", "")),
    )


def _painted(
    scene: Scene, origin: Origin, categories: Mapping[str, int]
) -> tuple[list[dict[str, Any]], NDArray[np.uint8]]:
    """The segments of a scene, and their picture."""
    regions = origin.image.get(_CROWDS, ())
    taken = [int(note["id"]) for note in (*origin.objects, *regions) if "id" in note]
    fresh = itertools.count(max(taken, default=0) + 1)
    numbers = [int(origin.of(index).get("id") or next(fresh)) for index in range(len(scene))]
    # Crowds of instances have no number here, and lie below everything.
    apart = crowds_of(scene) if scene.origin is not origin else scene[[]]
    others = [next(fresh) for _ in range(len(apart))]
    if isinstance(scene.pixels, Segments) and tuple(numbers) == scene.pixels.numbers:
        painted = scene.pixels.segments()
        painted[~np.isin(painted, [*numbers, *(region["id"] for region in regions)])] = 0
    else:
        painted = np.zeros(scene.size, dtype=np.int64)
        for row, number in enumerate(others):
            painted[apart.masks([row])[0].cpu().numpy()] = number
        masks = scene.masks(range(len(scene))).cpu().numpy()
        for index in np.argsort(-masks.sum((1, 2)), kind="stable"):
            painted[masks[index]] = numbers[index]
    segments, pixels = np.unique(painted, return_counts=True)
    areas = dict(zip(segments.tolist(), pixels.tolist(), strict=True))
    infos = []
    for index, name in enumerate(likeliest(scene)):
        note = origin.of(index)
        info = {
            "id": numbers[index],
            "category_id": categories[name],
            "bbox": sides(scene.boxes[index], note.get("bbox")),
            **{"iscrowd": 0, "area": areas.get(numbers[index], 0)},
        }
        infos.append({**info, **{k: v for k, v in note.items() if k != "bbox"}})
    for region in regions:
        info = {"category_id": categories[region["category"]], **region}
        kept = {name: part for name, part in info.items() if name not in ("category", "place")}
        infos.insert(region["place"], kept)
    for row, name in enumerate(likeliest(apart)):
        area = areas.get(others[row], 0)
        info = {"id": others[row], "category_id": categories[name], "area": area}
        infos.append({**info, "bbox": sides(apart.boxes[row]), "iscrowd": 1})
    return infos, (painted[..., None] // _BASE % 256).astype(np.uint8)


def _picture(pictures: Pictures, name: str) -> Path | NDArray[np.uint8]:
    if isinstance(pictures, Path):
        return pictures / name
    if name not in pictures:
        raise DataError(f'there is no picture "{name}"')
    return pictures[name]


def _read(path: Path) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as file:
            return np.array(file.convert("RGB"))
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f'cannot read the panoptic picture "{path}": {error}') from error
