from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neurosym.errors import DataError, OptionError
from neurosym.metrics import (
    Binning,
    brier_score,
    calibration_error_by_chance,
    categorical_brier_score,
    categorical_negative_log_likelihood,
    classwise_calibration_error,
    expected_calibration_error,
    negative_log_likelihood,
    reliability,
    top_label_calibration_error,
)

events = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40)
binnings = pytest.mark.parametrize("binning", ["width", "mass"])


@binnings
@given(events, st.integers(1, 20), st.randoms(use_true_random=False))
def test_bins_hold_every_event_once_in_any_order(
    binning: Binning, pairs: list[tuple[float, bool]], bins: int, random: np.random.Generator
) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)
    found, again = (
        reliability([p for p, _ in some], [y for _, y in some], bins, binning)
        for some in (pairs, shuffled)
    )
    assert sum(one.count for one in found) == len(pairs)
    assert len(found) <= bins
    assert [one.count for one in found] == [one.count for one in again]
    assert [one.confidence for one in found] == pytest.approx([one.confidence for one in again])
    assert all(a.confidence <= b.confidence for a, b in pairwise(found))


@binnings
@given(events)
def test_one_bin_compares_the_means(binning: Binning, pairs: list[tuple[float, bool]]) -> None:
    probabilities, outcomes = zip(*pairs, strict=True)
    gap = abs(sum(probabilities) - sum(outcomes)) / len(pairs)
    found = expected_calibration_error(probabilities, outcomes, 1, binning)
    assert found == pytest.approx(gap, abs=1e-9)


def test_ends_and_edges_of_equal_width() -> None:
    found = reliability([0.0, 0.5, 1.0], [0, 1, 1], bins=2)
    assert [(one.count, one.confidence) for one in found] == [(1, 0.0), (2, 0.75)]


def test_equal_mass_cuts_by_number_and_keeps_ties_together() -> None:
    assert [one.count for one in reliability([0.1, 0.2, 0.3, 0.9], [0] * 4, 2, "mass")] == [2, 2]
    assert [one.count for one in reliability([0.1, 0.2, 0.2, 0.9], [0] * 4, 2, "mass")] == [3, 1]


def test_calibrated_events_have_little_error_and_shifted_ones_their_shift() -> None:
    draw = torch.Generator().manual_seed(0)
    truth = 0.1 + 0.6 * torch.rand(100_000, generator=draw)
    happened = torch.rand(100_000, generator=draw) < truth
    for binning in ("width", "mass"):
        assert expected_calibration_error(truth, happened, binning=binning) < 0.01
        error = expected_calibration_error(truth + 0.2, happened, binning=binning)
        assert error == pytest.approx(0.2, abs=0.01)


def test_chance_alone_shows_an_error_that_shrinks_with_events() -> None:
    few, many = (calibration_error_by_chance(torch.linspace(0, 1, n)) for n in (100, 10_000))
    assert 0.05 < few < 0.15
    assert many < 0.02
    assert calibration_error_by_chance([0.0, 1.0]) == 0
    with pytest.raises(OptionError, match="draws"):
        calibration_error_by_chance([0.5], draws=0)


def test_proper_scores_are_least_at_the_frequency() -> None:
    outcomes = [1, 0, 0, 0]
    for score in (brier_score, negative_log_likelihood):
        at, below, above = (score([p] * 4, outcomes) for p in (0.25, 0.2, 0.3))
        assert at < min(below, above)


def test_a_sure_mistake_is_dear_but_finite() -> None:
    assert negative_log_likelihood([0.0], [1]) == pytest.approx(12 * math.log(10))


def test_the_two_classes_of_an_event() -> None:
    probabilities, outcomes = torch.tensor([0.9, 0.2, 0.6]), torch.tensor([1, 0, 0])
    rows = torch.stack([1 - probabilities, probabilities], dim=1)
    assert categorical_brier_score(rows, outcomes) == pytest.approx(
        2 * brier_score(probabilities, outcomes)
    )
    assert categorical_negative_log_likelihood(rows, outcomes) == pytest.approx(
        negative_log_likelihood(probabilities, outcomes)
    )


def test_top_label_and_classwise() -> None:
    rows = [[0.8, 0.2, 0.0], [0.8, 0.2, 0.0]]
    assert top_label_calibration_error(rows, [0, 1]) == pytest.approx(0.3)
    assert classwise_calibration_error(rows, [0, 1]) == pytest.approx((0.3 + 0.3 + 0) / 3)


def test_arrays_and_tensors_are_the_same() -> None:
    values, happened = [0.3, 0.9], [False, True]
    found = {
        brier_score(make(values), make(happened)) for make in (list, np.array, torch.tensor, tuple)
    }
    assert len({round(one, 7) for one in found}) == 1


@pytest.mark.parametrize(
    ("probabilities", "outcomes", "message"),
    [
        ([], [], "a row"),
        ([0.5], [1, 0], "as many outcomes"),
        ([1.5], [1], r"\[0, 1\]"),
        ([0.5], [2], "true or false"),
        ([math.nan], [1], "finite"),
        ([[0.5]], [1], "axes"),
        (["a"], [1], "numbers"),
    ],
)
def test_what_are_no_events(probabilities: list, outcomes: list, message: str) -> None:
    with pytest.raises(DataError, match=message):
        brier_score(probabilities, outcomes)


@pytest.mark.parametrize(
    ("rows", "classes", "message"),
    [
        ([[0.5, 0.4]], [0], "sum to 1"),
        ([[0.5, 0.5]], [2], "from 0 to 1"),
        ([[0.5, 0.5]], [0.5], "integers"),
        ([[0.5, 0.5]], [0, 1], "as many classes"),
    ],
)
def test_what_are_no_distributions(rows: list, classes: list, message: str) -> None:
    with pytest.raises(DataError, match=message):
        categorical_brier_score(rows, classes)


def test_bins_that_cannot_be() -> None:
    with pytest.raises(OptionError, match="at least 1"):
        reliability([0.5], [1], 0)
    with pytest.raises(OptionError, match="width"):
        reliability([0.5], [1], binning="depth")
