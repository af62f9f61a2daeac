"""The programs that are one small step away from a program."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from neurosym.errors import ProgramTypeError
from neurosym.program import (
    FORMS,
    ORDERS,
    Comparison,
    Definites,
    Filter,
    Intersect,
    Kind,
    Minus,
    Negation,
    Op,
    Select,
    Superlative,
    The,
    TheCount,
    ThePlural,
    read_definites,
    signature,
)
from neurosym.program.operator import Name, Parameter, Whole, registry
from neurosym.scene import CATEGORY, Categorical, Scene

_PLAUSIBLE = 0.1
"""A category or value is tried when some object has it with this probability."""
_HOLDS = 0.5
"""A relation is tried when it holds between some objects with this probability."""
_KEPT = ("objects", "left", "right", "truth")
"""The operands that may stand for their node: what a modifier modifies, a side of "and"."""
_LANDMARKS = frozenset({"landmarks", "first", "second"})
"""The operands to which others stand in a relation, which may well be of the same set."""


class EditStep(enum.Enum):
    """What is done to one node."""

    DROP = "drop"
    """It gives way to what it modifies, or to one of its sides."""
    NAME = "name"
    """It names something else."""
    NUMBER = "number"
    """It says one more or one less."""
    OPERATOR = "operator"
    """Another operator, which takes the same, takes its place."""
    NEGATE = "negate"
    """It asks for the opposite."""
    INSERT = "insert"
    """What it presupposes one of is narrowed down by a value or an order."""
    THE = "the"
    """Every "the" is read in another way."""


@dataclass(frozen=True)
class Edit:
    """One small change of a program.

    Attributes:
        step: what is done.
        node: the node as it was.
        replacement: what stands in its place.
        field: the field of the node that changes, for names and numbers; the name of the reading,
            for ``EditStep.THE``, of which the nodes are whole programs; else "".
        size: how many nodes are taken away, put in or changed; what changes the subject counts
            as two.
    """

    step: EditStep
    node: Op
    replacement: Op
    field: str
    size: int

    @property
    def changes_subject(self) -> bool:
        """Whether the text would be about another kind of thing, or ask for something else."""
        return self.step is EditStep.NAME and _is_subject(self.node)


def edits(program: Op, scene: Scene, *, narrow: bool = False) -> list[tuple[Edit, Op]]:
    """The edits of single nodes of a program, with the programs that they make, smallest first.

    A node that occurs several times, made from the same words, is changed everywhere. The names
    that are tried are those of the scene: categories and values that some object probably has,
    relations that probably hold somewhere, orders by what was measured. What stands in a place
    where its kind does not fit is left out, and so are programs that equal the old one or compare
    a set with itself.

    Args:
        program: the program.
        scene: whose names are tried.
        narrow: whether to try as well to narrow down what is presupposed to be one.
    """
    found: dict[Op, Edit] = {}
    seen: set[tuple[Op, tuple[object, ...]]] = set()
    for node in program.walk():
        if (node, node.words) in seen:
            continue
        seen.add((node, node.words))
        inserted = _inserts(node, scene) if narrow and isinstance(node, The) else ()
        for edit in (*_of_node(node, program, scene), *inserted):
            try:
                changed = program.rebuild(_replacing(edit))
            except ProgramTypeError:
                continue
            alike = _answers_alike(program.returns, changed.returns)
            if changed != program and alike and _idle(changed) <= _idle(program):
                found.setdefault(changed, edit)
    return sorted(((e, p) for p, e in found.items()), key=lambda pair: pair[0].size)


def rereadings(program: Op, the: Definites) -> list[tuple[Edit, Op]]:
    """The other readings of "the" that make a different program to run, each as one edit.

    Args:
        program: as parsed.
        the: the reading that was run.
    """
    made: dict[Op, Edit] = {}
    now = read_definites(program, the)
    for other in Definites:
        read = read_definites(program, other)
        if read != now:
            made.setdefault(read, Edit(EditStep.THE, program, read, other.value, 1))
    return [(edit, read) for read, edit in made.items()]


def _replacing(edit: Edit) -> Callable[[Op], Op]:
    def change(node: Op) -> Op:
        same = node == edit.node and node.words == edit.node.words
        return edit.replacement if same else node

    return change


def _idle(program: Op) -> int:
    """How many nodes hold a set against itself: all plates that are plates."""
    paired = [node.operands for node in program.walk() if not _names_of_fields(node) & _LANDMARKS]
    return sum(1 for below in paired if len(below) == 2 and below[0] == below[1])


def _names_of_fields(node: Op) -> set[str]:
    return {parameter.name for parameter in signature(type(node))}


def _answers_alike(old: Kind, new: Kind) -> bool:
    """Whether answers of two kinds can be compared: sets of objects, or of the same kind."""
    of_sets = (Kind.OBJECTS, Kind.REFERENT, Kind.GROUP)
    return old is new or (old in of_sets and new in of_sets)


def _of_node(node: Op, program: Op, scene: Scene) -> Iterator[Edit]:
    presupposes = isinstance(node, The | ThePlural | TheCount)
    if not presupposes:
        yield from _drops(node, program)
    if isinstance(node, Filter):
        negated = Minus(node.objects, node).at(*node.words)
        yield Edit(EditStep.NEGATE, node, negated, "", 1)
    if isinstance(node, Minus):
        required = Intersect(node.objects, node.excluded).at(*node.words)
        yield Edit(EditStep.NEGATE, node, required, "", 1)
    for parameter in signature(type(node)):
        for step, value in _alternatives(parameter, node, scene):
            changed = dataclasses.replace(node, **{parameter.name: value})
            size = 2 if step is EditStep.NAME and _is_subject(node) else 1
            yield Edit(step, node, changed, parameter.name, size)
    for operator in registry().values():
        if operator is not type(node) and signature(operator) == signature(type(node)):
            fields = {p.name: getattr(node, p.name) for p in signature(operator)}
            if fields:
                yield Edit(EditStep.OPERATOR, node, operator(**fields, words=node.words), "", 1)
    if presupposes:
        # Last among equals: what is presupposed is kept where it can be.
        yield from _drops(node, program)


def _drops(node: Op, program: Op) -> Iterator[Edit]:
    for parameter in signature(type(node)):
        if parameter.name not in _KEPT or not isinstance(parameter.declared, Kind):
            continue
        # To drop the "not" of a whole question turns every answer round, and says nothing; "the"
        # of a whole expression gives way to the plural.
        if node is program and isinstance(node, The | Negation):
            continue
        kept = getattr(node, parameter.name)
        left = set(kept.walk())
        size = sum(1 for below in node.walk() if below not in left)
        yield Edit(EditStep.DROP, node, kept, "", size)


def _is_subject(node: Op) -> bool:
    return isinstance(node, Select) or node.returns is Kind.VALUE


def _inserts(node: The, scene: Scene) -> Iterator[Edit]:
    narrowed: list[Op] = [
        Filter(node.objects, name, value)
        for name, table in scene.attributes.items()
        for value in _likely(table, scene.existence)
    ]
    narrowed += [
        Superlative(node.objects, name)
        for name, order in ORDERS.items()
        if order.measure in scene.measures
    ]
    for objects in narrowed:
        yield Edit(EditStep.INSERT, node, The(objects).at(*node.words), "", 1)


def _alternatives(parameter: Parameter, node: Op, scene: Scene) -> Iterator[tuple[EditStep, Any]]:
    now = getattr(node, parameter.name)
    declared = parameter.declared
    if isinstance(declared, Whole):
        for number in (now - 1, now + 1):
            if number >= declared.least:
                yield EditStep.NUMBER, number
    elif declared is Comparison:
        yield from ((EditStep.NAME, other) for other in Comparison if other is not now)
    elif isinstance(declared, Name):
        others = _names(declared.role, node, scene)
        yield from ((EditStep.NAME, other) for other in others if other != now)


def _names(role: str, node: Op, scene: Scene) -> Iterator[str]:
    """The names of the scene that may stand where a node has one of this role."""
    names = {p.declared.role for p in signature(type(node)) if isinstance(p.declared, Name)}
    if role == "category":
        yield from _likely(scene.categories, scene.existence)
    elif role == "value":
        attribute = getattr(node, "attribute", CATEGORY)
        if attribute == CATEGORY or attribute in scene.attributes:
            yield from _likely(scene.attribute(attribute), scene.existence)
    elif role == "attribute" and "value" not in names:
        yield from (CATEGORY, *scene.attributes)
    elif role == "relation":
        for name, relation in scene.relations.items():
            if bool((relation.probabilities >= _HOLDS).any()):
                yield name
    elif role == "order":
        yield from (name for name, order in ORDERS.items() if order.measure in scene.measures)
    elif role == "form":
        yield from (name for name, form in FORMS.items() if form.relation in scene.relations)
    elif role == "pointer":
        yield from scene.marks


def _likely(table: Categorical, existence: Tensor) -> Iterator[str]:
    if not len(existence):
        return
    # What was not looked at has a prior, which is no sign of a value.
    seen = existence * table.evidence
    most = (table.probabilities * seen[:, None]).amax(0)
    for value, share in zip(table.values, most.tolist(), strict=True):
        if share >= _PLAUSIBLE:
            yield value
