"""The reference: what a program means in a crisp world, by plain sets.

Slow and obvious on purpose. Every rule is written from its operator's documented meaning alone,
so that it can be held against the tensor executor.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from neurosym.errors import ExecutionError, UnknownConceptError
from neurosym.executors.base import Deadline, Executor, Outcome, Step, located
from neurosym.program import (
    ORDERS,
    Closest,
    Conjunction,
    Count,
    CountIs,
    Disjunction,
    Everything,
    Exist,
    Farthest,
    Filter,
    Intersect,
    Kind,
    Minus,
    Negation,
    Op,
    Relate,
    RelateAll,
    Select,
    Superlative,
    The,
    TheCount,
    ThePlural,
    Top,
    Union,
)
from neurosym.program.operator import names_of
from neurosym.scene import Scene

Objects = frozenset[int]
Value = Objects | int | bool
Rule = Callable[..., Value]


@dataclass(frozen=True)
class World:
    """One crisp world.

    Attributes:
        existing: the objects that exist; the other fields may know others, which do not count.
        category: object -> its category.
        attributes: attribute -> object -> its one value.
        relations: relation -> the pairs (object, landmark) that stand in it.
        measures: measure -> object -> number.
        distances: [object][landmark], or None when the scene has none.
        covered: word -> the categories that it covers.
    """

    existing: Objects
    category: Mapping[int, str]
    attributes: Mapping[str, Mapping[int, str]]
    relations: Mapping[str, Collection[tuple[int, int]]]
    measures: Mapping[str, Mapping[int, float]]
    distances: Sequence[Sequence[float]] | None
    covered: Mapping[str, Collection[str]]


def world_of(scene: Scene) -> World:
    """The likeliest values of a scene, read from its graph: its one world when it is crisp.

    A relation holds where its probability is 1.
    """
    graph = scene.graph()
    nodes = dict(graph.nodes(data=True))
    return World(
        existing=frozenset(i for i, node in nodes.items() if node["existence"] == 1),
        category={i: node["category"] for i, node in nodes.items()},
        attributes={
            name: {i: _likeliest(node["attributes"][name]) for i, node in nodes.items()}
            for name in scene.attributes
        },
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
        covered={
            word: {scene.categories.values[column] for column in scene.category_indices(word)}
            for word in (*scene.categories.values, *scene.concepts)
        },
    )


def _likeliest(distribution: Mapping[str, float]) -> str:
    return max(distribution, key=lambda value: distribution[value])


class PresuppositionFailure(Exception):  # noqa: N818 - an outcome of the program, not an error
    """A presupposition does not hold in this world.

    Attributes:
        many: True when there are too many, False when there is none or too few.
    """

    def __init__(self, *, many: bool) -> None:
        super().__init__("many" if many else "none")
        self.many = many


def _everything(_op: Everything, world: World) -> Objects:
    return world.existing


def _select(op: Select, world: World) -> Objects:
    return frozenset(i for i in world.existing if world.category[i] in world.covered[op.category])


def _filter(op: Filter, world: World, objects: Objects) -> Objects:
    return frozenset(i for i in objects if world.attributes[op.attribute][i] == op.value)


def _relate(op: Relate, world: World, objects: Objects, landmarks: Objects) -> Objects:
    holds = world.relations[op.relation]
    return frozenset(i for i in objects if any((i, j) in holds for j in landmarks - {i}))


def _relate_all(op: RelateAll, world: World, objects: Objects, landmarks: Objects) -> Objects:
    holds = world.relations[op.relation]
    return frozenset(i for i in objects if all((i, j) in holds for j in landmarks - {i}))


def _distances(world: World, objects: Objects, landmarks: Objects) -> dict[int, float]:
    """The distance of each object to its nearest other landmark, where it has one."""
    if world.distances is None:
        raise ExecutionError("this world has no distances")
    return {
        i: min(world.distances[i][j] for j in landmarks - {i}) for i in objects if landmarks - {i}
    }


def _closest(op: Closest, world: World, objects: Objects, landmarks: Objects) -> Objects:
    distance = _distances(world, objects, landmarks)
    return frozenset(
        i for i in distance if sum(distance[j] < distance[i] for j in distance) == op.rank - 1
    )


def _farthest(op: Farthest, world: World, objects: Objects, landmarks: Objects) -> Objects:
    distance = _distances(world, objects, landmarks)
    return frozenset(
        i for i in distance if sum(distance[j] > distance[i] for j in distance) == op.rank - 1
    )


def _ahead(order_name: str, world: World, objects: Objects) -> dict[int, int]:
    """How many of the objects are strictly ahead of each in an order."""
    order = ORDERS[order_name]
    measure = world.measures[order.measure]
    if order.descending:
        return {i: sum(measure[j] > measure[i] for j in objects) for i in objects}
    return {i: sum(measure[j] < measure[i] for j in objects) for i in objects}


def _superlative(op: Superlative, world: World, objects: Objects) -> Objects:
    ahead = _ahead(op.order, world, objects)
    return frozenset(i for i in objects if ahead[i] == op.rank - 1)


def _top(op: Top, world: World, objects: Objects) -> Objects:
    ahead = _ahead(op.order, world, objects)
    return frozenset(i for i in objects if ahead[i] <= op.count - 1)


def _intersect(_op: Intersect, _world: World, left: Objects, right: Objects) -> Objects:
    return left & right


def _union(_op: Union, _world: World, left: Objects, right: Objects) -> Objects:
    return left | right


def _minus(_op: Minus, _world: World, objects: Objects, excluded: Objects) -> Objects:
    return objects - excluded


def _the(_op: The, _world: World, objects: Objects) -> Objects:
    if len(objects) != 1:
        raise PresuppositionFailure(many=len(objects) > 1)
    return objects


def _the_plural(_op: ThePlural, _world: World, objects: Objects) -> Objects:
    if not objects:
        raise PresuppositionFailure(many=False)
    return objects


def _the_count(op: TheCount, _world: World, objects: Objects) -> Objects:
    if len(objects) != op.count:
        raise PresuppositionFailure(many=len(objects) > op.count)
    return objects


def _count(_op: Count, _world: World, objects: Objects) -> int:
    return len(objects)


def _exist(_op: Exist, _world: World, objects: Objects) -> bool:
    return len(objects) > 0


def _count_is(op: CountIs, _world: World, objects: Objects) -> bool:
    return op.comparison.holds(len(objects), op.number)


def _negation(_op: Negation, _world: World, truth: bool) -> bool:
    return not truth


def _conjunction(_op: Conjunction, _world: World, left: bool, right: bool) -> bool:
    return left and right


def _disjunction(_op: Disjunction, _world: World, left: bool, right: bool) -> bool:
    return left or right


RULES: Mapping[type[Op], Rule] = {
    Everything: _everything,
    Select: _select,
    Filter: _filter,
    Relate: _relate,
    RelateAll: _relate_all,
    Closest: _closest,
    Farthest: _farthest,
    Superlative: _superlative,
    Top: _top,
    Intersect: _intersect,
    Union: _union,
    Minus: _minus,
    The: _the,
    ThePlural: _the_plural,
    TheCount: _the_count,
    Count: _count,
    Exist: _exist,
    CountIs: _count_is,
    Negation: _negation,
    Conjunction: _conjunction,
    Disjunction: _disjunction,
}
"""Operator -> rule(node, world, *values of the operands) -> value."""


@dataclass(frozen=True)
class Evaluation:
    """How a program went in one world. Equal evaluations give equal outcomes.

    Attributes:
        values: the values of the nodes in order of evaluation, up to a failure.
        failed: True when the node after these failed.
        many: True when it failed because there are many, False when because there is none.
    """

    values: tuple[Value, ...]
    failed: bool = False
    many: bool = False


Plan = Sequence[tuple[Op, Rule, int]]
"""The nodes in order of evaluation, each with its rule and its number of operands."""


def plan_of(program: Op, executor: Executor) -> Plan:
    """The plan of a program with an executor's rules; OperatorNotSupportedError without one."""
    return [(op, executor.rule(op), len(op.operands)) for op in program.walk()]


