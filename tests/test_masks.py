"""Codecs of masks, against masks worked out by hand and against COCO's own where it is there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neurosym.errors import SceneError
from neurosym.masks import Outlines, compress_counts, decode_mask, encode_mask, expand_counts
from neurosym.pixels import ImageSize


@given(st.integers(1, 12), st.integers(1, 12), st.randoms(use_true_random=False))
def test_masks_are_coded_without_loss(height: int, width: int, chance: Any) -> None:
    rows = [[chance.random() < 0.5 for _ in range(width)] for _ in range(height)]
    mask = torch.tensor(rows)
    run = encode_mask(mask)
    assert sum(run["counts"]) == height * width
    assert torch.equal(decode_mask(run, ImageSize(height, width)), mask)
    text = compress_counts(run["counts"])
    assert expand_counts(text) == expand_counts(text.encode()) == run["counts"]
    assert torch.equal(decode_mask({**run, "counts": text}, ImageSize(height, width)), mask)


@given(st.lists(st.integers(0, 10**7), max_size=20))
def test_runs_of_any_length_are_compressed_without_loss(counts: list[int]) -> None:
    assert expand_counts(compress_counts(counts)) == counts


def test_runs_go_down_columns_and_start_with_background() -> None:
    mask = torch.tensor([[True, False, False], [True, True, False]])
    assert encode_mask(mask) == {"size": [2, 3], "counts": [0, 2, 1, 1, 2]}
    assert encode_mask(torch.zeros(2, 3, dtype=torch.bool))["counts"] == [6]
    assert encode_mask(torch.ones(2, 3, dtype=torch.bool))["counts"] == [0, 6]


def test_a_polygon_covers_the_pixels_whose_middle_it_holds() -> None:
    size = ImageSize(height=5, width=6)
    square = decode_mask([[1, 1, 4, 1, 4, 3, 1, 3]], size)
    expected = torch.zeros(5, 6, dtype=torch.bool)
    expected[1:3, 1:4] = True
    assert torch.equal(square, expected)
    both = decode_mask([[1, 1, 4, 1, 4, 3, 1, 3], [0, 4, 6, 4, 6, 5, 0, 5]], size)
    expected[4] = True
    assert torch.equal(both, expected)
    # What lies outside is cut off.
    assert decode_mask([[-9, -9, 99, -9, 99, 99, -9, 99]], size).all()


def test_polygons_and_runs_agree_with_coco() -> None:
    coco = pytest.importorskip("pycocotools.mask")
    chance = np.random.default_rng(0)
    for number in range(200):
        height, width = (int(n) for n in chance.integers(1, 60, 2))
        polygon = chance.uniform(-10, 70, 2 * int(chance.integers(3, 12)))
        if number % 2:
            polygon = np.round(polygon * 2) / 2
        runs = coco.frPyObjects([polygon.tolist()], height, width)[0]
        mask = decode_mask([polygon.tolist()], ImageSize(height, width))
        assert np.array_equal(mask.numpy(), coco.decode(runs).astype(bool))
        assert compress_counts(encode_mask(mask)["counts"]).encode() == runs["counts"]


@pytest.mark.parametrize(
    ("segmentation", "message"),
    [
        ({"size": [2, 3], "counts": [5]}, "does not fit the image of 3 x 2"),
        ({"size": [3, 2], "counts": [6]}, "does not fit the image of 3 x 2"),
        ({"size": [2, 3], "counts": [7, -1]}, "whole numbers"),
        ({"size": [2, 3], "counts": [0.5, 5.5]}, "whole numbers"),
        ({"size": [2, 3], "counts": "é"}, "does not occur"),
        ({"size": [2, 3], "counts": "o"}, "break off"),
        ({"counts": [6]}, '"size"'),
        ([[0, 0, 1, 1]], "three corners"),
        ([[0, 0, 1, 1, 2, float("nan")]], "three corners"),
    ],
)
def test_what_is_no_mask_is_refused(segmentation: Any, message: str) -> None:
    with pytest.raises(SceneError, match=message):
        decode_mask(segmentation, ImageSize(2, 3))


def test_outlines_are_decoded_when_asked_for_and_fill_boxes_otherwise() -> None:
    boxes = torch.tensor([[0.0, 0, 2, 2], [1, 0, 3, 1]])
    broken = {"size": [2, 3], "counts": [1]}
    outlines = Outlines(ImageSize(2, 3), (None, {"size": [2, 3], "counts": [4, 2]}), boxes)
    first, second = outlines.masks([0, 1])
    assert first.tolist() == [[True, True, False], [True, True, False]]
    assert second.tolist() == [[False, False, True], [False, False, True]]
    assert list(outlines.known_masks()) == [1]
    swapped = outlines.take([1, 0])
    assert torch.equal(swapped.masks([1, 0]), torch.stack([first, second]))
    lazy = Outlines(ImageSize(2, 3), (None, broken), boxes)
    assert torch.equal(lazy.masks([0])[0], first)
    with pytest.raises(SceneError, match="does not fit"):
        lazy.masks([1])
