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
from tests.perception.test_clipseg import save_clipseg
from tests.perception.test_florence_2 import save_florence_2
from tests.perception.test_object_detection import sure_detr
from tests.perception.test_owlv2 import picture, save_owlv2
from tests.perception.tiny_contrastive import BLUE, RED, plain, save_siglip
from tests.perception.tiny_detectors import enliven, save_tiny_detr, save_tiny_rt_detr
from tests.perception.tiny_open import save_grounding_dino
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


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_an_open_pipeline_works_on_the_gpu(tmp_path: Path, dtype: str, parser: Parser) -> None:
    """To its models there are two men, and what is red is old."""
    save_grounding_dino(
        tmp_path / "gd", ((0.25, 0.5, 0.3, 0.6), (0.75, 0.5, 0.3, 0.6)), {"man": (0.9, 0.8)}
    )
    save_siglip(tmp_path / "siglip", {"an old man": (0.8, 0.1), "a young man": (0.1, 0.8)})
    save_clipseg(tmp_path / "clipseg")
    name = "+".join(
        f"{end}:{tmp_path / folder}"
        for end, folder in (("grounding-dino", "gd"), ("siglip", "siglip"), ("clipseg", "clipseg"))
    )
    grounder = Grounder(perception_of(name, device="cuda", dtype=dtype), parser)
    scene = grounder.perceive(np.concatenate([plain(RED, 40, 40), plain(BLUE, 40, 40)], axis=1))
    result = grounder.ground(scene, "the old man to the left of a man")
    assert result.scene.device.type == "cuda"
    assert torch.allclose(result.boxes.cpu(), torch.tensor([[8.0, 8, 32, 32]]), atol=1.0)
    assert result.alignment.maps.shape[1:] == (40, 80)
    assert grounder.ground(result.scene, "how many people are there").status == "ok"


@pytest.mark.parametrize(
    ("end", "save", "word"), [("owlv2", save_owlv2, "cat"), ("florence-2", save_florence_2, "cat")]
)
def test_an_open_detector_finds_the_same_on_the_gpu(
    tmp_path: Path, end: str, save: Any, word: str
) -> None:
    save(tmp_path)
    image = picture(60, 120, 0, 1)
    found = []
    for device in ("cpu", "cuda"):
        settings = Settings(torch.device(device), torch.float32, path_of)
        found += back_end(end).make(str(tmp_path), settings).detect_phrases([image], [word])
    assert torch.allclose(found[0].boxes, found[1].boxes.cpu(), atol=0.05)
    assert torch.allclose(found[0].scores, found[1].scores.cpu(), atol=1e-3)
