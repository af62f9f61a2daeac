"""One crisp world, and the names that programs may use in a scene."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from neurosym.errors import ExecutionError, UnknownConceptError
from neurosym.executors.base import located
from neurosym.program import ORDERS, Closest, Farthest, Op, TopClosest, TopFarthest
from neurosym.program.operator import names_of
from neurosym.scene import CATEGORY, Scene

Objects = frozenset[int]


@dataclass(frozen=True)
class World:
    """One crisp world.

    Attributes:
        existing: the objects that exist; the other fields may know others, which do not count.
        attributes: attribute -> object -> its one value; "category" is one of them.
        relations: relation -> the pairs (object, landmark) that stand in it.
        measures: measure -> object -> number.
        distances: [object][landmark], or None when the scene has none.
        positions: object -> the centre of its box, (x, y).
        marks: pointer -> the objects that it points at.
        covered: word -> the categories that it covers.
        drawn: (measure, times) -> the pairs of which the first object has more than so many times
            what the second has, where noise makes that a matter of chance; else measures decide.
    """

    existing: Objects
    attributes: Mapping[str, Mapping[int, str]]
    relations: Mapping[str, Collection[tuple[int, int]]]
    measures: Mapping[str, Mapping[int, float]]
    distances: Sequence[Sequence[float]] | None
    positions: Mapping[int, tuple[float, float]]
    marks: Mapping[str, Objects]
    covered: Mapping[str, Collection[str]]
    drawn: Mapping[tuple[str, int], Collection[tuple[int, int]]] = field(default_factory=dict)

    @property
    def category(self) -> Mapping[int, str]:
        """Object -> its category."""
        return self.attributes[CATEGORY]


def world_of(scene: Scene) -> World:
    """The likeliest values of a scene, read from its graph: its one world when it is crisp.

    A relation holds where its probability is 1.
    """
    graph = scene.graph()
    nodes = dict(graph.nodes(data=True))
    return World(
        existing=frozenset(i for i, node in nodes.items() if node["existence"] == 1),
        attributes={
            name: {i: _likeliest(node["attributes"][name]) for i, node in nodes.items()}
            for name in scene.attributes
        }
        | {CATEGORY: {i: node["category"] for i, node in nodes.items()}},
        relations={
            name: {
                (i, j)
                for i, j, key, probability in graph.edges(keys=True, data="probability")
                if key == name and i != j and probability == 1
            }
            for name in scene.relations
        },
        measures={
            name: {i: node["measures"][name] for i, node in nodes.items()}
            for name in scene.measures
        },
        distances=graph.graph["distances"],
        positions={i: _centre(*node["box"]) for i, node in nodes.items()},
        marks={
            pointer: frozenset(i for i, node in nodes.items() if pointer in node["marks"])
            for pointer in scene.marks
        },
        covered={
            word: {scene.categories.values[column] for column in scene.category_indices(word)}
            for word in (*scene.categories.values, *scene.concepts)
        },
    )


def _centre(x1: float, y1: float, x2: float, y2: float) -> tuple[float, float]:
    return (x1 + x2) / 2, (y1 + y2) / 2


def _likeliest(distribution: Mapping[str, float]) -> str:
    return max(distribution, key=lambda value: distribution[value])


def check_names(program: Op, scene: Scene) -> None:
    """Raise UnknownConceptError for the first node that names what the scene does not have.

    The error's span is that of the node's own words.
    """
    for op in program.walk():
        with located(op):
            _check_node(op, scene)


def _check_node(op: Op, scene: Scene) -> None:
    attribute = ""
    for role, name in names_of(op):
        match role:
            case "category":
                scene.category_indices(name)
            case "attribute":
                scene.attribute(name)
                attribute = name
            case "value":
                scene.attribute(attribute).index(name)
            case "relation":
                scene.relation(name)
            case "order":
                scene.measure(ORDERS[name].measure)
            case "pointer":
                scene.mark(name)
            case "form" | "portion" | "action" | "goal":
                pass
            case _:
                raise ExecutionError(f'"{op.name}" names a {role}, which no scene can look up')
    if isinstance(op, Closest | Farthest | TopClosest | TopFarthest) and scene.distances is None:
        raise UnknownConceptError("measure", "distance", scene.measures)
