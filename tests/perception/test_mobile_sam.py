from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from neurosym.errors import PerceptionError
from neurosym.perception.mobile_sam import Embedding, MobileSam
from neurosym.perception.tiny_vit import TinyVit, fold_batch_norms

Reference = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module")
def embedding(segmenter: MobileSam, images: dict[str, np.ndarray]) -> Embedding:
    return segmenter.encode(images["voc"])


def decoded(runs: list[int], height: int, width: int) -> Tensor:
    """A mask from its run lengths, row by row, the first of them outside."""
    ends = list(accumulate(runs))
    flat = torch.zeros(height * width, dtype=torch.bool)
    for start, end in zip(ends[::2], ends[1::2], strict=False):
        flat[start:end] = True
    return flat.view(height, width)


def overlap(first: Tensor, second: Tensor) -> Tensor:
    both = (first & second).sum(dim=(1, 2))
    return both / (first | second).sum(dim=(1, 2))


def test_agrees_with_the_original_modules_where_nothing_is_padded(
    segmenter: MobileSam, images: dict[str, np.ndarray], reference: Reference
) -> None:
    expected = reference("mobile_sam")["square"]
    assert images["square"].mean() == pytest.approx(expected["image_mean"], abs=1e-3)
    embedding = segmenter.encode(images["square"])
    assert embedding.features.shape == (1, 256, 64, 64)
    boxes = torch.tensor(expected["boxes"])
    logits, _ = segmenter.logits(embedding, boxes)
    wanted = torch.tensor(expected["logits_every_16"])
    torch.testing.assert_close(logits[:, ::16, ::16], wanted, atol=0.05, rtol=0)
    masks, estimates = segmenter.masks(embedding, boxes)
    torch.testing.assert_close(estimates, torch.tensor(expected["estimates"]), atol=1e-3, rtol=0)
    for mask, area in zip(masks, expected["areas"], strict=True):
        assert mask.sum() == pytest.approx(area, rel=0.001)


def test_less_padding_than_the_original_changes_little(
    segmenter: MobileSam, embedding: Embedding, reference: Reference
) -> None:
    expected = reference("mobile_sam")["voc"]
    height, width = expected["height"], expected["width"]
    assert embedding.features.shape == (1, 256, 56, 64)
    masks, _ = segmenter.masks(embedding, torch.tensor(expected["boxes"]))
    assert masks.shape == (len(expected["boxes"]), height, width)
    assert masks.dtype == torch.bool
    wanted = torch.stack([decoded(runs, height, width) for runs in expected["mask_runs"]])
    assert wanted.sum(dim=(1, 2)).tolist() == expected["areas"]
    agreement = overlap(masks, wanted)
    assert agreement.mean() > 0.95
    assert agreement.min() > 0.85


def test_masks_of_drawn_shapes(segmenter: MobileSam, images: dict[str, np.ndarray]) -> None:
    boxes = torch.tensor([[60.0, 140, 190, 330], [250.0, 90, 430, 270]])
    masks, estimates = segmenter.masks(segmenter.encode(images["synthetic"]), boxes)
    y, x = np.mgrid[:360, :480]
    rectangle = (y >= 140) & (y < 330) & (x >= 60) & (x < 190)
    disc = (x - 340) ** 2 + (y - 180) ** 2 < 90**2
    gold = torch.from_numpy(np.stack([rectangle, disc]))
    assert (overlap(masks, gold) > 0.95).all()
    assert (estimates > 0.9).all()


def test_chunks_do_not_matter(segmenter: MobileSam, embedding: Embedding) -> None:
    boxes = torch.tensor([[40.0, 35, 151, 177], [179, 66, 316, 231], [377, 64, 500, 239]])
    together, first = segmenter.masks(embedding, boxes)
    apart, second = segmenter.masks(embedding, boxes, batch=2)
    assert (overlap(together, apart) > 0.999).all()
    torch.testing.assert_close(first, second, atol=1e-3, rtol=0)


def test_no_boxes(segmenter: MobileSam, embedding: Embedding) -> None:
    masks, estimates = segmenter.masks(embedding, torch.zeros(0, 4))
    assert masks.shape == (0, embedding.height, embedding.width)
    assert estimates.shape == (0,)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 900), (2000, 3)])
def test_extreme_images(segmenter: MobileSam, height: int, width: int) -> None:
    embedding = segmenter.encode(np.full((height, width, 3), 90, np.uint8))
    masks, _ = segmenter.masks(embedding, torch.tensor([[0.0, 0, width, height]]))
    assert masks.shape == (1, height, width)


@pytest.mark.parametrize(
    "boxes", [torch.zeros(3), torch.zeros(2, 5), torch.full((1, 4), torch.nan)]
)
def test_what_are_not_boxes(segmenter: MobileSam, embedding: Embedding, boxes: Tensor) -> None:
    with pytest.raises(PerceptionError, match="boxes must be finite"):
        segmenter.masks(embedding, boxes)


def test_what_is_not_an_rgb_image(segmenter: MobileSam) -> None:
    with pytest.raises(PerceptionError, match="uint8 RGB"):
        segmenter.encode(np.zeros((8, 8), np.uint8))


def test_a_damaged_checkpoint(weights: Callable[[str], Path], tmp_path: Path) -> None:
    whole = (weights("mobile-sam") / "mobile_sam.pt").read_bytes()
    for size in (0, 100, len(whole) // 2):
        (tmp_path / "cut.pt").write_bytes(whole[:size])
        with pytest.raises(PerceptionError, match=r"cut\.pt is damaged or not a checkpoint"):
            MobileSam.load(tmp_path / "cut.pt")


def test_another_checkpoint(weights: Callable[[str], Path], tmp_path: Path) -> None:
    torch.save({"image_encoder.neck.0.weight": torch.zeros(1)}, tmp_path / "other.pt")
    with pytest.raises(PerceptionError, match=r"other\.pt is not MobileSAM"):
        MobileSam.load(tmp_path / "other.pt")
    state = torch.load(weights("mobile-sam") / "mobile_sam.pt", weights_only=True)
    state["mask_decoder.surprise"] = torch.zeros(1)
    torch.save(state, tmp_path / "more.pt")
    with pytest.raises(PerceptionError, match=r"more\.pt is not MobileSAM"):
        MobileSam.load(tmp_path / "more.pt")


def test_a_missing_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(PerceptionError, match="cannot read"):
        MobileSam.load(tmp_path / "none.pt")


def test_folding_a_batch_norm_changes_nothing() -> None:
    torch.manual_seed(0)
    convolution = torch.nn.Conv2d(3, 4, 3, bias=False)
    norm = torch.nn.BatchNorm2d(4).eval()
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    norm.running_mean, norm.running_var = torch.randn(4), torch.rand(4) + 0.5
    state = {"x.c.weight": convolution.weight}
    state |= {f"x.bn.{name}": value for name, value in norm.state_dict().items()}
    folded = fold_batch_norms(state)
    assert sorted(folded) == ["x.bias", "x.weight"]
    pixels = torch.randn(1, 3, 8, 8)
    expected = norm(convolution(pixels))
    actual = torch.nn.functional.conv2d(pixels, folded["x.weight"], folded["x.bias"])
    torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-5)


def test_the_encoder_takes_any_multiple_of_sixteen() -> None:
    encoder = TinyVit().eval()
    with torch.inference_mode():
        assert encoder(torch.zeros(2, 3, 16, 48)).shape == (2, 256, 1, 3)
