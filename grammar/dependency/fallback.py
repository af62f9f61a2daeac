"""What is made of a text by its dependency tree, and what must not be left out of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from neurosym.errors import ProgramTypeError
from neurosym.grammar.anaphora import Antecedent
from neurosym.grammar.classes import NOUNS, UNSPOKEN, WordClass
from neurosym.grammar.dependency.arcs import Arc, Word, roots, tree_of
from neurosym.grammar.dependency.attaching import attach
from neurosym.grammar.dependency.nouns import is_number_of
from neurosym.grammar.dependency.sentences import Sentences
from neurosym.grammar.lexicon import Lexicon
from neurosym.grammar.meaning import MAX_SIZE, NOT_HERE, TOO_LARGE, NoReadingError
from neurosym.grammar.preferences import Preferences
from neurosym.grammar.tokens import Token
from neurosym.grammar.tree import Tree
from neurosym.grammar.units import Unit
from neurosym.program import Filter, Minus, Negation, Op, Pointed, Select, Superlative

MOST_UNUSED = 0.4
"""The largest share of the content words that a guess may leave out."""

_NEGATING = frozenset(
    {
        *(WordClass.NOT, WordClass.NO, WordClass.NEGATING, WordClass.WITHOUT, WordClass.EXCEPT),
        WordClass.DENIAL,
    }
)
_CHANGING = frozenset(
    {
        *(WordClass.ORDINAL, WordClass.SUPERLATIVE, WordClass.NEAREST, WordClass.FARTHEST),
        *(WordClass.COMPARISON, WordClass.MORE, WordClass.AS_MANY, WordClass.EQUALLY_MANY),
        *(WordClass.THAN, WordClass.COMPARATIVE, WordClass.MULTIPLE, WordClass.FRACTION),
        *(WordClass.HOW_MANY, WordClass.BETWEEN, WordClass.MOST, WordClass.ONLY, WordClass.TIMES),
    }
)
"""Classes of words that change what is meant: a reading without them would say something else."""
_SPARING = frozenset({"few", "fewest", "least", "enough", "almost", "nearly"})
_CONDITIONAL = frozenset({"if", "unless", "whether"})
"""What makes no claim of what follows."""
_UNFINISHED = (WordClass.THE, WordClass.INDEFINITE, WordClass.OF, WordClass.AND, WordClass.OR)
"""What nothing can end with."""
_SILENT = frozenset({"det", "aux", "auxpass", "cc", "mark", "expl", "case", "prt", "preconj"})
"""Dependency relations of function words."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A reading by dependencies.

    Attributes:
        program: what the sentence means.
        tree: the dependency tree.
        content: the words of which the program should say something.
        unused: those of them that it does not use.
        mentioned: what a next sentence can refer back to, the most salient first.
    """

    program: Op
    tree: Tree
    content: tuple[Token, ...]
    unused: tuple[Token, ...]
    mentioned: tuple[Antecedent, ...] = ()


def guess(
    text: str,
    units: tuple[Unit, ...],
    arcs: dict[int, Arc],
    lexicon: Lexicon,
    said: tuple[Antecedent, ...] = (),
    *,
    later: bool = False,
) -> Guess | NoReadingError:
    """The program of a sentence by its dependency tree, or why there is none.

    A word that negates, counts, compares or names a thing is never left out: then there is no
    reading.

    Args:
        text: the whole text.
        units: the words and phrases of the sentence.
        arcs: what its words are to each other.
        lexicon: what words mean.
        said: what earlier sentences named, the most salient first.
        later: whether there are earlier sentences.
    """
    trees = roots(units, arcs)
    attach(trees, Preferences(lexicon))
    sentences = Sentences(lexicon, text, said, later=later)
    try:
        program = sentences.program(trees)
    except NoReadingError as error:
        return error
    except ProgramTypeError as error:
        return NoReadingError(error.message)
    if program.size > MAX_SIZE:
        return NoReadingError(TOO_LARGE, [unit.span for unit in units])
    spans = [span for node in program.walk() for span in node.words]
    words = sorted((word for tree in trees for word in tree.walk()), key=lambda word: word.index)
    left = [word for word in words if not word.span.lies_in(spans)]
    denied = [s for n in program.walk() if isinstance(n, Minus | Negation) for s in n.words]
    negating = [
        word
        for word, following in itertools.zip_longest(words, words[1:])
        if (_negates(word) or _is_all_but(word, following)) and not word.span.lies_in(denied)
    ]
    for word in (*negating, *left):
        if word in negating or _must_be_said(word):
            return NoReadingError(NOT_HERE, [word.span])
    for word in words:
        if word.is_refused_as("viewpoint"):
            # It turns left into right, wherever it stands.
            return NoReadingError(NOT_HERE, [word.span])
    if not any(_names(node) for node in program.walk()):
        return NoReadingError("nothing is named")
    if words[-1] in left and words[-1].has(*_UNFINISHED):
        return NoReadingError("the text stops too early", [words[-1].span])
    content = [word for word in left if not _is_silent(word)]
    spoken = sum(not _is_silent(word) for word in words)
    if len(content) > MOST_UNUSED * spoken:
        return NoReadingError("too little of this is understood", [content[0].span])
    unused = _tokens_of(content)
    every = _tokens_of([word for word in words if not _is_silent(word)])
    mentioned = sentences.mentioned(program)
    return Guess(program, tree_of(trees, text), every, unused, mentioned)


def _tokens_of(words: Iterable[Word]) -> tuple[Token, ...]:
    tokens = sorted((t for word in words for t in word.unit.tokens), key=lambda t: t.index)
    return tuple(token for token in tokens if token.is_word)


def _names(node: Op) -> bool:
    """Whether a node says something of what is looked for."""
    return isinstance(node, Select | Filter | Superlative | Pointed)


def _negates(word: Word) -> bool:
    """Whether a word denies: then it must be part of what the program denies."""
    return word.is_negation or word.has(*_NEGATING)


def _is_all_but(word: Word, following: Word | None) -> bool:
    """Whether a "but" takes away a number: "all but two"."""
    return (
        following is not None
        and word.has(WordClass.BUT)
        and following.has(WordClass.NUMBER, WordClass.ONE)
    )


def _must_be_said(word: Word) -> bool:
    classes = {sense.word_class for sense in word.unit.senses}
    if _names_thing(word):
        return True
    if WordClass.NUMBER in classes or word.relation == "neg" or word.tag == "CD":
        return True
    if is_number_of(word):
        return False
    return classes <= _CHANGING or word.lower in _SPARING | _CONDITIONAL


def _names_thing(word: Word) -> bool:
    """Whether a word is a noun that is not just part of the name of another."""
    if word.tag not in ("NN", "NNS") or word.relation in ("compound", "nmod", "npadvmod"):
        return False
    return word.has(*NOUNS)


def _is_silent(word: Word) -> bool:
    classes = {sense.word_class for sense in word.unit.senses}
    return bool(classes & UNSPOKEN) or word.relation in _SILENT or word.tag in ("TO", "EX")
