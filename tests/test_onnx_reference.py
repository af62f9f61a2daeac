"""The comparison with ONNX runtime: what detections are made of, and what it lacks."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from benchmarks.onnx_reference import detections, onnx_network, seen
from neurosym.errors import OptionError

CATEGORIES = 80


def test_detections_are_suppressed_by_category_and_scaled() -> None:
    boxes = torch.tensor([[0.0, 0, 104, 104], [0, 0, 104, 100], [208, 208, 312, 416]])
    scores = torch.zeros(3, CATEGORIES)
    scores[0, 0], scores[1, 0], scores[1, 1], scores[2, 1] = 0.9, 0.8, 0.5, 0.02
    numbers: list[int | None] = [7, 9, *[None] * (CATEGORIES - 2)]
    found = list(detections(boxes, scores, (832, 416), 3, numbers))
    assert [(d["category_id"], round(d["score"], 2)) for d in found] == [(7, 0.9), (9, 0.5)]
    assert found[0]["bbox"] == [0, 0, 208, 104]
    assert found[1]["bbox"] == [0, 0, 208, 100]
    assert {d["image_id"] for d in found} == {3}


def test_a_mirrored_view_is_mirrored_back() -> None:
    def network(pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """A box as wide as the first pixel says, at the left edge of what is shown."""
        return torch.tensor([[0.0, 0, float(pixels[0, 0, 0, 0]), 9]]), torch.ones(1, 1)

    pixels = torch.zeros(1, 3, 416, 416)
    pixels[..., -1] = 100
    assert seen(network, pixels, mirrored=True)[0].tolist() == [[316, 0, 416, 9]]
    assert seen(network, pixels, mirrored=False)[0].tolist() == [[0, 0, 0, 9]]


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(OptionError, match="pip install onnx onnxruntime"):
        onnx_network(tmp_path / "model.onnx")
