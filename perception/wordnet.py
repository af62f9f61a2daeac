"""The nouns of WordNet 3.0, read from its own files without loading them.

The files are those of the release (``index.noun``, ``data.noun``, ``noun.exc``, ``cntlist.rev``;
their format: the manual pages wndb(5WN), senseidx(5WN) and morphy(7WN)). They are mapped into
memory and searched by halves, so that opening them costs nothing and only the pages that are read
take memory.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final

from neurosym.errors import ModelStoreError

FILES: Final = ("index.noun", "data.noun", "noun.exc", "cntlist.rev")
PHYSICAL: Final = frozenset((3, 5, 6, 8, 13, 17, 18, 20, 27))
"""Lexicographer files of what can be seen: tops, animal, artifact, body, food, object, person,
plant, substance (lexnames(5WN))."""
PERSON: Final = 18
WRITING: Final = 10
"""Lexicographer files of people, and of communication: books, signs and what is written in them."""
_TOPS: Final = 3
_HYPERNYM: Final = "@"
_HYPONYM: Final = "~"
# morphy(7WN), nouns: ending -> what it stands for.
_ENDINGS: Final = (
    ("ses", "s"),
    ("xes", "x"),
    ("zes", "z"),
    ("ches", "ch"),
    ("shes", "sh"),
    ("men", "man"),
    ("ies", "y"),
    ("s", ""),
)


@dataclass(frozen=True)
class Synset:
    """One meaning, and the words that have it.

    Attributes:
        offset: its byte offset in ``data.noun``, by which it is named.
        topic: the number of its lexicographer file.
        words: its words, underscores for spaces, the usual one first.
        numbers: the words' numbers within the lexicographer file, from which sense keys are made.
        hypernyms: offsets of the meanings that are one step wider.
        hyponyms: offsets of the meanings that are one step narrower.
        gloss: what it means, and examples.
    """

    offset: int
    topic: int
    words: tuple[str, ...]
    numbers: tuple[int, ...]
    hypernyms: tuple[int, ...]
    hyponyms: tuple[int, ...]
    gloss: str

    @property
    def name(self) -> str:
        """The usual word, with spaces."""
        return self.words[0].replace("_", " ")

    @property
    def definition(self) -> str:
        """The gloss without its examples."""
        return self.gloss.split('; "', 1)[0].strip()

    @property
    def is_physical(self) -> bool:
        """Whether it is something that can be seen, as far as the lexicographer file tells."""
        return self.topic in PHYSICAL

    @property
    def is_single(self) -> bool:
        """Whether it is one single thing with a name of its own, and no kind of thing."""
        return not self.hypernyms and self.topic != _TOPS


@dataclass(frozen=True)
class Sense:
    """A word in one of its meanings.

    Attributes:
        synset: the meaning.
        share: in (0, 1], how much of the word's use it has, in the texts that were counted for
            WordNet; where few were, by the order in which WordNet lists the meanings. The shares of
            a word sum to 1.
        is_name: whether it is written with a capital letter.
    """

    synset: Synset
    share: float
    is_name: bool = False


class WordNet:
    """The nouns of a WordNet database; safe to share between threads.

    Args:
        folder: holds FILES.

    Raises:
        ModelStoreError: a file is missing or cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self._index, self._data, self._exceptions, self._counted = (
                _mapped(folder / name) for name in FILES
            )
        except (OSError, ValueError) as error:
            raise ModelStoreError(f"cannot read WordNet in {folder}: {error}") from error
        self.synset = lru_cache(maxsize=1 << 14)(self._synset)
        self.senses = lru_cache(maxsize=1 << 12)(self._senses)
        self.ancestors = lru_cache(maxsize=1 << 12)(self._ancestors)

    def _senses(self, word: str) -> tuple[Sense, ...]:
        """The meanings of a noun, the usual one first; none when it is not there.

        Names of single things (a writer, a river) are left out.

        Args:
            word: lower case, with spaces or underscores; a plural is taken for its singular, and
                "tea cup" for "teacup" where only that is there.
        """
        form = "_".join(word.replace("_", " ").replace("-", " ").split())
        lemmas = (form, *self._singulars(form), form.replace("_", "")) if form else ()
        for lemma in dict.fromkeys(lemmas):
            found = [
                synset for at in self._offsets(lemma) if not (synset := self.synset(at)).is_single
            ]
            uses = [
                self._count(synset, lemma) + 1 / rank for rank, synset in enumerate(found, start=1)
            ]
            if found:
                return tuple(
                    Sense(synset, use / sum(uses), lemma not in synset.words)
                    for synset, use in zip(found, uses, strict=True)
                )
        return ()

    def _ancestors(self, offset: int) -> dict[int, int]:
        """The meanings that a meaning is a kind of: offset -> fewest steps up; itself at 0."""
        steps = {offset: 0}
        level = [offset]
        while level:
            above = []
            for at in level:
                for wider in self._wider(self.synset(at)):
                    if wider not in steps:
                        steps[wider] = steps[at] + 1
                        above.append(wider)
            level = above
        return steps

    def _wider(self, synset: Synset) -> tuple[int, ...]:
        above = synset.hypernyms
        # A driver is an operator, and that a causal agent: WordNet forgets that it is a person.
        if synset.topic != PERSON or any(self.synset(at).topic == PERSON for at in above):
            return above
        return tuple(dict.fromkeys((*above, *self._person)))

    @cached_property
    def _person(self) -> tuple[int, ...]:
        return tuple(sense.synset.offset for sense in self.senses("person")[:1])

    def descendants(self, offset: int, limit: int) -> frozenset[int] | None:
        """The meanings that are kinds of a meaning, itself included; None beyond ``limit``."""
        found = {offset}
        level = [offset]
        while level:
            below = [n for at in level for n in self.synset(at).hyponyms if n not in found]
            found.update(below)
            if len(found) > limit:
                return None
            level = below
        return frozenset(found)

    def similarity(self, one: int, other: int) -> float:
        """How near two meanings are, in [0, 1] (Wu and Palmer, 1994).

        Twice the depth of the narrowest common hypernym, over that and the steps that lead to it.
        """
        up, down = self.ancestors(one), self.ancestors(other)
        best = 0.0
        for wider in up.keys() & down.keys():
            depth = 1 + self.depth(wider)
            best = max(best, 2 * depth / (2 * depth + up[wider] + down[wider]))
        return best

    def use(self, offset: int) -> int:
        """How often a meaning was counted, by any of its words."""
        synset = self.synset(offset)
        return sum(self._count(synset, word.lower()) for word in synset.words)

    def depth(self, offset: int) -> int:
        """Most steps up that can be taken before the top is reached."""
        return max(self.ancestors(offset).values())

    @cached_property
    def _irregular(self) -> dict[str, tuple[str, ...]]:
        lines = bytes(self._exceptions).decode("ascii").splitlines()
        return {first: tuple(rest) for first, *rest in map(str.split, lines) if rest}

    def _singulars(self, form: str) -> Iterator[str]:
        yield from self._irregular.get(form, ())
        first, joint, last = form.rpartition("_")
        for base in self._irregular.get(last, ()) if joint else ():
            yield f"{first}_{base}"
        for ending, instead in _ENDINGS:
            if form.endswith(ending) and len(form) > len(ending) + 1 and not form.endswith("ss"):
                yield form[: -len(ending)] + instead

    def _offsets(self, lemma: str) -> tuple[int, ...]:
        line = _line(self._index, lemma)
        if not line:
            return ()
        fields = line.split()
        # lemma pos synset_cnt p_cnt [pointers] sense_cnt tagsense_cnt offset...
        return tuple(int(offset) for offset in fields[-int(fields[2]) :])

    def _count(self, synset: Synset, lemma: str) -> int:
        for word, number in zip(synset.words, synset.numbers, strict=True):
            if word.lower() == lemma:
                line = _line(self._counted, f"{lemma}%1:{synset.topic:02d}:{number:02d}::")
                return int(line.split()[2]) if line else 0
        return 0

    def _synset(self, offset: int) -> Synset:
        """The meaning of this name."""
        end = self._data.find(b"\n", offset)
        fields, _, gloss = self._data[offset:end].decode("utf-8").partition(" | ")
        parts = fields.split()
        words = int(parts[3], 16)
        pointers = parts[5 + 2 * words :]
        near: dict[str, list[int]] = {_HYPERNYM: [], _HYPONYM: []}
        for at in range(0, 4 * int(parts[4 + 2 * words]), 4):
            # Instances (@i, ~i) are names of single things: no word of a picture's vocabulary.
            if pointers[at] in near:
                near[pointers[at]].append(int(pointers[at + 1]))
        return Synset(
            offset=offset,
            topic=int(parts[1]),
            words=tuple(parts[4 : 4 + 2 * words : 2]),
            numbers=tuple(int(number, 16) for number in parts[5 : 5 + 2 * words : 2]),
            hypernyms=tuple(near[_HYPERNYM]),
            hyponyms=tuple(near[_HYPONYM]),
            gloss=gloss.strip(),
        )


def _mapped(path: Path) -> mmap.mmap:
    with path.open("rb") as stream:
        return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)


def _line(table: mmap.mmap, key: str) -> str:
    """The line of a sorted table whose first word is ``key``; empty when there is none."""
    wanted = key.encode("utf-8")
    low, high = 0, len(table)
    while low < high:
        middle = (low + high) // 2
        start = table.rfind(b"\n", low, middle) + 1 or low
        end = table.find(b"\n", middle)
        end = len(table) if end < 0 else end
        line = table[start:end]
        # The licence at the head of the files is indented: its lines sort before every word.
        first = line.split(b" ", 1)[0]
        if first == wanted:
            return line.decode("utf-8")
        if first < wanted:
            low = end + 1
        else:
            high = start
    return ""
