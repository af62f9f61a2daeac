"""Random scenes and random well-typed programs over one small vocabulary."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from hypothesis import strategies as st

from neurosym.program import ORDERS, Comparison, Kind, Op, registry, signature
from neurosym.program.operator import Name, Parameter, Whole
from neurosym.scene import Categorical, Concept, ImageSize, Measure, Relation, Scene

CATEGORIES = ("cup", "plate", "bowl")
CONCEPTS = {"dish": Concept(("plate", "bowl"))}
ATTRIBUTES = {"color": ("red", "green", "blue"), "size": ("small", "large")}
RELATIONS = ("left_of", "right_of", "next_to")
MEASURES = tuple(dict.fromkeys(order.measure for order in ORDERS.values()))
NAMES = {
    "category": (*CATEGORIES, *CONCEPTS),
    "attribute": tuple(ATTRIBUTES),
    "relation": RELATIONS,
    "order": tuple(ORDERS),
}
"""What a name may be, by its role; a value's names depend on the attribute beside it."""


def build_scene(
    *,
    categories: list[str],
    existence: list[float] | None = None,
    groups: list[int] | None = None,
    relations: dict[str, list[tuple[int, int]]] | None = None,
    measures: dict[str, list[float]] | None = None,
    distances: list[list[float]] | None = None,
    **attributes: list[str],
) -> Scene:
    """A scene in which every label is certain; what is not said is 0, the first value, or none."""
    count = len(categories)
    numbers = {name: [0.0] * count for name in MEASURES} | (measures or {})

    def table(values: tuple[str, ...], chosen: list[str]) -> Categorical:
        rows = torch.zeros((count, len(values)))
        for i, value in enumerate(chosen):
            rows[i, values.index(value)] = 1
        return Categorical(values, rows, torch.ones(count, dtype=torch.bool), "given")

    matrices = {name: torch.zeros((count, count)) for name in RELATIONS}
    for name, pairs in (relations or {}).items():
        for i, j in pairs:
            matrices[name][i, j] = 1
    left = torch.tensor(numbers["left_reach"], dtype=torch.float32)
    return Scene(
        size=ImageSize(height=100, width=100),
        boxes=torch.stack([left * 10, left * 0, left * 10 + 10, left * 0 + 10], dim=1),
        existence=torch.tensor(existence if existence is not None else [1.0] * count),
        groups=torch.tensor(groups if groups is not None else list(range(count))).long(),
        categories=table(CATEGORIES, categories),
        attributes={
            name: table(values, attributes.get(name, [values[0]] * count))
            for name, values in ATTRIBUTES.items()
        },
        relations={name: Relation(matrix, "given") for name, matrix in matrices.items()},
        measures={
            name: Measure(torch.tensor(values, dtype=torch.float32), "px", "given")
            for name, values in numbers.items()
        },
        distances=(
            torch.zeros((count, count)) if distances is None else torch.tensor(distances)
        ).reshape(count, count),
        concepts=CONCEPTS,
    )


@st.composite
def scenes(
    draw: st.DrawFn,
    crisp: bool,
    max_objects: int = 5,
    groups: bool = True,
    min_objects: int = 0,
    softness: int = 10,
) -> Scene:
    """A scene over the vocabulary above.

    Args:
        draw: given by hypothesis.
        crisp: whether every probability is 0 or 1.
        max_objects: most objects.
        groups: whether objects may be hypotheses of one thing.
        min_objects: fewest objects.
        softness: in a soft scene, most things that are uncertain (one object's category, one
            pair's relation, one group's existence); some of them still come out certain.
    """
    # Crowded scenes say more; small ones are still what a failure shrinks to.
    count = draw(st.sampled_from(range(min_objects, max_objects + 1)) | st.just(max_objects))

    def each(element: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(element, min_size=count, max_size=count))

    measures = {name: each(st.integers(0, 2).map(float)) for name in MEASURES}
    x = measures["left_reach"]
    pairs = [(i, j) for i in range(count) for j in range(count) if i != j]
    relations = {
        name: draw(st.sets(st.sampled_from(pairs))) if pairs else set() for name in RELATIONS
    }
    if draw(st.booleans()):
        relations["left_of"] = {(i, j) for i, j in pairs if x[i] < x[j]}
        relations["right_of"] = {(j, i) for i, j in relations["left_of"]}
    distances = [[0.0] * count for _ in range(count)]
    for i, j in pairs:
        if i < j:
            distances[i][j] = distances[j][i] = float(draw(st.integers(1, 3)))
    group_of = each(st.integers(0, count)) if groups and draw(st.booleans()) else list(range(count))
    existence = each(st.sampled_from((1.0, 1.0, 1.0, 0.0)))
    for i in range(count):
        if any(existence[j] and group_of[j] == group_of[i] for j in range(i)):
            existence[i] = 0.0
    scene = build_scene(
        categories=each(st.sampled_from(CATEGORIES)),
        existence=existence,
        groups=group_of,
        relations={name: sorted(held) for name, held in relations.items()},
        measures=measures,
        distances=distances,
        **{name: each(st.sampled_from(values)) for name, values in ATTRIBUTES.items()},
    )
    if crisp or not count:
        return scene
    # The tensors are the scene's own and were made just now, so that they may be written to.
    places: list[tuple[str, ...] | tuple[str, str, int]] = [("existence",)]
    places += [("category",)] + [("attribute", name) for name in ATTRIBUTES]
    places += [("relation", name) for name in RELATIONS] if pairs else []
    least = softness // 2
    for place in draw(st.lists(st.sampled_from(places), min_size=least, max_size=softness)):
        match place:
            case ("existence",):
                group = draw(st.sampled_from(sorted(set(group_of))))
                members = [i for i in range(count) if group_of[i] == group]
                scene.existence[members] = draw(weights(len(members) + 1))[1:]
            case ("category",):
                row = draw(st.integers(0, count - 1))
                scene.categories.probabilities[row] = draw(weights(len(CATEGORIES)))
            case ("attribute", name):
                row = draw(st.integers(0, count - 1))
                table = scene.attributes[name].probabilities
                table[row] = draw(weights(table.shape[1]))
            case (_, name):
                pair = draw(st.sampled_from(pairs))
                scene.relations[name].probabilities[pair] = draw(weights(2))[0]
    return Scene(**vars(scene))


