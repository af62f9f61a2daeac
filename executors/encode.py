"""Scenes and the names in programs as tensors, for a batch of plans of one shape.

Of all that an object may be, a program sees only the categories and values that it names. The
states that it can tell apart are the cells: the product, over categories and each attribute named,
of the blocks into which the names divide its values. A crisp scene needs no cells: there each
object's one state says at once what it belongs to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from neurosym.errors import ExecutionError, UnknownConceptError
from neurosym.executors.branches import Groups
from neurosym.executors.plan import Plan
from neurosym.program import (
    ORDERS,
    Closest,
    Everything,
    Farthest,
    Filter,
    Op,
    Relate,
    RelateAll,
    Select,
    Superlative,
    Top,
)
from neurosym.scene import Scene

MAX_CELLS = 4096
"""Most states of one object that a program may tell apart."""


@dataclass(frozen=True)
class Encoded:
    """A batch as tensors: Q queries, N objects (padded with objects that cannot exist), C cells.

    Attributes:
        state: [Q, 1, N, C] probability that an object exists in a cell.
        groups: exclusive groups, None when there are none.
        atoms: step -> [Q, 1, N or 1, C] membership, for Everything, Select and Filter steps.
        relations: step -> [Q, N, N] probabilities, for relating steps.
        keys: step -> [Q, 1, N], ascending in the step's order, for ranking steps.
        distances: [Q, N, N], None when no step needs it.
        crisp: whether every scene has one possible world.
        soft_relations: steps whose relation is not 0 or 1 throughout.
        counts: the number of objects of each scene before padding.
    """

    state: Tensor
    groups: Groups | None
    atoms: dict[int, Tensor]
    relations: dict[int, Tensor]
    keys: dict[int, Tensor]
    distances: Tensor | None
    crisp: bool
    soft_relations: frozenset[int]
    counts: tuple[int, ...]


def named_columns(op: Op, scene: Scene) -> tuple[str | None, tuple[int, ...]] | None:
    """The dimension (None for the category) and the columns that a Select or Filter names."""
    if isinstance(op, Select):
        return None, scene.category_indices(op.category)
    if isinstance(op, Filter):
        table = scene.attribute(op.attribute)
        return op.attribute, (table.index(op.value),)
    return None


def encode(plans: Sequence[Plan], scenes: Sequence[Scene], crisp: bool) -> Encoded:
    """Turn a batch into tensors.

    Args:
        plans: of one shape.
        scenes: one for each plan, on one device.
        crisp: whether all scenes are crisp.

    Raises:
        UnknownConceptError: a plan names what its scene does not have.
        ExecutionError: a program tells more than MAX_CELLS states apart.
    """
    objects = max((len(scene) for scene in scenes), default=0)
    rows = [_encode_one(p, s, crisp) for p, s in zip(plans, scenes, strict=True)]
    cells = max(row.state.shape[1] for row in rows)
    groups = torch.stack([_pad_groups(scene, objects) for scene in scenes])
    steps = plans[0].steps
    relating = [i for i, step in enumerate(steps) if isinstance(step.op, Relate | RelateAll)]
    ranking = [i for i, step in enumerate(steps) if isinstance(step.op, Superlative | Top)]
    far = any(isinstance(step.op, Closest | Farthest) for step in steps)
    relations = {
        i: _stack([row.relations[i] for row in rows], (objects, objects)) for i in relating
    }
    return Encoded(
        state=_stack([row.state for row in rows], (objects, cells))[:, None],
        groups=Groups.of(groups),
        atoms={
            i: _stack([row.atoms[i] for row in rows], (objects if crisp else 1, cells))[:, None]
            for i in rows[0].atoms
        },
        relations=relations,
        keys={i: _stack([row.keys[i] for row in rows], (objects,))[:, None] for i in ranking},
        distances=(
            _stack([_distances(scene) for scene in scenes], (objects, objects)) if far else None
        ),
        crisp=crisp,
        soft_relations=frozenset(
            i for i, r in relations.items() if not bool(((r == 0) | (r == 1)).all())
        ),
        counts=tuple(len(scene) for scene in scenes),
    )


@dataclass(frozen=True)
class _Row:
    state: Tensor
    atoms: dict[int, Tensor]
    relations: dict[int, Tensor]
    keys: dict[int, Tensor]


def _encode_one(plan: Plan, scene: Scene, crisp: bool) -> _Row:
    named: dict[int, tuple[str | None, tuple[int, ...]]] = {}
    everything: list[int] = []
    relations: dict[int, Tensor] = {}
    keys: dict[int, Tensor] = {}
    for number, step in enumerate(plan.steps):
        op = step.op
        columns = named_columns(op, scene)
        if columns is not None:
            named[number] = columns
        elif isinstance(op, Everything):
            everything.append(number)
        elif isinstance(op, Relate | RelateAll):
            relations[number] = scene.relation(op.relation).probabilities.float()
        elif isinstance(op, Superlative | Top):
            order = ORDERS[op.order]
            values = scene.measure(order.measure).values.float()
            keys[number] = -values if order.descending else values
        elif isinstance(op, Closest | Farthest):
            _distances(scene)
    state, atoms = (_crisp_cells if crisp else _soft_cells)(scene, named)
    for number in everything:
        atoms[number] = torch.ones_like(state if crisp else state.new_empty(1, state.shape[1]))
    return _Row(state, atoms, relations, keys)


def _table(scene: Scene, dimension: str | None) -> Tensor:
    table = scene.categories if dimension is None else scene.attribute(dimension)
    return table.probabilities.float()


def _crisp_cells(
    scene: Scene, named: dict[int, tuple[str | None, tuple[int, ...]]]
) -> tuple[Tensor, dict[int, Tensor]]:
    atoms = {
        number: _table(scene, dimension)[:, list(columns)].sum(1, keepdim=True)
        for number, (dimension, columns) in named.items()
    }
    return scene.existence.float()[:, None], atoms


def _soft_cells(
    scene: Scene, named: dict[int, tuple[str | None, tuple[int, ...]]]
) -> tuple[Tensor, dict[int, Tensor]]:
    device = scene.device
    state = scene.existence.float()[:, None]
    atoms: dict[int, Tensor] = {}
    for dimension in dict.fromkeys(d for d, _ in named.values()):
        table = _table(scene, dimension)
        members = {n: columns for n, (d, columns) in named.items() if d == dimension}
        code = torch.zeros(table.shape[1], dtype=torch.int64, device=device)
        for bit, columns in enumerate(dict.fromkeys(members.values())):
            code[list(columns)] += 1 << bit
        _, block = torch.unique(code, return_inverse=True)
        blocks = int(block.max()) + 1
        if state.shape[1] * blocks > MAX_CELLS:
            raise ExecutionError(
                f"the program tells more than {MAX_CELLS} states of one object apart"
            )
        mass = torch.zeros(table.shape[0], blocks, device=device).index_add(1, block, table)
        inside = {
            n: torch.zeros(blocks, device=device).index_fill(0, block[list(columns)], 1.0)
            for n, columns in members.items()
        }
        before = state.shape[1]
        state = (state[:, :, None] * mass[:, None, :]).flatten(1)
        atoms = {n: a.repeat_interleave(blocks, 1) for n, a in atoms.items()}
        atoms |= {n: a.repeat(before)[None, :] for n, a in inside.items()}
    return state, atoms


def _distances(scene: Scene) -> Tensor:
    if scene.distances is None:
        raise UnknownConceptError("measure", "distance", scene.measures)
    return scene.distances.float()


def _pad_groups(scene: Scene, objects: int) -> Tensor:
    _, numbers = torch.unique(scene.groups, return_inverse=True)
    padding = torch.arange(len(scene), objects, device=scene.device)
    return torch.cat([numbers, padding])


def _stack(rows: Sequence[Tensor], shape: tuple[int, ...]) -> Tensor:
    """Pad every row with zeros to ``shape`` and stack; one shared row is expanded, not copied."""
    if all(row is rows[0] for row in rows) and tuple(rows[0].shape) == shape:
        return rows[0].expand(len(rows), *shape)
    padded = rows[0].new_zeros((len(rows), *shape))
    for target, row in zip(padded, rows, strict=True):
        target[tuple(slice(0, size) for size in row.shape)] = row
    return padded
