"""DETR and its kin: categories, scores and boxes of tiny models whose answers are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from neurosym import Grounder
from neurosym.errors import PerceptionError
from neurosym.grammar import Parser
from neurosym.models.store import path_of
from neurosym.perception.calibration import PROVENANCE
from neurosym.perception.detections import AS_SCORED, hypotheses
from neurosym.perception.object_detection import ObjectDetector
from neurosym.perception.registry import Settings
from tests.perception.tiny_detectors import (
    NAMES,
    TINY,
    enliven,
    save_tiny_detr,
    save_tiny_rt_detr,
)

PLENTY = {0: "cat", 1: "dog", 2: "cup", 3: "LABEL_3"}
SHARES = (0.02, 0.1, 0.6, 0.08, 0.05, 0.15)
"""Of the classes "N/A", "cat", "dog", "N/A", "cup" and no object."""


def settings(dtype: torch.dtype = torch.float32, device: str = "cpu") -> Settings:
    return Settings(torch.device(device), dtype, path_of)


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def sure_detr(folder: Path, box: tuple[float, ...] = (0.5, 0.25, 0.5, 0.3)) -> Path:
    """A DETR that sees a dog in every image, in a box given by its centre and size."""
    model = save_tiny_detr(folder)
    with torch.no_grad():
        model.class_labels_classifier.weight.zero_()
        model.class_labels_classifier.bias.copy_(torch.tensor(SHARES).log())
        model.bbox_predictor.layers[-1].weight.zero_()
        model.bbox_predictor.layers[-1].bias.copy_(torch.tensor(box).logit())
    model.save_pretrained(folder)
    return folder


def test_a_detr_gives_all_scores_of_its_named_categories(tmp_path: Path) -> None:
    detector = ObjectDetector(str(sure_detr(tmp_path)), settings())
    assert detector.categories == ("cat", "dog", "cup")
    (found,) = detector.detect([picture(60, 80)])
    torch.testing.assert_close(found.scores, torch.tensor([[0.1, 0.6, 0.05]]).expand(3, 3))
    torch.testing.assert_close(found.boxes, torch.tensor([[20.0, 6, 60, 24]]).expand(3, 4))


def test_a_grounder_takes_a_folder_by_name(tmp_path: Path, parser: Parser) -> None:
    grounder = Grounder(f"detr:{sure_detr(tmp_path)}", parser)
    scene = grounder.perceive(picture(60, 80))
    assert scene.boxes[0].tolist() == pytest.approx([20, 6, 60, 24], abs=1e-3)
    assert scene.existence[0].item() == pytest.approx(0.6, abs=1e-4)
    assert grounder.ground(scene, "the dog").objects == (0,)
    assert "DetrForObjectDetection" in scene.provenance["detector"]
    assert f"transformers {transformers.__version__}" in scene.provenance["detector"]
    assert "detector: uncalibrated" in scene.provenance[PROVENANCE]


@pytest.mark.parametrize("model_type", TINY)
def test_every_family_says_what_the_library_says(model_type: str, tmp_path: Path) -> None:
    """The library's own results are the best label of each query, or the best pairs of all."""
    model = TINY[model_type](tmp_path, PLENTY)
    enliven(model)
    model.save_pretrained(tmp_path)
    assert model.config.model_type == model_type
    detector = ObjectDetector(str(tmp_path), settings())
    assert detector.categories == ("cat", "dog", "cup", "LABEL_3")
    image = picture(48, 70)
    (found,) = detector.detect([image])
    processor = detector._processor
    with torch.inference_mode():
        output = model(**processor(images=image, return_tensors="pt"))
    (expected,) = processor.post_process_object_detection(
        output, threshold=-1.0, target_sizes=[image.shape[:2]]
    )
    assert len(expected["scores"]) >= 3
    frame = torch.tensor([70.0, 48, 70, 48])
    for score, label, box in zip(
        *(expected[k] for k in ("scores", "labels", "boxes")), strict=True
    ):
        inside = torch.minimum(box.clamp(min=0), frame)
        rows = ((found.boxes - inside).abs().amax(dim=1) < 1e-3) & (
            (found.scores[:, label] - score).abs() < 1e-5
        )
        assert rows.any(), (score, label, box)


