"""A scene as a networkx graph and as a JSON file."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from neurosym.errors import DataError, NeurosymError, SceneError
from neurosym.files import make_folder, write_atomically
from neurosym.masks import decode_mask, encode_mask
from neurosym.origin import Origin
from neurosym.pixels import GivenMasks, ImageSize
from neurosym.scene import Categorical, Concept, Measure, Relation, Scene

if TYPE_CHECKING:
    import networkx

FORMAT = "neurosym-scene/3"


def to_graph(scene: Scene) -> networkx.MultiDiGraph:
    """See :meth:`neurosym.scene.Scene.graph`."""
    import networkx

    graph = networkx.MultiDiGraph(
        size={"height": scene.size.height, "width": scene.size.width},
        distances=None if scene.distances is None else scene.distances.tolist(),
        noise={name: measure.noise for name, measure in scene.measures.items()},
        tables=_tables(scene),
    )
    marks = {pointer: mark.tolist() for pointer, mark in scene.marks.items()}
    boxes = scene.boxes.tolist()
    existence = scene.existence.tolist()
    groups = scene.groups.tolist()
    best = scene.categories.probabilities.argmax(dim=1).tolist() if scene.categories.values else []
    categories = _rows(scene.categories)
    attributes = {name: _rows(table) for name, table in scene.attributes.items()}
    measures = {name: measure.values.tolist() for name, measure in scene.measures.items()}
    for i in range(len(scene)):
        graph.add_node(
            i,
            category=scene.categories.values[best[i]],
            existence=existence[i],
            group=groups[i],
            box=tuple(boxes[i]),
            categories=categories[i],
            attributes={name: rows[i] for name, rows in attributes.items()},
            unknown=tuple(n for n, table in scene.attributes.items() if not table.evidence[i]),
            measures={name: values[i] for name, values in measures.items()},
            marks=tuple(pointer for pointer, mark in marks.items() if mark[i]),
            **({} if scene.origin is None else {"origin": scene.origin.of(i)}),
        )
    for name, relation in scene.relations.items():
        for i, j, probability in _pairs(relation.probabilities):
            graph.add_edge(i, j, key=name, probability=probability)
    return graph


def _tables(scene: Scene) -> dict[str, Any]:
    """What nodes and edges do not say of a scene's tables."""
    origin = scene.origin
    return {
        "categories": {
            "values": list(scene.categories.values),
            "source": scene.categories.source,
            "unknown": (~scene.categories.evidence).nonzero().flatten().tolist(),
        },
        "attributes": {
            name: {"values": list(table.values), "source": table.source}
            for name, table in scene.attributes.items()
        },
        "relations": {
            name: {
                "source": relation.source,
                "approximate": relation.approximate,
                "evidence": _scored(relation),
            }
            for name, relation in scene.relations.items()
        },
        "measures": {
            name: {"unit": m.unit, "source": m.source, "approximate": m.approximate}
            for name, m in scene.measures.items()
        },
        "marks": list(scene.marks),
        "concepts": _concepts(scene),
        "provenance": dict(scene.provenance),
        "origin": None if origin is None else {"format": origin.format, "image": origin.image},
    }


def _scored(relation: Relation) -> list[list[int]] | None:
    """The pairs with evidence; None when all have it."""
    if relation.evidence is None:
        return None
    pairs: list[list[int]] = relation.evidence.nonzero().tolist()
    return pairs


def _concepts(scene: Scene) -> dict[str, Any]:
    return {
        word: {"categories": list(c.categories), "approximate": c.approximate, "source": c.source}
        for word, c in scene.concepts.items()
    }


def _rows(table: Categorical) -> list[dict[str, float]]:
    """Per object, the values with a probability above 0."""
    return [
        {value: p for value, p in zip(table.values, row, strict=True) if p > 0}
        for row in table.probabilities.tolist()
    ]


def _pairs(matrix: Tensor) -> list[tuple[int, int, float]]:
    """The entries above 0 as (row, column, value)."""
    where = matrix.nonzero()
    return [
        (i, j, p)
        for (i, j), p in zip(where.tolist(), matrix[where[:, 0], where[:, 1]].tolist(), strict=True)
    ]


def save_scene(scene: Scene, path: Path) -> None:
    """See :meth:`neurosym.scene.Scene.save`."""
    content = json.dumps(to_document(scene)).encode()
    try:
        make_folder(path.parent)
        write_atomically(path, content)
    except DataError as error:
        raise SceneError(error.message) from None


