"""Random scenes and programs for property tests, and scenes made by hand, over one vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import torch
from hypothesis import strategies as st

from benchmarks.random_programs import (
    ATTRIBUTES,
    CATEGORIES,
    CONCEPTS,
    DEPTH,
    MEASURES,
    POINTERS,
    RELATIONS,
    random_program,
    random_scene,
    rooted_program,
)
from neurosym.pixels import ImageSize
from neurosym.program import Kind, Op
from neurosym.scene import Categorical, Measure, Relation, Scene

__all__ = ["ATTRIBUTES", "CATEGORIES", "any_program", "build_scene", "programs", "rooted", "scenes"]

_Option = TypeVar("_Option")


def build_scene(
    *,
    categories: list[str],
    existence: list[float] | None = None,
    groups: list[int] | None = None,
    relations: dict[str, list[tuple[int, int]]] | None = None,
    measures: dict[str, list[float]] | None = None,
    distances: list[list[float]] | None = None,
    marks: dict[str, list[bool]] | None = None,
    noise: float = 0.0,
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
            name: Measure(torch.tensor(values, dtype=torch.float32), "px", "given", noise=noise)
            for name, values in numbers.items()
        },
        marks={
            pointer: torch.tensor((marks or {}).get(pointer, [False] * count), dtype=torch.bool)
            for pointer in POINTERS
        },
        distances=(
            torch.zeros((count, count)) if distances is None else torch.tensor(distances)
        ).reshape(count, count),
        concepts=CONCEPTS,
    )


class _Draw:
    """A chooser that hypothesis can shrink: earlier options are simpler."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def __call__(self, options: Sequence[_Option], /) -> _Option:
        return self._draw(st.sampled_from(options))


@st.composite
def scenes(
    draw: st.DrawFn,
    crisp: bool,
    max_objects: int = 5,
    groups: bool = True,
    min_objects: int = 0,
    softness: int = 10,
) -> Scene:
    """A scene; see :func:`benchmarks.random_programs.random_scene`."""
    return random_scene(
        _Draw(draw),
        fewest=min_objects,
        most=max_objects,
        softness=softness,
        crisp=crisp,
        groups=groups,
    )


@st.composite
def programs(draw: st.DrawFn, kind: Kind | None = None, depth: int = DEPTH) -> Op:
    """A program that may stand where ``kind`` is expected, nested at most ``depth`` deep."""
    return random_program(_Draw(draw), kind, depth)


@st.composite
def rooted(draw: st.DrawFn, operator: type[Op], depth: int = DEPTH) -> Op:
    """A program with this operator as its root."""
    return rooted_program(_Draw(draw), operator, depth)


any_program = programs()
"""Programs of any kind."""
