"""How well the scene graphs of descriptive paragraphs agree with those of a careful reader.

Run ``python -m benchmarks.text_graphs`` (``--verbose`` for what each paragraph misses or adds).
The paragraphs and the guideline of their annotation are in
``tests/fixtures/graphs/paragraphs.toml``; ``--paragraphs`` names another file of that form. A
paragraph that is refused has found nothing.

Only facts count. Things of a paragraph are paired one to one within a category, so that most
attributes and relations agree. Ranks ("the left one") and what something is other than are no
attributes and no relations here.
"""

from __future__ import annotations

import argparse
import itertools
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from neurosym.api import find_pipeline
from neurosym.errors import NeurosymError
from neurosym.grammar import Lexicon, Parser, WordClass
from neurosym.text_graph import facts, text_graph

if TYPE_CHECKING:
    import networkx

PARAGRAPHS = Path(__file__).parent.parent / "tests" / "fixtures" / "graphs" / "paragraphs.toml"
KINDS = ("things", "attributes", "relations")
MOST_PAIRINGS = 720
"""Most ways to pair the things of one category that are tried."""
_IDENTIFYING = frozenset({"except"})
_NOUNS = (WordClass.NOUN, WordClass.PLURAL_NOUN)
_RELATIONS = (WordClass.RELATION, WordClass.SIDE_RELATION)


@dataclass(frozen=True)
class Described:
    """What a text says: categories and attributes of things by key, and relations of keys."""

    categories: dict[str, str]
    attributes: dict[str, Counter[str]]
    relations: Counter[tuple[str, str, str]]


@dataclass
class Tally:
    """What agrees of what was found and of what there is to find."""

    agreed: int = 0
    found: int = 0
    wanted: int = 0

    @property
    def precision(self) -> float:
        """Share of what was found that is right; 1 when nothing was found."""
        return self.agreed / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """Share of what there is to find that was found; 1 when there is nothing."""
        return self.agreed / self.wanted if self.wanted else 1.0


@dataclass
class Outcome:
    """One paragraph, what was made of it, and what differs."""

    text: str
    source: str
    tallies: dict[str, Tally] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)


def outcomes(parser: Parser, paragraphs: Path = PARAGRAPHS) -> list[Outcome]:
    """Every paragraph of a file, compared."""
    items = tomllib.loads(paragraphs.read_text("utf-8"))["paragraph"]
    return [_outcome(item, parser) for item in items]


def totals(found: list[Outcome]) -> dict[str, Tally]:
    """The tallies of all paragraphs together."""
    made = {kind: Tally() for kind in KINDS}
    for outcome, kind in itertools.product(found, KINDS):
        made[kind].agreed += outcome.tallies[kind].agreed
        made[kind].found += outcome.tallies[kind].found
        made[kind].wanted += outcome.tallies[kind].wanted
    return made


def table(found: list[Outcome]) -> str:
    """Precision and recall as lines of a table."""
    lines = [f"{'':<12}{'precision':>10}{'recall':>10}{'wanted':>8}{'found':>8}"]
    for kind, tally in totals(found).items():
        rates = f"{tally.precision:>10.3f}{tally.recall:>10.3f}"
        lines.append(f"{kind:<12}{rates}{tally.wanted:>8}{tally.found:>8}")
    sources = Counter(outcome.source for outcome in found)
    lines.append(", ".join(f"{count} {source}" for source, count in sorted(sources.items())))
    return "\n".join(lines)


def _outcome(item: dict[str, object], parser: Parser) -> Outcome:
    text = str(item["text"])
    wanted = _annotated(item, parser.lexicon)
    try:
        parse = parser.parse(text)
        reading = parse.readings[0]
        found = _described(facts(text_graph(text, *reading.sentences)))
        outcome = Outcome(text, reading.source)
    except NeurosymError as error:
        found = Described({}, {}, Counter())
        outcome = Outcome(text, "refused", added=[f"refused: {error.message}"])
    pairs = _paired(wanted, found)
    there = Counter(pairs[key] for key in wanted.categories if key in pairs)
    named = {pairs[key]: key for key in pairs}
    moved = Counter(
        {
            (named.get(a, f"+{a}"), name, named.get(b, f"+{b}")): count
            for (a, name, b), count in found.relations.items()
        }
    )
    said = _said(wanted.attributes, {key: key for key in wanted.categories})
    guessed = _said(found.attributes, named)
    _count(
        outcome,
        "things",
        Counter(wanted.categories),
        Counter(named.get(n, f"+{found.categories[n]}") for n in found.categories),
    )
    assert sum(there.values()) == len(pairs)
    _count(outcome, "attributes", said, guessed)
    _count(outcome, "relations", wanted.relations, moved)
    return outcome


