"""The result of grounding one text in one scene, and how it is decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from neurosym.errors import OptionError, SceneError, UnknownConceptError
from neurosym.executors.base import Executor, Outcome, Step
from neurosym.executors.plan import Plan, plan
from neurosym.pixels import camera_coordinates, portion_masks
from neurosym.program import (
    PORTIONS,
    Checked,
    Command,
    CommandTo,
    Definites,
    Filter,
    Kind,
    Op,
    Part,
    described_by,
    leave_unchecked,
    read_definites,
    read_own_values,
)
from neurosym.program.operator import names_of
from neurosym.scene import Concept, Scene

if TYPE_CHECKING:
    from PIL.Image import Image

    from neurosym.alignment import Alignment
    from neurosym.grammar import Parse, Reading, Repair, Token, Tree
    from neurosym.reasons import Atom, Counterfactuals, Reasons, Sensitivity

Status = Literal["ok", "none", "many", "abstained", "unsupported"]


@dataclass(frozen=True)
class Decision:
    """What is answered, given the probabilities.

    Attributes:
        status: "ok"; "none" or "many" when that is likelier; "abstained" when no outcome is
            likely enough; "unsupported" when the scene lacks what the text names.
        objects: the objects that answer, likeliest first for a referent, else by number.
        answer: of a number (int), a truth (bool) or a value (str) when the status is "ok"; None
            for programs that answer with objects.
        probability: of the outcome that is reported: the status, and with it the answer or,
            for a referent, the object.
    """

    status: Status
    objects: tuple[int, ...] = ()
    answer: int | bool | str | None = None
    probability: float = 0.0


THRESHOLD = 0.5
"""Default probability from which on an object is in a set answer."""
PRESUME = 0.7
"""Default prior probability that what a text names is there.

