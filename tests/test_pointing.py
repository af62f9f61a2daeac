"""What a user points at becomes what "this" and "these" mean."""

import pytest
import torch

from neurosym import cli
from neurosym.api import Grounder
from neurosym.errors import OptionError
from neurosym.grammar import Parser
from neurosym.models.store import path_of
from neurosym.pointing import Region, pointed_at
from neurosym.program import parse_program
from neurosym.scene import Scene
from tests.scenes import SIZE, make

# Object 0 fills [0, 0, 10, 10]; 1 [5, 5, 15, 20] and 2 [20, 2, 30, 9] are one thing.


def marked(region: Region, scene: Scene | None = None) -> list[int]:
    found = pointed_at(scene or make(), "this", region).mark("this")
    return [int(i) for i in found.nonzero().flatten()]


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ([0, 0, 10, 10], [0]),
        ([1, 1, 11, 11], [0]),
        ([5, 5, 15, 20], [1, 2]),
        ([0, 0, 30, 20], [0, 1, 2]),
        ([2, 2, 3, 3], [0]),
        ([-5, -5, 10, 10], [0]),
    ],
    ids=["fits", "about", "hypotheses", "around all", "click", "beyond the edge"],
)
def test_boxes(region: list[float], expected: list[int]) -> None:
    assert marked(region) == expected


def test_a_click_means_the_smallest_object() -> None:
    boxes = torch.tensor([[0.0, 0, 30, 20], [5, 5, 15, 15], [20, 2, 30, 9]])
    scene = make(boxes=boxes, groups=torch.arange(3))
    assert marked([9, 9, 10, 10], scene) == [1]


def test_a_mask_stands_for_the_box_around_it() -> None:
    mask = torch.zeros(SIZE, dtype=torch.bool)
    mask[0, 0] = mask[9, 9] = True
    assert marked(mask) == [0]


def test_what_does_not_exist_is_not_pointed_at() -> None:
    scene = make(existence=torch.tensor([0.0, 0.6, 0.3]))
    assert marked([0, 0, 30, 20], scene) == [1, 2]


@pytest.mark.parametrize(
    ("region", "says"),
    [
        ([1, 2, 3], "not something of shape"),
        ("cup", "not 'cup'"),
        ([9, 1, 3, 4], "x1 < x2"),
        ([0, 0, float("nan"), 4], "x1 < x2"),
        ([40, 1, 50, 4], "outside of the image"),
        (torch.zeros(SIZE), "the mask is empty"),
        ([16, 12, 19, 19], 'no object at the region that "this" points at'),
    ],
)
def test_bad_regions_are_refused_in_one_line(region: Region, says: str) -> None:
    with pytest.raises(OptionError, match=says) as caught:
        pointed_at(make(), "this", region)
    assert "\n" not in caught.value.message


def test_ground_takes_what_the_user_points_at() -> None:
    grounder = Grounder(None, Parser(path_of("en-core-web-sm")))
    scene = make()
    program = parse_program("(the (pointed this))")
    assert grounder.ground(scene, program, this=[0, 0, 10, 10]).objects == (0,)
    that = grounder.ground(scene, "those", that=[0, 0, 30, 20])
    assert set(that.objects) <= {0, 1, 2}
    assert that.status == "ok"
    marks = grounder.ground(scene, program, this=[0, 0, 10, 10], that=[5, 5, 15, 20]).scene.marks
    assert marks["that"].tolist() == [False, True, True]


def test_a_box_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["ground", "none.json", "this", "--this", "1,2,three,4"]) == 2
    error = capsys.readouterr().err
    assert error == 'neurosym: a box is four numbers X1,Y1,X2,Y2, not "1,2,three,4"\n'
