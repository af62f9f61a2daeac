"""On which scores an answer depends, and which small changes would give another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from neurosym.errors import OptionError, UnknownConceptError
from neurosym.executors.base import Outcome
from neurosym.executors.world import check_names
from neurosym.program import Definites
from neurosym.reasons.atoms import Atom, Atoms, with_score
from neurosym.reasons.edits import Edit, edits, rereadings
from neurosym.reasons.trials import (
    Trial,
    answer_probability,
    run_all,
    try_atoms,
    without_abstaining,
)
from neurosym.scene import Scene

if TYPE_CHECKING:
    from neurosym.program import Op
    from neurosym.result import Decision, Result

MAX_EDITS = 64
"""Most changed programs that are run."""
MAX_FLIPS = 8
"""Most changes of a score that are tried out, which takes two runs for each."""
MARGIN = 1e-3
"""How far beyond the turning point a score is set, and how far before it nothing may change."""
_HALVINGS = 16
_LEAST = 1e-6
"""A derivative that is nearer to 0 is 0."""


@dataclass(frozen=True)
class Sensitivity:
    """How a probability depends on one atom.

    Attributes:
        atom: the atom.
        derivative: of the probability by the atom's score, see
            :func:`neurosym.reasons.with_score`: ``one - zero``.
        zero: the probability if the atom were certainly false.
        one: the probability if the atom were certainly true.
    """

    atom: Atom
    derivative: float
    zero: float
    one: float

    def __str__(self) -> str:
        return f"{self.atom}: {self.derivative:+.2f}"


@dataclass(frozen=True)
class ProgramChange:
    """A change of one node of the program that gives another answer.

    Attributes:
        program: the changed program, with "the" read as it was run.
        edit: what was changed.
        outcome: of the changed program on the same scene, without its steps.
        decision: what is then answered.
    """

    program: Op
    edit: Edit
    outcome: Outcome
    decision: Decision


@dataclass(frozen=True)
class ScoreChange:
    """A change of one atom's score that gives another answer.

    Attributes:
        atom: the atom, with the score that it has.
        needed: the score from which on the answer is another one, or down to which; a thousandth
            beyond that point.
        decision: what is then answered.
    """

    atom: Atom
    needed: float
    decision: Decision

    @property
    def change(self) -> float:
        """How far the score must move."""
        return abs(self.needed - self.atom.score)


@dataclass(frozen=True)
class Counterfactuals:
    """What would give another answer. Both are empty when nothing was found within the bounds.

    Attributes:
        programs: changes of the program: those that lead to an answer before those that lead to
            none, then the smallest first, then the likeliest.
        scores: changes of one score: when there was no answer, those that lead to one first; then
            the smallest first.
    """

    programs: tuple[ProgramChange, ...]
    scores: tuple[ScoreChange, ...]


class Reasons:
    """What the answer of a result depends on. Everything is worked out when first asked for.

    Work is bounded: at most 64 runs of the program for what the scores do (``TRIALS`` and
    ``2 * MAX_FLIPS``), and ``MAX_EDITS`` of changed programs; and in time: what of either was not
    run after ``SECONDS`` is left out, the least promising first.

    Args:
        result: of any status.
    """

    def __init__(self, result: Result) -> None:
        self._result = result

    @cached_property
    def atoms(self) -> Sequence[Atom]:
        """The scores that the program can see: :class:`Atoms`, or () when nothing was executed."""
        result = self._result
        return () if result.outcome is None else Atoms(result.program, result.scene)

    def sensitivity(self, index: int | None = None) -> tuple[Sensitivity, ...]:
        """The derivatives of a probability by the scores of atoms, largest first.

        Every derivative was found by running the program with the atom at 0 and at 1. Only the
        atoms that were tried are listed, and of these the ones that make a difference: which
        those are, see :func:`neurosym.reasons.trials.try_atoms`.

        Args:
            index: the number of an object, for its probability to be in the answer. When left
                out: the probability of what is reported, :attr:`Result.probability`.

        Returns:
            Empty when nothing was executed.

        Raises:
            OptionError: the answer is no set of objects, or has no object of this number.
            ExecutionError: a bound of the executor is exceeded.
        """
        outcome, scene = self._result.outcome, self._result.scene
        if outcome is None:
            return ()
        if index is not None and (outcome.objects is None or not 0 <= index < len(scene)):
            raise OptionError(f"the answer has no probability for an object {index}")

        def probability(found: Outcome) -> float:
            if index is not None and found.objects is not None:
                return float(found.objects[index])
            return float(answer_probability(self._reported, found, scene))

        made = []
        for trial in self._trials:
            zero, one = probability(trial.zero), probability(trial.one)
            made.append(Sensitivity(trial.atom, one - zero, zero, one))
        made = [found for found in made if abs(found.derivative) > _LEAST]
        return tuple(sorted(made, key=lambda found: -abs(found.derivative)))

    @cached_property
    def counterfactuals(self) -> Counterfactuals:
        """Small changes, each tried out, that would give another answer.

        Raises:
            ExecutionError: a bound of the executor is exceeded.
        """
        return Counterfactuals(self._program_changes(), self._score_changes())

    @cached_property
    def _trials(self) -> tuple[Trial, ...]:
        return try_atoms(self._result, self.atoms) if isinstance(self.atoms, Atoms) else ()

    @cached_property
    def _reported(self) -> Decision:
        """What would be answered if nothing were withheld for being too unlikely."""
        result = self._result
        if result.outcome is None or result.status != "abstained":
            return result.decision
        return without_abstaining(result.procedure).decide(result.outcome, result.scene)

    def _program_changes(self) -> tuple[ProgramChange, ...]:
        result = self._result
        # What was parsed is changed, and read as before.
        parsed, the = result.reading.program, result.procedure.the
        made = edits(parsed, result.scene, narrow=result.status == "many")
        read = result.procedure.read
        plain = replace(result.procedure, the=Definites.STRICT).read(parsed, result.scene).program
        changed = [(edit, read(program, result.scene).program) for edit, program in made]
        tried = [
            (edit, program)
            for edit, program in (*rereadings(plain, the), *changed)
            if _can_run(program, result.scene)
        ][:MAX_EDITS]
        outcomes = run_all(
            result.procedure, [program for _, program in tried], [result.scene] * len(tried)
        )
        changes = [
            ProgramChange(program, edit, outcome, result.procedure.decide(outcome, result.scene))
            for (edit, program), outcome in zip(tried, outcomes, strict=False)
        ]
        changes = [found for found in changes if self._differs(found.decision)]
        return tuple(
            sorted(
                changes,
                key=lambda found: (
                    found.decision.status != "ok",
                    found.edit.size,
                    -found.decision.probability,
                ),
            )
        )

    def _score_changes(self) -> tuple[ScoreChange, ...]:
        flips = [
            flip
            for trial in self._trials
            for end in (0.0, 1.0)
            if (flip := self._turning_point(trial, end)) is not None
        ]
        flips = sorted(flips, key=self._score_rank)[:MAX_FLIPS]
        return tuple(sorted(self._confirmed(flips), key=self._score_rank))

    def _score_rank(self, found: ScoreChange) -> tuple[bool, float, bool]:
        no_answer = self._result.status != "ok"
        # Of changes as good as equal, what an object is like gives way before what it is.
        other_thing = found.atom.role == "category"
        return no_answer and found.decision.status != "ok", round(found.change, 2), other_thing

    def _turning_point(self, trial: Trial, end: float) -> ScoreChange | None:
        """Where between its score and an end the atom changes the answer.

        Outcomes run straight, and what is decided is the likeliest of several things; so there is
        one such point at most, and it can be found by halving.
        """
        scene, score = self._result.scene, trial.atom.score

        def decided(at: float) -> Decision:
            return self._result.procedure.decide(trial.at(at), scene)

        same, other = score, end
        if not self._differs(decided(end)) or self._differs(decided(score)):
            return None
        for _ in range(_HALVINGS):
            middle = (same + other) / 2
            if self._differs(decided(middle)):
                other = middle
            else:
                same = middle
        needed = min(1.0, max(0.0, other + (MARGIN if end > score else -MARGIN)))
        return ScoreChange(trial.atom, needed, decided(needed))

    def _confirmed(self, flips: Sequence[ScoreChange]) -> list[ScoreChange]:
        """Those that change the answer when tried out, and not before they should."""
        result = self._result
        scenes = []
        for flip in flips:
            towards = 1.0 if flip.needed > flip.atom.score else -1.0
            before = flip.needed - 2 * MARGIN * towards
            passed = (before - flip.atom.score) * towards < 0
            scenes.append(with_score(result.scene, flip.atom, flip.needed))
            scenes.append(
                with_score(result.scene, flip.atom, flip.atom.score if passed else before)
            )
        outcomes = run_all(result.procedure, [result.program] * len(scenes), scenes)
        decisions = [result.procedure.decide(outcome, result.scene) for outcome in outcomes]
        pairs = zip(flips, decisions[::2], decisions[1::2], strict=False)
        return [
            replace(flip, decision=after)
            for flip, after, before in pairs
            if self._differs(after) and not self._differs(before)
        ]

    def _differs(self, decision: Decision) -> bool:
        """Whether a decision is another answer; hypotheses of one thing are one answer."""
        return _answer(decision, self._result.scene) != _answer(
            self._result.decision, self._result.scene
        )


def _answer(decision: Decision, scene: Scene) -> tuple[object, ...]:
    things = frozenset(int(scene.groups[i]) for i in decision.objects)
    return decision.status, things, decision.answer


def _can_run(program: Op, scene: Scene) -> bool:
    try:
        check_names(program, scene)
    except UnknownConceptError:
        return False
    return True