People seldom refer to what they do not see, so that "none" needs more than even odds: it is said
when its odds exceed 0.7 / 0.3. The probabilities that are reported leave this prior out.
"""


WITHHOLD = 0.5
"""Probability of a failed presupposition from which on the policy "abstain" gives no answer."""


def decide(
    outcome: Outcome,
    scene: Scene,
    *,
    threshold: float = THRESHOLD,
    presume: float = PRESUME,
    abstain: float = 0.0,
    the: Definites = Definites.STRICT,
) -> Decision:
    """Choose the answer from the probabilities of an outcome.

    Args:
        outcome: of the program on the scene.
        scene: the scene, for its groups.
        threshold: an object is in a set answer from this probability on, given that what the
            program presupposes holds. Of a group, whose members are hypotheses of one thing, the
            likeliest member is in when the group reaches it.
        presume: prior probability in (0, 1) that what the text names is there; 0.5 is neutral.
        abstain: with a reported probability below this the status is "abstained".
        the: the reading of "the"; with ``Definites.ABSTAIN`` the status is "abstained" where
            something presupposed fails with a probability of one half or more.

    Returns:
        The decision: "none", "many" or, when both are less likely, the answer.

    Raises:
        OptionError: a share lies outside of [0, 1], or ``presume`` is 0 or 1.
    """
    _check_share("threshold", threshold)
    _check_share("presume", presume)
    _check_share("abstain", abstain)
    if presume in (0.0, 1.0):
        raise OptionError(f"presume must lie between 0 and 1, not {presume}")
    held = max(0.0, 1.0 - outcome.none - outcome.many)
    missing = outcome.none * (1.0 - presume) / presume
    found: Decision
    if missing >= held and missing >= outcome.many:
        found = Decision("none", probability=outcome.none)
    elif outcome.many >= held:
        found = Decision("many", probability=outcome.many)
    elif outcome.kind is Kind.TRUTH:
        yes = outcome.truth or 0.0
        answer = yes >= held - yes
        found = Decision("ok", answer=answer, probability=yes if answer else held - yes)
    elif outcome.kind is Kind.NUMBER and outcome.number is not None:
        best = int(outcome.number.argmax())
        found = Decision("ok", answer=best, probability=outcome.number[best].item())
    elif outcome.kind is Kind.VALUE and outcome.value is not None:
        best = int(outcome.value.argmax())
        name = outcome.values[best]
        found = Decision("ok", answer=name, probability=outcome.value[best].item())
    else:
        found = _choose(outcome, scene, threshold, held)
    failed = outcome.none - outcome.empty + outcome.many
    withheld = the is Definites.ABSTAIN and failed >= WITHHOLD
    if withheld or found.probability < abstain:
        return Decision("abstained", probability=found.probability)
    return found


def _check_share(name: str, value: float) -> None:
    if not 0.0 <= value <= 1.0:
        raise OptionError(f"{name} must lie in [0, 1], not {value}")


def _choose(outcome: Outcome, scene: Scene, threshold: float, held: float) -> Decision:
    if outcome.objects is None:
        raise AssertionError("an outcome of objects carries objects")
    best, probability = max(scene.things(outcome.objects), key=lambda thing: thing[1])
    failed = outcome.none - outcome.empty + outcome.many
    given = outcome.objects / max(1.0 - failed, 1e-9)
    chosen = select_from_groups(given, scene, threshold)
    if is_of_one(outcome.kind, chosen):
        return Decision("ok", (best,), probability=probability)
    # That something is there may be likely although no single thing is.
    return Decision("ok", chosen or (best,), probability=held)


def is_of_one(kind: Kind, objects: tuple[int, ...]) -> bool:
    """Whether an answer with these objects says something of one thing: what it is, a part of it,
    or what to do with it. Its probability is then that of the thing.
    """  # noqa: D205 - one sentence
    return kind is Kind.REFERENT or (kind in (Kind.REGION, Kind.INTENT) and len(objects) <= 1)


def select_from_groups(probabilities: Tensor, scene: Scene, threshold: float) -> tuple[int, ...]:
    """The likeliest member of each group whose probabilities sum to ``threshold`` or more.

    Args:
        probabilities: [N] in [0, 1].
        scene: the scene of these N objects.
        threshold: in [0, 1].

    Returns:
        Object numbers in increasing order.
    """
    return tuple(index for index, total in scene.things(probabilities) if total >= threshold)


@dataclass(frozen=True)
class Destination:
    """Where something is to be taken.

    Attributes:
        relation: what it is to be to the objects: "left_of", "in".
        objects: the numbers of the objects that it is to be there of.
    """

    relation: str
    objects: tuple[int, ...]


@dataclass(frozen=True)
class Procedure:
    """How outcomes are made and decided, so that what might have been is judged in the same way.

    Attributes:
        executor: runs the programs; None is a tensor executor with its defaults.
        threshold, presume, abstain, the: see :func:`decide`.
    """

    executor: Executor | None = None
    threshold: float = THRESHOLD
    presume: float = PRESUME
    abstain: float = 0.0
    the: Definites = Definites.STRICT

    def read(self, program: Op, scene: Scene) -> Checked:
        """What is run of a program: "the" read as wanted, and what the scene cannot tell left out.

        Args:
            program: as parsed.
            scene: knows which actions and qualities things have, or does not.
        """
        known = {name: attribute.values for name, attribute in scene.attributes.items()}
        named = read_own_values(read_definites(program, self.the), known)
        return leave_unchecked(named, known)

    def decide(self, outcome: Outcome, scene: Scene) -> Decision:
        """What is answered; raises what :func:`decide` raises."""
        return decide(
            outcome,
            scene,
            threshold=self.threshold,
            presume=self.presume,
            abstain=self.abstain,
            the=self.the,
        )


@dataclass(frozen=True, eq=False)
class Result:
    """The answer to a text about a scene, with every intermediate value.

    Attributes:
        parse: tokens, syntax and all readings of the text.
        scene: the scene as it was when the program ran.
        outcome: probabilities and the value of every step; None when the status is "unsupported".
        decision: what is answered.
        reading: the reading that was chosen.
        error: what the scene lacks, when the status is "unsupported".
        procedure: how the outcome was made and decided.
    """

    parse: Parse
    scene: Scene
    outcome: Outcome | None
    decision: Decision
    reading: Reading
    error: UnknownConceptError | None = None
    procedure: Procedure = Procedure()

    @property
    def message(self) -> str:
        """One line on what the scene lacks, when the status is "unsupported"; else empty."""
        return self.error.message if self.error is not None else ""

    @property
    def text(self) -> str:
        """The text as it was given."""
        return self.parse.text

    @property
    def tokens(self) -> tuple[Token, ...]:
        """The words of the text."""
        return self.parse.tokens

    @property
    def syntax(self) -> Tree:
        """The parse tree of the chosen reading."""
        return self.reading.syntax

    @property
    def readings(self) -> tuple[Reading, ...]:
        """All readings, best first."""
        return tuple(self.parse.readings)

    @property
    def the(self) -> Definites:
        """The reading of "the" by which the program was run."""
        return self.procedure.the

    @cached_property
    def _checked(self) -> Checked:
        return self.procedure.read(self.reading.program, self.scene)

    @property
    def program(self) -> Op:
        """The program that was run: that of the chosen reading, with "the" read as wanted.

        Without what is :attr:`unchecked`.
        """
        return self._checked.program

    @property
    def unchecked(self) -> tuple[Filter, ...]:
        """What the text says and the scene cannot tell: actions and qualities, left out."""
        return self._checked.left_out

    @property
    def plan(self) -> Plan:
        """The steps of the program, equal sub-programs once."""
        return plan(self.program)

    @property
    def unused(self) -> tuple[Token, ...]:
        """Words that the program does not use."""
        return self.reading.unused

    @cached_property
    def set_aside(self) -> tuple[Token, ...]:
        """The words that the answer does not rest on: not used, or of what is unchecked."""
        spans = [span for node in self.unchecked for span in node.words]
        return tuple(
            token for token in self.tokens if token in self.unused or token.span.lies_in(spans)
        )

    @property
    def repairs(self) -> tuple[Repair, ...]:
        """Slips of the keyboard in the text, and what they were read as."""
        return self.parse.repairs

    @property
    def trace(self) -> tuple[Step, ...]:
        """Every step of the execution, in order of evaluation."""
        return self.outcome.steps if self.outcome is not None else ()

    @property
    def status(self) -> Status:
        """``ok``, ``none``, ``many``, ``abstained`` or ``unsupported``."""
        return self.decision.status

    @property
    def answer(self) -> int | bool | str | None:
        """The answer of a question: a number, yes or no, a value; None for other programs."""
        return self.decision.answer

    @property
    def probability(self) -> float:
        """The probability of what is reported (of "none", of this object, of this count, ...)."""
        return self.decision.probability

    @cached_property
    def objects(self) -> tuple[int, ...]:
        """Numbers of the scene's objects that answer; empty unless the status is ``ok``.

        Of a claim that holds they are the objects of which it does: of "a man rides a horse" the
        man who does, as of "the man riding a horse".
        """
        if self.answer is not True or self._claimed is None:
            return self.decision.objects
        return select_from_groups(self._claimed, self.scene, self.procedure.threshold)

    @cached_property
    def _claimed(self) -> Tensor | None:
        """[N], the probability of each object to be one of which a claim holds."""
        if self.outcome is None or self.program.returns is not Kind.TRUTH:
            return None
        values = {step.op: step.objects for step in self.trace}
        of = [values.get(node) for node in described_by(self.program)]
        found = [objects for objects in of if objects is not None]
        return torch.stack(found).amax(dim=0) if found else None

    @property
    def boxes(self) -> Tensor:
        """[K, 4] float32 xyxy in absolute pixels, the boxes of :attr:`objects`."""
        return self.scene.boxes[list(self.objects)]

    @cached_property
    def masks(self) -> Tensor:
        """[K, height, width] bool, the masks of :attr:`objects`, made when first asked for.

        Of a part ("the left half of the table") only that part of each mask.
        """
        masks = self.scene.masks(self.objects)
        if isinstance(self.program, Part):
            portion = PORTIONS[self.program.portion]
            masks = masks & portion_masks(self.boxes, portion, self.scene.size)
        return masks

    @cached_property
    def camera_coordinates(self) -> Tensor:
        """[K, 3] float32, where :attr:`objects` are in the camera's frame, in metres.

        X to the right, Y down, Z forward; see :func:`neurosym.pixels.camera_coordinates`.

        Raises:
            SceneError: the scene has no depth in metres, or nobody knows the camera.
        """
        depth = None if self.scene.pixels is None else self.scene.pixels.depth()
        if depth is None:
            raise SceneError(
                "camera coordinates need a map of depth: give Grounder.perceive(depth=...)"
            )
        return camera_coordinates(depth, self.masks)

    @property
    def intent(self) -> str | None:
        """What is to be done with :attr:`objects` ("pick_up"); None when nothing is."""
        return self.program.action if isinstance(self.program, Command) else None

    @property
    def destination(self) -> Destination | None:
        """Where :attr:`objects` are to be taken; None when the text does not say."""
        program = self.program
        if not isinstance(program, CommandTo):
            return None
        step = next((s for s in self.trace if s.op == program.landmarks), None)
        if step is None or step.objects is None:
            return Destination(program.goal, ())
        if program.landmarks.returns is Kind.REFERENT:
            best, _ = max(self.scene.things(step.objects), key=lambda thing: thing[1])
            return Destination(program.goal, (best,))
        chosen = select_from_groups(step.objects, self.scene, self.procedure.threshold)
        return Destination(program.goal, chosen)

    @property
    def probabilities(self) -> Tensor:
        """[K] float32 in [0, 1], the probability of each of :attr:`objects` to be in the answer."""
        chosen = list(self.objects)
        if not chosen or self.outcome is None:
            return torch.zeros(0)
        everything = self.outcome.objects if self._claimed is None else self._claimed
        return torch.zeros(0) if everything is None else everything[chosen]

    @property
    def words(self) -> dict[str, Concept]:
        """The nouns of the program that are not simply categories, and the way to what they are."""
        nouns = (
            name
            for node in self.program.walk()
            for role, name in names_of(node)
            if role == "category"
        )
        concepts = self.scene.concepts
        return {noun: concepts[noun] for noun in dict.fromkeys(nouns) if noun in concepts}

    @cached_property
    def alignment(self) -> Alignment:
        """The [T, height, width] maps from words to pixels, made when first asked for."""
        from neurosym.alignment import align

        return align(self)

    @cached_property
    def reasons(self) -> Reasons:
        """What the answer depends on and what would change it, worked out when first asked for."""
        from neurosym.reasons import Reasons

        return Reasons(self)

    @property
    def atoms(self) -> Sequence[Atom]:
        """The single scores of the scene that the program can see."""
        return self.reasons.atoms

    def sensitivity(self, index: int | None = None) -> tuple[Sensitivity, ...]:
        """On which scores the answer depends most; see :meth:`Reasons.sensitivity`."""
        return self.reasons.sensitivity(index)

    def counterfactuals(self) -> Counterfactuals:
        """Which small changes of the program or of a score would change the answer."""
        return self.reasons.counterfactuals

    def explain(self) -> str:
        """Why this is the answer, in words."""
        from neurosym.views.explain import explain

        return explain(self)

    def picture(self) -> Image:
        """The answer and the per-word maps side by side."""
        from neurosym.views.overlay import picture

        return picture(self)

    def show(self) -> None:
        """Open :meth:`picture` in the system's image viewer."""
        self.picture().show()

    def report(self) -> str:
        """One HTML page, complete in itself, that links words, program, steps and pixels."""
        from neurosym.views.report import report

        return report(self)

    def save(self, path: str | Path) -> Path:
        """Write :meth:`report` (.html) or :meth:`picture` (any other suffix), atomically.

        Args:
            path: for example ``answer.html`` or ``answer.png``; the suffix names the format, and
                the folder must exist.

        Returns:
            The path.

        Raises:
            DataError: the suffix names no format, or the file cannot be written.
        """
        from neurosym.views.overlay import save_picture
        from neurosym.views.report import is_report, save_report

        path = Path(path)
        return save_report(self, path) if is_report(path) else save_picture(self.picture(), path)
