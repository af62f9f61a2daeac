"""Soft rules for numbers, truths, values, parts and commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from neurosym.executors.branches import count_distribution, none_of, signed_walk
from neurosym.executors.run import SETTLED, Run, Value, any_order, at_numbers, present
from neurosym.executors.soft_rules.relations import (
    at_landmark,
    pin_value,
    state_of,
    value_distribution,
)
from neurosym.executors.soft_rules.values import shared_value
from neurosym.program import (
    Choose,
    Command,
    CommandTo,
    CompareCounts,
    Conjunction,
    Count,
    CountEven,
    CountIs,
    Difference,
    Disjunction,
    Equal,
    Every,
    Exist,
    Most,
    Negation,
    Op,
    Part,
    Query,
)


def _count(run: Run) -> Value:
    return Value(number=count_distribution(run.probability(run.member()), run.batch.groups))


def _exist(run: Run) -> Value:
    return Value(truth=_some(run, run.member()))


def _every(run: Run) -> Value:
    return Value(truth=1.0 - _some(run, run.member(0) * (1.0 - run.member(1))))


def _some(run: Run, member: Tensor) -> Tensor:
    """[Q, K] whether a set has a member; known in every case unless this is the last step."""
    if run.is_root or run.batch.crisp:
        return 1.0 - none_of(run.probability(member), run.batch.groups)
    ranking = run.rank(member, any_order(run), 1)
    return ranking.found.any(-1).to(run.weight.dtype)


def _counted(run: Run, *operands: int) -> list[Tensor]:
    """The memberships of operands to be counted; known in every case unless at the root."""
    if not run.is_root:
        for index in operands:
            run.know_operand(index)
    return [run.member(index) for index in operands]


def _count_is(run: Run) -> Value:
    op = run.op(CountIs)
    (member,) = _counted(run, 0)
    inside = run.probability(member)
    most = min(op.number, run.objects)
    counts = count_distribution(inside, run.batch.groups, most=most)
    holds = [op.comparison.holds(count, op.number) for count in range(most + 2)]
    return Value(truth=counts[..., torch.tensor(holds, device=counts.device)].sum(-1))


def _count_even(run: Run) -> Value:
    (member,) = _counted(run, 0)
    counts = count_distribution(run.probability(member), run.batch.groups)
    return Value(truth=counts[..., ::2].sum(-1))


def _compare_counts(run: Run) -> Value:
    op = run.op(CompareCounts)
    left, right = _counted(run, 0, 1)
    leads = _leads(run, left * (1.0 - right), right * (1.0 - left))
    holds = [op.comparison.holds(lead, 0) for lead in range(-run.objects, run.objects + 1)]
    return Value(truth=leads[..., torch.tensor(holds, device=leads.device)].sum(-1))


def _difference(run: Run) -> Value:
    left, right = _counted(run, 0, 1)
    leads = _leads(run, left * (1.0 - right), right * (1.0 - left))
    behind = leads[..., : run.objects].sum(-1)
    run.fail(behind)
    ahead = (1.0 - behind)[..., None]
    number = leads[..., run.objects :] / torch.where(ahead > 0, ahead, torch.ones_like(ahead))
    return Value(number=number)


def _most(run: Run) -> Value:
    objects, scope = _counted(run, 0, 1)
    leads = _leads(run, objects * scope, objects * (1.0 - scope))
    return Value(truth=leads[..., run.objects + 1 :].sum(-1))


def _leads(run: Run, up: Tensor, down: Tensor) -> Tensor:
    """[Q, K, 2 N + 1] probability of each lead, from -N to N."""
    return signed_walk(run.probability(up), run.probability(down), run.batch.groups)


def _negation(run: Run) -> Value:
    return Value(truth=1.0 - present(run.operand().truth))


def _conjunction(run: Run) -> Value:
    return Value(truth=present(run.operand(0).truth) * present(run.operand(1).truth))


def _disjunction(run: Run) -> Value:
    left, right = present(run.operand(0).truth), present(run.operand(1).truth)
    return Value(truth=left + right - left * right)


def _query(run: Run) -> Value:
    landmark = run.operand().landmark
    if landmark is None:
        return shared_value(run)
    values = run.attribute_values()
    if not run.objects:
        nothing = run.weight.new_zeros(*run.weight.shape, values.shape[3])
        return Value(value=nothing, landmark=landmark)
    return Value(value=value_distribution(run, values, landmark), landmark=landmark)


def _choose(run: Run) -> Value:
    value = _query(run)
    admitted = run.batch.options[run.number][:, None]
    shares = present(value.value) * admitted
    total = shares.sum(-1)
    run.fail(1.0 - total)
    landmark = present(value.landmark)
    if run.objects and not run.batch.crisp:
        cells = (admitted[:, :, None, :, None] * run.attribute_values()).sum(-2)
        here = at_numbers(landmark, run.objects)
        run.know(cells, here, torch.zeros_like(here))
    whole = torch.where(total > 0, total, torch.ones_like(total))
    return Value(value=shares / whole[..., None], landmark=landmark)


def _equal(run: Run) -> Value:
    first, second = (run.attribute_values(step) for step in run.plans[0].steps[run.number].operands)
    names = run.batch.matches[run.number][:, None]
    if not run.objects:
        return Value(truth=torch.zeros_like(run.weight))
    marks = [run.operand(index).landmark for index in (0, 1)]
    if marks[0] is None or marks[1] is None:
        return _equal_to_shared(run, first, second, names)
    left, right = present(marks[0]), present(marks[1])
    if run.is_root or run.batch.crisp:
        # Of one object, values of two attributes may depend on each other.
        state = state_of(run, left)
        both = (names.transpose(-1, -2) @ at_landmark(first, left)) * at_landmark(second, right)
        alone = (state * both.sum(-2)).sum(-1) / state.sum(-1).clamp_min(SETTLED)
        apart = value_distribution(run, first, left)[..., None, :] @ names
        apart = (apart[..., 0, :] * value_distribution(run, second, right)).sum(-1)
        return Value(truth=torch.where(left == right, alone, apart))
    # Later steps may depend on the same values.
    left, position, right = pin_value(run, first, left, right)
    _, second_position, position = pin_value(run, second, right, position)
    position = position.expand_as(second_position)
    names = names.expand(-1, position.shape[1], -1, -1)
    chosen = names.gather(2, position[..., None, None].expand(-1, -1, 1, names.shape[-1]))
    return Value(truth=chosen[:, :, 0].gather(2, second_position[..., None])[..., 0])


def _equal_to_shared(run: Run, first: Tensor, second: Tensor, names: Tensor) -> Value:
    """Whether values are the same, of which one is of several objects and known in every case."""
    for index, values in enumerate((first, second)):
        landmark = run.operand(index).landmark
        if landmark is not None and not run.batch.crisp:
            pin_value(run, values, landmark)
    left, right = (_known_value(run, i, v) for i, v in enumerate((first, second)))
    return Value(truth=((left[..., None, :] @ names)[..., 0, :] * right).sum(-1))


def _known_value(run: Run, index: int, values: Tensor) -> Tensor:
    """[Q, K, V] the value that an operand is in each case."""
    operand = run.operand(index)
    if operand.landmark is None:
        return present(operand.value)
    return value_distribution(run, values, operand.landmark)


def _itself(run: Run) -> Value:
    return run.operand()


RULES: Mapping[type[Op], Callable[[Run], Value]] = {
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
    Part: _itself,
    Command: _itself,
    CommandTo: _itself,
}
