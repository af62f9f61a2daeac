from __future__ import annotations

import pytest

from neurosym.perception.labels import key, keys, read_labels


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        ("sports ball", ("sports ball",)),
        ("Sports_Ball", ("sports ball",)),
        ("Monitor/TV", ("monitor", "tv")),
        ("car_(automobile)", ("car",)),
        ("tree-merged", ("tree",)),
        ("door-stuff", ("door",)),
        ("T-Shirt", ("t shirt",)),
    ],
)
def test_names_are_read_as_english(name: str, forms: tuple[str, ...]) -> None:
    (label,) = read_labels([name])
    assert label.name == name
    assert label.forms == forms


def test_brackets_tell_the_meaning() -> None:
    assert read_labels(["bat_(animal)"])[0].hint == "animal"


def test_a_family_of_names_says_what_its_members_are() -> None:
    brick, blind, rest, shirt = read_labels(
        ["wall-brick", "window-blind", "wall-other-merged", "t-shirt"]
    )
    assert (brick.forms, brick.wider) == (("wall brick", "brick wall"), "wall")
    assert rest.wider == "wall"
    # One of its kind is no family.
    assert (blind.wider, shirt.wider) == ("", "")


def test_equal_names_have_equal_keys() -> None:
    assert key("cell-phone") == key("cell phone") == key("cellphone") == key("the Cell_Phone")
    assert key("colour") == key("color")
    assert "tennisracket" in keys("Tennis Racquets")
    assert key("glasses") not in keys("glass")
    assert "glass" not in keys("Glasses")
