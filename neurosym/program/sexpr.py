"""Programs as s-expressions: ``str(program)`` writes them, :func:`parse_program` reads them."""

from __future__ import annotations

import re
from typing import Any

from neurosym.errors import ProgramTypeError, did_you_mean, nearest
from neurosym.program.kinds import Comparison, Kind
from neurosym.program.operator import Name, Op, Whole, registry, signature
from neurosym.span import Span

_TOKEN = re.compile(r'\s*(?:(?P<paren>[()])|"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<symbol>[^\s()"]+))')
MAX_DEPTH = 200
"""Deepest nesting that :func:`parse_program` reads."""


def parse_program(text: str) -> Op:
    """Read a program from its s-expression.

    Args:
        text: for example ``(the (relate (select plate) left_of (the (select fork))))``.
            A trailing parameter that has a default may be left out.

    Returns:
        The program; ``str`` of it reads back to an equal one.

    Raises:
        ProgramTypeError: bad syntax, an unknown operator, or operands that do not fit; the error
            carries the text and the span at fault.

    Example:
        >>> from neurosym.program import parse_program
        >>> parse_program("(the (filter (select plate) color green))")
        (the (filter (select plate) color green))
    """
    tokens: list[tuple[str, bool, Span]] = []
    position = 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None:
            start = len(text) - len(text[position:].lstrip())
            raise ProgramTypeError(
                "a quotation mark is not closed", text=text, span=Span(start, len(text))
            )
        kind = str(match.lastgroup)
        value = match.group(kind)
        if kind == "quoted":
            value = re.sub(r"\\(.)", r"\1", value)
        tokens.append((value, kind == "paren", Span(match.start(kind), match.end(kind))))
        position = match.end()
    program, used = _read(text, tokens, 0, 0)
    if used < len(tokens):
        raise ProgramTypeError(
            "something follows the end of the program", text=text, span=tokens[used][2]
        )
    return program


def _read(
    text: str, tokens: list[tuple[str, bool, Span]], index: int, depth: int
) -> tuple[Op, int]:
    if index >= len(tokens) or tokens[index][:2] != ("(", True):
        span = tokens[index][2] if index < len(tokens) else Span(len(text), len(text) + 1)
        raise ProgramTypeError('a program starts with "("', text=text, span=span)
    if depth > MAX_DEPTH:
        raise ProgramTypeError(
            f"the program is nested more than {MAX_DEPTH} deep", text=text, span=tokens[index][2]
        )
    index += 1
    if index >= len(tokens) or tokens[index][1]:
        raise ProgramTypeError(
            'an operator name must follow "("', text=text, span=tokens[index - 1][2]
        )
    name, _, name_span = tokens[index]
    known = registry()
    if name not in known:
        hint = did_you_mean(nearest(name, known))
        raise ProgramTypeError(f'unknown operator "{name}"{hint}', text=text, span=name_span)
    index += 1
    values: dict[str, Any] = {}
    for parameter in signature(known[name]):
        if index < len(tokens) and tokens[index][:2] == (")", True):
            break
        if isinstance(parameter.declared, Kind):
            values[parameter.name], index = _read(text, tokens, index, depth + 1)
            continue
        if index >= len(tokens) or tokens[index][1]:
            span = tokens[index][2] if index < len(tokens) else Span(len(text), len(text) + 1)
            raise ProgramTypeError(f'"{name}" wants "{parameter.name}" here', text=text, span=span)
        raw, _, span = tokens[index]
        try:
            values[parameter.name] = _convert(raw, parameter.declared)
        except ValueError:
            wanted = "a whole number" if isinstance(parameter.declared, Whole) else "a comparison"
            raise ProgramTypeError(
                f'"{parameter.name}" of "{name}" must be {wanted}, not "{raw}"',
                text=text,
                span=span,
            ) from None
        index += 1
    if index >= len(tokens) or tokens[index][:2] != (")", True):
        span = tokens[index][2] if index < len(tokens) else Span(len(text), len(text) + 1)
        raise ProgramTypeError(f'"{name}" must be closed with ")" here', text=text, span=span)
    try:
        return known[name](**values), index + 1
    except TypeError:
        wanted = ", ".join(parameter.name for parameter in signature(known[name]))
        raise ProgramTypeError(
            f'"{name}" wants {wanted}', text=text, span=Span(name_span.start, tokens[index][2].end)
        ) from None
    except ProgramTypeError as error:
        raise ProgramTypeError(
            error.message, text=text, span=Span(name_span.start, tokens[index][2].end)
        ) from None


def _convert(raw: str, declared: Name | Whole | type[Comparison]) -> str | int | Comparison:
    if isinstance(declared, Whole):
        if not re.fullmatch(r"-?[0-9]+", raw):
            raise ValueError(raw)
        return int(raw)
    if isinstance(declared, Name):
        return raw
    return Comparison(raw)
