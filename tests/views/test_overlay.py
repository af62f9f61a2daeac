from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from neurosym.alignment import align
from neurosym.errors import DataError
from neurosym.views import palette, picture, save_alignment, save_picture
from neurosym.views.overlay import marks_of, masks_of

LEFT = 14
TOP = 68 + 14
SCALE = 820 / 100
FORK = ("the fork", "(the (select fork))", ["fork", "the"])
CHAIR = ("the chair", "(the (select chair))", ["chair", "the"])
PLATE = (
    "the green plate left of the fork",
    "(the (relate (filter (select plate) color green) left_of (the (select fork))))",
    ["plate", "green", "fork", "the#2", "left of", "the"],
)


def _at(image: Image.Image, x: float, y: float) -> np.ndarray[Any, Any]:
    """The colour of the picture at a place of the scene's image."""
    pixel = image.getpixel((round(LEFT + x * SCALE), round(TOP + y * SCALE)))
    return np.array(pixel)


def _on_edge(image: Image.Image, box: tuple[int, int, int, int]) -> list[tuple[int, ...]]:
    """The colours along the bottom edge of a box of the scene."""
    y = round(TOP + box[3] * SCALE)
    xs = range(round(LEFT + box[0] * SCALE) + 8, round(LEFT + box[2] * SCALE) - 8)
    return [image.getpixel((x, y)) for x in xs]  # type: ignore[misc]


def test_the_answer_keeps_its_colours_and_the_rest_is_dimmed(made: SimpleNamespace) -> None:
    shown = picture(made.result(*PLATE))
    ground = np.array([200, 200, 200])
    assert np.abs(_at(shown, 15, 30) - ground).max() <= 2  # the green plate
    assert np.abs(_at(shown, 63, 36) - ground).max() <= 2  # the fork, a landmark
    assert np.abs(_at(shown, 40, 30) - 0.55 * ground).max() <= 2  # the other plate
    assert np.abs(_at(shown, 55, 5) - 0.55 * ground).max() <= 2  # the background


@pytest.mark.parametrize("program", ["(the (select cube))", "(the (select chair))"])
def test_without_an_answer_nothing_is_dimmed(made: SimpleNamespace, program: str) -> None:
    shown = picture(made.result("the cube chair", program, ["cube", "the"]))
    assert np.abs(_at(shown, 55, 5) - 200).max() <= 2


@pytest.mark.parametrize(
    ("text", "program", "words"),
    [
        ("how many chairs", "(count (select chair))", ["chairs", "how many"]),
        ("is there a chair", "(exist (select chair))", ["chair", "is there"]),
    ],
)
def test_what_is_counted_is_drawn_like_an_answer(
    made: SimpleNamespace, text: str, program: str, words: list[str]
) -> None:
    shown = picture(made.result(text, program, words))
    for box in ((2, 44, 22, 58), (24, 44, 44, 58)):
        assert palette.ANSWER in _on_edge(shown, box)
    assert np.abs(_at(shown, 34, 54) - 200).max() <= 2
    assert np.abs(_at(shown, 55, 5) - 110).max() <= 2


def test_what_is_counted_is_numbered_from_left_to_right(made: SimpleNamespace) -> None:
    result = made.result("how many objects", "(count (everything))", ["objects", "how many"])
    assert [mark.label[:2] for mark in marks_of(result)] == ["1 ", "2 ", "3 ", "4 ", "5 ", "6 "]
    assert [mark.index for mark in marks_of(result)] == [3, 0, 4, 1, 2, 5]


def test_hypotheses_of_one_thing_are_one_mark(made: SimpleNamespace) -> None:
    scene = made.hypotheses()
    result = made.result("how many chairs", "(count (select chair))", ["chairs", ""], scene=scene)
    assert [(mark.index, mark.label) for mark in marks_of(result)] == [(3, "1  chair 0.96")]


def _amber(shown: Image.Image, colour: palette.Colour) -> int:
    return int((np.asarray(shown)[:60] == colour).all(axis=2).sum())


def test_a_guess_is_amber_and_so_is_what_was_not_used(made: SimpleNamespace) -> None:
    soft = made.soften(made.scene(), "color", {0: [0.6, 0.4, 0, 0], 1: [0.45, 0.55, 0, 0]})
    green = ("the green plate", "(the (filter (select plate) color green))")
    guess = picture(made.result(*green, ["plate", "green", "the"], scene=soft))
    sure = picture(made.result(*green, ["plate", "green", "the"]))
    assert _amber(guess, palette.CAUTION) > 500
    assert _amber(guess, palette.STATUS["ok"]) == 0
    assert _amber(sure, palette.CAUTION) == 0
    told = picture(made.result("the tall fork", *FORK[1:], unused=["tall"]))
    assert _amber(told, palette.NOTICE) > 500
    assert _amber(told, palette.STATUS["ok"]) > 500
    long = "the " + "x" * 400 + " fork"
    assert picture(made.result(long, *FORK[1:], unused=["x" * 400])).size == told.size


