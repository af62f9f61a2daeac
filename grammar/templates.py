"""Programs of texts that differ from an earlier one in words of the same kind only.

The program of a canonical form is made once, by the ordinary parser, and is then filled in with
what was said in place of the stand-ins.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from neurosym.grammar.forms import (
    ATTRIBUTES,
    DIRECTION,
    HEAD,
    MATERIAL,
    NOUN,
    ORDINAL,
    PLACE,
    Form,
)
from neurosym.grammar.ranks import ORDER_OF_PLACE
from neurosym.grammar.tokens import Token
from neurosym.grammar.units import Unit
from neurosym.program import Everything, Filter, Kind, Op, Select, Superlative
from neurosym.program.operator import signature
from neurosym.span import Span

REMEMBERED = 4096
"""Templates that are remembered."""
LEAST_SCORE = -1.0
"""A template has to score more than this. Below, phrases that are read word by word may matter,
and a stand-in is no such phrase."""

_STAND_INS = {ORDINAL: 7, PLACE: ORDER_OF_PLACE[PLACE], DIRECTION: DIRECTION}
"""What programs have for stand-ins, nouns and attributes aside."""
_FIELDS = {ORDINAL: "rank", PLACE: "order", DIRECTION: "relation"}
"""Where programs have it."""


def is_same(program: Op, other: Op) -> bool:
    """Whether programs are equal, and from the same words."""
    return program == other and all(
        a.words == b.words for a, b in zip(program.walk(), other.walk(), strict=True)
    )


_Ranges: TypeAlias = tuple[tuple[int, int], ...]
"""Spans as the first and the last of the parts that they are over."""


@dataclass(frozen=True, slots=True)
class _Step:
    """How a node of a program is made.

    Attributes:
        operator: its class.
        fixed: its names and numbers that are the same for all texts.
        operands: its operands' fields, with the numbers of the steps that make them.
        words: its spans; of a step for attributes, those of the whole beside the attributes.
        filled: its names and numbers that are a part's: the field and the part.
        head: the part that names what it selects; -1 for other nodes.
        attributes: the part with the attributes that it filters by; -1 for other nodes.
    """

    operator: type[Op]
    fixed: dict[str, Any]
    operands: tuple[tuple[str, int], ...]
    words: _Ranges
    filled: tuple[tuple[str, int], ...]
    head: int = -1
    attributes: int = -1


@dataclass(frozen=True, slots=True)
class Template:
    """The program of all texts of a canonical form.

    Attributes:
        score: of that reading.
        unused: the parts that the program does not use.
    """

    score: float
    unused: tuple[int, ...]
    _steps: tuple[_Step, ...]

    def left_out(self, form: Form, tokens: tuple[Token, ...]) -> tuple[Token, ...]:
        """The words of a text that the program does not use."""
        spans = [(form.starts[part], form.ends[part]) for part in self.unused]
        return tuple(
            token
            for start, end in spans
            for token in tokens
            if start <= token.span.start and token.span.end <= end
        )

    def program(self, form: Form) -> Op:
        """The program of a text."""
        starts, ends, values = form.starts, form.ends, form.values
        made: list[Op] = []
        for step in self._steps:
            if step.attributes >= 0:
                ((name, operand),) = step.operands
                op = made[operand]
                for start, end, attribute, value in reversed(values[step.attributes]):
                    op = _made(
                        Filter,
                        {
                            name: op,
                            "attribute": attribute,
                            "value": value,
                            "words": (Span(start, end),),
                        },
                    )
                if step.words:
                    more = tuple([Span(starts[i], ends[j]) for i, j in step.words])
                    op = _made(type(op), {**op.__dict__, "words": (*op.words, *more)})
                made.append(op)
                continue
            fields: dict[str, Any] = {
                "words": tuple([Span(starts[i], ends[j]) for i, j in step.words])
            }
            if step.head >= 0:
                concept = values[step.head]
                if concept is None:
                    made.append(_made(Everything, fields))
                else:
                    fields["category"] = concept
                    made.append(_made(Select, fields))
                continue
            fields.update(step.fixed)
            for name, part in step.filled:
                fields[name] = values[part]
            for name, operand in step.operands:
                fields[name] = made[operand]
            made.append(_made(step.operator, fields))
        return made[-1]


def _made(operator: type[Op], fields: dict[str, Any]) -> Op:
    """A node that is known to be well typed, without another check."""
    op = object.__new__(operator)
    op.__dict__.update(fields)
    return op


def compiled(
    form: Form,
    program: Op,
    score: float,
    units: Iterable[Unit],
    unused: Iterable[Span],
) -> Template | None:
    """The template of a canonical form; None where the form does not say all of the program.

    Args:
        form: a text in canonical form.
        program: the best reading of the form as a text.
        score: of the reading.
        units: the words and phrases that the form was cut into.
        unused: where the words are that the program does not use.
    """
    begin: dict[int, int] = {}
    finish: dict[int, int] = {}
    at = 0
    for part, (_, word) in enumerate(form.key):
        begin[at], finish[at + len(word)] = part, part
        at += len(word) + 1
    roles = [role for role, _ in form.key]
    if score <= LEAST_SCORE:
        return None
    for unit in units:
        if begin.get(unit.span.start, -1) != finish.get(unit.span.end, -2):
            return None
    left_out: dict[int, None] = {}
    for span in unused:
        part = next(p for s, p in reversed(begin.items()) if s <= span.start)
        if roles[part] in (ATTRIBUTES, HEAD):
            return None
        left_out[part] = None
    steps: list[_Step] = []
    numbers: dict[int, int] = {}
    for node in program.walk():
        if id(node) in numbers:
            continue
        step = _step(node, roles, begin, finish, numbers)
        if step is None:
            return None
        numbers[id(node)] = len(steps)
        steps.append(step)
    return Template(score, tuple(left_out), tuple(steps))


def _step(
    node: Op,
    roles: list[str],
    begin: dict[int, int],
    finish: dict[int, int],
    numbers: dict[int, int],
) -> _Step | None:
    """How a node of a canonical form's program is made; None when parts do not tell."""
    if any(s.start not in begin or s.end not in finish for s in node.words):
        return None
    words = tuple((begin[s.start], finish[s.end]) for s in node.words)
    fixed: dict[str, Any] = {}
    operands: list[tuple[str, int]] = []
    for parameter in signature(type(node)):
        value = getattr(node, parameter.name)
        if isinstance(parameter.declared, Kind):
            operands.append((parameter.name, numbers[id(value)]))
        else:
            fixed[parameter.name] = value
    head = attributes = -1
    filled: list[tuple[str, int]] = []
    for first, last in words:
        role = roles[first]
        if first != last:
            # Where a run of no attributes begins or ends is not where it is said to.
            if ATTRIBUTES in (role, roles[last]):
                return None
            continue
        if not role:
            continue
        if role == HEAD:
            if type(node) is not Select or len(words) != 1:
                return None
            head = first
            fixed.pop("category")
        elif role == ATTRIBUTES:
            # A pronoun for what they say is said by the last of them, or without any by the noun.
            if type(node) is not Filter or words[0] != (first, last) or attributes >= 0:
                return None
            attributes = first
            fixed.clear()
        else:
            name = _FIELDS[role]
            if fixed.pop(name, None) != _STAND_INS[role]:
                return None
            if role != DIRECTION and type(node) is not Superlative:
                return None
            filled.append((name, first))
    if attributes >= 0:
        if filled:
            return None
        words = words[1:]
    if any(fixed[name] in (NOUN, MATERIAL, DIRECTION) for name in fixed):
        return None
    return _Step(type(node), fixed, tuple(operands), words, tuple(filled), head, attributes)


class Templates:
    """The templates that were made so far; those that were not used for long are forgotten.

    Args:
        most: how many are remembered, with the forms that have none.
    """

    def __init__(self, most: int = REMEMBERED) -> None:
        self._most = most
        self._known: OrderedDict[tuple[tuple[str, str], ...], Template | None] = OrderedDict()

    def __contains__(self, form: Form) -> bool:
        return form.key in self._known

    def __len__(self) -> int:
        return len(self._known)

    def get(self, form: Form) -> Template | None:
        """The template of a form, if one was made."""
        found = self._known.get(form.key)
        if found is not None:
            self._known.move_to_end(form.key)
        return found

    def add(self, form: Form, template: Template | None) -> None:
        """Remember the template of a form, or that it has none."""
        self._known[form.key] = template
        if len(self._known) > self._most:
            self._known.popitem(last=False)
