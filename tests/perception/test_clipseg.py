"""CLIPSeg from a folder: where words are, in the image's own frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from neurosym.perception.backends.clipseg import ClipSeg
from tests.perception.tiny_contrastive import save_clip_tokenizer

WHITE, BLACK = 255, 0


def save_clipseg(folder: Path) -> Any:
    """A CLIPSeg to which white is a cat (logit 3 against -3), and black is a dog."""
    from transformers import CLIPSegConfig, CLIPSegForImageSegmentation, ViTImageProcessorPil

    torch.manual_seed(0)
    tokenizer = save_clip_tokenizer(folder)
    size = {"hidden_size": 32, "intermediate_size": 16, "num_hidden_layers": 1}
    config = CLIPSegConfig(
        text_config={
            **size,
            "num_attention_heads": 2,
            "vocab_size": len(tokenizer),
            "max_position_embeddings": 77,
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
        },
        vision_config={**size, "num_attention_heads": 2, "image_size": 32, "patch_size": 8},
        projection_dim=16,
        extract_layers=[0],
        reduce_dim=16,
        decoder_num_attention_heads=2,
        decoder_intermediate_size=16,
    )
    model = CLIPSegForImageSegmentation(config).eval()
    processor = ViTImageProcessorPil(size={"height": 32, "width": 32})
    processor.save_pretrained(folder)
    decoder, vision = model.decoder, model.clip.vision_model
    with torch.no_grad():
        # Every patch by itself: no attention, no positions.
        vision.embeddings.position_embedding.weight.zero_()
        for layer in (*vision.encoder.layers, *decoder.layers):
            layer.self_attn.out_proj.weight.zero_()
            layer.self_attn.out_proj.bias.zero_()
        last = decoder.transposed_convolution
        outputs = []
        decoder.transposed_convolution = torch.nn.Identity()
        for word in ("cat", "dog"):
            for level in (WHITE, BLACK):
                image = np.full((32, 32, 3), level, np.uint8)
                pixels = processor(images=[image], return_tensors="pt")
                found = model(**pixels, **tokenizer([word], return_tensors="pt"))
                outputs.append(found.logits[0, :, 0, 0])
        decoder.transposed_convolution = last
        aims = torch.tensor([[3.0], [-3], [-3], [3]])
        weights = torch.linalg.lstsq(torch.stack(outputs), aims, driver="gelsd").solution
        last.weight.copy_(weights[:, :, None, None].expand_as(last.weight))
        last.bias.zero_()
    model.save_pretrained(folder)
    return model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clipseg")
    save_clipseg(path)
    return path


@pytest.fixture(scope="module")
def heat(folder: Path) -> ClipSeg:
    return ClipSeg(str(folder))


def halves() -> np.ndarray:
    """White in the upper left quarter, black elsewhere, 64 high and 128 wide."""
    image = np.zeros((64, 128, 3), np.uint8)
    image[:32, :64] = WHITE
    return image


def test_words_are_warm_where_they_are(heat: ClipSeg) -> None:
    dog, cat = heat.heat_maps(halves(), ["dog", "cat"])
    assert dog.shape == (64, 128)
    warm, cold = torch.tensor(3.0).sigmoid(), torch.tensor(-3.0).sigmoid()
    for (row, column), is_white in {(8, 20): True, (8, 100): False, (50, 20): False}.items():
        assert float(cat[row, column]) == pytest.approx(float(warm if is_white else cold), abs=0.01)
        assert float(dog[row, column]) == pytest.approx(float(cold if is_white else warm), abs=0.01)


def test_the_image_is_looked_at_once(heat: ClipSeg, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    vision = heat._model.clip.vision_model
    forward = vision.forward

    def counted(**inputs: Any) -> Any:
        looks.append(len(inputs["pixel_values"]))
        return forward(**inputs)

    monkeypatch.setattr(vision, "forward", counted)
    image = halves()
    both = heat.heat_maps(image, ["cat", "dog"])
    torch.testing.assert_close(heat.heat_maps(image, ["dog"])[0], both[1])
    assert looks == [1]
    turned = heat.heat_maps(np.ascontiguousarray(image[:, ::-1]), ["cat"])
    assert looks == [1, 1]
    assert float(turned[0, 8, 110]) > 0.9
    assert float(turned[0, 8, 20]) < 0.1


def test_a_sliver_of_an_image_is_seen(heat: ClipSeg) -> None:
    image = np.zeros((3, 320, 3), np.uint8)
    image[:, :160] = WHITE
    (cat,) = heat.heat_maps(image, ["cat"])
    assert cat.shape == (3, 320)
    assert float(cat[1, 40]) > 0.9
    assert float(cat[1, 280]) < 0.1


def test_nothing_is_asked(heat: ClipSeg) -> None:
    assert heat.heat_maps(halves(), []).shape == (0, 64, 128)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision(heat: ClipSeg, folder: Path, dtype: torch.dtype) -> None:
    half = ClipSeg(str(folder), "cpu", dtype)
    found = half.heat_maps(halves(), ["cat"])
    assert half._model.dtype is dtype
    assert found.dtype is torch.float32
    torch.testing.assert_close(found, heat.heat_maps(halves(), ["cat"]), atol=0.1, rtol=0)
