"""What every executor takes and gives."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar

from torch import Tensor

from neurosym.errors import ExecutionError, OperatorNotSupportedError, UnknownConceptError
from neurosym.program import Kind, Op
from neurosym.program.operator import names_of
from neurosym.scene import Scene
from neurosym.span import Span

MAX_NODES = 400
"""Default bound on the number of nodes of a program."""
MAX_OBJECTS = 2000
"""Default bound on the number of objects of a scene."""
MAX_SECONDS = 30.0
"""Default bound on the time of one call."""


ROUNDING = 1e-6
"""A probability below this is what float32 left of an exact 0."""


@dataclass(frozen=True)
class Certificate:
    """Whether a value is the expectation over worlds, and if not, what stands in the way.

    Attributes:
        exact: whether the value is exact.
        shared: the nodes on whose uncertain atoms several parts of an approximate value depend
            although they were combined as if independent: a relation used twice, a set of
            landmarks that is uncertain in too many ways. Empty where worlds were sampled.
    """

    exact: bool = True
    shared: tuple[Op, ...] = ()

    @staticmethod
    def sum(parts: Iterable[Certificate]) -> Certificate:
        """The certificate of a whole: exact when every part is."""
        listed = tuple(parts)
        shared = dict.fromkeys(node for part in listed for node in part.shared)
        return Certificate(all(part.exact for part in listed), tuple(shared))


EXACT = Certificate()
"""The certificate of what is exact."""


@dataclass(frozen=True)
class Step:
    """What one node of the program came to.

    Attributes:
        op: the node.
        objects: [N] float32, the probability of each object to be in the node's value and the
            node not to have failed; None for numbers, truths and values.
        number: [N + 1] float32, the probability of each count; None for other kinds.
        truth: the probability of yes; None for other kinds.
        value: [V] float32, the probability of each of ``values``; None for other kinds.
        values: the names of the attribute's values.
        none: probability that this node or one before it failed because there is none.
        many: probability that this node or one before it failed because there are many.
        vacuous: of a quantifier, the probability that there is nothing of which it could hold
            or not hold.
        certificate: whether the value is exact, and what stands in the way.
        note: what a person should know of this step ("", or for example ""man" read as
            person").
    """

    op: Op
    objects: Tensor | None = None
    number: Tensor | None = None
    truth: float | None = None
    value: Tensor | None = None
    values: tuple[str, ...] = ()
    none: float = 0.0
    many: float = 0.0
    vacuous: float = 0.0
    certificate: Certificate = EXACT
    note: str = ""

    @property
    def exact(self) -> bool:
        """Whether the value is the expectation over worlds."""
        return self.certificate.exact


@dataclass(frozen=True)
class Differentiable:
    """The single numbers of an outcome as 0-dimensional tensors, which carry gradients.

    Attributes:
        none, many, empty: as in :class:`Outcome`.
        truth: None for kinds other than truths.
    """

    none: Tensor
    many: Tensor
    empty: Tensor
    truth: Tensor | None


@dataclass(frozen=True)
class Outcome:
    """The value of a whole program on one scene.

    Objects and referents: ``objects`` with ``none`` and ``many``; so for groups, regions and
    intents. For a referent the three sum to 1. For a set, ``none`` is the probability that the set
    is empty or that something that the program presupposes is missing. Numbers, truths and
    values: what is left to 1 is ``none`` and ``many``.

    Attributes:
        kind: the kind of the program.
        objects: [N] float32 marginal probabilities of being in the answer; None for others.
        number: [N + 1] float32, probability of each count; None for others.
        truth: probability of yes; None for others.
        value: [V] float32, the probability of each of ``values``; None for others.
        values: the names of the attribute's values.
        none: probability that there is none.
        empty: the part of ``none`` in which nothing failed, but the answer is the empty set.
        many: probability that a definite has several candidates.
        certificate: the sum of those of the steps.
        unexplored: probability mass of the worlds that were left out to keep within bounds; the
            other numbers are renormalised without it.
        error: standard error of the numbers when they are a mean over sampled worlds, else 0.
        steps: every node's value in order of evaluation, the root last. Executors that evaluate
            equal nodes once list them once.
        differentiable: the single numbers once more, where a table of the scene asks for
            gradients and the executor can give them; else None.
    """

    kind: Kind
    objects: Tensor | None = None
    number: Tensor | None = None
    truth: float | None = None
    value: Tensor | None = None
    values: tuple[str, ...] = ()
    none: float = 0.0
    many: float = 0.0
    empty: float = 0.0
    certificate: Certificate = EXACT
    unexplored: float = 0.0
    error: float = 0.0
    steps: tuple[Step, ...] = ()
    differentiable: Differentiable | None = None

    @property
    def exact(self) -> bool:
        """Whether every step was exact and no world was left out."""
        return self.certificate.exact and self.unexplored <= ROUNDING


def value_names(op: Op, scene: Scene) -> tuple[str, ...]:
    """The values among which a node of kind Value chooses: those of the attribute it names."""
    attribute = next(name for role, name in names_of(op) if role == "attribute")
    return scene.attribute(attribute).values


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
