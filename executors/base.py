"""What every executor takes and gives."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar

from torch import Tensor

from neurosym.errors import ExecutionError, OperatorNotSupportedError, UnknownConceptError
from neurosym.program import Kind, Op
from neurosym.scene import Scene
from neurosym.span import Span

MAX_NODES = 400
"""Default bound on the number of nodes of a program."""
MAX_OBJECTS = 2000
"""Default bound on the number of objects of a scene."""
MAX_SECONDS = 30.0
"""Default bound on the time of one call."""


@dataclass(frozen=True)
class Step:
    """What one node of the program came to.

    Attributes:
        op: the node.
        objects: [N] float32, the probability of each object to be in the node's value and the
            node not to have failed; None for numbers and truths.
        number: [N + 1] float32, the probability of each count; None for other kinds.
        truth: the probability of yes; None for other kinds.
        none: probability that this node or one before it failed because there is none.
        many: probability that this node or one before it failed because there are many.
        exact: False when the closed form that gave the value is an approximation here.
        note: what a person should know of this step ("", or for example ""man" read as
            person").
    """

    op: Op
    objects: Tensor | None = None
    number: Tensor | None = None
    truth: float | None = None
    none: float = 0.0
    many: float = 0.0
    exact: bool = True
    note: str = ""


@dataclass(frozen=True)
class Outcome:
    """The value of a whole program on one scene.

    Objects and referents: ``objects`` with ``none`` and ``many``. For a referent the three sum
    to 1. For a set, ``none`` is the probability that the set is empty or that something that the
    program presupposes is missing. Numbers and truths: what is left to 1 is ``none`` and ``many``.

    Attributes:
        kind: the kind of the program.
        objects: [N] float32 marginal probabilities of being in the answer; None for others.
        number: [N + 1] float32, probability of each count; None for others.
        truth: probability of yes; None for others.
        none: probability that there is none.
        empty: the part of ``none`` in which nothing failed, but the answer is the empty set.
        many: probability that a definite has several candidates.
        exact: whether every step was exact.
        unexplored: probability mass of the worlds that were left out to keep within bounds; the
            other numbers are renormalised without it.
        error: standard error of the numbers when they are a mean over sampled worlds, else 0.
        steps: every node's value in order of evaluation, the root last. Executors that evaluate
            equal nodes once list them once.
    """

    kind: Kind
    objects: Tensor | None = None
    number: Tensor | None = None
    truth: float | None = None
    none: float = 0.0
    many: float = 0.0
    empty: float = 0.0
    exact: bool = True
    unexplored: float = 0.0
    error: float = 0.0
    steps: tuple[Step, ...] = ()


@contextmanager
def located(op: Op) -> Iterator[None]:
    """Report a name that is unknown inside with the words of the node that names it."""
    try:
        yield
    except UnknownConceptError as error:
        error.span = error.span or Span.cover(op.words)
        raise


class Deadline:
    """The end of the time that a call may take.

    Args:
        seconds: from now.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def passed(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() > self._end

    def check(self) -> None:
        """Raise ExecutionError when the time is up."""
        if self.passed:
            raise ExecutionError(
                f"execution took longer than seconds={self.seconds:g}: "
                "give the executor more, or ask something smaller"
            )


class Executor(ABC):
    """Runs programs on scenes. An executor has one rule for each operator, in ``rules``.

    Args:
        max_nodes: bound on the size of a program.
        max_objects: bound on the size of a scene.
        seconds: bound on the time of one call of :meth:`run` or :meth:`run_many`.
    """

    name: ClassVar[str]
    rules: ClassVar[Mapping[type[Op], Callable[..., Any]]]

    def __init__(
        self,
        *,
        max_nodes: int = MAX_NODES,
        max_objects: int = MAX_OBJECTS,
        seconds: float = MAX_SECONDS,
    ) -> None:
        self.max_nodes = max_nodes
        self.max_objects = max_objects
        self.seconds = seconds

    @abstractmethod
    def run_many(self, programs: Sequence[Op], scenes: Sequence[Scene]) -> list[Outcome]:
        """Run program k on scene k, for every k.

        Raises:
            UnknownConceptError: a program names what its scene does not have.
            ExecutionError: a bound is exceeded, or the lengths differ.
        """

    def run(self, program: Op, scene: Scene) -> Outcome:
        """Run one program on one scene; raises what :meth:`run_many` raises."""
        return self.run_many([program], [scene])[0]

    def rule(self, op: Op) -> Callable[..., Any]:
        """The rule for a node, or OperatorNotSupportedError."""
        found = self.rules.get(type(op))
        if found is None:
            raise OperatorNotSupportedError(op.name, self.name)
        return found

    def check(self, programs: Sequence[Op], scenes: Sequence[Scene]) -> None:
        """Raise ExecutionError unless everything lies within the bounds."""
        if len(programs) != len(scenes):
            raise ExecutionError(f"{len(programs)} programs but {len(scenes)} scenes")
        for program in programs:
            nodes = sum(1 for _ in islice(program.walk(), self.max_nodes + 1))
            if nodes > self.max_nodes:
                raise ExecutionError(f"the program has more than max_nodes={self.max_nodes} nodes")
        for scene in scenes:
            if len(scene) > self.max_objects:
                raise ExecutionError(
                    f"the scene has {len(scene)} objects, more than max_objects={self.max_objects}"
                )
