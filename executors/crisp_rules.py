"""What every operator means in one crisp world, by plain sets.

Slow and obvious on purpose. Every rule is written from its operator's documented meaning alone,
so that it can be held against the tensor executor.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping

import networkx

from neurosym.errors import ExecutionError
from neurosym.executors.world import Objects, World
from neurosym.program import (
    EQUATIVE_TOLERANCE,
    EXTRINSIC,
    FORMS,
    ORDERS,
    Alike,
    Between,
    Choose,
    ChooseSet,
    Closest,
    Command,
    CommandTo,
    CommonValue,
    Comparative,
    CompareCounts,
    Conjunction,
    Count,
    CountEven,
    CountIs,
    CountValues,
    Difference,
    Different,
    Disjunction,
    Equal,
    Equative,
    Every,
    Everything,
    Exist,
    Farthest,
    Filter,
    Identical,
    Intersect,
    Minus,
    Most,
    Negation,
    Op,
    Part,
    Pointed,
    Query,
    RareValue,
    Relate,
    RelateAll,
    RelateCount,
    RelatedBy,
    RelatedByCount,
    RelateMost,
    RelateOnly,
    Same,
    Select,
    Similar,
    Superlative,
    The,
    TheCount,
    TheGroup,
    ThePlural,
    Top,
    TopClosest,
    TopFarthest,
    Union,
)
from neurosym.scene import CATEGORY

Value = Objects | int | bool | str
Rule = Callable[..., Value]


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


def _related_by(op: RelatedBy, world: World, objects: Objects, landmarks: Objects) -> Objects:
    holds = world.relations[op.relation]
    return frozenset(i for i in objects if any((j, i) in holds for j in landmarks - {i}))


def _relate_most(op: RelateMost, world: World, objects: Objects, landmarks: Objects) -> Objects:
    holds = world.relations[op.relation]
    found = set()
    for i in objects:
        others = landmarks - {i}
        if 2 * sum((i, j) in holds for j in others) > len(others):
            found.add(i)
    return frozenset(found)


def _relate_only(op: RelateOnly, world: World, objects: Objects, landmarks: Objects) -> Objects:
    holds = world.relations[op.relation]
    found = set()
    for i in objects:
        related = {j for j in world.existing - {i} if (i, j) in holds}
        if related and related <= landmarks:
            found.add(i)
    return frozenset(found)


def _relate_count(op: RelateCount, world: World, objects: Objects, landmarks: Objects) -> Objects:
    holds = world.relations[op.relation]
    return frozenset(
        i
        for i in objects
        if op.comparison.holds(sum((i, j) in holds for j in landmarks - {i}), op.number)
    )


def _related_by_count(
    op: RelatedByCount, world: World, objects: Objects, landmarks: Objects
) -> Objects:
    holds = world.relations[op.relation]
    return frozenset(
        i
        for i in objects
        if op.comparison.holds(sum((j, i) in holds for j in landmarks - {i}), op.number)
    )


def _between(
    _op: Between, world: World, objects: Objects, first: Objects, second: Objects
) -> Objects:
    def is_between(i: int, a: int, b: int) -> bool:
        if len({i, a, b}) < 3:
            return False
        to_a = [p - q for p, q in zip(world.positions[a], world.positions[i], strict=True)]
        to_b = [p - q for p, q in zip(world.positions[b], world.positions[i], strict=True)]
        lengths = math.hypot(*to_a) * math.hypot(*to_b)
        # 120 degrees have the cosine -1/2; what a rounding takes off is let pass.
        return lengths > 0 and sum(
            p * q for p, q in zip(to_a, to_b, strict=True)
        ) <= -0.5 * lengths * (1 - 1e-6)

    return frozenset(i for i in objects if any(is_between(i, a, b) for a in first for b in second))


def _comparative(op: Comparative, world: World, objects: Objects, landmarks: Objects) -> Objects:
    order = ORDERS[op.order]
    measure = world.measures[order.measure]
    drawn = world.drawn.get((order.measure, op.times))

    def is_ahead(i: int, j: int) -> bool:
        if drawn is not None:
            return ((i, j) if order.descending else (j, i)) in drawn
        if order.descending:
            return measure[i] > op.times * measure[j]
        return op.times * measure[i] < measure[j]

    return frozenset(i for i in objects if any(is_ahead(i, j) for j in landmarks - {i}))


def _equative(op: Equative, world: World, objects: Objects, landmarks: Objects) -> Objects:
    measure = world.measures[ORDERS[op.order].measure]

    def is_as(i: int, j: int) -> bool:
        larger = max(abs(measure[i]), abs(measure[j]))
        return abs(measure[i] - measure[j]) <= EQUATIVE_TOLERANCE * larger

    return frozenset(i for i in objects if any(is_as(i, j) for j in landmarks - {i}))


def _same(op: Same, world: World, objects: Objects, landmarks: Objects) -> Objects:
    value = world.attributes[op.attribute]
    return frozenset(i for i in objects if any(value[i] == value[j] for j in landmarks - {i}))


def _different(op: Different, world: World, objects: Objects, landmarks: Objects) -> Objects:
    value = world.attributes[op.attribute]
    return frozenset(i for i in objects if all(value[i] != value[j] for j in landmarks - {i}))


def _similar(op: Similar, world: World, objects: Objects, landmarks: Objects) -> Objects:
    compared = [
        values
        for name, values in world.attributes.items()
        if name != CATEGORY and name not in EXTRINSIC
    ]
    least = len(compared) if isinstance(op, Identical) else (len(compared) + 1) // 2

    def are_alike(i: int, j: int) -> bool:
        agreeing = sum(values[i] == values[j] for values in compared)
        return world.category[i] == world.category[j] and agreeing >= least

    return frozenset(i for i in objects if any(are_alike(i, j) for j in landmarks - {i}))


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


def _top_closest(op: TopClosest, world: World, objects: Objects, landmarks: Objects) -> Objects:
    distance = _distances(world, objects, landmarks)
    return frozenset(
        i for i in distance if sum(distance[j] < distance[i] for j in distance) <= op.count - 1
    )


def _top_farthest(op: TopFarthest, world: World, objects: Objects, landmarks: Objects) -> Objects:
    distance = _distances(world, objects, landmarks)
    return frozenset(
        i for i in distance if sum(distance[j] > distance[i] for j in distance) <= op.count - 1
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


def _the_group(op: TheGroup, world: World, objects: Objects) -> Objects:
    form = FORMS[op.form]
    holds = world.relations[form.relation]
    links = networkx.Graph()
    links.add_nodes_from(objects)
    links.add_edges_from((i, j) for i, j in holds if i in objects and j in objects and i != j)
    groups = [
        frozenset(members)
        for members in networkx.connected_components(links)
        if len(members) >= form.least and (form.most is None or len(members) <= form.most)
    ]
    if len(groups) != 1:
        raise PresuppositionFailure(many=len(groups) > 1)
    return groups[0]


def _pointed(op: Pointed, world: World) -> Objects:
    return world.marks[op.pointer] & world.existing


def _count(_op: Count, _world: World, objects: Objects) -> int:
    return len(objects)


def _exist(_op: Exist, _world: World, objects: Objects) -> bool:
    return len(objects) > 0


def _count_is(op: CountIs, _world: World, objects: Objects) -> bool:
    return op.comparison.holds(len(objects), op.number)


def _count_even(_op: CountEven, _world: World, objects: Objects) -> bool:
    return len(objects) % 2 == 0


def _choose_set(op: ChooseSet, _world: World, left: Objects, right: Objects) -> Objects:
    first = op.comparison.holds(len(left), len(right))
    if first == op.comparison.holds(len(right), len(left)):
        raise PresuppositionFailure(many=True)
    return left if first else right


def _compare_counts(op: CompareCounts, _world: World, left: Objects, right: Objects) -> bool:
    return op.comparison.holds(len(left), len(right))


def _difference(_op: Difference, _world: World, left: Objects, right: Objects) -> int:
    if len(left) < len(right):
        raise PresuppositionFailure(many=False)
    return len(left) - len(right)


def _every(_op: Every, _world: World, objects: Objects, scope: Objects) -> bool:
    return objects <= scope


def _most(_op: Most, _world: World, objects: Objects, scope: Objects) -> bool:
    return len(objects & scope) > len(objects - scope)


def _negation(_op: Negation, _world: World, truth: bool) -> bool:
    return not truth


def _conjunction(_op: Conjunction, _world: World, left: bool, right: bool) -> bool:
    return left and right


def _disjunction(_op: Disjunction, _world: World, left: bool, right: bool) -> bool:
    return left or right


def _query(op: Query, world: World, objects: Objects) -> str:
    values = _values(op.attribute, world, objects)
    if len(values) != 1:
        raise PresuppositionFailure(many=len(values) > 1)
    return next(iter(values))


def _values(attribute: str, world: World, objects: Objects) -> Counter[str]:
    """How many of the objects have each value of an attribute."""
    return Counter(world.attributes[attribute][i] for i in objects)


def _alike(op: Alike, world: World, objects: Objects) -> bool:
    return len(_values(op.attribute, world, objects)) <= 1


def _count_values(op: CountValues, world: World, objects: Objects) -> int:
    return len(_values(op.attribute, world, objects))


def _common_value(op: CommonValue, world: World, objects: Objects) -> str:
    ranked = _values(op.attribute, world, objects).most_common(2)
    if not ranked or [number for _, number in ranked[1:]] == [ranked[0][1]]:
        raise PresuppositionFailure(many=bool(ranked))
    return ranked[0][0]


def _rare_value(op: RareValue, world: World, objects: Objects) -> str:
    *_, second, last = [None, None, *_values(op.attribute, world, objects).most_common()]
    if last is None or (second is not None and second[1] == last[1]):
        raise PresuppositionFailure(many=last is not None)
    return last[0]


def _choose(op: Choose, world: World, objects: Objects) -> str:
    (i,) = objects
    value = world.attributes[op.attribute][i]
    if value not in (op.value, op.alternative):
        raise PresuppositionFailure(many=False)
    return value


def _equal(_op: Equal, _world: World, left: str, right: str) -> bool:
    return left == right


def _itself(_op: Part | Command, _world: World, objects: Objects) -> Objects:
    return objects


def _command_to(_op: CommandTo, _world: World, objects: Objects, _landmarks: Objects) -> Objects:
    return objects


RULES: Mapping[type[Op], Rule] = {
    Everything: _everything,
    Select: _select,
    Filter: _filter,
    Pointed: _pointed,
    Relate: _relate,
    RelatedBy: _related_by,
    RelatedByCount: _related_by_count,
    RelateAll: _relate_all,
    RelateMost: _relate_most,
    RelateOnly: _relate_only,
    RelateCount: _relate_count,
    Between: _between,
    Closest: _closest,
    Farthest: _farthest,
    TopClosest: _top_closest,
    TopFarthest: _top_farthest,
    Comparative: _comparative,
    Equative: _equative,
    Same: _same,
    Different: _different,
    Similar: _similar,
    Identical: _similar,
    Superlative: _superlative,
    Top: _top,
    Intersect: _intersect,
    Union: _union,
    ChooseSet: _choose_set,
    Minus: _minus,
    The: _the,
    ThePlural: _the_plural,
    TheCount: _the_count,
    TheGroup: _the_group,
    Count: _count,
    Exist: _exist,
    CountIs: _count_is,
    CountEven: _count_even,
    CompareCounts: _compare_counts,
    Difference: _difference,
    Every: _every,
    Most: _most,
    Negation: _negation,
    Conjunction: _conjunction,
    Disjunction: _disjunction,
    Query: _query,
    Choose: _choose,
    Equal: _equal,
    Alike: _alike,
    CountValues: _count_values,
    CommonValue: _common_value,
    RareValue: _rare_value,
    Part: _itself,
    Command: _itself,
    CommandTo: _command_to,
}
"""Operator -> rule(node, world, *values of the operands) -> value."""
