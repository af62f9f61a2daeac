"""Scenes and the names in programs as tensors, for a batch of plans of one shape.

Of all that an object may be, a program sees only the categories and values that it names. The
states that it can tell apart are the cells: the product, over categories and each attribute named,
of the blocks into which the names divide its values. A crisp scene needs no cells: there each
object's one state says at once what it belongs to.

Every name is looked up once for each distinct scene of a batch, not once for each query.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from neurosym.errors import ExecutionError, UnknownConceptError
from neurosym.executors.base import located
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

Dimension = str | None
"""What a named value belongs to: an attribute's name, or None for the category."""


@dataclass(frozen=True)
class Stacked:
    """Per-scene tables, stacked, and which one each query uses.

    Attributes:
        tables: [T, ...] the distinct tables, padded to N objects.
        index: [Q] int64.
    """

    tables: Tensor
    index: Tensor

    def rows(self) -> Tensor:
        """[Q, ...]: the table of every query."""
        if len(self.tables) == 1:
            return self.tables.expand(len(self.index), *self.tables.shape[1:])
        return self.tables[self.index]

    def columns(self, landmark: Tensor) -> Tensor:
        """Of [N, N] tables the columns of known landmarks [Q, K]: [Q, K, N]."""
        return self.tables[self.index[:, None], :, landmark]


@dataclass(frozen=True)
class Encoded:
    """A batch as tensors: Q queries, N objects (padded with objects that cannot exist), C cells.

    Attributes:
        state: [Q, 1, N, C] probability that an object exists in a cell.
        groups: exclusive groups, None when there are none.
        atoms: step -> [Q, 1, N or 1, C] membership, for Everything, Select and Filter steps.
        relations: step -> [N, N] tables, for relating steps.
        keys: step -> [Q, 1, N], ascending in the step's order, for ranking steps.
        distances: [N, N] tables, None when no step needs them.
        crisp: whether every scene has one possible world.
        soft_relations: steps whose relation is not 0 or 1 throughout.
        counts: the number of objects of each query's scene before padding.
    """

    state: Tensor
    groups: Groups | None
    atoms: dict[int, Tensor]
    relations: dict[int, Stacked]
    keys: dict[int, Tensor]
    distances: Stacked | None
    crisp: bool
    soft_relations: frozenset[int]
    counts: tuple[int, ...]


def named_columns(op: Op, scene: Scene) -> tuple[Dimension, tuple[int, ...]]:
    """The dimension and the columns that a Select or Filter names in a scene.

    Raises:
        UnknownConceptError: the scene has no such category, attribute or value.
    """
    if isinstance(op, Select):
        return None, scene.category_indices(op.category)
    if isinstance(op, Filter):
        return op.attribute, (scene.attribute(op.attribute).index(op.value),)
    raise AssertionError(op)


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
    device = scenes[0].device

    def look_up(
        number: int, shape: tuple[int, ...], table: Callable[[Op, Scene], Tensor]
    ) -> Stacked:
        made: dict[tuple[int, tuple[str, ...]], int] = {}
        tables: list[Tensor] = []
        index = []
        for steps, scene in zip(plans, scenes, strict=True):
            step = steps.steps[number]
            key = (id(scene), step.names)
            if key not in made:
                made[key] = len(tables)
                with located(step.op):
                    tables.append(table(step.op, scene))
            index.append(made[key])
        return Stacked(_pad(tables, shape), torch.tensor(index, device=device))

    relations: dict[int, Stacked] = {}
    keys: dict[int, Tensor] = {}
    distances: Stacked | None = None
    named: list[int] = []
    everything: list[int] = []
    for number, step in enumerate(plans[0].steps):
        match step.op:
            case Select() | Filter():
                named.append(number)
            case Everything():
                everything.append(number)
            case Relate() | RelateAll():
                relations[number] = look_up(number, (objects, objects), _relation)
            case Superlative() | Top():
                keys[number] = look_up(number, (objects,), _key).rows()[:, None]
            case Closest() | Farthest():
                distances = look_up(number, (objects, objects), _distances)
            case _:
                pass
    atoms: dict[int, Tensor] = {}
    if crisp:
        state = look_up(0, (objects,), lambda _, scene: scene.existence.float()).rows()[..., None]
        for number in named:
            atoms[number] = look_up(number, (objects,), _crisp_atom).rows()[:, None, :, None]
    else:
        cells = [_Cells(p, s, named) for p, s in zip(plans, scenes, strict=True)]
        count = max(cell.state.shape[1] for cell in cells)
        state = _pad([cell.state for cell in cells], (objects, count))
        for number in named:
            atoms[number] = _pad([cell.atoms[number] for cell in cells], (count,))[:, None, None]
    for number in everything:
        atoms[number] = torch.ones_like(state if crisp else state[:, :1])[:, None]
    group_numbers = look_up(0, (), lambda _, scene: _group_numbers(scene, objects))
    overlapping = any(len(torch.unique(row)) < objects for row in group_numbers.tables)
    return Encoded(
        state=state[:, None],
        groups=Groups.of(group_numbers.rows()) if overlapping else None,
        atoms=atoms,
        relations=relations,
        keys=keys,
        distances=distances,
        crisp=crisp,
        soft_relations=frozenset(
            n for n, r in relations.items() if not crisp and not _is_crisp(r.tables)
        ),
        counts=tuple(len(scene) for scene in scenes),
    )


