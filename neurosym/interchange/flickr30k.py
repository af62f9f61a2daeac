"""Flickr30k Entities: sentences whose phrases name boxes of a photograph.

An object is a box; its category is the type of the entity that it shows ("people", "clothing",
...), as the sentences give it, or "other". The phrases are had by :func:`sentences`.

The release counts pixels from 1 and gives the last one that is inside, so that ``xmin`` 1 and
``xmax`` 10 are x1 = 0 and x2 = 10 here.

What survives from the two files to a scene and back: every sentence, letter by letter, and every
element of the XML. What survives from any scene: its boxes, and the likeliest category as the type
of an entity of its own; all else is lost, and boxes are rounded to whole pixels.

Source: B. Plummer et al., "Flickr30k Entities", ICCV 2015, and the data format of its release.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from neurosym.errors import DataError
from neurosym.interchange.scenes import likeliest, origin_of, photograph, reading
from neurosym.origin import Origin
from neurosym.perception.given import Thing
from neurosym.pixels import ImageSize
from neurosym.scene import Scene
from neurosym.span import Span

FORMAT = "flickr30k"
OTHER = "other"
_PHRASE = re.compile(r"\[/EN#([^/\s]+)/(\S+)\s([^\]]*)\]")
_EDGES = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True)
class Phrase:
    """One phrase of a sentence.

    Attributes:
        text: its words.
        span: where they stand in the sentence.
        entity: the number of what it names, the same in all sentences of an image.
        types: for example ("people",).
        objects: the scene's objects that it names; none for what has no box.
    """

    text: str
    span: Span
    entity: str
    types: tuple[str, ...]
    objects: tuple[int, ...]


@dataclass(frozen=True)
class Sentence:
    """A sentence without its marks, and its phrases from left to right."""

    text: str
    phrases: tuple[Phrase, ...]


def from_flickr30k(text: str, boxes: str) -> Scene:
    """The scene of one image.

    Args:
        text: the content of its file of sentences, one a line, with marks such as
            ``[/EN#12/people Two men] wait .``
        boxes: the content of its XML file.

    Raises:
        DataError: the XML is damaged, or something in it is missing.
    """
    lines = text.splitlines()
    with reading("the XML file"):
        try:
            root = ElementTree.fromstring(boxes)
        except ElementTree.ParseError as error:
            raise DataError(f"it is damaged: {error}") from error
        size = ImageSize(*(int(_text(root, f"size/{side}")) for side in ("height", "width")))
    types: dict[str, str] = {}
    for entity, kinds, _ in (match.groups() for line in lines for match in _PHRASE.finditer(line)):
        types.setdefault(entity, kinds.split("/")[0])
    things, notes, boxless = [], [], []
    for number, element in enumerate(root.iterfind("object")):
        with reading(f"object {number} of the XML file"):
            note = {
                "entities": [(name.text or "").strip() for name in element.iterfind("name")],
                **{
                    child.tag: (child.text or "").strip()
                    for child in element
                    if child.tag not in ("name", "bndbox")
                },
            }
            if element.find("bndbox") is None:
                boxless.append({**note, "place": number})
                continue
            x1, y1, x2, y2 = (int(_text(element, f"bndbox/{edge}")) for edge in _EDGES)
            kind = next((types[name] for name in note["entities"] if name in types), OTHER)
            things.append(Thing(kind, (x1 - 1, y1 - 1, x2, y2)))
            notes.append(note)
    rest = {
        child.tag: (child.text or "").strip()
        for child in root
        if child.tag not in ("object", "size")
    }
    image = {"sentences": lines, "boxless": boxless, "rest": rest}
    depth = root.findtext("size/depth")
    if depth is not None:
        image["depth"] = depth.strip()
    with reading("the XML file"):
        origin = Origin(FORMAT, image, tuple(notes))
        return photograph(things, size, origin, name=rest.get("filename", ""))


def to_flickr30k(scene: Scene) -> tuple[str, str]:
    """A scene as the two files of one image: sentences and XML.

    Without sentences of its own, a scene has one that names every object by its category.
    """
    origin = origin_of(scene, FORMAT)
    names = likeliest(scene)
    lines = origin.image.get("sentences")
    if lines is None:
        lines = [" ".join(f"[/EN#{i}/{_type(n)} {n}]" for i, n in enumerate(names, start=1))]
    root = ElementTree.Element("annotation")
    rest = origin.image.get("rest", {"filename": scene.provenance.get("image", "")})
    for tag, value in rest.items():
        ElementTree.SubElement(root, tag).text = value
    size = ElementTree.SubElement(root, "size")
    for side in ("width", "height"):
        ElementTree.SubElement(size, side).text = str(getattr(scene.size, side))
    if "depth" in origin.image or scene.origin is not origin:
        ElementTree.SubElement(size, "depth").text = origin.image.get("depth", "3")
    elements = []
    for index, box in enumerate(scene.boxes.tolist()):
        element = _element(origin.of(index) or {"entities": [str(index + 1)]})
        x1, y1, x2, y2 = (round(number) for number in box)
        edges = ElementTree.SubElement(element, "bndbox")
        for edge, number in zip(_EDGES, (x1 + 1, y1 + 1, x2, y2), strict=True):
            ElementTree.SubElement(edges, edge).text = str(number)
        elements.append(element)
    for note in origin.image.get("boxless", ()):
        elements.insert(note["place"], _element(note))
    root.extend(elements)
    ElementTree.indent(root, "\t")
    text = "".join(f"{line}\n" for line in lines)
    return text, f"{ElementTree.tostring(root, encoding='unicode')}\n"


def sentences(scene: Scene) -> tuple[Sentence, ...]:
    """The sentences of a scene that was read from Flickr30k Entities.

    Example:
        >>> xml = (
        ...     "<annotation><size><width>9</width><height>9</height></size><object><name>12"
        ...     "</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>5</xmax><ymax>9</ymax></bndbox>"
        ...     "</object></annotation>"
        ... )
        >>> (sentence,) = sentences(from_flickr30k("[/EN#12/people Two men] wait .", xml))
        >>> sentence.text, sentence.phrases[0].text, sentence.phrases[0].objects
        ('Two men wait .', 'Two men', (0,))
    """
    origin = origin_of(scene, FORMAT)
    shown: dict[str, list[int]] = {}
    for index, note in enumerate(origin.objects):
        for entity in note["entities"]:
            shown.setdefault(entity, []).append(index)
    return tuple(_sentence(line, shown) for line in origin.image.get("sentences", ()))


def _sentence(line: str, shown: Mapping[str, Sequence[int]]) -> Sentence:
    text, phrases, end = "", [], 0
    for match in _PHRASE.finditer(line):
        entity, kinds, words = match.groups()
        text += line[end : match.start()]
        span = Span(len(text), len(text) + len(words))
        text += words
        end = match.end()
        objects = tuple(shown.get(entity, ()))
        phrases.append(Phrase(words, span, entity, tuple(kinds.split("/")), objects))
    return Sentence(text + line[end:], tuple(phrases))


def _element(note: Mapping[str, Any]) -> ElementTree.Element:
    element = ElementTree.Element("object")
    for name in note["entities"]:
        ElementTree.SubElement(element, "name").text = name
    for tag, value in note.items():
        if tag not in ("entities", "place"):
            ElementTree.SubElement(element, tag).text = value
    return element


def _text(element: ElementTree.Element, path: str) -> str:
    found = element.findtext(path)
    if found is None:
        raise DataError(f'there is no "{path}"')
    return found


def _type(name: str) -> str:
    return name.replace(" ", "_")
