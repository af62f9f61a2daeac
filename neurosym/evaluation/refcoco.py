"""RefCOCO and its relatives as cases: coverage of all, and places where they can be judged.

An expression is judged when it says where its object is and when there are other candidates. The
answer is the largest of the boxes that its words for places leave, and right when it overlaps
the gold box by half (:mod:`neurosym.datasets.refcoco`). Beside it stand the largest of all
candidates and one at random.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from neurosym.datasets.refcoco import (
    Box,
    Item,
    candidates,
    largest,
    located_part,
    overlap,
    read_items,
    scene_from_boxes,
)
from neurosym.evaluation.cases import Case, Ending, Verdict

if TYPE_CHECKING:
    from neurosym.api import Grounder
    from neurosym.grammar import Parse

SEED = 0
"""Of the random baseline."""
SURE = 0.5
"""Probability from which on a candidate is in an answer."""
RIGHT_FROM = 0.5
"""IoU with the gold box from which on a box is right."""


@dataclass(frozen=True, kw_only=True)
class PlaceCase(Case):
    """An expression, with the boxes that it may mean.

    Attributes:
        item: the expression and its gold box.
        boxes: the candidates.
    """

    item: Item
    boxes: tuple[Box, ...]

    def judge(self, parses: tuple[Parse, ...], grounder: Grounder) -> Verdict:
        """See :meth:`neurosym.evaluation.cases.Case.judge`."""
        scene = scene_from_boxes(self.boxes, self.item.size)
        best, said = None, parses[0].program
        # As for users, a reading that nothing fits gives way to the next one.
        for reading in parses[0].readings[: grounder.max_readings]:
            program = located_part(reading.program, scene)
            found = grounder.executor.run(program, scene).objects
            chosen = [] if found is None else (found > SURE).nonzero().flatten().tolist()
            if chosen:
                best, said = largest(self.boxes, chosen), reading.program
                break
        return Verdict(
            Ending.NONE if best is None else self._ending(best),
            expected=list(self.item.box),
            got=None if best is None else list(self.boxes[best]),
            programs=(str(said), str(located_part(said, scene))),
        )

    def baselines(self) -> Mapping[str, float]:
        """The largest candidate, and one at random."""
        drawn = random.Random(f"{SEED}/{self.key}").randrange(len(self.boxes))
        return {
            "always the largest": float(self._ending(largest(self.boxes)) is Ending.RIGHT),
            f"random, seed {SEED}": float(self._ending(drawn) is Ending.RIGHT),
        }

    def _ending(self, number: int) -> Ending:
        right = overlap(self.boxes[number], self.item.box) >= RIGHT_FROM
        return Ending.RIGHT if right else Ending.WRONG


def cases(paths: Sequence[Path]) -> Iterator[PlaceCase]:
    """One case for each expression; candidates are taken over all the files.

    Raises:
        DataError: a file is missing, or not of a released form.
    """
    files = {path: read_items(path) for path in paths}
    boxes = candidates(item for items in files.values() for item in items)
    for path, items in files.items():
        for item in items:
            around = boxes[item.photograph]
            yield PlaceCase(
                key=f"{path.stem}/{item.key}",
                split_key=str(item.photograph),
                texts=(item.text,),
                family=path.stem,
                judged=item.says_where and len(around) > 1,
                item=item,
                boxes=around,
            )
