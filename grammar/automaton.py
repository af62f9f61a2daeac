"""The grammar as an automaton that is built while it is used: what fits after what was read.

A state is a set of rules with a place reached in each, as in LR parsing. All rules that a word can
begin are entered by one step of the automaton, so that reading a word costs a look-up however many
rules the grammar has, and what one sentence has had built the next one finds. Sentences may be
ambiguous: the states are those of an Earley parser (Aycock and Horspool, "Practical
Earley Parsing", 2002), which is kept in ``chart.py``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from lark import Lark

from neurosym.errors import GrammarError
from neurosym.grammar.classes import WordClass

Symbol: TypeAlias = str
"""A phrase by its name in the grammar files, or a word class by its code."""
Item: TypeAlias = "tuple[Rule, int]"
"""A rule, and how many of its parts have been read."""

END: Symbol = ""
"""What follows the last word of a sentence."""


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One way to make a phrase.

    Attributes:
        number: its position among all rules; the rules of a phrase are in the order of the files.
        origin: the phrase.
        parts: what it is made of.
        cost: what taking it costs; priorities in the grammar files are costs in tenths, negative.
        label: what the phrase is called in trees.
        inlined: whether its parts go into the phrase above instead.
        transparent: whether it gives way to a single part.
    """

    number: int
    origin: Symbol
    parts: tuple[Symbol, ...]
    cost: float
    label: str
    inlined: bool
    transparent: bool


@dataclass(slots=True, eq=False)
class State:
    """What may have been read, and what can follow.

    Attributes:
        expected: what can follow, each with the rules as far as they are read after it.
        completed: the phrases that end here, each with its rules.
        waiting: the phrases that can follow, each with the state after it.
        begins: every phrase that can begin here, as a set of bits.
        classes: the codes of the word classes that fit here, inside a rule.
    """

    expected: dict[Symbol, list[Item]]
    completed: tuple[tuple[Symbol, tuple[Rule, ...]], ...]
    begins: int
    classes: frozenset[Symbol]
    after: dict[Symbol, State | None] = field(default_factory=dict)
    waiting: tuple[tuple[Symbol, State], ...] | None = None


