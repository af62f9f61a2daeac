from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from neurosym.errors import LexiconError
from neurosym.perception.concepts import load_concepts
from neurosym.perception.picodet import coco_categories
from neurosym.scene import Concept

CATEGORIES = coco_categories()


def test_the_shipped_lexicon_passes_the_checks_for_users_files() -> None:
    file = resources.files("neurosym.perception").joinpath("data/concepts_coco.toml")
    with resources.as_file(file) as path:
        assert load_concepts(CATEGORIES, path) == load_concepts(CATEGORIES)


@pytest.mark.parametrize(
    ("word", "categories", "approximate"),
    [
        ("sofa", {"couch"}, False),
        ("table", {"dining table"}, False),
        ("plane", {"airplane"}, False),
        ("aeroplane", {"airplane"}, False),
        ("television", {"tv"}, False),
        ("cellphone", {"cell phone"}, False),
        ("phone", {"cell phone"}, False),
        ("bike", {"bicycle", "motorcycle"}, False),
        ("fruit", {"apple", "banana", "orange"}, False),
        ("cutlery", {"fork", "knife", "spoon"}, False),
        ("man", {"person"}, True),
        ("baseball player", {"person"}, True),
        ("puppy", {"dog"}, True),
        ("calf", {"cow"}, True),
        ("mug", {"cup"}, True),
        ("glass", {"cup", "wine glass"}, True),
        ("monitor", {"tv"}, True),
    ],
)
def test_words(word: str, categories: set[str], approximate: bool) -> None:
    concept = load_concepts(CATEGORIES)[word]
    assert set(concept.categories) == categories
    assert concept.approximate is approximate


@pytest.mark.parametrize("word", ["plate", "shirt", "tree", "men", "people", "chairs"])
def test_what_no_category_covers_and_plurals_are_left_out(word: str) -> None:
    assert word not in load_concepts(CATEGORIES)


def test_another_detector_gets_the_words_that_its_categories_allow() -> None:
    found = load_concepts(["person", "couch", "sofa"])
    assert found["man"] == Concept(("person",), approximate=True)
    assert "sofa" not in found
    assert "puppy" not in found
    assert "animal" not in found


def test_qualified_names_are_kinds_of_their_first_word() -> None:
    found = load_concepts(["wall-brick", "wall-other-merged", "dining table", "table-merged"])
    assert found["wall"].categories == ("wall-brick", "wall-other-merged")
    assert found["wall"].source == "category names"
    # What the lexicon says of a word stays.
    assert found["table"].categories == ("dining table", "table-merged")
    assert "wall" not in load_concepts(["wall", "wall-brick"])
    assert load_concepts(["t-shirt"]) == {}


def test_a_users_file_replaces_the_shipped_one(tmp_path: Path) -> None:
    path = tmp_path / "words.toml"
    path.write_text(
        '[synonyms]\nchesterfield = ["couch"]\n[narrower]\n"ice hockey player" = ["person"]\n'
    )
    assert load_concepts(CATEGORIES, path) == {
        "chesterfield": Concept(("couch",)),
        "ice hockey player": Concept(("person",), approximate=True),
    }


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ('[synonyms]\n\nsofa = ["cauch"]', 3, 'unknown category "cauch": did you mean "couch"?'),
        ('[synonym]\nsofa = ["couch"]', 1, 'unknown table "synonym": did you mean "synonyms"?'),
        ('[colours]\nsofa = ["couch"]', 1, 'expected "synonyms", "hypernyms", "narrower"'),
        ('sofa = ["couch"]', 1, 'unknown table "sofa"'),
        ('[synonyms]\nsofa = ["couch"]\n[narrower]\nsofa = ["chair"]', 4, "stands twice"),
        ('[synonyms]\ndog = ["cat"]', 2, '"dog" is itself a category'),
        ('[synonyms]\n# a note\n"Sofa  Bed" = ["couch"]', 3, 'expected "sofa bed"'),
        ('[synonyms]\nsofa = "couch"', 2, "must be a list"),
        ("[synonyms]\nsofa = []", 2, "must be a list"),
        ("[synonyms]\nsofa = [3]", 2, "in quotes, not 3"),
        ('[synonyms]\nsofa = ["couch"', 2, "not valid TOML"),
        ('[synonyms]\nsofa = ["couch"]\nsofa = ["couch"]', 3, "not valid TOML"),
    ],
)
def test_mistakes_name_file_line_and_fix(tmp_path: Path, text: str, line: int, says: str) -> None:
    path = tmp_path / "words.toml"
    path.write_text(text)
    with pytest.raises(LexiconError) as error:
        load_concepts(CATEGORIES, path)
    assert f"{path}, line {line}: " in error.value.message
    assert says in error.value.message
    assert "\n" not in error.value.message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LexiconError, match=r"nowhere\.toml"):
        load_concepts(CATEGORIES, tmp_path / "nowhere.toml")
