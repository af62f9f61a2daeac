"""The scene: what it accepts, how it is cut, observed and made crisp."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings

from neurosym.errors import SceneError, UnknownConceptError
from neurosym.pixels import GivenMasks, ImageSize
from neurosym.scene import Categorical, Concept, Measure, Relation, Scene
from neurosym.scene_io import to_document
from tests.executors.strategies import scenes
from tests.scenes import COLOURS, SIZE, CountingPixels, make, prior

# Validation


def table(probabilities: Sequence[Sequence[float]], values: tuple[str, ...]) -> Categorical:
    return Categorical(
        values, torch.tensor(probabilities), torch.ones(len(probabilities)).bool(), "given"
    )


HALVES = [[0.5, 0.5]] * 3
NAN, INFINITE = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"size": ImageSize(0, 30)},
            "the image size must be at least 1 x 1, not (0, 30)",
        ),
        ({"size": ImageSize(20, -1)}, "the image size must be at least 1 x 1"),
        ({"boxes": [[0, 0, 1, 1]] * 3}, "boxes must be a tensor, not list"),
        ({"boxes": torch.zeros(3, 5)}, "boxes must have the shape [3, 4], not [3, 5]"),
        ({"boxes": torch.zeros(3)}, "boxes must have the shape [3, 4], not [3]"),
        ({"boxes": torch.full((3, 4), NAN)}, "boxes must be finite"),
        ({"boxes": torch.full((3, 4), INFINITE)}, "boxes must be finite"),
        (
            {"boxes": torch.tensor([[5.0, 0, 4, 1]] * 3)},
            "boxes must be xyxy: x1 <= x2, y1 <= y2",
        ),
        (
            {"boxes": torch.tensor([[0.0, 2, 4, 1]] * 3)},
            "boxes must be xyxy: x1 <= x2, y1 <= y2",
        ),
        ({"boxes": torch.zeros(2, 4)}, "existence must have the shape [2], not [3]"),
        ({"existence": torch.zeros(2)}, "existence must have the shape [3], not [2]"),
        ({"existence": [0.1] * 3}, "existence must be a tensor, not list"),
        ({"existence": torch.tensor([0.1, -0.1, 0])}, "existence must lie in [0, 1] throughout"),
        ({"existence": torch.tensor([0.1, 1.1, 0])}, "existence must lie in [0, 1] throughout"),
        ({"existence": torch.tensor([0.1, NAN, 0])}, "existence must lie in [0, 1] throughout"),
        ({"groups": torch.tensor([0, 1])}, "groups must have the shape [3], not [2]"),
        (
            {"existence": torch.tensor([0.5, 0.6, 0.5])},
            "the existence of a group must sum to at most 1",
        ),
        (
            {"categories": table(HALVES[:2], ("cup", "plate"))},
            "categories must have the shape [3, 2], not [2, 2]",
        ),
        (
            {"categories": replace(table(HALVES, ("cup", "plate")), evidence=torch.ones(2))},
            "the evidence of categories must have the shape [3], not [2]",
        ),
        (
            {"categories": table([[0.5, 0.4]] * 3, ("cup", "plate"))},
            "every row of categories must sum to 1",
        ),
        (
            {"categories": table([[1.5, -0.5]] * 3, ("cup", "plate"))},
            "categories must lie in [0, 1] throughout",
        ),
        (
            {"categories": table([[NAN, 1.0]] * 3, ("cup", "plate"))},
            "categories must lie in [0, 1] throughout",
        ),
        (
            {"categories": table(HALVES, ("plate", "plate"))},
            "the values of categories must be distinct",
        ),
        (
            {"attributes": {"color": prior(2, COLOURS)}},
            'the attribute "color" must have the shape [3, 3], not [2, 3]',
        ),
        (
            {"attributes": {"color": table([[0.5, 0.4]] * 3, ("red", "blue"))}},
            'every row of the attribute "color" must sum to 1',
        ),
        (
            {"relations": {"on": Relation(torch.zeros(3, 2), "given")}},
            'the relation "on" must have the shape [3, 3], not [3, 2]',
        ),
        (
            {"relations": {"on": Relation(torch.full((3, 3), 1.5), "given")}},
            'the relation "on" must lie in [0, 1] throughout',
        ),
        (
            {"relations": {"on": Relation(torch.eye(3), "given")}},
            'the relation "on" must be 0 on its diagonal',
        ),
        (
            {"measures": {"area": Measure(torch.zeros(3, 1), "px", "given")}},
            'the measure "area" must have the shape [3], not [3, 1]',
        ),
        (
            {"measures": {"area": Measure(torch.tensor([0.0, NAN, 1]), "px", "given")}},
            'the measure "area" must be finite',
        ),
        ({"distances": torch.zeros(3)}, "distances must have the shape [3, 3], not [3]"),
        (
            {"concepts": {"dish": Concept(("plate", "bowl"))}},
            "the concept \"dish\" names unknown categories: ['bowl']",
        ),
    ],
)
def test_what_does_not_fit_is_refused_at_birth(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SceneError) as caught:
        make(**changes)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize("value", [NAN, -1.0], ids=["not a number", "negative"])
def test_distances_that_are_no_distances_are_refused(value: float) -> None:
    with pytest.raises(SceneError, match="distances"):
        make(distances=torch.full((3, 3), value))


def test_a_size_without_names_is_refused() -> None:
    with pytest.raises(SceneError, match="size"):
        make(size=(20, 30))


def test_sums_may_differ_by_rounding() -> None:
    make(existence=torch.tensor([1.0, 0.60005, 0.4]))
    make(categories=table([[0.5, 0.5004]] * 3, ("cup", "plate")))


def test_a_scene_is_frozen_and_itself_only() -> None:
    scene = make()
    with pytest.raises(AttributeError):
        scene.boxes = torch.zeros(3, 4)  # type: ignore[misc]
    assert scene == scene
    assert scene != make()
    assert len({scene, make()}) == 2
    assert repr(scene) == (
        "Scene(3 objects, 30 x 20, 2 categories, attributes ['color'], 2 relations)"
    )


# Names


def test_names_are_looked_up() -> None:
    scene = make()
    assert scene.category_indices("plate") == (1,)
    assert scene.category_indices("dish") == (1,)
    assert scene.attribute("color").index("blue") == 2
    assert scene.relation("behind").approximate
    assert scene.measure("area").unit == "px^2"


@pytest.mark.parametrize(
    ("look_up", "message"),
    [
        (
            lambda s: s.category_indices("plat"),
            'this scene has no category "plat": did you mean "plate"?',
        ),
        (
            lambda s: s.category_indices("dishes"),
            'this scene has no category "dishes": did you mean "dish"?',
        ),
        (lambda s: s.category_indices("zzz"), 'this scene has no category "zzz"'),
        (
            lambda s: s.attribute("colour"),
            'this scene has no attribute "colour": did you mean "color"?',
        ),
        (
            lambda s: s.attribute("color").index("rede"),
            'this scene has no value "rede": did you mean "red"?',
        ),
        (
            lambda s: s.relation("left off"),
            'this scene has no relation "left off": did you mean "left_of"?',
        ),
        (lambda s: s.measure("aera"), 'this scene has no measure "aera": did you mean "area"?'),
        (
            lambda s: s.observe("colour", [0]),
            'this scene has no attribute "colour": did you mean "color"?',
        ),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(look_up: Any, message: str) -> None:
    with pytest.raises(UnknownConceptError) as caught:
        look_up(make())
    assert caught.value.message == message


def test_a_concept_may_widen_a_category_of_its_name() -> None:
    scene = make(concepts={"cup": Concept(("cup", "plate"))})
    assert scene.category_indices("cup") == (0, 1)


# Empty scenes


def test_an_empty_scene() -> None:
    scene = Scene.empty((7, 9), ["cup", "plate"])
    assert (len(scene), scene.size, scene.is_crisp) == (0, ImageSize(7, 9), True)
    assert scene.category_indices("plate") == (1,)
    assert scene.graph().number_of_nodes() == 0
    assert scene.masks([]).shape == (0, 7, 9)
    assert len(scene[[]]) == len(scene[:]) == len(scene.most_likely()) == 0
    assert len(Scene.empty()) == 0


# Cutting


INDICES: list[tuple[Any, list[int]]] = [
    (slice(None), [0, 1, 2]),
    (slice(1, None), [1, 2]),
    (slice(None, None, 2), [0, 2]),
    ([2, 0], [2, 0]),
    ((1,), [1]),
    ([-1], [2]),
    ([], []),
    (torch.tensor([2, 1]), [2, 1]),
    (torch.tensor([True, False, True]), [0, 2]),
    (torch.zeros(3, dtype=torch.bool), []),
]


@pytest.mark.parametrize(("index", "kept"), INDICES, ids=[str(kept) for _, kept in INDICES])
def test_cutting_keeps_everything_in_step(index: Any, kept: list[int]) -> None:
    whole = make(pixels=CountingPixels())
    part = whole[index]
    assert len(part) == len(kept)
    assert part.boxes.tolist() == [whole.boxes[i].tolist() for i in kept]
    assert part.existence.tolist() == [float(whole.existence[i]) for i in kept]
    assert part.groups.tolist() == [int(whole.groups[i]) for i in kept]
    assert part.categories.evidence.tolist() == [bool(whole.categories.evidence[i]) for i in kept]
    assert part.measures["area"].values.tolist() == [
        float(whole.measures["area"].values[i]) for i in kept
    ]
    assert part.distances is not None
    assert whole.distances is not None
    for row, i in enumerate(kept):
        for column, j in enumerate(kept):
            assert part.distances[row, column] == whole.distances[i, j]
            left = part.relations["left_of"].probabilities[row, column]
            assert left == whole.relations["left_of"].probabilities[i, j]
    masks = part.masks(range(len(kept)))
    assert [int(mask.any(1).nonzero()) for mask in masks] == kept


def test_a_list_of_bools_is_a_mask() -> None:
    assert make()[[False, True, True]].groups.tolist() == [1, 1]


def test_a_cut_of_a_cut_asks_the_picture_for_the_right_objects() -> None:
    pixels = CountingPixels()
    part = make(pixels=pixels)[[2, 1]][[1]]
    assert part.pixels is not None
    assert list(part.pixels.known_masks()) == [0]
    seen = part.observe("color", [0])
    assert pixels.scores_asked == [("color", (1,))]
    assert seen.attributes["color"].probabilities.tolist() == [[0, 1, 0]]
    assert part.pixels.image() is not None
    assert part.pixels.evidence("color", "red") is not None


# Observing


def test_only_what_is_asked_for_is_looked_at() -> None:
    pixels = CountingPixels()
    scene = make(pixels=pixels)
    seen = scene.observe("color", [2, 0])
    assert pixels.scores_asked == [("color", (2, 0))]
    assert pixels.masks_asked == []
    color = seen.attributes["color"]
    assert color.evidence.tolist() == [True, False, True]
    assert color.probabilities[0].tolist() == [1, 0, 0]
    assert color.probabilities[1].tolist() == pytest.approx([1 / 3] * 3)
    assert color.probabilities[2].tolist() == [0, 0, 1]
    # The scene that was asked is as it was.
    assert not scene.attributes["color"].evidence.any()
    assert seen.pixels is pixels


def test_what_has_evidence_is_left_as_it_is() -> None:
    pixels = CountingPixels()
    scene = make(attributes={"color": prior(3, COLOURS, [True, False, True])}, pixels=pixels)
    seen = scene.observe("color", range(3))
    assert pixels.scores_asked == [("color", (1,))]
    assert seen.attributes["color"].probabilities[0].tolist() == pytest.approx([1 / 3] * 3)
    again = seen.observe("color", [0, 1, 2])
    assert again is seen
    assert len(pixels.scores_asked) == 1


def test_nothing_to_look_at_leaves_the_scene() -> None:
    scene = make(pixels=CountingPixels())
    assert scene.observe("color", []) is scene
    blind = make(pixels=CountingPixels(can_tell=False))
    assert blind.observe("color", [0]) is blind
    without = make()
    assert without.observe("color", [0]) is without


# Masks


def test_masks_are_made_when_asked_for() -> None:
    pixels = CountingPixels()
    scene = make(pixels=pixels)
    assert pixels.masks_asked == []
    masks = scene.masks([2, 0])
    assert pixels.masks_asked == [(2, 0)]
    assert [int(mask.any(1).nonzero()) for mask in masks] == [2, 0]


def test_without_a_picture_a_mask_is_the_filled_box() -> None:
    masks = make().masks([1, 0])
    assert masks.shape == (2, 20, 30)
    assert masks.dtype == torch.bool
    expected = torch.zeros(20, 30, dtype=torch.bool)
    expected[5:20, 5:15] = True
    assert torch.equal(masks[0], expected)
    assert int(masks[1].sum()) == 100


def test_the_mask_of_a_box_that_leaves_the_image_or_has_no_area() -> None:
    boxes = torch.tensor([[-5.0, -5, 3, 3], [25, 15, 99, 99], [4, 4, 4, 4]])
    masks = make(boxes=boxes).masks([0, 1, 2])
    assert [int(mask.sum()) for mask in masks][1:] == [25, 1]


def test_the_mask_of_a_box_that_leaves_the_image_at_the_top_left() -> None:
    boxes = torch.tensor([[-5.0, -5, 3, 3]] * 3)
    assert int(make(boxes=boxes).masks([0]).sum()) == 9


def test_given_masks() -> None:
    mask = torch.zeros(SIZE, dtype=torch.bool)
    mask[3, 4] = True
    given_masks = GivenMasks(SIZE, {1: mask})
    assert torch.equal(given_masks.masks([1, 1]), torch.stack([mask, mask]))
    assert given_masks.masks([]).shape == (0, 20, 30)
    assert given_masks.score("color", [1]) is None
    assert given_masks.evidence("color", "red") is None
    assert given_masks.image() is None
    with pytest.raises(SceneError, match="no mask for object 0"):
        given_masks.masks([1, 0])


# Crisp scenes


def test_of_a_group_one_hypothesis_exists_when_something_does() -> None:
    scene = make(
        existence=torch.tensor([0.49, 0.2, 0.3]),
        groups=torch.tensor([0, 1, 1]),
    )
    crisp = scene.most_likely()
    assert crisp.existence.tolist() == [0, 0, 1]
    assert crisp.is_crisp
    assert not scene.is_crisp
    assert make(existence=torch.tensor([0.5, 0.2, 0.29])).most_likely().existence.tolist() == [
        1,
        0,
        0,
    ]


def test_the_likeliest_labels_and_relations_hold() -> None:
    crisp = make().most_likely()
    assert crisp.categories.probabilities.tolist() == [[1, 0], [0, 1], [1, 0]]
    assert crisp.relations["left_of"].probabilities.tolist() == [[0, 1, 1], [0, 0, 0], [0, 0, 0]]
    assert crisp.relations["behind"].approximate


@settings(max_examples=40, deadline=None)
@given(scenes(crisp=False))
def test_making_crisp_twice_is_making_crisp_once(scene: Scene) -> None:
    crisp = scene.most_likely()
    assert crisp.is_crisp
    assert to_document(crisp.most_likely()) == to_document(crisp)
    for group in torch.unique(crisp.groups):
        assert float(crisp.existence[crisp.groups == group].sum()) <= 1


def test_moving_to_a_device_changes_nothing_else() -> None:
    scene = make()
    assert to_document(scene.to("cpu")) == to_document(scene)
    assert scene.to(torch.device("cpu")).device == torch.device("cpu")


# Graphs


def test_the_graph_says_what_the_scene_says() -> None:
    graph = make().graph()
    assert graph.graph["size"] == {"height": 20, "width": 30}
    assert graph.graph["distances"] == [[0, 1, 2], [1, 0, 3], [2, 3, 0]]
    assert list(graph.nodes) == [0, 1, 2]
    node = graph.nodes[1]
    assert node["category"] == "plate"
    assert node["existence"] == pytest.approx(0.6)
    assert (node["group"], node["box"]) == (1, (5, 5, 15, 20))
    assert node["categories"] == {"cup": 0.25, "plate": 0.75}
    assert node["attributes"]["color"] == pytest.approx(dict.fromkeys(COLOURS, 1 / 3))
    assert node["measures"] == {"area": 150}
    assert graph.nodes[2]["categories"] == {"cup": 1}
    edges = {(i, j, name): p for i, j, name, p in graph.edges(keys=True, data="probability")}
    assert edges == {(0, 1, "left_of"): 0.5, (0, 2, "left_of"): 1, (1, 2, "left_of"): 0.25}
