"""Class codes to syntax trees: the Lark grammar, its errors and its cache."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import TypeAlias

from lark import Lark

from neurosym.errors import GrammarError
from neurosym.grammar.automaton import Automaton
from neurosym.grammar.chart import TooMuchError, recognise
from neurosym.grammar.classes import WordClass
from neurosym.grammar.collector import collector_paused
from neurosym.grammar.forest import Node, best_derivations
from neurosym.grammar.tree import Tree
from neurosym.grammar.units import Unit
from neurosym.span import Span

MAX_TREES = 48
"""Most syntax trees of a sentence."""
FIRST_TREES = 12
"""Trees that are read in any case; the others only while they may give a better reading."""
MAX_UNITS = 80
"""Longest sentence that is parsed, in words and phrases of the lexicon."""
CACHED = 1024
"""Sentence patterns whose trees are remembered."""

_Derivations: TypeAlias = tuple[tuple[float, Node], ...]
"""The derivations of a sentence with their costs, cheapest first."""

_LABELS = {member.value: member.name for member in WordClass}


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

    The terminals are the members of :class:`WordClass`, and a sentence is the codes of its words.
    A word of several classes is thus as ambiguous as the grammar lets it be, and sentences of one
    pattern share their parse. Lark reads the grammar; the rules that it makes of it are parsed by
    an automaton of ours, because Lark's parser enters every rule for every word anew.

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
        self._automaton = _automaton()
        self._first = min(FIRST_TREES, max_trees)
        self._derive = functools.lru_cache(maxsize=cached)(self._derive_anew)

    def parse(self, units: tuple[Unit, ...], text: str) -> Iterator[tuple[float, Tree]] | Failure:
        """The cheapest trees of a sentence with their costs, or where it fails.

        The trees are made one by one, as they are asked for.

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
        codes = tuple(unit.code for unit in units)
        found = self._derive(codes, self._first)
        if isinstance(found, TooMuchError):
            raise GrammarError(
                "the sentence can be understood in too many ways from here on",
                text=text,
                span=units[found.unit].span,
            )
        if isinstance(found, Failure):
            return found
        return self._trees(codes, found, units, text)

    def _trees(
        self, codes: tuple[str, ...], first: _Derivations, units: tuple[Unit, ...], text: str
    ) -> Iterator[tuple[float, Tree]]:
        """The trees of a sentence, given the first derivations of its codes."""
        built: dict[int, Tree] = {}
        for cost, node in first:
            yield cost, _tree(node, units, text, built)
        if len(first) < self._first or self._first == self.max_trees:
            return
        more = self._derive(codes, self.max_trees)
        assert isinstance(more, tuple)
        built = {}
        for cost, node in more[self._first :]:
            yield cost, _tree(node, units, text, built)

    def _derive_anew(
        self, codes: tuple[str, ...], limit: int
    ) -> _Derivations | Failure | TooMuchError:
        with collector_paused():
            try:
                chart = recognise(self._automaton, codes)
            except TooMuchError as error:
                return error
            if not chart.complete:
                return Failure(len(chart.columns) - 1, _classes(chart.expected))
            return best_derivations(chart, self._automaton.start, limit)


@functools.lru_cache(maxsize=1)
def _automaton() -> Automaton:
    return Automaton(Lark(grammar(), parser="earley", maybe_placeholders=False))


def grammar() -> str:
    """The grammar as Lark reads it: the rules, and for every word class a terminal.

    A terminal matches one word whose code has the class's letter, so that Lark itself can parse
    the codes of a sentence with a space before each.
    """
    folder = resources.files("neurosym.grammar").joinpath("rules")
    files = sorted((file for file in folder.iterdir()), key=lambda file: file.name)
    rules = "\n".join(file.read_text("utf-8") for file in files if file.name.endswith(".lark"))
    used = (member for member in WordClass if member is not WordClass.UNKNOWN)
    terminals = [f"{member.name}: / [^ ]*{member.value}[^ ]*/" for member in used]
    return "\n".join([rules, *terminals]) + "\n"


def _classes(codes: frozenset[str]) -> tuple[WordClass, ...]:
    return tuple(member for member in WordClass if member.value in codes)


def _tree(node: Node, units: tuple[Unit, ...], text: str, built: dict[int, Tree]) -> Tree:
    """The tree of a derivation; what derivations share is built once, by its identity."""
    tree = built.get(id(node))
    if tree is not None:
        return tree
    label, below = node
    if isinstance(below, int):
        span = units[below].span
        tree = Tree(_LABELS[label], (), span, unit=below, words=span.of(text))
    else:
        children = tuple([_tree(child, units, text, built) for child in below])
        tree = Tree(label, children, Span(children[0].span.start, children[-1].span.end))
    built[id(node)] = tree
    return tree
