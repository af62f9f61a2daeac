"""A WordNet of a few nouns and word vectors of a few pieces, in the files of the real ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Meaning:
    """A noun synset: its words, what it is a kind of, its lexicographer file, counts by word."""

    words: tuple[str, ...]
    kind_of: str = ""
    topic: int = 6
    gloss: str = "a thing"
    counts: tuple[int, ...] = ()
    instance: bool = False


MEANINGS: Mapping[str, Meaning] = {
    "entity": Meaning(("entity",), topic=3),
    "animal": Meaning(("animal", "beast"), "entity", 3),
    "dog": Meaning(("dog", "domestic_dog"), "animal", 5, "a barking animal", (40,)),
    "poodle": Meaning(("poodle",), "dog", 5, "a curly dog"),
    "cat": Meaning(("cat",), "animal", 5, "a purring animal", (9,)),
    "rodent": Meaning(("rodent",), "animal", 5),
    "mouse": Meaning(("mouse",), "rodent", 5, "a small animal with a tail", (1,)),
    "squirrel": Meaning(("squirrel",), "rodent", 5),
    "artifact": Meaning(("artifact",), "entity", 3),
    "device": Meaning(("device",), "artifact"),
    "computer device": Meaning(("peripheral",), "device"),
    "mouse device": Meaning(
        ("mouse", "computer_mouse"), "computer device", 6, "points at a screen"
    ),
    "keyboard": Meaning(("keyboard",), "computer device"),
    "vehicle": Meaning(("vehicle",), "artifact", 6, "it moves", (5,)),
    "car": Meaning(("car", "automobile"), "vehicle", 6, "it moves on wheels", (70, 10)),
    "railcar": Meaning(("car", "railcar"), "vehicle", 6, "it moves on rails", (2,)),
    "boat": Meaning(("boat",), "vehicle", 6, "it moves on water", (9,)),
    "roadster": Meaning(("roadster",), "car"),
    "person": Meaning(("person",), "entity", 3, "a human being", (90,)),
    "printer person": Meaning(("printer",), "person", 18, "one who prints"),
    "printer": Meaning(("printer",), "device", 6, "it prints"),
    "tourist": Meaning(("tourist",), "person", 18),
    "shade": Meaning(("shadow",), "state", 26),
    "state": Meaning(("state",), "entity", 26),
    "oven": Meaning(("oven",), "artifact"),
    "toast": Meaning(("toast",), "food", 13),
    "food": Meaning(("food",), "entity", 13),
    "Poodle the writer": Meaning(("Roadster",), "person", 18, instance=True),
}


def write_wordnet(folder: Path, meanings: Mapping[str, Meaning] = MEANINGS) -> Path:
    """The files of a WordNet that has these nouns only."""
    folder.mkdir(parents=True, exist_ok=True)
    licence = "  1 a licence\n  2 of two lines\n"
    below = {
        name: [n for n, m in meanings.items() if m.kind_of == name and not m.instance]
        for name in meanings
    }
    # Offsets have eight digits whatever they are, so the lines' lengths are known beforehand.
    offsets = dict.fromkeys(meanings, 0)
    for _ in range(2):
        lines, at = [], len(licence)
        for name, meaning in meanings.items():
            numbers = _numbers(meaning, meanings)
            lines.append(_data_line(offsets[name], meaning, below[name], offsets, numbers))
            offsets[name] = at
            at += len(lines[-1])
    text = licence + "".join(
        _data_line(offsets[n], m, below[n], offsets, _numbers(m, meanings))
        for n, m in meanings.items()
    )
    (folder / "data.noun").write_text(text, encoding="ascii")
    senses: dict[str, list[str]] = {}
    counts = []
    for name, meaning in meanings.items():
        numbers = _numbers(meaning, meanings)
        for number, word in enumerate(meaning.words):
            senses.setdefault(word.lower(), []).append(name)
            if number < len(meaning.counts):
                key = f"{word.lower()}%1:{meaning.topic:02d}:{numbers[number]:02d}::"
                counts.append(f"{key} {len(senses[word.lower()])} {meaning.counts[number]}\n")
    index = [
        f"{word} n {len(found)} 2 @ ~ {len(found)} 0 "
        + " ".join(f"{offsets[name]:08d}" for name in found)
        + "  \n"
        for word, found in sorted(senses.items())
    ]
    (folder / "index.noun").write_text(licence + "".join(index), encoding="ascii")
    (folder / "cntlist.rev").write_text("".join(sorted(counts)), encoding="ascii")
    (folder / "noun.exc").write_text("mice mouse\n", encoding="ascii")
    return folder


def _numbers(meaning: Meaning, meanings: Mapping[str, Meaning]) -> list[int]:
    """What tells a word in this meaning from the same word in others of the same file."""
    made = []
    for word in meaning.words:
        same = [m for m in meanings.values() if word in m.words and m.topic == meaning.topic]
        made.append(same.index(meaning))
    return made


def _data_line(
    offset: int,
    meaning: Meaning,
    below: Sequence[str],
    offsets: Mapping[str, int],
    numbers: Sequence[int],
) -> str:
    pairs = zip(meaning.words, numbers, strict=True)
    words = " ".join(f"{word} {number:x}" for word, number in pairs)
    up = "@i" if meaning.instance else "@"
    pointers = [f"{up} {offsets[meaning.kind_of]:08d} n 0000"] if meaning.kind_of else []
    pointers += [f"~ {offsets[name]:08d} n 0000" for name in below]
    return (
        f"{offset:08d} {meaning.topic:02d} n {len(meaning.words):02x} {words} "
        f'{len(pointers):03d} {" ".join(pointers)} | {meaning.gloss}; "an example"  \n'
    )


VECTORS: Mapping[str, tuple[float, ...]] = {
    "dog": (1.0, 0.0, 0.0),
    "doggo": (0.99, 0.1, 0.0),
    "cat": (0.6, 0.8, 0.0),
    "car": (0.0, 0.0, 1.0),
    "wheels": (0.0, 0.3, 0.9),
    "rails": (0.0, -0.9, 0.4),
    "moves": (0.1, 0.1, 0.1),
    "train": (0.0, -1.0, 0.1),
    "oven": (0.0, 1.0, 0.0),
    "toast": (0.0, 0.99, 0.05),
    "toaster": (0.0, 1.0, 0.02),
}


def write_vectors(folder: Path, vectors: Mapping[str, Sequence[float]] = VECTORS) -> Path:
    """The files of word vectors that know these words only."""
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    folder.mkdir(parents=True, exist_ok=True)
    pieces = {"[UNK]": 0, **{word: number for number, word in enumerate(vectors, start=1)}}
    tokenizer = Tokenizer(models.WordLevel(pieces, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    width = len(next(iter(vectors.values())))
    table = np.array([[9.0] * width, *vectors.values()], dtype=np.float32)
    save_file({"embeddings": table}, str(folder / "model.safetensors"))
    return folder
