"""Choosing between readings: the annotated items, and what the weights promise."""

from __future__ import annotations

import math

import pytest

from benchmarks.readings import (
    by_language,
    by_scene,
    candidates,
    read_items,
    right,
    weighed,
)
from neurosym.api import Grounder
from neurosym.grammar import Parser
from neurosym.perception.given import Thing, scene_of
from neurosym.reading import WEIGHTS, Weights, utility

SIZE = (100, 200)


@pytest.fixture(scope="module")
def grounder(parser: Parser) -> Grounder:
    return Grounder(None, parser)


def test_scene_and_language_together_do_best(grounder: Grounder) -> None:
    items = read_items()
    assert len(items) >= 40
    assert 0.3 <= sum(item.fitted for item in items) / len(items) <= 0.7
    read = [candidates(item, grounder) for item in items]
    assert sum(len({each.right for each in found}) > 1 for found in read) >= 40
    both = right(read, weighed(WEIGHTS))
    assert both > right(read, by_language)
    assert both > right(read, by_scene)
    assert both >= 0.85 * len(read)


def test_a_reading_costs_more_the_less_the_scene_can_say_of_it(grounder: Grounder) -> None:
    reading = grounder.parser.parse("the cup").readings[0]
    there = scene_of([Thing("cup", (10, 10, 50, 50))], SIZE)
    absent = scene_of([Thing("cup", (10, 10, 50, 50), existence=0.0)], SIZE)
    found, failed = (grounder.ground(scene, "the cup").outcome for scene in (there, absent))
    worth = [
        utility(reading, found),
        utility(reading, found, unchecked=True),
        utility(reading, failed, unchecked=True),
        utility(reading, None),
    ]
    assert worth[0] == reading.score == 0
    assert worth == sorted(worth, reverse=True)
    assert utility(reading, failed) == pytest.approx(math.log(WEIGHTS.absent))


def test_weights_are_arguments(grounder: Grounder) -> None:
    reading = grounder.parser.parse("the cup").readings[0]
    assert utility(reading, None, Weights(unsupported=0.5)) == pytest.approx(math.log(0.5))


def test_some_dog_is_no_hot_dog(grounder: Grounder) -> None:
    scene = scene_of([Thing("dog", (10, 10, 50, 50)), Thing("cup", (90, 10, 120, 50))], SIZE)
    assert grounder.ground(scene, "the hot dog").status == "unsupported"
    assert grounder.ground(scene, "the old dog").objects == (0,)
