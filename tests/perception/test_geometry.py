"""Every relation, measure and place on boxes in image coordinates: x to the right, y DOWN."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from neurosym.perception import geometry
from neurosym.pixels import ImageSize
from neurosym.program import ORDERS
from neurosym.scene import Scene

SIZE = ImageSize(height=100, width=200)
Box = tuple[float, float, float, float]

# Relation -> pairs (i, j), xyxy, of which i stands in it to j, and pairs of which it does not.
PAIRS: dict[str, tuple[list[tuple[Box, Box]], list[tuple[Box, Box]]]] = {
    "left_of": (
        [((10, 40, 20, 50), (30, 40, 40, 50)), ((10, 0, 20, 5), (11, 90, 20, 99))],
        [((30, 40, 40, 50), (10, 40, 20, 50)), ((10, 0, 20, 5), (5, 50, 25, 60))],
    ),
    "right_of": (
        [((30, 40, 40, 50), (10, 40, 20, 50)), ((11, 0, 20, 5), (10, 90, 20, 99))],
        [((10, 40, 20, 50), (30, 40, 40, 50)), ((10, 0, 20, 5), (5, 50, 25, 60))],
    ),
    "above": (
        [((10, 10, 20, 20), (10, 60, 20, 70)), ((90, 10, 99, 20), (0, 11, 9, 20))],
        [((10, 60, 20, 70), (10, 10, 20, 20)), ((10, 40, 20, 60), (50, 45, 60, 55))],
    ),
    "below": (
        [((10, 60, 20, 70), (10, 10, 20, 20)), ((0, 11, 9, 20), (90, 10, 99, 20))],
        [((10, 10, 20, 20), (10, 60, 20, 70)), ((10, 40, 20, 60), (50, 45, 60, 55))],
    ),
    "in_front_of": (
        [((10, 40, 30, 90), (20, 30, 40, 70))],
        [
            ((20, 30, 40, 70), (10, 40, 30, 90)),  # it ends higher
            ((10, 40, 20, 90), (30, 30, 40, 70)),  # apart along x
            ((10, 40, 20, 90), (20, 30, 40, 70)),  # touching only
            ((10, 40, 30, 70), (20, 30, 40, 70)),  # equally low
        ],
    ),
    "behind": (
        [((20, 30, 40, 70), (10, 40, 30, 90))],
        [
            ((10, 40, 30, 90), (20, 30, 40, 70)),
            ((30, 30, 40, 70), (10, 40, 20, 90)),
            ((20, 30, 40, 70), (10, 40, 30, 70)),
        ],
    ),
    "next_to": (
        # A gap of 10 is half the mean width of 20; 5 of 20 rows in common are a quarter.
        [((10, 40, 30, 60), (40, 40, 60, 60)), ((10, 40, 30, 60), (40, 55, 60, 95))],
        [
            ((10, 40, 30, 60), (41, 40, 61, 60)),  # too far apart
            ((10, 40, 30, 60), (40, 56, 60, 96)),  # too few rows in common
            ((10, 10, 30, 30), (10, 70, 30, 90)),  # one above the other
        ],
    ),
    "on": (
        [((20, 20, 40, 50), (10, 40, 60, 80)), ((0, 20, 20, 40), (10, 40, 60, 80))],
        [
            ((10, 40, 60, 80), (20, 20, 40, 50)),  # the support on the thing
            ((20, 0, 40, 30), (10, 40, 60, 80)),  # it hovers
            ((20, 50, 40, 90), (10, 40, 60, 80)),  # it reaches below
            ((60, 20, 90, 50), (10, 40, 60, 80)),  # its foot is beside
            ((0, 20, 70, 50), (10, 40, 60, 80)),  # it is wider
        ],
    ),
    "in": (
        [((20, 20, 30, 30), (10, 10, 60, 60)), ((7, 20, 17, 30), (10, 10, 60, 60))],
        [
            ((10, 10, 60, 60), (20, 20, 30, 30)),  # the larger in the smaller
            ((6.5, 20, 16.5, 30), (10, 10, 60, 60)),  # only 65 % of it
            ((20, 20, 30, 30), (40, 40, 90, 90)),
            ((10, 10, 20, 20), (10, 10, 20, 20)),  # equally large
        ],
    ),
}


def boxes_of(*boxes: Box) -> Tensor:
    return torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)


def holds(relation: str, i: Box, j: Box) -> bool:
    table = geometry.relations(boxes_of(i, j))[relation].probabilities
    return bool(table[0, 1])


grid = st.integers(0, 40)
box = st.tuples(grid, grid, grid, grid).map(
    lambda b: (b[0], b[1], b[0] + b[2] % 20 + 1, b[1] + b[3] % 20 + 1)
)
many_boxes = st.lists(box, max_size=6).map(lambda found: boxes_of(*found))


# Relations


@pytest.mark.parametrize("relation", geometry.RELATIONS)
def test_every_relation_has_a_two_box_test(relation: str) -> None:
    assert relation in PAIRS, f'"{relation}" has no pair of boxes in this file'
    good, bad = PAIRS[relation]
    assert good, f'"{relation}" has no pair of boxes of which it holds'
    assert bad, f'"{relation}" has no pair of boxes of which it does not hold'


def test_there_is_no_test_of_what_is_no_relation() -> None:
    assert PAIRS.keys() == geometry.RELATIONS.keys()


@pytest.mark.parametrize(
    ("relation", "i", "j"), [(name, i, j) for name, (good, _) in PAIRS.items() for i, j in good]
)
def test_a_relation_holds(relation: str, i: Box, j: Box) -> None:
    assert holds(relation, i, j)


@pytest.mark.parametrize(
    ("relation", "i", "j"), [(name, i, j) for name, (_, bad) in PAIRS.items() for i, j in bad]
)
def test_a_relation_does_not_hold(relation: str, i: Box, j: Box) -> None:
    assert not holds(relation, i, j)


def test_what_boxes_only_approximate_says_so() -> None:
    found = geometry.relations(boxes_of((0, 0, 1, 1)))
    exact = {name for name, relation in found.items() if not relation.approximate}
    assert exact == {"left_of", "right_of", "above", "below"}
    for name, (define, approximate) in geometry.RELATIONS.items():
        assert ("pproximate" in (define.__doc__ or "")) == approximate, name


@given(many_boxes)
def test_nothing_is_related_to_itself_and_all_is_crisp(boxes: Tensor) -> None:
    for relation in geometry.relations(boxes).values():
        table = relation.probabilities
        assert table.shape == (len(boxes), len(boxes))
        assert table.dtype == torch.float32
        assert not table.diagonal().any()
        assert bool(((table == 0) | (table == 1)).all())
        assert relation.source == geometry.SOURCE


@given(many_boxes)
def test_inverses(boxes: Tensor) -> None:
    found = {n: r.probabilities for n, r in geometry.relations(boxes).items()}
    for one, other in (("left_of", "right_of"), ("above", "below"), ("in_front_of", "behind")):
        assert torch.equal(found[one], found[other].T)
        assert not (found[one] * found[other]).any()
    assert torch.equal(found["next_to"], found["next_to"].T)
    assert not (found["in"] * found["in"].T).any()
    assert not (found["on"] * found["on"].T).any()


@given(many_boxes)
def test_a_mirrored_picture_swaps_left_and_right_and_nothing_else(boxes: Tensor) -> None:
    x1, y1, x2, y2 = boxes.unbind(1)
    mirrored = torch.stack([SIZE.width - x2, y1, SIZE.width - x1, y2], 1)
    swapped = {"left_of": "right_of", "right_of": "left_of"}
    before, after = geometry.relations(boxes), geometry.relations(mirrored)
    for name in before:
        now = after[swapped.get(name, name)]
        assert torch.equal(before[name].probabilities, now.probabilities), name
    assert torch.allclose(geometry.distances(boxes), geometry.distances(mirrored))
    one, other = geometry.measures(boxes, SIZE), geometry.measures(mirrored, SIZE)
    left, right = one["left_reach"].values, other["right_reach"].values
    assert torch.allclose(left, SIZE.width - right, atol=1e-4)
    for name in one.keys() - {"left_reach", "right_reach"}:
        assert torch.equal(one[name].values, other[name].values), name


@given(many_boxes, st.randoms(use_true_random=False))
def test_the_order_of_objects_does_not_matter(boxes: Tensor, chance: object) -> None:
    order = list(range(len(boxes)))
    chance.shuffle(order)  # type: ignore[attr-defined]
    for name, relation in geometry.relations(boxes).items():
        moved = geometry.relations(boxes[order])[name].probabilities
        assert torch.equal(moved, relation.probabilities[order][:, order])


# Measures


def test_measures_have_these_values_and_units() -> None:
    found = geometry.measures(boxes_of((10, 20, 50, 60), (100, 0, 120, 100)), SIZE)
    values = {name: (m.values.tolist(), m.unit, m.approximate) for name, m in found.items()}
    assert values == {
        "left_reach": ([pytest.approx(24), pytest.approx(107)], "px", False),
        "right_reach": ([pytest.approx(36), pytest.approx(113)], "px", False),
        "y_center": ([40, 50], "px", False),
        "area": ([1600, 2000], "px^2", False),
        "height": ([40, 100], "px", False),
        "width": ([40, 20], "px", False),
        "depth": ([30, -25], "px", True),
    }
    assert {m.source for m in found.values()} == {geometry.SOURCE}


def test_what_ends_lower_is_nearer() -> None:
    depth = geometry.measures(boxes_of((0, 20, 9, 60), (0, 50, 9, 90)), SIZE)["depth"].values
    assert depth[1] < depth[0]


BOX_ORDERS = {name: order for name, order in ORDERS.items() if order.measure != "lightness"}


@pytest.mark.parametrize("order", BOX_ORDERS.values(), ids=list(BOX_ORDERS))
def test_every_order_has_its_measure(order: object) -> None:
    measure = order.measure  # type: ignore[attr-defined]
    assert measure in geometry.measures(boxes_of((0, 0, 1, 1)), SIZE)


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("leftmost", 0),
        ("rightmost", 3),
        ("topmost", 1),
        ("bottommost", 2),
        ("largest", 3),
        ("smallest", 1),
        ("tallest", 3),
        ("shortest", 1),
        ("widest", 0),
        ("narrowest", 2),
        ("nearest", 2),
        ("farthest", 1),
    ],
)
def test_what_comes_first_in_every_order(name: str, first: int) -> None:
    boxes = boxes_of((0, 40, 40, 50), (80, 0, 90, 5), (100, 80, 104, 100), (140, 20, 170, 60))
    order = ORDERS[name]
    values = geometry.measures(boxes, SIZE)[order.measure].values
    assert int(values.argmax() if order.descending else values.argmin()) == first


def test_every_order_is_tried() -> None:
    assert {"leftmost", "farthest"} <= set(ORDERS)
    assert len(BOX_ORDERS) == 12


# Distances


def test_distances_are_edge_to_edge_and_a_tenth_of_centre_to_centre() -> None:
    found = geometry.distances(boxes_of((0, 0, 10, 10), (13, 14, 23, 24), (2, 0, 12, 10)))
    assert found[0, 1] == pytest.approx(5 + 0.1 * math.hypot(13, 14))
    assert found[0, 2] == pytest.approx(0.2)
    assert found.diagonal().tolist() == [0, 0, 0]


@given(many_boxes)
def test_distances_are_symmetric(boxes: Tensor) -> None:
    found = geometry.distances(boxes)
    assert torch.equal(found, found.T)
    assert bool((found >= 0).all())
    assert not found.diagonal().any()


# Sizes


def sizes(
    boxes: Tensor, categories: list[int], existence: list[float] | None = None
) -> list[float]:
    table = torch.eye(3)[categories].reshape(-1, 3)
    exists = torch.ones(len(boxes)) if existence is None else torch.tensor(existence)
    found = geometry.sizes(boxes, exists, table)
    assert found.values == ("small", "large")
    assert bool(found.evidence.all())
    assert torch.allclose(found.probabilities.sum(1), torch.ones(len(boxes)))
    large: list[float] = found.probabilities[:, found.values.index("large")].tolist()
    return large


BIG, SMALL, HUGE = (0, 0, 20, 20), (0, 0, 10, 10), (0, 0, 90, 90)


def test_sizes_are_relative_to_the_category() -> None:
    big, small, alone = sizes(boxes_of(BIG, SMALL, HUGE), [0, 0, 1])
    assert big == pytest.approx(1 / (1 + math.exp(-math.log(4) / 2 / 0.25)), abs=1e-4)
    assert small == pytest.approx(1 - big, abs=1e-4)
    assert alone == pytest.approx(0.5, abs=1e-6)


def test_the_same_box_is_large_among_small_things_and_small_among_large_ones() -> None:
    among_small = sizes(boxes_of(BIG, SMALL, SMALL, HUGE), [0, 0, 0, 1])[0]
    among_large = sizes(boxes_of(BIG, HUGE, HUGE, SMALL), [0, 0, 0, 1])[0]
    assert among_small > 0.9
    assert among_large < 0.1


def test_what_hardly_exists_hardly_counts() -> None:
    assert sizes(boxes_of(BIG, BIG, HUGE), [0, 0, 0], [1, 1, 0.0])[0] == pytest.approx(
        0.5, abs=1e-4
    )


def test_sizes_without_area_existence_or_objects() -> None:
    assert sizes(boxes_of((3, 3, 3, 3)), [0]) == pytest.approx([0.5])
    assert sizes(boxes_of(BIG, SMALL), [0, 0], [0.0, 0.0]) == pytest.approx([0.5, 0.5])
    assert sizes(boxes_of(), []) == []


# Places


@pytest.mark.parametrize(
    ("x", "horizontal"),
    [
        (0, "left"),
        (79, "left"),
        (80, "middle"),
        (100, "middle"),
        (120, "middle"),
        (121, "right"),
        (200, "right"),
    ],
)
def test_places_across(x: float, horizontal: str) -> None:
    found = geometry.places(boxes_of((x, 0, x, 10)), SIZE)["horizontal"]
    assert found.values == ("left", "middle", "right")
    assert found.probabilities[0].tolist() == [float(v == horizontal) for v in found.values]


@pytest.mark.parametrize(
    ("y", "vertical"), [(0, "top"), (39, "top"), (40, "middle"), (60, "middle"), (61, "bottom")]
)
def test_places_down(y: float, vertical: str) -> None:
    found = geometry.places(boxes_of((0, y, 10, y)), SIZE)["vertical"]
    assert found.values == ("top", "middle", "bottom")
    assert found.probabilities[0].tolist() == [float(v == vertical) for v in found.values]
    assert found.source == geometry.SOURCE


def test_places_name_the_two_directions() -> None:
    assert set(geometry.places(boxes_of(), SIZE)) == {"horizontal", "vertical"}


# Together


@given(many_boxes)
def test_all_of_it_makes_a_scene(boxes: Tensor) -> None:
    count = len(boxes)
    categories = torch.ones((count, 1))
    nothing = Scene.empty(SIZE)
    scene = Scene(
        size=SIZE,
        boxes=boxes,
        existence=torch.ones(count),
        groups=torch.arange(count),
        categories=type(nothing.categories)(
            ("thing",), categories, torch.ones(count, dtype=torch.bool), "given"
        ),
        attributes={
            "size": geometry.sizes(boxes, torch.ones(count), categories),
            **geometry.places(boxes, SIZE),
        },
        relations=geometry.relations(boxes),
        measures=geometry.measures(boxes, SIZE),
        distances=geometry.distances(boxes),
    )
    assert len(scene) == count


# Soft borders

SOFT = geometry.DETECTED


def graded(relation: str, i: Box, j: Box) -> float:
    table = geometry.relations(boxes_of(i, j), SOFT)[relation].probabilities
    return float(table[0, 1])


def phi(z: float) -> float:
    return 0.5 * (1 + math.erf(z / math.sqrt(2)))


DOWN, ACROSS = SOFT.edge_down * math.sqrt(2), SOFT.edge_across * math.sqrt(2)


# Relation -> two boxes and the probability that the definition gives, worked out by hand.
@pytest.mark.parametrize(
    ("relation", "i", "j", "probability"),
    [
        # Centres 1 apart, both 20 high.
        ("above", (0, 10, 20, 30), (50, 11, 70, 31), phi(1 / (SOFT.centre * 20 * math.sqrt(2)))),
        ("below", (50, 11, 70, 31), (0, 10, 20, 30), phi(1 / (SOFT.centre * 20 * math.sqrt(2)))),
        # Reaches 2 lower; overlaps along x by half, which is certain.
        ("in_front_of", (0, 12, 20, 32), (10, 10, 30, 30), phi(2 / (DOWN * 20))),
        ("behind", (10, 10, 30, 30), (0, 12, 20, 32), phi(2 / (DOWN * 20))),
        # A gap of 9 where 10 is the limit; all rows in common.
        (
            "next_to",
            (0, 10, 20, 30),
            (29, 10, 49, 30),
            phi(1 / math.hypot(ACROSS * 20, SOFT.vague * 10)),
        ),
        # The foot is 2 below the support's upper edge; well inside across, and far narrower.
        ("on", (40, 0, 50, 22), (0, 20, 90, 60), phi(2 / (SOFT.edge_down * math.hypot(22, 40)))),
        # 25 % lies outside where 30 % may, far smaller.
        ("in", (-2, 20, 6, 30), (0, 0, 90, 90), phi(0.05 / (SOFT.vague * 0.3))),
    ],
)
def test_soft_borders_have_the_stated_probabilities(
    relation: str, i: Box, j: Box, probability: float
) -> None:
    assert 0.5 < probability < 0.99
    assert graded(relation, i, j) == pytest.approx(probability, abs=1e-4)


@pytest.mark.parametrize("relation", geometry.RELATIONS)
def test_far_from_its_borders_a_soft_relation_is_crisp(relation: str) -> None:
    far = {
        "left_of": ((0, 0, 10, 10), (90, 0, 99, 10)),
        "right_of": ((90, 0, 99, 10), (0, 0, 10, 10)),
        "above": ((0, 0, 10, 10), (0, 80, 10, 90)),
        "below": ((0, 80, 10, 90), (0, 0, 10, 10)),
        "in_front_of": ((0, 50, 40, 99), (0, 10, 40, 40)),
        "behind": ((0, 10, 40, 40), (0, 50, 40, 99)),
        "next_to": ((0, 40, 40, 80), (20, 40, 60, 80)),
        "on": ((90, 20, 110, 50), (0, 30, 199, 99)),
        "in": ((90, 40, 100, 50), (0, 0, 199, 99)),
    }[relation]
    i, j = far
    assert graded(relation, i, j) == 1
    if relation != "next_to":
        assert graded(relation, j, i) == 0


@given(many_boxes)
def test_soft_relations_keep_their_laws(boxes: Tensor) -> None:
    found = {n: r.probabilities for n, r in geometry.relations(boxes, SOFT).items()}
    for one, other in (("left_of", "right_of"), ("above", "below"), ("in_front_of", "behind")):
        assert torch.equal(found[one], found[other].T)
        assert bool((found[one] + found[other] <= 1 + 1e-6).all())
    for name, table in found.items():
        assert not table.diagonal().any()
        assert bool(((table >= 0) & (table <= 1)).all())
        crisp = geometry.relations(boxes)[name].probabilities
        # Of the crisp conditions each keeps at least even odds; at most three multiply.
        assert bool((table[crisp == 1] >= 0.125 - 1e-6).all()), name
        assert bool((table[crisp == 0] <= 0.5 + 1e-6).all()), name
    assert torch.equal(found["next_to"], found["next_to"].T)
    for name in ("in", "on"):
        assert bool((found[name] + found[name].T <= 1 + 1e-6).all())


@given(many_boxes)
def test_soft_relations_are_mirrored(boxes: Tensor) -> None:
    x1, y1, x2, y2 = boxes.unbind(1)
    mirrored = torch.stack([SIZE.width - x2, y1, SIZE.width - x1, y2], 1)
    swapped = {"left_of": "right_of", "right_of": "left_of"}
    before, after = geometry.relations(boxes, SOFT), geometry.relations(mirrored, SOFT)
    for name in before:
        now = after[swapped.get(name, name)].probabilities
        assert torch.allclose(before[name].probabilities, now, atol=1e-4), name
