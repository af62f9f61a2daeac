"""What an outcome would be if single atoms were otherwise: found by running the program again."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

import torch
from torch import Tensor

from neurosym.executors.base import Deadline, Differentiable, Executor, Outcome
from neurosym.executors.tensor import TensorExecutor
from neurosym.executors.worlds import WorldsExecutor
from neurosym.program import Definites, Kind, Op
from neurosym.program.operator import names_of
from neurosym.reasons.atoms import Atom, Atoms, Gradient, Role, with_score
from neurosym.result import WITHHOLD, Decision, Procedure, Result, is_of_one
from neurosym.scene import Categorical, Scene

TRIALS = 48
"""Most runs of the program that are spent on what single atoms do."""
SECONDS = 2.0
"""Time for one series of runs; what was not run by then is left out."""
_CHUNK = 4
"""How many programs run together before the time is looked at."""
_ALIVE = 0.02
"""A step's objects of a smaller probability are not followed further."""
_REST = 0.01
"""Weight of the atoms that no step asked about, as far as steps were reached."""
_OPTIONS = 3
"""How many of the objects, counts or values that come nearest to the answer are compared."""


@dataclass(frozen=True)
class Trial:
    """What the program comes to when one atom is certainly false, and when it is certainly true.

    Attributes:
        atom: the atom.
        zero: the outcome with a score of 0.
        one: the outcome with a score of 1.
    """

    atom: Atom
    zero: Outcome
    one: Outcome

    def at(self, score: float) -> Outcome:
        """The outcome at a score between: all of its probabilities run straight."""

        def between(low: Tensor | None, high: Tensor | None) -> Tensor | None:
            return None if low is None or high is None else low + (high - low) * score

        def number(low: float, high: float) -> float:
            return low + (high - low) * score

        def truth(low: float | None, high: float | None) -> float | None:
            return None if low is None or high is None else number(low, high)

        zero, one = self.zero, self.one
        return replace(
            zero,
            objects=between(zero.objects, one.objects),
            number=between(zero.number, one.number),
            truth=truth(zero.truth, one.truth),
            value=between(zero.value, one.value),
            none=number(zero.none, one.none),
            many=number(zero.many, one.many),
            empty=number(zero.empty, one.empty),
            steps=(),
            differentiable=None,
        )


def run_all(procedure: Procedure, programs: Sequence[Op], scenes: Sequence[Scene]) -> list[Outcome]:
    """Run program k on scene k with a procedure's executor, without gradients, while there is time.

    Programs with an operator that this executor has no rule for go to the worlds executor. The
    tensor executor's outcomes have no steps, which take half of its time.

    Returns:
        The outcomes of the first programs: of all, unless ``SECONDS`` were not enough.

    Raises:
        UnknownConceptError: a program names what its scene does not have.
        ExecutionError: a bound is exceeded.
    """
    executor = procedure.executor or TensorExecutor()
    if isinstance(executor, TensorExecutor):
        executor = copy.copy(executor)
        executor.trace = False
    deadline = Deadline(SECONDS)
    outcomes: list[Outcome] = []
    while len(outcomes) < len(programs) and not (outcomes and deadline.passed):
        chunk = slice(len(outcomes), len(outcomes) + _CHUNK)
        outcomes += _run_chunk(executor, programs[chunk], scenes[chunk])
    return outcomes


def _run_chunk(
    executor: Executor, programs: Sequence[Op], scenes: Sequence[Scene]
) -> Iterator[Outcome]:
    knows = [_knows(executor, program) for program in programs]
    outcomes: dict[int, Outcome] = {}
    for known in (True, False):
        numbers = [n for n, k in enumerate(knows) if k is known]
        if not numbers:
            continue
        runner = executor if known else WorldsExecutor(seconds=SECONDS / len(numbers))
        with torch.no_grad():
            found = runner.run_many([programs[n] for n in numbers], [scenes[n] for n in numbers])
        outcomes.update(zip(numbers, found, strict=True))
    return (outcomes[number] for number in range(len(programs)))


def try_atoms(result: Result, atoms: Atoms) -> tuple[Trial, ...]:
    """Run the program with single atoms at 0 and at 1, in one batch of at most ``TRIALS`` runs.

    An atom that is certain already costs one run, any other two. Which atoms are tried: in turn,
    those by which the answer's probability has the largest derivatives; those that by their
    derivatives would have to change least for another answer; and those that the program asks
    about the objects that came nearest to the answer. The last need no derivatives, which say
    nothing where a probability is exactly 0 or 1.

    Args:
        result: one with an outcome.
        atoms: of its program and scene.

    Raises:
        ExecutionError: a bound of the executor is exceeded.
    """
    scores = atoms.scores
    chosen: dict[int, Atom] = {}
    left = TRIALS - 1
    for number in _in_turn([*_by_derivative(result, atoms), _by_nearness(result, atoms)]):
        cost = len(_ends(float(scores[number])))
        if number not in chosen and cost <= left:
            chosen[number] = atoms[number]
            left -= cost
        if not left:
            break
    places = [(number, end) for number, atom in chosen.items() for end in _ends(atom.score)]
    scenes = [result.scene, *(with_score(result.scene, chosen[n], end) for n, end in places)]
    now, *ran = run_all(result.procedure, [result.program] * len(scenes), scenes)
    # The time may have ended before all of them were run.
    found = dict(zip(places, ran, strict=False))
    return tuple(
        Trial(atom, found.get((number, 0.0), now), found.get((number, 1.0), now))
        for number, atom in chosen.items()
        if all((number, end) in found for end in _ends(atom.score))
    )


