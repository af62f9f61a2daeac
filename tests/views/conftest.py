"""A hand-made scene, and results on it that need no parser."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from neurosym.errors import UnknownConceptError
from neurosym.executors.base import Outcome, Step
from neurosym.executors.worlds import WorldsExecutor
from neurosym.grammar import Repair
from neurosym.pixels import ImageSize, Pixels
from neurosym.program import Op, parse_program
from neurosym.result import Decision, Result, decide
from neurosym.scene import Categorical, Concept, Measure, Relation, Scene
from neurosym.span import Span

SIZE = ImageSize(60, 100)
CATEGORIES = ("plate", "fork", "chair", "person", "cube")
COLOURS = ("green", "white", "red", "gray")
THINGS = (  # category, colour, box xyxy
    ("plate", "green", (5, 20, 25, 40)),
    ("plate", "white", (30, 20, 50, 40)),
    ("fork", "gray", (60, 20, 66, 40)),
    ("chair", "gray", (2, 44, 22, 58)),
    ("chair", "gray", (24, 44, 44, 58)),
    ("person", "red", (70, 4, 95, 58)),
)


@dataclass(frozen=True)
class Picture(Pixels):
    """A picture whose left half alone shows "green"; counts how often masks are asked for."""

    boxes: Tensor
    with_image: bool = True
    asked: list[tuple[int, ...]] = field(default_factory=list)

    def image(self) -> Tensor | None:
        return torch.full((*SIZE, 3), 200, dtype=torch.uint8) if self.with_image else None

    def masks(self, indices: Sequence[int]) -> Tensor:
        self.asked.append(tuple(indices))
        made = torch.zeros((len(indices), *SIZE), dtype=torch.bool)
        for row, index in enumerate(indices):
            x1, y1, x2, y2 = (int(v) for v in self.boxes[index])
            made[row, y1:y2, x1:x2] = True
        return made

    def known_masks(self) -> Mapping[int, Tensor]:
        return {}

    def score(self, attribute: str, indices: Sequence[int]) -> Tensor | None:
        return None

    def evidence(self, attribute: str, value: str) -> Tensor | None:
        if (attribute, value) != ("color", "green"):
            return None
        seen = torch.zeros(SIZE)
        seen[:, :15] = 1
        return seen


def make_scene() -> Scene:
    count = len(THINGS)
    boxes = torch.tensor([box for *_, box in THINGS], dtype=torch.float32)
    middle = (boxes[:, 0] + boxes[:, 2]) / 2
    left = (middle[:, None] < middle[None, :]).float()

    def one_hot(values: tuple[str, ...], chosen: list[str]) -> Categorical:
        table = torch.zeros(count, len(values))
        for row, value in enumerate(chosen):
            table[row, values.index(value)] = 1
        return Categorical(values, table, torch.ones(count, dtype=torch.bool), "given")

    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return Scene(
        size=SIZE,
        boxes=boxes,
        existence=torch.ones(count),
        groups=torch.arange(count),
        categories=one_hot(CATEGORIES, [thing[0] for thing in THINGS]),
        attributes={"color": one_hot(COLOURS, [thing[1] for thing in THINGS])},
        relations={
            "left_of": Relation(left, "geometry"),
            "right_of": Relation(left.T.contiguous(), "geometry"),
            "behind": Relation(torch.zeros(count, count), "boxes without depth", approximate=True),
        },
        measures={
            "area": Measure(area, "px^2", "geometry"),
            "depth": Measure(-boxes[:, 3], "px", "ground contact", approximate=True),
        },
        distances=(middle[:, None] - middle[None, :]).abs(),
        concepts={"man": Concept(("person",), approximate=True)},
        pixels=Picture(boxes),
    )


def make_tokens(text: str) -> tuple[Any, ...]:
    found = enumerate(re.finditer(r"\w+|[^\w\s]", text))
    return tuple(
        SimpleNamespace(index=i, text=m[0], lower=m[0].lower(), pos="X", span=Span(*m.span()))
        for i, m in found
    )


def bind(program: Op, text: str, words: Sequence[str]) -> Op:
    """Give each node, in order of evaluation, its words; ``person#2`` is the second "person"."""
    given = iter(words)

    def change(op: Op) -> Op:
        word, _, which = next(given).partition("#")
        if not word:
            return op
        hits = list(re.finditer(rf"\b{re.escape(word)}\b", text))
        return op.at(Span(*hits[int(which or 1) - 1].span()))

    return program.rebuild(change)


def make_result(
    text: str,
    program: str,
    words: Sequence[str],
    *,
    scene: Scene | None = None,
    unused: Sequence[str] = (),
    repairs: Sequence[Repair] = (),
    executed: bool = True,
    change_outcome: Callable[[Outcome], Outcome] = lambda outcome: outcome,
    abstain: float = 0.0,
) -> Result:
    scene = make_scene() if scene is None else scene
    bound = bind(parse_program(program), text, words)
    tokens = make_tokens(text)
    left = tuple(token for token in tokens if token.text in unused)
    reading: Any = SimpleNamespace(
        program=bound, score=0.0, syntax=None, unused=left, guessed=False, source="grammar"
    )
    parse: Any = SimpleNamespace(
        text=text, tokens=tokens, readings=(reading,), repairs=tuple(repairs)
    )
    if not executed:
        error = UnknownConceptError("category", "unicorn", ())
        return Result(parse, scene, None, Decision("unsupported"), reading, error)
    outcome = change_outcome(WorldsExecutor().run(bound, scene))
    return Result(parse, scene, outcome, decide(outcome, scene, abstain=abstain), reading)


def soften(scene: Scene, attribute: str, rows: Mapping[int, Sequence[float]]) -> Scene:
    """The scene with other distributions of an attribute ("" for the category)."""
    table = scene.attributes[attribute] if attribute else scene.categories
    probabilities = table.probabilities.clone()
    for row, values in rows.items():
        probabilities[row] = torch.tensor(values)
    changed = replace(table, probabilities=probabilities)
    if not attribute:
        return replace(scene, categories=changed)
    return replace(scene, attributes={**scene.attributes, attribute: changed})


def make_hypotheses() -> Scene:
    """The scene with its two chairs as hypotheses of one, the left one a little likelier."""
    scene = make_scene()
    return replace(
        scene,
        groups=torch.tensor([0, 1, 2, 3, 3, 5]),
        existence=torch.tensor([1.0, 1.0, 1.0, 0.52, 0.44, 1.0]),
    )


def change_step(outcome: Outcome, operator: str, change: Callable[[Step], Step]) -> Outcome:
    steps = tuple(change(step) if step.op.name == operator else step for step in outcome.steps)
    return replace(outcome, steps=steps)


@pytest.fixture
def made() -> SimpleNamespace:
    """The helpers above, by name: test files cannot import them."""
    return SimpleNamespace(
        scene=make_scene,
        hypotheses=make_hypotheses,
        result=make_result,
        soften=soften,
        change_step=change_step,
        bind=bind,
    )
