"""Which reading of an ambiguous expression is taken: weights fitted on half of the annotated items.

    python -m benchmarks.readings [--json FILE]

The items are expressions with small scenes and the answer of a person who sees the scene, annotated
by the authors: ``tests/fixtures/readings/items.toml`` has them with its guideline. A hash of the
item says in which half it is. The weights of ``neurosym.reading`` are searched on a grid: the most
right answers on the fitted half, of equals the middle ones, so that what the items leave open is
not set by chance. Printed is the share of right answers on both halves, for the weights that are in
use, the fitted ones, language alone (the best reading by its score) and the scene alone (the
reading that succeeds best; of equals one is drawn).
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import math
import sys
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from neurosym.api import Grounder, find_pipeline
from neurosym.executors.base import Outcome
from neurosym.grammar import Parser, Reading
from neurosym.perception.given import Thing, scene_of
from neurosym.reading import WEIGHTS, Weights, success, utility
from neurosym.result import Result
from neurosym.scene import Scene

ITEMS = Path(__file__).parent.parent / "tests" / "fixtures" / "readings" / "items.toml"
SIZE = (600, 1000)
COLOURS = ("red", "green", "blue", "orange")
GRID = {
    "absent": (0.05, 0.1, 0.2, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7),
    "unsupported": (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5),
    "unchecked": (0.1, 0.2, 0.3, 0.5, 0.7, 1.0),
}


@dataclass(frozen=True)
class Item:
    """An expression, its scene, and the answer of a person.

    Attributes:
        text: the expression.
        scene: what there is to see.
        answer: the numbers of the objects that are meant, none of them when nothing is; or the
            answer to a question.
        fitted: whether it is in the half that weights are fitted on.
    """

    text: str
    scene: Scene
    answer: frozenset[int] | int | bool
    fitted: bool


@dataclass(frozen=True)
class Candidate:
    """A reading of an item, and what came of it.

    Attributes:
        reading: the reading.
        outcome: None where the scene has no word for something.
        unchecked: whether it says what the scene cannot tell.
        right: whether its answer is the person's.
    """

    reading: Reading
    outcome: Outcome | None
    unchecked: bool
    right: bool


def read_items(path: Path = ITEMS) -> list[Item]:
    """The annotated items."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    return [_item(entry, document["places"]) for entry in document["item"]]


def _item(entry: dict[str, Any], places: dict[str, list[float]]) -> Item:
    things = []
    for said in entry["there"].values():
        words, _, place = said.rpartition(",")
        colour, _, name = words.partition(" ")
        has_colour = colour in COLOURS and bool(name)
        category = (name if has_colour else words).strip('"')
        x1, y1, x2, y2 = places[place.strip()]
        attributes = {"color": colour} if has_colour else {}
        things.append(Thing(category, (x1, y1, x2, y2), attributes))
    answer = entry["answer"]
    if isinstance(answer, list):
        answer = frozenset(list(entry["there"]).index(name) for name in answer)
    key = f"{entry['text']} {entry['there']}"
    digest = hashlib.sha256(key.encode()).digest()
    return Item(entry["text"], scene_of(things, SIZE), answer, fitted=digest[0] % 2 == 0)


def candidates(item: Item, grounder: Grounder) -> list[Candidate]:
    """The readings of an item that are executed, best first."""
    parse = grounder.parser.parse(item.text, vocabulary=item.scene.categories.values)
    found = []
    for reading in parse.readings[: grounder.max_readings]:
        result = grounder.ground(item.scene, replace(parse, readings=(reading,)))
        answered = _is_right(result, item.answer)
        found.append(Candidate(reading, result.outcome, bool(result.unchecked), answered))
    return found


def _is_right(result: Result, answer: frozenset[int] | int | bool) -> bool:
    if not isinstance(answer, frozenset):
        return result.status == "ok" and result.answer == answer
    if not answer:
        return result.status in ("none", "unsupported")
    return result.status == "ok" and frozenset(result.objects) == answer


def weighed(weights: Weights) -> Callable[[Candidate], float]:
    """What speaks for a candidate with these weights."""
    return lambda candidate: utility(
        candidate.reading, candidate.outcome, weights, unchecked=candidate.unchecked
    )


def by_language(candidate: Candidate) -> float:
    """What speaks for a candidate by language alone."""
    return candidate.reading.score


def by_scene(candidate: Candidate) -> float:
    """What speaks for a candidate by the scene alone."""
    if candidate.outcome is None:
        return -1.0
    return success(candidate.outcome, candidate.reading.program)


def right(items: Sequence[Sequence[Candidate]], worth: Callable[[Candidate], float]) -> float:
    """How many items are answered right by the worthiest reading; of equals one is drawn."""
    total = 0.0
    for readings in items:
        most = max(map(worth, readings))
        best = [candidate.right for candidate in readings if worth(candidate) >= most - 1e-9]
        total += sum(best) / len(best)
    return total


def fit(items: Sequence[Sequence[Candidate]]) -> Weights:
    """The weights of the grid that do best on some items, and of equals the middle ones."""
    grid = [Weights(*values) for values in itertools.product(*GRID.values())]
    counts = [right(items, weighed(weights)) for weights in grid]
    best = [weights for weights, n in zip(grid, counts, strict=True) if n == max(counts)]

    middle = [sum(values) / len(best) for values in zip(*map(_logs, best), strict=True)]
    return min(best, key=lambda weights: math.dist(_logs(weights), middle))


def _logs(weights: Weights) -> tuple[float, ...]:
    return tuple(map(math.log, asdict(weights).values()))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the shares of right answers, and what is answered wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", metavar="FILE", type=Path)
    namespace = parser.parse_args(arguments)
    grounder = Grounder(None, Parser(find_pipeline()))
    items = read_items()
    read = [(item, candidates(item, grounder)) for item in items]
    halves = {
        "fitted": [readings for item, readings in read if item.fitted],
        "other": [readings for item, readings in read if not item.fitted],
    }
    fitted = fit(halves["fitted"])
    rows: dict[str, Callable[[Candidate], float]] = {
        "in use": weighed(WEIGHTS),
        "fitted": weighed(fitted),
        "language alone": by_language,
        "scene alone": by_scene,
    }
    told = {
        name: {half: [right(found, worth), len(found)] for half, found in halves.items()}
        for name, worth in rows.items()
    }
    several = sum(len({candidate.right for candidate in found}) > 1 for _, found in read)
    print(f"{len(items)} items; in {several} some readings are right and some are wrong")
    print(f"weights fitted on half: {fitted}; in use: {WEIGHTS}")
    for name, shares in told.items():
        said = ", ".join(f"{half} {n:.1f}/{of} ({n / of:.0%})" for half, (n, of) in shares.items())
        print(f"{name:<15} {said}")
    for item, found in read:
        if not max(found, key=weighed(WEIGHTS)).right:
            can = "can be right" if any(candidate.right for candidate in found) else "cannot"
            print(f"  wrong ({can}): {item.text}: {max(found, key=weighed(WEIGHTS)).reading}")
    if namespace.json is not None:
        document = {"shares": told, "fitted": asdict(fitted), "items": len(items)}
        namespace.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
