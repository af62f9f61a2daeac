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
from neurosym.program import Conjunction, Exist, Kind, Op
from neurosym.span import Span

PARAGRAPH_BEAM = 4
"""Ways to understand the sentences so far that are kept."""


def sentences(tokens: tuple[Token, ...], lexicon: Lexicon) -> list[tuple[Token, ...]]:
    """The tokens of each part of a text that says something by itself.

    Parts end with a mark that ends a sentence, or with a semicolon, which is left out. Marks in a
    row stay with the part before them. What says that there is something ends before a question
    too: "there is a cup, what color is it".
    """
    parts: list[list[Token]] = [[]]
    closed = False
    for number, token in enumerate(tokens):
        asks = _asks(tokens, number, lexicon) and _begins(parts[-1], WordClass.THERE, lexicon)
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


def joined_program(programs: tuple[Op, ...]) -> Op:
    """What several sentences say or ask together.

    Args:
        programs: of the sentences; later ones hold those parts of earlier ones that they refer to.
    """
    if programs[-1].returns is not Kind.TRUTH:
        return programs[-1]
    whole: Op | None = None
    for number, program in enumerate(programs):
        claim = program if program.returns is Kind.TRUTH else None
        if claim is None and Kind.OBJECTS.accepts(program.returns):
            # What was only named is claimed to be there, unless a later part speaks of it.
            spoken_of = any(program in later.walk() for later in programs[number + 1 :])
            claim = None if spoken_of else Exist(program)
        if claim is not None:
            whole = claim if whole is None else Conjunction(whole, claim)
    assert whole is not None
    return whole


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
