"""The same answers on a GPU, where there is one."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch

from benchmarks.random_programs import random_scene as random_scene_of_any
from benchmarks.random_programs import rooted_program
from benchmarks.scenes import random_scene, two_hops
from neurosym.api import Grounder, perception_of
from neurosym.executors.tensor import TensorExecutor
from neurosym.grammar import Parser
from neurosym.program import Op, registry

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


@pytest.mark.parametrize("soft", [False, True])
def test_the_executor_answers_alike(soft: bool) -> None:
    scenes = [random_scene(12, seed, soft=soft) for seed in range(20)]
    programs = [two_hops(seed) for seed in range(20)]
    executor = TensorExecutor()
    there = executor.run_many(programs, [scene.to("cuda") for scene in scenes])
    for one, other in zip(executor.run_many(programs, scenes), there, strict=True):
        assert one.objects is not None
        assert other.objects is not None
        assert torch.allclose(one.objects, other.objects.cpu(), atol=1e-4)
        assert one.none == pytest.approx(other.none, abs=1e-4)


@pytest.mark.parametrize("operator", list(registry().values()), ids=list(registry()))
def test_every_operator_answers_alike(operator: type[Op]) -> None:
    choose = random.Random(operator.name).choice
    executor = TensorExecutor()
    for _ in range(20):
        scene, program = random_scene_of_any(choose), rooted_program(choose, operator)
        one, other = executor.run(program, scene), executor.run(program, scene.to("cuda"))
        for mine, theirs in (
            (one.objects, other.objects),
            (one.number, other.number),
            (one.value, other.value),
        ):
            assert (mine is None) == (theirs is None)
            if mine is not None and theirs is not None:
                assert torch.allclose(mine, theirs.cpu(), atol=1e-4), program
        assert one.none == pytest.approx(other.none, abs=1e-4), program
        assert one.exact == other.exact, program


def test_the_grounder_answers_alike(
    grounder: Grounder, parser: Parser, voc: dict[str, Any]
) -> None:
    other = Grounder(perception_of("picodet+mobilesam", device="cuda"), parser)
    here, there = grounder.perceive(voc["rgb"]), other.perceive(voc["rgb"])
    assert there.device.type == "cuda"
    for text in ("the person in red", "the leftmost person", "how many people are there"):
        one, two = grounder.ground(here, text), other.ground(there, text)
        assert (one.status, one.answer) == (two.status, two.answer)
        assert torch.allclose(one.boxes, two.boxes.cpu(), atol=1.0)
        assert two.alignment.maps.shape[1:] == (375, 500)
