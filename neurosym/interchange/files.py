"""Files of all formats: one door to read them, one to write them.

What a file is, its content says: :func:`read` looks for the marks of every format and takes the one
that has them. What a format needs beside the file (pictures, masks) is looked for where its release
has it; what it never says (the sizes of images) is asked for.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from PIL import Image

from neurosym.errors import DataError, OptionError, did_you_mean, nearest
from neurosym.files import make_folder, write_atomically
from neurosym.interchange import (
    clevr,
    coco,
    flickr30k,
    gqa,
    graphs,
    localized_narratives,
    nlvr,
    panoptic,
    visual_genome,
)
from neurosym.interchange.names import FORMATS
from neurosym.interchange.scenes import Scenes, gathered, reading
from neurosym.pixels import ImageSize
from neurosym.scene import Scene
from neurosym.scene_io import FORMAT as SAVED
from neurosym.scene_io import from_document, to_document

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
_SAVED_BY_US = SAVED.partition("/")[0]
_Contents: TypeAlias = list[tuple[Path, bytes]]


@dataclass(frozen=True)
class _Source:
    """What is read: a path, what it holds if that is JSON, and where the images are."""

    path: Path
    document: Any
    images: Path | None


def read(
    path: str | Path, format: str | None = None, *, images: str | Path | None = None
) -> Scenes:
    """The scenes of a file, or of a folder of the formats that are folders.

    Args:
        path: what to read.
        format: one of :data:`neurosym.interchange.names.FORMATS`; found by the content when left
            out.
        images: what a file lacks: a folder of the pictures, or a JSON file that lists them with
            their sizes (annotations of COCO, ``image_data.json`` of Visual Genome). Narratives need
            one or the other, Visual Genome does where its files give no sizes, and lists of results
            need COCO's annotations.

    Raises:
        OptionError: there is no such format.
        DataError: the file cannot be read, is of none of the formats, or is damaged.
    """
    path, images = Path(path), None if images is None else Path(images)
    if format is not None:
        check_format(format)
    document = None if path.is_dir() or path.suffix == ".xml" else _load(path)
    source = _Source(path, document, images)
    if format is None:
        format = _recognised(source)
    try:
        return _READERS[format](source)
    except DataError as error:
        raise DataError(f'cannot read "{path}" as {format}: {error.message}') from error


def write(scenes: Scene | Mapping[Any, Scene], path: str | Path, format: str) -> list[Path]:
    """Write scenes to a file, or to several; all are made before the first is written.

    Args:
        scenes: one scene, or some by image.
        path: the file; the folder for formats that are folders.
        format: one of :data:`neurosym.interchange.names.FORMATS`.

    Returns:
        What was written.

    Raises:
        OptionError: there is no such format.
        DataError: the format cannot hold these scenes, or a file cannot be written.
    """
    check_format(format)
    made = gathered(scenes)
    try:
        contents = list(_WRITERS[format](made, Path(path)))
    except DataError as error:
        raise DataError(f"cannot write this as {format}: {error.message}") from error
    count = Counter(name for name, _ in contents)
    if twice := [name for name, times in count.items() if times > 1]:
        raise DataError(f'two scenes would be written to "{twice[0]}"')
    for name, _ in contents:
        make_folder(name.parent)
    return [write_atomically(name, content) for name, content in contents]


def check_format(name: str) -> None:
    """Refuse what is no format.

    Raises:
        OptionError: there is no such format; the nearest one is named.
    """
    if name not in FORMATS:
        hint = did_you_mean(nearest(name, FORMATS)) or f": expected one of {', '.join(FORMATS)}"
        raise OptionError(f'there is no format "{name}"{hint}')


def _load(path: Path) -> Any:
    """The JSON of a file; of JSON Lines, a list."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f'cannot read "{path}": {reason}') from error
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as whole:
        lines = [line for line in text.splitlines() if line.strip()]
        try:
            if len(lines) < 2:
                raise ValueError
            return [json.loads(line) for line in lines]
        except (ValueError, RecursionError):
            raise DataError(f'"{path}" is neither JSON nor JSON Lines: {whole}') from whole


def _recognised(source: _Source) -> str:
    found = [name for name, has in _MARKS.items() if has(source)]
    if len(found) == 1:
        return found[0]
    several = f"it may be {' or '.join(found)}" if found else "its content is of no known format"
    raise DataError(f'cannot tell the format of "{source.path}": {several}; name one')


def _is_table(document: Any, *names: str) -> bool:
    return isinstance(document, dict) and all(name in document for name in names)


def _is_list(document: Any, *names: str) -> bool:
    """Whether the first of some entries has these fields; of one line, the line."""
    first = document[0] if isinstance(document, list) and document else document
    return _is_table(first, *names)


def _is_panoptic(document: Any) -> bool:
    return _is_table(document, "annotations") and _is_list(document["annotations"], "segments_info")


