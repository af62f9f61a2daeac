"""Tracks: numbers of things that stay from frame to frame."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from neurosym.errors import OptionError
from neurosym.perception.tracking import NO_TRACK, Tracker
from neurosym.pixels import ImageSize
from neurosym.scene import Categorical, Scene

NAMES = ("cup", "dog")
# (x1, y1, x2, y2), category, existence, group
Hypothesis = tuple[tuple[float, float, float, float], str, float, int]


def frame(*hypotheses: Hypothesis, names: Sequence[str] = NAMES) -> Scene:
    count = len(hypotheses)
    table = torch.full((count, len(names)), 0.1 / (len(names) - 1))
    for row, (_, name, _, _) in enumerate(hypotheses):
        table[row, names.index(name)] = 0.9
    return Scene(
        ImageSize(200, 400),
        torch.tensor([box for box, *_ in hypotheses], dtype=torch.float32).reshape(count, 4),
        torch.tensor([existence for _, _, existence, _ in hypotheses]),
        torch.tensor([group for *_, group in hypotheses], dtype=torch.int64),
        Categorical(tuple(names), table, torch.ones(count, dtype=torch.bool), "drawn"),
    )


def thing(
    x: float, y: float = 50, name: str = "cup", existence: float = 0.9, group: int = 0
) -> Hypothesis:
    """A thing of 30 x 30 pixels."""
    return (x, y, x + 30, y + 30), name, existence, group


def tracks(tracker: Tracker, *hypotheses: Hypothesis) -> list[int]:
    return tracker.update(frame(*hypotheses)).tolist()


def test_a_thing_keeps_its_number_whatever_its_row_and_group() -> None:
    tracker = Tracker()
    assert tracks(tracker, thing(10), thing(200, group=1)) == [0, 1]
    assert tracks(tracker, thing(203, group=0), thing(14, group=7)) == [1, 0]
    assert tracks(tracker, thing(300, group=2), thing(206), thing(18, group=1)) == [2, 1, 0]


def test_kinds_tell_crossing_things_apart() -> None:
    tracker = Tracker()
    for step in range(16):
        cup, dog = thing(10 + 10 * step), thing(160 - 10 * step, name="dog", group=1)
        assert tracks(tracker, cup, dog) == [0, 1], step


def test_speed_tells_crossing_things_of_one_kind_apart() -> None:
    """One passes in front: the other is not detected while they overlap."""
    tracker = Tracker()
    for step in range(16):
        front, back = thing(10 + 10 * step), thing(165 - 10 * step, 55, group=1)
        hidden = abs(front[0][0] - back[0][0]) < 25
        shown = (front,) if hidden else (front, back)
        assert tracks(tracker, *shown) == [0, 1][: len(shown)], step


def test_neighbours_that_move_together_do_not_swap() -> None:
    tracker = Tracker()
    for step in range(12):
        row = [thing(10 + 22 * step + 40 * k, group=k) for k in range(3)]
        assert tracks(tracker, *row) == [0, 1, 2], step


def test_a_thing_that_leaves_and_comes_back_in_time_is_the_same() -> None:
    tracker = Tracker(memory=5)
    for x in (300, 330, 360):
        assert tracks(tracker, thing(x)) == [0]
    for _ in range(5):
        assert tracks(tracker) == []
    assert tracks(tracker, thing(355)) == [0]
    for _ in range(6):
        tracks(tracker)
    assert tracks(tracker, thing(355)) == [1]


def test_another_kind_in_the_same_place_is_another_thing() -> None:
    tracker = Tracker()
    box = (10.0, 10.0, 40.0, 40.0)
    names = ("cup", "dog", "cat")

    def sure(name: str) -> Scene:
        scene = frame((box, name, 0.9, 0), names=names)
        table = torch.nn.functional.one_hot(torch.tensor([names.index(name)]), 3).float()
        return Scene(
            scene.size,
            scene.boxes,
            scene.existence,
            scene.groups,
            Categorical(names, table, torch.ones(1, dtype=torch.bool), "drawn"),
        )

    assert [tracker.update(sure(name)).item() for name in ("cup", "dog", "cup")] == [0, 1, 0]


def test_the_hypotheses_of_a_thing_have_one_track() -> None:
    """The whole and its upper half change places in likelihood; the thing stays, and so does
    the hypothesis whose speed is followed when it is hidden."""

    def thin(x: float, *, whole_is_likelier: bool) -> tuple[Hypothesis, Hypothesis]:
        likely = (0.6, 0.35) if whole_is_likelier else (0.35, 0.6)
        whole = (x, 20.0, x + 30, 120.0), "cup", likely[0], 3
        return whole, ((x, 20.0, x + 30, 65.0), "cup", likely[1], 3)

    tracker = Tracker()
    for step in range(8):
        hypotheses = thin(10 + 15.0 * step, whole_is_likelier=step % 2 == 0)
        assert tracks(tracker, *hypotheses, thing(350, 150, group=4)) == [0, 0, 1]
    for _ in range(8):
        assert tracks(tracker, thing(350, 150)) == [1]
    assert tracks(tracker, *thin(250, whole_is_likelier=True)) == [0, 0]


def test_a_doubtful_thing_continues_a_track_and_starts_none() -> None:
    tracker = Tracker()
    assert tracks(tracker, thing(10), thing(200, existence=0.3, group=1)) == [0, NO_TRACK]
    assert tracks(tracker, thing(12, existence=0.3)) == [0]
    assert tracks(tracker, thing(14)) == [0]
    tracks(tracker)
    # It may be anything by now.
    assert tracks(tracker, thing(18, existence=0.3)) == [NO_TRACK]
    assert tracks(tracker, thing(20)) == [0]


def test_the_hypotheses_of_a_thing_are_as_sure_as_they_are_together() -> None:
    tracker = Tracker()
    first, second = thing(10, existence=0.3), thing(14, existence=0.3)
    assert tracks(tracker, first, second) == [0, 0]


def test_the_matching_is_the_best_in_all_not_the_best_pair_first() -> None:
    """Greedily, the thing in the middle would go to the nearer track, and the other to none."""
    tracker = Tracker(memory=0)
    tracks(tracker, thing(100), thing(130, group=1))
    assert tracks(tracker, thing(122), thing(152, group=1)) == [0, 1]


def test_a_frame_that_cannot_be_read_goes_by() -> None:
    tracker = Tracker(memory=2)
    for x in (10, 30, 50):
        assert tracks(tracker, thing(x)) == [0]
    tracker.miss()
    tracker.miss()
    assert tracks(tracker, thing(110)) == [0]
    tracker.miss()
    tracker.miss()
    assert tracks(tracker, thing(170)) == [0]
    for _ in range(3):
        tracker.miss()
    assert tracks(tracker, thing(250)) == [1]


def test_vocabularies_may_grow() -> None:
    tracker = Tracker()
    assert tracker.update(frame(thing(10))).tolist() == [0]
    wider = frame(thing(12), names=("lamp", "dog", "cup"))
    assert tracker.update(wider).tolist() == [0]


def test_wrong_options_are_refused() -> None:
    with pytest.raises(OptionError, match="memory must be at least 0 frames, not -1"):
        Tracker(memory=-1)
    with pytest.raises(OptionError, match=r"sure must lie in \[0.1, 1\], not 0"):
        Tracker(sure=0)
