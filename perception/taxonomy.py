"""A detector's labels in WordNet: which of them a word covers, and which cover the word."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from neurosym.perception.label_senses import Meaning, label_senses
from neurosym.perception.labels import Label
from neurosym.perception.word_vectors import WordVectors
from neurosym.perception.wordnet import PERSON, Sense, WordNet
from neurosym.scene import Concept

# Fitted on the open part of tests/fixtures/vocabulary/coco80.tsv; benchmarks/vocabulary.py.
LEAST_COVERED: Final = 0.6
"""A word covers labels when its use as something that these labels are makes up this share."""
LEAST_MEANT: Final = 0.65
"""A label covers a word when its meanings that are a kind of the label have this share."""
WIDEST: Final = 12_000
"""Wider meanings ("object", "whole") say nothing of what is meant."""
WIDEST_KNOWN: Final = 200
"""Words of the lexicon with more kinds ("plant") do not speak for their kinds."""
LEAST_RELATED_KNOWN: Final = 0.85
"""How near a word of the lexicon must lie to its labels to speak for its kinds."""
UNSEEN: Final = 0.25
"""What a meaning counts that never occurred in the texts that were counted."""
AS_PERSON: Final = 0.4
"""What it counts that a word also says of people (tiger, printer): a picture shows the thing."""
AS_NAME: Final = 0.1
"""What a meaning counts that is written with a capital letter (Dalmatian), beside others."""
LEAST_ALONE: Final = 0.8
"""The least share of a noun's use that is taken for what it reaches when it stands alone."""
LEAST_COMMON: Final = 0.3
"""The least share of a meaning by which a word is compared with labels."""
SHARPNESS: Final = 10.0
"""How strongly a modifier speaks for the meanings whose definitions it is close to."""


@dataclass(frozen=True)
class Covering:
    """How labels and a word belong together.

    Attributes:
        labels: names of labels.
        relation: "synonym", "hypernym" when the word is wider than the labels, "hyponym" when the
            labels are wider than the word.
        share: of the word's use, in [0, 1], for which this holds.
        through: the word of the lexicon that leads from one to the other; empty without one.
    """

    labels: tuple[str, ...]
    relation: str
    share: float
    through: str = ""


