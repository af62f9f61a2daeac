"""Peak memory and pace of many images: python -m benchmarks.many_images FOLDER.

200 pictures are made of the photographs in the folder, whole, mirrored and cropped, 640 x 480. Each
way of perceiving them runs in a process of its own, so that the peak is its own; the paces mean
something side by side only.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from PIL import Image

from neurosym.api import Grounder
from neurosym.perception.many import images_in
from neurosym.scene import Scene

PICTURES = 200
WAYS = ("one by one", "batch 1", "batch 4", "batch 8", "kept in a list", "cache new", "cache")
SIZE = 640, 480


def pictures(photographs: Path, folder: Path) -> None:
    sources = images_in(photographs)
    for number in range(PICTURES):
        turn, source = divmod(number, len(sources))
        with Image.open(sources[source]) as image:
            crop = image.convert("RGB").crop(
                (8 * turn, 8 * turn, image.width - 8 * turn, image.height - 8 * turn)
            )
            if turn % 2:
                crop = crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            crop.resize(SIZE).save(folder / f"{number}.jpg", quality=92)


def scenes(way: str, folder: Path, cache: Path) -> Iterator[Scene]:
    paths = images_in(folder)
    if way == "one by one":
        grounder = Grounder()
        return (grounder.perceive(path) for path in paths)
    if way == "kept in a list":
        return iter(list(Grounder().perceive_many(paths)))
    if way.startswith("cache"):
        return Grounder(cache=cache).perceive_many(paths)
    return Grounder().perceive_many(paths, batch=int(way.rpartition(" ")[2]))


def run(way: str, folder: Path, cache: Path) -> dict[str, object]:
    torch.set_num_threads(1)
    # Models are loaded, and the first image has been seen, before the clock starts.
    warm = Grounder()
    warm.perceive(images_in(folder)[0])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start, spent, objects = time.perf_counter(), time.process_time(), 0
    for scene in scenes(way, folder, cache):
        objects += len(scene)
    seconds, spent = time.perf_counter() - start, time.process_time() - spent
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "way": way,
        "objects": objects,
        "images/s": round(PICTURES / seconds, 2),
        "core s/image": round(spent / PICTURES, 3),
        "peak MiB": round(peak),
        "of these before": round(before),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="photographs")
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("--cache", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.way:
        print(json.dumps(run(given.way, given.folder, given.cache)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder, cache = Path(scratch, "pictures"), Path(scratch, "cache")
        folder.mkdir()
        pictures(given.folder, folder)
        for way in WAYS:
            command = [sys.executable, "-m", "benchmarks.many_images", str(folder)]
            command += ["--way", way, "--cache", str(cache)]
            print(
                subprocess.run(command, check=True, capture_output=True, text=True).stdout, end=""
            )
        size = sum(path.stat().st_size for path in cache.rglob("*") if path.is_file())
        print(f"{size / PICTURES / 1e3:.0f} kB an entry")


if __name__ == "__main__":
    main()