def to_document(scene: Scene) -> dict[str, Any]:
    """The scene as plain lists and numbers, ready for JSON."""

    def table(categorical: Categorical) -> dict[str, Any]:
        return {
            "values": list(categorical.values),
            "probabilities": categorical.probabilities.tolist(),
            "evidence": categorical.evidence.tolist(),
            "source": categorical.source,
        }

    known = scene.pixels.known_masks() if scene.pixels is not None else {}
    return {
        "format": FORMAT,
        "size": {"height": scene.size.height, "width": scene.size.width},
        "boxes_xyxy": scene.boxes.tolist(),
        "existence": scene.existence.tolist(),
        "groups": scene.groups.tolist(),
        "categories": table(scene.categories),
        "attributes": {name: table(a) for name, a in scene.attributes.items()},
        "relations": {
            name: {
                "pairs": _pairs(r.probabilities),
                "source": r.source,
                "approximate": r.approximate,
                "evidence": _scored(r),
            }
            for name, r in scene.relations.items()
        },
        "measures": {
            name: {
                "values": m.values.tolist(),
                "unit": m.unit,
                "source": m.source,
                "approximate": m.approximate,
                "noise": m.noise,
            }
            for name, m in scene.measures.items()
        },
        "distances": None if scene.distances is None else scene.distances.tolist(),
        "marks": {pointer: mark.tolist() for pointer, mark in scene.marks.items()},
        "concepts": _concepts(scene),
        "masks": {str(i): encode_mask(mask) for i, mask in known.items()},
        "provenance": dict(scene.provenance),
        "origin": None if scene.origin is None else asdict(scene.origin),
    }


def load_scene(path: Path) -> Scene:
    """See :meth:`neurosym.scene.Scene.load`."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SceneError(f"cannot read the scene {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise SceneError(f"{path} is not JSON: {error}") from None
    return read_document(document, str(path))


def read_document(document: Any, name: str) -> Scene:
    """The scene in a document that may be anything.

    Args:
        document: of JSON.
        name: where it comes from, for messages.

    Raises:
        SceneError: it is no scene, or a damaged one.
    """
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise SceneError(f'{name} is not a saved scene: expected "format": "{FORMAT}"')
    try:
        return from_document(document)
    except NeurosymError as error:
        raise SceneError(f"{name}: {error.message}") from None
    except KeyError as error:
        raise SceneError(f"the scene {name} lacks {error}") from None
    except (TypeError, ValueError, IndexError, RuntimeError, AttributeError) as error:
        raise SceneError(f"the scene {name} is damaged: {error}") from None


def from_document(document: dict[str, Any]) -> Scene:
    """The scene that :func:`to_document` wrote."""
    count = len(document["boxes_xyxy"])
    size = ImageSize(**document["size"])

    def floats(saved: list[Any]) -> Tensor:
        return torch.tensor(saved, dtype=torch.float32)

    def table(saved: dict[str, Any]) -> Categorical:
        return Categorical(
            tuple(saved["values"]),
            floats(saved["probabilities"]).reshape(count, len(saved["values"])),
            torch.tensor(saved["evidence"], dtype=torch.bool).reshape(count),
            saved["source"],
        )

    def relation(saved: dict[str, Any]) -> Relation:
        matrix = torch.zeros((count, count))
        for i, j, probability in saved["pairs"]:
            if not (0 <= i < count and 0 <= j < count):
                raise SceneError(f"a relation is between objects {i} and {j} of {count}")
            matrix[i, j] = probability
        evidence = None
        if saved["evidence"] is not None:
            evidence = torch.zeros((count, count), dtype=torch.bool)
            for i, j in saved["evidence"]:
                evidence[i, j] = True
        return Relation(matrix, saved["source"], saved["approximate"], evidence)

    masks = {int(i): decode_mask(run, size) for i, run in document["masks"].items()}
    beyond = [i for i in masks if not 0 <= i < count]
    if beyond:
        raise SceneError(f"a mask is of object {beyond[0]} of {count}")
    boxes = floats(document["boxes_xyxy"]).reshape(count, 4)
    return Scene(
        size=size,
        boxes=boxes,
        existence=floats(document["existence"]).reshape(count),
        groups=torch.tensor(document["groups"], dtype=torch.int64).reshape(count),
        categories=table(document["categories"]),
        attributes={name: table(a) for name, a in document["attributes"].items()},
        relations={name: relation(r) for name, r in document["relations"].items()},
        measures={
            name: Measure(
                floats(m["values"]).reshape(count),
                m["unit"],
                m["source"],
                m["approximate"],
                m["noise"],
            )
            for name, m in document["measures"].items()
        },
        distances=(
            None
            if document["distances"] is None
            else floats(document["distances"]).reshape(count, count)
        ),
        marks={
            pointer: torch.tensor(mark, dtype=torch.bool).reshape(count)
            for pointer, mark in document["marks"].items()
        },
        concepts={
            word: Concept(tuple(c["categories"]), c["approximate"], c["source"])
            for word, c in document["concepts"].items()
        },
        pixels=GivenMasks(size, masks, boxes) if masks else None,
        provenance=document["provenance"],
        origin=_origin(document["origin"]),
    )


def _origin(saved: dict[str, Any] | None) -> Origin | None:
    if saved is None:
        return None
    return Origin(saved["format"], saved["image"], tuple(saved["objects"]))
