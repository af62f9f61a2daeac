"""Depth Anything with tiny weights: frames, units and which way is far."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from neurosym.models.store import path_of
from neurosym.perception.backends.depth_anything import DepthAnything
from neurosym.perception.registry import Settings, back_end


def settings(dtype: torch.dtype = torch.float32) -> Settings:
    return Settings(torch.device("cpu"), dtype, path_of)


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def save(folder: Path, kind: str) -> Any:
    """Saves a model with its image processor and gives the model."""
    import transformers

    torch.manual_seed(0)
    backbone = transformers.Dinov2Config(
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        image_size=28,
        patch_size=14,
        out_features=["stage1", "stage2", "stage3", "stage4"],
        reshape_hidden_states=False,
        apply_layernorm=True,
    )
    config = transformers.DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=16,
        patch_size=14,
        neck_hidden_sizes=[8, 8, 8, 8],
        fusion_hidden_size=8,
        head_hidden_size=8,
        depth_estimation_type=kind,
        max_depth=20,
    )
    model = transformers.DepthAnythingForDepthEstimation(config).eval()
    for parameter in model.parameters():
        parameter.data.normal_(std=0.3)
    if kind == "relative":
        # The last step leaves nothing below zero: what is there must be above.
        model.head.conv3.weight.data.abs_()
        model.head.conv3.bias.data.fill_(0.5)
    model.save_pretrained(folder)
    transformers.DPTImageProcessorPil(
        size={"height": 224, "width": 224}, ensure_multiple_of=14, keep_aspect_ratio=True
    ).save_pretrained(folder)
    return model


def predicted(model: Any, detector: DepthAnything, image: np.ndarray) -> torch.Tensor:
    """What the library makes of it, resized to the image's frame."""
    with torch.inference_mode():
        output = model(**detector._processor(images=image, return_tensors="pt"))
    return torch.nn.functional.interpolate(
        output.predicted_depth[:, None], image.shape[:2], mode="bilinear", align_corners=False
    )[0, 0]


def test_a_relative_model_says_what_is_farther(tmp_path: Path) -> None:
    """Its numbers are larger for what is nearer; those of a depth map for what is farther."""
    model = save(tmp_path, "relative")
    estimator = DepthAnything(str(tmp_path), settings())
    image = picture(60, 100)
    (depth,) = estimator.depth([image])
    inverse = predicted(model, estimator, image)
    assert inverse.max() - inverse.min() > 0.01
    assert (depth.unit, depth.source, depth.intrinsics) == ("relative", estimator.name, None)
    torch.testing.assert_close(depth.values, inverse.max() - inverse, atol=1e-4, rtol=1e-4)
    assert float(depth.values.min()) == 0.0


def test_a_metric_model_gives_metres(tmp_path: Path) -> None:
    model = save(tmp_path, "metric")
    estimator = DepthAnything(str(tmp_path), settings())
    image = picture(60, 100)
    (depth,) = estimator.depth([image])
    assert depth.unit == "m"
    torch.testing.assert_close(
        depth.values, predicted(model, estimator, image), atol=1e-4, rtol=1e-4
    )
    assert 0 <= float(depth.values.min()) < float(depth.values.max()) <= 20


def test_maps_lie_in_the_frame_whatever_the_company(tmp_path: Path) -> None:
    save(tmp_path, "metric")
    estimator = DepthAnything(str(tmp_path), settings())
    images = [
        picture(*size, seed)
        for seed, size in enumerate([(60, 80), (80, 60), (1, 1), (2, 300), (300, 2), (60, 80)])
    ]
    together = estimator.depth(images)
    for image, depth in zip(images, together, strict=True):
        assert depth.values.shape == image.shape[:2]
        (alone,) = estimator.depth([image])
        torch.testing.assert_close(depth.values, alone.values, atol=1e-3, rtol=1e-3)
    assert (together[0].values - together[5].values).abs().max() > 0.01


def test_half_precision_is_close(tmp_path: Path) -> None:
    save(tmp_path, "metric")
    image = picture(60, 80)
    (exact,) = DepthAnything(str(tmp_path), settings()).depth([image])
    (close,) = DepthAnything(str(tmp_path), settings(torch.float16)).depth([image])
    assert close.values.dtype is torch.float32
    assert (close.values - exact.values).abs().mean() < 0.1


def test_it_is_made_by_name(tmp_path: Path) -> None:
    save(tmp_path, "metric")
    made = back_end("depth-anything").make(str(tmp_path), settings())
    assert isinstance(made, DepthAnything)
    assert made.name.startswith("DepthAnythingForDepthEstimation")
