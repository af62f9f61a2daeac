"""The scene: what it accepts, how it is saved, cut, observed and made crisp."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from neurosym.errors import SceneError, UnknownConceptError
from neurosym.scene import (
    Categorical,
    Concept,
    GivenMasks,
    ImageSize,
    Measure,
    Pixels,
    Relation,
    Scene,
)
from neurosym.scene_io import FORMAT, decode_mask, encode_mask, from_document, to_document
from tests.executors.strategies import scenes

SIZE = ImageSize(height=20, width=30)
COLOURS = ("red", "green", "blue")


@dataclass(frozen=True)
class CountingPixels(Pixels):
    """A picture on which object i is certainly of colour i modulo 3; records what is asked."""

    masks_asked: list[tuple[int, ...]] = field(default_factory=list)
    scores_asked: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    can_tell: bool = True

    def image(self) -> Tensor | None:
        return torch.zeros((*SIZE, 3), dtype=torch.uint8)

    def masks(self, indices: Sequence[int]) -> Tensor:
        self.masks_asked.append(tuple(indices))
        made = torch.zeros((len(indices), *SIZE), dtype=torch.bool)
        for row, index in enumerate(indices):
            made[row, index] = True
        return made

    def known_masks(self) -> Mapping[int, Tensor]:
        return {1: self.masks([1])[0]}

    def score(self, attribute: str, indices: Sequence[int]) -> Tensor | None:
        self.scores_asked.append((attribute, tuple(indices)))
        return torch.eye(3)[[i % 3 for i in indices]] if self.can_tell else None

    def evidence(self, attribute: str, value: str) -> Tensor | None:
        return torch.ones(SIZE) if (attribute, value) == ("color", "red") else None


def prior(count: int, values: tuple[str, ...], seen: Sequence[bool] | None = None) -> Categorical:
    table = torch.full((count, len(values)), 1 / len(values))
    evidence = torch.tensor(seen if seen is not None else [False] * count, dtype=torch.bool)
    return Categorical(values, table, evidence, "pixels")


def make(**changes: Any) -> Scene:
    """Three objects, two of which are hypotheses of one thing, with one of everything."""
    parts: dict[str, Any] = {
        "size": SIZE,
        "boxes": torch.tensor([[0.0, 0, 10, 10], [5, 5, 15, 20], [20, 2, 30, 9]]),
        "existence": torch.tensor([0.9, 0.6, 0.3]),
        "groups": torch.tensor([4, 1, 1]),
        "categories": Categorical(
            ("cup", "plate"),
            torch.tensor([[0.8, 0.2], [0.25, 0.75], [1.0, 0.0]]),
            torch.tensor([True, True, False]),
            "detector",
        ),
        "attributes": {"color": prior(3, COLOURS)},
        "relations": {
            "left_of": Relation(
                torch.tensor([[0.0, 0.5, 1], [0.0, 0, 0.25], [0, 0, 0]]), "geometry"
            ),
            "behind": Relation(torch.zeros(3, 3), "boxes", approximate=True),
        },
        "measures": {"area": Measure(torch.tensor([100.0, 150, 70]), "px^2", "geometry", True)},
        "distances": torch.tensor([[0.0, 1, 2], [1, 0, 3], [2, 3, 0]]),
        "concepts": {"dish": Concept(("plate",), approximate=True)},
        "provenance": {"detector": "picodet"},
    }
    return Scene(**{**parts, **changes})


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


def test_categories_go_before_concepts_of_the_same_name() -> None:
    scene = make(concepts={"cup": Concept(("cup", "plate"))})
    assert scene.category_indices("cup") == (0,)


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


# Saving


def same(one: Scene, other: Scene) -> bool:
    return to_document(one) == to_document(other)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(scene=st.booleans().flatmap(lambda crisp: scenes(crisp=crisp)), data=st.data())
def test_a_scene_is_saved_without_loss(tmp_path: Path, scene: Scene, data: st.DataObject) -> None:
    chosen = data.draw(st.sets(st.integers(0, max(0, len(scene) - 1)), max_size=len(scene)))
    masks = {
        i: torch.from_numpy(
            np.random.default_rng(data.draw(st.integers(0, 99))).random(scene.size) < 0.5
        )
        for i in chosen
    }
    pixels = GivenMasks(scene.size, masks) if masks else None
    scene = replace(scene, pixels=pixels, provenance={"détecteur": "ø"})
    path = tmp_path / "scene.json"
    scene.save(path)
    again = Scene.load(path)
    assert torch.equal(again.boxes, scene.boxes)
    assert torch.equal(again.existence, scene.existence)
    assert torch.equal(again.groups, scene.groups)
    for one, other in (
        (again.categories, scene.categories),
        *((again.attributes[name], scene.attributes[name]) for name in scene.attributes),
    ):
        assert torch.equal(one.probabilities, other.probabilities)
        assert torch.equal(one.evidence, other.evidence)
        assert (one.values, one.source) == (other.values, other.source)
    for name, relation in scene.relations.items():
        assert torch.equal(again.relations[name].probabilities, relation.probabilities)
    assert again.concepts == scene.concepts
    assert again.provenance == scene.provenance
    kept = {} if again.pixels is None else again.pixels.known_masks()
    assert kept.keys() == masks.keys()
    assert all(torch.equal(kept[i], mask) for i, mask in masks.items())
    assert same(again, scene)


def test_everything_of_a_scene_is_saved(tmp_path: Path) -> None:
    pixels = CountingPixels()
    scene = make(pixels=pixels)
    scene.save(tmp_path / "new folder" / "scene.json")
    again = Scene.load(str(tmp_path / "new folder" / "scene.json"))
    assert same(again, replace(scene, pixels=GivenMasks(SIZE, pixels.known_masks())))
    assert again.size == SIZE
    assert again.size.height == 20
    assert again.measures["area"].approximate
    assert again.relations["behind"].approximate
    assert again.distances is not None
    assert torch.equal(again.masks([1]), scene.masks([1]))
    assert [path.name for path in (tmp_path / "new folder").iterdir()] == ["scene.json"]


def test_an_empty_scene_and_one_without_extras_are_saved(tmp_path: Path) -> None:
    for scene in (Scene.empty((3, 4)), make(distances=None), make()[[]]):
        scene.save(tmp_path / "s.json")
        assert same(Scene.load(tmp_path / "s.json"), scene)


def test_saving_anew_replaces_the_file(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    make().save(path)
    Scene.empty((3, 4)).save(path)
    assert len(Scene.load(path)) == 0


def test_a_saved_scene_has_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    make().save(tmp_path / "s.json")
    assert (tmp_path / "s.json").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_scene_saved_with_some_masks_still_gives_all(tmp_path: Path) -> None:
    make(pixels=CountingPixels()).save(tmp_path / "s.json")
    assert Scene.load(tmp_path / "s.json").masks([0, 1]).shape == (2, 20, 30)


@pytest.mark.parametrize("target", ["file/scene.json", "folder", "x" * 300])
def test_what_cannot_be_written_is_one_line_and_leaves_nothing(tmp_path: Path, target: str) -> None:
    (tmp_path / "file").write_text("kept")
    (tmp_path / "folder").mkdir()
    with pytest.raises(SceneError) as caught:
        make().save(tmp_path / target)
    assert caught.value.message.startswith(('cannot write "', 'cannot make the folder "'))
    assert "\n" not in caught.value.message
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]
    assert list((tmp_path / "folder").iterdir()) == []
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(SceneError, match="Permission denied"):
            make().save(tmp_path / "s.json")
    finally:
        tmp_path.chmod(0o700)


def test_a_failure_while_writing_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.json"
    Scene.empty((3, 4)).save(path)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(SceneError, match="No space left on device"):
        make().save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["s.json"]


# Files that are no scenes


def refused(path: Path) -> str:
    with pytest.raises(SceneError) as caught:
        Scene.load(path)
    assert "\n" not in caught.value.message
    assert str(path) in caught.value.message
    return caught.value.message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"\xff\xfe\x00", "is not JSON"),
        (b"\x00" * 20, "is not JSON"),
        (b"[]", "is not a saved scene"),
        (b"3", "is not a saved scene"),
        (b"{}", "is not a saved scene"),
        (b'{"format": "neurosym-scene/0"}', "is not a saved scene"),
        (b'{"format": ["neurosym-scene/1"]}', "is not a saved scene"),
        (b'{"format": "neurosym-scene/1"}', "lacks"),
    ],
)
def test_a_file_that_is_no_scene(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    assert message in refused(path)


def test_a_file_that_is_not_there_or_a_folder(tmp_path: Path) -> None:
    assert "No such file" in refused(tmp_path / "missing.json")
    assert "Is a directory" in refused(tmp_path)


def test_a_scene_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    make().save(path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        assert "is not JSON" in refused(path)


DOCUMENT = to_document(make(pixels=CountingPixels()))
DAMAGE: list[tuple[str, Any]] = [
    *[(name, None) for name in DOCUMENT if name not in ("format", "distances", "provenance")],
    *[(name, 5) for name in DOCUMENT if name not in ("format", "provenance")],
    ("boxes_xyxy", [[1, 2, 3]]),
    ("boxes_xyxy", [["a"] * 4] * 3),
    ("existence", [2.0, 0.0, 0.0]),
    ("existence", [0.5]),
    ("groups", [2**70, 1, 1]),
    ("groups", [1e30, 1, 1]),
    ("size", {"height": 0, "width": 30}),
    ("size", {"height": 20}),
    ("size", {"height": "20", "width": "30"}),
    ("masks", {"x": {"size": [20, 30], "counts": [600]}}),
    ("masks", {"0": {"size": [20, 31], "counts": [620]}}),
    ("masks", {"0": {"size": [20, 30], "counts": [-1, 601]}}),
    ("masks", {"0": {"size": [20, 30], "counts": [0.5, 599.5]}}),
    ("relations", {"on": {"pairs": [[0, 3, 1.0]], "source": "x", "approximate": False}}),
    ("relations", {"on": {"pairs": [[0, 1]], "source": "x", "approximate": False}}),
    ("relations", {"on": {"pairs": [[0, 0, 1.0]], "source": "x", "approximate": False}}),
    ("concepts", {"dish": {"categories": ["bowl"], "approximate": False}}),
]


@pytest.mark.parametrize(
    ("part", "value"),
    [
        pytest.param(
            part,
            value,
            id=f"{part}-{value}"[:60],
        )
        for part, value in DAMAGE
    ],
)
def test_a_scene_with_a_damaged_part(tmp_path: Path, part: str, value: Any) -> None:
    path = tmp_path / "bad.json"
    path.write_text(json.dumps({**DOCUMENT, part: value}))
    refused(path)


@pytest.mark.parametrize("part", [name for name in DOCUMENT if name != "format"])
def test_a_scene_that_lacks_a_part(tmp_path: Path, part: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(json.dumps({name: v for name, v in DOCUMENT.items() if name != part}))
    assert part in refused(path)


def test_a_deeply_nested_file(tmp_path: Path) -> None:
    path = tmp_path / "deep.json"
    path.write_text("[" * 100_000)
    refused(path)


def test_relations_and_masks_of_objects_that_are_not_there_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    saved = {"pairs": [[0, -1, 1.0]], "source": "x", "approximate": False}
    path.write_text(json.dumps({**DOCUMENT, "relations": {"on": saved}}))
    refused(path)


def test_the_document_is_plain_json() -> None:
    text = json.dumps(DOCUMENT, allow_nan=False)
    assert json.loads(text)["format"] == FORMAT
    assert same(from_document(json.loads(text)), from_document(DOCUMENT))


# Masks as runs


@given(st.integers(1, 12), st.integers(1, 12), st.randoms(use_true_random=False))
def test_masks_are_coded_without_loss(height: int, width: int, chance: Any) -> None:
    rows = [[chance.random() < 0.5 for _ in range(width)] for _ in range(height)]
    mask = torch.tensor(rows)
    run = encode_mask(mask)
    assert sum(run["counts"]) == height * width
    assert torch.equal(decode_mask(run, ImageSize(height, width)), mask)


def test_runs_go_down_columns_and_start_with_background() -> None:
    mask = torch.tensor([[True, False, False], [True, True, False]])
    assert encode_mask(mask) == {"size": [2, 3], "counts": [0, 2, 1, 1, 2]}
    assert encode_mask(torch.zeros(2, 3, dtype=torch.bool))["counts"] == [6]
    assert encode_mask(torch.ones(2, 3, dtype=torch.bool))["counts"] == [0, 6]
