"""SAM with tiny random weights: the library's masks, from one encoding of an image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from neurosym.errors import PerceptionError
from neurosym.models.store import path_of
from neurosym.perception.backends.sam import Sam
from neurosym.perception.base import Detections
from neurosym.perception.pipeline import Pipeline
from neurosym.perception.registry import Settings
from tests.perception.tiny_sam import SIDE, save_tiny_sam


def settings(dtype: torch.dtype = torch.float32) -> Settings:
    return Settings(torch.device("cpu"), dtype, path_of)


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any, Any]:
    """The folder, the model and the image processor that are in it."""
    folder = tmp_path_factory.mktemp("sam")
    return folder, *save_tiny_sam(folder)


@pytest.mark.parametrize("size", [(60, 80), (90, 40), (64, 64)])
def test_masks_are_the_librarys(saved: tuple[Path, Any, Any], size: tuple[int, int]) -> None:
    import transformers

    folder, model, processor = saved
    image, (height, width) = picture(*size), size
    boxes = torch.tensor([[0.0, 0, width, height], [3, 5, width / 2, height / 2]])
    inputs = transformers.SamProcessor(processor)(
        images=image, input_boxes=[boxes.tolist()], return_tensors="pt"
    )
    with torch.inference_mode():
        output = model(
            pixel_values=inputs["pixel_values"],
            input_boxes=inputs["input_boxes"].float(),
            multimask_output=False,
        )
    (expected,) = processor.post_process_masks(
        output.pred_masks,
        inputs["original_sizes"],
        inputs["reshaped_input_sizes"],
        pad_size={"height": SIDE, "width": SIDE},
    )
    sam = Sam(str(folder), settings())
    masks, quality = sam.masks(sam.encode(image), boxes)
    assert masks.shape == (2, height, width)
    assert masks.dtype is torch.bool
    assert (masks != expected[:, 0]).float().mean() < 0.001
    assert masks.any()
    assert not masks.all()
    assert not torch.equal(masks[0], masks[1])
    torch.testing.assert_close(quality, output.iou_scores[0, :, 0], atol=1e-4, rtol=1e-4)


def test_many_boxes_are_decoded_in_parts_and_alike(saved: tuple[Path, Any, Any]) -> None:
    sam = Sam(str(saved[0]), settings())
    embedding = sam.encode(picture(60, 80))
    corners = torch.rand(20, 2, generator=torch.manual_seed(0)) * 30
    boxes = torch.cat([corners, corners + 25], dim=1)
    masks, quality = sam.masks(embedding, boxes)
    for row in (0, 17, 19):
        mask, estimate = sam.masks(embedding, boxes[row : row + 1])
        assert (masks[row] != mask[0]).float().mean() < 0.001
        assert float(quality[row]) == pytest.approx(float(estimate[0]), abs=1e-4)
    empty, none = sam.masks(embedding, torch.zeros(0, 4))
    assert (empty.shape, none.shape) == ((0, 60, 80), (0,))


@pytest.mark.parametrize("size", [(1, 1), (3, 700), (500, 2)])
def test_elongated_images_have_masks_in_their_own_frame(
    saved: tuple[Path, Any, Any], size: tuple[int, int]
) -> None:
    sam = Sam(str(saved[0]), settings())
    box = torch.tensor([[0.0, 0, size[1], size[0]]])
    masks, _ = sam.masks(sam.encode(picture(*size)), box)
    assert masks.shape == (1, *size)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_close(saved: tuple[Path, Any, Any], dtype: torch.dtype) -> None:
    image, boxes = picture(60, 80), torch.tensor([[4.0, 4, 70, 50]])
    exact = Sam(str(saved[0]), settings())
    half = Sam(str(saved[0]), settings(dtype))
    expected, _ = exact.masks(exact.encode(image), boxes)
    masks, quality = half.masks(half.encode(image), boxes)
    assert quality.dtype is torch.float32
    # The logits are all near nothing: half of the pixels would differ by chance.
    assert (masks != expected).float().mean() < 0.2


def test_boxes_must_be_boxes(saved: tuple[Path, Any, Any]) -> None:
    sam = Sam(str(saved[0]), settings())
    embedding = sam.encode(picture(60, 80))
    for wrong in (torch.zeros(2, 3), torch.full((1, 4), float("nan"))):
        with pytest.raises(PerceptionError, match="boxes must be finite"):
            sam.masks(embedding, wrong)


def test_a_pipeline_has_its_masks_by_name(saved: tuple[Path, Any, Any]) -> None:
    class Boxes:
        name = "boxes"
        categories = ("cup",)

        def detect(self, images: Any) -> list[Detections]:
            return [Detections(torch.tensor([[4.0, 4, 70, 50]]), torch.ones(1, 1)) for _ in images]

    sam = Sam(str(saved[0]), settings())
    image = picture(60, 80)
    named = Pipeline.named(f"picodet+sam:{saved[0]}", settings())
    scene = Pipeline(Boxes(), segmenter=named.segmenter).perceive(image)
    expected, _ = sam.masks(sam.encode(image), scene.boxes)
    assert torch.equal(scene.masks([0]), expected)
