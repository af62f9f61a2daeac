"""Soft rules for objects by what they are to other objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from neurosym.betweenness import between
from neurosym.executors.branches import (
    choose,
    count_distribution,
    merged,
    none_of_the_others,
    signed_walk,
)
from neurosym.executors.run import MOST_SETTLED, SETTLED, Run, Value, at_numbers, present
from neurosym.executors.soft_rules.sets import ranked
from neurosym.program import (
    Between,
    Closest,
    Comparative,
    Comparison,
    Different,
    Equative,
    Farthest,
    Identical,
    Op,
    Relate,
    RelateAll,
    RelateCount,
    RelatedBy,
    RelatedByCount,
    RelateMost,
    RelateOnly,
    Same,
    Similar,
    TopClosest,
    TopFarthest,
)


def _relate(run: Run) -> Value:
    return _holding(run, _some_hit)


def _relate_all(run: Run) -> Value:
    return _holding(run, _every_hit)


def _relate_count(run: Run) -> Value:
    op = run.op(RelateCount)
    return _so_many_hits(run, op.comparison, op.number)


def _related_by_count(run: Run) -> Value:
    # The relation is read backwards where its table is looked up.
    op = run.op(RelatedByCount)
    return _so_many_hits(run, op.comparison, op.number)


def _so_many_hits(run: Run, comparison: Comparison, number: int) -> Value:
    """The objects of which it holds that they have so many hits among the landmarks."""

    def hold(run: Run, relation: Tensor, landmarks: Tensor) -> Tensor:
        hits = relation * landmarks[:, :, None, :]
        counts = count_distribution(hits, run.batch.groups, most=number)
        holds = [comparison.holds(count, number) for count in range(number + 2)]
        return counts[..., torch.tensor(holds, device=counts.device)].sum(-1)

    return _holding(run, hold)


def _relate_most(run: Run) -> Value:
    def hold(run: Run, relation: Tensor, landmarks: Tensor) -> Tensor:
        itself = torch.eye(run.objects, device=relation.device)
        others = landmarks[:, :, None, :] * (1.0 - itself)
        leads = signed_walk(relation * others, (1.0 - relation) * others, run.batch.groups)
        return leads[..., run.objects + 1 :].sum(-1)

    return _holding(run, hold)


def _relate_only(run: Run) -> Value:
    # Whether there are other things than landmarks is common to all objects, too.
    settled = run.settle(None)

    def hold(run: Run, relation: Tensor, landmarks: Tensor) -> Tensor:
        there = run.state.sum(-1)
        related = relation * there[:, :, None, :]
        to_others = relation * (there - landmarks).clamp_min(0.0)[:, :, None, :]
        return (_missed(run, to_others) - _missed(run, related)).clamp_min(0.0)

    run.approximate(~settled, run.number)
    return _holding(run, hold, of_all=True)


def _similar(run: Run) -> Value:
    if run.number not in run.batch.relations:
        return _by_value(run)
    if run.number in run.batch.soft_relations:
        # There are too many combinations of labels to know of each landmark which it has.
        run.approximate(run.batch.soft_relations[run.number], run.number)
    return _relate(run)


def _holding(
    run: Run, hold: Callable[[Run, Tensor, Tensor], Tensor], *, of_all: bool = False
) -> Value:
    """The objects of which it holds that they have the relation to the landmarks.

    Args:
        run: the batch.
        hold: gives the probability [Q, K, N] for each object from the relation [Q, 1, N, N] and
            the probability [Q, K, N] of each object to be a landmark.
        of_all: whether it asks for the relation to what is no landmark as well.
    """
    # Which landmarks there are is common to all objects: known, or an approximation.
    run.know_operand(1)
    landmark = run.operand(1).landmark
    relation = run.batch.relations[run.number]
    landmarks = _membership(run, 1)
    if landmark is None or not run.objects or hold not in (_some_hit, _every_hit):
        held = hold(run, relation.rows()[:, None], landmarks)
    else:
        held = relation.columns(landmark)
        if hold is _every_hit:
            # With no landmark but itself it holds of all of them.
            held = torch.where(landmarks > 0, 1.0, held)
    asked_about = run.state.sum(-1) if of_all else landmarks
    holding = run.hold(held, asked_about > 0)
    return Value(member=run.member(0) * holding)


def _some_hit(run: Run, relation: Tensor, landmarks: Tensor) -> Tensor:
    """[Q, K, N] probability that an object has the relation to some landmark."""
    if run.batch.crisp:
        return ((landmarks @ relation[:, 0].transpose(1, 2)) > 0.5).to(relation.dtype)
    return 1.0 - _missed(run, relation * landmarks[:, :, None, :])


def _every_hit(run: Run, relation: Tensor, landmarks: Tensor) -> Tensor:
    """[Q, K, N] probability that an object has the relation to every landmark but itself."""
    itself = torch.eye(run.objects, device=relation.device)
    return 1.0 - _some_hit(run, (1.0 - relation) * (1.0 - itself), landmarks)


def _missed(run: Run, hits: Tensor) -> Tensor:
    """[Q, K, N] probability that none of an object's hits [Q, K, N, N] comes true."""
    return (1.0 - merged(hits, run.batch.groups)).prod(-1)


