"""How long each stage takes on the demonstration photograph."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import Any

from neurosym.api import Grounder
from neurosym.demo import EXPRESSION, photograph

REPEATS = 5


def measure() -> list[dict[str, Any]]:
    """The rows of the end-to-end table; medians of 5 where a stage can be repeated."""
    rows: list[dict[str, Any]] = []

    def once(stage: str, action: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        value = action()
        rows.append({"stage": stage, "seconds": round(time.perf_counter() - start, 4)})
        return value

    def median(stage: str, action: Callable[[], Any]) -> None:
        times = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            action()
            times.append(time.perf_counter() - start)
        rows.append({"stage": stage, "seconds": round(sorted(times)[REPEATS // 2], 4)})

    photo = photograph()
    grounder = once("load the language pipeline", Grounder.default)
    once("parse, first of its form", lambda: grounder.parse(EXPRESSION))
    median("parse, form seen before", lambda: grounder.parse(EXPRESSION))
    scene = once("load the detector and perceive", lambda: grounder.perceive(photo))
    median("perceive (boxes, geometry)", lambda: grounder.perceive(photo))
    once("load the segmenter, encode, first mask", lambda: scene.masks([0]))
    again = grounder.perceive(photo)
    once("encode another image, first mask", lambda: again.masks([0]))
    once("eight more masks", lambda: again.masks(range(1, 9)))
    result = once("ground an expression", lambda: grounder.ground(again, EXPRESSION))
    median("ground it again", lambda: grounder.ground(again, EXPRESSION))
    once("alignment maps", lambda: result.alignment.maps)
    median("picture", result.picture)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows.append({"stage": "peak memory of the process, MiB", "megabytes": round(peak)})
    return rows
