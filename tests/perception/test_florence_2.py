"""Florence-2 from a folder: what it writes becomes boxes, phrases and scores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from neurosym.perception.backends.florence_2 import BINS, Florence2

WIDTH = 64
TEXT = (
    *("c", "a", "t"),
    *(100, 200, 500, 900),
    *(600, 0, 999, 499),
    *("Ġ", "d", "o", "g"),
    *(10, 20, (300, 700), 40),
    *("Ġ", "c", "a", "t"),
    *(5, 6, 7),
)
"""What it writes: letters and bins; of a pair of bins it is not sure. The last box is not whole."""


def save_florence_2(folder: Path, text: Sequence[Any] = TEXT) -> Any:
    """A Florence-2 that writes the same text whatever it sees and is asked."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import (
        BartConfig,
        CLIPImageProcessorPil,
        Florence2Config,
        Florence2ForConditionalGeneration,
        PreTrainedTokenizerFast,
    )

    torch.manual_seed(0)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = ["<s>", "<pad>", "</s>", "<unk>", *alphabet, "<image>"]
    pieces += [f"<loc_{number}>" for number in range(BINS)]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    letters = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>"))
    letters.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    letters.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=letters,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        additional_special_tokens=["<image>", *pieces[-BINS:]],
    )
    tokenizer.save_pretrained(folder)
    config = Florence2Config(
        text_config=BartConfig(
            vocab_size=len(pieces),
            d_model=WIDTH,
            encoder_layers=1,
            decoder_layers=1,
            encoder_attention_heads=2,
            decoder_attention_heads=2,
            encoder_ffn_dim=16,
            decoder_ffn_dim=16,
            max_position_embeddings=256,
            bos_token_id=0,
            pad_token_id=1,
            eos_token_id=2,
            decoder_start_token_id=2,
            forced_eos_token_id=2,
        ).to_dict(),
        vision_config={
            "embed_dim": [8, 8, 8, 16],
            "depths": [1, 1, 1, 1],
            "num_heads": [1, 1, 1, 1],
            "num_groups": [1, 1, 1, 1],
            "window_size": 2,
            "projection_dim": WIDTH,
        },
        image_token_id=vocabulary["<image>"],
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
    )
    model = Florence2ForConditionalGeneration(config).eval()
    decoder = model.model.language_model.decoder
    with torch.no_grad():
        # The decoder goes by the place in the text alone.
        layer = decoder.layers[0]
        for part in (layer.self_attn.out_proj, layer.encoder_attn.out_proj, layer.fc2):
            part.weight.zero_()
            part.bias.zero_()
        rows = model.get_input_embeddings().weight
        rows.copy_(torch.randn(rows.shape))
        for place, written in enumerate([*text, "</s>"]):
            either = written if isinstance(written, tuple) else (written,)
            names = [f"<loc_{one}>" if isinstance(one, int) else one for one in either]
            towards = torch.stack([rows[vocabulary[name]] for name in names])
            # Positions start at 2 in this family.
            decoder.embed_positions.weight[place + 2] = 1e4 * _between(towards)
    model.save_pretrained(folder)
    processor = CLIPImageProcessorPil(size={"height": 64, "width": 64}, do_center_crop=False)
    processor.save_pretrained(folder)
    return model


def _between(towards: torch.Tensor) -> torch.Tensor:
    """A vector whose products with all rows are the same, but for a little more with the first."""
    aims = torch.full((len(towards),), float(WIDTH))
    aims[0] += 0.5 if len(towards) > 1 else 0.0
    return torch.linalg.lstsq(towards, aims, driver="gelsd").solution


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("florence-2")
    save_florence_2(path)
    return path


@pytest.fixture(scope="module")
def detector(folder: Path) -> Florence2:
    return Florence2(str(folder))


IMAGE = np.zeros((50, 200, 3), np.uint8)
CATS = torch.tensor([[20.1, 10.025, 100.1, 45.025], [120.1, 0.025, 199.9, 24.975]])
DOG = torch.tensor([[2.1, 1.025, 60.1, 2.025]])


def test_what_is_written_becomes_boxes_of_phrases(detector: Florence2) -> None:
    (found,) = detector.detect_phrases([IMAGE], ["dog", "cat"])
    cats, dogs = found.scores[:, 1] > 0, found.scores[:, 0] > 0
    torch.testing.assert_close(found.boxes[cats], CATS)
    torch.testing.assert_close(found.boxes[dogs], DOG)
    torch.testing.assert_close(found.scores[cats, 1], torch.ones(2), atol=0.01, rtol=0)


def test_a_score_says_how_sure_the_place_is(detector: Florence2) -> None:
    """Of one of the dog's coordinates the model is torn between two places."""
    (found,) = detector.detect_phrases([IMAGE], ["dog"])
    (score,) = found.scores[:, 0].tolist()
    assert 0.5**0.25 < score < 0.95
    place = TEXT.index((300, 700))
    decoder = detector._model.model.language_model.decoder
    with torch.no_grad():
        row = decoder.embed_positions.weight[place + 2]
        hidden = torch.nn.functional.layer_norm(row, (WIDTH,))
        shares = (detector._model.lm_head.weight @ hidden).softmax(dim=0)
    here, there = (float(shares[detector._places[number]]) for number in (300, 700))
    assert here > there > 0.1
    assert score == pytest.approx(here**0.25, abs=0.01)


def test_phrases_are_asked_for_in_one_caption(
    detector: Florence2, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    generate = detector._model.generate

    def noted(**inputs: Any) -> Any:
        asked.extend(detector._tokenizer.batch_decode(inputs["input_ids"]))
        return generate(**inputs)

    monkeypatch.setattr(detector._model, "generate", noted)
    wide, tall = detector.detect_phrases([IMAGE, np.zeros((200, 50, 3), np.uint8)], ["cat", "dog"])
    question = "<s>Locate the phrases in the caption: cat. dog.</s>"
    assert [text.replace("<image>", "").strip() for text in asked] == [question] * 2
    assert asked[0].count("<image>") == 2 * 2 + 1
    swapped = tall.boxes[:, [1, 0, 3, 2]]
    expected = torch.tensor([[40.1, 5.025, 180.1, 25.025]])
    assert any(torch.allclose(box, expected[0], atol=1e-3) for box in swapped)
    torch.testing.assert_close(wide.scores, tall.scores)


def test_phrases_that_were_not_asked_for_are_left_out(detector: Florence2) -> None:
    (found,) = detector.detect_phrases([IMAGE], ["horse"])
    assert found.scores.shape == (0, 1)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision(tmp_path: Path, dtype: torch.dtype) -> None:
    save_florence_2(tmp_path, ("c", "a", "t", 100, 200, 500, 900))
    half = Florence2(str(tmp_path), "cpu", dtype)
    assert half._model.dtype is dtype
    (found,) = half.detect_phrases([IMAGE], ["cat"])
    torch.testing.assert_close(found.boxes, CATS[:1])
    assert float(found.scores[0, 0]) == pytest.approx(1.0, abs=0.01)
