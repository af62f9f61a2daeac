"""Random scenes with programs for the letters of an algebraic law, and whether the law holds."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from functools import lru_cache

import torch
from hypothesis import strategies as st

from neurosym.executors.base import Outcome
from neurosym.executors.reference import ReferenceExecutor, evaluate, outcome_of, plan_of
from neurosym.executors.world import world_of
from neurosym.program import (
    Choose,
    ChooseSet,
    Comparative,
    Equative,
    Exist,
    Kind,
    Op,
    The,
    TheCount,
    TheGroup,
    ThePlural,
    parse_program,
    signature,
)
from neurosym.program.operator import Name
from neurosym.scene import Measure, Scene
from tests.executors.laws import Law, without_noise
from tests.executors.strategies import programs, scenes

LETTERS = {"A": Kind.OBJECTS, "B": Kind.OBJECTS, "C": Kind.OBJECTS, "S": Kind.TRUTH}
LETTERS |= {"T": Kind.TRUTH}
MIRRORED = {
    "left_of": "right_of",
    "leftmost": "rightmost",
    "left": "right",
    "left half": "right half",
}
MIRRORED |= {right: left for left, right in MIRRORED.items()}
PRESUPPOSING = (The, ThePlural, TheCount, TheGroup, Choose, ChooseSet)
Run = Callable[[Op, Scene], Outcome]
Situation = tuple[Scene, Mapping[str, Op]]
_world = lru_cache(maxsize=2)(world_of)


def run_reference(program: Op, scene: Scene) -> Outcome:
    """What the reference answers in a crisp scene, of which it may be asked hundreds of times."""
    plan = plan_of(program, ReferenceExecutor())
    return outcome_of(plan, evaluate(plan, _world(scene)), scene)


@st.composite
def situations(draw: st.DrawFn, crisp: bool, max_objects: int = 5) -> Situation:
    """A scene, and a program that does not fail in it for each letter."""
    scene = without_noise(draw(scenes(crisp=crisp, max_objects=max_objects, softness=3)))
    meant = {}
    for letter, kind in LETTERS.items():
        # Soft programs cost more, and their laws more than one of them at a time.
        if crisp:
            meant[letter] = _settled(draw(programs(kind, 3)), scene)
        else:
            meant[letter] = _unfailing(draw(programs(kind, 2)))
    return scene, meant


def _settled(program: Op, scene: Scene) -> Op:
    """The program, or as much of it as does not fail in this crisp scene."""
    last = run_reference(program, scene).steps[-1]
    if not last.none and not last.many:
        return program
    # What fails has operands that did not.
    below = last.op.operands[0]
    return Exist(below) if program.returns is Kind.TRUTH else below


def _unfailing(program: Op) -> Op:
    """The program without its presuppositions, so that it fails in no world."""
    values = [op for op in program.walk() if op.returns is Kind.VALUE]
    if values:
        # A value needs its referent; what remains of the truth is whether there is one.
        return Exist(_unfailing(values[0].operands[0]))
    return program.rebuild(lambda op: op.operands[0] if isinstance(op, PRESUPPOSING) else op)


def fill(side: str, meant: Mapping[str, Op]) -> Op:
    """The program of one side of a law, with programs in place of the letters."""
    letters = "".join(LETTERS)
    return parse_program(re.sub(rf"\b[{letters}]\b", lambda found: str(meant[found[0]]), side))


def holds(law: Law, situation: Situation, run: Run, tolerance: float = 0.0) -> bool | None:
    """Whether a law holds here; None where a side is not certified exact.

    Args:
        law: the law.
        situation: what it is about.
        run: an executor's.
        tolerance: how far a probability may be off.
    """
    scene, meant = situation
    if law.sign == "=mirror=":
        meant = {letter: _without_ratios(program) for letter, program in meant.items()}
        other = _mirror_scene(scene), {k: _mirror_program(program) for k, program in meant.items()}
    else:
        other = scene, meant
    left = run(fill(law.left, meant), scene)
    right = run(fill(law.right, other[1]), other[0])
    if not (left.exact and right.exact and left.unexplored + right.unexplored < 1e-6):
        return None
    match law.sign:
        case "<=":
            return bool((_answer(left) <= _answer(right) + tolerance).all())
        case "<>":
            return bool((_answer(left) + _answer(right) <= 1 + tolerance).all())
        case _:
            return bool(((_numbers(left) - _numbers(right)).abs() <= tolerance).all())


def _answer(outcome: Outcome) -> torch.Tensor:
    if outcome.truth is not None:
        return torch.tensor([outcome.truth])
    assert outcome.objects is not None
    return outcome.objects


def _numbers(outcome: Outcome) -> torch.Tensor:
    """Every number of an outcome in one row."""
    rows = [row for row in (outcome.objects, outcome.number, outcome.value) if row is not None]
    single = [outcome.truth or 0.0, outcome.none, outcome.empty, outcome.many]
    return torch.cat([*rows, torch.tensor(single)])


def _without_ratios(program: Op) -> Op:
    """The program with no ratio of positions, which mean nothing: they depend on the origin."""

    def change(op: Op) -> Op:
        if isinstance(op, Comparative | Equative) and op.order in MIRRORED:
            return Comparative(op.objects, op.order, op.landmarks)
        return op

    return program.rebuild(change)


def _mirror_program(program: Op) -> Op:
    def swap(op: Op) -> Op:
        names = [p.name for p in signature(type(op)) if isinstance(p.declared, Name)]
        swapped = {n: MIRRORED.get(getattr(op, n), getattr(op, n)) for n in names}
        return dataclasses.replace(op, **swapped)

    return program.rebuild(swap)


@lru_cache(maxsize=2)
def _mirror_scene(scene: Scene) -> Scene:
    """The mirror image: x runs the other way, and left_of and right_of change places."""
    x1, y1, x2, y2 = scene.boxes.unbind(dim=1)
    width = scene.size.width
    left, right = scene.measures["left_reach"], scene.measures["right_reach"]
    moved = {
        "left_reach": Measure(width - right.values, right.unit, right.source),
        "right_reach": Measure(width - left.values, left.unit, left.source),
    }
    relations = {MIRRORED.get(name, name): relation for name, relation in scene.relations.items()}
    return dataclasses.replace(
        scene,
        boxes=torch.stack([width - x2, y1, width - x1, y2], dim=1),
        measures={**scene.measures, **moved},
        relations=relations,
    )
