"""The expectation over worlds: the reference run in every world of a scene, or in a sample.

It is the oracle for soft values, and the fallback for what has no closed form.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from neurosym.errors import ExecutionError
from neurosym.executors.base import (
    MAX_NODES,
    MAX_OBJECTS,
    ROUNDING,
    Certificate,
    Deadline,
    Executor,
    Outcome,
    Step,
)
from neurosym.executors.crisp_rules import RULES
from neurosym.executors.reference import (
    Evaluation,
    Numbers,
    Plan,
    evaluate,
    numbers_of,
    outcome_of,
    plan_of,
)
from neurosym.executors.sight import Sight
from neurosym.executors.world import World, check_names, world_of
from neurosym.program import Op
from neurosym.scene import CATEGORY, Measure, Scene

SAMPLED = Certificate(exact=False)
"""The certificate of a mean over some of the worlds."""


@dataclass(frozen=True)
class _Choice:
    """One random choice, independent of all others.

    Attributes:
        role: "attribute" (the category is one), "relation" or "drawn".
        name: of the attribute or relation; (measure, times) of a comparison.
        involved: the objects that must exist for the choice to matter.
        values: what may be chosen: names, or whether the relation holds.
        weights: the probability of each.
    """

    role: str
    name: Any
    involved: tuple[int, ...]
    values: tuple[Any, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True)
class _Worlds:
    """The distribution over a scene's worlds, as far as a program can tell them apart.

    Attributes:
        base: the likeliest values, which are the only ones wherever there is no choice.
        groups: the hypotheses of each group, of which one comes true: a member, or None.
        choices: whatever else is uncertain and visible.
    """

    base: World
    groups: tuple[tuple[tuple[int | None, ...], tuple[float, ...]], ...]
    choices: tuple[_Choice, ...]

    @staticmethod
    def of(scene: Scene, sight: Sight) -> _Worlds:
        graph, base = scene.graph(), world_of(scene)
        nodes = {i: node for i, node in graph.nodes(data=True) if node["existence"] > 0}
        members: dict[int, dict[int | None, float]] = {}
        for i, node in nodes.items():
            members.setdefault(node["group"], {})[i] = node["existence"]

        def seen_as(attribute: str) -> Callable[[str], Hashable]:
            seen = sight.values.get(attribute, frozenset())
            return lambda value: value if seen is None or value in seen else None

        def category_seen_as(category: str) -> Hashable:
            words = frozenset(word for word in sight.words if category in base.covered[word])
            return words, seen_as(CATEGORY)(category)

        choices = [
            _merged("attribute", CATEGORY, i, node["categories"], category_seen_as)
            for i, node in nodes.items()
        ]
        choices += [
            _merged("attribute", name, i, node["attributes"][name], seen_as(name))
            for name in sight.values
            if name != CATEGORY
            for i, node in nodes.items()
        ]
        choices += [
            _Choice("drawn", (measure, times), pair, (True, False), (probability, 1 - probability))
            for measure, times in sorted(sight.comparisons)
            if scene.measure(measure).noise
            for pair, probability in _comparisons(scene.measure(measure), times, list(nodes))
            if nodes[pair[0]]["group"] != nodes[pair[1]]["group"]
        ]
        choices += [
            _Choice("relation", name, (i, j), (True, False), (probability, 1 - probability))
            for i, j, name, probability in graph.edges(keys=True, data="probability")
            if name in sight.relations
            and probability < 1
            and i in nodes
            and j in nodes
            # Members of one group never exist together.
            and nodes[i]["group"] != nodes[j]["group"]
        ]
        return _Worlds(
            base,
            tuple(_completed(group) for group in members.values()),
            tuple(choice for choice in choices if len(choice.values) > 1),
        )

    def open_choices(self, existing: frozenset[int]) -> list[_Choice]:
        """The choices that matter when these objects exist."""
        return [choice for choice in self.choices if existing.issuperset(choice.involved)]

    def existences(self) -> Iterator[tuple[frozenset[int], float]]:
        """Every set of objects that may exist together, with its probability."""
        for picked in itertools.product(*(zip(*group, strict=True) for group in self.groups)):
            existing = frozenset(member for member, _ in picked if member is not None)
            yield existing, math.prod(weight for _, weight in picked)

    def more_than(self, limit: int) -> bool:
        """Whether there are more worlds than ``limit``."""
        if math.prod(len(members) for members, _ in self.groups) > limit:
            return True
        count = 0
        for existing, _ in self.existences():
            count += math.prod(len(choice.values) for choice in self.open_choices(existing))
            if count > limit:
                return True
        return False

    def every(self) -> Iterator[tuple[World, float]]:
        """Every world with its probability."""
        for existing, likelihood in self.existences():
            choices = self.open_choices(existing)
            for picked in itertools.product(*(range(len(choice.values)) for choice in choices)):
                chosen = list(zip(choices, picked, strict=True))
                weight = math.prod(choice.weights[k] for choice, k in chosen)
                yield self.world(existing, chosen), likelihood * weight

    def sample(self, generator: random.Random) -> World:
        """One world, drawn at random."""
        drawn = [generator.choices(members, weights)[0] for members, weights in self.groups]
        existing = frozenset(member for member in drawn if member is not None)
        return self.world(
            existing,
            [
                (choice, generator.choices(range(len(choice.values)), choice.weights)[0])
                for choice in self.open_choices(existing)
            ],
        )

    def world(self, existing: frozenset[int], chosen: Sequence[tuple[_Choice, int]]) -> World:
        """The world in which these objects exist and these choices were taken."""
        attributes = {name: dict(values) for name, values in self.base.attributes.items()}
        relations = {name: set(pairs) for name, pairs in self.base.relations.items()}
        drawn: dict[tuple[str, int], set[tuple[int, int]]] = {}
        for choice, k in chosen:
            value = choice.values[k]
            if choice.role == "attribute":
                attributes[choice.name][choice.involved[0]] = value
            elif choice.role == "drawn":
                held = drawn.setdefault(choice.name, set())
                if value:
                    held.add((choice.involved[0], choice.involved[1]))
            elif value:
                relations[choice.name].add((choice.involved[0], choice.involved[1]))
        return replace(
            self.base,
            existing=existing,
            attributes=attributes,
            relations=relations,
            drawn=drawn,
        )


def _comparisons(
    measure: Measure, times: int, objects: Sequence[int]
) -> Iterator[tuple[tuple[int, int], float]]:
    """The pairs of objects with the probability that the first has more than the second."""
    values = measure.values.tolist()
    for i, j in itertools.permutations(objects, 2):
        lead = values[i] - times * values[j]
        yield (i, j), 1 / (1 + math.exp(-max(-700.0, min(700.0, lead / measure.noise))))


def _merged(
    role: str,
    name: str,
    i: int,
    distribution: Mapping[str, float],
    seen: Callable[[str], Hashable],
) -> _Choice:
    """The choice between values of object i, those that are seen alike merged into the first."""
    first: dict[Hashable, str] = {}
    weights: dict[str, float] = {}
    for value, weight in distribution.items():
        stands_for = first.setdefault(seen(value), value)
        weights[stands_for] = weights.get(stands_for, 0.0) + weight
    # Rows may be off 1 by a rounding.
    total = sum(weights.values())
    return _Choice(role, name, (i,), tuple(weights), tuple(w / total for w in weights.values()))


def _completed(
    members: Mapping[int | None, float],
) -> tuple[tuple[int | None, ...], tuple[float, ...]]:
    """The hypotheses of one group with their probabilities, with None for no member."""
    rest = 1 - sum(members.values())
    weights = {**members, None: rest} if rest > ROUNDING else dict(members)
    total = sum(weights.values())
    return tuple(weights), tuple(weight / total for weight in weights.values())


class WorldsExecutor(Executor):
    """Runs the reference in the worlds of a scene and gives the mean of its outcomes.

    With at most ``limit`` worlds every one is visited, and the outcome is exact. With more,
    ``samples`` of them are drawn, and ``error`` is the largest standard error of the outcome's
    numbers, with one hit and one miss added so that it is never 0. When the time is up, what was
    visited counts: an enumeration that was cut short says so by ``unexplored``, and its ``error``
    is the same, since no number can be further off than that. Tensors lie on the CPU.

    Args:
        limit: most worlds to enumerate; those that the program cannot tell apart count as one.
        samples: how many worlds to draw where there are more.
        seed: of the draws; every program of a batch starts from it anew.
        seconds: time for each program. At least one world is always visited.
        max_nodes: bound on the size of a program.
        max_objects: bound on the size of a scene.
    """

    name: ClassVar[str] = "worlds"
    rules: ClassVar[Mapping[type[Op], Callable[..., Any]]] = RULES

    def __init__(
        self,
        *,
        limit: int = 20_000,
        samples: int = 2_000,
        seed: int = 0,
        seconds: float = 20.0,
        max_nodes: int = MAX_NODES,
        max_objects: int = MAX_OBJECTS,
    ) -> None:
        super().__init__(max_nodes=max_nodes, max_objects=max_objects, seconds=seconds)
        if limit < 0 or samples < 1:
            raise ExecutionError(
                f"limit must be at least 0 and samples at least 1, not {limit} and {samples}"
            )
        self.limit = limit
        self.samples = samples
        self.seed = seed

    def run_many(self, programs: Sequence[Op], scenes: Sequence[Scene]) -> list[Outcome]:
        """See :meth:`neurosym.executors.base.Executor.run_many`."""
        self.check(programs, scenes)
        return [self._run(program, scene) for program, scene in zip(programs, scenes, strict=True)]

    def _run(self, program: Op, scene: Scene) -> Outcome:
        deadline = Deadline(self.seconds)
        plan = plan_of(program, self)
        check_names(program, scene)
        worlds = _Worlds.of(scene, Sight.of(program, scene))
        sampled = worlds.more_than(self.limit)
        tally: dict[Evaluation, float] = {}
        for world, weight in self._draws(worlds) if sampled else worlds.every():
            evaluation = evaluate(plan, world)
            tally[evaluation] = tally.get(evaluation, 0.0) + weight
            if deadline.passed:
                break
        visited = sum(tally.values())
        mean = _mean(plan, tally, scene)
        if sampled:
            note = f"mean of {visited:.0f} sampled worlds"
            return _inexact(mean, note, error=_standard_error(mean, visited))
        unexplored = 1 - visited
        if unexplored > ROUNDING:
            note = f"worlds of probability {unexplored:.3g} were not visited in time"
            return _inexact(mean, note, error=unexplored, unexplored=unexplored)
        return mean

    def _draws(self, worlds: _Worlds) -> Iterator[tuple[World, float]]:
        generator = random.Random(self.seed)
        for _ in range(self.samples):
            yield worlds.sample(generator), 1.0


class _Mean(Numbers):
    """The fields that steps and outcomes share."""

    none: float
    many: float


def _mean(plan: Plan, tally: Mapping[Evaluation, float], scene: Scene) -> Outcome:
    """The weighted mean of the reference's outcomes and of each of their steps."""
    outcomes = [outcome_of(plan, evaluation, scene) for evaluation in tally]
    weights = torch.tensor(list(tally.values()), dtype=torch.float64)
    weights /= weights.sum()
    steps = []
    for k, node in enumerate(plan):
        made = [_step(outcome, k, node.op, scene) for outcome in outcomes]
        vacuous = _mean_number([step.vacuous for step in made], weights)
        steps.append(Step(node.op, **_mean_numbers(made, weights), vacuous=vacuous))
    return Outcome(
        outcomes[0].kind,
        **_mean_numbers(outcomes, weights),
        empty=_mean_number([outcome.empty for outcome in outcomes], weights),
        steps=tuple(steps),
    )


