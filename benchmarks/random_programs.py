"""Random well-typed programs and small soft scenes over one vocabulary, by the registry.

Everything random is asked of a chooser, which picks one of several options. A seeded
``random.Random(seed).choice`` makes a benchmark repeatable; in a property test it is
``lambda options: data.draw(st.sampled_from(options))``, which can then shrink what fails.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from neurosym.pixels import ImageSize
from neurosym.program import (
    ACTIONS,
    FORMS,
    ORDERS,
    PORTIONS,
    Comparison,
    Kind,
    Op,
    registry,
    signature,
)
from neurosym.program.operator import Name, Parameter, Whole
from neurosym.scene import CATEGORY, Categorical, Concept, Measure, Relation, Scene

_Option = TypeVar("_Option")

CATEGORIES = ("cup", "plate", "bowl")
CONCEPTS = {"dish": Concept(("plate", "bowl"))}
ATTRIBUTES = {"color": ("red", "green", "blue"), "size": ("small", "large")}
RELATIONS = tuple(
    dict.fromkeys(("left_of", "right_of", *(form.relation for form in FORMS.values())))
)
POINTERS = ("this", "that")
MEASURES = tuple(dict.fromkeys(order.measure for order in ORDERS.values()))
NAMES: dict[str, tuple[str, ...]] = {
    "category": (*CATEGORIES, *CONCEPTS),
    "attribute": (*ATTRIBUTES, CATEGORY),
    "relation": RELATIONS,
    "order": tuple(ORDERS),
    "portion": tuple(PORTIONS),
    "form": tuple(FORMS),
    "action": tuple(ACTIONS),
    "goal": ("in", "left_of"),
    "pointer": POINTERS,
}
"""What a name may be, by its role; a value's names depend on the attribute beside it."""
DEPTH = 4
"""Default bound on how deep programs are nested."""


class Chooser(Protocol):
    """Picks one of several options, of which there is at least one."""

    def __call__(self, options: Sequence[_Option], /) -> _Option:
        """One of the options."""
        ...


# Programs.


def random_program(choose: Chooser, kind: Kind | None = None, depth: int = DEPTH) -> Op:
    """A program that may stand where a kind is expected, nested at most ``depth`` deep.

    Args:
        choose: picks everything.
        kind: what is expected; None for any kind, each as likely.
        depth: least 1; a leaf has depth 1.

    Raises:
        ValueError: no program of the kind is as shallow as that.
    """
    expected = kind if kind is not None else choose(_kinds(depth))
    fitting = [
        operator
        for operator in registry().values()
        if expected.accepts(operator.returns) and least_depth(operator) <= depth
    ]
    if not fitting:
        raise ValueError(f"no program of kind {expected} has a depth of {depth}")
    return rooted_program(choose, choose(fitting), depth)


def rooted_program(choose: Chooser, operator: type[Op], depth: int = DEPTH) -> Op:
    """A program with this operator as its root, nested at most ``depth`` deep."""
    values: dict[str, Any] = {}
    attribute = ""
    for parameter in signature(operator):
        value = _argument(choose, parameter, attribute, depth, tuple(values.values()))
        values[parameter.name] = value
        if isinstance(parameter.declared, Name) and parameter.declared.role == "attribute":
            attribute = value
    return operator(**values)


def least_depth(operator: type[Op]) -> int:
    """The depth of the shallowest programs with this operator as their root."""
    return _least_depths(tuple(registry()))[operator]


def _kinds(depth: int) -> list[Kind]:
    return [
        kind
        for kind in Kind
        if any(
            kind.accepts(operator.returns) and least_depth(operator) <= depth
            for operator in registry().values()
        )
    ]


@cache
def _least_depths(names: tuple[str, ...]) -> dict[type[Op], int]:
    """Of these operators; the names are the key, since the registry grows while modules load."""
    found: dict[type[Op], int] = {}
    while len(found) < len(names):
        before = len(found)
        for operator in (registry()[name] for name in names):
            below = []
            for kind in (p.declared for p in signature(operator)):
                if isinstance(kind, Kind):
                    fitting = [d for other, d in found.items() if kind.accepts(other.returns)]
                    below.append(min(fitting, default=None))
            if operator not in found and None not in below:
                found[operator] = 1 + max((d for d in below if d is not None), default=0)
        if len(found) == before:
            raise ValueError("some operator can never be built")
    return found