def _said(attributes: dict[str, Counter[str]], named: dict[str, str]) -> Counter[str]:
    return Counter(
        f"{named.get(key, f'+{key}')}: {value}"
        for key, values in attributes.items()
        for value in values
    )


def _count(outcome: Outcome, kind: str, wanted: Counter, found: Counter) -> None:  # type: ignore[type-arg]
    wanted = Counter(dict.fromkeys(wanted, 1)) if kind == "things" else wanted
    agreed = (wanted & found).total()
    outcome.tallies[kind] = Tally(agreed, found.total(), wanted.total())
    outcome.missed += [str(each) for each in wanted - found]
    outcome.added += [str(each) for each in found - wanted]


def _annotated(item: dict[str, object], lexicon: Lexicon) -> Described:
    categories: dict[str, str] = {}
    attributes: dict[str, Counter[str]] = {}
    for thing in item["things"]:  # type: ignore[attr-defined]
        named, _, values = thing.partition(":")
        key, _, category = named.partition(" ")
        categories[key] = _concept(category, lexicon, *_NOUNS)
        listed = [value.strip() for value in values.split(",") if value.strip()]
        attributes[key] = Counter(_concept(v, lexicon, WordClass.ATTRIBUTE) for v in listed)
    relations = [relation.split() for relation in item["relations"]]  # type: ignore[attr-defined]
    return Described(
        categories,
        attributes,
        Counter((a, _concept(name, lexicon, *_RELATIONS), b) for a, name, b in relations),
    )


def _concept(word: str, lexicon: Lexicon, *classes: WordClass) -> str:
    """The name of what a word stands for; the word itself where the lexicon has none."""
    for sense in lexicon.senses(word.replace("_", " ")):
        if sense.word_class in classes:
            return sense.concept
    return word


def _described(graph: networkx.MultiDiGraph) -> Described:
    attributes = {}
    for number, node in graph.nodes(data=True):
        values = Counter(said["value"] for said in node["attributes"])
        count = node["count"]
        if count and count["comparison"] == "exactly" and count["number"] != 1:
            values[str(count["number"])] += 1
        attributes[str(number)] = values
    edges = Counter(
        (str(a), edge["relation"], str(b))
        for a, b, edge in graph.edges(data=True)
        if edge["relation"] not in _IDENTIFYING
    )
    categories = {str(n): node["category"] or "thing" for n, node in graph.nodes(data=True)}
    return Described(categories, attributes, edges)


def _paired(wanted: Described, found: Described) -> dict[str, str]:
    """The things that are the same, by the keys of what is wanted."""
    groups = [
        (
            [k for k, c in wanted.categories.items() if c == category],
            [k for k, c in found.categories.items() if c == category],
        )
        for category in dict.fromkeys(wanted.categories.values())
    ]
    pairs: dict[str, str] = {}
    # Twice, for relations to things of other categories count once these are paired.
    for _ in range(2):
        for mine, theirs in groups:
            others = {key: value for key, value in pairs.items() if key not in mine}
            choices = itertools.islice(_pairings(mine, theirs), MOST_PAIRINGS)
            best = max(choices, key=lambda made: _agreement({**others, **made}, wanted, found))
            pairs = {**others, **best}
    return pairs


def _pairings(mine: list[str], theirs: list[str]) -> Iterator[dict[str, str]]:
    if len(mine) <= len(theirs):
        for chosen in itertools.permutations(theirs, len(mine)):
            yield dict(zip(mine, chosen, strict=True))
    else:
        for chosen in itertools.permutations(mine, len(theirs)):
            yield dict(zip(chosen, theirs, strict=True))


def _agreement(pairs: dict[str, str], wanted: Described, found: Described) -> int:
    attributes = sum((wanted.attributes[a] & found.attributes[b]).total() for a, b in pairs.items())
    relations = Counter(
        {(pairs.get(a, ""), n, pairs.get(b, "")): k for (a, n, b), k in wanted.relations.items()}
    )
    return attributes + (relations & found.relations).total()


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--verbose", action="store_true", help="what each paragraph misses")
    arguments.add_argument("--paragraphs", metavar="FILE", type=Path, default=PARAGRAPHS)
    given = arguments.parse_args()
    found = outcomes(Parser(find_pipeline()), given.paragraphs)
    if given.verbose:
        for outcome in found:
            if outcome.missed or outcome.added:
                print(f"{outcome.text}\n  {outcome.source}")
                print(f"  missed {outcome.missed}\n  added  {outcome.added}")
    print(table(found))


if __name__ == "__main__":
    main()
