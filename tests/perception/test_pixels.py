"""What pixels say: common colours, lightness, depth, and relations between drawn masks."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from neurosym.errors import PerceptionError, SceneError
from neurosym.perception import depths, lightness
from neurosym.perception.colours import COLOURS
from neurosym.perception.common_colours import common_colours, word_fits, word_pixels
from neurosym.perception.mask_relations import (
    contained,
    hiding,
    reach,
    relate,
    resting_on,
    touching,
)
from neurosym.pixels import DepthMap, ImageSize, Intrinsics, camera_coordinates
from neurosym.program.own_values import BROADER

SIZE = ImageSize(60, 80)
FLAT = {
    "navy": (5, 10, 70),
    "teal": (0, 140, 130),
    "tan": (209, 178, 111),
    "maroon": (110, 0, 40),
    "olive": (110, 118, 14),
    "dark blue": (0, 0, 90),
    "light blue": (150, 205, 250),
}


def drawn(*boxes: tuple[int, int, int, int]) -> Tensor:
    """A mask of filled boxes xyxy."""
    mask = torch.zeros(SIZE, dtype=torch.bool)
    for x1, y1, x2, y2 in boxes:
        mask[y1:y2, x1:x2] = True
    return mask


def fit(word: str, rgb: tuple[int, int, int]) -> float:
    image = torch.tensor(rgb, dtype=torch.uint8).expand(*SIZE, 3)
    everything = torch.ones((1, *SIZE), dtype=torch.bool)
    box = torch.tensor([[0.0, 0.0, SIZE.width, SIZE.height]])
    return float(word_fits(word, image, everything, box, torch.zeros(1)))


# Common colours


@pytest.mark.parametrize("word", FLAT)
def test_a_flat_thing_fits_its_word_better_than_all_that_look_otherwise(word: str) -> None:
    own = fit(word, FLAT[word])
    assert own > 0.5
    others = {name: fit(word, rgb) for name, rgb in FLAT.items() if name != word}
    near = {"navy": "dark blue", "dark blue": "navy"}.get(word)
    for name, other in others.items():
        if name != near:
            assert other < own, name


def test_what_is_navy_is_no_light_blue_and_what_is_red_is_neither() -> None:
    assert fit("light blue", FLAT["navy"]) < 0.05
    assert fit("navy", (200, 20, 20)) < 0.1


def test_a_word_is_seen_in_single_pixels() -> None:
    image = torch.zeros((2, 2, 3), dtype=torch.uint8)
    image[0, 0] = torch.tensor(FLAT["light blue"])
    image[1, 1] = torch.tensor(FLAT["dark blue"])
    light, dark = word_pixels("light blue", image), word_pixels("dark blue", image)
    assert light[0, 0] > 0.5 > light[1, 1]
    assert dark[1, 1] > 0.5 > dark[0, 0]


def test_an_empty_mask_says_nothing() -> None:
    image = torch.zeros((*SIZE, 3), dtype=torch.uint8)
    nothing = torch.zeros((1, *SIZE), dtype=torch.bool)
    assert word_fits("tan", image, nothing, torch.zeros(1, 4), torch.zeros(1)).tolist() == [0.5]


def test_the_language_knows_the_words_and_their_wider_ones() -> None:
    assert BROADER.keys() <= common_colours().keys()
    for word, wider in BROADER.items():
        assert set(wider) <= {*COLOURS, "cyan"}, word


# Lightness


def test_lightness_is_that_of_the_middle_and_of_the_mask() -> None:
    image = torch.zeros((*SIZE, 3), dtype=torch.uint8)
    image[20:40, 20:60] = 255
    light = lightness.lightness_map(image)
    boxes = torch.tensor([[10.0, 10, 70, 50], [0, 0, 10, 10]])
    rough = lightness.box_lightness(image, boxes)
    assert rough.tolist() == pytest.approx([100, 0], abs=0.1)
    masks = torch.stack([drawn((10, 20, 60, 40)), drawn()])
    assert lightness.mask_lightness(light, masks, rough).tolist() == pytest.approx([80, 0], abs=0.1)


def test_dark_and_light_are_relative_to_like_things() -> None:
    values = torch.tensor([40.0, 60.0, 90.0])
    alike = torch.tensor([[1.0, 1, 0], [1, 1, 0], [0, 0, 1]])
    first, second, alone = lightness.light(values, values, alike, 50.0).tolist()
    assert first == pytest.approx(1 - second)
    assert first < 0.25 < 0.75 < second
    # One without a like is judged by the picture, which counts as half a thing.
    assert alone == pytest.approx(1 / (1 + math.exp(-(90 - (90 + 25) / 1.5) / 8)), abs=1e-5)


# Relations between masks


def test_reach_grows_with_the_picture() -> None:
    assert reach(ImageSize(480, 640)) == 6
    assert reach(ImageSize(10, 10)) == 1


def test_touching_is_graded_by_the_length_of_contact() -> None:
    one = drawn((10, 10, 30, 30))
    assert touching(one, drawn((30, 10, 50, 30)), 1) == 1
    assert touching(one, drawn((32, 10, 50, 30)), 1) == 0
    # Two rows of contact and one more on the diagonal, of a tenth of 20 + 20.
    assert touching(one, drawn((30, 28, 70, 29)), 1) == touching(drawn((30, 28, 70, 29)), one, 1)
    assert 0 < touching(drawn((10, 10, 50, 50)), drawn((50, 49, 79, 59)), 1) < 1
    assert touching(one, drawn(), 1) == 0


def test_a_thing_rests_on_what_is_right_below_it() -> None:
    table = drawn((5, 40, 75, 55))
    assert resting_on(drawn((20, 30, 30, 40)), table, 1) == 1
    assert resting_on(drawn((20, 20, 30, 30)), table, 1) == 0  # hovers
    assert resting_on(table, drawn((20, 30, 30, 40)), 1) == 0
    assert resting_on(drawn((20, 30, 30, 58)), table & ~drawn((20, 30, 30, 58)), 1) == 0
    # Two of ten columns have it below.
    assert resting_on(drawn((67, 30, 77, 40)) & ~drawn((67, 39, 73, 40)), table, 1) == (
        pytest.approx(0.2 / 0.4)
    )
    # Seen from above, the table is around the cup.
    cup = drawn((20, 44, 30, 50))
    assert resting_on(cup, table & ~cup, 1) == 1


def test_a_thing_is_in_what_is_around_it() -> None:
    fruit = drawn((30, 20, 50, 30))
    bowl = drawn((20, 25, 60, 50)) & ~fruit
    # Half of it stands out above the rim.
    assert contained(fruit, bowl, 1) == pytest.approx(0.5 / 0.7)
    assert contained(bowl, fruit, 1) == 0
    beside = drawn((62, 25, 70, 50))
    assert contained(beside, bowl, 1) == 0
    # In the box of an L, but with nothing to its right.
    corner = drawn((10, 10, 15, 50), (10, 45, 60, 50))
    assert contained(drawn((30, 20, 40, 30)), corner, 1) == 0


def test_what_reaches_lower_hides_what_it_borders() -> None:
    front = drawn((20, 20, 40, 58))
    back = drawn((10, 10, 60, 40)) & ~front
    assert hiding(front, back, 1) > 0.99
    assert hiding(back, front, 1) < 0.01
    assert hiding(drawn((62, 20, 78, 58)), back, 1) == 0
    level = drawn((20, 20, 40, 40))
    assert hiding(level, drawn((10, 10, 60, 40)) & ~level, 1) == pytest.approx(0.5)


def test_far_pairs_need_no_masks() -> None:
    boxes = torch.tensor([[0.0, 0, 10, 10], [10, 0, 20, 10], [60, 40, 70, 50]])
    asked: list[int] = []

    def masks(numbers: object) -> Tensor:
        asked.extend(numbers)  # type: ignore[call-overload]
        return torch.stack([drawn((0, 0, 10, 10)), drawn((10, 0, 20, 10))])

    found = relate("touch", [(0, 1), (0, 2), (1, 0)], boxes, SIZE, masks)
    assert found.tolist() == [1, 0, 1]
    assert asked == [0, 1]


# Depth


def ramp() -> DepthMap:
    """Left half 2 m away, right half 4 m; the first row unknown."""
    values = torch.full(SIZE, 2.0)
    values[:, 40:] = 4
    values[0] = torch.nan
    return DepthMap(values, intrinsics=Intrinsics(100, 100, 40, 30))


def test_depth_is_the_median_of_the_middle_and_of_the_mask() -> None:
    boxes = torch.tensor([[0.0, 0, 20, 20], [50, 0, 70, 40], [0, 0, 4, 1]])
    medians, spreads = depths.box_depths(ramp(), boxes)
    # Nothing is known of the last: the median of the map.
    assert medians[:2].tolist() == [2, 4]
    assert float(medians[2]) in (2.0, 3.0, 4.0)
    assert spreads[:2].tolist() == [0, 0]
    masks = torch.stack([drawn((30, 10, 45, 20)), drawn()])
    assert depths.mask_depths(ramp(), masks, torch.tensor([9.0, 9.0])).tolist() == [2, 9]


def test_the_nearer_of_two_is_in_front_where_they_are_in_line() -> None:
    boxes = torch.tensor([[10.0, 10, 38, 50], [30, 10, 79, 50], [50, 10, 79, 50]])
    found = depths.relations(ramp(), boxes)
    front = found["in_front_of"].probabilities
    assert torch.equal(front.T, found["behind"].probabilities)
    assert front[0, 1] == 1
    assert front[1, 0] == 0
    assert front[0, 2] == 0  # apart along x
    assert not found["in_front_of"].approximate
    assert found["in_front_of"].source == "given"


def test_depth_within_things_softens_which_is_in_front() -> None:
    values = torch.linspace(2, 3, SIZE.width).expand(SIZE).contiguous()
    boxes = torch.tensor([[0.0, 0, 60, 60], [10, 0, 70, 60]])
    front = depths.relations(DepthMap(values, "relative"), boxes)["in_front_of"]
    assert front.approximate
    assert 0.5 < float(front.probabilities[0, 1]) < 0.9


def test_a_map_of_another_size_or_without_values_is_an_error() -> None:
    with pytest.raises(PerceptionError, match="image's frame"):
        depths.checked(DepthMap(torch.ones(3, 4)), SIZE)
    with pytest.raises(PerceptionError, match="no finite value"):
        depths.checked(DepthMap(torch.full(SIZE, torch.inf)), SIZE)


def test_camera_coordinates_of_a_known_geometry() -> None:
    # A square of 10 x 10 pixels around (65, 15): 25 right of and 15 above the principal point.
    found = camera_coordinates(ramp(), torch.stack([drawn((60, 10, 70, 20)), drawn((0, 0, 9, 1))]))
    step = 0.5 * 4 / 100  # the median of an even number is the lower one
    expected = [25 * 4 / 100, -15 * 4 / 100, 4]
    assert found[0].tolist() == pytest.approx(expected, abs=step + 1e-6)
    assert not bool(found[1].isfinite().any())


def test_camera_coordinates_need_metres_and_a_camera() -> None:
    masks = drawn((0, 0, 9, 9))[None]
    with pytest.raises(SceneError, match="relative"):
        camera_coordinates(DepthMap(torch.ones(SIZE), "relative"), masks)
    with pytest.raises(SceneError, match="intrinsics"):
        camera_coordinates(DepthMap(torch.ones(SIZE)), masks)
