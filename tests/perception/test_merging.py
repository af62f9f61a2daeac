"""Hypotheses of two detectors as one list."""

from __future__ import annotations

import torch

from neurosym.perception.detections import Hypotheses
from neurosym.perception.merging import merged

LEFT, RIGHT = [0.0, 0, 10, 10], [20.0, 0, 30, 10]


def hypotheses(*rows: tuple[list[float], float, list[float], int]) -> Hypotheses:
    """From (box, existence, categories, group)."""
    return Hypotheses(
        torch.tensor([row[0] for row in rows]).view(-1, 4),
        torch.tensor([row[1] for row in rows]),
        torch.tensor([row[2] for row in rows]),
        torch.tensor([row[3] for row in rows], dtype=torch.int64),
    )


CUPS = hypotheses((LEFT, 0.8, [1.0, 0.0], 0), (RIGHT, 0.3, [0.0, 1.0], 1))


def test_a_thing_under_another_name_is_the_same_thing() -> None:
    both = merged(CUPS, hypotheses(([0.0, 0, 10, 9], 0.6, [1.0], 0)), {})
    assert both.boxes.tolist() == CUPS.boxes.tolist()
    torch.testing.assert_close(both.categories, torch.tensor([[0.4, 0.0, 0.6], [0.0, 1.0, 0.0]]))
    torch.testing.assert_close(both.existence, torch.tensor([0.8, 0.3]))


def test_a_wider_name_takes_nothing_from_what_it_covers() -> None:
    found = hypotheses(([0.0, 0, 10, 9], 0.6, [1.0], 0))
    covering = torch.tensor([[True, False]])
    both = merged(CUPS, found, {}, covering)
    torch.testing.assert_close(both.categories, torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
    mixed = hypotheses((LEFT, 0.8, [0.5, 0.5], 0))
    both = merged(mixed, found, {}, covering)
    torch.testing.assert_close(both.categories, torch.tensor([[0.35, 0.35, 0.3]]))


def test_a_surer_second_look_makes_a_thing_surer() -> None:
    both = merged(CUPS, hypotheses((RIGHT, 0.9, [1.0], 0)), {})
    torch.testing.assert_close(both.existence, torch.tensor([0.8, 0.9]))


def test_what_is_elsewhere_is_added_with_its_group() -> None:
    far = [50.0, 50, 60, 60]
    masks: dict[int, torch.Tensor] = {}
    both = merged(CUPS, hypotheses((far, 0.5, [1.0], 7), (far, 0.2, [1.0], 7)), masks)
    assert both.group.tolist() == [0, 1, 2, 2]
    torch.testing.assert_close(both.existence, torch.tensor([0.8, 0.3, 0.5, 0.2]))
    assert both.categories[2:].tolist() == [[0, 0, 1], [0, 0, 1]]


def test_two_things_are_never_the_same_third_one() -> None:
    both = merged(CUPS, hypotheses((LEFT, 0.9, [1.0], 0), (LEFT, 0.8, [1.0], 1)), {})
    assert len(both.boxes) == 3


def test_nothing_and_something() -> None:
    nothing = Hypotheses(
        torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, 0), torch.zeros(0, dtype=torch.int64)
    )
    found = hypotheses((LEFT, 0.5, [0.5, 0.5], 0))
    assert merged(nothing, found, {}).categories.tolist() == [[0.5, 0.5]]
    none_found = Hypotheses(nothing.boxes, nothing.existence, torch.zeros(0, 1), nothing.group)
    assert merged(CUPS, none_found, {}).categories.shape == (2, 3)
