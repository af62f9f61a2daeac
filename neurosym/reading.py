"""Which reading of a text fits a scene."""

from __future__ import annotations

import math
from dataclasses import dataclass

from neurosym.executors.base import Outcome
from neurosym.grammar import Reading
from neurosym.program import Op


@dataclass(frozen=True, slots=True)
class Weights:
    """What the scene counts beside the score of a reading; fitted by ``benchmarks/readings.py``.

    Attributes:
        absent: the success that a failing reading is given, so that failing costs a bounded amount:
            a text whose object is not there keeps its plain reading instead of becoming a hit by a
            strained one. It is the fixed alternative "none" that readings compete with.
        unsupported: the same of a reading that names what the scene has no word for.
        unchecked: what the success of a reading is multiplied by that says what the scene cannot
            tell: "the hot dog" is no hit because there is some dog.
    """

    absent: float = 0.2
    unsupported: float = 0.1
    unchecked: float = 0.3


WEIGHTS = Weights()
"""The fitted weights."""


def presuppositions(program: Op) -> int:
    """How many nodes of a program can fail."""
    return sum(node.presupposes for node in program.walk())


def success(outcome: Outcome, program: Op) -> float:
    """How well a program succeeds: geometric mean over what it presupposes, in [0, 1].

    Readings that presuppose less succeed more easily; the mean makes them comparable.
    """
    held = max(0.0, 1.0 - outcome.none - outcome.many)
    if outcome.kind.is_of_objects and not presuppositions(program):
        return 1.0
    return math.pow(held, 1.0 / max(1, presuppositions(program)))


def utility(
    reading: Reading,
    outcome: Outcome | None,
    weights: Weights = WEIGHTS,
    *,
    unchecked: bool = False,
) -> float:
    """What speaks for a reading: its score by language and its success in the scene.

    Args:
        reading: the reading.
        outcome: of its program, or None when the scene lacks what it names.
        weights: of the two.
        unchecked: whether it says what the scene cannot tell.
    """
    if outcome is None:
        seen = weights.unsupported
    else:
        most = weights.unchecked if unchecked else 1.0
        seen = max(success(outcome, reading.program) * most, min(weights.absent, most))
    return reading.score + math.log(seen)
