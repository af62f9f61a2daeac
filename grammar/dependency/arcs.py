"""Dependency trees over the words and phrases of the lexicon."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from neurosym.grammar.classes import WordClass
from neurosym.grammar.lexicon import Sense
from neurosym.grammar.open_class import base_of
from neurosym.grammar.tokens import Token
from neurosym.grammar.tree import Tree
from neurosym.grammar.units import Unit
from neurosym.span import Span

FINITE = frozenset({"VBZ", "VBP", "VBD", "MD"})
"""Tags of finite verbs."""

if TYPE_CHECKING:
    from spacy.language import Language

_NEEDED = ("transformer", "tok2vec", "parser")
"""The parts of a pipeline that make a dependency parse."""
_CLAUSES = {"acl", "relcl", "advcl", "ccomp", "xcomp", "pcomp", "csubj", "ROOT", "conj"}

_RELATIONS = (WordClass.RELATION, WordClass.SIDE_RELATION, WordClass.BETWEEN)

Arc = tuple[int, str]
"""Of a word: the position of its head, which for a root is its own, and what it is to it."""


class DependencyParser:
    """Dependency arcs by spaCy; its parser is loaded when it is first needed.

    Args:
        pipeline: a loaded spaCy ``Language``, or the name or folder of a pipeline to load.
    """

    def __init__(self, pipeline: Language | str | Path) -> None:
        self._pipeline = pipeline
        self._language: Language | None = None

    def __call__(self, tokens: tuple[Token, ...]) -> dict[int, Arc]:
        """The arcs of a sentence's tokens by their positions in the text.

        None at all when the pipeline has no dependency parser.
        """
        # Late, because spaCy imports torch.
        from spacy.tokens import Doc

        if self._language is None:
            self._language = _load(self._pipeline)
        parts = dict(self._language.components)
        if "parser" not in parts:
            return {}
        ends = [token.span.end for token in tokens]
        spaces = [token.span.start > end for token, end in zip(tokens[1:], ends, strict=False)]
        doc = Doc(self._language.vocab, [t.lower for t in tokens], [*spaces, False])
        for name in _NEEDED:
            if name in parts:
                doc = parts[name](doc)
        return {tokens[word.i].index: (tokens[word.head.i].index, str(word.dep_)) for word in doc}


def _load(pipeline: Language | str | Path) -> Language:
    if not isinstance(pipeline, str | Path):
        return pipeline
    import spacy

    # The rest of the pipeline is loaded already, for the tags.
    unneeded = ["ner", "senter", "tagger", "attribute_ruler", "lemmatizer", "morphologizer"]
    return spacy.load(pipeline, exclude=unneeded)


@dataclass(eq=False)
class Word:
    """A word or phrase of the lexicon in a dependency tree.

    Attributes:
        index: its position among the units of the sentence.
        unit: its tokens and senses.
        relation: what it is to its head: "nsubj", "amod", "ROOT".
        tag: Penn Treebank tag of the token that stands for it.
        lemma: base form of that token.
        children: the words below it, left to right.
        head: the word above it.
    """

    index: int
    unit: Unit
    relation: str
    tag: str
    lemma: str
    children: list[Word] = field(default_factory=list)
    head: Word | None = None

    @property
    def span(self) -> Span:
        """The characters of the word itself."""
        return self.unit.span

    @property
    def lower(self) -> str:
        """The word in lower case."""
        return " ".join(token.lower for token in self.unit.tokens)

    def below(self, *relations: str) -> list[Word]:
        """The children that are one of ``relations``, left to right."""
        return [child for child in self.children if child.relation in relations]

    def has(self, *classes: WordClass) -> bool:
        """Whether it can be of one of ``classes``."""
        return any(sense.word_class in classes for sense in self.unit.senses)

    def sense(self, *classes: WordClass) -> Sense:
        """Its first sense of one of ``classes``."""
        return self.unit.sense(*classes)

    def walk(self) -> Iterator[Word]:
        """It and every word below it."""
        waiting = [self]
        while waiting:
            word = waiting.pop()
            yield word
            waiting += word.children[::-1]

    @property
    def is_verb(self) -> bool:
        """Whether it is used as a verb: by its tag, and by what it is to its head."""
        if self.tag in FINITE:
            return True
        if self.tag in ("VB", "VBG", "VBN"):
            return self.relation in _CLAUSES or bool(
                self.below("nsubj", "nsubjpass", "dobj", "aux", "auxpass")
            )
        return bool(self.below("nsubj", "nsubjpass", "expl")) and self.tag not in ("NN", "NNS")

    @property
    def is_finite(self) -> bool:
        """Whether it is a finite verb, or has a finite auxiliary."""
        return self.tag in FINITE or any(c.tag in FINITE for c in self.below("aux", "auxpass"))

    @property
    def is_negation(self) -> bool:
        """Whether it is listed as a word that denies and has no construction: "never"."""
        return self.is_refused_as("negation")

    def is_refused_as(self, kind: str) -> bool:
        """Whether it is listed in ``data/refused.toml`` as a word of some kind."""
        return any(sense.concept == kind for sense in self.unit.all(WordClass.UNKNOWN))


def roots(units: tuple[Unit, ...], arcs: dict[int, Arc]) -> list[Word]:
    """The dependency trees of a sentence, usually one; every unit is one word of a tree.

    A phrase of the lexicon hangs where the highest of its tokens hangs, and takes what hangs on
    any of them. Marks belong to no tree.

    Args:
        units: all words and phrases of the text.
        arcs: of the tokens of the sentence, by position in the text; words without one are of
            other sentences.
    """
    unit_of = {token.index: i for i, unit in enumerate(units) for token in unit.tokens}
    words: dict[int, Word] = {}
    heads: dict[int, int | None] = {}
    for index, unit in enumerate(units):
        if unit.tokens[0].index not in arcs or not any(t.is_word for t in unit.tokens):
            continue
        top = _top(unit, arcs, unit_of, index)
        above, relation = arcs[top.index]
        words[index] = Word(index, unit, relation, top.tag, base_of(top))
        heads[index] = None if above == top.index else _climb(above, arcs, unit_of, index)
    for word in words.values():
        above_unit = heads[word.index]
        # Phrases may interlock; then the later one is cut off rather than closing a circle.
        if above_unit in words and word not in _upward(words[above_unit]):
            word.head = words[above_unit]
            words[above_unit].children.append(word)
    for word in words.values():
        # Taggers take nouns of careless text for verbs: "elephant that you can see".
        if word.tag.startswith("VB") and _is_noun(word):
            word.tag = "NNS" if word.has(WordClass.PLURAL_NOUN) else "NN"
    for word in words.values():
        _give_object(word, words)
    return [word for word in words.values() if word.head is None]


def _is_noun(word: Word) -> bool:
    """Whether a word is listed as a noun and as no verb, and has nothing that a verb has."""
    if word.below("nsubj", "nsubjpass", "dobj", "aux", "auxpass"):
        return False
    nouns = word.has(WordClass.NOUN, WordClass.PLURAL_NOUN)
    return nouns and not word.has(WordClass.VERB, WordClass.POSTURE, WordClass.ADJECTIVE)


def _give_object(relation: Word, words: dict[int, Word]) -> None:
    """Hang the noun phrase after a relation of several words on it, where nothing else does.

    Parsers take "next to a fork" apart: what is one relation here is an adverb with a preposition
    to them, and the noun may hang anywhere.
    """
    several = len(relation.unit.tokens) > 1 and relation.has(*_RELATIONS)
    after = words.get(relation.index + 1)
    if not several or after is None or relation.below("pobj", "pcomp"):
        return
    noun = after
    while noun.head is not None and noun.head.index > relation.index:
        noun = noun.head
    named = noun.tag.startswith("NN") or noun.tag in ("PRP", "CD")
    if not named or min(w.index for w in noun.walk()) < after.index or noun.relation == "nsubj":
        return
    if noun in _upward(relation):
        return
    if noun.head is not None:
        noun.head.children.remove(noun)
    noun.head, noun.relation = relation, "pobj"
    relation.children.append(noun)
    if relation.head is not None and relation.relation not in ("prep", "ROOT"):
        relation.relation = "prep"


def _upward(word: Word) -> Iterator[Word]:
    here: Word | None = word
    while here is not None:
        yield here
        here = here.head


def _top(unit: Unit, arcs: dict[int, Arc], unit_of: dict[int, int], index: int) -> Token:
    """The token of a unit whose head lies outside of it."""
    outside = (t for t in unit.tokens if unit_of.get(arcs[t.index][0]) != index)
    own = (t for t in unit.tokens if arcs[t.index][0] == t.index)
    return next(own, None) or next(outside, unit.tokens[-1])


def _climb(start: int, arcs: dict[int, Arc], unit_of: dict[int, int], index: int) -> int | None:
    """The nearest unit at or above a token; marks belong to none."""
    position = start
    while position not in unit_of or unit_of[position] == index:
        # Marks and the unit's own words are passed by.
        above = arcs[position][0]
        if above == position:
            return None
        position = above
    return unit_of[position]


def tree_of(words: Iterable[Word], text: str) -> Tree:
    """The dependency trees of a text as one syntax tree, labelled with dependency relations."""
    parts = tuple(_tree(word, text) for word in words)
    return Tree("dependencies", parts, _cover(parts))


def _tree(word: Word, text: str) -> Tree:
    leaf = Tree(word.tag, (), word.span, unit=word.index, words=word.span.of(text))
    parts = [*(_tree(child, text) for child in word.children), leaf]
    ordered = tuple(sorted(parts, key=lambda part: (part.span.start, part.span.end)))
    return Tree(word.relation, ordered, _cover(ordered))


def _cover(parts: tuple[Tree, ...]) -> Span:
    covered = Span.cover(part.span for part in parts)
    assert covered is not None
    return covered
