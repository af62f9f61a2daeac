"""What scenes say of the names in programs, as one tensor for each node."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from neurosym.errors import UnknownConceptError
from neurosym.executors.base import located, value_names
from neurosym.executors.branches import count_distribution
from neurosym.program import (
    EQUATIVE_TOLERANCE,
    EXTRINSIC,
    ORDERS,
    Choose,
    Comparative,
    Equative,
    Filter,
    Identical,
    Op,
    RelatedBy,
    RelatedByCount,
    Select,
    Similar,
    Superlative,
    Top,
)
from neurosym.program.operator import names_of
from neurosym.scene import CATEGORY, Categorical, Scene

Dimension = str | None
"""What a named value belongs to: an attribute's name, or None for the category."""


ColumnSets = tuple[tuple[int, ...], ...]
"""Sets of columns of a dimension's table."""


def named_columns(op: Op, scene: Scene) -> dict[Dimension, ColumnSets]:
    """For each dimension that a node looks at the sets of columns that it tells apart.

    Raises:
        UnknownConceptError: the scene has no such category, attribute or value.
    """
    if isinstance(op, Select):
        return {None: (scene.category_indices(op.category),)}
    if isinstance(op, Similar):
        compared = [name for name in scene.attributes if name not in EXTRINSIC]
        return {None: _every_column(scene.categories)} | {
            name: _every_column(scene.attributes[name]) for name in compared
        }
    attribute = next(name for role, name in names_of(op) if role == "attribute")
    table = scene.attribute(attribute)
    dimension = None if attribute == CATEGORY else attribute
    if isinstance(op, Filter):
        return {dimension: ((table.index(op.value),),)}
    return {dimension: _every_column(table)}


def _every_column(table: Categorical) -> ColumnSets:
    return tuple((column,) for column in range(len(table.values)))


def combinations(op: Op, scene: Scene) -> int:
    """How many combinations of values a node tells apart at most."""
    with located(op):
        return math.prod(len(sets) for sets in named_columns(op, scene).values())


def mark_of(op: Op, scene: Scene) -> Tensor:
    """[N] bool, what a node points at."""
    return scene.mark(names_of(op)[0][1])


def relation_table(op: Op, scene: Scene) -> Tensor:
    """[N, N] probability that object i stands to landmark j as a node asks."""
    if isinstance(op, Comparative):
        return _comparison(op, scene)
    if isinstance(op, Equative):
        return _likeness(op, scene)
    name = next(name for role, name in names_of(op) if role == "relation")
    table = scene.relation(name).probabilities.float()
    return table.T if isinstance(op, RelatedBy | RelatedByCount) else table


def _comparison(op: Comparative, scene: Scene) -> Tensor:
    order = ORDERS[op.order]
    measure = scene.measure(order.measure)
    values = measure.values.float()
    if order.descending:
        lead = values[:, None] - op.times * values[None, :]
    else:
        lead = values[None, :] - op.times * values[:, None]
    ahead = torch.sigmoid(lead / measure.noise) if measure.noise else (lead > 0).float()
    return ahead.masked_fill(torch.eye(len(values), dtype=torch.bool, device=ahead.device), 0.0)


def _likeness(op: Equative, scene: Scene) -> Tensor:
    values = scene.measure(ORDERS[op.order].measure).values.float()
    larger = torch.maximum(values.abs()[:, None], values.abs()[None, :])
    alike = (values[:, None] - values[None, :]).abs() <= EQUATIVE_TOLERANCE * larger
    return alike.float().fill_diagonal_(0.0)


def similarity_table(op: Op, scene: Scene) -> Tensor:
    """[N, N] probability that object i is like landmark j."""
    tables = [categorical_table(scene, dimension) for dimension in named_columns(op, scene)]
    alike = likeness(tables, op)
    itself = torch.eye(len(scene), dtype=torch.bool, device=scene.device)
    return alike.masked_fill(itself, 0.0)


def likeness(tables: Sequence[Tensor], op: Op) -> Tensor:
    """[N, N] probability that two objects are similar, or identical.

    Args:
        tables: [N, V] distributions over the category, then over each attribute compared.
        op: the node that asks which it is.
    """
    category, *attributes = (table @ table.T for table in tables)
    if not attributes:
        return category.clamp(max=1.0)
    least = len(attributes) if isinstance(op, Identical) else (len(attributes) + 1) // 2
    agreeing = count_distribution(torch.stack(attributes, -1).clamp(max=1.0), None)
    return (category * agreeing[..., least:].sum(-1)).clamp(max=1.0)


def centres(_op: Op, scene: Scene) -> Tensor:
    """[N, 2] centres of the boxes."""
    return (scene.boxes[:, :2] + scene.boxes[:, 2:]) / 2


def admitted_values(op: Op, scene: Scene) -> Tensor:
    """[V] 1 for the values that a Choose node admits."""
    if not isinstance(op, Choose):
        raise AssertionError(op)
    with located(op):
        table = scene.attribute(op.attribute)
        admitted = torch.zeros(len(table.values), device=scene.device)
        admitted[[table.index(op.value), table.index(op.alternative)]] = 1.0
    return admitted


def name_matches(op: Op, scene: Scene) -> Tensor:
    """[V, V'] 1 where a value of the first operand has the name of a value of the second."""
    first, second = (value_names(operand, scene) for operand in op.operands)
    same = [[float(one == other) for other in second] for one in first]
    return torch.tensor(same, device=scene.device).reshape(len(first), len(second))


def order_key(op: Op, scene: Scene) -> Tensor:
    """[N] what a node ranks by, ascending."""
    if not isinstance(op, Superlative | Top):
        raise AssertionError(op)
    order = ORDERS[op.order]
    values = scene.measure(order.measure).values.float()
    return -values if order.descending else values


def distance_table(_op: Op, scene: Scene) -> Tensor:
    """[N, N] distances."""
    if scene.distances is None:
        raise UnknownConceptError("measure", "distance", scene.measures)
    return scene.distances.float()


def crisp_values(op: Op, scene: Scene) -> Tensor:
    """[N, V] the values of the attribute that a node names."""
    (dimension,) = named_columns(op, scene)
    return categorical_table(scene, dimension)


def crisp_atom(op: Op, scene: Scene) -> Tensor:
    """[N] whether an object is what a node names."""
    ((dimension, (columns,)),) = named_columns(op, scene).items()
    return categorical_table(scene, dimension)[:, list(columns)].sum(1)


def categorical_table(scene: Scene, dimension: Dimension) -> Tensor:
    """[N, V] float32, the distribution of each object over a dimension."""
    table = scene.categories if dimension is None else scene.attribute(dimension)
    rows = table.probabilities.float()
    # Rows may be off 1 by a rounding, which says nothing of their gradients.
    return rows / rows.detach().sum(1, keepdim=True)


def existence_table(scene: Scene) -> Tensor:
    """[N] float32, the probability of each object to exist."""
    existence = scene.existence.float()
    _, groups = torch.unique(scene.groups, return_inverse=True)
    totals = torch.zeros_like(existence).index_add(0, groups, existence.detach())
    # Groups may be above 1 by a rounding.
    return existence / totals[groups].clamp_min(1.0)
