"""The same answers on a GPU, where there is one."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.random_programs import random_scene as random_scene_of_any
from benchmarks.random_programs import rooted_program
from benchmarks.scenes import random_scene, two_hops
from neurosym.api import Grounder, perception_of
from neurosym.executors.tensor import TensorExecutor
from neurosym.grammar import Parser
from neurosym.models.store import path_of
from neurosym.perception.registry import Settings, back_end
from neurosym.program import Op, registry
from tests.perception.test_object_detection import sure_detr
from tests.perception.tiny_detectors import enliven, save_tiny_detr, save_tiny_rt_detr
from tests.perception.tiny_sam import save_tiny_sam

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


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", ["detr", "rt-detr"])
def test_a_detector_of_transformers_answers_alike(
    name: str, dtype: torch.dtype, tmp_path: Path
) -> None:
    model = {"detr": save_tiny_detr, "rt-detr": save_tiny_rt_detr}[name](tmp_path)
    enliven(model)
    model.save_pretrained(tmp_path)
    image = np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    found = []
    for device, precision in (("cpu", torch.float32), ("cuda", dtype)):
        settings = Settings(torch.device(device), precision, path_of)
        (one,) = back_end(name).make(str(tmp_path), settings).detect([image])
        assert one.boxes.device.type == device
        found.append((one.boxes.cpu(), one.scores.cpu()))
    (boxes, scores), (other, theirs) = found
    order, moved = boxes.sum(dim=1).argsort(), other.sum(dim=1).argsort()
    exact = dtype is torch.float32
    assert torch.allclose(boxes[order], other[moved], atol=0.05 if exact else 2.0)
    assert torch.allclose(scores[order], theirs[moved], atol=1e-3 if exact else 0.05)


def test_a_pipeline_of_transformers_works_on_the_gpu(tmp_path: Path) -> None:
    """Boxes, masks of SAM and answers; results may lie on the GPU, scenes do."""
    sure_detr(tmp_path / "detr")
    save_tiny_sam(tmp_path / "sam")
    name = f"detr:{tmp_path / 'detr'}+sam:{tmp_path / 'sam'}"
    image = np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    masks = []
    for device in ("cpu", "cuda"):
        scene = perception_of(name, device=device).perceive(image)
        assert scene.boxes[0].tolist() == pytest.approx([20, 6, 60, 24], abs=0.05)
        assert scene.device.type == device
        masks.append(scene.masks([0]).cpu())
    assert (masks[0] != masks[1]).float().mean() < 0.05
