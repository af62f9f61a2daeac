"""What is judged, and how a case can end."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from neurosym.program import Kind

if TYPE_CHECKING:
    from neurosym.api import Grounder
    from neurosym.grammar import Parse
    from neurosym.result import Result
    from neurosym.scene import Scene

Answer: TypeAlias = "bool | int | str | frozenset[int]"
"""A truth, a count, the name of a value, or the numbers of objects."""


class Ending(enum.Enum):
    """How a case ended; every judged case ends in exactly one way, and only one of them is right.

    Also the order in which endings are shown.
    """

    RIGHT = "right"
    WRONG = "wrong"
    NONE = "none"
    """What the text presupposes is not there."""
    MANY = "many"
    """What the text presupposes to be one is several."""
    WRONG_TYPE = "wrong type"
    """The program answers another kind of question than the gold does."""
    UNSUPPORTED = "unsupported"
    """The scene has no such category, attribute or relation."""
    REFUSED = "not parsed"
    EXECUTION_ERROR = "execution error"
    TIMEOUT = "timeout"
    INTERNAL_ERROR = "internal error"
    """Something was raised that is no error of ours: a defect."""
    UNJUDGED = "not judged"
    """There is no gold: the case counts for coverage only, and in no denominator but that."""


@dataclass(frozen=True)
class Verdict:
    """What became of a case whose texts were all parsed.

    Attributes:
        ending: how it ended.
        expected: the gold, as JSON has it.
        got: the answer, as JSON has it; None when there is none.
        programs: the programs that were judged, in the order of the texts; those of the best
            readings when left out.
        trace: the steps of the execution, as :func:`neurosym.views.document.trace_document`
            lists them.
        message: why there is no answer.
        scores: figures by name, in the case's ``score_names``; higher is better.
    """

    ending: Ending
    expected: Any = None
    got: Any = None
    programs: tuple[str, ...] = ()
    trace: tuple[Mapping[str, Any], ...] = ()
    message: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Case(ABC):
    """One thing to get right.

    Attributes:
        key: unique in its corpus, the same on every machine.
        split_key: decides whether the case is open or closed
            (:func:`neurosym.datasets.split.part_of`).
        texts: what is parsed; all must parse, or the case ends as refused.
        group: cases of one group are consistent when all of them are right; "" for none.
        family: the kind of case that it is; "" for none.
        judged: False where there is no gold, so that the case counts for coverage only.
        score_names: the names of the verdict's scores.
    """

    key: str
    split_key: str
    texts: tuple[str, ...]
    group: str = ""
    family: str = ""
    judged: bool = True
    score_names: tuple[str, ...] = ()

    @abstractmethod
    def judge(self, parses: tuple[Parse, ...], grounder: Grounder) -> Verdict:
        """Hold the parses of the texts against the gold.

        Not called for cases that are not judged.

        Args:
            parses: of the texts, in order.
            grounder: runs programs by the reference executor.

        Raises:
            NeurosymError: counted as an execution error.
        """

    def baselines(self) -> Mapping[str, float]:
        """Scores by name of what does not read the text; of judged cases."""
        return {}


@dataclass(frozen=True, kw_only=True)
class SceneCase(Case):
    """A text about a gold scene with a gold answer.

    Attributes:
        scene: makes the scene.
        expected: the gold, as JSON has it.
        kinds: what a program of this text may return; anything else is of the wrong type.
        is_right: whether an answer is the gold one.
    """

    scene: Callable[[], Scene]
    expected: Any
    kinds: tuple[Kind, ...]
    is_right: Callable[[Answer], bool]

    def judge(self, parses: tuple[Parse, ...], grounder: Grounder) -> Verdict:
        """See :meth:`Case.judge`; the scene decides between readings, as it does for users."""
        from neurosym.views.document import trace_document

        (parse,) = parses
        result = grounder.ground(self.scene(), parse)
        answer = answer_of(result)
        if result.status == "unsupported":
            ending = Ending.UNSUPPORTED
        elif result.program.returns not in self.kinds:
            ending = Ending.WRONG_TYPE
        elif answer is None:
            ending = Ending.MANY if result.status == "many" else Ending.NONE
        else:
            ending = Ending.RIGHT if self.is_right(answer) else Ending.WRONG
        return Verdict(
            ending,
            expected=self.expected,
            got=sorted(answer) if isinstance(answer, frozenset) else answer,
            programs=(str(result.program),),
            trace=tuple(trace_document(result)),
            message=result.message,
        )


OBJECT_KINDS = tuple(kind for kind in Kind if kind.is_of_objects)
"""What a program may return where objects are asked for."""


def answer_of(result: Result) -> Answer | None:
    """What a result says; None when something presupposed is not as it should be.

    An empty set is an answer, though its status is "none".
    """
    outcome = result.outcome
    if outcome is None or outcome.none - outcome.empty > 0.5 or outcome.many > 0.5:
        return None
    if outcome.kind.is_of_objects:
        return frozenset(result.objects)
    return result.answer
