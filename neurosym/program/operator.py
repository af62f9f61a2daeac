"""The base of all operators: a frozen node, its registry, its type check and its printed form."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, ClassVar, Self, dataclass_transform, get_args, get_type_hints

from neurosym.errors import ProgramTypeError, did_you_mean, nearest
from neurosym.program.kinds import ACTIONS, FORMS, ORDERS, PORTIONS, Comparison, Kind
from neurosym.span import Span

SYMBOL = re.compile(r'[^\s()"\\]+')
"""What a name must be to be printed without quotation marks."""


@dataclass(frozen=True, slots=True)
class Name:
    """Declares a field that holds a name of the scene's or the language's vocabulary.

    Attributes:
        role: what the name names ("category", "attribute", "value", "relation", "order",
            "portion", "form", "action", "goal", "pointer").
        known: the admissible names, or None when only a scene can tell.
    """

    role: str
    known: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Whole:
    """Declares a field that holds a whole number.

    Attributes:
        least: the smallest admissible value.
    """

    least: int


_REGISTRY: dict[str, type[Op]] = {}
_SIGNATURES: dict[type[Op], tuple[Parameter, ...]] = {}


@dataclass_transform(frozen_default=True, kw_only_default=False)
@dataclass(frozen=True, repr=False, eq=False)
class Op:
    """One node of a program.

    A subclass is an operator, defined once: its annotated fields are its signature, ``returns``
    its kind, ``evoked_by`` the words that call for it, ``explanation`` its English, and its
    docstring says what it means (``Meaning:``) and over which axes its value runs (``Axes:``).
    Leaving one out is an error that names the operator and the part.

    Nodes are frozen, compare and hash by their fields, and are well typed from birth.

    Attributes:
        restrictor: of a quantifier, the operand without members of which it holds or fails
            vacuously; empty for other operators.
        presupposes: whether it fails in a world where what it presupposes does not hold.
        sees_all: whether it looks at attributes and values that it does not name.
        words: spans of the words that this node itself comes from (not those of its operands);
            ignored in comparisons.

    Raises:
        ProgramTypeError: an operand has the wrong kind, or a name or number is inadmissible.
    """

    returns: ClassVar[Kind]
    evoked_by: ClassVar[tuple[str, ...]]
    explanation: ClassVar[str]
    name: ClassVar[str]
    restrictor: ClassVar[str] = ""
    presupposes: ClassVar[bool] = False
    sees_all: ClassVar[bool] = False

    words: tuple[Span, ...] = field(default=(), kw_only=True)

    def __init_subclass__(cls) -> None:
        cls.name = "".join("_" + c.lower() if c.isupper() else c for c in cls.__name__).lstrip("_")
        doc = inspect.cleandoc(cls.__dict__.get("__doc__") or "")
        for part, there in (
            ("returns", "returns" in cls.__dict__),
            ("evoked_by", "evoked_by" in cls.__dict__),
            ("explanation", "explanation" in cls.__dict__),
            ("a docstring with Meaning:", "Meaning:" in doc),
            ("a docstring with Axes:", "Axes:" in doc),
        ):
            if not there:
                raise ProgramTypeError(f'the operator "{cls.name}" lacks {part}')
        if cls.name in _REGISTRY:
            raise ProgramTypeError(f'there is an operator "{cls.name}" already')
        dataclass(frozen=True, repr=False, eq=False)(cls)
        _REGISTRY[cls.name] = cls

    def __post_init__(self) -> None:
        for parameter in signature(type(self)):
            parameter.check(type(self).name, getattr(self, parameter.name))

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(self) is not type(other) or hash(self) != hash(other):
            return False
        return self._values == other._values

    def __hash__(self) -> int:
        return self._hash

    # Programs are looked up by value all the time; these are computed once, from the leaves up.

    @cached_property
    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, parameter.name) for parameter in signature(type(self)))

    @cached_property
    def _names(self) -> tuple[tuple[str, str], ...]:
        named: tuple[tuple[str, str], ...] = ()
        for parameter in signature(type(self)):
            if isinstance(parameter.declared, Name):
                role, name = parameter.declared.role, str(getattr(self, parameter.name))
                named += ((role, name),)
                if role == "form":
                    named += (("relation", FORMS[name].relation),)
        return named

    @cached_property
    def _hash(self) -> int:
        return hash((self.name, self._values))

    def __str__(self) -> str:
        parts = [self.name]
        for parameter in signature(type(self)):
            value = getattr(self, parameter.name)
            parts.append(value.value if isinstance(value, enum.Enum) else _atom(value))
        return f"({' '.join(parts)})"

    def __repr__(self) -> str:
        return str(self)

    @cached_property
    def operands(self) -> tuple[Op, ...]:
        """The nodes below this one, in field order."""
        return tuple(
            getattr(self, parameter.name)
            for parameter in signature(type(self))
            if isinstance(parameter.declared, Kind)
        )

    @cached_property
    def size(self) -> int:
        """The number of nodes that :meth:`walk` yields. A node that occurs twice counts twice."""
        return 1 + sum(operand.size for operand in self.operands)

    @property
    def span(self) -> Span | None:
        """The smallest span over the words of this node and of everything below it."""
        return Span.cover(word for node in self.walk() for word in node.words)

    def walk(self) -> Iterator[Op]:
        """Every node below and including this one, operands before the node, left to right.

        The order is the order of evaluation. A node that occurs twice is yielded twice.
        """
        # Without recursion, so that a program of any depth can be refused for its size.
        waiting: list[tuple[Op, int]] = [(self, 0)]
        while waiting:
            node, done = waiting.pop()
            if done < len(node.operands):
                waiting += [(node, done + 1), (node.operands[done], 0)]
            else:
                yield node

    def rebuild(self, change: Callable[[Op], Op]) -> Op:
        """The program with ``change`` applied to every node, operands first."""
        replaced: dict[str, Any] = {
            parameter.name: getattr(self, parameter.name).rebuild(change)
            for parameter in signature(type(self))
            if isinstance(parameter.declared, Kind)
        }
        return change(dataclasses.replace(self, **replaced) if replaced else self)

    def at(self, *spans: Span) -> Self:
        """The same node with these ``words``."""
        return dataclasses.replace(self, words=spans)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One field of an operator's signature.

    Attributes:
        name: the field's name.
        declared: what it holds: a kind (an operand), a name, a whole number, or a comparison.
    """

    name: str
    declared: Kind | Name | Whole | type[Comparison]

    def check(self, operator: str, value: object) -> None:
        """Raise ProgramTypeError unless ``value`` fits."""
        where = f'"{self.name}" of "{operator}"'
        if isinstance(self.declared, Kind):
            if not isinstance(value, Op):
                raise ProgramTypeError(f"{where} must be a program, not {value!r}")
            if not self.declared.accepts(value.returns):
                raise ProgramTypeError(
                    f"{where} must be {self.declared.value}, but {value} is {value.returns.value}",
                    span=value.span,
                )
        elif isinstance(self.declared, Name):
            if not isinstance(value, str) or not value:
                raise ProgramTypeError(
                    f"{where} must be the name of a {self.declared.role}, not {value!r}"
                )
            if self.declared.known is not None and value not in self.declared.known:
                hint = did_you_mean(nearest(value, self.declared.known))
                raise ProgramTypeError(f'{where}: unknown {self.declared.role} "{value}"{hint}')
        elif isinstance(self.declared, Whole):
            if not isinstance(value, int) or isinstance(value, bool) or value < self.declared.least:
                raise ProgramTypeError(
                    f"{where} must be a whole number of at least {self.declared.least}, "
                    f"not {value!r}"
                )
        elif not isinstance(value, Comparison):
            raise ProgramTypeError(f"{where} must be a comparison, not {value!r}")


