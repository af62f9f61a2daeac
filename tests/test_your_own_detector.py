"""The page about one's own detectors runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from neurosym.perception.calibration import PROVENANCE
from tests.perception.test_object_detection import sure_detr

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "your_own_detector.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture(scope="module")
def photograph() -> np.ndarray:
    """A tomato on the left and a cucumber on the right."""
    image = np.full((60, 80, 3), 120, np.uint8)
    image[20:40, 5:25] = (220, 30, 20)
    image[10:50, 50:70] = (20, 200, 40)
    return image


@pytest.fixture(scope="module")
def names(photograph: np.ndarray) -> dict[str, Any]:
    """What the first example leaves behind, for the others use its imports."""
    left: dict[str, Any] = {"photograph": photograph}
    exec(BLOCKS[0], left)
    return left


def test_there_are_three_examples_of_less_than_thirty_lines() -> None:
    assert len(BLOCKS) == 3
    assert [code for code in BLOCKS if len(code.splitlines()) >= 30] == []


def test_a_class_is_a_detector(names: dict[str, Any]) -> None:
    result, scene = names["result"], names["scene"]
    assert result.status == "ok"
    assert result.boxes.tolist() == [[5, 20, 25, 40]]
    assert result.masks.sum() == 20 * 20
    assert scene.categories.values == ("tomato", "cucumber")
    assert scene.provenance["detector"] == "vegetables by colour"
    assert "uncalibrated" in scene.provenance[PROVENANCE]
    assert names["grounder"].ground(scene, "the cucumber left of the tomato").status == "none"
    nothing = names["grounder"].perceive(np.full((9, 9, 3), 120, np.uint8))
    assert len(nothing) == 0


def test_a_pipeline_of_transformers_is_a_detector(names: dict[str, Any], tmp_path: Path) -> None:
    pipeline = transformers.pipeline("object-detection", model=str(sure_detr(tmp_path)))
    own = {**names, "pipeline": pipeline}
    exec(BLOCKS[1], own)
    scene = own["scene"]
    # Such a pipeline cuts coordinates off to whole numbers.
    assert scene.boxes[0].tolist() == pytest.approx([20, 6, 60, 24], abs=1)
    assert scene.categories.values[int(scene.categories.probabilities[0].argmax())] == "dog"
    assert scene.existence.tolist() == pytest.approx([0.6], abs=1e-3)


@pytest.mark.parametrize("with_masks", [True, False])
def test_a_model_in_the_manner_of_torchvision_is_a_detector(
    names: dict[str, Any], with_masks: bool
) -> None:
    class Model(torch.nn.Module):
        """Gives the brightest half of an image two labels, as such models do."""

        def forward(self, images: list[torch.Tensor]) -> list[dict[str, torch.Tensor]]:
            found = []
            for image in images:
                assert image.dtype is torch.float32
                assert image.shape[0] == 3
                assert image.max() <= 1
                height, width = image.shape[1:]
                masks = torch.zeros(2, 1, height, width)
                masks[..., : width // 2] = 0.8
                box = torch.tensor([0.0, 0, width // 2, height])
                found.append(
                    {
                        "boxes": torch.stack([box, box]),
                        "labels": torch.tensor([2, 1]),
                        "scores": torch.tensor([0.7, 0.2]),
                        **({"masks": masks} if with_masks else {}),
                    }
                )
            return found

    own = {**names, "model": Model(), "names": ["__background__", "cup", "bowl", "N/A", "N/A"]}
    exec(BLOCKS[2], own)
    scene = own["scene"]
    assert scene.boxes.tolist() == [[0, 0, 40, 60]]
    torch.testing.assert_close(
        scene.categories.probabilities, torch.tensor([[0.0, 0.2 / 0.9, 0.7 / 0.9, 0.0, 0.0]])
    )
    assert scene.categories.values[1:4] == ("cup", "bowl", "unused 3")
    if with_masks:
        assert scene.masks([0])[0, :, :40].all()
        assert not scene.masks([0])[0, :, 40:].any()


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert targets
    assert [target for target in targets if not (ROOT / "docs" / target).exists()] == []