def _step(outcome: Outcome, k: int, op: Op, scene: Scene) -> Step:
    """Step k of an outcome: all zero, with the earlier failure, where it was not reached."""
    if k < len(outcome.steps):
        return outcome.steps[k]
    failed = outcome.steps[-1]
    return Step(op, **numbers_of(op, None, scene), none=failed.none, many=failed.many)


def _mean_number(values: Sequence[float], weights: Tensor) -> float:
    return min(1.0, float(weights @ torch.tensor(list(values), dtype=torch.float64)))


def _mean_numbers(parts: Sequence[Step] | Sequence[Outcome], weights: Tensor) -> _Mean:
    def mean_row(rows: list[Tensor]) -> Tensor | None:
        return (weights @ torch.stack(rows).double()).clamp(max=1).float() if rows else None

    truths = [part.truth for part in parts if part.truth is not None]
    return _Mean(
        objects=mean_row([part.objects for part in parts if part.objects is not None]),
        number=mean_row([part.number for part in parts if part.number is not None]),
        truth=_mean_number(truths, weights) if truths else None,
        value=mean_row([part.value for part in parts if part.value is not None]),
        values=parts[0].values,
        none=_mean_number([part.none for part in parts], weights),
        many=_mean_number([part.many for part in parts], weights),
    )


def _inexact(mean: Outcome, note: str, *, error: float, unexplored: float = 0.0) -> Outcome:
    steps = tuple(replace(step, certificate=SAMPLED, note=note) for step in mean.steps)
    return replace(mean, certificate=SAMPLED, error=error, unexplored=unexplored, steps=steps)


def _standard_error(mean: Outcome, draws: float) -> float:
    """The largest standard error of the numbers of a mean over so many draws."""
    numbers = [mean.none, mean.many]
    if mean.truth is not None:
        numbers.append(mean.truth)
    for row in (mean.objects, mean.number, mean.value):
        numbers += row.tolist() if row is not None else []
    smoothed = [(number * draws + 1) / (draws + 2) for number in numbers]
    return max(math.sqrt(p * (1 - p) / draws) for p in smoothed)