Objects = Annotated[Op, Kind.OBJECTS]
Referent = Annotated[Op, Kind.REFERENT]
Truth = Annotated[Op, Kind.TRUTH]
Value = Annotated[Op, Kind.VALUE]
CategoryName = Annotated[str, Name("category")]
AttributeName = Annotated[str, Name("attribute")]
ValueName = Annotated[str, Name("value")]
RelationName = Annotated[str, Name("relation")]
OrderName = Annotated[str, Name("order", frozenset(ORDERS))]
PortionName = Annotated[str, Name("portion", frozenset(PORTIONS))]
FormName = Annotated[str, Name("form", frozenset(FORMS))]
ActionName = Annotated[str, Name("action", frozenset(ACTIONS))]
GoalName = Annotated[str, Name("goal")]
PointerName = Annotated[str, Name("pointer", frozenset({"this", "that"}))]
Rank = Annotated[int, Whole(1)]
Natural = Annotated[int, Whole(0)]


def signature(operator: type[Op]) -> tuple[Parameter, ...]:
    """The parameters of an operator in field order, read from its annotations."""
    if operator not in _SIGNATURES:
        _SIGNATURES[operator] = _read_signature(operator)
    return _SIGNATURES[operator]


def _read_signature(operator: type[Op]) -> tuple[Parameter, ...]:
    hints = get_type_hints(operator, include_extras=True)
    found = []
    for declared in dataclasses.fields(operator):
        if declared.name == "words":
            continue
        hint = hints[declared.name]
        found.append(Parameter(declared.name, hint if hint is Comparison else get_args(hint)[1]))
    return tuple(found)


def names_of(op: Op) -> tuple[tuple[str, str], ...]:
    """What a node names: (role, name) pairs in field order. A form names its relation, too."""
    return op._names


def restrictor_of(op: Op) -> int | None:
    """Which operand a quantifier quantifies over; None for other nodes."""
    if not op.restrictor:
        return None
    operands = [p.name for p in signature(type(op)) if isinstance(p.declared, Kind)]
    return operands.index(op.restrictor)


def registry() -> dict[str, type[Op]]:
    """Every operator by name, in order of definition."""
    return dict(_REGISTRY)


def _atom(value: object) -> str:
    """A name or number in printed form; quoted when it would not read back as one symbol."""
    text = str(value)
    if isinstance(value, str) and not SYMBOL.fullmatch(text):
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return text