def _between(run: Run) -> Value:
    for index in (1, 2):
        run.know_operand(index)
    first, second = (_membership(run, index) for index in (1, 2))
    landmarks = run.operand(1).landmark, run.operand(2).landmark
    if run.batch.positions is None or not run.objects:
        held = torch.zeros_like(run.state[..., 0])
    elif landmarks[0] is not None and landmarks[1] is not None:
        held = _between_two(run, landmarks[0], landmarks[1])
    else:
        held = _between_some(run, first, second)
    holding = run.hold(held, first > 0)
    return Value(member=run.member(0) * holding)


def _between_two(run: Run, first: Tensor, second: Tensor) -> Tensor:
    """[Q, K, N] 1 for what is between two known objects [Q, K]."""
    positions = present(run.batch.positions)
    points, one, other = positions.rows()[:, None], positions.at(first), positions.at(second)
    held = between(points, one[:, :, None], other[:, :, None])
    ends = at_numbers(first, run.objects) | at_numbers(second, run.objects)
    return (held & ~ends & (first != second)[..., None]).float()


def _between_some(run: Run, first: Tensor, second: Tensor) -> Tensor:
    """[Q, K, N] probability to be between some members of two sets [Q, K, N]."""
    points = present(run.batch.positions).rows()[:, None]
    itself = torch.eye(run.objects, dtype=torch.bool, device=points.device)
    missed = torch.ones_like(run.state[..., 0])
    for number in (first.amax((0, 1)) > 0).nonzero().flatten().tolist():
        one = points[:, :, number]
        hits = between(points[:, :, :, None], one[:, :, None, None], points[:, :, None, :])
        hits = hits & ~itself[number] & ~itself[number][:, None] & ~itself
        pair = first[..., number, None, None] * second[:, :, None, :] * hits
        missed = missed * (1.0 - merged(pair, run.batch.groups)).prod(-1)
    return 1.0 - missed


def _membership(run: Run, index: int) -> Tensor:
    """[Q, K, N] probability of each object to be in an operand."""
    landmark = run.operand(index).landmark
    if landmark is not None and run.objects:
        return at_numbers(landmark, run.objects).float()
    return run.probability(run.member(index))


def _closest(run: Run) -> Value:
    return _by_distance(run, run.op(Closest).rank, 1.0)


def _farthest(run: Run) -> Value:
    return _by_distance(run, run.op(Farthest).rank, -1.0)


def _top_closest(run: Run) -> Value:
    return _by_distance(run, run.op(TopClosest).count, 1.0, whole=True)


