"""Visual Genome and GQA: objects with free attributes and relationships, there and back."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from neurosym.errors import DataError
from neurosym.interchange.gqa import from_gqa, to_gqa
from neurosym.interchange.visual_genome import (
    from_visual_genome,
    image_sizes,
    to_visual_genome,
)
from neurosym.scene import Scene
from neurosym.scene_io import to_document
from tests.scenes import make

GRAPHS: list[dict[str, Any]] = [
    {
        **{"image_id": 2, "width": 80, "height": 60, "image_url": "somewhere"},
        "objects": [
            {
                **{"object_id": 11, "names": ["Man", "person"], "synsets": ["man.n.01"]},
                **{"x": 10, "y": 10, "w": 20, "h": 40, "attributes": ["Old", " tall "]},
            },
            {
                **{"object_id": 12, "names": ["hat"], "synsets": []},
                **{"x": 12.25, "y": 5, "w": 9, "h": 8, "attributes": ["grey", "felt"]},
            },
            {
                **{"object_id": 13, "names": ["flag"], "synsets": [], "merged_object_ids": [3]},
                **{"x": 50, "y": 5, "w": 9, "h": 8, "attributes": ["red", "white"]},
            },
            {"object_id": 14, "names": ["hat"], "synsets": [], "x": 60, "y": 20, "w": 5, "h": 5},
        ],
        "relationships": [
            {
                **{"relationship_id": 5, "predicate": "WEARING", "synsets": ["wear.v.01"]},
                **{"subject_id": 11, "object_id": 12},
            },
            {
                **{"relationship_id": 6, "predicate": "to the left of", "synsets": []},
                **{"subject_id": 13, "object_id": 11},
            },
            {
                **{"relationship_id": 7, "predicate": "near", "synsets": []},
                **{"subject_id": 13, "object_id": 13},
            },
        ],
    }
]
GQA: dict[str, Any] = {
    "2370": {
        **{"width": 80, "height": 60, "location": "street"},
        "objects": {
            "a1": {
                **{"name": "man", "x": 10, "y": 10, "w": 20, "h": 40, "attributes": ["old"]},
                "relations": [
                    {"name": "wearing", "object": "b2"},
                    {"name": "to the left of", "object": "b2"},
                ],
            },
            "b2": {
                **{"name": "hat", "x": 12, "y": 5, "w": 9, "h": 8, "attributes": []},
                "relations": [],
            },
        },
    }
}


def value(scene: Scene, attribute: str, index: int) -> str | None:
    table = scene.attributes[attribute]
    if not table.evidence[index]:
        return None
    return table.values[int(table.probabilities[index].argmax())]


def test_words_become_attributes_and_absence_is_unknown() -> None:
    scene = from_visual_genome(GRAPHS)[2]
    assert scene.categories.values == ("man", "hat", "flag")
    assert [value(scene, "old", i) for i in range(4)] == ["old", None, None, None]
    assert scene.attributes["old"].values == ("old", "not old")
    assert scene.attributes["old"].probabilities[1].tolist() == [0.5, 0.5]
    # One basic colour is the color; two are two words.
    assert [value(scene, "color", i) for i in range(4)] == [None, "gray", None, None]
    assert [value(scene, "red", i) for i in range(4)] == [None, None, "red", None]
    assert {"tall", "felt", "white"} < set(scene.attributes)
    assert "grey" not in scene.attributes


def test_relationships_become_relations_and_absence_is_unknown() -> None:
    scene = from_visual_genome(GRAPHS)[2]
    wearing = scene.relation("wearing")
    assert wearing.probabilities.nonzero().tolist() == [[0, 1]]
    assert wearing.evidence is not None
    assert wearing.evidence.nonzero().tolist() == [[0, 1]]
    # The flag is right of the man in the picture, but this was said; other pairs are as they lie.
    left = scene.relation("left_of")
    assert left.probabilities[:, 0].tolist() == [0, 1, 1, 0]
    assert left.probabilities[0].tolist() == [0, 0, 1, 1]
    assert (left.source, left.evidence) == ("given, or geometry", None)


def test_visual_genome_is_written_as_it_was_read() -> None:
    before = copy.deepcopy(GRAPHS)
    scenes = from_visual_genome(GRAPHS)
    assert json.loads(json.dumps(to_visual_genome(scenes))) == before
    again = from_visual_genome(to_visual_genome(scenes))[2]
    assert to_document(again) == to_document(scenes[2])
    (part,) = to_visual_genome({2: scenes[2][[2, 0]]})
    assert [thing["object_id"] for thing in part["objects"]] == [13, 11]
    assert [kept["relationship_id"] for kept in part["relationships"]] == [6, 7]


def test_the_released_objects_are_written_as_they_were_read(shared_data: Path) -> None:
    released = json.loads((shared_data / "vg" / "objects.json").read_text())[::6]
    assert len(released) == 42
    assert to_visual_genome(from_visual_genome(released)) == released


def test_the_files_of_a_release_are_put_together() -> None:
    graph = GRAPHS[0]
    box = ("x", "y", "w", "h")
    objects = [
        {
            "image_id": 2,
            "image_url": "somewhere",
            "objects": [
                {name: part for name, part in thing.items() if name != "attributes"}
                for thing in graph["objects"]
            ],
        }
    ]
    attributes = [{"image_id": 2, "attributes": graph["objects"][:3]}]
    ends = {
        thing["object_id"]: {
            **{"object_id": thing["object_id"], "name": thing["names"][0]},
            **{side: thing[side] for side in box},
        }
        for thing in graph["objects"]
    }
    relationships = [
        {
            "image_id": 2,
            "relationships": [
                {
                    **{k: v for k, v in one.items() if not k.endswith("ject_id")},
                    **{"subject": ends[one["subject_id"]], "object": ends[one["object_id"]]},
                }
                for one in graph["relationships"]
            ],
        }
    ]
    sizes = image_sizes([{"image_id": 2, "width": 80, "height": 60}])
    scenes = from_visual_genome(objects, attributes, relationships, sizes=sizes)
    whole = from_visual_genome(GRAPHS)
    assert torch.equal(scenes[2].boxes, whole[2].boxes)
    assert scenes[2].attributes.keys() == whole[2].attributes.keys()
    sizeless = [{k: v for k, v in graph.items() if k not in ("width", "height")}]
    assert to_visual_genome(scenes) == sizeless
    alone = from_visual_genome(relationships, sizes=sizes)[2]
    assert alone.categories.values == ("man", "hat", "flag")
    with pytest.raises(DataError, match="image 2: its size is not known"):
        from_visual_genome(objects)


def test_gqa_is_written_as_it_was_read() -> None:
    before = copy.deepcopy(GQA)
    scenes = from_gqa(GQA)
    assert value(scenes["2370"], "old", 0) == "old"
    assert scenes["2370"].relation("wearing").probabilities.tolist() == [[0, 1], [0, 0]]
    assert json.loads(json.dumps(to_gqa(scenes))) == before
    assert to_document(from_gqa(to_gqa(scenes))["2370"]) == to_document(scenes["2370"])
    (alone,) = to_gqa({"2370": scenes["2370"][[0]]}).values()
    assert alone["objects"]["a1"]["relations"] == []


def test_other_scenes_can_be_written_too() -> None:
    scene = from_gqa(GQA)["2370"]
    (graph,) = to_visual_genome({9: scene})
    assert [thing["names"] for thing in graph["objects"]] == [["man"], ["hat"]]
    assert [thing["attributes"] for thing in graph["objects"]] == [["old"], []]
    assert [one["predicate"] for one in graph["relationships"]] == ["wearing"]
    back = from_visual_genome([graph])[9]
    assert torch.equal(back.boxes, scene.boxes)
    assert torch.equal(
        back.relation("wearing").probabilities, scene.relation("wearing").probabilities
    )
    (other,) = to_gqa({9: back}).values()
    assert other["objects"]["1"]["relations"] == [{"name": "wearing", "object": "2"}]
    # What is only a prior is not written.
    assert to_gqa(make())["1"]["objects"]["1"]["attributes"] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"object_id": 99}, "relationship 0: there is no object 99"),
        ({"subject_id": 99}, "relationship 0: there is no object 99"),
    ],
)
def test_a_relationship_without_its_objects_is_refused(
    change: dict[str, Any], message: str
) -> None:
    graphs = copy.deepcopy(GRAPHS)
    graphs[0]["relationships"][0].update(change)
    with pytest.raises(DataError, match=message):
        from_visual_genome(graphs)


def test_what_is_missing_is_named() -> None:
    graphs = copy.deepcopy(GRAPHS)
    del graphs[0]["objects"][1]["w"]
    with pytest.raises(DataError, match='image 2: object 1 lacks "w"'):
        from_visual_genome(graphs)
    graph = copy.deepcopy(GQA)
    graph["2370"]["objects"]["a1"]["relations"][0]["object"] = "zz"
    with pytest.raises(DataError, match="object 'a1': there is no object 'zz'"):
        from_gqa(graph)
