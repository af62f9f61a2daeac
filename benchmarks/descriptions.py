"""Shortest expressions for objects of CLEVR's gold scenes, and whether they are read back.

    python -m benchmarks.descriptions FOLDER [--objects N] [--seed S] [--json FILE]

FOLDER holds CLEVR's ``scenes.json`` and ``masks.json``. N objects are drawn from the scenes of the
open part, described (:mod:`neurosym.generation`), and each text is parsed and executed once more by
a parser and an executor of their own. Time is this process' own.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import torch

from neurosym.datasets.clevr import read_scenes
from neurosym.datasets.split import part_of
from neurosym.executors.reference import ReferenceExecutor
from neurosym.files import write_atomically
from neurosym.generation.describe import Describer
from neurosym.grammar import Parser
from neurosym.scene import Scene


def measure(folder: Path, count: int, seed: int) -> dict[str, Any]:
    """The figures, ready for JSON; shares in [0, 1], seconds per object."""
    from neurosym.api import find_pipeline

    parser, executor = Parser(find_pipeline()), ReferenceExecutor()
    judge, judging = Parser(find_pipeline()), ReferenceExecutor()
    scenes = [
        scene
        for scene in read_scenes(folder / "scenes.json").values()
        if part_of(scene.provenance["image"]) == "open"
    ]
    objects = [(scene, index) for scene in scenes for index in range(len(scene))]
    drawn = random.Random(seed).sample(objects, min(count, len(objects)))
    endings: Counter[str] = Counter()
    words, seconds, verified = [], [], 0
    for scene, index in drawn:
        start = time.process_time()
        found = Describer(scene, parser, executor).describe(index)
        seconds.append(time.process_time() - start)
        endings[found.why] += 1
        if found.found:
            words.append(found.words)
            verified += _means(found.text, scene, judge, judging) == [index]
    return {
        "objects": len(drawn),
        "seed": seed,
        "with_an_expression": len(words) / len(drawn),
        "verified_of_those": verified / len(words) if words else None,
        "words_mean": sum(words) / len(words) if words else None,
        "words_most": max(words, default=None),
        "without": {why: number for why, number in endings.items() if why != "found"},
        "seconds_median": sorted(seconds)[len(seconds) // 2],
        "seconds_most": max(seconds),
    }


def _means(text: str, scene: Scene, parser: Parser, executor: ReferenceExecutor) -> list[int]:
    objects = executor.run(parser.parse(text).program, scene).objects
    return [] if objects is None else [int(i) for i in objects.nonzero().flatten()]


def main() -> None:
    """Print the figures, and write them where they are wanted."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", metavar="FOLDER", type=Path)
    options.add_argument("--objects", type=int, default=200)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--json", type=Path, help="write the figures here")
    arguments = options.parse_args()
    torch.set_num_threads(1)
    figures = measure(arguments.folder, arguments.objects, arguments.seed)
    print(json.dumps(figures, indent=2))
    if arguments.json is not None:
        write_atomically(arguments.json, json.dumps(figures, indent=2).encode())


if __name__ == "__main__":
    main()
