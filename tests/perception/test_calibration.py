from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from neurosym.errors import DataError, PerceptionError, UnknownConceptError
from neurosym.metrics import expected_calibration_error, negative_log_likelihood
from neurosym.perception.calibration import (
    Calibrator,
    Isotonic,
    Temperature,
    calibrated,
    calibrator_of,
)
from neurosym.perception.colours import default_model
from neurosym.perception.given import Thing, scene_of
from neurosym.pixels import Pixels
from neurosym.scene import Scene

examples = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


def events(count: int, seed: int, power: float) -> tuple[Tensor, Tensor]:
    """Scores that are the probabilities of their events to a power, on the scale of the odds."""
    draw = torch.Generator().manual_seed(seed)
    chance = torch.rand(count, generator=draw, dtype=torch.float64)
    happened = torch.rand(count, generator=draw, dtype=torch.float64) < chance
    return (power * chance.logit()).sigmoid(), happened


def fitted(pairs: list[tuple[float, bool]]) -> Isotonic:
    scores = torch.tensor([score for score, _ in pairs], dtype=torch.float64)
    return Isotonic.fit(scores, torch.tensor([right for _, right in pairs]))


# What both have in common.


@pytest.mark.parametrize("kind", [Temperature, Isotonic])
def test_on_other_events_it_says_what_happens(kind) -> None:
    way = kind.fit(*events(4000, 0, 3.0))
    scores, happened = events(4000, 1, 3.0)
    assert expected_calibration_error(scores, happened) > 0.1
    assert expected_calibration_error(way(scores), happened) < 0.03
    assert negative_log_likelihood(way(scores), happened) < negative_log_likelihood(
        scores, happened
    )


@pytest.mark.parametrize("way", [Temperature(1.7, "ten scenes"), fitted([(0.2, False)])])
def test_documents_are_json_and_come_back(way) -> None:
    assert isinstance(way, Calibrator)
    again = calibrator_of(json.loads(json.dumps(way.to_document())))
    assert again == way
    assert type(way).from_document(way.to_document()) == way
    assert again.describe() == way.describe()
    assert hash(again) == hash(way)


def test_the_fingerprint_is_of_the_numbers() -> None:
    one, other = Temperature(2.0, "these").describe(), Temperature(2.0001, "these").describe()
    assert one.rsplit(" ", 1)[0] == other.rsplit(" ", 1)[0]
    assert one != other


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        {"kind": "spline"},
        {"kind": "temperature"},
        {"kind": "temperature", "temperature": -1, "fitted_on": ""},
        {"kind": "temperature", "temperature": "hot", "fitted_on": ""},
        {"kind": "isotonic", "scores": [0.1], "probabilities": [], "fitted_on": ""},
        {"kind": "isotonic", "scores": [0.5, 0.1], "probabilities": [0.1, 0.2], "fitted_on": ""},
        {"kind": "isotonic", "scores": [0.1, 0.5], "probabilities": [0.2, 0.2], "fitted_on": ""},
        {"kind": "isotonic", "scores": [0.1], "probabilities": [1.0], "fitted_on": ""},
        {"kind": "isotonic", "scores": None, "probabilities": [0.5], "fitted_on": ""},
    ],
)
def test_what_is_no_document(document) -> None:
    with pytest.raises(PerceptionError):
        calibrator_of(document)


@pytest.mark.parametrize("kind", [Temperature, Isotonic])
@pytest.mark.parametrize(
    ("scores", "outcomes", "message"),
    [
        (torch.zeros(0), torch.zeros(0, dtype=torch.bool), "at least one"),
        (torch.tensor([2.0]), torch.tensor([True]), "softmax"),
        (torch.tensor([math.nan]), torch.tensor([True]), r"\[0, 1\]"),
        (torch.tensor([0.5]), torch.tensor([True, False]), "outcomes"),
        (torch.tensor([0.5]), torch.tensor([1.0]), "outcomes"),
    ],
)
def test_what_cannot_be_fitted_on(kind, scores, outcomes, message) -> None:
    with pytest.raises(DataError, match=message):
        kind.fit(scores, outcomes)


# Temperature.


