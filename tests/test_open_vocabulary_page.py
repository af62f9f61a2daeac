"""The page about open vocabularies runs as it stands, with tiny models."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neurosym.perception.registry import back_end
from tests.perception.tiny_contrastive import BLUE, RED, plain, save_siglip
from tests.perception.tiny_open import save_grounding_dino
from tests.perception.tiny_sam import save_tiny_sam

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "open_vocabulary.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the first example leaves behind; to its models red is old, and blue is young."""
    folders = {name: tmp_path_factory.mktemp(name) for name in ("dino", "sam", "siglip")}
    boxes = ((0.25, 0.5, 0.3, 0.6), (0.75, 0.5, 0.3, 0.6), (0.5, 0.8, 0.2, 0.2))
    scores = {"man": (0.9, 0.9, 0.02), "horse": (0.02, 0.02, 0.9)}
    save_grounding_dino(folders["dino"], boxes, scores)
    save_tiny_sam(folders["sam"])
    save_siglip(folders["siglip"], {"an old man": (0.8, 0.1), "a young man": (0.1, 0.8)})
    photograph = np.concatenate([plain(RED, 40, 40), plain(BLUE, 40, 40)], axis=1)
    left: dict[str, Any] = {"photograph": photograph, **folders}
    exec(BLOCKS[0], left)
    return left


def test_the_first_example(names: dict[str, Any]) -> None:
    assert len(names["scene"]) == 0
    assert names["result"].boxes.round().tolist() == [[8, 8, 32, 32]]
    assert names["later"].answer is True
    assert names["later"].scene.provenance["prompts"] == '"horse", "man"'
    searches = names["scene"].pixels.photo.searches
    assert [phrases for phrases, _ in searches] == [("man",), ("horse",)]


def test_the_example_of_a_detector_of_ones_own(names: dict[str, Any]) -> None:
    photograph = np.zeros((40, 60, 3), np.uint8)
    photograph[5:15, 20:50] = 255
    own = {**names, "photograph_of_a_lamp": photograph}
    exec(BLOCKS[1], own)
    assert own["answer"].boxes.tolist() == [[20, 5, 50, 15]]
    assert len(BLOCKS) == 2
    assert len(BLOCKS[1].splitlines()) < 30


@pytest.mark.parametrize("row", re.findall(r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|", PAGE, re.M))
def test_the_table_is_right(row: tuple[str, str, str]) -> None:
    name, roles, checkpoint = row
    end = back_end(name)
    assert end.weights == checkpoint.strip()
    said = {"boxes": "open detector", "heat maps": "heat maps"}
    assert [role.words for role in end.roles] == [
        said.get(role.strip(), role.strip()) for role in roles.split(",")
    ]
