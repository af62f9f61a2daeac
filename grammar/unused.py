"""Which words of a text a program says nothing of."""

from __future__ import annotations

from collections.abc import Iterator

from neurosym.grammar.classes import UNSPOKEN
from neurosym.grammar.tokens import Token
from neurosym.grammar.tree import Tree
from neurosym.grammar.units import Unit
from neurosym.program import Op

_SILENT = {
    *{("of_nominal", "ONE"), ("predicate_and", "BOTH"), ("predicate_and", "BUT")},
    *{("attribute", "SHADE"), ("quality", "SHADE")},
    *{("of_nominal", "ALL"), ("whole", "IMAGE"), ("whole", "POINTING"), ("whole", "PRESENT")},
    *{
        ("asked", "WHAT"),
        ("chosen", "WHAT"),
        ("chosen", "WHICH"),
        ("indefinite", "NUMBER"),
        ("number_of", "NUMBER"),
        ("of_them", "NUMBER"),
    },
    *{("whole", "SEEN"), ("exist", "SEEN"), ("attribute", "SHAPED"), ("left_over", "LEFT_OVER")},
    *{("query", "SHARE"), ("mutual", "AS"), ("mutual", "EACH_OTHER")},
}

_UNSPOKEN = frozenset(member.name for member in UNSPOKEN)


def unused_words(program: Op, content: tuple[Token, ...]) -> tuple[Token, ...]:
    """The words of some that a program does not use."""
    used = [span for node in program.walk() for span in node.words]
    return tuple(token for token in content if not token.span.lies_in(used))


def content_words(
    tree: Tree, units: tuple[Unit, ...], tokens: tuple[Token, ...]
) -> tuple[Token, ...]:
    """The words of a sentence of which a program of it should say something."""
    silent = {token.index for unit in _silent(tree) for token in units[unit].tokens}
    return tuple(token for token in tokens if token.is_word and token.index not in silent)


def _silent(tree: Tree) -> Iterator[int]:
    """The units that a program says nothing of: function words, and "one" in "one of the"."""
    for child in tree.children:
        if child.unit is None:
            yield from _silent(child)
        elif child.label in _UNSPOKEN or (tree.label, child.label) in _SILENT:
            yield child.unit
