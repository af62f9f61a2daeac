"""networkx: a scene's graph gives the scene again, and other graphs give scenes."""

from __future__ import annotations

import json
from dataclasses import replace

import networkx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neurosym.errors import DataError
from neurosym.interchange.graphs import from_graph
from neurosym.origin import Origin
from neurosym.scene import Relation, Scene
from neurosym.scene_io import to_document
from tests.executors.strategies import scenes
from tests.scenes import make


def full() -> Scene:
    """A scene with evidence, marks and an origin."""
    scene = make(
        marks={"this": torch.tensor([True, False, False]), "that": torch.zeros(3).bool()},
        origin=Origin("coco", {"license": 4}, ({"id": 7}, {}, {"id": 9})),
    )
    table = torch.zeros(3, 3)
    table[2, 0] = 0.5
    holding = Relation(table, "a model", evidence=torch.eye(3).bool() | (table > 0))
    return replace(scene, relations={**scene.relations, "holding": holding})


@settings(max_examples=40)
@given(st.booleans().flatmap(lambda crisp: scenes(crisp=crisp)))
def test_the_graph_of_a_scene_gives_the_scene_again(scene: Scene) -> None:
    assert to_document(from_graph(scene.graph())) == to_document(scene)


def test_nothing_of_a_scene_is_lost_but_its_masks() -> None:
    scene = full()
    graph = scene.graph()
    assert to_document(from_graph(graph)) == to_document(scene)
    empty = scene[[]]
    assert to_document(from_graph(empty.graph())) == to_document(empty)
    # networkx's own JSON holds all of it.
    saved = json.loads(json.dumps(networkx.node_link_data(graph, edges="edges")))
    again = networkx.node_link_graph(saved, edges="edges")
    assert to_document(from_graph(again)) == to_document(scene)


def test_what_is_changed_in_a_graph_is_changed_in_the_scene() -> None:
    graph = full().graph()
    graph.remove_node(1)
    graph.edges[0, 2, "left_of"]["probability"] = 0.75
    scene = from_graph(graph)
    expected = to_document(full()[[0, 2]])
    expected["relations"]["left_of"]["pairs"] = [(0, 1, 0.75)]
    assert to_document(scene) == expected


def test_graphs_of_others_are_read() -> None:
    graph = networkx.MultiDiGraph(size={"height": 40, "width": 60})
    graph.add_node("a", category="Cat", box=(5, 5, 20, 20), attributes=["old", "grey"])
    graph.add_node("b", category="mat", box=(30, 15, 50, 30), existence=0.5)
    graph.add_edge("a", "b", key="lying on", probability=0.25)
    graph.add_edge("b", "a", predicate="under")
    scene = from_graph(graph)
    assert scene.categories.values == ("cat", "mat")
    assert scene.existence.tolist() == [1, 0.5]
    assert scene.attributes["old"].evidence.tolist() == [True, False]
    lying = scene.relation("lying_on")
    assert lying.probabilities.tolist() == [[0, 0.25], [0, 0]]
    assert lying.evidence is not None
    assert lying.evidence.tolist() == [[False, True], [False, False]]
    assert scene.relation("below").probabilities.tolist() == [[0, 0], [1, 0]]
    assert scene.relation("left_of").probabilities.tolist() == [[0, 1], [0, 0]]


def test_what_is_missing_is_named() -> None:
    with pytest.raises(DataError, match='the graph lacks "size"'):
        from_graph(networkx.DiGraph())
    with pytest.raises(DataError, match="must be directed"):
        from_graph(networkx.Graph())
    graph = networkx.DiGraph(size={"height": 40, "width": 60})
    graph.add_node("a", category="cat")
    with pytest.raises(DataError, match="node 'a' lacks \"box\""):
        from_graph(graph)
    graph.nodes["a"]["box"] = (1, 2, 3, 4)
    graph.add_edge("a", "a")
    with pytest.raises(DataError, match="the relation has no name"):
        from_graph(graph)