def weights(size: int) -> st.SearchStrategy[torch.Tensor]:
    """A distribution over so many values, in which some may have probability 0."""
    return (
        st.lists(st.integers(0, 3), min_size=size, max_size=size)
        .filter(any)
        .map(lambda whole: torch.tensor(whole, dtype=torch.float64))
        .map(lambda whole: (whole / whole.sum()).float())
    )


@cache
def programs(kind: Kind, depth: int = 4) -> st.SearchStrategy[Op]:
    """Programs that may stand where ``kind`` is expected, nested at most ``depth`` deep."""
    fitting = [
        operator
        for operator in registry().values()
        if kind.accepts(operator.returns) and least_depth(operator) <= depth
    ]
    if not fitting:
        raise ValueError(f"no program of kind {kind} has a depth of {depth}")
    return st.one_of([rooted(operator, depth) for operator in fitting])


def least_depth(operator: type[Op]) -> int:
    """The depth of the shallowest programs with this operator as their root."""
    return _least_depths()[operator]


@cache
def _least_depths() -> dict[type[Op], int]:
    found: dict[type[Op], int] = {}
    while len(found) < len(registry()):
        before = len(found)
        for operator in registry().values():
            below = []
            for kind in _operand_kinds(operator):
                fitting = [d for other, d in found.items() if kind.accepts(other.returns)]
                below.append(min(fitting, default=None))
            if operator not in found and None not in below:
                found[operator] = 1 + max((d for d in below if d is not None), default=0)
        if len(found) == before:
            raise ValueError("some operator can never be built")
    return found


def _operand_kinds(operator: type[Op]) -> list[Kind]:
    return [p.declared for p in signature(operator) if isinstance(p.declared, Kind)]


@st.composite
def rooted(draw: st.DrawFn, operator: type[Op], depth: int = 4) -> Op:
    """Programs with this operator as their root."""
    values: dict[str, Any] = {}
    attribute = ""
    for parameter in signature(operator):
        value = draw(_argument(parameter, attribute, depth, tuple(values.values())))
        values[parameter.name] = value
        if isinstance(parameter.declared, Name) and parameter.declared.role == "attribute":
            attribute = value
    return operator(**values)


def _argument(
    parameter: Parameter, attribute: str, depth: int, earlier: tuple[object, ...]
) -> st.SearchStrategy[Any]:
    declared = parameter.declared
    if isinstance(declared, Kind):
        # A shared sub-program is what makes closed forms wrong, so it must be frequent.
        shared = [
            st.just(other)
            for other in earlier
            if isinstance(other, Op) and declared.accepts(other.returns)
        ]
        return st.one_of(programs(declared, depth - 1), *shared)
    if isinstance(declared, Name):
        return st.sampled_from(
            ATTRIBUTES[attribute] if declared.role == "value" else NAMES[declared.role]
        )
    if isinstance(declared, Whole):
        return st.integers(declared.least, declared.least + 2)
    return st.sampled_from(Comparison)


any_program = st.sampled_from(Kind).flatmap(programs)
"""Programs of any kind."""
