"""The same answers on a GPU, where there is one."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from benchmarks.scenes import random_scene, two_hops
from neurosym.api import Grounder, default_perception
from neurosym.executors.tensor import TensorExecutor
from neurosym.grammar import Parser

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


def test_the_grounder_answers_alike(
    grounder: Grounder, parser: Parser, voc: dict[str, Any]
) -> None:
    other = Grounder(default_perception("cuda"), parser)
    here, there = grounder.perceive(voc["rgb"]), other.perceive(voc["rgb"])
    assert there.device.type == "cuda"
    for text in ("the person in red", "the leftmost person", "how many people are there"):
        one, two = grounder.ground(here, text), other.ground(there, text)
        assert (one.status, one.answer) == (two.status, two.answer)
        assert torch.allclose(one.boxes, two.boxes.cpu(), atol=1.0)
        assert two.alignment.maps.shape[1:] == (375, 500)
