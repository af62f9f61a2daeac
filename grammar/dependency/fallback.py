"""What is made of a text by its dependency tree, and what must not be left out of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from neurosym.errors import ProgramTypeError
from neurosym.grammar.classes import UNSPOKEN, WordClass
from neurosym.grammar.dependency.arcs import DependencyParser, Word, roots, tree_of
from neurosym.grammar.dependency.nouns import is_number_of
from neurosym.grammar.dependency.sentences import Sentences
from neurosym.grammar.discourse import is_answer, sentences
from neurosym.grammar.lexicon import Lexicon
from neurosym.grammar.meaning import MAX_SIZE, TOO_LARGE, NoReadingError
from neurosym.grammar.tokens import Token
from neurosym.grammar.tree import Tree
from neurosym.grammar.units import Unit
from neurosym.program import Filter, Minus, Negation, Op, Pointed, Select, Superlative
from neurosym.span import Span

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
        program: what the text means.
        tree: the dependency tree.
        unused: the content words that the program does not use.
    """

    program: Op
    tree: Tree
    unused: tuple[Token, ...]


def guess(
    text: str,
    tokens: tuple[Token, ...],
    units: tuple[Unit, ...],
    parser: DependencyParser,
    lexicon: Lexicon,
) -> Guess | NoReadingError:
    """The program of a text by its dependency tree, or why there is none.

    A word that negates, counts or compares is never left out: then there is no reading.

    Args:
        text: as given.
        tokens: its words and marks.
        units: its words and phrases of the lexicon.
        parser: gives what the words of a sentence are to each other.
        lexicon: what words mean.
    """
    parts = [
        (is_answer(part, lexicon), roots(units, parser(part)))
        for part in sentences(tokens, lexicon)
    ]
    trees = [tree for _, part in parts for tree in part]
    try:
        program = Sentences(lexicon, text).text(parts)
    except NoReadingError as error:
        return error
    except ProgramTypeError as error:
        return NoReadingError(error.message)
    if program.size > MAX_SIZE:
        return NoReadingError(TOO_LARGE, [token.span for token in tokens])
    spans = [span for node in program.walk() for span in node.words]
    left = [word for tree in trees for word in tree.walk() if not _in(word, spans)]
    denied = [s for n in program.walk() if isinstance(n, Minus | Negation) for s in n.words]
    negating = [w for tree in trees for w in tree.walk() if _negates(w) and not _in(w, denied)]
    for word in (*negating, *left):
        if word in negating or _must_be_said(word):
            return NoReadingError("this is not understood here", [word.span])
    if not any(_names(node) for node in program.walk()):
        return NoReadingError("nothing is named")
    last = max((w for tree in trees for w in tree.walk()), key=lambda w: w.index)
    if last in left and last.has(*_UNFINISHED):
        return NoReadingError("the text stops too early", [last.span])
    content = [word for word in left if not _is_silent(word)]
    said = sum(not _is_silent(word) for tree in trees for word in tree.walk())
    if len(content) > MOST_UNUSED * said:
        return NoReadingError("too little of this is understood", [content[0].span])
    unused = sorted((t for word in content for t in word.unit.tokens), key=lambda t: t.index)
    return Guess(program, tree_of(trees, text), tuple(t for t in unused if t.is_word))


def _names(node: Op) -> bool:
    """Whether a node says something of what is looked for."""
    return isinstance(node, Select | Filter | Superlative | Pointed)


def _in(word: Word, spans: Iterable[Span]) -> bool:
    return any(s.start <= word.span.start and word.span.end <= s.end for s in spans)


def _negates(word: Word) -> bool:
    """Whether a word denies: then it must be part of what the program denies."""
    if any(s.concept == "negation" for s in word.unit.all(WordClass.UNKNOWN)):
        return True
    return word.has(*_NEGATING)


def _must_be_said(word: Word) -> bool:
    classes = {sense.word_class for sense in word.unit.senses}
    if WordClass.NUMBER in classes or word.relation == "neg" or word.tag == "CD":
        return True
    if is_number_of(word):
        return False
    return classes <= _CHANGING or word.lower in _SPARING | _CONDITIONAL


def _is_silent(word: Word) -> bool:
    classes = {sense.word_class for sense in word.unit.senses}
    return bool(classes & UNSPOKEN) or word.relation in _SILENT or word.tag in ("TO", "EX")