def _is_gqa(document: Any) -> bool:
    if not isinstance(document, dict) or not document:
        return False
    first = next(iter(document.values()))
    return _is_table(first, "width", "height", "objects") and isinstance(first["objects"], dict)


def _files(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern)) if folder.is_dir() else []


_MARKS: Mapping[str, Callable[[_Source], bool]] = {
    "scene": lambda s: (
        (
            _is_table(s.document, "format")
            and str(s.document["format"]).startswith("neurosym-scene/")
        )
        or bool(_files(s.path, "*.json"))
    ),
    "coco": lambda s: (
        _is_table(s.document, "images", "annotations", "categories")
        and not _is_panoptic(s.document)
    ),
    "coco-results": lambda s: (
        isinstance(s.document, list) and _is_list(s.document, "image_id", "category_id", "bbox")
    ),
    "coco-panoptic": lambda s: _is_panoptic(s.document),
    "visual-genome": lambda s: (
        isinstance(s.document, list)
        and _is_list(s.document, "image_id")
        and any(_is_list(s.document, n) for n in ("objects", "attributes", "relationships"))
    ),
    "gqa": lambda s: _is_gqa(s.document),
    "clevr": lambda s: (
        _is_table(s.document, "scenes") and _is_list(s.document["scenes"], "objects", "directions")
    ),
    "nlvr": lambda s: _is_list(s.document, "structured_rep"),
    "flickr30k": lambda s: s.path.suffix == ".xml" or bool(_files(s.path, "Annotations/*.xml")),
    "localized-narratives": lambda s: _is_list(s.document, "timed_caption", "traces"),
    "networkx": lambda s: _is_table(s.document, "nodes", "graph", "directed"),
}


# Reading.


def _read_scenes(source: _Source) -> Scenes:
    paths = _files(source.path, "*.json") if source.path.is_dir() else [source.path]
    return Scenes({path.stem: _saved(path) for path in paths}, "scene")


def _saved(path: Path) -> Scene:
    with reading(f'"{path.name}"'):
        document = _load(path)
        if not _is_table(document, "format") or document["format"] != SAVED:
            raise DataError(f'it is no saved scene: expected "format": "{SAVED}"')
        return from_document(document)


def _read_results(source: _Source) -> Scenes:
    if source.images is None or source.images.is_dir():
        raise DataError("the images and categories are not known: give COCO's file of annotations")
    return coco.from_coco_results(_lines(source), _load(source.images))


def _read_visual_genome(source: _Source) -> Scenes:
    beside = source.path.with_name("image_data.json")
    images = source.images or (beside if beside.is_file() else None)
    return visual_genome.from_visual_genome(_lines(source), sizes=_sizes(images))


def _read_clevr(source: _Source) -> Scenes:
    masks = source.path.with_name(source.path.name.replace("scenes", "masks"))
    if masks == source.path:
        raise DataError('its masks are not found: its name must contain "scenes"')
    return clevr.from_clevr(source.document, _load(masks))


def _read_flickr30k(source: _Source) -> Scenes:
    paths = _files(source.path / "Annotations", "*.xml") or [source.path]
    return Scenes({path.stem: _flickr(path) for path in paths}, flickr30k.FORMAT)


def _flickr(path: Path) -> Scene:
    text = f"{path.stem}.txt"
    places = [path.with_name(text), path.parent.parent / "Sentences" / text]
    sentences = next((place for place in places if place.is_file()), places[-1])
    try:
        read_in = [place.read_text(encoding="utf-8") for place in (sentences, path)]
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f'"{path.name}" and its sentences "{sentences}": {reason}') from error
    with reading(f'"{path.name}"'):
        return flickr30k.from_flickr30k(*read_in)


def _read_graph(source: _Source) -> Scenes:
    import networkx

    with reading("the graph"):
        name = "edges" if "edges" in source.document else "links"
        graph = networkx.node_link_graph(source.document, edges=name)
    return Scenes({source.path.stem: graphs.from_graph(graph)}, graphs.FORMAT)


def _lines(source: _Source) -> list[Any]:
    """The entries of a list; one line alone is one entry."""
    return source.document if isinstance(source.document, list) else [source.document]


_READERS: Mapping[str, Callable[[_Source], Scenes]] = {
    "scene": _read_scenes,
    "coco": lambda s: coco.from_coco(_table(s)),
    "coco-results": _read_results,
    "coco-panoptic": lambda s: panoptic.from_coco_panoptic(_table(s), s.path.with_suffix("")),
    "visual-genome": _read_visual_genome,
    "gqa": lambda s: gqa.from_gqa(_table(s)),
    "clevr": _read_clevr,
    "nlvr": lambda s: nlvr.from_nlvr(_lines(s)),
    "flickr30k": _read_flickr30k,
    "localized-narratives": lambda s: localized_narratives.from_localized_narratives(
        _lines(s), _sizes(s.images)
    ),
    "networkx": _read_graph,
}


def _table(source: _Source) -> Mapping[str, Any]:
    if not isinstance(source.document, dict):
        raise DataError("it must hold a JSON object")
    return source.document