def answer_probability(decision: Decision, outcome: Outcome, scene: Scene) -> Tensor:
    """The probability of what a decision reports, in this outcome or another of the program.

    Args:
        decision: for one outcome of a program.
        outcome: the same or another outcome of it.
        scene: for its groups.

    Returns:
        A 0-dimensional tensor, with gradients where the outcome carries them. For the decision's
        own outcome this is ``decision.probability``.
    """
    numbers = _single_numbers(outcome)
    held = 1.0 - numbers.none - numbers.many
    if decision.status in ("none", "many"):
        return numbers.none if decision.status == "none" else numbers.many
    if numbers.truth is not None:
        return numbers.truth if decision.answer else held - numbers.truth
    if outcome.number is not None and decision.answer is not None:
        return outcome.number[int(decision.answer)]
    if outcome.value is not None:
        return outcome.value[outcome.values.index(str(decision.answer))]
    if outcome.objects is not None and is_of_one(outcome.kind, decision.objects):
        return outcome.objects[scene.groups == scene.groups[decision.objects[0]]].sum()
    return held


def without_abstaining(procedure: Procedure) -> Procedure:
    """The procedure that answers although it is unlikely."""
    the = Definites.STRICT if procedure.the is Definites.ABSTAIN else procedure.the
    return replace(procedure, abstain=0.0, the=the)


def _knows(executor: Executor, program: Op) -> bool:
    return all(type(node) in executor.rules for node in program.walk())


def _ends(score: float) -> tuple[float, ...]:
    """The certain scores that an atom does not have yet."""
    return tuple(end for end in (0.0, 1.0) if score != end)


def _in_turn(rankings: Sequence[list[int]]) -> Iterator[int]:
    """The first of every ranking, then the second of every ranking, and so on."""
    for row in zip_longest(*rankings):
        yield from (number for number in row if number is not None)


def _by_derivative(result: Result, atoms: Atoms) -> Iterator[list[int]]:
    """Rankings of the atoms by derivatives; none where the outcome carries no gradients."""
    scene, procedure = result.scene, result.procedure
    executor = procedure.executor or TensorExecutor()
    # A crisp scene is run by comparisons, through which no gradient passes.
    if scene.is_crisp or not _knows(executor, result.program) or not len(atoms):
        return
    leaves = _Leaves(result.program, scene)
    with torch.enable_grad():
        outcome = executor.run(result.program, leaves.scene)
        decided = without_abstaining(procedure).decide(outcome, scene)
        target = answer_probability(decided, outcome, scene)
        gaps = _gaps(decided, outcome, procedure, scene)
    gradient = leaves.gradient(target)
    if gradient is not None:
        yield _first(atoms.slopes(gradient).abs())
    scores = atoms.scores
    for gap in gaps:
        gradient = leaves.gradient(gap)
        if gradient is None:
            continue
        slopes = atoms.slopes(gradient)
        needed = scores - gap.detach() / torch.where(slopes == 0, torch.nan, slopes)
        possible = (needed >= 0.0) & (needed <= 1.0)
        yield _first(torch.where(possible, 2.0 - (needed - scores).abs(), 0.0))


def _first(weights: Tensor) -> list[int]:
    """The atoms of the largest positive weights, as many as could be tried."""
    values, numbers = weights.sort(descending=True, stable=True)
    return [int(n) for n, w in zip(numbers[:TRIALS], values[:TRIALS], strict=True) if w > 0]


def _gaps(decision: Decision, outcome: Outcome, procedure: Procedure, scene: Scene) -> list[Tensor]:
    """By how much the answer is ahead of what comes next: what to bring to 0 to change it.

    They only say which atoms to try. What is answered, :meth:`Procedure.decide` says.
    """
    numbers = _single_numbers(outcome)
    held = 1.0 - numbers.none - numbers.many
    missing = numbers.none * (1.0 - procedure.presume) / procedure.presume
    levels = {"none": missing, "many": numbers.many, "ok": held}
    ahead = levels.pop(decision.status)
    gaps = [ahead - other for other in levels.values()]
    if procedure.abstain:
        gaps.append(answer_probability(decision, outcome, scene) - procedure.abstain)
    if procedure.the is Definites.ABSTAIN:
        gaps.append(1.0 - WITHHOLD - numbers.none + numbers.empty - numbers.many)
    if decision.status != "ok":
        return gaps
    if numbers.truth is not None:
        return [*gaps, (2.0 * numbers.truth - held).abs()]
    if outcome.kind in (Kind.NUMBER, Kind.VALUE, Kind.REFERENT):
        shares = outcome.number if outcome.number is not None else outcome.value
        if outcome.objects is not None:
            same = (scene.groups[:, None] == scene.groups[None, :]).to(outcome.objects)
            shares = outcome.objects @ same
        best = answer_probability(decision, outcome, scene)
        rivals = [] if shares is None else [best - share for share in shares]
        return gaps + sorted((r for r in rivals if r > 0), key=Tensor.item)[:_OPTIONS]
    if outcome.objects is not None:
        given = 1.0 - (numbers.none - numbers.empty) - numbers.many
        short = [(share - procedure.threshold * given).abs() for share in outcome.objects]
        gaps += sorted(short, key=Tensor.item)[:_OPTIONS]
    return gaps


