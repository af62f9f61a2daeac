"""Gradients of the tensor executor's outcomes, and its numbers at large sizes."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from neurosym.executors.base import Outcome
from neurosym.executors.tensor import TensorExecutor
from neurosym.program import Op, Relate, Select, The, parse_program, registry
from neurosym.scene import Categorical, Scene
from tests.executors.strategies import build_scene, rooted, scenes

TENSOR = TensorExecutor()
every_operator = pytest.mark.parametrize(
    "operator", list(registry().values()), ids=list(registry())
)


def differentiable(scene: Scene) -> tuple[Scene, list[Tensor]]:
    """The scene with tables that ask for gradients, and these tables."""
    tables: list[Tensor] = []

    def live(table: Tensor) -> Tensor:
        tables.append(table.clone().requires_grad_())
        return tables[-1]

    def categorical(table: object) -> object:
        return dataclasses.replace(table, probabilities=live(table.probabilities))  # type: ignore

    scene = dataclasses.replace(
        scene,
        existence=live(scene.existence),
        categories=categorical(scene.categories),
        attributes={name: categorical(table) for name, table in scene.attributes.items()},
        relations={name: categorical(relation) for name, relation in scene.relations.items()},
    )
    return scene, tables


def numbers(outcome: Outcome) -> list[Tensor]:
    """Every number of an outcome that may carry a gradient."""
    rows = [row for row in (outcome.objects, outcome.number, outcome.value) if row is not None]
    if outcome.differentiable is not None:
        single = vars(outcome.differentiable).values()
        rows += [number for number in single if number is not None]
    return rows


@every_operator
@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_gradients_are_finite(operator: type[Op], data: st.DataObject) -> None:
    # Scores of exactly 0 and 1 are what these scenes are full of.
    scene, tables = differentiable(data.draw(scenes(crisp=False, max_objects=4, min_objects=1)))
    outcome = TENSOR.run(data.draw(rooted(operator)), scene)
    total = sum((row * torch.linspace(0.5, 1.5, row.numel())).sum() for row in numbers(outcome))
    if not isinstance(total, Tensor) or not total.requires_grad:
        return
    for gradient in torch.autograd.grad(total, tables, allow_unused=True):
        assert gradient is None or bool(gradient.isfinite().all())


def test_single_numbers_carry_gradients_too() -> None:
    scene = build_scene(categories=["cup", "cup"], existence=[0.5, 0.25])
    scene, (existence, *_) = differentiable(scene)
    outcome = TENSOR.run(parse_program("(the (select cup))"), scene)
    assert outcome.differentiable is not None
    (gradient,) = torch.autograd.grad(outcome.differentiable.many, [existence])
    # Both of them exist with the product of the two.
    torch.testing.assert_close(gradient, torch.tensor([0.25, 0.5]))
    assert outcome.differentiable.none.item() == pytest.approx(outcome.none)


def test_a_truth_carries_a_gradient() -> None:
    scene, (existence, *_) = differentiable(build_scene(categories=["cup"], existence=[0.5]))
    outcome = TENSOR.run(parse_program("(exist (select cup))"), scene)
    assert outcome.differentiable is not None
    assert outcome.differentiable.truth is not None
    (gradient,) = torch.autograd.grad(outcome.differentiable.truth, [existence])
    assert gradient.item() == pytest.approx(1.0)


def test_nothing_is_kept_for_gradients_where_none_are_asked_for() -> None:
    outcome = TENSOR.run(parse_program("(exist (select cup))"), build_scene(categories=["cup"]))
    assert outcome.differentiable is None


def row_of(count: int) -> Scene:
    """Cups and plates in turn, from left to right, each known to be there."""
    kinds = ["cup" if i % 2 == 0 else "plate" for i in range(count)]
    after = [(i + 1, i) for i in range(count - 1)]
    places = [float(i) for i in range(count)]
    return build_scene(
        categories=kinds, relations={"right_of": after}, measures={"left_reach": places}
    )


def hops(count: int) -> Op:
    """What is right of what is right of ... the leftmost cup, so many times."""
    program = parse_program("(the (superlative (select cup) leftmost))")
    for hop in range(count):
        kind = "plate" if hop % 2 == 0 else "cup"
        program = The(Relate(Select(kind), "right_of", program))
    return program


def test_a_thousand_objects_and_twenty_hops() -> None:
    scene = row_of(1000)
    scene = dataclasses.replace(scene, existence=torch.full((1000,), 0.999))
    scene, (existence, *_) = differentiable(scene)
    outcome = TENSOR.run(hops(20), scene)
    assert outcome.objects is not None
    # With one step to the next there is no way around a missing object; the first cup may also
    # be any later one if all before it are missing.
    assert int(outcome.objects.argmax()) == 20
    objects = outcome.objects.detach()
    assert float(objects[20]) == pytest.approx(0.999**21, abs=1e-3)
    assert float(objects.sum()) + outcome.none + outcome.many == pytest.approx(1, abs=1e-3)
    (gradient,) = torch.autograd.grad(outcome.objects[20], [existence])
    assert bool(gradient.isfinite().all())
    assert float(gradient[20]) > 0.9


def test_many_combinations_of_labels_are_no_table_for_every_case() -> None:
    count, values = 6, tuple(f"v{i}" for i in range(31))
    rows = torch.zeros((count, len(values)))
    rows[:, :2] = 0.5
    table = Categorical(values, rows, torch.ones(count, dtype=torch.bool), "given")
    scene = build_scene(categories=["cup"] * count, existence=[0.5] * count)
    scene = dataclasses.replace(scene, categories=table, attributes={"color": table}, concepts={})
    # 961 combinations of labels in 729 cases: three for every landmark.
    outcome = TENSOR.run(parse_program("(exist (similar (select v0) (select v1)))"), scene)
    assert outcome.exact
    assert outcome.truth == pytest.approx(0.0, abs=1e-5)


def test_a_thousand_certain_candidates_are_many() -> None:
    scene = build_scene(categories=["cup"] * 1000)
    scene, (existence, *_) = differentiable(scene)
    outcome = TENSOR.run(parse_program("(the (select cup))"), scene)
    assert outcome.many == 1.0
    assert outcome.differentiable is not None
    (gradient,) = torch.autograd.grad(outcome.differentiable.many, [existence])
    assert bool(gradient.isfinite().all())
