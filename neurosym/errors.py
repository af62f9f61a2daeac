"""The error tree: one root, one class per stage.

A message says what was called, what was wrong, what was expected and the nearest fix. Errors that
concern a text carry its span, and :meth:`NeurosymError.snippet` draws the caret.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from neurosym.span import Span


class NeurosymError(Exception):
    """Root of every error that neurosym raises on purpose.

    Args:
        message: one line for a person.
        text: the source text, where there is one.
        span: the characters of ``text`` that are at fault.
    """

    def __init__(self, message: str, *, text: str | None = None, span: Span | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.text = text
        self.span = span

    def snippet(self) -> str:
        """The text with a caret line under the span; empty when there is no text or span."""
        if self.text is None or self.span is None:
            return ""
        start = self.text.rfind("\n", 0, self.span.start) + 1
        line = self.text[start:].split("\n", 1)[0]
        width = max(1, min(self.span.end, start + len(line)) - self.span.start)
        return f"{line}\n{' ' * (self.span.start - start)}{'^' * width}"


class OptionError(NeurosymError):
    """An option lies outside of what it may be."""


class TextError(NeurosymError):
    """The text cannot be used at all: empty, too long, not a language we read."""


class GrammarError(NeurosymError):
    """The words are known, but no sentence of the grammar has this form.

    Args:
        message: one line for a person.
        text: the source text, where there is one.
        span: the characters of ``text`` that are at fault.
        expected: what would have fitted there, in people's words, the likeliest first.
        clues: what the grammar saw where it failed; kinds of mistakes are told apart by them.
    """

    def __init__(
        self,
        message: str,
        *,
        text: str | None = None,
        span: Span | None = None,
        expected: Iterable[str] = (),
        clues: Iterable[str] = (),
    ) -> None:
        super().__init__(message, text=text, span=span)
        self.expected = tuple(expected)
        self.clues = frozenset(clues)


class LexiconError(NeurosymError):
    """A lexicon file or entry is wrong."""


class ProgramTypeError(NeurosymError):
    """A program is not well typed."""


class SceneError(NeurosymError):
    """A scene's arrays do not fit together, or a saved scene cannot be read."""


class UnknownConceptError(NeurosymError):
    """A program names a category, value, relation or measure that the scene does not have.

    Attributes:
        kind: "category", "attribute", "value", "relation" or "measure".
        name: the name that was asked for.
        nearest: known names close to it.

    Args:
        kind, name: see above.
        known: the names that there are.
        span: of the name in the text.
        why: what else there is to know, for the message.
    """

    def __init__(
        self, kind: str, name: str, known: Iterable[str], *, span: Span | None = None, why: str = ""
    ) -> None:
        self.kind = kind
        self.name = name
        self.nearest = nearest(name, known)
        super().__init__(
            f'this scene has no {kind} "{name}"{did_you_mean(self.nearest)}'
            + (f" ({why})" if why else ""),
            span=span,
        )


class ExecutionError(NeurosymError):
    """A program cannot be executed within its bounds."""


class OperatorNotSupportedError(ExecutionError):
    """An executor has no rule for an operator."""

    def __init__(self, operator: str, executor: str) -> None:
        super().__init__(f'the executor "{executor}" has no rule for the operator "{operator}"')


class PerceptionError(NeurosymError):
    """An image cannot be read or perceived."""


class ModelStoreError(NeurosymError):
    """Weights are missing, damaged or cannot be fetched."""


class DataError(NeurosymError):
    """A data set or a file given by the user cannot be read."""


CLOSE = 0.7
"""How similar a name must be to be suggested, as difflib's ratio in [0, 1]; one slip is enough in
short names, whose ratios are low."""


def nearest(name: str, known: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """The names of ``known`` that are closest to ``name``, best first."""
    candidates = difflib.get_close_matches(name, list(known), n=2 * limit, cutoff=0.6)
    close = [
        other
        for other in candidates
        if other != name
        and (_ratio(name, other) >= CLOSE or (len(name) == len(other) and _slips(name, other) == 1))
    ]
    return tuple(close[:limit])


def _ratio(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()


def _slips(one: str, other: str) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))


def did_you_mean(names: Iterable[str]) -> str:
    """``: did you mean "a" or "b"?`` for a message, or nothing when there are no names."""
    quoted = [f'"{name}"' for name in names]
    return f": did you mean {' or '.join(quoted)}?" if quoted else ""