def _single_numbers(outcome: Outcome) -> Differentiable:
    if outcome.differentiable is not None:
        return outcome.differentiable
    truth = None if outcome.truth is None else torch.tensor(outcome.truth)
    singles = (outcome.none, outcome.many, outcome.empty)
    none, many, empty = (torch.tensor(single) for single in singles)
    return Differentiable(none, many, empty, truth)


class _Leaves:
    """A scene whose tables ask for gradients.

    Args:
        program: what tables matter to.
        scene: the scene.
    """

    def __init__(self, program: Op, scene: Scene) -> None:
        def leaf(tensor: Tensor) -> Tensor:
            return tensor.detach().clone().requires_grad_(True)

        def table(categorical: Categorical) -> Categorical:
            return replace(categorical, probabilities=leaf(categorical.probabilities))

        seen = {name for node in program.walk() for _, name in names_of(node)}
        whole = any(node.sees_all for node in program.walk())
        self.scene = replace(
            scene,
            existence=leaf(scene.existence),
            categories=table(scene.categories),
            attributes={
                name: table(attribute) if whole or name in seen else attribute
                for name, attribute in scene.attributes.items()
            },
            relations={
                name: replace(r, probabilities=leaf(r.probabilities)) if name in seen else r
                for name, r in scene.relations.items()
            },
        )

    def gradient(self, number: Tensor) -> Gradient | None:
        """The derivatives of a number by all tables; None when it carries no gradients."""
        if not number.requires_grad:
            return None
        scene = self.scene
        tables = {
            ("existence", ""): scene.existence,
            ("category", ""): scene.categories.probabilities,
        }
        tables |= {("attribute", n): a.probabilities for n, a in scene.attributes.items()}
        tables |= {("relation", n): r.probabilities for n, r in scene.relations.items()}
        asked = {key: tensor for key, tensor in tables.items() if tensor.requires_grad}
        found = torch.autograd.grad(
            number, list(asked.values()), retain_graph=True, allow_unused=True
        )
        by_table = {
            key: torch.zeros_like(tensor).cpu() if part is None else part.nan_to_num().cpu()
            for (key, tensor), part in zip(asked.items(), found, strict=True)
        }
        return Gradient(
            by_table["existence", ""],
            by_table["category", ""],
            {name: part for (role, name), part in by_table.items() if role == "attribute"},
            {name: part for (role, name), part in by_table.items() if role == "relation"},
        )


def _by_nearness(result: Result, atoms: Atoms) -> list[int]:
    """The atoms by how far the objects that they speak of got through the program.

    First those that some step asked about: of an object that was still there below the step, or
    of two that were. The rest comes last: where something failed before, nothing is there below.
    """
    count = len(result.scene)
    reach = torch.zeros(count)
    alive: dict[Op, Tensor] = {}
    height: dict[Op, int] = {}
    for step in result.trace:
        height[step.op] = 1 + max((height.get(below, 0) for below in step.op.operands), default=0)
        if step.objects is not None:
            share = step.objects.detach().cpu().float()
            alive[step.op] = share > _ALIVE
            got = torch.where(alive[step.op], height[step.op] + share / 2, torch.zeros(count))
            reach = torch.maximum(reach, got)
    there = result.scene.existence.detach().cpu() > 0
    unary: dict[str, Tensor] = {}
    binary: dict[str, Tensor] = {}
    for node in result.program.walk():
        sides = [alive[below] for below in node.operands if below in alive]
        near = torch.stack(sides).any(0) if sides else there
        pairs = torch.zeros(count, count, dtype=torch.bool)
        for one in sides:
            for other in sides:
                pairs |= one[:, None] & other[None, :]
        for _, name in names_of(node):
            unary[name] = unary.get(name, torch.zeros_like(near)) | near
            binary[name] = binary.get(name, torch.zeros_like(pairs)) | pairs
        if node.sees_all:
            for name in result.scene.attributes:
                unary[name] = unary.get(name, torch.zeros_like(near)) | near

    def weigh(role: Role, name: str, value: str) -> Tensor:
        if role == "relation":
            # Half of what two objects got to: a pair counts like one object.
            return _REST + binary[name] * (0.5 + (reach[:, None] + reach[None, :]) / 2)
        if role == "existence":
            return 0.5 + reach
        asked = unary.get(value, unary.get(name, there))
        return _REST + asked * (0.5 + reach)

    return _first(atoms.weights(weigh))
