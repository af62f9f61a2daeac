"""Expressions on photographs with gold boxes: what is lost between language and pixels.

    python -m benchmarks.photographs FOLDER [--json FILE]

FOLDER holds ``images/`` and ``instances.json`` in COCO's style. From each photograph's gold boxes,
expressions and questions are made by rule (below); the gold answer is what the reference executor
says of the gold boxes as a crisp scene. The same text is then grounded from pixels alone. A
referent is right when its box overlaps the gold one by an IoU of at least 0.5, a set when the boxes
match one to one, an answer when it is equal. Every text that was made counts.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from neurosym.api import Grounder
from neurosym.evaluation.detection import categories_of
from neurosym.evaluation.photographs import read_album
from neurosym.executors.base import Outcome
from neurosym.executors.reference import ReferenceExecutor
from neurosym.perception.boxes import pairwise_iou
from neurosym.perception.given import Thing, scene_of
from neurosym.perception.picodet import coco_categories
from neurosym.program import Kind
from neurosym.result import Result
from neurosym.scene import Scene
from neurosym.views.words import plural_of

RIGHT_IOU = 0.5
PAIRS = 4
"""Most expressions with a relation made for one photograph."""


def gold_scenes(folder: Path) -> Iterator[tuple[Path, Scene]]:
    """The photographs that have things in them, with their gold boxes as crisp scenes."""
    for photograph in read_album(folder).photographs:
        gold = photograph.scene
        if len(gold) and not len(photograph.crowds):
            things = [
                Thing(name, (box[0], box[1], box[2], box[3]))
                for name, box in zip(categories_of(gold), gold.boxes.tolist(), strict=True)
            ]
            yield photograph.path, scene_of(things, gold.size)


def texts(scene: Scene, seed: int) -> list[tuple[str, str]]:
    """(family, text) made from the categories that a photograph has, and one that it lacks."""
    draw = random.Random(seed)
    best = scene.categories.probabilities.argmax(1).tolist()
    counts = Counter(scene.categories.values[i] for i in best)
    made: list[tuple[str, str]] = []
    for name, count in sorted(counts.items()):
        made.append(("count", f"how many {plural_of(name)} are there?"))
        made.append(("exist", f"is there a {name}?"))
        if count == 1:
            made.append(("definite", f"the {name}"))
        if count >= 2:
            made += [
                ("superlative", f"the {order} {name}")
                for order in ("leftmost", "rightmost", "largest", "smallest")
            ]
            made.append(("plural", f"all the {plural_of(name)}"))
            made.append(("except", f"all the {plural_of(name)} except the leftmost one"))
        if count >= 3:
            made.append(("ordinal", f"the second {name} from the left"))
            made.append(("ordinal", f"the second {name} from the right"))
    single = sorted(name for name, count in counts.items() if count == 1)
    pairs = [(a, b) for a in counts for b in single if a != b]
    for a, b in draw.sample(pairs, min(PAIRS, len(pairs))):
        side = draw.choice(("to the left of", "to the right of"))
        made.append(("relation", f"the {a} {side} the {b}"))
    absent = draw.choice([name for name in coco_categories() if name not in counts])
    made.append(("absent", f"the {absent}"))
    made.append(("absent", f"is there a {absent}?"))
    return made


def gold_answer(outcome: Outcome) -> tuple[str, Any]:
    """Status and answer of the reference: objects as a list, a count or a truth."""
    if outcome.none:
        return "none", None
    if outcome.many:
        return "many", None
    if outcome.kind is Kind.NUMBER and outcome.number is not None:
        return "ok", int(outcome.number.argmax())
    if outcome.kind is Kind.TRUTH:
        return "ok", bool(outcome.truth)
    if outcome.objects is None:
        raise AssertionError("a program of objects has objects")
    return "ok", outcome.objects.nonzero().flatten().tolist()


def is_right(result: Result, gold: Scene, status: str, answer: Any) -> bool:
    """Whether a result agrees with the gold answer."""
    if result.status != status:
        return False
    if status != "ok" or not isinstance(answer, list):
        return bool(result.answer == answer)
    return _matches(result.boxes.cpu(), gold.boxes[answer])


def _matches(found: Tensor, wanted: Tensor) -> bool:
    """Whether boxes [K, 4] match boxes [K, 4] one to one, greedily by overlap."""
    if len(found) != len(wanted):
        return False
    overlap = pairwise_iou(found, wanted)
    for _ in range(len(wanted)):
        best = int(overlap.argmax())
        row, column = divmod(best, len(wanted))
        if float(overlap[row, column]) < RIGHT_IOU:
            return False
        overlap[row], overlap[:, column] = -1, -1
    return True


def measure(folder: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The table by family, and every text with its verdict."""
    grounder = Grounder.default()
    reference = ReferenceExecutor()
    every = []
    for number, (path, gold) in enumerate(gold_scenes(folder)):
        scene = grounder.perceive(path)
        named = replace(gold.most_likely(), concepts=_usable(scene, gold))
        for family, text in texts(gold, number):
            parse = grounder.parse(text)
            if family == "absent":
                status, answer = ("ok", False) if text.startswith("is") else ("none", None)
            else:
                status, answer = gold_answer(reference.run(parse.program, named))
            result = grounder.ground(scene, parse)
            every.append(
                {
                    "image": path.name,
                    "family": family,
                    "text": text,
                    "gold": status if answer is None else answer,
                    "status": result.status,
                    "answer": result.answer if result.answer is not None else list(result.objects),
                    "right": is_right(result, gold, status, answer),
                }
            )
    rows = []
    for family in [*dict.fromkeys(e["family"] for e in every), "all"]:
        right = [e["right"] for e in every if family in (e["family"], "all")]
        rows.append(
            {
                "family": family,
                "texts": len(right),
                "right": sum(right),
                "accuracy": round(sum(right) / len(right), 3),
            }
        )
    return rows, every


def _usable(scene: Scene, gold: Scene) -> dict[str, Any]:
    """The concepts whose categories the gold scene has."""
    there = set(gold.categories.values)
    return {
        word: concept
        for word, concept in scene.concepts.items()
        if set(concept.categories) <= there and word not in there
    }


def main() -> None:
    """Print the table; write every text with ``--json``."""
    from benchmarks.run import table

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    rows, every = measure(arguments.folder)
    print(table(rows))
    if arguments.json:
        arguments.json.write_text("\n".join(json.dumps(e) for e in every) + "\n", "utf-8")


if __name__ == "__main__":
    main()
