"""Words reach labels: the name itself, the lexicon, WordNet, word vectors; with the path recorded.

A closed detector knows so many labels and people say what they like. A word is tried in this order;
the first step that has an answer gives it:

1. label: the word is a label, up to case, joints, plural and spelling.
2. lexicon: ``data/concepts_coco.toml`` or the user's file; it serves detectors whose names differ
   from COCO's as well ("aeroplane", "tvmonitor", "sports_ball").
3. WordNet, exact: a synonym, or a wider word, which means all labels that are kinds of it.
4. WordNet, approximate: a narrower word ("poodle"), which is read as the label (dog).
5. head noun: of a compound that WordNet has not ("tennis player"), the last word decides.
6. embedding: the label whose word vector is nearest, above a threshold.

What reaches no label is :class:`Unresolved`: a wrong label is worse than none.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final, TypeVar, cast

import numpy as np

from neurosym.errors import ModelStoreError
from neurosym.perception.concepts import lexicon, load_concepts
from neurosym.perception.labels import IRREGULAR, key, keys, plain, read_labels
from neurosym.perception.picodet import coco_categories
from neurosym.perception.taxonomy import Taxonomy
from neurosym.perception.word_vectors import WordVectors
from neurosym.perception.wordnet import WordNet
from neurosym.scene import Concept

WORDNET: Final = "wordnet"
VECTORS: Final = "potion-base-8m"
# Fitted on the open part of tests/fixtures/vocabulary/coco80.tsv; benchmarks/vocabulary.py.
LEAST_SIMILAR: Final = 0.75
"""Cosine of a word's and a label's vectors from which they may count as the same."""
LEAST_RELATED: Final = 0.85
"""How near they must lie in WordNet then, as :meth:`Taxonomy.similarity` has it."""
LEAST_SIMILAR_UNKNOWN: Final = 0.9
"""The cosine that is asked of a word that WordNet does not know."""
LEAST_NEAR: Final = 0.3
"""Cosine from which a label is named as near in a message."""
_Loaded = TypeVar("_Loaded")


@dataclass(frozen=True)
class Unresolved:
    """A word that reaches no label.

    Attributes:
        word: as it was asked for.
        nearest: labels that are near it in meaning, best first; for a message, not for an answer.
        skipped: what could not be asked, and how to get it.
    """

    word: str
    nearest: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()

    @property
    def details(self) -> str:
        """What is near, and what was not asked, in one line; empty when there is neither."""
        near = f"near in meaning: {', '.join(self.nearest)}" if self.nearest else ""
        return "; ".join(filter(None, (near, *self.skipped)))


class Vocabulary:
    """Resolves words to the labels of closed detectors; safe to share between threads.

    WordNet and the vectors are loaded when a word is first asked for that needs them. Answers are
    kept, by word and set of labels.

    Args:
        weights: gives the folder of a model's files by its name, fetching it when needed; without
            it only labels and the lexicon are asked.
        concepts: a file of words to use instead of the lexicon that comes with the package.

    Example:
        >>> def nothing(name):
        ...     raise ModelStoreError(f"{name} is not here")
        >>> vocabulary = Vocabulary(nothing)
        >>> vocabulary.resolve("sofa", ["person", "Sofas"])
        Concept(categories=('Sofas',), approximate=False, source='label')
        >>> vocabulary.resolve("woman", ["person", "sofa"])
        Concept(categories=('person',), approximate=True, source='lexicon')
    """

    def __init__(self, weights: Callable[[str], Path] | None, concepts: Path | None = None) -> None:
        self._weights = weights
        self._concepts = concepts
        self._lock = threading.RLock()
        self._loaded: dict[str, object] = {}
        self._skipped: dict[str, str] = {}
        self._closed: dict[tuple[str, ...], _Closed] = {}

    def resolve(self, word: str, labels: Sequence[str]) -> Concept | Unresolved:
        """What a word means among labels.

        Args:
            word: a noun or compound, as in ``(select W)``.
            labels: the names that a detector knows.

        Returns:
            The labels and the path that led to them, or why there is none.

        Raises:
            LexiconError: the file of words is wrong.
        """
        with self._lock:
            names = tuple(labels)
            if names not in self._closed:
                self._closed[names] = _Closed(names, self, self._concepts)
            return self._closed[names].resolve(word)

    @property
    def wordnet(self) -> WordNet | None:
        """WordNet, or None where it cannot be had."""
        return self._load(WORDNET, WordNet, "WordNet")

    @property
    def vectors(self) -> WordVectors | None:
        """The word vectors, or None where they cannot be had."""
        return self._load(VECTORS, WordVectors, "the word vectors")

    @property
    def skipped(self) -> tuple[str, ...]:
        """What could not be had so far, each with its reason."""
        return tuple(self._skipped.values())

    def _load(self, name: str, kind: Callable[[Path], _Loaded], called: str) -> _Loaded | None:
        with self._lock:
            if name not in self._loaded:
                # Tried once: every further word would wait for the network again.
                self._loaded[name] = None
                try:
                    if self._weights is not None:
                        self._loaded[name] = kind(self._weights(name))
                except ModelStoreError:
                    how = f"get it with: neurosym models pull {name}"
                    self._skipped[name] = f"{called} could not be asked, {how}"
            return cast("_Loaded | None", self._loaded[name])


class _Closed:
    """The labels of one detector, and the words that were resolved to them."""

    def __init__(self, names: tuple[str, ...], vocabulary: Vocabulary, file: Path | None) -> None:
        self._vocabulary = vocabulary
        self._names = names
        self._labels = read_labels(names)
        self._by_key: dict[str, list[str]] = {}
        for label in self._labels:
            called = (label.name, *label.forms, label.wider)
            for spelt in dict.fromkeys(spelt for name in called for spelt in keys(name) if spelt):
                self._by_key.setdefault(spelt, []).append(label.name)
        self._said: dict[str, Concept] = {}
        self._words, self._aliases = self._lexicon(file)
        self._answers: dict[str, Concept | Unresolved] = {}

    def _lexicon(self, file: Path | None) -> tuple[dict[str, Concept], dict[str, list[str]]]:
        """The lexicon's words by their keys with these labels, and what else each label is called.

        The shipped lexicon speaks of COCO's categories; a label stands for one of them when it is
        called like it, or like a synonym of it.
        """
        said = lexicon() if file is None else load_concepts(self._names, file)
        self._listed = {key(word) for word in said}
        self._is_coco = file is None and set(self._names) <= set(coco_categories())
        called: dict[str, list[str]] = {}
        for word, concept in said.items():
            for category in concept.categories:
                called.setdefault(category, [category])
            if len(concept.categories) == 1 and not concept.approximate:
                called[concept.categories[0]].append(word)
        stands: dict[str, list[str]] = {}
        aliases: dict[str, list[str]] = {}
        words: dict[str, Concept] = {}
        for category, synonyms in called.items():
            found = [name for word in synonyms for name in self._by_key.get(key(word), ())]
            stands[category] = list(dict.fromkeys(found))
            for name in stands[category]:
                aliases.setdefault(name, []).extend(synonyms)
            if found:
                words[key(category)] = Concept(tuple(stands[category]))
        for word, concept in said.items():
            covered = [name for category in concept.categories for name in stands[category]]
            if covered:
                self._said[word] = replace(concept, categories=tuple(dict.fromkeys(covered)))
                words[key(word)] = self._said[word]
        return words, aliases

    @cached_property
    def _taxonomy(self) -> Taxonomy | None:
        wordnet = self._vocabulary.wordnet
        if wordnet is None:
            return None
        return Taxonomy(self._labels, self._aliases, self._said, wordnet, self._vocabulary.vectors)

    @cached_property
    def _vectors(self) -> np.ndarray | None:
        vectors = self._vocabulary.vectors
        return None if vectors is None else vectors([label.forms[0] for label in self._labels])

    def resolve(self, word: str) -> Concept | Unresolved:
        """See :meth:`Vocabulary.resolve`."""
        if word not in self._answers:
            named = self._named(word)
            found = self._meant(plain(word)) if named is None else self._widened(plain(word), named)
            self._answers[word] = self._lost(word) if found is None else found
        return self._answers[word]

    def _named(self, word: str) -> Concept | None:
        """By the labels' own names and the lexicon."""
        for spelt in dict.fromkeys((key(word), key(IRREGULAR.get(word, word)))):
            listed = self._words.get(spelt)
            if same := self._by_key.get(spelt):
                told = any(label.hint for label in self._labels if label.name in same)
                also = () if told or listed is None or listed.approximate else listed.categories
                return Concept(tuple(dict.fromkeys((*same, *also))), source="label")
            if listed is not None:
                return replace(listed, source="lexicon")
        return None

    def _widened(self, word: str, named: Concept) -> Concept:
        """With the labels of which the lexicon, made for COCO's categories, knows nothing."""
        if self._is_coco or self._taxonomy is None:
            return named
        covering = None if named.source == "label" else self._taxonomy.narrower(word)
        if covering is not None and named.approximate:
            return self._by_wordnet(word) or named
        exact = () if named.approximate else self._taxonomy.kinds(named.categories)
        wider = (*exact, *(() if covering is None else covering.labels))
        more = tuple(name for name in dict.fromkeys(wider) if name not in named.categories)
        if not more:
            return named
        source = f"{named.source}, and kinds: {word} > {_listed(more)} (WordNet)"
        return replace(named, categories=(*named.categories, *more), source=source)

    def _meant(self, word: str) -> Concept | None:
        """By what the word means."""
        return self._by_wordnet(word) or self._by_head(word) or self._by_vector(word)

    def _by_wordnet(self, word: str) -> Concept | None:
        if self._taxonomy is None:
            return None
        if found := self._taxonomy.narrower(word):
            sign = "=" if found.relation == "synonym" else ">"
            path = f"{found.relation}: {word} {sign} {_listed(found.labels)} (WordNet)"
            return Concept(found.labels, source=path)
        if found := self._taxonomy.wider(word):
            labels = _listed(found.labels)
            path = f"{found.relation}: {word}"
            path += (
                f" < {found.through} (WordNet), {found.through} < {labels} (lexicon)"
                if found.through
                else f" < {labels} (WordNet)"
            )
            return Concept(found.labels, approximate=True, source=path)
        return None

    def _by_head(self, word: str) -> Concept | None:
        wordnet = self._vocabulary.wordnet
        first, _, rest = word.partition(" ")
        # A compound that a lexicon knows is something of its own ("stuffed animal").
        if not rest or wordnet is None or wordnet.senses(word) or key(word) in self._listed:
            return None
        found = self._named(rest) or self._by_wordnet(rest) or self._by_head(rest)
        if found is None or self._taxonomy is None:
            return None
        if not self._taxonomy.agrees(rest, first, found.categories):
            return None
        return Concept(found.categories, True, f"head: {rest} of {word}, then {found.source}")

    def _by_vector(self, said: str) -> Concept | None:
        wordnet = self._vocabulary.wordnet
        if wordnet is None or self._taxonomy is None or not (near := self._similar(said)):
            return None
        # Vectors tell what goes with what ("toast" and "toaster"): what WordNet knows must lie
        # near the label there as well.
        known = wordnet.senses(said) or wordnet.senses(said.rpartition(" ")[2])
        name, similarity = near[0]
        if similarity < (LEAST_SIMILAR if known else LEAST_SIMILAR_UNKNOWN):
            return None
        if known and self._taxonomy.similarity(said, name) < LEAST_RELATED:
            return None
        path = f"embedding {similarity:.2f}: {said} ~ {name} (potion-base-8M)"
        return Concept((name,), approximate=True, source=path)

    def _similar(self, word: str) -> list[tuple[str, float]]:
        """The labels by the similarity of their vectors to the word's, best first."""
        if self._vectors is None or self._vocabulary.vectors is None:
            return []
        (vector,) = self._vocabulary.vectors([plain(word)])
        similarity = self._vectors @ vector
        order = np.argsort(-similarity, kind="stable")
        return [(self._names[i], float(similarity[i])) for i in order]

    def _lost(self, word: str) -> Unresolved:
        near = [name for name, similarity in self._similar(word)[:3] if similarity >= LEAST_NEAR]
        return Unresolved(word, tuple(near), self._vocabulary.skipped)


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(labels)