def test_landmarks_have_their_own_colour(made: SimpleNamespace) -> None:
    shown = picture(made.result(*PLATE))
    assert palette.LANDMARK in _on_edge(shown, (60, 20, 66, 40))
    assert palette.ANSWER in _on_edge(shown, (5, 20, 25, 40))
    assert palette.ANSWER not in _on_edge(shown, (30, 20, 50, 40))


def test_both_landmarks_of_between_are_drawn(made: SimpleNamespace) -> None:
    result = made.result(
        "between a green plate and a fork",
        "(between (everything) (filter (select plate) color green) (select fork))",
        ["between", "", "plate", "green", "fork"],
    )
    assert {m.index for m in marks_of(result) if m.role == "landmark"} == {0, 2}


def test_landmarks_are_shown_as_far_as_there_is_an_answer(made: SimpleNamespace) -> None:
    scene = made.scene()
    doubtful = replace(scene, existence=torch.tensor([1, 1, 0.4, 1, 1, 1]))
    result = made.result(*PLATE, scene=doubtful)
    assert result.status == "ok"
    assert [(m.index, m.label) for m in marks_of(result) if m.role == "landmark"] == [
        (2, "the fork 0.40")
    ]


def test_of_a_part_only_the_part_is_drawn(made: SimpleNamespace) -> None:
    part = made.result("the top half", '(part (the (select fork)) "top half")', ["", "", "half"])
    (mark,) = marks_of(part)
    assert mark.box == (60, 20, 66, 30)
    assert mark.label == "the top half of #2 fork 1.00"
    assert torch.equal(masks_of(part, [mark])[0], part.masks[0])
    shown = picture(part)
    assert palette.ANSWER in _on_edge(shown, (60, 20, 66, 30))
    assert palette.ANSWER not in _on_edge(shown, (60, 34, 66, 40))


def test_candidates_are_dashed(made: SimpleNamespace) -> None:
    shown = picture(made.result(*CHAIR))
    for box in ((2, 44, 22, 58), (24, 44, 44, 58)):
        colours = _on_edge(shown, box)
        gaps = sum(colour == palette.INK for colour in colours)
        assert 0.3 < colours.count(palette.CANDIDATE) / len(colours) < 0.7
        assert gaps > 0.3 * len(colours)
    assert np.abs(_at(shown, 12, 51) - 200).max() <= 2  # candidates are not tinted


def test_without_a_picture_the_canvas_is_grey(made: SimpleNamespace) -> None:
    scene = made.scene()
    shown = picture(made.result(*FORK, scene=replace(scene, pixels=None)))
    dimmed = 0.55 * np.array(palette.CANVAS)
    assert np.abs(_at(shown, 55, 5) - dimmed).max() <= 1


