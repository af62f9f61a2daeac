"""The shortest expression for an object of a scene, read back before it is given."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import Literal

from neurosym.errors import NeurosymError, OptionError
from neurosym.executors.base import Executor
from neurosym.executors.world import world_of
from neurosym.generation.facts import Facts, members
from neurosym.generation.language import Bounds
from neurosym.generation.search import Search
from neurosym.grammar import Parser
from neurosym.program import Op
from neurosym.scene import Scene
from neurosym.views.verbalise import verbalise

THRESHOLD = 0.5
"""Default probability from which on an expression for an object of an uncertain scene is given."""
CERTAIN = 1 - 1e-5
"""A probability that rounding in float32 makes of 1."""
COMPARED = 24
"""How many expressions are compared by their probabilities in an uncertain scene."""

Why = Literal["found", "absent", "alike", "bounds", "unread", "uncertain"]


@dataclass(frozen=True)
class Description:
    """An expression for one object, or why there is none.

    Attributes:
        index: the object.
        why: "found"; "absent" when the object does not exist in the likeliest world; "alike" when
            another object cannot be told from it by anything that the scene knows; "bounds" when
            no expression within the bounds picks it out; "unread" when some do, but none that was
            tried is read back as it was meant; "uncertain" when no expression is likely enough to
            mean it.
        text: the expression; empty when there is none.
        program: what it means, as it was read back; None when there is no expression.
        probability: that the text means this object: P(the = object); 0 when there is none.
        reason: one line for people on why there is none; empty when there is one.
    """

    index: int
    why: Why
    text: str = ""
    program: Op | None = None
    probability: float = 0.0
    reason: str = ""

    @property
    def found(self) -> bool:
        """Whether there is an expression."""
        return self.why == "found"

    @property
    def words(self) -> int:
        """How many words it has."""
        return len(self.text.split())

    def __str__(self) -> str:
        return self.text or self.reason


class Describer:
    """Describes the objects of one scene; see :mod:`neurosym.generation.language`.

    Every expression is parsed and executed before it is given, and must come to its object. In a
    crisp scene it does so with certainty. In an uncertain one the expressions for the object in
    the likeliest world are compared: the one that means it with the highest probability is given,
    the shortest of those that agree in two decimals.

    Args:
        scene: the scene. What can be read off its picture is read off first.
        parser: reads texts back.
        executor: runs them.
        bounds: how far to search; the default ones when left out.
        threshold: least probability in an uncertain scene, in (0, 1].

    Raises:
        OptionError: the threshold is out of range.
    """

    def __init__(
        self,
        scene: Scene,
        parser: Parser,
        executor: Executor,
        *,
        bounds: Bounds | None = None,
        threshold: float = THRESHOLD,
    ) -> None:
        if not 0 < threshold <= 1:
            raise OptionError(f"threshold must lie in (0, 1], not {threshold}")
        for name in scene.attributes:
            scene = scene.observe(name, range(len(scene)))
        likeliest = scene if scene.is_crisp else scene.most_likely()
        self.scene = scene
        self._parser = parser
        self._executor = executor
        self._threshold = threshold
        self._bounds = bounds or Bounds()
        self._facts = Facts.of(likeliest, world_of(likeliest))
        self._search = Search(self._facts, self._bounds)

    def describe(self, index: int) -> Description:
        """The shortest expression that picks out one object, or why there is none.

        Args:
            index: the object's number.

        Raises:
            OptionError: there is no such object.
        """
        count = len(self.scene)
        if not 0 <= index < count:
            known = f"from 0 to {count - 1}" if count else "but there is none"
            raise OptionError(f"the object must be a number of this scene's objects, {known}")
        if not self._facts.existing >> index & 1:
            reason = f"object {index} does not exist, as far as is known"
            return Description(index, "absent", reason=reason)
        tried, best = 0, Description(index, "bounds")
        for text in islice(self._texts(index), self._bounds.tried):
            tried += 1
            found = self._read_back(text, index)
            if found is None:
                continue
            if self.scene.is_crisp:
                return found
            if round(found.probability, 2) > round(best.probability, 2):
                best = found
            if tried >= COMPARED or round(best.probability, 2) >= 1:
                break
        if best.probability >= self._threshold:
            return best
        return self._none(index, tried, best.probability)

    def _texts(self, index: int) -> Iterator[str]:
        """The expressions in words, fewest first, each once."""
        waiting: list[tuple[int, int, int, str]] = []
        number = count()
        seen: set[str] = set()
        for expression in self._search.expressions(index):
            # What is put into words has at least as many as were counted before.
            while waiting and waiting[0][0] < expression.cost.words:
                yield heapq.heappop(waiting)[-1]
            text = verbalise(expression.program())
            words = len(text.split())
            if text not in seen and words <= self._bounds.words:
                seen.add(text)
                heapq.heappush(waiting, (words, expression.cost.effort, next(number), text))
        while waiting:
            yield heapq.heappop(waiting)[-1]

    def _read_back(self, text: str, index: int) -> Description | None:
        """What a text means; None when it is not this object, or when not all of it counts."""
        try:
            parse = self._parser.parse(text)
            outcome = self._executor.run(parse.program, self.scene)
        except NeurosymError:
            return None
        understood = not (parse.readings[0].guessed or parse.repairs or parse.unused)
        if not understood or outcome.objects is None:
            return None
        probability = float(outcome.objects[index])
        alone = probability >= CERTAIN and float(outcome.objects.sum()) <= 2 - CERTAIN
        if self.scene.is_crisp and not alone:
            return None
        return Description(index, "found", text, parse.program, min(probability, 1.0))

    def _none(self, index: int, tried: int, probability: float) -> Description:
        if probability > 0:
            share = f"{probability:.2f}"
            reason = f"the best of {tried} expressions means it with a probability of {share}"
            return Description(index, "uncertain", reason=reason)
        if tried:
            reason = f"{tried} expressions hold of it alone, but none is read back as it was meant"
            return Description(index, "unread", reason=reason)
        for other in members(self._facts.existing & ~(1 << index)):
            if self._facts.alike(index, other):
                reason = f"object {other} is the same in everything that the scene knows"
                return Description(index, "alike", reason=reason)
        reason = "nothing that can be said within the bounds holds of this object alone"
        return Description(index, "bounds", reason=reason)