def test_one_changes_nothing_and_every_temperature_keeps_the_order() -> None:
    rows = torch.rand(20, 6).softmax(dim=1)
    torch.testing.assert_close(Temperature(1.0)(rows), rows)
    for temperature in (0.3, 2.0, 9.0):
        found = Temperature(temperature)(rows)
        torch.testing.assert_close(found.sum(dim=1), torch.ones(20))
        assert (found.argsort(dim=1) == rows.argsort(dim=1)).all()


@given(st.floats(0.05, 20), st.lists(st.floats(-8, 8), min_size=2, max_size=6))
def test_it_is_the_temperature_scaling_of_logits(temperature: float, logits: list[float]) -> None:
    rows = torch.tensor([logits], dtype=torch.float64)
    expected = (rows / temperature).softmax(dim=1)
    torch.testing.assert_close(Temperature(temperature)(rows.softmax(dim=1)), expected)


def test_the_right_temperature_is_found() -> None:
    draw = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(20_000, 5, generator=draw, dtype=torch.float64)
    truth = torch.multinomial(logits.softmax(dim=1), 1, generator=draw)[:, 0]
    found = Temperature.fit((logits * 2.5).softmax(dim=1), truth)
    assert found.temperature == pytest.approx(2.5, rel=0.05)


def test_scores_need_not_sum_to_one_and_zeros_stay() -> None:
    rows = torch.tensor([[0.6, 0.3, 0.0], [0.0, 0.0, 0.0]])
    found = Temperature(0.5)(rows)
    torch.testing.assert_close(found, torch.tensor([[0.8, 0.2, 0.0], [1 / 3, 1 / 3, 1 / 3]]))


def test_small_scores_do_not_vanish_together() -> None:
    rows = torch.tensor([[2e-6, 1e-6]])
    torch.testing.assert_close(Temperature(0.1)(rows), torch.tensor([[1024.0, 1.0]]) / 1025)


def test_events_at_the_ends_stay_there() -> None:
    found = Temperature(3.0)(torch.tensor([0.0, 0.5, 1.0]))
    torch.testing.assert_close(found, torch.tensor([0.0, 0.5, 1.0]))


def test_only_right_ones_make_it_as_sure_as_it_may_be() -> None:
    rows = torch.tensor([[0.6, 0.4]] * 3)
    assert Temperature.fit(rows, torch.tensor([0, 0, 0])).temperature == pytest.approx(0.02, 1e-3)
    assert Temperature.fit(rows, torch.tensor([1, 1, 1])).temperature == pytest.approx(50, 1e-3)


@pytest.mark.parametrize("truth", [[2], [-1]])
def test_a_truth_that_is_no_value(truth: list[int]) -> None:
    with pytest.raises(DataError, match="from 0 to 1"):
        Temperature.fit(torch.tensor([[0.5, 0.5]]), torch.tensor(truth))


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.inf, math.nan])
def test_what_is_no_temperature(temperature: float) -> None:
    with pytest.raises(PerceptionError, match="above 0"):
        Temperature(temperature)


# Isotonic.


@given(examples, st.lists(st.floats(0, 1), min_size=2, max_size=20, unique=True))
def test_it_rises_strictly_inside_the_ends(
    pairs: list[tuple[float, bool]], scores: list[float]
) -> None:
    way = fitted(pairs)
    found = way(torch.tensor(sorted(scores), dtype=torch.float64))
    assert ((found > 0) & (found < 1)).all()
    assert (found.diff() >= 0).all()
    apart = torch.tensor(sorted(scores)).diff() > 1e-6
    assert (found.diff()[apart] > 0).all()


def minimax(pairs: list[tuple[float, bool]]) -> list[float]:
    """The isotonic regression by its closed form: the largest of the least means of runs."""
    values = sorted({score for score, _ in pairs})
    rights = [[right for score, right in pairs if score == value] for value in values]

    def mean(first: int, last: int) -> float:
        run = [right for group in rights[first : last + 1] for right in group]
        return sum(run) / len(run)

    last = len(values)
    return [
        max(min(mean(a, b) for b in range(place, last)) for a in range(place + 1))
        for place in range(last)
    ]