class _Folder(Mapping[Any, ImageSize]):
    """The sizes of the pictures of a folder, by their names without ending, or as numbers."""

    def __init__(self, folder: Path) -> None:
        files = [path for path in folder.iterdir() if path.suffix.lower() in PICTURES]
        self.paths = {_key(path.stem): path for path in sorted(files)}

    def __getitem__(self, key: Any) -> ImageSize:
        path = self.paths[_key(key)]
        try:
            with Image.open(path) as picture:
                return ImageSize(picture.height, picture.width)
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            raise DataError(f'cannot read the picture "{path}": {error}') from error

    def __iter__(self) -> Iterator[Any]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)


class _Listed(Mapping[Any, ImageSize]):
    """The sizes that a JSON file lists, by the images' identifiers."""

    def __init__(self, images: Sequence[Mapping[str, Any]]) -> None:
        self.sizes = {}
        for number, image in enumerate(images):
            with reading(f"image {number}"):
                size = ImageSize(int(image["height"]), int(image["width"]))
                self.sizes[_key(image["image_id"] if "image_id" in image else image["id"])] = size

    def __getitem__(self, key: Any) -> ImageSize:
        return self.sizes[_key(key)]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.sizes)

    def __len__(self) -> int:
        return len(self.sizes)


def _key(key: Any) -> str:
    """Identifiers are numbers in one file, and numbers with zeros before them in another's name."""
    text = str(key)
    return str(int(text)) if text.isdecimal() else text


def _sizes(images: Path | None) -> Mapping[Any, ImageSize]:
    if images is None:
        return {}
    if images.is_dir():
        return _Folder(images)
    listed = _load(images)
    with reading(f'"{images}"'):
        return _Listed(listed["images"] if isinstance(listed, dict) else listed)


# Writing.


def _json(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def _json_lines(lines: Sequence[Any]) -> bytes:
    return b"".join(_json(line) + b"\n" for line in lines)


def _stem(key: Any, scene: Scene) -> str:
    """A file name for an image: its key, with nothing that leads elsewhere."""
    parts = key if isinstance(key, tuple) else (key,)
    name = "-".join(map(str, parts)).replace("/", "_").replace("\\", "_").lstrip(".")
    return name or f"image-{len(scene)}"


def _write_scenes(scenes: Scenes, path: Path) -> _Contents:
    if len(scenes) == 1 and path.suffix == ".json":
        return [(path, _json(to_document(scene))) for scene in scenes.values()]
    return [
        (path / f"{_stem(key, scene)}.json", _json(to_document(scene)))
        for key, scene in scenes.items()
    ]


def _write_panoptic(scenes: Scenes, path: Path) -> _Contents:
    if not path.suffix:
        raise DataError(f'the name of the file must end in .json, not be "{path.name}"')
    document, pictures = panoptic.to_coco_panoptic(scenes)
    contents = []
    for name, picture in pictures.items():
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "PNG")
        contents.append((path.with_suffix("") / Path(name).name, file.getvalue()))
    return [*contents, (path, _json(document))]


def _write_clevr(scenes: Scenes, path: Path) -> _Contents:
    beside = path.with_name(path.name.replace("scenes", "masks"))
    if beside == path:
        raise DataError(f'the name of the file must contain "scenes", not "{path.name}"')
    document, masks = clevr.to_clevr(scenes)
    return [(beside, _json(masks)), (path, _json(document))]


def _write_flickr30k(scenes: Scenes, path: Path) -> Iterator[tuple[Path, bytes]]:
    for key, scene in scenes.items():
        text, boxes = flickr30k.to_flickr30k(scene)
        stem = _stem(key, scene)
        yield path / "Sentences" / f"{stem}.txt", text.encode()
        yield path / "Annotations" / f"{stem}.xml", boxes.encode()


def _write_graph(scenes: Scenes, path: Path) -> _Contents:
    import networkx

    if len(scenes) != 1:
        raise DataError(f"a file holds the graph of one image, not of {len(scenes)}")
    (scene,) = scenes.values()
    return [(path, _json(networkx.node_link_data(scene.graph(), edges="edges")))]


_WRITERS: Mapping[str, Callable[[Scenes, Path], Any]] = {
    "scene": _write_scenes,
    "coco": lambda s, p: [(p, _json(coco.to_coco(s)))],
    "coco-results": lambda s, p: [(p, _json(coco.to_coco_results(s)))],
    "coco-panoptic": _write_panoptic,
    "visual-genome": lambda s, p: [(p, _json(visual_genome.to_visual_genome(s)))],
    "gqa": lambda s, p: [(p, _json(gqa.to_gqa(s)))],
    "clevr": _write_clevr,
    "nlvr": lambda s, p: [(p, _json_lines(nlvr.to_nlvr(s)))],
    "flickr30k": _write_flickr30k,
    "localized-narratives": lambda s, p: [
        (p, _json_lines(localized_narratives.to_localized_narratives(s)))
    ],
    "networkx": _write_graph,
}
