"""Which WordNet meanings a detector's labels have, told by the company of its other labels.

"mouse" beside "keyboard" and "laptop" is the device, beside "cat" and "squirrel" the animal.
Relatedness is that of Wu and Palmer (1994, "Verb semantics and lexical selection"): how deep the
narrowest common hypernym lies, against the steps that lead to it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from neurosym.perception.labels import Label
from neurosym.perception.wordnet import WRITING, Sense, WordNet

# Chosen on the lists of labels in tests/fixtures/vocabulary/senses.tsv: without the company of the
# other labels 60 of 82 ambiguous labels were read right, with it 76.
COMPANY: Final = 3
"""How many of the other labels speak for a meaning: the closest ones, by their mean."""
WEIGHT_OF_USE: Final = 0.1
"""What the logarithm of a meaning's share counts, against relatedness in [0, 1]."""
WEIGHT_OF_KINDS: Final = 0.5
"""What it counts that all known kinds of a label are kinds of a meaning."""
MOSTLY: Final = 0.5
"""The share of a meaning from which what is written counts as the thing ("book")."""
COMMON: Final = 0.15
"""The share of a meaning from which it may go along with the chosen one ..."""
NEAR: Final = 0.75
"""... where the two are so near (the knife as a tool and as a weapon)."""
RARITY: Final = 2.0
"""Steps that a meaning which its word hardly ever has is farther away than its usual meaning."""


@dataclass(frozen=True)
class Meaning:
    """What a label means.

    Attributes:
        offsets: of the WordNet synsets: the one that was chosen, and those that pictures do not
            part from it (the book and its text, the bowl as vessel and as dish).
        narrower: True when it is one kind of that only, which WordNet has no name for.
    """

    offsets: tuple[int, ...]
    narrower: bool = False


def label_senses(
    labels: Sequence[Label],
    names: Mapping[str, Sequence[str]],
    kinds: Mapping[str, Sequence[str]],
    wordnet: WordNet,
) -> dict[str, Meaning]:
    """The meaning of every label that WordNet knows.

    Args:
        labels: of one detector.
        names: label's name -> further names of it, tried where its own are not in WordNet.
        kinds: label's name -> words that are known to name it, or kinds of it.
        wordnet: the meanings.

    Returns:
        Label's name -> its meaning. A label of several words that WordNet has not ("sports ball")
        is a kind of what its head noun means.
    """
    found: dict[str, Sequence[Sense]] = {}
    heads = set()
    for label in labels:
        forms = (*label.forms, *names.get(label.name, ()))
        if own := next(filter(None, map(wordnet.senses, forms)), ()):
            found[label.name] = own
        elif head := wordnet.senses(label.wider or label.forms[-1].rpartition(" ")[2]):
            found[label.name] = head
            heads.add(label.name)
    # What a detector finds can be seen; the rest only where WordNet has nothing else.
    candidates = {
        name: [sense for sense in senses if sense.synset.is_physical] or senses
        for name, senses in found.items()
    }
    company = _Company(candidates, wordnet)
    hints = {label.name: label.hint for label in labels if label.hint}
    chosen = {}
    for name, senses in candidates.items():
        # What stands in brackets after a name is there to tell its meaning.
        told = [hints[name]] * 2 if name in hints else []
        known = [list(wordnet.senses(word)) for word in (*kinds.get(name, ()), *told)]
        best = company.choose(name, senses, [meant for meant in known if meant])
        also = [sense.synset.offset for sense in found[name] if _goes_along(sense, best, wordnet)]
        chosen[name] = Meaning(tuple(dict.fromkeys((best, *also))), name in heads)
    return chosen


def _goes_along(sense: Sense, chosen: int, wordnet: WordNet) -> bool:
    """Whether pictures do not part a meaning from the one that was chosen."""
    if sense.synset.topic == WRITING:
        return sense.share >= MOSTLY
    near = wordnet.similarity(sense.synset.offset, chosen)
    return sense.share >= COMMON and sense.synset.is_physical and near >= NEAR


def _related(offset: int, senses: Sequence[Sense], wordnet: WordNet) -> bool:
    """Whether a meaning is wider or narrower than one of these, or the same."""
    above = wordnet.ancestors(offset)
    return any(
        sense.synset.offset in above or offset in wordnet.ancestors(sense.synset.offset)
        for sense in senses
    )


class _Company:
    """How related meanings are to the labels of one detector."""

    def __init__(self, candidates: Mapping[str, Sequence[Sense]], wordnet: WordNet) -> None:
        self._wordnet = wordnet
        # Of every meaning, the labels that are fewest steps below it: no others can be closest.
        self._nearest: dict[int, list[tuple[float, str]]] = {}
        for name, senses in candidates.items():
            steps: dict[int, float] = {}
            for sense in senses:
                far = RARITY * (1.0 - sense.share)
                for wider, count in wordnet.ancestors(sense.synset.offset).items():
                    steps[wider] = min(steps.get(wider, math.inf), count + far)
            for wider, away in steps.items():
                self._nearest.setdefault(wider, []).append((away, name))
        for found in self._nearest.values():
            found.sort()
            del found[COMPANY + 1 :]

    def choose(self, name: str, senses: Sequence[Sense], known: Sequence[Sequence[Sense]]) -> int:
        """The likeliest meaning of a label, by its company, its use, and known kinds of it."""
        scores = {}
        for sense in senses:
            offset = sense.synset.offset
            scores[offset] = self.of(name, offset) + WEIGHT_OF_USE * math.log(sense.share + 0.02)
            if known:
                agreeing = [_related(offset, meant, self._wordnet) for meant in known]
                scores[offset] += WEIGHT_OF_KINDS * agreeing.count(True) / len(known)
        return max(scores, key=lambda offset: scores[offset])

    def of(self, name: str, offset: int) -> float:
        """The mean relatedness to the labels that are most related, in [0, 1]."""
        best: dict[str, float] = {}
        for wider, up in self._wordnet.ancestors(offset).items():
            depth = 1 + self._wordnet.depth(wider)
            for far, other in self._nearest[wider]:
                if other != name:
                    related = 2 * depth / (2 * depth + up + far)
                    best[other] = max(best.get(other, 0.0), related)
        closest = sorted(best.values(), reverse=True)[:COMPANY]
        return sum(closest) / COMPANY