grid = st.integers(0, 20).map(lambda step: step / 20)


@given(st.lists(st.tuples(grid, st.booleans()), min_size=1, max_size=12))
def test_between_the_ends_it_is_the_isotonic_regression(pairs: list[tuple[float, bool]]) -> None:
    way, closed = fitted(pairs), minimax(pairs)
    for value in way.probabilities[1:-1]:
        assert min(abs(value - other) for other in closed) < 1e-9
    least, most = 1 / (len(pairs) + 2), (len(pairs) + 1) / (len(pairs) + 2)
    assert least <= way.probabilities[0]
    assert way.probabilities[-1] <= most


def test_pools_by_hand() -> None:
    pairs = [(0.1, False), (0.2, True), (0.3, False), (0.4, True), (0.6, True), (0.8, True)]
    way = fitted(pairs)
    # Wrong; one of two; three of three by Laplace's rule.
    assert way.scores == pytest.approx((0.1, 0.25, 0.6))
    assert way.probabilities == pytest.approx((1 / 3, 1 / 2, 4 / 5))


def test_a_small_sure_pool_does_not_pass_its_neighbour() -> None:
    many = [(0.5, True)] * 90 + [(0.5, False)] * 10
    way = fitted([*many, (0.9, True)])
    # One right example would be worth 2 / 3, less than the 9 / 10 before it.
    assert way.probabilities == pytest.approx((91 / 101,))


def test_a_long_pool_of_wrong_ones_is_almost_impossible() -> None:
    way = fitted([(0.1, False)] * 998 + [(0.9, True)] * 8)
    assert way.probabilities == pytest.approx((1 / 1000, 9 / 10))
    found = way(torch.tensor([0.0, 0.1, 0.9, 1.0], dtype=torch.float64))
    torch.testing.assert_close(found, torch.tensor([0.0005, 0.001, 0.9, 0.95], dtype=torch.float64))


def test_scores_that_differ_by_rounding_are_one() -> None:
    close = [0.3, math.nextafter(0.3, 1), math.nextafter(0.3, 0)]
    way = fitted([(close[0], True), (close[1], True), (close[2], False), (0.9, True)])
    assert way.probabilities == pytest.approx((2 / 3,), abs=0.1)


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_a_knot_at_an_end_keeps_its_value(score: float) -> None:
    way = fitted([(score, True), (score, False)])
    assert float(way(torch.tensor([score]))) == pytest.approx(0.5)


def test_any_shape_and_type() -> None:
    way = fitted([(0.2, False), (0.7, True)])
    found = way(torch.rand(2, 3, 4))
    assert found.shape == (2, 3, 4)
    assert found.dtype is torch.float32
    assert way(torch.zeros(0)).shape == (0,)


def test_distributions_are_fitted_value_by_value() -> None:
    with pytest.raises(DataError, match="one number an event"):
        Isotonic.fit(torch.tensor([[0.5, 0.5]]), torch.tensor([0]))


# Colours.


def test_the_colours_of_objects_have_a_temperature() -> None:
    plain = default_model()
    assert plain.temperature == Temperature(1.0)
    warm = replace(plain, temperature=Temperature(2.0, "ten scenes"))
    statistics = torch.rand(5, 16, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        warm.distribution(statistics), Temperature(2.0)(plain.distribution(statistics))
    )
    assert "423 objects" in plain.describe()
    assert "at temperature 2" in warm.describe()


# Scenes.


def scene(pixels: Pixels | None = None) -> Scene:
    box = (0.0, 0.0, 9.0, 9.0)
    return scene_of(
        [
            Thing("cup", box, {"color": "red"}, existence=0.8),
            Thing("bowl", (1.0, 0.0, 10.0, 9.0), existence=0.7),
            Thing("cup", (50.0, 0.0, 60.0, 9.0), {"color": "blue"}, existence=0.5),
        ],
        (20, 100),
        pixels=pixels,
        duplicates=0.5,
    )


