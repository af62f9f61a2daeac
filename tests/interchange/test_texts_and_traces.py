"""Flickr30k Entities and Localized Narratives: texts that point at parts of a picture."""

from __future__ import annotations

import copy
import json
from typing import Any
from xml.etree import ElementTree

import pytest
import torch

from neurosym.errors import DataError
from neurosym.interchange.flickr30k import from_flickr30k, sentences, to_flickr30k
from neurosym.interchange.localized_narratives import (
    from_localized_narratives,
    to_localized_narratives,
    trace,
)
from neurosym.pixels import ImageSize
from neurosym.scene_io import from_document, to_document
from tests.scenes import make

SENTENCES = """\
[/EN#12/people Two men] in [/EN#13/clothing green coats] stand by [/EN#14/scene a road] .
[/EN#12/people Workers] wait for [/EN#0/notvisual it] .
"""
XML = """\
<annotation>
  <filename>77.jpg</filename>
  <size><width>50</width><height>40</height><depth>3</depth></size>
  <object><name>12</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>10</xmax><ymax>40</ymax></bndbox>
  </object>
  <object><name>14</name><scene>1</scene><nobndbox>0</nobndbox></object>
  <object><name>12</name><name>13</name>
    <bndbox><xmin>21</xmin><ymin>5</ymin><xmax>30</xmax><ymax>39</ymax></bndbox></object>
  <object><name>99</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>50</xmax><ymax>40</ymax></bndbox>
  </object>
</annotation>
"""
LINE: dict[str, Any] = {
    **{"dataset_id": "mine", "image_id": "0a1", "annotator_id": 7, "caption": "A dog, runs."},
    "timed_caption": [
        {"utterance": "A", "start_time": 0.0, "end_time": 0.4},
        {"utterance": "Dog,", "start_time": 0.4, "end_time": 1.0},
        {"utterance": "runs.", "start_time": 1.5, "end_time": 2.0},
    ],
    "traces": [
        [{"x": 0.1, "y": 0.2, "t": 0.5}, {"x": 0.5, "y": 0.4, "t": 0.75}],
        [{"x": 0.3, "y": 0.9, "t": 1.0}, {"x": 1.25, "y": -0.5, "t": 1.75}],
    ],
    "voice_recording": "mine_7.ogg",
}
SIZES = {"0a1": ImageSize(height=40, width=60)}


def elements(text: str) -> Any:
    """An XML text without its layout."""

    def plain(element: ElementTree.Element) -> Any:
        return element.tag, (element.text or "").strip(), [plain(child) for child in element]

    return plain(ElementTree.fromstring(text))


def test_boxes_of_flickr30k_count_pixels_from_one() -> None:
    scene = from_flickr30k(SENTENCES, XML)
    assert scene.size == ImageSize(height=40, width=50)
    assert scene.boxes.tolist() == [[0, 1, 10, 40], [20, 4, 30, 39], [0, 0, 50, 40]]
    names = [scene.categories.values[i] for i in scene.categories.probabilities.argmax(1)]
    assert names == ["people", "people", "other"]


def test_phrases_name_boxes() -> None:
    first, second = sentences(from_flickr30k(SENTENCES, XML))
    assert first.text == "Two men in green coats stand by a road ."
    found = [(p.text, p.types, p.entity, p.objects) for p in first.phrases]
    assert found == [
        ("Two men", ("people",), "12", (0, 1)),
        ("green coats", ("clothing",), "13", (1,)),
        ("a road", ("scene",), "14", ()),
    ]
    assert [p.span.of(first.text) for p in first.phrases] == [p.text for p in first.phrases]
    assert [(p.text, p.objects) for p in second.phrases] == [("Workers", (0, 1)), ("it", ())]
    # Phrases follow the objects that are kept.
    kept = from_flickr30k(SENTENCES, XML)[[2, 1]]
    assert sentences(kept)[0].phrases[0].objects == (1,)


def test_flickr30k_is_written_as_it_was_read() -> None:
    scene = from_flickr30k(SENTENCES, XML)
    text, xml = to_flickr30k(scene)
    assert text == SENTENCES
    assert elements(xml) == elements(XML)
    assert to_document(from_flickr30k(text, xml)) == to_document(scene)
    assert to_flickr30k(from_document(to_document(scene))) == (text, xml)


def test_any_scene_has_a_sentence_that_names_its_objects() -> None:
    again = from_flickr30k(*to_flickr30k(make()))
    assert torch.equal(again.boxes, make().boxes)
    (sentence,) = sentences(again)
    assert [(p.text, p.objects) for p in sentence.phrases] == [
        ("cup", (0,)),
        ("plate", (1,)),
        ("cup", (2,)),
    ]


def test_xml_that_is_damaged_is_one_line() -> None:
    with pytest.raises(DataError, match="the XML file: it is damaged"):
        from_flickr30k(SENTENCES, "<annotation>")
    with pytest.raises(DataError, match='the XML file: there is no "size/height"'):
        from_flickr30k(SENTENCES, "<annotation></annotation>")
    with pytest.raises(DataError, match='object 2 of the XML file: there is no "bndbox/xmin"'):
        from_flickr30k(SENTENCES, XML.replace("<xmin>21</xmin>", ""))


def test_a_word_has_the_region_of_the_mouse_while_it_is_said() -> None:
    scenes = from_localized_narratives([LINE], SIZES)
    assert list(scenes) == ["0a1-7"]
    scene = scenes["0a1-7"]
    # Nothing was pointed at during "A"; what lies outside of the picture is its edge.
    assert scene.categories.values == ("dog", "runs")
    assert scene.boxes.tolist() == [[6, 8, 30, 36], [60, 0, 60, 0]]
    points = trace(scene, 0)
    expected = torch.tensor([[6.0, 8.0, 0.5], [30.0, 16.0, 0.75], [18.0, 36.0, 1.0]])
    assert torch.allclose(points, expected)
    assert trace(scene[[1]], 0).tolist() == [[75, -20, 1.75]]


def test_narratives_are_written_as_they_were_read() -> None:
    lines = [LINE, {**copy.deepcopy(LINE), "annotator_id": 8}]
    before = copy.deepcopy(lines)
    scenes = from_localized_narratives(lines, SIZES)
    written = to_localized_narratives(scenes)
    assert json.loads(json.dumps(written)) == before
    again = from_localized_narratives(written, SIZES)
    assert [to_document(s) for s in again.values()] == [to_document(s) for s in scenes.values()]


def test_narratives_that_do_not_fit_are_one_line() -> None:
    with pytest.raises(DataError, match="line 1: the size of the image '0a1' is not known"):
        from_localized_narratives([LINE], {})
    with pytest.raises(DataError, match="line 2: there is a narrative 0a1-7 already"):
        from_localized_narratives([LINE, LINE], SIZES)
    broken = copy.deepcopy(LINE)
    del broken["timed_caption"][2]["end_time"]
    with pytest.raises(DataError, match='line 1: utterance 2 lacks "end_time"'):
        from_localized_narratives([broken], SIZES)
    with pytest.raises(DataError, match="only what was read from narratives"):
        to_localized_narratives(make())
    with pytest.raises(DataError, match="object 1 was not read from a narrative"):
        trace(make(), 1)
