"""Which reading of a text fits a scene."""

from __future__ import annotations

import math

from neurosym.executors.base import Outcome
from neurosym.grammar import Reading
from neurosym.program import Op

NO_TARGET = 0.35
"""The success that a failing reading is given, so that failing costs a bounded amount: a text whose
object is not there keeps its plain reading instead of becoming a hit by a strained one."""


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


def utility(reading: Reading, outcome: Outcome | None) -> float:
    """What speaks for a reading: its syntactic score and its success in the scene.

    Args:
        reading: the reading.
        outcome: of its program, or None when the scene lacks what it names.
    """
    reached = 0.0 if outcome is None else success(outcome, reading.program)
    return reading.score + math.log(max(reached, NO_TARGET))
