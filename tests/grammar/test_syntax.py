"""The automaton finds exactly the derivations that Lark's own parser finds, and stops in time."""

import itertools
from functools import lru_cache
from typing import Any

import pytest
from lark import Lark
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF
from lark.parsers.earley_forest import SymbolNode, TokenNode

from neurosym.errors import GrammarError
from neurosym.grammar import Parser, SpacyTokenizer
from neurosym.grammar.automaton import Automaton
from neurosym.grammar.chart import TooMuchError, recognise
from neurosym.grammar.classes import WordClass
from neurosym.grammar.forest import best_derivations
from neurosym.grammar.syntax import Failure, Syntax, grammar
from neurosym.grammar.units import segmentations
from tests.grammar.test_golden import CASES

MANY = 3_000
"""Sentences with more derivations are not compared: listing them all is what Lark is slow at."""


@lru_cache(maxsize=1)
def lark_itself() -> Lark:
    return Lark(
        grammar(), parser="earley", lexer="dynamic", ambiguity="forest", maybe_placeholders=False
    )


@pytest.mark.parametrize("part", range(8))
def test_derivations_are_those_of_lark(part: int, parser: Parser) -> None:
    compared = 0
    readable = [case for case in CASES if not case.error.startswith("TextError")]
    for case in readable[part::8][:24]:
        tokens = parser.tokenizer(case.text)
        units, _ = next(iter(segmentations(tokens, parser.lexicon, 1)))
        if not 0 < len(units) <= 14:
            continue
        codes = tuple(unit.code for unit in units)
        ours = Syntax()._derive_anew(codes, MANY)
        theirs = _lark_derivations("".join(f" {code}" for code in codes))
        if isinstance(ours, Failure):
            assert theirs == (ours.unit, {found.name for found in ours.expected}), case.text
            continue
        if theirs is None:
            continue
        assert sorted((round(cost, 6), _shown(node)) for cost, node in ours) == sorted(theirs)
        compared += 1
    assert compared > 8


def _shown(node: Any) -> str:
    label, below = node
    if isinstance(below, int):
        return f"{WordClass(label).name}@{below}"
    return f"({label} {' '.join(_shown(child) for child in below)})"


def _lark_derivations(pattern: str) -> Any:
    """All derivations of Lark's forest as (cost, text), or where it fails; None for too many."""
    try:
        root = lark_itself().parse(pattern)
    except UnexpectedCharacters as error:
        return pattern.count(" ", 0, error.pos_in_stream), set(error.allowed)
    except UnexpectedEOF as error:
        return pattern.count(" "), set(error.expected)
    known: dict[int, Any] = {}

    def all_of(node: Any) -> list[tuple[float, tuple[str, ...]]]:
        if node is None:
            return [(0.0, ())]
        if isinstance(node, TokenNode):
            unit = pattern.count(" ", 0, node.token.start_pos)
            return [(0.0, (f"{node.token.type}@{unit}",))]
        if id(node) not in known:
            known[id(node)] = [found for family in node.children for found in below(node, family)]
            if len(known[id(node)]) > MANY:
                raise OverflowError
        return known[id(node)]

    def below(node: SymbolNode, family: Any) -> list[tuple[float, tuple[str, ...]]]:
        pairs = itertools.product(all_of(family.left), all_of(family.right))
        found = [(a + b, (*left, *right)) for (a, left), (b, right) in pairs]
        if node.is_intermediate:
            return found
        cost = -(family.rule.options.priority or 0) / 10
        label = str(family.rule.alias or family.rule.origin.name)
        through = family.rule.options.expand1 and not family.rule.alias
        return [
            (
                below + cost,
                parts
                if label.startswith("_") or (through and len(parts) == 1)
                else (f"({label} {' '.join(parts)})",),
            )
            for below, parts in found
        ]

    try:
        return [(round(cost, 6), parts[0]) for cost, parts in all_of(root)]
    except OverflowError:
        return None


def test_no_phrase_may_be_empty() -> None:
    with pytest.raises(GrammarError, match="may be empty"):
        Automaton(Lark('start: NOUN _maybe\n_maybe:\nNOUN: "a"', parser="earley"))


def test_the_work_is_bounded(parser: Parser) -> None:
    automaton = Syntax()._automaton
    noun, on = WordClass.PLURAL_NOUN.value, WordClass.RELATION.value
    chart = recognise(automaton, (noun, *(on, noun) * 20))
    assert chart.complete
    assert len(best_derivations(chart, automaton.start, 16)) == 16
    with pytest.raises(TooMuchError):
        recognise(automaton, (noun, *(on, noun) * 20), max_steps=100)


def test_states_are_built_once(tokenizer: SpacyTokenizer) -> None:
    parser = Parser(tokenizer, cached=1)
    parser.parse("the red cup on the table")
    states = parser._syntax._automaton._states
    known = len(states)
    parser.parse("the green cups")
    parser.parse("the red cup on the table")
    parser.parse("the small plate on the floor")
    assert len(states) == known
