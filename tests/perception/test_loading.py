"""Models are had from folders and from the local cache of a hub, and failures are one line."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
import torch
import transformers
from transformers.utils import logging

from neurosym.errors import PerceptionError
from neurosym.perception.loading import described, load_model, load_processor
from tests.perception.tiny_detectors import save_tiny_detr

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny-detr"
    save_tiny_detr(folder)
    return folder


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(saved, tmp_path / "tiny-detr"))


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> None:
        raise OSError("no network in tests")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def load(source: str | Path, kind: Any = None, dtype: torch.dtype = torch.float32) -> Any:
    kind = kind or transformers.DetrForObjectDetection
    return load_model(kind, str(source), torch.device("cpu"), dtype)


def message(source: str | Path, kind: Any = None) -> str:
    with pytest.raises(PerceptionError) as raised:
        load(source, kind)
    said = str(raised.value)
    assert "\n" not in said
    return said


def test_a_folder_gives_the_weights_that_were_saved(saved: Path) -> None:
    model = load(saved)
    fresh = save_tiny_detr(saved.parent / "same")
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())
    for name, value in fresh.state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name
    assert load(saved, dtype=torch.bfloat16).dtype is torch.bfloat16
    processor = load_processor(transformers.DetrImageProcessorPil, str(saved))
    assert processor.size["shortest_edge"] == 64


def test_a_class_that_chooses_by_configuration_never_runs_code_beside_weights(
    folder: Path, tmp_path: Path
) -> None:
    auto = transformers.AutoModelForObjectDetection
    assert isinstance(load(folder, auto), transformers.DetrForObjectDetection)
    configuration = json.loads((folder / "config.json").read_text())
    del configuration["model_type"]
    configuration["auto_map"] = {"AutoModelForObjectDetection": "own.Model", "AutoConfig": "own.C"}
    (folder / "config.json").write_text(json.dumps(configuration))
    (folder / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    message(folder, auto)
    assert not (tmp_path / "ran").exists()


def test_a_description_names_the_weights_and_not_the_path(folder: Path) -> None:
    said = described(str(folder), load(folder))
    assert said.startswith('DetrForObjectDetection "tiny-detr", weights ')
    assert said.endswith(f", transformers {transformers.__version__}")
    assert str(folder.parent) not in said
    save_tiny_detr(folder, queries=4)
    assert described(str(folder), load(folder)) != said


def test_pickled_weights_are_read_without_running_them(folder: Path, tmp_path: Path) -> None:
    (folder / "model.safetensors").unlink()
    model = save_tiny_detr(tmp_path / "other")
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    assert torch.equal(
        load(folder).bbox_predictor.layers[0].weight, model.bbox_predictor.layers[0].weight
    )

    class Evil:
        def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
            return os.mkdir, (str(tmp_path / "ran"),)

    torch.save({"class_labels_classifier.weight": Evil()}, folder / "pytorch_model.bin")
    message(folder)
    assert not (tmp_path / "ran").exists()


def test_damage_is_one_line(folder: Path) -> None:
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    for part in (whole[: len(whole) // 2], b"", b"not weights"):
        weights.write_bytes(part)
        assert message(folder).startswith(f'cannot load the model "{folder}": ')
    weights.unlink()
    assert "model.safetensors" in message(folder)
    (folder / "config.json").write_text("{")
    assert message(folder).endswith("config.json is damaged")
    (folder / "config.json").unlink()
    assert message(folder).endswith("there is no config.json")
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(PerceptionError, match="Can't load image processor"):
        load_processor(transformers.DetrImageProcessorPil, str(folder))
    assert message(folder.parent / "nowhere").startswith("there is no folder")


def test_a_model_without_all_its_weights_is_refused(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    del weights["class_labels_classifier.bias"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    assert message(folder).endswith(
        "no weights that fit for 1 tensors, such as class_labels_classifier.bias"
    )


def test_another_kind_of_model_is_refused(saved: Path) -> None:
    assert message(saved, transformers.YolosForObjectDetection).endswith(
        'it holds a "detr" model, expected "yolos"'
    )


def test_a_hubs_name_without_a_network_says_what_to_do() -> None:
    said = message("some-one/tiny-detr@v2")
    assert 'the model "some-one/tiny-detr@v2" is not in the local cache' in said
    assert "hf download some-one/tiny-detr --revision v2" in said
    assert "Repo id must" in message("not a name")


def test_offline_mode_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both variables set the constant, when the library is imported; no connection is tried."""

    def tried(*arguments: Any) -> None:
        raise AssertionError("the network was used in offline mode")

    monkeypatch.setattr(socket, "getaddrinfo", tried)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE is set: download it elsewhere" in message("some-one/tiny-detr")


def test_a_hubs_model_comes_from_the_cache(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Laid out as the hub's library does it: snapshots by commit, and names for commits."""
    cache = tmp_path / "hub"
    repository = cache / "models--some-one--tiny-detr"
    shutil.copytree(folder, repository / "snapshots" / COMMIT)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    (repository / "refs" / "v2").write_text(COMMIT)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    for source in ("some-one/tiny-detr", "some-one/tiny-detr@v2", f"some-one/tiny-detr@{COMMIT}"):
        model = load(source)
        assert model.config.num_queries == 3
        assert 'DetrForObjectDetection "tiny-detr", weights ' in described(source, model)
        load_processor(transformers.DetrImageProcessorPil, source)
    assert "is not in the local cache" in message("some-one/tiny-detr@v3")
    # What is wrong with a cached model is said, not that the network is missing.
    assert 'expected "yolos"' in message("some-one/tiny-detr", transformers.YolosForObjectDetection)


def test_a_folder_of_a_hubs_form_comes_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent.parent)
    assert load(f"{folder.parent.name}/{folder.name}").config.num_queries == 3


def test_loading_is_quiet_and_leaves_the_librarys_logging_alone(
    saved: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    capfd.readouterr()
    load(saved)
    assert capfd.readouterr() == ("", "")
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before
