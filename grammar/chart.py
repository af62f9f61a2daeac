"""The chart of a sentence: which phrases it has, from where to where."""

from __future__ import annotations

from dataclasses import dataclass, field

from neurosym.grammar.automaton import END, Automaton, Rule, State, Symbol

MAX_STEPS = 50_000
"""Most steps of the automaton taken for a sentence."""


class TooMuchError(Exception):
    """A sentence is more ambiguous than is worth following.

    Args:
        unit: the position of the word that was being read.
    """

    def __init__(self, unit: int) -> None:
        super().__init__(f"too many readings at word {unit}")
        self.unit = unit


@dataclass(slots=True)
class Column:
    """What is known at one place between words.

    Attributes:
        phrases: the phrases that end here, by name and first word, with their rules.
        starts: for every phrase that ends here, the words that it may begin at, nearest first.
        waiting: for every phrase that may follow something begun earlier, the states after it,
            each with the word at which its rules began.
        predicted: what can begin here.
    """

    phrases: dict[tuple[Symbol, int], list[Rule]] = field(default_factory=dict)
    starts: dict[Symbol, list[int]] = field(default_factory=dict)
    waiting: dict[Symbol, list[tuple[State, int]]] = field(default_factory=dict)
    predicted: State | None = None


@dataclass(slots=True)
class Chart:
    """Everything that was recognised in a sentence.

    Attributes:
        codes: the class codes of its words.
        columns: what is known before, between and after them; fewer where the sentence fails.
        expected: the codes of the classes that would have fitted where reading stopped.
        complete: whether the whole of it is a sentence.
    """

    codes: tuple[str, ...]
    columns: list[Column]
    expected: frozenset[Symbol]
    complete: bool


def recognise(automaton: Automaton, codes: tuple[str, ...], max_steps: int = MAX_STEPS) -> Chart:
    """Find all phrases of a sentence that can be part of it from the left.

    Args:
        automaton: the grammar.
        codes: for every word the codes of its classes.
        max_steps: most steps of the automaton taken.

    Raises:
        TooMuchError: ``max_steps`` were not enough.
    """
    chart = _recognise(automaton, codes, max_steps, ahead=True)
    if chart.complete:
        return chart
    # What does not fit the next word was not followed. Where there is no sentence, all that could
    # have come is to be told.
    return _recognise(automaton, codes, max_steps, ahead=False)


def _recognise(
    automaton: Automaton, codes: tuple[str, ...], max_steps: int, *, ahead: bool
) -> Chart:
    columns = [Column(predicted=automaton.initial)]
    reached: list[tuple[State, int]] = [(automaton.initial, 0)]
    steps = 0
    for end, code in enumerate(codes, 1):
        column = Column()
        scanned = dict.fromkeys(
            (after, origin)
            for state, origin in reached
            for letter in code
            if (after := automaton.step(state, letter)) is not None
        )
        if not scanned:
            return Chart(codes, columns, _classes(reached), False)
        following = None if not ahead else codes[end] if end < len(codes) else END
        _complete(automaton, columns, column, scanned, following)
        steps += len(scanned)
        if steps > max_steps:
            raise TooMuchError(end - 1)
        reached = list(scanned)
        begins = 0
        for state, origin in reached:
            begins |= state.begins
            for symbol, after in automaton.waiting(state):
                column.waiting.setdefault(symbol, []).append((after, origin))
        column.predicted = automaton.predicted(begins)
        reached.append((column.predicted, end))
        columns.append(column)
    complete = bool(codes) and (automaton.start, 0) in columns[-1].phrases
    return Chart(codes, columns, _classes(reached), complete)


def _complete(
    automaton: Automaton,
    columns: list[Column],
    column: Column,
    reached: dict[tuple[State, int], None],
    following: str | None,
) -> None:
    """Add to ``reached`` what the phrases that end here lead to.

    Args:
        automaton: the grammar.
        columns: those before.
        column: the one to fill.
        reached: what the last word led to.
        following: the codes of the next word, END after the last one; None follows everything.
    """
    agenda = list(reached)
    phrases, starts = column.phrases, column.starts
    while agenda:
        state, origin = agenda.pop()
        for symbol, rules in state.completed:
            known = phrases.get((symbol, origin))
            if following is not None and not _fits(following, automaton.followers[symbol]):
                continue
            if known is not None:
                known += [rule for rule in rules if rule not in known]
                continue
            phrases[symbol, origin] = list(rules)
            starts.setdefault(symbol, []).append(origin)
            before = columns[origin]
            assert before.predicted is not None
            found = before.waiting.get(symbol, ())
            begun = automaton.step(before.predicted, symbol)
            if begun is not None:
                found = [*found, (begun, origin)]
            for pair in found:
                if pair not in reached:
                    reached[pair] = None
                    agenda.append(pair)


def _fits(codes: str, followers: frozenset[Symbol]) -> bool:
    return not followers.isdisjoint(codes) if codes else END in followers


def _classes(reached: list[tuple[State, int]]) -> frozenset[Symbol]:
    return frozenset().union(*(state.classes for state, _ in reached))
