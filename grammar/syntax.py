"""Class codes to syntax trees: the Lark grammar, its errors and its cache."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib import resources

from lark import Lark
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF
from lark.parsers.earley_forest import SymbolNode

from neurosym.errors import GrammarError
from neurosym.grammar.classes import WordClass
from neurosym.grammar.forest import Branch, Node, best_derivations
from neurosym.grammar.tree import Tree
from neurosym.grammar.units import Unit
from neurosym.span import Span

MAX_TREES = 16
"""Most syntax trees kept for a sentence."""
MAX_UNITS = 80
"""Longest sentence that is parsed, in words and phrases of the lexicon."""
CACHED = 1024
"""Sentence patterns whose trees are remembered."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Where a sentence stops being one.

    Attributes:
        unit: position of the first unit that does not fit; the number of units when the sentence
            stops too early.
        expected: the word classes that would have fitted.
    """

    unit: int
    expected: tuple[WordClass, ...]


class Syntax:
    """The grammar of ``rules/*.lark``.

    The terminals are generated from :class:`WordClass`: a terminal matches one word whose code
    has the class's letter. A word of several classes is thus as ambiguous as the grammar lets
    it be, and sentences of one pattern share their parse.

    Args:
        max_trees: most trees kept for a sentence.
        max_units: longest sentence parsed.
        cached: sentence patterns remembered.
    """

    def __init__(
        self, *, max_trees: int = MAX_TREES, max_units: int = MAX_UNITS, cached: int = CACHED
    ) -> None:
        for name, limit in (("max_trees", max_trees), ("max_units", max_units)):
            if limit < 1:
                raise GrammarError(f"{name} must be at least 1, not {limit}")
        self.max_trees = max_trees
        self.max_units = max_units
        self._lark = Lark(
            _grammar(),
            parser="earley",
            lexer="dynamic",
            ambiguity="forest",
            maybe_placeholders=False,
        )

        _predict_directly(self._lark)
        self._derive = functools.lru_cache(maxsize=cached)(self._derive_anew)

    def parse(self, units: tuple[Unit, ...], text: str) -> list[tuple[float, Tree]] | Failure:
        """The cheapest trees of a sentence with their costs, or where it fails.

        Raises:
            GrammarError: the sentence is longer than ``max_units``.
        """
        if len(units) > self.max_units:
            raise GrammarError(
                f"the sentence has {len(units)} words and phrases; at most {self.max_units} are "
                "parsed",
                text=text,
                span=units[self.max_units].span,
            )
        codes = [f" {unit.code}" for unit in units]
        found = self._derive("".join(codes))
        if isinstance(found, Failure):
            return found
        starts = {}
        position = 0
        for index, code in enumerate(codes):
            starts[position] = index
            position += len(code)
        return [(cost, _tree(node, units, starts, text)) for cost, node in found]

    def _derive_anew(self, pattern: str) -> tuple[tuple[float, Node], ...] | Failure:
        try:
            forest = self._lark.parse(pattern)
        except UnexpectedCharacters as error:
            return Failure(pattern.count(" ", 0, error.pos_in_stream), _classes(error.allowed))
        except UnexpectedEOF as error:
            return Failure(pattern.count(" "), _classes(error.expected))
        assert isinstance(forest, SymbolNode)
        return best_derivations(forest, self.max_trees)


def _predict_directly(lark: Lark) -> None:
    """Let the Earley predictor add the rules of the expected symbol alone.

    Lark hands it everything reachable from the symbol, for every item again, although each added
    item is predicted from in turn anyway; so a column costs the square of the grammar. This way a
    new sentence takes a third of the time. The forest is the same. Should Lark arrange its insides
    differently, nothing is done and only speed is lost.
    """
    predictions = getattr(getattr(lark.parser, "parser", None), "predictions", None)
    if not isinstance(predictions, dict):
        return
    direct: dict[object, list[object]] = {symbol: [] for symbol in predictions}
    for rule in lark.rules:
        direct[rule.origin].append(rule)
    predictions.update(direct)


def _grammar() -> str:
    folder = resources.files("neurosym.grammar").joinpath("rules")
    files = sorted((file for file in folder.iterdir()), key=lambda file: file.name)
    rules = "\n".join(file.read_text("utf-8") for file in files if file.name.endswith(".lark"))
    used = (member for member in WordClass if member is not WordClass.UNKNOWN)
    terminals = [f"{member.name}: / [^ ]*{member.value}[^ ]*/" for member in used]
    return "\n".join([rules, *terminals]) + "\n"


def _classes(names: object) -> tuple[WordClass, ...]:
    assert isinstance(names, set | frozenset | list)
    return tuple(member for member in WordClass if member.name in names)


def _tree(node: Node, units: tuple[Unit, ...], starts: dict[int, int], text: str) -> Tree:
    if isinstance(node, Branch):
        children = tuple(_tree(child, units, starts, text) for child in node.children)
        return Tree(node.label, children, Span(children[0].span.start, children[-1].span.end))
    index = starts[node.start]
    span = units[index].span
    return Tree(node.label, (), span, unit=index, words=span.of(text))
