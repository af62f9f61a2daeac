"""OWLv2 from a folder: queries, frames without the padding, precision."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from neurosym.perception.backends.owlv2 import Owlv2
from tests.perception.tiny_contrastive import save_clip_tokenizer

WORDS = {"cat": 0.3, "dog": -0.3, "apple": 0.6}
"""The cosine of a word with white patches; with black ones it is the negative. The scale is 10."""


def save_owlv2(folder: Path) -> Any:
    """An OWLv2 that takes each patch of 4 x 4 for a thing, and goes by its brightness."""
    from transformers import Owlv2Config, Owlv2ForObjectDetection, Owlv2ImageProcessorPil

    torch.manual_seed(0)
    tokenizer = save_clip_tokenizer(folder)
    size = {"hidden_size": 32, "intermediate_size": 16, "num_hidden_layers": 1}
    config = Owlv2Config(
        text_config={
            **size,
            "num_attention_heads": 2,
            "vocab_size": len(tokenizer),
            "max_position_embeddings": 40,
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
        },
        vision_config={**size, "num_attention_heads": 2, "image_size": 32, "patch_size": 8},
        projection_dim=32,
    )
    model = Owlv2ForObjectDetection(config).eval()
    processor = Owlv2ImageProcessorPil(size={"height": 32, "width": 32})
    processor.save_pretrained(folder)
    vision, text = model.owlv2.vision_model, model.owlv2.text_model
    with torch.no_grad():
        # Every patch by itself: no attention, no positions.
        vision.embeddings.position_embedding.weight.zero_()
        for layer in vision.encoder.layers:
            layer.self_attn.out_proj.weight.zero_()
            layer.self_attn.out_proj.bias.zero_()
        tokens = tokenizer(
            [f"a photo of {'an' if word == 'apple' else 'a'} {word}" for word in WORDS],
            padding="max_length",
            max_length=40,
            return_tensors="pt",
        )
        read = text(**tokens).pooler_output
        wanted = torch.tensor([[c, (1 - c * c) ** 0.5, *[0.0] * 30] for c in WORDS.values()])
        solved = torch.linalg.lstsq(read, wanted, driver="gelsd").solution
        model.owlv2.text_projection.weight.copy_(solved.T)
        mean, std = (torch.tensor(v) for v in (processor.image_mean, processor.image_std))
        levels = torch.stack([(1 - mean) / std, -mean / std])
        pixels = levels[:, :, None, None].expand(-1, -1, 32, 32)
        features = model.image_embedder(pixels)[0][:, 0, 0]
        head = model.class_head
        aims = torch.zeros(2, 32)
        aims[:, 0] = torch.tensor([1.0, -1.0])
        head.dense0.weight.copy_(torch.linalg.lstsq(features, aims, driver="gelsd").solution.T)
        for part in (head.dense0.bias, head.logit_shift.weight, head.logit_shift.bias):
            part.zero_()
        head.logit_scale.weight.zero_()
        head.logit_scale.bias.fill_(9.0)
        model.box_head.dense2.weight.zero_()
        model.box_head.dense2.bias.zero_()
    model.save_pretrained(folder)
    return model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("owlv2")
    save_owlv2(path)
    return path


@pytest.fixture(scope="module")
def detector(folder: Path) -> Owlv2:
    return Owlv2(str(folder))


def picture(height: int, width: int, row: int, column: int) -> np.ndarray:
    """Black but for one patch of the square that the picture is padded to."""
    image = np.zeros((height, width, 3), np.uint8)
    step = max(height, width) // 4
    image[row * step : (row + 1) * step, column * step : (column + 1) * step] = 255
    return image


def likely(found: Any, column: int) -> list[list[float]]:
    rows = found.scores[:, column] > 0.5
    return sorted([round(value) for value in box] for box in found.boxes[rows].tolist())


def test_boxes_are_in_the_frame_of_the_image(detector: Owlv2) -> None:
    """A patch's box lies around its lower right corner, as wide as the patch."""
    images = [picture(60, 120, 0, 1), picture(120, 60, 2, 0)]
    wide, tall = detector.detect_phrases(images, ["cat", "dog"])
    assert likely(wide, 0) == [[45, 15, 75, 45]]
    assert likely(tall, 0) == [[15, 75, 45, 105]]
    scores = wide.scores[wide.scores[:, 0] > 0.5]
    expected = torch.tensor([[3.0, -3.0]]).sigmoid()
    torch.testing.assert_close(scores, expected, atol=0.02, rtol=0)


def test_what_lies_in_the_padding_is_left_out(detector: Owlv2) -> None:
    """The padding is black, as dogs are; the picture's lower patches reach into it."""
    (wide,) = detector.detect_phrases([picture(60, 120, 0, 1)], ["dog"])
    assert float(wide.boxes[:, 3].max()) == 60
    assert len(wide.boxes) == 8
    assert likely(wide, 0)[0] == [15, 15, 45, 45]


def test_a_phrase_scores_alike_whatever_is_asked_beside_it(detector: Owlv2) -> None:
    image = picture(60, 120, 0, 1)
    forward = detector._model.forward
    seen: list[tuple[int, ...]] = []

    def counted(**inputs: Any) -> Any:
        seen.append(tuple(inputs["input_ids"].shape))
        return forward(**inputs)

    detector._model.forward = counted
    try:
        (alone,) = detector.detect_phrases([image], ["dog"])
        (among,) = detector.detect_phrases([image], ["cat", "apple", "dog"])
    finally:
        del detector._model.forward
    assert seen == [(1, 40), (3, 40)]
    same = among.scores[:, 2] > 0.5
    torch.testing.assert_close(among.scores[same, 2], alone.scores[alone.scores[:, 0] > 0.5, 0])
    assert float(among.scores[:, 1].max()) == pytest.approx(
        float(torch.tensor(6.0).sigmoid()), abs=0.01
    )


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision(detector: Owlv2, folder: Path, dtype: torch.dtype) -> None:
    half = Owlv2(str(folder), "cpu", dtype)
    assert half._model.dtype is dtype
    (found,) = half.detect_phrases([picture(60, 120, 0, 1)], ["cat"])
    assert found.scores.dtype is torch.float32
    rows = found.scores[:, 0] > 0.5
    torch.testing.assert_close(
        found.boxes[rows], torch.tensor([[45.0, 15, 75, 45]]), atol=1.0, rtol=0
    )


def test_nothing_is_asked_of_nothing(detector: Owlv2) -> None:
    assert detector.detect_phrases([], ["cat"]) == []
    (found,) = detector.detect_phrases([picture(60, 120, 0, 1)], [])
    assert found.scores.shape == (0, 0)
