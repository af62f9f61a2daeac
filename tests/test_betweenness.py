"""When one object is between two others."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neurosym.betweenness import between
from neurosym.executors.reference import ReferenceExecutor
from neurosym.program import Between, Everything
from tests.executors.strategies import build_scene


def is_between(point: list[float], first: list[float], second: list[float]) -> bool:
    return bool(between(*(torch.tensor(at) for at in (point, first, second))))


def seen_under(degrees: float, distance: float = 1.0) -> bool:
    """Whether the origin is between two points that it sees so far apart."""
    angle = math.radians(degrees)
    far = [distance * math.cos(angle), distance * math.sin(angle)]
    return is_between([0.0, 0.0], [1.0, 0.0], far)


@pytest.mark.parametrize("degrees", [0, 45, 90, 119.9])
def test_too_little_is_not_between(degrees: float) -> None:
    assert not seen_under(degrees)
    assert not seen_under(-degrees)


@pytest.mark.parametrize("degrees", [120, 120.1, 150, 180])
def test_from_120_degrees_on_it_is(degrees: float) -> None:
    assert seen_under(degrees)
    assert seen_under(-degrees)


def test_how_far_the_others_are_does_not_matter() -> None:
    for distance in (1e-3, 1.0, 1e3):
        assert seen_under(125, distance)
        assert not seen_under(115, distance)


def test_on_the_line_but_beyond_is_not_between() -> None:
    assert is_between([1.0, 0.0], [0.0, 0.0], [2.0, 0.0])
    assert not is_between([3.0, 0.0], [0.0, 0.0], [2.0, 0.0])


def test_what_coincides_with_one_of_them_is_not_between() -> None:
    assert not is_between([0.0, 0.0], [0.0, 0.0], [2.0, 0.0])
    assert not is_between([2.0, 0.0], [0.0, 0.0], [2.0, 0.0])
    assert not is_between([1.0, 1.0], [1.0, 1.0], [1.0, 1.0])


def test_nothing_is_between_two_in_one_place() -> None:
    assert not is_between([0.0, 0.0], [1.0, 0.0], [1.0, 0.0])


def test_space_has_three_axes() -> None:
    assert is_between([0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [-2.0, -2.0, -2.0])
    # Seen from above it is in the middle, but it hangs far too high.
    assert not is_between([0.0, 0.0, 5.0], [1.0, 0.0, 0.0], [-1.0, 0.0, 0.0])


def test_shapes_broadcast() -> None:
    points = torch.tensor([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]])
    every = between(points[:, None, None], points[None, :, None], points[None, None, :])
    assert every.shape == (3, 3, 3)
    assert every.dtype is torch.bool
    assert every.nonzero().tolist() == [[1, 0, 2], [1, 2, 0]]
    assert between(torch.zeros(0, 2), torch.zeros(2), torch.ones(2)).shape == (0,)


COORDINATES = st.integers(-5, 5).map(float)
POINTS = st.lists(st.tuples(COORDINATES, COORDINATES), max_size=5)


@settings(max_examples=60, deadline=None)
@given(POINTS, st.sampled_from((0.25, 1.0, 8.0)), st.tuples(COORDINATES, COORDINATES))
def test_order_scale_and_place_do_not_matter(
    listed: list[tuple[float, float]], scale: float, shift: tuple[float, float]
) -> None:
    points = torch.tensor(listed).reshape(-1, 2)

    def every(at: torch.Tensor) -> torch.Tensor:
        return between(at[:, None, None], at[None, :, None], at[None, None, :])

    plain = every(points)
    assert torch.equal(plain, plain.transpose(1, 2))
    assert torch.equal(plain, every(points * scale + torch.tensor(shift)))
    assert torch.equal(plain, every(points.flip(1)))
    assert torch.equal(plain, every(-points))


@settings(max_examples=60, deadline=None)
@given(POINTS)
def test_the_rule_of_the_reference_agrees(listed: list[tuple[float, float]]) -> None:
    at = torch.tensor(listed).reshape(-1, 2) + 10
    scene = build_scene(categories=["cup"] * len(at))
    scene = replace(scene, boxes=torch.cat([at - 1, at + 1], dim=1))
    program = Between(Everything(), Everything(), Everything())
    found = ReferenceExecutor().run(program, scene).objects
    assert found is not None
    # What is between a and b is in another place than both, and they are in two.
    every = between(at[:, None, None], at[None, :, None], at[None, None, :])
    assert torch.equal(found.bool(), every.flatten(1).any(1))