def evaluate(plan: Plan, world: World, deadline: Deadline | None = None) -> Evaluation:
    """The values of a program's nodes in one world; raises ExecutionError after a deadline."""
    values: list[Value] = []
    waiting: list[Value] = []
    for op, rule, arity in plan:
        first = len(waiting) - arity
        operands = waiting[first:]
        del waiting[first:]
        if deadline is not None:
            deadline.check()
        try:
            value = rule(op, world, *operands)
        except PresuppositionFailure as failure:
            return Evaluation(tuple(values), failed=True, many=failure.many)
        values.append(value)
        waiting.append(value)
    return Evaluation(tuple(values))


def outcome_of(plan: Plan, evaluation: Evaluation, count: int) -> Outcome:
    """The outcome that an evaluation in a world of ``count`` objects comes to.

    Its steps go up to and including the node that failed.
    """
    none = float(evaluation.failed and not evaluation.many)
    many = float(evaluation.failed and evaluation.many)
    steps = [
        Step(op, *tensors_of(op.returns, value, count))
        for (op, _, _), value in zip(plan, evaluation.values, strict=False)
    ]
    root = plan[-1][0]
    if evaluation.failed:
        failing = plan[len(evaluation.values)][0]
        steps.append(Step(failing, *tensors_of(failing.returns, None, count), none=none, many=many))
        answer = None
    else:
        answer = evaluation.values[-1]
        # Only an answer is reported as none for being empty; an empty set on the way is a value.
        none = float(answer == frozenset())
    return Outcome(
        root.returns,
        *tensors_of(root.returns, answer, count),
        none=none,
        empty=0.0 if evaluation.failed else none,
        many=many,
        steps=tuple(steps),
    )