@pytest.mark.parametrize("save", [save_tiny_detr, save_tiny_rt_detr])
def test_what_is_said_of_an_image_does_not_depend_on_its_company(save: Any, tmp_path: Path) -> None:
    model = save(tmp_path)
    enliven(model)
    model.save_pretrained(tmp_path)
    detector = ObjectDetector(str(tmp_path), settings())
    images = [picture(60, 80), picture(80, 60, 1), picture(60, 80, 2), picture(30, 90, 3)]
    together = detector.detect(images)
    alone = [detector.detect([image])[0] for image in images]
    for one, other in zip(together, alone, strict=True):
        torch.testing.assert_close(one.boxes, other.boxes, atol=1e-3, rtol=0)
        torch.testing.assert_close(one.scores, other.scores, atol=1e-5, rtol=0)
    # It does depend on the image.
    assert (alone[0].scores - alone[2].scores).abs().max() > 1e-4
    assert detector.detect([]) == []


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (500, 3), (3, 3), (700, 20)])
def test_images_of_any_shape_have_boxes_in_their_own_frame(
    size: tuple[int, int], tmp_path: Path
) -> None:
    """The box is the left third of the image and all of its height."""
    detector = ObjectDetector(str(sure_detr(tmp_path, (1 / 6, 0.5, 1 / 3, 0.999))), settings())
    (found,) = detector.detect([picture(*size)])
    height, width = size
    seen_width = max(width, -(-height // 16))
    left, top, right, bottom = found.boxes[0].tolist()
    assert (left, right) == pytest.approx((0, min(seen_width / 3, width)), abs=1e-3 * seen_width)
    assert (top, bottom) == pytest.approx((0, height), abs=0.002 * max(height, width / 16))


def test_boxes_beside_an_elongated_image_are_left_out(tmp_path: Path) -> None:
    detector = ObjectDetector(str(sure_detr(tmp_path, (0.5, 0.9, 0.5, 0.1))), settings())
    (found,) = detector.detect([picture(2, 320)])
    assert found.boxes.shape == (0, 4)
    assert found.scores.shape == (0, 3)
    assert len(hypotheses(found, AS_SCORED).boxes) == 0


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("save", [save_tiny_detr, save_tiny_rt_detr])
def test_half_precision_is_close(save: Any, dtype: torch.dtype, tmp_path: Path) -> None:
    model = save(tmp_path)
    enliven(model)
    model.save_pretrained(tmp_path)
    image = picture(60, 80)
    (exact,) = ObjectDetector(str(tmp_path), settings()).detect([image])
    half = ObjectDetector(str(tmp_path), settings(dtype))
    assert half._model.dtype is dtype
    (close,) = half.detect([image])
    assert close.boxes.dtype is close.scores.dtype is torch.float32
    torch.testing.assert_close(close.scores, exact.scores, atol=0.02, rtol=0)
    # RT-DETR's queries come in the order of their scores, which rounding may change.
    order, other = exact.boxes.sum(dim=1).argsort(), close.boxes.sum(dim=1).argsort()
    torch.testing.assert_close(close.boxes[other], exact.boxes[order], atol=1.0, rtol=0)


def test_sigmoid_scores_do_not_compete(tmp_path: Path) -> None:
    model = save_tiny_rt_detr(tmp_path)
    chances = torch.tensor([0.3, 0.9, 0.8, 0.3, 0.1])
    with torch.no_grad():
        for head in model.model.decoder.class_embed:
            head.weight.zero_()
            head.bias.copy_(chances.logit())
    model.save_pretrained(tmp_path)
    detector = ObjectDetector(str(tmp_path), settings())
    assert detector.categories == ("cat", "dog", "cup")
    (found,) = detector.detect([picture(60, 80)])
    torch.testing.assert_close(found.scores, torch.tensor([[0.9, 0.8, 0.1]]).expand(3, 3))


def test_another_model_is_one_line(tmp_path: Path) -> None:
    save_tiny_detr(tmp_path)
    transformers.ResNetConfig(num_labels=2).save_pretrained(tmp_path)
    with pytest.raises(PerceptionError, match="cannot load the model"):
        ObjectDetector(str(tmp_path), settings())


def test_a_checkpoint_that_needs_timm_says_so(tmp_path: Path) -> None:
    save_tiny_detr(tmp_path)
    transformers.DetrConfig(use_timm_backbone=True, backbone="resnet50").save_pretrained(tmp_path)
    with pytest.raises(PerceptionError, match=r"needs the library timm.*@no_timm") as raised:
        ObjectDetector(str(tmp_path), settings())
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("wrong", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), picture(0, 5)])
def test_what_is_no_image_is_refused(wrong: np.ndarray, tmp_path: Path) -> None:
    save_tiny_detr(tmp_path)
    with pytest.raises(PerceptionError, match="an image must be uint8"):
        ObjectDetector(str(tmp_path), settings()).detect([wrong])


def test_names_that_stand_for_nothing_have_no_column(tmp_path: Path) -> None:
    save_tiny_detr(tmp_path)
    assert ObjectDetector(str(tmp_path), settings()).categories == tuple(
        name for name in NAMES.values() if name != "N/A"
    )


def test_scenes_are_kept_by_weights_configuration_and_precision(tmp_path: Path) -> None:
    folder = sure_detr(tmp_path)
    first = ObjectDetector(str(folder), settings()).fingerprint
    assert ObjectDetector(str(folder), settings()).fingerprint == first
    assert ObjectDetector(str(folder), settings(torch.bfloat16)).fingerprint != first
    transformers.DetrImageProcessorPil(size={"height": 64, "width": 64}).save_pretrained(folder)
    second = ObjectDetector(str(folder), settings()).fingerprint
    sure_detr(folder, (0.5, 0.5, 0.1, 0.1))
    assert len({first, second, ObjectDetector(str(folder), settings()).fingerprint}) == 3