class Automaton:
    """The states of a Lark grammar without empty phrases, made when they are first needed.

    Args:
        lark: the grammar, with the names of word classes for terminals.
        start: the phrase that a sentence is.

    Attributes:
        followers: for every phrase the classes that may follow it, and END where a sentence may
            end.

    Raises:
        GrammarError: a rule derives nothing.
    """

    def __init__(self, lark: Lark, start: Symbol = "start") -> None:
        self.start = start
        self.rules = tuple(_rules(lark))
        self._phrases = frozenset(rule.origin for rule in self.rules)
        for rule in self.rules:
            if not rule.parts:
                raise GrammarError(f'the phrase "{rule.origin}" of the grammar may be empty')
        # Each once: states share them, and there are many states.
        self._items = [[(rule, at) for at in range(len(rule.parts) + 1)] for rule in self.rules]
        self._bits = {symbol: 1 << bit for bit, symbol in enumerate(sorted(self._phrases))}
        self._corners = self._left_corners()
        self.followers = self._followers()
        self._states: dict[frozenset[Item], State] = {}
        self._predicted: dict[int, State] = {}
        self.initial = self.predicted(self._corners[start])

    def predicted(self, begins: int) -> State:
        """The state of everything that begins at a place, given what can, as a set of bits."""
        known = self._predicted.get(begins)
        if known is None:
            entered = frozenset(
                self._items[rule.number][0]
                for rule in self.rules
                if begins & self._bits[rule.origin]
            )
            known = self._predicted[begins] = self._state(entered)
        return known

    def step(self, state: State, symbol: Symbol) -> State | None:
        """The state after a phrase or a word; None where it does not fit."""
        try:
            return state.after[symbol]
        except KeyError:
            read = state.expected.get(symbol)
            state.after[symbol] = found = self._state(frozenset(read)) if read else None
            return found

    def waiting(self, state: State) -> tuple[tuple[Symbol, State], ...]:
        """The phrases that can follow a state, each with the state after it."""
        if state.waiting is None:
            expected = (symbol for symbol in state.expected if symbol in self._phrases)
            pairs = ((symbol, self.step(state, symbol)) for symbol in expected)
            state.waiting = tuple((symbol, after) for symbol, after in pairs if after is not None)
        return state.waiting

    def _state(self, items: frozenset[Item]) -> State:
        state = self._states.get(items)
        if state is None:
            state = self._states[items] = self._new_state(items)
        return state

    def _new_state(self, items: frozenset[Item]) -> State:
        completed: dict[Symbol, list[Rule]] = {}
        expected: dict[Symbol, list[Item]] = {}
        for rule, at in sorted(items, key=lambda item: (item[0].number, item[1])):
            if at == len(rule.parts):
                completed.setdefault(rule.origin, []).append(rule)
            else:
                expected.setdefault(rule.parts[at], []).append(self._items[rule.number][at + 1])
        begins = 0
        for symbol in expected.keys() & self._phrases:
            begins |= self._corners[symbol]
        return State(
            expected,
            tuple((symbol, tuple(rules)) for symbol, rules in completed.items()),
            begins,
            frozenset(expected.keys() - self._phrases),
        )

    def _left_corners(self) -> dict[Symbol, int]:
        """For every phrase the bits of those that may stand at its beginning, itself among them."""
        direct: dict[Symbol, set[Symbol]] = {phrase: set() for phrase in self._phrases}
        for rule in self.rules:
            if rule.parts[0] in self._phrases:
                direct[rule.origin].add(rule.parts[0])
        return {
            phrase: sum(self._bits[corner] for corner in _reachable(phrase, direct))
            for phrase in self._phrases
        }

    def _followers(self) -> dict[Symbol, frozenset[Symbol]]:
        """For every phrase the classes that may follow it, and END where a sentence may end."""
        first = {
            phrase: {
                rule.parts[0]
                for rule in self.rules
                if corners & self._bits[rule.origin] and rule.parts[0] not in self._phrases
            }
            for phrase, corners in self._corners.items()
        }
        direct: dict[Symbol, set[Symbol]] = {phrase: set() for phrase in self._phrases}
        ends: dict[Symbol, set[Symbol]] = {phrase: set() for phrase in self._phrases}
        for rule in self.rules:
            for part, after in itertools.pairwise(rule.parts):
                if part in self._phrases:
                    direct[part] |= first.get(after, {after})
            if rule.parts[-1] in self._phrases:
                ends[rule.parts[-1]].add(rule.origin)
        direct[self.start].add(END)
        return {
            phrase: frozenset().union(*(direct[above] for above in _reachable(phrase, ends)))
            for phrase in self._phrases
        }


def _reachable(start: Symbol, edges: dict[Symbol, set[Symbol]]) -> set[Symbol]:
    found, waiting = {start}, [start]
    while waiting:
        new = edges[waiting.pop()] - found
        found |= new
        waiting += new
    return found


def _rules(lark: Lark) -> Iterable[Rule]:
    codes = {member.name: member.value for member in WordClass}
    ordered = sorted(lark.rules, key=lambda rule: (rule.origin.name, rule.order))
    for number, rule in enumerate(ordered):
        label = str(rule.alias or rule.origin.name)
        yield Rule(
            number=number,
            origin=str(rule.origin.name),
            parts=tuple(
                codes[symbol.name] if symbol.is_term else str(symbol.name)
                for symbol in rule.expansion
            ),
            cost=-(rule.options.priority or 0) / 10,
            label=label,
            inlined=label.startswith("_"),
            transparent=bool(rule.options.expand1 and not rule.alias),
        )
