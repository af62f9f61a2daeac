"""Pipelines of real open-vocabulary models, tiny and arranged, by their names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from neurosym import Grounder, Scene
from neurosym.api import perception_of
from neurosym.errors import PerceptionError
from neurosym.grammar import Parser
from neurosym.models.store import path_of
from neurosym.perception.pipeline import Pipeline
from neurosym.perception.registry import Settings, back_end
from tests.perception.test_clipseg import save_clipseg
from tests.perception.test_florence_2 import save_florence_2
from tests.perception.test_owlv2 import picture, save_owlv2
from tests.perception.tiny_contrastive import BLUE, RED, plain, save_siglip
from tests.perception.tiny_open import save_grounding_dino
from tests.perception.tiny_sam import save_tiny_sam

MEN = ((0.25, 0.5, 0.3, 0.6), (0.75, 0.5, 0.3, 0.6))
SCORES = {"man": (0.9, 0.9), "horse": (0.02, 0.8), "vehicle": (0.01, 0.01)}
COSINES = {
    "an old man": (0.8, 0.1),
    "a young man": (0.1, 0.8),
    "a red man": (0.5, 0.5),
    "a man": (0.5, 0.5),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {name: tmp_path_factory.mktemp(name) for name in ("gd", "sam", "siglip")}
    save_grounding_dino(made["gd"], MEN, SCORES)
    save_tiny_sam(made["sam"])
    save_siglip(made["siglip"], COSINES)
    return made


@pytest.fixture(scope="module")
def grounder(folders: dict[str, Path], parser: Parser) -> Grounder:
    name = "grounding-dino:{gd}+sam:{sam}+siglip:{siglip}".format(**folders)
    return Grounder(perception_of(name, device="cpu"), parser)


@pytest.fixture
def scene(grounder: Grounder) -> Scene:
    """Red on the left, where one man is, and blue on the right."""
    return grounder.perceive(np.concatenate([plain(RED, 40, 40), plain(BLUE, 40, 40)], axis=1))


def test_nothing_is_loaded_before_it_is_needed(folders: dict[str, Path]) -> None:
    missing = folders["sam"] / "missing"
    pipeline = perception_of(f"grounding-dino:{missing}+sam:{missing}+siglip:{missing}")
    assert pipeline.name == f"grounding-dino:{missing}+sam:{missing}+siglip:{missing}"


def test_boxes_come_from_the_prompts(grounder: Grounder, scene: Scene) -> None:
    assert len(scene) == 0
    result = grounder.ground(scene, "the leftmost man")
    torch.testing.assert_close(result.boxes, torch.tensor([[8.0, 8, 32, 32]]), atol=0.05, rtol=0)
    assert 'GroundingDinoForObjectDetection "' in result.scene.concepts["man"].source
    assert 'prompt "man"' in result.explain()


def test_nothing_is_found_where_nothing_is(grounder: Grounder, scene: Scene) -> None:
    assert grounder.ground(scene, "the vehicle").status == "none"
    assert grounder.ground(scene, "how many men are there").answer == 2


def test_masks_are_the_segmenters(grounder: Grounder, scene: Scene) -> None:
    (mask,) = grounder.ground(scene, "the leftmost man").masks
    pipeline: Any = grounder._perception
    image = scene.pixels.image().numpy() if scene.pixels is not None else None
    made, _ = pipeline.segmenter.masks(
        pipeline.segmenter.encode(image), torch.tensor([[8.0, 8, 32, 32]])
    )
    assert mask.shape == (40, 80)
    assert float((mask == made[0]).float().mean()) > 0.95


def test_open_values_are_the_attribute_models(grounder: Grounder, scene: Scene) -> None:
    """To the model red is old and blue is young."""
    old, young = (grounder.ground(scene, f"the {age} man") for age in ("old", "young"))
    torch.testing.assert_close(old.boxes, torch.tensor([[8.0, 8, 32, 32]]), atol=0.05, rtol=0)
    torch.testing.assert_close(young.boxes, torch.tensor([[48.0, 8, 72, 32]]), atol=0.05, rtol=0)
    assert "uncalibrated" in old.scene.attributes["old"].source


def test_the_default_detector_beside_an_open_one(
    folders: dict[str, Path], parser: Parser, voc: dict[str, Any]
) -> None:
    name = f"picodet+grounding-dino:{folders['gd']}+mobilesam"
    grounder = Grounder(perception_of(name, device="cpu"), parser)
    scene = grounder.perceive(voc["rgb"])
    result = grounder.ground(scene, "is there a man next to a chair")
    assert torch.equal(result.scene.boxes[: len(scene)], scene.boxes)
    assert len(result.scene) > len(scene)
    assert "man" in result.scene.categories.values
    assert "man" in result.scene.concepts["person"].categories
    assert result.scene.provenance["prompts"] == '"man"'


def test_owlv2_finds_what_a_text_names(tmp_path: Path, parser: Parser) -> None:
    save_owlv2(tmp_path)
    grounder = Grounder(perception_of(f"owlv2:{tmp_path}", device="cpu"), parser)
    result = grounder.ground(grounder.perceive(picture(60, 120, 0, 1)), "the cat")
    assert result.boxes.round().tolist() == [[45, 15, 75, 45]]


def test_florence_2_finds_what_a_text_names(tmp_path: Path, parser: Parser) -> None:
    save_florence_2(tmp_path)
    grounder = Grounder(perception_of(f"florence-2:{tmp_path}", device="cpu"), parser)
    scene = grounder.perceive(np.zeros((50, 200, 3), np.uint8))
    assert grounder.ground(scene, "how many cats are there").answer == 2
    assert "scores of places only" in grounder.ground(scene, "the dog").explain()


def test_clipseg_is_the_evidence_of_nouns(
    folders: dict[str, Path], tmp_path: Path, parser: Parser
) -> None:
    """To it white is a cat; the upper left quarter is white."""
    save_clipseg(tmp_path)
    save_grounding_dino(folders["gd"].parent / "cats", ((0.5, 0.5, 1.0, 1.0),), {"cat": (0.9,)})
    name = f"grounding-dino:{folders['gd'].parent / 'cats'}+clipseg:{tmp_path}"
    grounder = Grounder(perception_of(name, device="cpu"), parser)
    image = np.zeros((64, 128, 3), np.uint8)
    image[:32, :64] = 255
    cat = grounder.ground(grounder.perceive(image), "the cat").alignment["cat"]
    assert float(cat[10, 20]) == pytest.approx(0.9 * float(torch.tensor(3.0).sigmoid()), abs=0.02)
    assert float(cat[50, 100]) < 0.1


def test_parts_run_in_the_precision_that_is_asked_for(folders: dict[str, Path]) -> None:
    pipeline = perception_of(
        f"grounding-dino:{folders['gd']}+siglip:{folders['siglip']}",
        device="cpu",
        dtype="bfloat16",
    )
    assert isinstance(pipeline, Pipeline)
    open_detector: Any = pipeline.open_detector
    attributes: Any = pipeline.attributes
    assert open_detector._model.dtype is attributes._model.dtype is torch.bfloat16
    assert attributes is pipeline.relations


@pytest.mark.parametrize(
    "name", ["grounding-dino", "owlv2", "florence-2", "clipseg", "clip", "siglip"]
)
def test_a_folder_that_is_not_there_is_one_line(name: str, tmp_path: Path) -> None:
    settings = Settings(torch.device("cpu"), torch.float32, path_of)
    with pytest.raises(PerceptionError, match=r"^there is no folder") as caught:
        back_end(name).make(str(tmp_path / "missing"), settings)
    assert "\n" not in str(caught.value)
