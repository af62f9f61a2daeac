"""Scene graphs of networkx: back from ``Scene.graph()``, and from graphs that others made.

What survives from a scene to its graph and back: everything but the masks, and the distances of
objects that were added. Nodes that are taken away, and probabilities that are changed, stay so.

A graph of another maker needs a ``size`` (``{"height": ..., "width": ...}``), and for each node a
``category`` and a ``box`` (x1, y1, x2, y2); its edges are relations, called by their ``relation``,
``label`` or ``predicate``, or else by their key. The relations and measures that follow from boxes
are added; pairs without an edge are unknown, not false.

Source: networkx.org.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from neurosym.errors import DataError
from neurosym.interchange.scene_graphs import Described, graph_scene, relation_name
from neurosym.interchange.scenes import reading
from neurosym.origin import Origin
from neurosym.pixels import ImageSize
from neurosym.scene import Categorical, Concept, Measure, Relation, Scene

if TYPE_CHECKING:
    import networkx

FORMAT = "networkx"
_LABELS = ("relation", "label", "predicate")


def from_graph(graph: networkx.Graph) -> Scene:
    """The scene of a graph; nodes are its objects, in their order.

    Args:
        graph: any directed graph of networkx of the form that the module describes.

    Raises:
        DataError: something is missing or not of that form.

    Example:
        >>> import networkx
        >>> graph = networkx.DiGraph(size={"height": 40, "width": 60})
        >>> graph.add_node("tom", category="cat", box=(5, 5, 20, 20))
        >>> graph.add_node("mat", category="mat", box=(0, 15, 40, 30))
        >>> graph.add_edge("tom", "mat", label="lying on")
        >>> from_graph(graph).relation("lying_on").probabilities
        tensor([[0., 1.],
                [0., 0.]])
    """
    with reading("the graph"):
        if not graph.is_directed():
            raise DataError("it must be directed, from an object to its landmark")
        size = ImageSize(int(graph.graph["size"]["height"]), int(graph.graph["size"]["width"]))
    if "tables" in graph.graph:
        with reading("the graph"):
            return _again(graph, size)
    return _foreign(graph, size)


def _foreign(graph: networkx.Graph, size: ImageSize) -> Scene:
    places = {node: place for place, node in enumerate(graph.nodes)}
    things, existence, facts = [], [], []
    for node, data in graph.nodes(data=True):
        with reading(f"node {node!r}"):
            x1, y1, x2, y2 = (float(number) for number in data["box"])
            words = tuple(map(str, data.get("attributes", ())))
            things.append(Described(str(data["category"]), (x1, y1, x2, y2), words))
            existence.append(float(data.get("existence", 1)))
    chances: dict[tuple[str, int, int], float] = {}
    for start, end, key, data in _edges(graph):
        with reading(f"the edge from {start!r} to {end!r}"):
            called = next((data[label] for label in _LABELS if label in data), key)
            if not isinstance(called, str):
                raise DataError(f"the relation has no name: expected {' or '.join(_LABELS)}")
            fact = (relation_name(called), places[start], places[end])
            facts.append(fact)
            chances[fact] = float(data.get("probability", 1))
    with reading("the graph"):
        notes = tuple({"node": str(node)} for node in graph.nodes)
        scene = graph_scene(things, facts, size, Origin(FORMAT, objects=notes))
        relations = dict(scene.relations)
        for (name, i, j), chance in chances.items():
            if chance < 1 and i != j:
                probabilities = relations[name].probabilities.clone()
                probabilities[i, j] = chance
                relations[name] = replace(relations[name], probabilities=probabilities)
        return replace(scene, existence=_floats(existence), relations=relations)


def _again(graph: networkx.Graph, size: ImageSize) -> Scene:
    """The scene that a graph was made from, with what was changed since."""
    tables, nodes = graph.graph["tables"], list(graph.nodes)
    data = [graph.nodes[node] for node in nodes]
    places = {node: place for place, node in enumerate(nodes)}
    marks = {pointer: [pointer in d["marks"] for d in data] for pointer in tables["marks"]}
    whole = graph.graph["distances"]
    origin = tables["origin"]
    return Scene(
        size=size,
        boxes=_floats([d["box"] for d in data]).reshape(-1, 4),
        existence=_floats([d["existence"] for d in data]),
        groups=torch.tensor([d["group"] for d in data], dtype=torch.int64),
        categories=_table(
            tables["categories"],
            [d["categories"] for d in data],
            [node not in tables["categories"]["unknown"] for node in nodes],
        ),
        attributes={
            name: _table(
                table,
                [d["attributes"][name] for d in data],
                [name not in d["unknown"] for d in data],
            )
            for name, table in tables["attributes"].items()
        },
        relations={
            name: _relation(graph, name, table, places)
            for name, table in tables["relations"].items()
        },
        measures={
            name: Measure(
                _floats([d["measures"][name] for d in data]),
                noise=graph.graph["noise"][name],
                **table,
            )
            for name, table in tables["measures"].items()
        },
        distances=(
            None
            if whole is None
            else _floats([[whole[i][j] for j in nodes] for i in nodes]).reshape(
                len(nodes), len(nodes)
            )
        ),
        concepts={
            word: Concept(tuple(c["categories"]), c["approximate"], c["source"])
            for word, c in tables["concepts"].items()
        },
        marks={pointer: torch.tensor(m, dtype=torch.bool) for pointer, m in marks.items()},
        provenance=dict(tables["provenance"]),
        origin=(
            None
            if origin is None
            else Origin(origin["format"], origin["image"], tuple(d.get("origin", {}) for d in data))
        ),
    )


def _table(
    table: Mapping[str, Any], rows: Sequence[Mapping[str, float]], known: Sequence[bool]
) -> Categorical:
    values = tuple(table["values"])
    probabilities = _floats([[row.get(value, 0.0) for value in values] for row in rows])
    evidence = torch.tensor(known, dtype=torch.bool)
    return Categorical(values, probabilities.reshape(-1, len(values)), evidence, table["source"])


def _relation(
    graph: networkx.Graph, name: str, table: Mapping[str, Any], places: Mapping[Any, int]
) -> Relation:
    probabilities = torch.zeros((len(places), len(places)))
    for start, end, key, data in _edges(graph):
        if key == name:
            probabilities[places[start], places[end]] = data["probability"]
    evidence = None
    if table["evidence"] is not None:
        evidence = torch.zeros((len(places), len(places)), dtype=torch.bool)
        for start, end in table["evidence"]:
            if start in places and end in places:
                evidence[places[start], places[end]] = True
    return Relation(probabilities, table["source"], table["approximate"], evidence)


def _edges(graph: networkx.Graph) -> Iterator[tuple[Any, Any, Any, Mapping[str, Any]]]:
    """(object, landmark, key, data); graphs with one edge a pair have no keys."""
    if graph.is_multigraph():
        yield from graph.edges(keys=True, data=True)
    else:
        for start, end, data in graph.edges(data=True):
            yield start, end, None, data


def _floats(numbers: Sequence[Any]) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float32)
