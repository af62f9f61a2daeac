"""The laws of tests/laws/crisp.txt, in random crisp worlds, by the reference."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from neurosym.executors.base import Outcome
from neurosym.executors.reference import ReferenceExecutor
from neurosym.program import Kind, Op, parse_program, signature
from neurosym.program.operator import Name
from neurosym.scene import Measure, Scene
from tests.executors.strategies import programs, scenes

LAWS_FILE = Path(__file__).parents[1] / "laws" / "crisp.txt"
METAVARIABLES = {"A": Kind.OBJECTS, "B": Kind.OBJECTS, "C": Kind.OBJECTS} | {
    "S": Kind.TRUTH,
    "T": Kind.TRUTH,
}
MIRRORED = {"left_of": "right_of", "leftmost": "rightmost"}
MIRRORED |= {right: left for left, right in MIRRORED.items()}
RUN = ReferenceExecutor().run


@dataclass(frozen=True)
class Law:
    """One line of the file."""

    left: str
    sign: str
    right: str
    line: int

    def __str__(self) -> str:
        return f"{self.left} {self.sign} {self.right}"


def read_laws(path: Path) -> list[Law]:
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = re.fullmatch(r"(.+?) (==|<=|<>|=mirror=) (.+)", line.strip())
        assert match is not None, f"{path.name}:{number}: not a law: {line}"
        found.append(Law(*match.groups(), number))
    return found


LAWS = read_laws(LAWS_FILE)


def fill(side: str, meant: dict[str, Op]) -> Op:
    """The program of one side, with programs in place of the metavariables."""
    return parse_program(re.sub(r"\b[ABCST]\b", lambda found: str(meant[found.group()]), side))


def settled(program: Op, scene: Scene) -> Op:
    """The program, or as much of it as does not fail in this scene."""
    outcome = RUN(program, scene)
    last = outcome.steps[-1]
    if not last.none and not last.many:
        return program
    # What fails has operands that did not.
    below = last.op.operands[0]
    if program.returns is Kind.TRUTH:
        return parse_program(f"(exist {below})")
    return below


def mirror_program(program: Op) -> Op:
    def swap(op: Op) -> Op:
        names = [p.name for p in signature(type(op)) if isinstance(p.declared, Name)]
        swapped = {n: MIRRORED.get(getattr(op, n), getattr(op, n)) for n in names}
        return dataclasses.replace(op, **swapped)

    return program.rebuild(swap)


def mirror_scene(scene: Scene) -> Scene:
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


def answer(outcome: Outcome) -> tuple[object, ...]:
    rows = [None if row is None else row.tolist() for row in (outcome.objects, outcome.number)]
    return (*rows, outcome.truth, outcome.none, outcome.many)


def holds(law: Law, scene: Scene, meant: dict[str, Op]) -> bool:
    left = RUN(fill(law.left, meant), scene)
    if law.sign == "=mirror=":
        mirrored = {name: mirror_program(program) for name, program in meant.items()}
        return answer(left) == answer(RUN(fill(law.right, mirrored), mirror_scene(scene)))
    right = RUN(fill(law.right, meant), scene)
    if law.sign == "==":
        return answer(left) == answer(right)
    assert left.objects is not None
    assert right.objects is not None
    if law.sign == "<>":
        return not bool((left.objects * right.objects).any())
    # A right side that fails where the left does not would make the law wrong, too.
    return bool((left.objects <= right.objects).all())


@st.composite
def situations(draw: st.DrawFn) -> tuple[Scene, dict[str, Op]]:
    scene = draw(scenes(crisp=True))
    meant = {name: settled(draw(programs(kind, 3)), scene) for name, kind in METAVARIABLES.items()}
    return scene, meant


@settings(max_examples=30, deadline=None)
@given(situations())
def test_laws_hold(situation: tuple[Scene, dict[str, Op]]) -> None:
    scene, meant = situation
    broken = [law for law in LAWS if not holds(law, scene, meant)]
    assert not broken, "\n".join(f"{LAWS_FILE.name}:{law.line}: {law}" for law in broken)


@pytest.mark.parametrize(
    "wrong",
    [
        "(minus A B) == (minus B A)",
        "(relate A left_of B) == (relate A right_of B)",
        "(relate A left_of B) =mirror= (relate A left_of B)",
        "(relate_all A next_to B) <= (relate A next_to B)",
        "(superlative A largest 1) == (the A)",
        "(everything) <= A",
        "A <> B",
    ],
)
def test_a_wrong_law_is_caught(wrong: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.txt"
    path.write_text(wrong, encoding="utf-8")
    (law,) = read_laws(path)

    # Nobody reads the example, so it need not be made small.
    @settings(max_examples=200, deadline=None, database=None, phases=[Phase.generate])
    @given(situations())
    def check(situation: tuple[Scene, dict[str, Op]]) -> None:
        assert holds(law, *situation)

    with pytest.raises(AssertionError):
        check()