@pytest.mark.parametrize(
    ("case", "status"),
    [
        (FORK, "ok"),
        (CHAIR, "many"),
        (("the cube", "(the (select cube))", ["cube", "the"]), "none"),
    ],
)
def test_the_banner_has_the_colour_of_the_status(
    made: SimpleNamespace, case: tuple[str, str, list[str]], status: str
) -> None:
    result = made.result(*case)
    assert result.status == status
    shown = picture(result)
    banner = np.asarray(shown)[:60, shown.width // 2 :]
    assert (banner == palette.STATUS[status]).all(axis=2).sum() > 500


def test_there_is_a_tile_for_every_phrase(made: SimpleNamespace) -> None:
    result = made.result(*PLATE)
    assert [len(rows) for rows in result.alignment.phrases] == [1, 1, 2, 1]
    shown = picture(result)
    # 492 px of photograph hold two rows of tiles of 180 + 28 px: 4 phrases, 2 columns.
    assert shown.width == 2 * LEFT + 820 + 2 * (300 + 14)
    # The hottest place of the tile of "plate" (second in the first column) is the plate.
    x, y = LEFT + 820 + 14, TOP + 1 * (180 + 28 + 14) + 28
    tile = np.asarray(shown)[y : y + 180, x : x + 300].astype(int)
    warm = tile[..., 0] - tile[..., 2]
    assert warm[3 * 30, 3 * 15] > 40
    assert warm[3 * 30, 3 * 40] > 40
    assert abs(warm[3 * 10, 3 * 55]) < 5


@pytest.mark.parametrize("size", [(1, 1), (2000, 3), (3, 2000)])
def test_odd_sizes_are_drawn(made: SimpleNamespace, size: tuple[int, int]) -> None:
    from neurosym.pixels import ImageSize

    scene = replace(made.scene(), size=ImageSize(*size), pixels=None)[[]]
    shown = picture(made.result(*FORK, scene=scene, unused=["the"]))
    assert shown.mode == "RGB"
    assert max(shown.size) >= 820


def test_an_unsupported_text_is_drawn(made: SimpleNamespace) -> None:
    result = made.result(
        "the unicorn", "(the (select unicorn))", ["unicorn", "the"], executed=False
    )
    assert picture(result).width > 820


def test_save_picture(made: SimpleNamespace, tmp_path: Path) -> None:
    image = Image.new("RGB", (4, 3), palette.ANSWER)
    path = save_picture(image, str(tmp_path / "a.PNG"))
    assert Image.open(path).getpixel((0, 0)) == palette.ANSWER
    assert path.stat().st_mode & 0o444 == 0o444 & ~_umask()
    assert os.listdir(tmp_path) == ["a.PNG"]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_save_picture_refuses_what_it_cannot_write(tmp_path: Path) -> None:
    image = Image.new("RGB", (4, 3))
    with pytest.raises(DataError, match=r'suffix "\.tex": use \.png, \.jpg or \.webp'):
        save_picture(image, tmp_path / "a.tex")
    with pytest.raises(DataError, match=r'suffix ""'):
        save_picture(image, tmp_path / "a")
    with pytest.raises(DataError, match="No such file or directory"):
        save_picture(image, tmp_path / "no" / "a.png")
    (tmp_path / "b.png").mkdir()
    with pytest.raises(DataError, match="directory"):
        save_picture(image, tmp_path / "b.png")
    assert os.listdir(tmp_path) == ["b.png"]


def test_save_alignment(made: SimpleNamespace, tmp_path: Path) -> None:
    alignment = align(made.result(*PLATE))
    paths = save_alignment(alignment, tmp_path / "new" / "maps")
    assert [path.name for path in paths] == [
        "01-green.png",
        "02-plate.png",
        "03-left.png",
        "04-of.png",
        "05-fork.png",
        "alignment.npz",
    ]
    shown = Image.open(paths[4])
    assert shown.size == (100, 60)
    # The photograph shows where the heat is low.
    assert shown.getpixel((5, 5)) == (100, 100, 100)
    assert shown.getpixel((63, 30))[0] > 200  # type: ignore[index]
    with np.load(paths[-1]) as numbers:
        assert numbers["maps"].dtype == np.float16
        assert np.array_equal(numbers["maps"], alignment.maps.numpy().astype(np.float16))
        assert list(numbers["words"]) == list(alignment.words)
        assert int(numbers["starts"][1]) == PLATE[0].index("plate")


def test_without_a_picture_the_heat_is_saved_alone(made: SimpleNamespace, tmp_path: Path) -> None:
    result = made.result(*FORK, scene=replace(made.scene(), pixels=None))
    shown = Image.open(save_alignment(align(result), tmp_path)[0])
    assert shown.getpixel((63, 30)) == tuple(palette.heat()[255])
    assert shown.getpixel((5, 5)) == tuple(palette.heat()[0])


def test_words_become_safe_file_names(made: SimpleNamespace, tmp_path: Path) -> None:
    result = made.result("tête", "(select plate)", ["tête"])
    token = result.alignment.tokens[0]
    for text, name in (("../a/b", "01-a_b.png"), ("tête", "01-tête.png"), ("??", "01-word.png")):
        token.text = text
        assert save_alignment(align(result), tmp_path / name)[0].name == name


def test_save_alignment_says_where_it_cannot_write(made: SimpleNamespace, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot make the folder"):
        save_alignment(align(made.result(*FORK)), tmp_path / "file" / "maps")


def test_the_heat_map_is_even_and_rises() -> None:
    lab = palette.oklab(palette.heat())
    assert (np.diff(lab[:, 0]) > 0).all()
    steps = np.linalg.norm(np.diff(lab[::15], axis=0), axis=1)
    assert steps.max() / steps.min() < 1.15


def test_colours_can_be_told_apart_and_read() -> None:
    others = (palette.CANDIDATE, palette.CAUTION, palette.NOTICE, *palette.STATUS.values())
    for colour in (palette.ANSWER, palette.LANDMARK, *others):
        assert palette.contrast(palette.ink_on(colour), colour) >= 4.5
    assert palette.contrast(palette.FAINT, palette.PAPER) >= 4.5
    marks = np.array([palette.ANSWER, palette.LANDMARK], dtype=np.uint8)
    # Along blue to yellow, which red-green blindness keeps.
    assert np.subtract(*palette.oklab(marks)[:, 2]) > 0.2
