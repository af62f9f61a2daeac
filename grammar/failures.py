"""Why a text has no reading: where it fails, what was expected, and what was seen there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from neurosym.errors import GrammarError, did_you_mean, nearest
from neurosym.grammar.classes import EXPECTED_FIRST, OPEN, WordClass
from neurosym.grammar.lexicon import Lexicon
from neurosym.grammar.meaning import NoReadingError
from neurosym.grammar.syntax import Failure
from neurosym.grammar.units import Unit
from neurosym.span import Span

_SAID = 4


def position(failure: Failure, units: tuple[Unit, ...], text: str) -> int:
    """The character at which the grammar failed."""
    return units[failure.unit].span.start if failure.unit < len(units) else len(text)


def no_sentence(
    text: str, units: tuple[Unit, ...], failure: Failure, lexicon: Lexicon
) -> GrammarError:
    """The error of a text that the grammar has no tree for."""
    expected = _expected(failure.expected)
    clues = ["no sentence", *_around(units, failure.unit)]
    clues += [f"expected {word_class.name}" for word_class in failure.expected]

    def error(message: str, span: Span) -> GrammarError:
        return GrammarError(message, text=text, span=span, expected=expected, clues=clues)

    first, after = units[0] if units else None, units[1:2]
    begun = any(unit.all(WordClass.THE) or unit.all(WordClass.UNKNOWN) for unit in after)
    if first is not None and begun and failure.unit in (1, len(units)):
        plain = all(sense.word_class in OPEN for sense in first.senses)
        if first.tokens[0].tag in ("VB", "VBP") and plain:
            told = f'"{first.span.of(text)}" at {first.span}'
            clues[0] = "no command"
            return error(f"{told} is no command that is known here", first.span)
    if failure.unit >= len(units):
        end = units[-1].span.end if units else len(text)
        message = f"the text stops too early: {_listed(expected)} should follow"
        return error(message, Span(end, end + 1))
    unit = units[failure.unit]
    words = unit.span.of(text)
    for near in units[failure.unit : failure.unit - 2 if failure.unit > 1 else None : -1]:
        if near.not_understood:
            return not_understood(text, units, near, expected)
    if unit.all(WordClass.OF) and failure.unit and _is_noun(units[failure.unit - 1]):
        return error(
            f'what a thing is of is not understood yet: "{words}" at {unit.span}', unit.span
        )
    if unit.all(WordClass.UNKNOWN):
        word = unit.tokens[0].lower
        close = did_you_mean(nearest(word, lexicon.phrases())) if len(word) > 4 else ""
        message = f'"{words}" at {unit.span} is not known here{close}'
        if not close:
            message += f"; {_listed(expected)} was expected"
        return error(message, unit.span)
    return error(
        f'"{words}" at {unit.span} does not fit: {_listed(expected)} was expected', unit.span
    )


def not_understood(
    text: str, units: tuple[Unit, ...], unit: Unit, expected: Iterable[str] = ()
) -> GrammarError:
    """The error of a word that has no meaning in programs, or not where it stands."""
    words = f'"{unit.span.of(text)}" at {unit.span}'
    here = "yet" if unit.listed_unknown else "here"
    kinds = {sense.concept for sense in unit.senses if sense.word_class is WordClass.UNKNOWN}
    clues = ["not understood", *_around(units, units.index(unit))]
    return GrammarError(
        f"{words} is not understood {here}",
        text=text,
        span=unit.span,
        expected=expected,
        clues=[*clues, *(f"of {kind}" for kind in kinds)],
    )


def no_meaning(
    text: str, units: tuple[Unit, ...], refused: Iterable[NoReadingError]
) -> GrammarError:
    """The error of a text that has trees, none of which means anything."""
    for unit in units:
        if unit.listed_unknown:
            return not_understood(text, units, unit)
    for error in refused:
        if error.reason and error.span is not None:
            words = f'"{error.span.of(text)}" at {error.span}'
            return GrammarError(
                f"{error.reason}: {words}",
                text=text,
                span=error.span,
                clues=["no meaning", f"because {error.reason}"],
            )
    for unit in units:
        if unit.not_understood:
            return not_understood(text, units, unit)
    return GrammarError(
        "every word is known, but together it has no meaning here",
        text=text,
        span=Span.cover(unit.span for unit in units),
        clues=["no meaning"],
    )


def _is_noun(unit: Unit) -> bool:
    return any(
        unit.all(word_class)
        for word_class in (WordClass.NOUN, WordClass.PLURAL_NOUN, WordClass.GUESSED_NOUN)
    )


def _around(units: tuple[Unit, ...], at: int) -> Iterator[str]:
    """The classes of the word at fault and of the one before it."""
    for where, index in (("at", at), ("after", at - 1)):
        if 0 <= index < len(units):
            yield from sorted({f"{where} {s.word_class.name}" for s in units[index].senses})
        else:
            yield f"{where} the {'start' if index < 0 else 'end'}"


def _expected(expected: tuple[WordClass, ...]) -> tuple[str, ...]:
    """What was expected, in people's words; content words first."""
    ordered = sorted(expected, key=lambda c: c not in EXPECTED_FIRST)
    said = tuple(dict.fromkeys(word_class.description for word_class in ordered))
    return said or ("the end of the sentence",)


def _listed(expected: tuple[str, ...]) -> str:
    shown = expected[:_SAID]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"