def test_existence_is_mapped_and_groups_stay_exclusive() -> None:
    before = scene()
    surer = Temperature(0.2, "ten scenes")
    after = calibrated(before, existence=surer)
    expected = surer(before.existence)
    leader = int(before.existence[:2].argmax())
    torch.testing.assert_close(after.existence[leader], expected[leader])
    torch.testing.assert_close(after.existence[2], expected[2])
    assert after.existence[:2].sum() <= 1 + 1e-6
    assert after.groups.tolist() == before.groups.tolist()
    raised = Isotonic((0.1, 0.5), (0.8, 0.9))
    crowded = calibrated(before, existence=raised)
    assert float(crowded.existence[:2].sum()) == pytest.approx(1)


def test_distributions_are_mapped_but_priors_stay() -> None:
    soft = torch.tensor([[0.7, 0.3], [0.4, 0.6], [0.2, 0.8]])
    before = scene()
    before = replace(
        before,
        categories=replace(before.categories, probabilities=soft),
        attributes={
            **before.attributes,
            "color": replace(before.attributes["color"], probabilities=soft),
        },
    )
    ways = {"color": fitted([(0.1, False), (0.4, True), (0.6, False), (0.9, True)])}
    after = calibrated(before, categories=Temperature(2.0), attributes=ways)
    torch.testing.assert_close(after.categories.probabilities, Temperature(2.0)(soft))
    colours = after.attributes["color"].probabilities
    torch.testing.assert_close(colours.sum(dim=1), torch.ones(3))
    assert (colours.argmax(dim=1) == soft.argmax(dim=1)).all()
    # The second object's colour is not known.
    torch.testing.assert_close(colours[1], soft[1])
    assert not torch.equal(colours[0], soft[0])
    assert after.attributes["color"].source == "given, calibrated"
    assert after.attributes["size"] is before.attributes["size"]
    assert torch.equal(after.existence, before.existence)


def test_what_was_used_survives_the_file(tmp_path: Path) -> None:
    ways = {"color": Temperature(1.2, "ten scenes")}
    first = calibrated(scene(), existence=Temperature(2.0, "twenty scenes"))
    both = calibrated(first, attributes=ways)
    said = both.provenance["calibration"]
    assert said.startswith("existence: temperature 2, fitted on twenty scenes, sha256 ")
    assert "; color: temperature 1.2, fitted on ten scenes, sha256 " in said
    both.save(tmp_path / "scene.json")
    again = Scene.load(tmp_path / "scene.json")
    assert again.provenance == both.provenance
    assert again.attributes["color"].source == "given, calibrated"
    torch.testing.assert_close(again.existence, both.existence)


def test_nothing_given_changes_nothing() -> None:
    before = scene()
    after = calibrated(before)
    assert after.provenance == before.provenance
    assert torch.equal(after.existence, before.existence)


def test_an_attribute_that_the_scene_does_not_have() -> None:
    with pytest.raises(UnknownConceptError):
        calibrated(scene(), attributes={"colour": Temperature(2.0)})


def test_an_empty_scene() -> None:
    way = Isotonic((0.5,), (0.5,))
    assert len(calibrated(Scene.empty(), existence=way, categories=Temperature(2.0))) == 0


class Reader(Pixels):
    """A picture that says of everything that it is most likely red."""

    def image(self) -> Tensor | None:
        return None

    def masks(self, indices: Sequence[int]) -> Tensor:
        return torch.zeros(len(indices), 20, 100, dtype=torch.bool)

    def known_masks(self) -> Mapping[int, Tensor]:
        return {}

    def score(self, attribute: str, indices: Sequence[int]) -> Tensor | None:
        return torch.tensor([[0.64, 0.36]]).expand(len(indices), 2)

    def evidence(self, attribute: str, value: str) -> Tensor | None:
        return None


def test_what_is_read_off_the_picture_later_is_mapped_too() -> None:
    after = calibrated(scene(Reader()), attributes={"color": Temperature(2.0)})
    seen = after.observe("color", [1])
    expected = torch.tensor([0.8, 0.6]) / 1.4
    torch.testing.assert_close(seen.attributes["color"].probabilities[1], expected)
    taken = after[[1]].observe("color", [0])
    torch.testing.assert_close(taken.attributes["color"].probabilities[0], expected)
