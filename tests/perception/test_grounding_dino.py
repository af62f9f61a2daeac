"""Grounding DINO from a folder: spans of phrases, batches, splitting, precision, frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from neurosym.errors import PerceptionError
from neurosym.perception.backends.grounding_dino import GroundingDino
from tests.perception.tiny_open import save_grounding_dino

BOXES = ((0.25, 0.5, 0.5, 1.0), (0.75, 0.5, 0.5, 0.5))
SCORES = {"cat": (0.9, 0.02), "dog": (0.1, 0.8), "cup": (0.005, 0.005), "tree": (0.3, 0.6)}
WIDE, TALL = np.zeros((60, 120, 3), np.uint8), np.full((100, 50, 3), 200, np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("grounding-dino")
    save_grounding_dino(path, BOXES, SCORES)
    return path


@pytest.fixture(scope="module")
def detector(folder: Path) -> GroundingDino:
    return GroundingDino(str(folder))


@pytest.fixture
def forwards(detector: GroundingDino, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The shapes of the texts of every forward pass."""
    seen: list[tuple[int, ...]] = []
    model = detector._model
    forward = model.forward

    def counted(**inputs: Any) -> Any:
        seen.append(tuple(inputs["input_ids"].shape))
        return forward(**inputs)

    monkeypatch.setattr(model, "forward", counted)
    return seen


def test_each_phrase_has_the_scores_of_its_own_tokens(
    detector: GroundingDino, forwards: list[Any]
) -> None:
    (found,) = detector.detect_phrases([WIDE], ["dog", "cat"])
    torch.testing.assert_close(
        found.scores, torch.tensor([[0.1, 0.9], [0.8, 0.02]]), atol=1e-3, rtol=0
    )
    assert len(forwards) == 1


def test_a_phrase_of_several_tokens_has_their_mean(detector: GroundingDino) -> None:
    """A word that is repeated is the same token in another place of the phrase."""
    (found,) = detector.detect_phrases([WIDE], ["tree", "cat dog", "unlisted"])
    inputs = detector._tokenizer("tree . cat dog . unlisted .", return_tensors="pt")
    prepared = detector._processor(images=[WIDE], return_tensors="pt")
    with torch.no_grad():
        logits = detector._model(**prepared, **inputs).logits[0].sigmoid()
    spelt = len("unlisted")
    assert inputs["input_ids"].shape[1] == 1 + 2 + 3 + spelt + 1 + 1
    torch.testing.assert_close(found.scores[:, 0], logits[:, 1])
    torch.testing.assert_close(found.scores[:, 1], logits[:, 3:5].mean(dim=1))
    torch.testing.assert_close(found.scores[:, 2], logits[:, 6 : 6 + spelt].mean(dim=1))


def test_boxes_are_in_the_frame_of_each_image(detector: GroundingDino) -> None:
    wide, tall = detector.detect_phrases([WIDE, TALL], ["cat", "dog"])
    expected = torch.tensor([[0.0, 0, 60, 60], [60, 15, 120, 45]])
    torch.testing.assert_close(wide.boxes, expected, atol=0.02, rtol=0)
    expected = torch.tensor([[0.0, 0, 25, 100], [25, 25, 50, 75]])
    torch.testing.assert_close(tall.boxes, expected, atol=0.02, rtol=0)


def test_images_of_one_size_go_together(
    detector: GroundingDino, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes: list[tuple[int, ...]] = []
    forward = detector._model.forward

    def counted(**inputs: Any) -> Any:
        shapes.append(tuple(inputs["pixel_values"].shape))
        return forward(**inputs)

    monkeypatch.setattr(detector._model, "forward", counted)
    first, middle, last = detector.detect_phrases([WIDE, TALL, WIDE + 9], ["cat", "dog"])
    assert shapes == [(2, 3, 32, 64), (1, 3, 64, 32)]
    torch.testing.assert_close(first.boxes, last.boxes)
    assert float(middle.boxes.max()) > 99


def test_a_sliver_of_an_image_is_seen(detector: GroundingDino) -> None:
    """It is extended below for the model; the boxes end where the image does."""
    (found,) = detector.detect_phrases([np.zeros((3, 320, 3), np.uint8)], ["cat"])
    torch.testing.assert_close(found.boxes, torch.tensor([[0.0, 0, 160, 3]]), atol=0.1, rtol=0)


def test_more_phrases_than_a_text_may_hold_take_as_few_forwards_as_needed(
    tmp_path: Path,
) -> None:
    save_grounding_dino(tmp_path, BOXES, SCORES, most_tokens=8)
    small = GroundingDino(str(tmp_path))
    # Each phrase takes two tokens, and the ends of the text take two.
    assert small._chunks(["cat", "dog", "cup", "tree", "cat"]) == [range(3), range(3, 5)]
    (found,) = small.detect_phrases([WIDE], ["cat", "dog", "cup", "tree"])
    assert found.scores.shape == (4, 4)
    torch.testing.assert_close(found.scores[2:, 3], torch.tensor([0.3, 0.6]), atol=1e-3, rtol=0)
    torch.testing.assert_close(found.scores[:2, 0], torch.tensor([0.9, 0.02]), atol=1e-3, rtol=0)
    assert float(found.scores[2:, :3].max()) == 0.0
    with pytest.raises(PerceptionError, match='"unbelievable" has 13 tokens'):
        small.detect_phrases([WIDE], ["unbelievable"])


def test_queries_that_fit_no_phrase_are_left_out(detector: GroundingDino) -> None:
    (found,) = detector.detect_phrases([WIDE], ["cup"])
    assert len(found.boxes) == 0
    assert found.scores.shape == (0, 1)


@pytest.mark.parametrize(("images", "phrases"), [([], ["cat"]), ([WIDE], [])])
def test_nothing_is_asked_of_nothing(
    detector: GroundingDino, forwards: list[Any], images: list[np.ndarray], phrases: Sequence[str]
) -> None:
    found = detector.detect_phrases(images, phrases)
    assert [len(one.boxes) for one in found] == [0] * len(images)
    assert forwards == []


def test_full_stops_in_a_phrase_do_not_part_it(detector: GroundingDino) -> None:
    (plain,) = detector.detect_phrases([WIDE], ["cat dog", "tree"])
    (stopped,) = detector.detect_phrases([WIDE], ["Cat. dog?", "tree"])
    torch.testing.assert_close(stopped.scores, plain.scores)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision(tmp_path: Path, dtype: torch.dtype) -> None:
    save_grounding_dino(tmp_path, BOXES, SCORES)
    half = GroundingDino(str(tmp_path), "cpu", dtype)
    assert half._model.dtype is dtype
    (found,) = half.detect_phrases([WIDE], ["cat", "dog"])
    assert found.scores.dtype is torch.float32
    torch.testing.assert_close(
        found.scores, torch.tensor([[0.9, 0.1], [0.02, 0.8]]), atol=0.02, rtol=0
    )
    expected = torch.tensor([[0.0, 0, 60, 60], [60, 15, 120, 45]])
    torch.testing.assert_close(found.boxes, expected, atol=2.0, rtol=0)


def test_another_model_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(PerceptionError, match="there is no folder"):
        GroundingDino(str(tmp_path / "missing"))
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(PerceptionError, match='it holds a "bert" model'):
        GroundingDino(str(tmp_path))
