"""Scenes and the names in programs as tensors, for a batch of plans of one shape.

Of all that an object may be, a program sees only the categories and values that it names. The
states that it can tell apart are the cells: the product, over categories and each attribute named,
of the blocks into which the names divide its values. A crisp scene needs no cells: there each
object's one state says at once what it belongs to.

Every name is looked up once for each distinct scene of a batch, not once for each query.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from neurosym.errors import ExecutionError
from neurosym.executors.base import located
from neurosym.executors.branches import Groups
from neurosym.executors.plan import Plan
from neurosym.executors.tables import (
    ColumnSets,
    Dimension,
    admitted_values,
    categorical_table,
    centres,
    combinations,
    crisp_atom,
    crisp_values,
    distance_table,
    existence_table,
    likeness,
    mark_of,
    name_matches,
    named_columns,
    order_key,
    relation_table,
    similarity_table,
)
from neurosym.program import (
    Alike,
    Between,
    Choose,
    Closest,
    CommonValue,
    CountValues,
    Different,
    Equal,
    Everything,
    Farthest,
    Filter,
    Op,
    Pointed,
    Query,
    RareValue,
    Same,
    Select,
    Similar,
    Superlative,
    Top,
    TopClosest,
    TopFarthest,
)
from neurosym.program.operator import names_of
from neurosym.scene import Scene

MAX_CELLS = 8192
"""Most states of one object that a program may tell apart."""
MOST_COMBINATIONS = 1024
"""Most combinations of labels by which objects are compared as a whole."""


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

    def at(self, landmark: Tensor) -> Tensor:
        """Of [N, ...] tables the rows of known landmarks [Q, K]: [Q, K, ...]."""
        return self.tables[self.index[:, None], landmark]


@dataclass(frozen=True)
class Encoded:
    """A batch as tensors: Q queries, N objects (padded with objects that cannot exist), C cells.

    Attributes:
        state: [Q, 1, N, C] probability that an object exists in a cell.
        groups: exclusive groups, None when there are none.
        atoms: step -> [Q, 1, N or 1, C or 1] membership, for Everything, Select, Pointed and
            Filter steps.
        values: step -> [Q, 1, N or 1, V, C] whether the object has a value in this cell, for
            steps that look at every value of an attribute.
        alike: step -> [Q, 1, N or 1, V, C] whether the object, in this cell, is what a landmark
            with a value is to the step: of the same value, or similar to it.
        options: step -> [Q, V] the values that a Choose step admits.
        matches: step -> [Q, V, V'] whether two values have the same name, for Equal steps.
        relations: step -> [N, N] tables, for relating steps; comparatives among them.
        positions: [N, 2] tables of box centres, None when no step needs them.
        keys: step -> [Q, 1, N], ascending in the step's order, for ranking steps.
        distances: [N, N] tables, None when no step needs them.
        crisp: whether every scene has one possible world.
        soft_relations: step -> [Q] bool, whose relation is not 0 or 1 throughout; only steps where
            that is so of some query.
        counts: the number of objects of each query's scene before padding.
    """

    state: Tensor
    groups: Groups | None
    atoms: dict[int, Tensor]
    values: dict[int, Tensor]
    alike: dict[int, Tensor]
    options: dict[int, Tensor]
    matches: dict[int, Tensor]
    relations: dict[int, Stacked]
    positions: Stacked | None
    keys: dict[int, Tensor]
    distances: Stacked | None
    crisp: bool
    soft_relations: dict[int, Tensor]
    counts: tuple[int, ...]


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

    def nodes(number: int) -> list[tuple[Op, Scene]]:
        return [(p.steps[number].op, scene) for p, scene in zip(plans, scenes, strict=True)]

    relations: dict[int, Stacked] = {}
    keys: dict[int, Tensor] = {}
    atoms: dict[int, Tensor] = {}
    options: dict[int, Tensor] = {}
    matches: dict[int, Tensor] = {}
    distances: Stacked | None = None
    positions: Stacked | None = None
    named: list[int] = []
    valued: list[int] = []
    joint: list[int] = []
    everything: list[int] = []
    for number, step in enumerate(plans[0].steps):
        match step.op:
            case Select() | Filter():
                named.append(number)
            case Everything():
                everything.append(number)
            case Pointed():
                marks = look_up(number, (objects,), mark_of)
                atoms[number] = marks.rows()[:, None, :, None].float()
            case Same() | Different() | Query() | Choose():
                valued.append(number)
                if isinstance(step.op, Choose):
                    rows = [admitted_values(op, scene) for op, scene in nodes(number)]
                    options[number] = _pad(rows, (max(map(len, rows)),))
            case Alike() | CountValues() | CommonValue() | RareValue():
                valued.append(number)
            case Superlative() | Top():
                keys[number] = look_up(number, (objects,), order_key).rows()[:, None]
            case Closest() | Farthest() | TopClosest() | TopFarthest():
                distances = look_up(number, (objects, objects), distance_table)
            case Between():
                positions = look_up(number, (objects, 2), centres)
            case op if any(role in ("relation", "order") for role, _ in names_of(op)):
                relations[number] = look_up(number, (objects, objects), relation_table)
            case Equal():
                rows = [name_matches(op, scene) for op, scene in nodes(number)]
                size = tuple(max(row.shape[axis] for row in rows) for axis in (0, 1))
                matches[number] = _pad(rows, size)
            case Similar() if not crisp and all(is_joint(op, scene) for op, scene in nodes(number)):
                joint.append(number)
            case Similar():
                relations[number] = look_up(number, (objects, objects), similarity_table)
            case _:
                pass
    values: dict[int, Tensor] = {}
    alike: dict[int, Tensor] = {}
    if crisp:
        state = look_up(0, (objects,), lambda _, scene: scene.existence.float()).rows()[..., None]
        for number in named:
            atoms[number] = look_up(number, (objects,), crisp_atom).rows()[:, None, :, None]
        for number in valued:
            count = max(combinations(op, scene) for op, scene in nodes(number))
            table = look_up(number, (objects, count), crisp_values)
            values[number] = table.rows()[:, None, :, :, None]
    else:
        seen = [*named, *valued, *joint]
        cells = [_Cells(p, s, seen) for p, s in zip(plans, scenes, strict=True)]
        count = max(cell.state.shape[1] for cell in cells)
        state = _pad([cell.state for cell in cells], (objects, count))
        for number in named:
            atoms[number] = _pad([cell.sets(number)[0] for cell in cells], (count,))[:, None, None]
        for number in valued:
            rows = [cell.sets(number) for cell in cells]
            values[number] = _pad(rows, (max(map(len, rows)), count))[:, None, None]
        for number in joint:
            rows = [torch.eye(cell.state.shape[1], device=device) for cell in cells]
            values[number] = _pad(rows, (count, count))[:, None, None]
            rows = [cell.likeness(number) for cell in cells]
            alike[number] = _pad(rows, (count, count))[:, None, None]
    alike |= {number: values[number] for number in valued}
    for number in everything:
        atoms[number] = torch.ones_like(state if crisp else state[:, :1])[:, None]
    group_numbers = look_up(0, (), lambda _, scene: _group_numbers(scene, objects))
    overlapping = any(len(torch.unique(row)) < objects for row in group_numbers.tables)
    return Encoded(
        state=state[:, None],
        groups=Groups.of(group_numbers.rows()) if overlapping else None,
        atoms=atoms,
        values=values,
        alike=alike,
        options=options,
        matches=matches,
        relations=relations,
        positions=positions,
        keys=keys,
        distances=distances,
        crisp=crisp,
        soft_relations={} if crisp else _soft(relations),
        counts=tuple(len(scene) for scene in scenes),
    )


def _soft(relations: Mapping[int, Stacked]) -> dict[int, Tensor]:
    soft = {}
    for number, relation in relations.items():
        tables = relation.tables.flatten(1)
        of_queries = ((tables != 0) & (tables != 1)).any(1)[relation.index]
        if bool(of_queries.any()):
            soft[number] = of_queries
    return soft


def is_joint(op: Op, scene: Scene) -> bool:
    """Whether a node compares objects of a soft scene by all of their labels together."""
    return isinstance(op, Similar) and combinations(op, scene) <= MOST_COMBINATIONS


class _Cells:
    """The states of the objects of one scene that one program can tell apart.

    Attributes:
        state: [N, C] probability that an object exists in a cell.
    """

    def __init__(self, steps: Plan, scene: Scene, numbers: Sequence[int]) -> None:
        device = scene.device
        self._steps = steps
        named: dict[int, dict[Dimension, ColumnSets]] = {}
        for number in numbers:
            with located(steps.steps[number].op):
                named[number] = named_columns(steps.steps[number].op, scene)
        self.state = existence_table(scene)[:, None]
        # (step, dimension) -> [sets, C] whether the cell belongs to each set of columns.
        self._atoms: dict[tuple[int, Dimension], Tensor] = {}
        for dimension in dict.fromkeys(d for looked_at in named.values() for d in looked_at):
            table = categorical_table(scene, dimension)
            members = {n: sets[dimension] for n, sets in named.items() if dimension in sets}
            distinct = list(dict.fromkeys(columns for sets in members.values() for columns in sets))
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
            self._atoms = {k: a.repeat_interleave(blocks, dim=1) for k, a in self._atoms.items()}
            for number, sets in members.items():
                inside = torch.zeros(len(sets), blocks, device=device)
                for row, columns in zip(inside, sets, strict=True):
                    row[block[list(columns)]] = 1.0
                self._atoms[number, dimension] = inside.repeat(1, before)

    def sets(self, number: int) -> Tensor:
        """[sets, C] whether a cell belongs to each set of columns that a step names."""
        (found,) = (atoms for (step, _), atoms in self._atoms.items() if step == number)
        return found

    def likeness(self, number: int) -> Tensor:
        """[C, C] 1 where two cells are similar by all that a step looks at."""
        atoms = {d: a.T for (step, d), a in self._atoms.items() if step == number}
        return likeness([atoms.pop(None), *atoms.values()], self._steps.steps[number].op)


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