def tensors_of(
    kind: Kind, value: Value | None, count: int
) -> tuple[Tensor | None, Tensor | None, float | None]:
    """A value as ``objects``, ``number`` and ``truth``; all zero when it failed (None)."""
    if kind is Kind.TRUTH:
        return None, None, float(value is True)
    if kind is Kind.NUMBER:
        number = torch.zeros(count + 1)
        if isinstance(value, int):
            number[value] = 1
        return None, number, None
    objects = torch.zeros(count)
    if isinstance(value, frozenset):
        objects[sorted(value)] = 1
    return objects, None, None


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
            case _:
                raise ExecutionError(f'"{op.name}" names a {role}, which no scene can look up')
    if isinstance(op, Closest | Farthest) and scene.distances is None:
        raise UnknownConceptError("measure", "distance", scene.measures)


class ReferenceExecutor(Executor):
    """Runs programs on crisp scenes by plain sets; every probability is 0 or 1.

    Tensors of the outcomes lie on the CPU.
    """

    name: ClassVar[str] = "reference"
    rules: ClassVar[Mapping[type[Op], Callable[..., Any]]] = RULES

    def run_many(self, programs: Sequence[Op], scenes: Sequence[Scene]) -> list[Outcome]:
        """See :meth:`neurosym.executors.base.Executor.run_many`.

        Raises:
            ExecutionError: also when a scene is not crisp.
        """
        self.check(programs, scenes)
        deadline = Deadline(self.seconds)
        return [
            self._run(program, scene, deadline)
            for program, scene in zip(programs, scenes, strict=True)
        ]

    def _run(self, program: Op, scene: Scene, deadline: Deadline) -> Outcome:
        if not scene.is_crisp:
            raise ExecutionError(
                "the reference executor runs on crisp scenes only, and this scene is soft: use "
                'scene.most_likely(), or the executor "tensor" or "worlds"'
            )
        plan = plan_of(program, self)
        check_names(program, scene)
        return outcome_of(plan, evaluate(plan, world_of(scene), deadline), len(scene))