def _top_farthest(run: Run) -> Value:
    return _by_distance(run, run.op(TopFarthest).count, -1.0, whole=True)


def _by_distance(run: Run, rank: int, sign: float, *, whole: bool = False) -> Value:
    distances = run.batch.distances
    landmark = run.operand(1).landmark
    if not run.objects or distances is None:
        return run.operand(0)
    if landmark is not None:
        key = distances.columns(landmark)
        key = key.masked_fill(at_numbers(landmark, run.objects), torch.inf)
    else:
        run.settle(1, run.objects)
        there = run.probability(run.member(1)) > 0.5
        itself = torch.eye(run.objects, dtype=torch.bool, device=run.state.device)
        usable = there[:, :, None, :] & ~itself
        key = distances.rows()[:, None].masked_fill(~usable, torch.inf).amin(-1)
    eligible = key.isfinite()
    key = torch.where(eligible, sign * key, torch.inf)
    return ranked(run, run.member(0) * eligible[..., None], key, rank, whole=whole)


def _same(run: Run) -> Value:
    return _by_value(run)


def _different(run: Run) -> Value:
    return _by_value(run, differing=True)


def _by_value(run: Run, *, differing: bool = False) -> Value:
    """The objects that are like some landmark by their values, or like none."""
    run.know_operand(1)
    if run.operand(1).landmark is not None and run.objects:
        alike = _like_one(run)
    else:
        alike = _like_some(run)
    return Value(member=run.member(0) * (1.0 - alike if differing else alike))


def _like_one(run: Run) -> Tensor:
    """[Q, K, N, C] whether an object is like the one landmark.

    Splits on what value that has, so that whatever is known of the landmark counts.
    """
    landmark = present(run.operand(1).landmark)
    if run.batch.crisp:
        chosen = at_landmark(run.attribute_values(), landmark)[..., None, :, :]
        alike = (run.alike() * chosen).sum(-2)
    else:
        landmark, position = pin_value(run, run.attribute_values(), landmark)
        alike = value_cells(run.alike(), position)
    return alike * ~at_numbers(landmark, run.objects)[..., None]


def _like_some(run: Run) -> Tensor:
    """[Q, K, N, C] whether an object is like some landmark.

    Splits on the uncertain values of landmarks, for they are common to all objects.
    """
    if not run.objects:
        return torch.ones_like(run.state)
    if not run.batch.crisp:
        pin_values(run, 1)
    # [Q, K, N, V]: to be a landmark and have this value.
    has = values_in(run, 1)
    if run.batch.crisp:
        alike = run.alike()[..., 0] @ has.transpose(2, 3)
        alike = alike * (1.0 - torch.eye(run.objects, device=alike.device))
        return (alike.amax(-1, keepdim=True) > 0.5).to(alike.dtype)
    # [Q, K, C, N]: to be a landmark that something in this cell is like.
    wanted = _times(has, run.alike()[:, 0, 0]).transpose(2, 3)
    return 1.0 - none_of_the_others(wanted, run.batch.groups).transpose(2, 3)


def pin_values(run: Run, index: int) -> None:
    """Split on the uncertain values of the members of an operand."""
    has = values_in(run, index)
    uncertain = run.likely(((has > SETTLED) & (has < 1.0 - SETTLED)).any(-1))
    settled = uncertain.sum(-1) <= MOST_SETTLED
    run.approximate(~settled, run.plans[0].steps[run.number].operands[index])
    for number in (uncertain & settled[:, None]).any(0).nonzero().flatten().tolist():
        _pin_where_member(run, index, number, settled)


def values_in(run: Run, index: int) -> Tensor:
    """[Q, K, N, V] probability of each object to be in an operand and have a value."""
    members = run.state * run.member(index)
    values = run.attribute_values()
    if run.batch.crisp:
        return members * values[..., 0]
    return _times(members, values[:, 0, 0].transpose(1, 2))


