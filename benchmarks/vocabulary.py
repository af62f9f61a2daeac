"""How people's words reach the 80 categories of COCO: precision and recall, by step.

    python -m benchmarks.vocabulary [--wrong] [--json FILE]

The words and what they mean are in ``tests/fixtures/vocabulary/coco80.tsv``, with the guideline by
which they were judged; ``senses.tsv`` beside it has the meanings of labels. An answer is right when
it names nothing but categories that the word may mean; recall is over the words that some category
certainly means. WordNet and the word vectors come from the model store.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.run import table
from neurosym.models.store import path_of
from neurosym.perception.concepts import lexicon
from neurosym.perception.label_senses import label_senses
from neurosym.perception.labels import read_labels
from neurosym.perception.picodet import coco_categories
from neurosym.perception.vocabulary import Vocabulary
from neurosym.perception.wordnet import WordNet
from neurosym.scene import Concept

FOLDER = Path(__file__).parents[1] / "tests" / "fixtures" / "vocabulary"
NONE = "-"
STEPS = ("label", "lexicon", "synonym", "hypernym", "hyponym", "head", "embedding")


@dataclass(frozen=True)
class Word:
    """A judged word.

    Attributes:
        text: the word.
        categories: what it may mean.
        none: whether no answer is right.
        drawn: where it comes from.
        part: "open" or "closed".
    """

    text: str
    categories: frozenset[str]
    none: bool
    drawn: str
    part: str


def rows(name: str) -> Iterator[list[str]]:
    """The rows of a file of judgements, without comments and the head line."""
    lines = (FOLDER / name).read_text("utf-8").splitlines()
    yield from [line.split("\t") for line in lines if line and not line.startswith("#")][1:]


def words() -> list[Word]:
    """The judged words."""
    made = []
    for text, meant, drawn, part in rows("coco80.tsv"):
        names = frozenset(meant.split(","))
        made.append(Word(text, names - {NONE}, NONE in names, drawn, part))
    return made


def step_of(found: Concept) -> str:
    """The step that gave an answer."""
    return next(step for step in STEPS if found.source.startswith(step))


def measure(judged: Iterable[Word], vocabulary: Vocabulary) -> tuple[dict[str, Any], list[str]]:
    """One row of the table, and the answers that are wrong."""
    right: Counter[str] = Counter()
    answers: Counter[str] = Counter()
    found_of_certain = certain = total = strangers = kept_out = 0
    wrong = []
    for word in judged:
        total += 1
        certain += not word.none
        strangers += not word.categories
        found = vocabulary.resolve(word.text, coco_categories())
        if not isinstance(found, Concept):
            kept_out += not word.categories
            continue
        step = step_of(found)
        answers[step] += 1
        if set(found.categories) <= word.categories:
            right[step] += 1
            found_of_certain += not word.none
        else:
            wrong.append(f"{word.text}: {found.source}")
    row: dict[str, Any] = {
        "words": total,
        "with a category": certain,
        "answered": answers.total(),
        "precision": round(right.total() / max(answers.total(), 1), 3),
        "recall": round(found_of_certain / max(certain, 1), 3),
        "kept out": f"{kept_out}/{strangers}",
    }
    row.update({step: f"{right[step]}/{answers[step]}" for step in STEPS if answers[step]})
    return row, wrong


def measure_senses(wordnet: WordNet) -> dict[str, int]:
    """How many ambiguous labels get their right meaning in the company of the others."""
    names: dict[str, list[str]] = {}
    kinds: dict[str, list[str]] = {}
    for word, concept in lexicon().items():
        if len(concept.categories) == 1:
            known = kinds if concept.approximate else names
            known.setdefault(concept.categories[0], []).append(word)
    right = alone = total = 0
    for label, offsets, company in rows("senses.tsv"):
        labels = coco_categories() if company == "coco-80" else tuple(company.split(","))
        meant = label_senses(read_labels(labels), names, kinds, wordnet)[label]
        gold = set(map(int, offsets.split()))
        seen = [sense.synset for sense in wordnet.senses(label) if sense.synset.is_physical]
        total += 1
        right += meant.offsets[0] in gold
        alone += seen[0].offset in gold
    return {"labels": total, "right": right, "right by the first meaning": alone}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wrong", action="store_true", help="list the answers that are wrong")
    parser.add_argument("--json", type=Path, help="a file for the tables")
    arguments = parser.parse_args()
    vocabulary = Vocabulary(path_of)
    judged = words()
    made = []
    for part in ("open", "closed"):
        of_part = [word for word in judged if word.part == part]
        for drawn in (*dict.fromkeys(word.drawn for word in of_part), "all"):
            chosen = [word for word in of_part if drawn in (word.drawn, "all")]
            row, wrong = measure(chosen, vocabulary)
            made.append({"part": part, "drawn": drawn, **dict.fromkeys(STEPS, ""), **row})
            if arguments.wrong and drawn == "all":
                print(f"wrong, {part}:", *wrong, sep="\n  ")
    columns = [name for name in made[0] if name not in STEPS]
    made = [{name: row[name] for name in (*columns, *STEPS)} for row in made]
    print(table(made))
    senses = measure_senses(WordNet(path_of("wordnet")))
    print(table([senses]))
    if arguments.json:
        document = {"words": made, "senses": senses}
        arguments.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
