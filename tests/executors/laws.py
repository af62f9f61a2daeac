"""The notations of tests/laws: algebraic laws, and small scenes with programs and their answers.

Algebraic laws (``crisp.txt``) are ``left sign right``; the file says what the signs mean. Scene
laws (``scenes.txt``, ``soft.txt``, the examples of ``docs/semantics.md``) are blocks: a scene, one
object a line, and then ``program -> answer`` lines; ``scenes.txt`` says how they are written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import torch

from neurosym.executors.base import Outcome
from neurosym.pixels import ImageSize
from neurosym.program import ORDERS, Op, parse_program
from neurosym.scene import CATEGORY, Categorical, Concept, Measure, Relation, Scene

FOLDER = Path(__file__).parents[1] / "laws"
PAGE = Path(__file__).parents[2] / "docs" / "semantics.md"
BY_PLACE = ("left_of", "right_of")
"""The relations that follow from where objects are, unless a line says otherwise."""
POINTERS = ("this", "that")


@dataclass(frozen=True)
class Law:
    """One algebraic law."""

    left: str
    sign: str
    right: str
    where: str

    def __str__(self) -> str:
        return f"{self.where}: {self.left} {self.sign} {self.right}"


def read_laws(path: Path) -> list[Law]:
    """The algebraic laws of a file."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = re.fullmatch(r"(.+?) (==|<=|<>|=mirror=) (.+)", line.strip())
        assert match is not None, f"{path.name}:{number}: not a law: {line}"
        found.append(Law(*match.groups(), f"{path.name}:{number}"))
    return found


@dataclass(frozen=True)
class Vocabulary:
    """The words in which scenes are described.

    Attributes:
        values: attribute, or "category" -> its values. What is not said of an object is the first.
        covered: word -> the categories that it covers.
        relations: the relations that lines may state.
    """

    values: Mapping[str, tuple[str, ...]]
    covered: Mapping[str, tuple[str, ...]]
    relations: tuple[str, ...]

    def attribute_of(self, value: str) -> str:
        return next(name for name, values in self.values.items() if value in values)


@dataclass(frozen=True)
class SceneLaw:
    """A program and its answer in a scene.

    Attributes:
        scene: the scene.
        names: the objects' names, in the scene's order.
        program: the program.
        answer: what the answer may be -> its probability; what is not listed has none.
        where: file and line.
        line: the line as it is written.
    """

    scene: Scene
    names: tuple[str, ...]
    program: Op
    answer: Mapping[str, float]
    where: str
    line: str

    def difference(self, outcome: Outcome) -> float:
        """The largest distance of a probability from what the law says."""
        found = probabilities(outcome, self.names)
        known = found.keys() | self.answer.keys()
        return max(abs(found.get(key, 0.0) - self.answer.get(key, 0.0)) for key in known)


def probabilities(outcome: Outcome, names: Iterable[str]) -> dict[str, float]:
    """What an outcome gives to each object, number, truth or value, and to having none."""
    failed = outcome.none - outcome.empty
    found = {
        "none": failed,
        "many": outcome.many,
        "nothing": outcome.empty,
        "vacuous": max((step.vacuous for step in outcome.steps), default=0.0),
    }
    if outcome.objects is not None:
        found |= zip(names, outcome.objects.tolist(), strict=True)
    if outcome.number is not None:
        found |= {str(count): share for count, share in enumerate(outcome.number.tolist())}
    if outcome.truth is not None:
        found |= {"yes": outcome.truth, "no": 1 - outcome.truth - failed - outcome.many}
    if outcome.value is not None:
        found |= zip(outcome.values, outcome.value.tolist(), strict=True)
    return found


def read_scene_laws(path: Path) -> list[SceneLaw]:
    """The scene laws of a file; a page's are its blocks of code that are marked "laws"."""
    words = vocabulary()
    lines = path.read_text(encoding="utf-8").splitlines()
    laws: list[SceneLaw] = []
    for block in _blocks(lines, marked=path.suffix == ".md"):
        if block[0][1] == "vocabulary":
            continue
        draft = _Draft(words)
        for number, line in block:
            where = f"{path.name}:{number}"
            try:
                law = draft.read(line)
            except (AssertionError, StopIteration, ValueError) as error:
                raise AssertionError(f"{where}: cannot read: {line} ({error})") from error
            if law is not None:
                program, answer = law
                names = tuple(draft.objects)
                laws.append(SceneLaw(draft.scene(), names, program, answer, where, line))
    return laws


def read_scene(text: str) -> Scene:
    """The scene of some lines without laws, as a scene law describes it."""
    draft = _Draft(vocabulary())
    for line in filter(None, map(str.strip, text.splitlines())):
        assert draft.read(line) is None, f"a law, not a scene: {line}"
    return draft.scene()


def vocabulary() -> Vocabulary:
    """The words that the vocabulary of scenes.txt declares."""
    lines = (FOLDER / "scenes.txt").read_text(encoding="utf-8").splitlines()
    block = next(b for b in _blocks(lines, marked=False) if b[0][1] == "vocabulary")
    values, covered, relations = {}, {}, BY_PLACE
    for _, line in block[1:]:
        name, verb, *listed = line.split()
        if verb == "covers":
            covered[name] = tuple(listed)
        elif name == "relation":
            relations += tuple(listed)
        else:
            values[name] = tuple(listed)
    return Vocabulary(values, covered, relations)


def _blocks(lines: list[str], *, marked: bool) -> Iterator[list[tuple[int, str]]]:
    """Runs of lines without a blank one, numbered from 1; comments are left out."""
    block: list[tuple[int, str]] = []
    inside = not marked
    for number, line in enumerate([*lines, ""], start=1):
        text = line.strip()
        if marked and text.startswith("```"):
            inside, text = text == "```laws", ""
        if not text or not inside:
            if block:
                yield block
            block = []
        elif not text.startswith("#"):
            block.append((number, text))