def _times(rows: Tensor, table: Tensor) -> Tensor:
    """[Q, K, ..., B] from [Q, K, ..., A] and [Q, A, B]: no table is copied for every case."""
    product = rows.flatten(1, -2) @ table
    return product.reshape(*rows.shape[:-1], table.shape[-1])


def _pin_where_member(run: Run, index: int, number: int, settled: Tensor) -> None:
    """Split on the value of an object in the cases in which it is in an operand.

    Args:
        run: the batch.
        index: which operand.
        number: the object.
        settled: [Q] bool, the queries to split.
    """
    values = run.attribute_values()
    member = (run.state * run.member(index))[:, :, number]
    has = _times(member, values[:, 0, 0].transpose(1, 2)) * settled[:, None, None]
    inside = has.sum(-1, keepdim=True)
    # One option more stands for not being in it.
    options = torch.cat([has, 1.0 - inside], -1) * run.weight[..., None]
    choice = choose(options, run.limit)
    run.split(choice)
    count = values.shape[-2]
    here = torch.arange(run.objects, device=run.state.device) == number
    known = (choice.position < count)[..., None] & here
    cells = value_cells(values, choice.position.clamp_max(count - 1)) * run.member(index)
    run.know(cells, known, torch.zeros_like(known))


def at_landmark(values: Tensor, landmark: Tensor) -> Tensor:
    """The rows [Q, K, V, C] of known objects [Q, K] in values [Q, 1, N or 1, V, C]."""
    if values.shape[2] == 1:
        return values[:, :, 0].expand(-1, landmark.shape[1], -1, -1)
    index = landmark[..., None, None, None].expand(-1, -1, 1, *values.shape[3:])
    wide = values.expand(-1, landmark.shape[1], -1, -1, -1)
    return wide.gather(2, index)[:, :, 0]


def state_of(run: Run, landmark: Tensor) -> Tensor:
    """[Q, K, C] the state of a known object [Q, K or 1] in each case."""
    known = landmark.expand(-1, run.state.shape[1])
    index = known[..., None, None].expand(-1, -1, 1, run.state.shape[-1])
    return run.state.gather(2, index)[:, :, 0]


def value_distribution(run: Run, values: Tensor, landmark: Tensor) -> Tensor:
    """[Q, K, V] the value of a known object, given that it exists, in each case."""
    state = state_of(run, landmark)
    if values.shape[2] == 1:
        shares = _times(state, values[:, 0, 0].transpose(1, 2))
    else:
        shares = (at_landmark(values, landmark) * state[..., None, :]).sum(-1)
    total = shares.sum(-1, keepdim=True)
    return shares / torch.where(total > 0, total, torch.ones_like(total))


def value_cells(values: Tensor, position: Tensor) -> Tensor:
    """[Q, K, 1, C] which cells have the value at ``position`` [Q, K], of soft values."""
    cells = values[:, 0, 0]
    return cells.gather(1, position[..., None].expand(-1, -1, cells.shape[-1]))[:, :, None]


def pin_value(run: Run, values: Tensor, landmark: Tensor, *carried: Tensor) -> tuple[Tensor, ...]:
    """Split on the value of a known object of a soft scene.

    Returns:
        [Q, K] the object and [Q, K] the value's position, then what else is ``carried``, in the
        new cases.
    """
    options = value_distribution(run, values, landmark) * run.weight[..., None]
    choice = choose(options, run.limit)
    landmark, *rest = run.split(choice, landmark, *carried)
    here = at_numbers(landmark, run.objects)
    run.know(value_cells(values, choice.position), here, torch.zeros_like(here))
    return landmark, choice.position, *rest


RULES: Mapping[type[Op], Callable[[Run], Value]] = {
    Relate: _relate,
    RelatedBy: _relate,
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
    Comparative: _relate,
    Equative: _relate,
    Same: _same,
    Different: _different,
    Similar: _similar,
    Identical: _similar,
}
