from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neurosym.perception.groups import given_at_most_one, leader_groups, within_groups

existences = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=6)
grouped = st.lists(st.tuples(st.floats(0, 1, width=32), st.integers(0, 3)), max_size=8)


@pytest.mark.parametrize("rule", [within_groups, given_at_most_one])
@given(grouped)
def test_a_group_sums_to_at_most_one_and_nothing_grows(rule, members) -> None:
    existence = torch.tensor([p for p, _ in members])
    groups = torch.tensor([g for _, g in members], dtype=torch.int64)
    found = rule(existence, groups)
    assert found.dtype == existence.dtype
    assert found.shape == existence.shape
    assert (found >= 0).all()
    assert (found <= existence + 1e-6).all()
    for group in set(groups.tolist()):
        assert found[groups == group].sum() <= 1 + 1e-5


@pytest.mark.parametrize("rule", [within_groups, given_at_most_one])
def test_alone_in_its_group_a_box_keeps_its_probability(rule) -> None:
    existence = torch.tensor([0.0, 0.3, 0.999, 1.0])
    torch.testing.assert_close(rule(existence, torch.tensor([7, 2, 5, 9])), existence)


@pytest.mark.parametrize("rule", [within_groups, given_at_most_one])
def test_nothing_at_all(rule) -> None:
    assert rule(torch.zeros(0), torch.zeros(0, dtype=torch.int64)).shape == (0,)


def test_the_likeliest_keeps_its_probability_wherever_it_stands() -> None:
    found = within_groups(torch.tensor([0.3, 0.8, 0.1]), torch.tensor([0, 0, 0]))
    torch.testing.assert_close(found, torch.tensor([0.15, 0.8, 0.05]))


@given(st.lists(st.floats(0, 0.999), min_size=1, max_size=5))
def test_conditioning_agrees_with_enumeration(probabilities: list[float]) -> None:
    weights = torch.zeros(len(probabilities) + 1, dtype=torch.float64)
    for world in itertools.product((False, True), repeat=len(probabilities)):
        if sum(world) <= 1:
            chance = 1.0
            for there, p in zip(world, probabilities, strict=True):
                chance *= p if there else 1 - p
            weights[world.index(True) if any(world) else -1] += chance
    existence = torch.tensor(probabilities, dtype=torch.float64)
    found = given_at_most_one(existence, torch.zeros(len(probabilities), dtype=torch.int64))
    torch.testing.assert_close(found, weights[:-1] / weights.sum())


@given(existences, st.integers(1, 3))
def test_certain_ones_share_and_leave_nothing(doubtful: list[float], certain: int) -> None:
    existence = torch.tensor([*([1.0] * certain), *(0.999 * p for p in doubtful)])
    found = given_at_most_one(existence, torch.zeros(len(existence), dtype=torch.int64))
    torch.testing.assert_close(found[:certain], torch.full((certain,), 1 / certain))
    assert (found[certain:] == 0).all()


def test_nearly_certain_is_nearly_the_limit() -> None:
    existence = torch.tensor([1 - 1e-12, 0.5], dtype=torch.float64)
    found = given_at_most_one(existence, torch.tensor([0, 0]))
    torch.testing.assert_close(found, torch.tensor([1.0, 0.0], dtype=torch.float64))


def test_the_order_of_the_boxes_does_not_matter() -> None:
    existence, groups = torch.tensor([0.2, 0.9, 0.4, 0.6]), torch.tensor([0, 1, 0, 1])
    order = torch.tensor([2, 0, 3, 1])
    for rule in (within_groups, given_at_most_one):
        torch.testing.assert_close(
            rule(existence, groups)[order], rule(existence[order], groups[order])
        )


def test_groups_do_not_chain() -> None:
    near = torch.tensor([[1, 1, 0], [1, 1, 1], [0, 1, 1]], dtype=torch.bool)
    assert leader_groups(near).tolist() == [0, 0, 1]
    assert leader_groups(torch.zeros(0, 0, dtype=torch.bool)).tolist() == []