@dataclass
class _Object:
    """What was said of an object."""

    labels: dict[str, dict[str, float]] = field(default_factory=dict)
    existence: float = 1.0
    x: float = 0.0
    y: float = 0.0
    measures: dict[str, float] = field(default_factory=dict)
    pointers: set[str] = field(default_factory=set)


class _Draft:
    """A scene of which one line after the other is read."""

    def __init__(self, words: Vocabulary) -> None:
        self.words = words
        self.objects: dict[str, _Object] = {}
        self.things: list[set[str]] = []
        self.related: dict[tuple[str, str, str], float] = {}
        self.noise: dict[str, float] = {}

    def read(self, line: str) -> tuple[Op, dict[str, float]] | None:
        """Add what a line says; a law is given back."""
        if line.startswith("("):
            program, answer = line.split(" -> ")
            return parse_program(program), dict(_weighted(part) for part in answer.split(", "))
        if described := re.fullmatch(r"(\w+): (.+)", line):
            name, parts = described.groups()
            thing = self.objects[name] = _Object()
            for part in parts.split(", "):
                self._describe(thing, part.split())
        elif " or " in line:
            self.things.append(set(line.split(" or ")))
        else:
            for part in line.split(", "):
                self._relate(part.split())
        return None

    def _describe(self, thing: _Object, part: list[str]) -> None:
        match part:
            case ["exists", share]:
                thing.existence = _number(share)
            case ["at", x, *y]:
                thing.x, thing.y = _number(x), _number(y[0]) if y else 0.0
            case [pointer] if pointer in POINTERS:
                thing.pointers.add(pointer)
            case [measure, value] if measure in _measures(thing):
                thing.measures[measure] = _number(value)
            case _:
                for value, share in re.findall(r"([a-z]\w*)(?: ([\d./]+))?", " ".join(part)):
                    of_attribute = thing.labels.setdefault(self.words.attribute_of(value), {})
                    of_attribute[value] = _number(share or "1")

    def _relate(self, part: list[str]) -> None:
        match part:
            case [measure, "noise", scale]:
                assert measure in _measures(_Object()), f"no measure {measure}"
                self.noise[measure] = _number(scale)
            case [figure, relation, landmark, *share]:
                assert relation in self.words.relations, f"no relation {relation}"
                assert {figure, landmark} <= self.objects.keys(), "no such object"
                self.related[relation, figure, landmark] = _number(share[0]) if share else 1.0
            case _:
                raise AssertionError("neither an object, a relation nor a law")

    def scene(self) -> Scene:
        things = list(self.objects.values())
        numbers = {name: number for number, name in enumerate(self.objects)}
        groups = torch.arange(len(things))
        for names in self.things:
            groups[[numbers[name] for name in names]] = min(numbers[name] for name in names)
        at = torch.tensor([(thing.x, thing.y) for thing in things]).reshape(-1, 2)
        holds = {name: torch.zeros(len(things), len(things)) for name in self.words.relations}
        holds["left_of"] = (at[:, None, 0] < at[None, :, 0]).float()
        holds["right_of"] = holds["left_of"].T.clone()
        for (relation, figure, landmark), share in self.related.items():
            holds[relation][numbers[figure], numbers[landmark]] = share
        tables = {name: self._table(name, values) for name, values in self.words.values.items()}
        return Scene(
            size=ImageSize(height=100, width=100),
            boxes=torch.cat([at - 0.5, at + 0.5], dim=1),
            existence=torch.tensor([thing.existence for thing in things]),
            groups=groups,
            categories=tables.pop(CATEGORY),
            attributes=tables,
            relations={name: Relation(matrix, "given") for name, matrix in holds.items()},
            measures={
                name: Measure(
                    torch.tensor([_measures(thing)[name] for thing in things]),
                    "px",
                    "given",
                    noise=self.noise.get(name, 0.0),
                )
                for name in _measures(_Object())
            },
            marks={
                pointer: torch.tensor(
                    [pointer in thing.pointers for thing in things], dtype=torch.bool
                )
                for pointer in POINTERS
            },
            distances=torch.cdist(at, at) if things else torch.zeros(0, 0),
            concepts={word: Concept(listed) for word, listed in self.words.covered.items()},
        )

    def _table(self, attribute: str, values: tuple[str, ...]) -> Categorical:
        rows = [
            [thing.labels.get(attribute, {values[0]: 1.0}).get(value, 0.0) for value in values]
            for thing in self.objects.values()
        ]
        table = torch.tensor(rows).reshape(-1, len(values))
        return Categorical(values, table, torch.ones(len(rows), dtype=torch.bool), "given")


def _measures(thing: _Object) -> dict[str, float]:
    """Every measure of an object; boxes are one unit wide and high unless something is said."""
    by_place = {"left_reach": thing.x, "right_reach": thing.x, "y_center": thing.y, "depth": 0.0}
    measures = {order.measure: 1.0 for order in ORDERS.values()} | by_place
    return measures | thing.measures


def _weighted(part: str) -> tuple[str, float]:
    key, *share = part.split()
    return key, _number(*share) if share else 1.0


def _number(text: str) -> float:
    value = float(Fraction(text))
    assert math.isfinite(value)
    return value


def without_noise(scene: Scene) -> Scene:
    """The scene with measures that count as known."""
    known = {name: replace(measure, noise=0.0) for name, measure in scene.measures.items()}
    return replace(scene, measures=known)
