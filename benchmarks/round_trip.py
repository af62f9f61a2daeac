"""How much of what programs mean survives being said and read: program, English, program.

    python -m benchmarks.round_trip [--programs N] [--json FILE]

Random programs over all operators (``benchmarks/random_programs.py``, seeded), by depth, are put
into words by the verbaliser and parsed, without the fallback. What comes back is

same
    the same program as the first reading;
equal
    another one, that answers alike in every one of ``SCENES`` random crisp scenes;
presupposes
    one that answers alike wherever neither fails: English presupposes more than sets do;
later
    the same or an equal program, but not as the first reading;
different
    a program that means something else;
refused
    nothing: the grammar does not read it.

Random programs are odd ("those objects, which are second farthest from those"), so the share is a
floor for what people say, not an estimate of it.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.random_programs import random_program, random_scene
from benchmarks.run import table
from neurosym.errors import NeurosymError
from neurosym.executors.base import Outcome
from neurosym.executors.reference import ReferenceExecutor, evaluate, outcome_of, plan_of
from neurosym.executors.world import World, check_names, world_of
from neurosym.files import write_atomically
from neurosym.grammar import Parser
from neurosym.program import Op
from neurosym.scene import Scene
from neurosym.views import verbalise

SCENES = 24
"""Random scenes on which two programs are held against each other."""
DEPTHS = (2, 3, 4)
ENDINGS = ("same", "equal", "presupposes", "later", "different", "refused")
_EXECUTOR = ReferenceExecutor()


@dataclass(frozen=True)
class Trip:
    """A program that was said and read.

    Attributes:
        program: what was said.
        text: how.
        read: what came back; None when it was refused.
        ending: one of ``ENDINGS``.
    """

    program: Op
    text: str
    read: Op | None
    ending: str


def round_trips(parser: Parser, count: int, depth: int, seed: int = 0) -> list[Trip]:
    """So many random programs, said and read.

    Args:
        parser: reads them; without its fallback, or guesses count as readings.
        count: how many.
        depth: how deep programs are nested at most.
        seed: of the programs and the scenes.
    """
    draw = random.Random(f"{seed} {depth}")
    scenes = [random_scene(draw.choice, crisp=True) for _ in range(SCENES)]
    worlds = [(scene, world_of(scene)) for scene in scenes]
    return [_trip(random_program(draw.choice, None, depth), parser, worlds) for _ in range(count)]


def _trip(program: Op, parser: Parser, worlds: list[tuple[Scene, World]]) -> Trip:
    text = verbalise(program)
    try:
        readings = [reading.program for reading in parser.parse(text).readings]
    except NeurosymError:
        return Trip(program, text, None, "refused")
    endings = [_compared(program, read, worlds) for read in readings]
    if endings[0] == "different" and {"same", "equal"} & set(endings):
        return Trip(program, text, readings[0], "later")
    return Trip(program, text, readings[0], endings[0])


def _compared(program: Op, read: Op, worlds: list[tuple[Scene, World]]) -> str:
    if program == read:
        return "same"
    if program.returns.is_of_objects != read.returns.is_of_objects:
        return "different"
    ending = "equal"
    for scene, world in worlds:
        one, other = _answer(program, scene, world), _answer(read, scene, world)
        if one is None or other is None:
            if (one is None) != (other is None):
                ending = "presupposes"
        elif one.shape != other.shape or not torch.equal(one, other):
            return "different"
    return ending


def _answer(program: Op, scene: Scene, world: World) -> torch.Tensor | None:
    """The numbers of an answer; None where something presupposed fails, or a name is unknown."""
    try:
        check_names(program, scene)
    except NeurosymError:
        return None
    plan = plan_of(program, _EXECUTOR)
    outcome: Outcome = outcome_of(plan, evaluate(plan, world), scene)
    if outcome.none > outcome.empty or outcome.many:
        return None
    rows = [row for row in (outcome.objects, outcome.number, outcome.value) if row is not None]
    return torch.cat([*rows, torch.tensor([outcome.truth or 0.0])])


def measure(parser: Parser, count: int) -> list[dict[str, Any]]:
    """A row for each depth, shares in [0, 1]."""
    rows = []
    for depth in DEPTHS:
        found = Counter(trip.ending for trip in round_trips(parser, count, depth))
        shares = {ending: round(found[ending] / count, 3) for ending in ENDINGS}
        rows.append({"depth": depth, "programs": count, **shares})
    return rows


def main() -> None:
    """Print the table, and write it where it is wanted."""
    from neurosym.api import find_pipeline

    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--programs", type=int, default=1000, help="programs for each depth")
    options.add_argument("--json", type=Path, help="write the rows here")
    arguments = options.parse_args()
    rows = measure(Parser(find_pipeline(), fallback=False), arguments.programs)
    print(table(rows))
    if arguments.json is not None:
        write_atomically(arguments.json, json.dumps(rows, indent=2).encode())


if __name__ == "__main__":
    main()