class Taxonomy:
    """The labels of one detector, placed in WordNet.

    Args:
        labels: of the detector.
        names: label's name -> further names of it.
        words: the lexicon's words, and the labels that they mean.
        wordnet: the meanings.
        vectors: say which meaning of a noun a modifier speaks for; without them, none.
    """

    def __init__(
        self,
        labels: Sequence[Label],
        names: Mapping[str, Sequence[str]],
        words: Mapping[str, Concept],
        wordnet: WordNet,
        vectors: WordVectors | None,
    ) -> None:
        self._wordnet = wordnet
        self._vectors = vectors
        kinds: dict[str, list[str]] = {}
        for word, concept in words.items():
            if concept.approximate and len(concept.categories) == 1:
                kinds.setdefault(concept.categories[0], []).append(word)
        self._words = {word: c for word, c in words.items() if c.approximate}
        self.meanings: Mapping[str, Meaning] = label_senses(labels, names, kinds, wordnet)

    @cached_property
    def _own(self) -> dict[int, tuple[str, ...]]:
        """Meaning -> the labels that have it."""
        found: dict[int, tuple[str, ...]] = {}
        for name, meaning in self.meanings.items():
            if not meaning.narrower:
                for offset in meaning.offsets:
                    found[offset] = (*found.get(offset, ()), name)
        return found

    @cached_property
    def _below(self) -> dict[int, list[str]]:
        """Meaning -> the labels that are kinds of it, or have it."""
        found: dict[int, list[str]] = {}
        for name, meaning in self.meanings.items():
            for offset in meaning.offsets:
                for wider in self._wordnet.ancestors(offset):
                    if name not in found.setdefault(wider, []):
                        found[wider].append(name)
        return found

    @cached_property
    def _known(self) -> dict[int, tuple[str, tuple[str, ...]]]:
        """Meaning -> the lexicon's word that has it, and the labels that the lexicon names."""
        found: dict[int, tuple[str, tuple[str, ...]]] = {}
        for word, concept in self._words.items():
            meant = [
                self.meanings[name].offsets for name in concept.categories if name in self.meanings
            ]
            targets = [offset for offsets in meant for offset in offsets]
            senses = [s for s in self._wordnet.senses(word) if s.synset.is_physical]
            if not senses or not targets:
                continue

            near = {
                sense: max(self._wordnet.similarity(sense.synset.offset, at) for at in targets)
                for sense in senses
            }
            best = max(near, key=lambda sense: near[sense] + 0.1 * math.log(sense.share))
            offset = best.synset.offset
            # What is wider than a label has other kinds as well; and "soup" is said of the bowl,
            # but its kinds are no bowls.
            wider = any(offset in self._wordnet.ancestors(at) for at in targets)
            if wider or near[best] < LEAST_RELATED_KNOWN:
                continue
            if self._wordnet.descendants(offset, WIDEST_KNOWN):
                found.setdefault(offset, (word, concept.categories))
        return found

    def narrower(self, word: str) -> Covering | None:
        """The labels that are what the word says, or kinds of it; None when it says more."""
        best: Covering | None = None
        for sense in self.usual(word):
            offset = sense.synset.offset
            labels = self._below.get(offset)
            if not labels:
                continue
            same = offset in self._own
            share = sense.share * (1.0 if same else self._covered(offset, labels))
            if best is None or share > best.share:
                best = Covering(tuple(labels), "synonym" if same else "hypernym", share)
        return best if best is not None and best.share >= LEAST_COVERED else None

    def kinds(self, names: Sequence[str]) -> tuple[str, ...]:
        """The labels that are kinds of what these labels mean, without these."""
        roots = [at for name in names if name in self.meanings for at in self._roots(name)[:1]]
        below = (name for at in roots for name in self._below.get(at, ()))
        return tuple(name for name in dict.fromkeys(below) if name not in names)

    def wider(self, word: str) -> Covering | None:
        """The labels that the word is a kind of; None when it mostly means something else."""
        found: dict[tuple[str, ...], Covering] = {}
        for sense in self.usual(word):
            if labels := self._above(sense):
                names, through = labels
                before = found.get(names, Covering(names, "hyponym", 0.0, through))
                found[names] = replace(before, share=before.share + sense.share)
        best = max(found.values(), key=lambda covering: covering.share, default=None)
        return best if best is not None and best.share >= LEAST_MEANT else None

    def agrees(self, noun: str, modifier: str, labels: Sequence[str]) -> bool:
        """Whether a noun after a modifier still means these labels ("train car" is no car).

        Args:
            noun: reaches ``labels`` when it stands alone.
            modifier: what stands before it.
            labels: names of labels.

        Returns:
            True where WordNet or the vectors cannot tell.
        """
        senses = self.usual(noun)
        if not senses or self._vectors is None:
            return True
        meant = [self._means(sense, labels) for sense in senses]
        if not any(meant):
            return True
        # That it reaches the labels alone is known: its other uses are rare in pictures.
        share = sum(s.share for s, ours in zip(senses, meant, strict=True) if ours)
        known = max(share, LEAST_ALONE)
        close = self._vectors([sense.synset.definition for sense in senses])
        close = close @ self._vectors([modifier])[0]
        for_ours = for_others = 0.0
        for sense, ours, near in zip(senses, meant, close.tolist(), strict=True):
            weight = math.exp(SHARPNESS * near) * sense.share
            if ours:
                for_ours += weight * known / share
            else:
                for_others += weight * (1.0 - known) / (1.0 - share)
        return for_ours >= for_others

    def similarity(self, word: str, label: str) -> float:
        """How near a word's usual meanings and a label's lie in WordNet, in [0, 1]."""
        meaning = self.meanings.get(label)
        if meaning is None:
            return 0.0
        return max(
            (
                self._wordnet.similarity(sense.synset.offset, offset)
                for sense in self.usual(word)
                if sense.share >= LEAST_COMMON
                for offset in meaning.offsets
            ),
            default=0.0,
        )

    def _means(self, sense: Sense, labels: Sequence[str]) -> bool:
        offset = sense.synset.offset
        above = self._wordnet.ancestors(offset)
        if any(name in self._below.get(offset, ()) for name in labels):
            return True
        if any(
            at in above
            for name in labels
            if name in self.meanings
            for at in self.meanings[name].offsets
        ):
            return True
        return any(
            at in above and set(names) & set(labels) for at, (_, names) in self._known.items()
        )

    def usual(self, word: str) -> tuple[Sense, ...]:
        """The meanings of a word with their shares of its use as a common noun of a picture."""
        senses = self._wordnet.senses(word)
        things = any(sense.synset.topic != PERSON for sense in senses)
        weights = [
            sense.share
            * (AS_PERSON if things and sense.synset.topic == PERSON else 1.0)
            * (AS_NAME if sense.is_name else 1.0)
            for sense in senses
        ]
        return tuple(
            replace(sense, share=weight / sum(weights))
            for sense, weight in zip(senses, weights, strict=True)
        )

    def _above(self, sense: Sense) -> tuple[tuple[str, ...], str] | None:
        """The labels that a meaning is a kind of, and the lexicon's word that leads to them."""
        steps = self._wordnet.ancestors(sense.synset.offset)
        way = sorted(steps, key=lambda at: steps[at])
        own = next((self._own[at] for at in way if at in self._own), ())
        for wider in way:
            if wider in self._own:
                return own, ""
            if wider in self._known:
                word, labels = self._known[wider]
                # WordNet may say which one of several ("van": a car or a truck).
                return (own, "") if own and set(own) <= set(labels) else (labels, word)
        return None

    def _covered(self, offset: int, labels: Sequence[str]) -> float:
        """The share of a meaning's use, with all its kinds, that the labels cover."""
        everything = self._wordnet.descendants(offset, WIDEST)
        if everything is None:
            return 0.0
        roots = [at for name in labels for at in self._roots(name)]
        roots += [at for at, (_, names) in self._known.items() if set(names) <= set(labels)]
        covered: set[int] = set()
        for root in roots:
            covered |= self._wordnet.descendants(root, WIDEST) or frozenset()
        return self._weight(covered & everything) / self._weight(everything)

    def _roots(self, name: str) -> tuple[int, ...]:
        meaning = self.meanings[name]
        return () if meaning.narrower else meaning.offsets

    def _weight(self, offsets: frozenset[int] | set[int]) -> float:
        return sum(self._wordnet.use(offset) + UNSEEN for offset in offsets)
