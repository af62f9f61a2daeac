"""How fast texts are parsed: ``python -m benchmarks.parse_speed --data DIR``.

Process time of one core. Five tables: new sentence patterns one by one; batches with and without a
tagger, on unseen texts after others and from nothing; the tagger alone; whether both routes and the
parser by itself come to the same programs; and texts of 200 words. Without ``--data`` (a folder
with CLEVR-Ref+ expressions and other corpora, open part only) texts are composed from a few words.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch

from neurosym.datasets.split import part_of
from neurosym.errors import NeurosymError
from neurosym.grammar import Parser
from neurosym.grammar.parse import BATCH
from neurosym.grammar.readings import Foreseen, Parse
from neurosym.models.store import path_of

SEED = 20261120
COLD = 400
"""New texts that are parsed one by one."""
LONG = {
    "one phrase in another": "the cup" + " on the table" * 66,
    "80 units": "the cup" + " on the table" * 26,
    "one after another": "the cup" + " and the red plate" * 49,
    "words that are not listed": "the blorf" + " gribbled the snarf near a zibbet" * 33,
    "sentences": "There is a red cup on the table. The cup is next to a plate. " * 13,
    "pronouns": "There is a cup. It is red. " * 28,
}


def main() -> None:
    """Print the tables."""
    from benchmarks.run import table

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with clevr/, nlvr/ and refcoco/")
    parser.add_argument("--part", choices=("open", "closed"), default="open")
    parser.add_argument("--json", type=Path, help="file for the tables")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    tables = measure(arguments.data, arguments.part)
    for name, rows in tables.items():
        print(f"\n{name}\n{table(rows)}")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(tables, indent=2) + "\n", encoding="utf-8")


def measure(data: Path | None = None, part: str = "open") -> dict[str, list[dict[str, Any]]]:
    """The tables by name.

    Args:
        data: a folder with corpora; composed texts when left out.
        part: which part of the corpora.
    """
    pipeline = path_of("en-core-web-sm")
    parser = Parser(pipeline)
    mixed, before, batch = composed(COLD, SEED + 1), [], composed(2000, SEED)
    if data is not None:
        mixed, batch = mixture(data, part), expressions(data, part)
        # Other scenes' expressions; those of a closed part come after all of the open part.
        before = expressions(data, "open", "image_refexps.json")
        before += expressions(data, "open") if part != "open" else []
    random.Random(SEED).shuffle(batch)
    if data is None or part == "open":
        before, unseen = before + batch[::2], batch[1::2]
    else:
        unseen = batch
    for text in composed(200, SEED + 2):
        _parsed(parser, text)
    # What is loaded stays: collections need not look through it.
    gc.collect()
    gc.freeze()
    cold = one_by_one(parser, mixed)
    routes: list[dict[str, Any]] = []
    programs: list[list[str]] = []
    for tag_all in (False, True):
        route = {"route": "all tagged" if tag_all else "lexicon"}
        fresh = Parser(pipeline)
        row, _ = in_batches(fresh, before, tag_all=tag_all)
        routes.append(route | {"when": "others, from nothing"} | row)
        row, found = in_batches(fresh, unseen, tag_all=tag_all)
        routes.append(route | {"when": "unseen, after them"} | row)
        row, _ = in_batches(fresh, unseen, tag_all=tag_all)
        routes.append(route | {"when": "the same again"} | row)
        programs.append(found)
    alone = [_parsed(parser, text) for text in unseen]
    programs.append([str(each.program if isinstance(each, Parse) else None) for each in alone])
    same = sum(len(set(each)) == 1 for each in zip(*programs, strict=True))
    return {
        "new patterns, one by one": [cold],
        "batches": routes,
        "tagger alone": [tagger(parser, unseen)],
        "same programs on both routes and one by one": [{"texts": len(unseen), "same": same}],
        "200 words": [long_text(parser, name, text) for name, text in LONG.items()],
    }


def tagger(parser: Parser, texts: list[str]) -> dict[str, Any]:
    """Texts a second through spaCy alone."""
    pairs = [(text, ()) for text in texts]
    taken, _ = _timed(lambda: list(parser.tokenizer.pipe(pairs, BATCH)))
    return {"texts": len(texts), "texts/s": round(len(texts) / taken)}


def one_by_one(parser: Parser, texts: list[str]) -> dict[str, Any]:
    """Milliseconds for texts whose patterns the parser has not met."""
    seconds = []
    known = parser._syntax._derive.cache_info
    for text in texts:
        before = known().misses
        start = time.process_time()
        _parsed(parser, text)
        taken = time.process_time() - start
        if known().misses > before:
            seconds.append(taken)
    ordered = sorted(seconds)
    return {
        "texts": len(texts),
        "new patterns": len(seconds),
        "median ms": round(1e3 * statistics.median(ordered), 2),
        "95 % ms": round(1e3 * ordered[int(0.95 * len(ordered))], 2),
    }


def in_batches(
    parser: Parser, texts: list[str], *, tag_all: bool
) -> tuple[dict[str, Any], list[str]]:
    """Texts a second, and the best programs."""
    programs: list[object] = []
    tagged = words = tagged_words = failed = filled_in = 0

    def run() -> None:
        nonlocal tagged, words, tagged_words, failed, filled_in
        for text, found in zip(texts, parser.pipe(texts, tag_all=tag_all), strict=True):
            programs.append(found.program if isinstance(found, Parse) else None)
            seen = not isinstance(found, Parse) or found.tagged
            count = len(text.split())
            failed += not isinstance(found, Parse)
            filled_in += isinstance(found, Parse) and isinstance(found.readings, Foreseen)
            tagged += seen
            words += count
            tagged_words += count if seen else 0

    taken, _ = _timed(run)
    row = {
        "texts": len(texts),
        "texts/s": round(len(texts) / taken),
        "tagged texts %": round(100 * tagged / len(texts), 1),
        "words in them %": round(100 * tagged_words / words, 1),
        "by template %": round(100 * filled_in / len(texts), 1),
        "refused": failed,
    }
    return row, [str(program) for program in programs]


def long_text(parser: Parser, name: str, text: str) -> dict[str, Any]:
    """Seconds for one long text, and what became of it."""
    taken, found = _timed(lambda: _parsed(parser, text))
    result = f"{len(found.readings)} readings" if isinstance(found, Parse) else found.message
    return {
        "text": name,
        "words": len(text.split()),
        "seconds": round(taken, 2),
        "result": result[:60],
    }


def expressions(data: Path, part: str, file: str = "refexps.json") -> list[str]:
    """The CLEVR-Ref+ expressions of a file."""
    items = json.loads((data / "clevr" / file).read_text("utf-8"))["refexps"]
    return [item["refexp"] for item in items if part_of(item["image_filename"]) == part]


def mixture(data: Path, part: str) -> list[str]:
    """Questions, judgements and expressions by people, as many of each, drawn by seed."""
    questions = json.loads((data / "clevr/questions.json").read_text("utf-8"))["questions"]
    judged = (data / "nlvr/dev.json").read_text("utf-8").splitlines()
    sentences = [json.loads(line) for line in judged]
    kinds = [
        [item["question"] for item in questions if part_of(item["image_filename"]) == part],
        [s["sentence"] for s in sentences if part_of(s["identifier"].split("-")[0]) == part],
        expressions(data, part),
    ]
    for name in ("refcoco", "refcocog", "refcocoplus"):
        items = json.loads((data / f"refcoco/{name}_val.json").read_text("utf-8"))
        kinds.append(
            [i["sents"] for i in items if part_of(str(int(i["img_id"].split("_")[2]))) == part]
        )
    draw = random.Random(SEED)
    return [text for texts in kinds for text in _sample(draw, texts, COLD // len(kinds))]


def composed(count: int, seed: int) -> list[str]:
    """Expressions put together from words of the lexicon."""
    draw = random.Random(seed)

    def thing(depth: int) -> str:
        values = draw.sample(
            ["large", "red", "metal", "small", "blue", "rubber"], draw.randint(0, 2)
        )
        rank = draw.choice(["", "", "leftmost ", "second ", "largest "])
        noun = draw.choice(["cube", "sphere", "cylinder", "thing"])
        said = f"the {rank}{''.join(value + ' ' for value in values)}{noun}"
        if depth and draw.random() < 0.8:
            link = draw.choice(["left of", "that is behind", "next to", "of the same color as"])
            said += f" {link} {thing(depth - 1)}"
        return said

    return [thing(3) for _ in range(count)]


def _sample(draw: random.Random, texts: Iterable[str], count: int) -> list[str]:
    different = sorted(set(texts))
    return draw.sample(different, min(count, len(different)))


def _parsed(parser: Parser, text: str) -> Parse | NeurosymError:
    try:
        return parser.parse(text)
    except NeurosymError as error:
        return error


def _timed(run: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = run()
    return time.process_time() - start, result


if __name__ == "__main__":
    main()
