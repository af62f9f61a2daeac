"""Texts of several sentences: one program whose later parts refer back to earlier ones.

Claims are joined by "and". Where a text ends in a question, a command or an expression, that is its
program: what came before says what its words stand for.
"""

from __future__ import annotations

from dataclasses import replace

from neurosym.grammar.classes import WordClass
from neurosym.grammar.lexicon import Lexicon
from neurosym.grammar.tokens import Token
from neurosym.grammar.tree import Tree
from neurosym.program import Conjunction, Kind, Op, claim_of
from neurosym.span import Span

PARAGRAPH_BEAM = 4
"""Ways to understand the sentences so far that are kept."""

_INDEFINITE = frozenset({"indefinite", "number", "several", "comparison", "grouped"})
"""Determiners of what is named for the first time."""


def sentences(tokens: tuple[Token, ...], lexicon: Lexicon) -> list[tuple[Token, ...]]:
    """The tokens of each part of a text that says something by itself.

    Parts end with a mark that ends a sentence, or with a semicolon, which is left out. Marks in a
    row stay with the part before them. What says that there is something ends before a question
    too, and so does anything before a comma that a question refers back to: "there is a cup what
    color is that", "the largest cup, what color is it".
    """
    parts: list[list[Token]] = [[]]
    closed = False
    for number, token in enumerate(tokens):
        asks = _asks(tokens, number, lexicon) and (
            _begins(parts[-1], WordClass.THERE, lexicon)
            or (token.lower == "," and _asks_back(parts[-1], tokens[number:], lexicon))
        )
        if asks and not closed:
            parts.append([])
            if token.lower == ",":
                continue
        ends = token.lower == ";" or any(
            sense.word_class is WordClass.STOP for sense in lexicon.senses(token.lower)
        )
        if closed and not ends and token.is_word:
            parts.append([])
            closed = False
        if token.lower != ";":
            parts[-1].append(token)
        closed = closed or (ends and any(t.is_word for t in parts[-1]))
    return [tuple(part) for part in parts if any(token.is_word for token in part)]


def _asks(tokens: tuple[Token, ...], number: int, lexicon: Lexicon) -> bool:
    """Whether a question begins here, inside a sentence: with a comma, or with what it asks for."""
    after = tokens[number + 1] if tokens[number].lower == "," and number + 1 < len(tokens) else None
    word = after or tokens[number]
    classes = {sense.word_class for sense in lexicon.senses(word.lower)}
    if after is None:
        return WordClass.WHAT in classes and WordClass.WHICH not in classes
    asking = {WordClass.WHAT, WordClass.HOW, WordClass.IS, WordClass.DO}
    return word.lower == "how" or bool(classes & asking and WordClass.WHICH not in classes)


def _asks_back(part: list[Token], question: tuple[Token, ...], lexicon: Lexicon) -> bool:
    """Whether a question refers to what a part of a text names, which is more than a condition."""
    conditional = any(_begins(part[:1], c, lexicon) for c in (WordClass.IF, WordClass.OF))
    back = {WordClass.PRONOUN, WordClass.POSSESSIVE}
    return not conditional and any(
        sense.word_class in back for token in question for sense in lexicon.senses(token.lower)
    )


def _begins(part: list[Token], word_class: WordClass, lexicon: Lexicon) -> bool:
    """Whether a word of a class is among the first two of a part of a text."""
    return any(
        sense.word_class is word_class
        for token in part[:2]
        for sense in lexicon.senses(token.lower)
    )


def is_answer(tokens: tuple[Token, ...], lexicon: Lexicon) -> bool | None:
    """What a sentence that is nothing but an answer says; None for any other sentence."""
    words = [token for token in tokens if token.is_word]
    if len(words) != 1 or words[0] is not tokens[0]:
        return None
    answers = [
        sense.concept
        for sense in lexicon.senses(words[0].lower)
        if sense.word_class is WordClass.ANSWER
    ]
    return answers[0] == "yes" if answers else None


def joined_program(programs: tuple[Op, ...], trees: tuple[Tree, ...], text: str) -> Op:
    """What several sentences say or ask together.

    Among claims a phrase such as "a cup" is one, too: that there is a cup.

    Args:
        programs: of the sentences; later ones hold those parts of earlier ones that they refer to.
        trees: of the sentences.
        text: the whole text.
    """
    last = programs[-1]
    before = zip(programs[:-1], trees[:-1], strict=True)
    among_claims = any(p.returns is Kind.TRUTH and not _is_asked(t, text) for p, t in before)
    if last.returns is not Kind.TRUTH and not (among_claims and _introduces(trees[-1])):
        return last
    whole: Op | None = None
    for number, program in enumerate(programs):
        claim = program if program.returns is Kind.TRUTH else None
        if claim is None and Kind.OBJECTS.accepts(program.returns):
            # What was only named is claimed to be there, unless a later part speaks of it.
            spoken_of = any(program in later.walk() for later in programs[number + 1 :])
            claim = None if spoken_of else claim_of(program, text)
        if claim is not None:
            whole = claim if whole is None else Conjunction(whole, claim)
    assert whole is not None
    return whole


def _is_asked(tree: Tree, text: str) -> bool:
    """Whether a sentence is a question: by its mark, or by the verb that it begins with."""
    marked = text[tree.span.end :].lstrip().startswith("?") or text[: tree.span.end].endswith("?")
    return marked or next(tree.leaves()).label in ("IS", "DO", "SEEN")


def _introduces(tree: Tree) -> bool:
    """Whether a sentence is a noun phrase that names something new: "a cup", "two dogs", "cups"."""
    refer = tree.children[0]
    if refer.label != "refer" or (len(tree.children) > 1 and tree.children[1].unit is None):
        return False
    phrases = [refer.children[0]]
    if phrases[0].label == "np_and":
        phrases = [child for child in phrases[0].children if child.unit is None]
    return all(phrase.label == "phrase" and _is_indefinite(phrase) for phrase in phrases)


def _is_indefinite(phrase: Tree) -> bool:
    first = phrase.children[0]
    if first.label == "nominal":
        return first.find("nouns", "things") is not None
    return first.label in _INDEFINITE


def joined_tree(trees: tuple[Tree, ...], sizes: tuple[int, ...]) -> Tree:
    """The trees of several sentences as one; words are numbered through.

    Args:
        trees: of the sentences.
        sizes: the number of units of each sentence.
    """
    moved: list[Tree] = []
    first = 0
    for tree, size in zip(trees, sizes, strict=True):
        moved.append(_shifted(tree, first))
        first += size
    return Tree("discourse", tuple(moved), Span(moved[0].span.start, moved[-1].span.end))


def _shifted(tree: Tree, by: int) -> Tree:
    if tree.unit is not None:
        return replace(tree, unit=tree.unit + by)
    return replace(tree, children=tuple(_shifted(child, by) for child in tree.children))
