"""Mask2Former: tiny models whose segments are known, and the library's own arithmetic."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from neurosym import Grounder
from neurosym.errors import OptionError
from neurosym.grammar import Parser
from neurosym.models.store import path_of
from neurosym.perception.backends.mask2former import Mask2Former
from neurosym.perception.pipeline import Pipeline
from neurosym.perception.registry import Settings
from tests.perception.tiny_detectors import enliven, save_tiny_mask2former

pytest.importorskip("scipy", reason="Mask2Former of transformers needs scipy")

THINGS = {0: "cat", 1: "dog"}
PANOPTIC = {0: "cat", 1: "dog", 2: "sky-other-merged"}


def settings(dtype: torch.dtype = torch.float32) -> Settings:
    return Settings(torch.device("cpu"), dtype, path_of)


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def sure(folder: Path, names: dict[int, str], shares: tuple[float, ...]) -> Path:
    """A model whose queries all have these class probabilities, "no object" last."""
    model = save_tiny_mask2former(folder, names)
    with torch.no_grad():
        model.class_predictor.weight.zero_()
        model.class_predictor.bias.copy_(torch.tensor(shares).log())
    model.save_pretrained(folder)
    return folder


def halves(monkeypatch: pytest.MonkeyPatch, detector: Mask2Former) -> None:
    """Lets the queries show the left half, the bottom quarter, and nothing of what is seen."""
    forward = detector._model.forward

    def known(**inputs: torch.Tensor) -> object:
        output = forward(**inputs)
        logits = torch.full_like(output.masks_queries_logits, -4.0)
        columns, rows = logits.shape[-1], logits.shape[-2]
        logits[:, 0, :, : columns // 2] = 4.0
        logits[:, 1, -(rows // 4) :] = 4.0
        output.masks_queries_logits = logits
        return output

    monkeypatch.setattr(detector._model, "forward", known)


@pytest.mark.parametrize("size", [(64, 128), (128, 64), (640, 480)])
def test_masks_and_boxes_lie_in_the_original_frame(
    size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = Mask2Former(str(sure(tmp_path, PANOPTIC, (0.1, 0.2, 0.6, 0.1))), settings())
    assert detector.categories == ("cat", "dog", "sky-other-merged")
    halves(monkeypatch, detector)
    (found,) = detector.detect([picture(*size)])
    height, width = size
    assert found.masks is not None
    assert found.masks.shape == (2, height, width)
    assert found.masks.dtype is torch.bool
    left, below = torch.zeros(2, height, width, dtype=torch.bool)
    left[:, : width // 2], below[height * 3 // 4 :] = True, True
    assert (found.masks[0] == left).float().mean() > 0.98
    assert (found.masks[1] == below).float().mean() > 0.98
    torch.testing.assert_close(
        found.boxes,
        torch.tensor([[0.0, 0, width / 2, height], [0, height * 3 / 4, width, height]]),
        atol=max(size) / 60,
        rtol=0,
    )
    # The class probabilities times the mean probability inside the mask, sigmoid(4) at most.
    assert (found.scores / found.scores[:, :1] - torch.tensor([1.0, 2, 6])).abs().max() < 1e-3
    assert 0.9 * 0.6 < found.scores[0, 2] < 0.6 * 0.983


def test_segments_of_stuff_are_objects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parser: Parser
) -> None:
    sure(tmp_path, {0: "cat", 1: "grass"}, (0.05, 0.9, 0.05))
    pipeline = Pipeline.named(f"mask2former:{tmp_path}", settings())
    detector = pipeline.detector
    assert isinstance(detector, Mask2Former)
    halves(monkeypatch, detector)
    grounder = Grounder(pipeline, parser)
    scene = grounder.perceive(picture(64, 128))
    result = grounder.ground(scene, "the grass on the left")
    assert result.status == "ok"
    assert result.masks.shape == (1, 64, 128)
    assert result.masks[0, :, :60].all()
    assert not result.masks[0, :40, 70:].any()
    assert 'Mask2FormerForUniversalSegmentation "' in scene.provenance["detector"]


def test_queries_that_say_no_object_are_left_out(tmp_path: Path) -> None:
    detector = Mask2Former(str(sure(tmp_path, THINGS, (0.01, 0.02, 0.97))), settings())
    (found,) = detector.detect([picture(40, 60)])
    assert found.masks is not None
    assert (found.boxes.shape, found.scores.shape) == ((0, 4), (0, 2))
    assert found.masks.shape == (0, 40, 60)


def test_scores_are_the_librarys(tmp_path: Path) -> None:
    """At the size at which the library compares masks, its scores are ours."""
    model = save_tiny_mask2former(tmp_path, PANOPTIC)
    enliven(model)
    model.save_pretrained(tmp_path)
    detector = Mask2Former(str(tmp_path), settings())
    image = picture(384, 384)
    (found,) = detector.detect([image])
    assert len(found.boxes) >= 2
    processor = detector._processor
    with torch.inference_mode():
        output = model(**processor(images=image, return_tensors="pt"))
    (expected,) = processor.post_process_instance_segmentation(
        output, threshold=0.0, target_sizes=[(384, 384)], return_binary_maps=True
    )
    best = sorted(found.scores.flatten().tolist(), reverse=True)
    theirs = [segment["score"] for segment in expected["segments_info"]]
    assert sorted(theirs, reverse=True) == pytest.approx(best[: len(theirs)], abs=1e-4)
    assert found.masks is not None
    for segment, mask in zip(expected["segments_info"], expected["segmentation"], strict=True):
        column = found.scores[:, segment["label_id"]]
        row = int((column - segment["score"]).abs().argmin())
        assert torch.equal(found.masks[row], mask.bool())


def test_company_does_not_matter_and_half_precision_is_close(tmp_path: Path) -> None:
    model = save_tiny_mask2former(tmp_path, PANOPTIC)
    enliven(model)
    model.save_pretrained(tmp_path)
    detector = Mask2Former(str(tmp_path), settings())
    images = [picture(64, 80), picture(80, 64, 1), picture(64, 80, 2), picture(2, 90, 3)]
    together = detector.detect(images)
    for image, one in zip(images, together, strict=True):
        (alone,) = detector.detect([image])
        torch.testing.assert_close(one.scores, alone.scores, atol=1e-4, rtol=0)
        assert one.masks is not None
        assert alone.masks is not None
        assert (one.masks != alone.masks).float().mean() < 0.001
        assert one.masks.shape[1:] == image.shape[:2]
    (half,) = Mask2Former(str(tmp_path), settings(torch.float16)).detect(images[:1])
    assert half.scores.dtype is half.boxes.dtype is torch.float32
    assert half.masks is not None
    assert together[0].masks is not None
    assert (half.masks != together[0].masks).float().mean() < 0.05
    torch.testing.assert_close(half.scores, together[0].scores, atol=0.02, rtol=0)


def test_without_scipy_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neurosym.perception.registry.find_spec", lambda module: None)
    with pytest.raises(OptionError) as raised:
        Pipeline.named("mask2former", settings())
    assert str(raised.value) == '"mask2former" needs scipy: pip install scipy'
