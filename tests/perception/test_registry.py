"""Back ends by name, and the names of pipelines."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from neurosym.errors import OptionError
from neurosym.perception.pipeline import Pipeline
from neurosym.perception.registry import Role, Settings, back_end, listing, names, parts_named


def _no_weights(name: str) -> Path:
    raise AssertionError(f"{name} is not needed yet")


SETTINGS = Settings(torch.device("cpu"), torch.float32, _no_weights)


@pytest.mark.parametrize("name", names())
def test_a_back_end_says_what_it_is(name: str) -> None:
    end = back_end(name)
    assert end.name == name
    assert end.roles
    assert len(set(end.roles)) == len(end.roles)
    for said in (end.summary, end.weights, end.licence):
        assert said
        assert "\n" not in said
    assert bool(end.requires) == bool(end.install)


def test_the_listing_has_every_back_end() -> None:
    shown = listing()
    for name in names():
        assert f"\n{name} " in f"\n{shown}"
        assert back_end(name).weights in shown


def test_a_name_is_taken_apart() -> None:
    parts = parts_named("picodet:/models/a+b+mobilesam")
    assert {role: argument for role, (_, argument) in parts.items()} == {
        Role.DETECTOR: "/models/a+b",
        Role.SEGMENTER: "",
    }


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("picodett", 'unknown perception back end "picodett": did you mean "picodet"'),
        ("picodet+mobilsam", 'did you mean "mobilesam"'),
        ("", 'unknown perception back end "": expected '),
        ("picodet+", 'unknown perception back end ""'),
        ("picodet+picodet", 'two back ends for the role "detector"'),
    ],
)
def test_a_wrong_name_is_one_line_with_the_nearest(name: str, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        parts_named(name)
    assert message in caught.value.message
    assert "\n" not in caught.value.message


def test_a_pipeline_needs_a_detector() -> None:
    with pytest.raises(OptionError, match="needs a detector"):
        Pipeline.named("mobilesam", SETTINGS)


def test_nothing_is_loaded_before_it_is_needed() -> None:
    pipeline = Pipeline.named("picodet+mobilesam", SETTINGS)
    assert pipeline.name == "picodet+mobilesam"
    with pytest.raises(AssertionError, match="picodet-s is not needed yet"):
        pipeline.categories  # noqa: B018