def _is_crisp(tables: Tensor) -> bool:
    return bool(((tables == 0) | (tables == 1)).all())


def _relation(op: Op, scene: Scene) -> Tensor:
    if not isinstance(op, Relate | RelateAll):
        raise AssertionError(op)
    return scene.relation(op.relation).probabilities.float()


def _key(op: Op, scene: Scene) -> Tensor:
    if not isinstance(op, Superlative | Top):
        raise AssertionError(op)
    order = ORDERS[op.order]
    values = scene.measure(order.measure).values.float()
    return -values if order.descending else values


def _distances(op: Op, scene: Scene) -> Tensor:  # noqa: ARG001 - one signature for all tables
    if scene.distances is None:
        raise UnknownConceptError("measure", "distance", scene.measures)
    return scene.distances.float()


def _crisp_atom(op: Op, scene: Scene) -> Tensor:
    dimension, columns = named_columns(op, scene)
    return _table(scene, dimension)[:, list(columns)].sum(1)


def _table(scene: Scene, dimension: Dimension) -> Tensor:
    table = scene.categories if dimension is None else scene.attribute(dimension)
    return table.probabilities.float()


class _Cells:
    """The states of the objects of one scene that one program can tell apart.

    Attributes:
        state: [N, C] probability that an object exists in a cell.
        atoms: step -> [C] whether the cell belongs to what the step names.
    """

    def __init__(self, steps: Plan, scene: Scene, numbers: Sequence[int]) -> None:
        device = scene.device
        named: dict[int, tuple[Dimension, tuple[int, ...]]] = {}
        for number in numbers:
            with located(steps.steps[number].op):
                named[number] = named_columns(steps.steps[number].op, scene)
        self.state = scene.existence.float()[:, None]
        self.atoms: dict[int, Tensor] = {}
        for dimension in dict.fromkeys(d for d, _ in named.values()):
            table = _table(scene, dimension)
            members = {n: columns for n, (d, columns) in named.items() if d == dimension}
            distinct = list(dict.fromkeys(members.values()))
            belongs = torch.zeros(len(distinct), table.shape[1], dtype=torch.bool, device=device)
            for row, columns in zip(belongs, distinct, strict=True):
                row[list(columns)] = True
            _, block = torch.unique(belongs, dim=1, return_inverse=True)
            blocks = int(block.max()) + 1
            before = self.state.shape[1]
            if before * blocks > MAX_CELLS:
                raise ExecutionError(
                    f"the program tells more than {MAX_CELLS} states of one object apart: "
                    f"{steps.steps[-1].op}"
                )
            mass = torch.zeros(table.shape[0], blocks, device=device).index_add(1, block, table)
            self.state = (self.state[:, :, None] * mass[:, None, :]).flatten(1)
            self.atoms = {n: atom.repeat_interleave(blocks) for n, atom in self.atoms.items()}
            for number, columns in members.items():
                inside = torch.zeros(blocks, device=device)
                inside[block[list(columns)]] = 1.0
                self.atoms[number] = inside.repeat(before)


def _group_numbers(scene: Scene, objects: int) -> Tensor:
    _, numbers = torch.unique(scene.groups, return_inverse=True)
    padding = torch.arange(len(scene), objects, device=scene.device)
    return torch.cat([numbers, padding])


def _pad(rows: Sequence[Tensor], shape: tuple[int, ...]) -> Tensor:
    """Stack rows, each padded with zeros to ``shape``."""
    if all(row.shape == shape or not shape for row in rows):
        return torch.stack(list(rows))
    padded = rows[0].new_zeros((len(rows), *shape))
    for target, row in zip(padded, rows, strict=True):
        target[tuple(slice(0, size) for size in row.shape)] = row
    return padded