def _argument(
    choose: Chooser,
    parameter: Parameter,
    attribute: str,
    depth: int,
    earlier: tuple[object, ...],
) -> Any:
    declared = parameter.declared
    if isinstance(declared, Kind):
        # A shared sub-program is what makes closed forms wrong, so it must be frequent.
        shared = [o for o in earlier if isinstance(o, Op) and declared.accepts(o.returns)]
        again = choose([None, *shared])
        return random_program(choose, declared, depth - 1) if again is None else again
    if isinstance(declared, Name):
        if declared.role == "value":
            return choose({**ATTRIBUTES, CATEGORY: CATEGORIES}[attribute])
        return choose(NAMES[declared.role])
    if isinstance(declared, Whole):
        return choose(range(declared.least, declared.least + 3))
    return choose(tuple(Comparison))


# Scenes.


def random_scene(
    choose: Chooser,
    *,
    fewest: int = 1,
    most: int = 4,
    softness: int = 10,
    crisp: bool = False,
    groups: bool = True,
) -> Scene:
    """A small scene over the vocabulary above.

    Half of the scenes have objects that are hypotheses of one thing. Measures and distances take
    few values, so that ties are frequent; a third of the scenes has noise in its measures.

    Args:
        choose: picks everything.
        fewest: fewest objects.
        most: most objects; half of the scenes have so many.
        softness: most things that are uncertain (one object's category or value, one pair's
            relation, one group's existence); at least half as many are, though some of them
            still come out certain.
        crisp: whether nothing is uncertain.
        groups: whether objects may be hypotheses of one thing.
    """
    count = choose((*range(fewest, most + 1), *[most] * (most - fewest)))
    things = range(count)

    def each(options: Sequence[_Option]) -> list[_Option]:
        return [choose(options) for _ in things]

    def table(values: tuple[str, ...]) -> Categorical:
        rows = torch.zeros((count, len(values)))
        for i in things:
            rows[i, choose(range(len(values)))] = 1
        return Categorical(values, rows, torch.ones(count, dtype=torch.bool), "given")

    group_of = each(range(count)) if groups and choose((True, False)) else list(things)
    existence = torch.tensor([float(choose((1, 1, 1, 0))) for _ in things])
    for i in things:
        if any(existence[j] and group_of[j] == group_of[i] for j in range(i)):
            existence[i] = 0
    categories = table(CATEGORIES)
    attributes = {name: table(values) for name, values in ATTRIBUTES.items()}
    measures = {name: torch.tensor(each((0.0, 1.0, 2.0))) for name in MEASURES}
    relations = {name: _random_matrix(choose, count, (0.0, 1.0)) for name in RELATIONS}
    if choose((True, False)):
        x = measures["left_reach"]
        relations["left_of"] = (x[:, None] < x[None, :]).float()
        relations["right_of"] = relations["left_of"].T.clone()
    distances = _random_matrix(choose, count, (1.0, 2.0, 3.0)).triu(1)
    noise = 0.0 if crisp else choose((0.0, 0.0, 0.5))

    kinds = ("existence", "category", *ATTRIBUTES, *(RELATIONS if count > 1 else ()))
    uncertain = 0 if crisp or not count else choose(range(softness // 2, softness + 1))
    for _ in range(uncertain):
        kind, row = choose(kinds), choose(things)
        if kind == "existence":
            members = [i for i in things if group_of[i] == group_of[row]]
            existence[members] = _random_weights(choose, len(members) + 1)[1:]
        elif kind in relations:
            other = choose([i for i in things if i != row])
            relations[kind][row, other] = _random_weights(choose, 2)[0]
        else:
            rows = (categories if kind == "category" else attributes[kind]).probabilities
            rows[row] = _random_weights(choose, rows.shape[1])
    corner = torch.stack([measures["left_reach"], measures["y_center"]], dim=1) * 10
    return Scene(
        size=ImageSize(height=100, width=100),
        boxes=torch.cat([corner, corner + 10], dim=1),
        existence=existence,
        groups=torch.tensor(group_of, dtype=torch.int64),
        categories=categories,
        attributes=attributes,
        relations={name: Relation(matrix, "given") for name, matrix in relations.items()},
        measures={
            name: Measure(values, "px", "given", noise=noise) for name, values in measures.items()
        },
        marks={
            pointer: torch.tensor(each((True, False)), dtype=torch.bool) for pointer in POINTERS
        },
        distances=distances + distances.T,
        concepts=CONCEPTS,
    )


def _random_matrix(choose: Chooser, count: int, options: Sequence[float]) -> Tensor:
    """[count, count] of the options, 0 on the diagonal."""
    matrix = torch.zeros((count, count))
    for i in range(count):
        for j in range(count):
            if i != j:
                matrix[i, j] = choose(options)
    return matrix


def _random_weights(choose: Chooser, size: int) -> Tensor:
    """[size] of a distribution in which some may have probability 0."""
    parts = [choose(range(4)) for _ in range(size)]
    if not any(parts):
        parts[choose(range(size))] = 1
    return (torch.tensor(parts, dtype=torch.float64) / sum(parts)).float()
