"""How many queries a second each executor answers, side by side in one run."""

from __future__ import annotations

import time
from typing import Any

import torch

from benchmarks.scenes import random_scene, two_hops
from neurosym.executors.base import Executor
from neurosym.executors.reference import ReferenceExecutor
from neurosym.executors.tensor import TensorExecutor
from neurosym.program import Op
from neurosym.scene import Scene

SCENES = 20


def measure(seconds: float = 2.0) -> list[dict[str, Any]]:
    """The rows of the executor table.

    Two-hop programs with three filters over boxes at random places; every executor answers the
    same programs on the same scenes, on one thread: a second one mostly measures what else the
    machine is doing.

    Args:
        seconds: least time to spend on a row.
    """
    rows = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for objects in (10, 100):
        for soft in (False, True):
            scenes = [random_scene(objects, seed, soft=soft) for seed in range(SCENES)]
            for name, executor, batch in _executors(soft):
                programs = [two_hops(seed) for seed in range(batch)]
                chosen = [scenes[n % SCENES] for n in range(batch)]
                rate, answered = _rate(executor, programs, chosen, seconds)
                rows.append(
                    {
                        "objects": objects,
                        "scene": "soft" if soft else "crisp",
                        "executor": name,
                        "batch": batch,
                        "queries_per_second": round(rate, 1),
                        "queries": answered,
                        "threads": torch.get_num_threads(),
                    }
                )
    torch.set_num_threads(threads)
    for row in rows:
        first = next(
            other
            for other in rows
            if (other["objects"], other["scene"]) == (row["objects"], row["scene"])
        )
        row["ratio"] = round(row["queries_per_second"] / first["queries_per_second"], 2)
    return rows


def _executors(soft: bool) -> list[tuple[str, Executor, int]]:
    tensor: Executor = TensorExecutor(trace=False)
    rows: list[tuple[str, Executor, int]] = [] if soft else [("reference", ReferenceExecutor(), 20)]
    rows += [("tensor", tensor, 1), ("tensor", tensor, 100 if soft else 1000)]
    return rows


def _rate(
    executor: Executor, programs: list[Op], scenes: list[Scene], seconds: float
) -> tuple[float, int]:
    executor.run_many(programs, scenes)
    answered, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        executor.run_many(programs, scenes)
        answered += len(programs)
    return answered / (time.perf_counter() - start), answered
