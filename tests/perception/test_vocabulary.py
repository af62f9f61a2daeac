"""Words reach labels: on a few nouns, and, where they are there, with WordNet and word vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.vocabulary import measure, words
from neurosym.api import Grounder
from neurosym.errors import LexiconError, ModelStoreError
from neurosym.grammar import Parser
from neurosym.perception.base import Detections
from neurosym.perception.picodet import coco_categories
from neurosym.perception.pipeline import Pipeline
from neurosym.perception.vocabulary import Unresolved, Vocabulary
from neurosym.perception.word_vectors import WordVectors
from neurosym.pixels import Wanted
from neurosym.scene import Concept
from tests.perception.tiny_language import VECTORS, write_vectors, write_wordnet

LABELS = ("dog", "cat", "mouse", "keyboard", "car", "boat", "person", "toaster")
VOC = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa"),
    *("train", "tvmonitor"),
)
LVIS = (
    *("bat_(animal)", "baseball_bat", "mouse_(computer_equipment)", "television_set", "sofa"),
    *("car_(automobile)", "cab_(taxi)", "jeep", "dog", "bulldog", "dalmatian", "puppy"),
)
PANOPTIC = (
    *("person", "dining table", "wall-brick", "wall-tile", "wall-other-merged", "tree-merged"),
    *("window-blind", "window-other", "table-merged", "sky-other-merged", "floor-wood"),
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("weights")
    return {
        "wordnet": write_wordnet(folder / "wordnet"),
        "potion-base-8m": write_vectors(folder / "vectors"),
    }


@pytest.fixture
def tiny(folders: dict[str, Path]) -> Vocabulary:
    return Vocabulary(folders.__getitem__)


def missing(name: str) -> Path:
    raise ModelStoreError(f"{name} is not here")


def answer(vocabulary: Vocabulary, word: str, labels: Sequence[str] = LABELS) -> Concept:
    found = vocabulary.resolve(word, labels)
    assert isinstance(found, Concept), found
    return found


@pytest.mark.parametrize(
    ("word", "categories", "approximate", "source"),
    [
        ("Dog", ("dog",), False, "label"),
        ("woman", ("person",), True, "lexicon"),
        ("people", ("person",), False, "label"),
        ("domestic dog", ("dog",), False, "synonym: domestic dog = dog (WordNet)"),
        ("roadster", ("car",), True, "hyponym: roadster < car (WordNet)"),
        ("tourist", ("person",), True, "hyponym: tourist < person (WordNet)"),
        (
            *("racing roadster", ("car",), True),
            "head: roadster of racing roadster, then hyponym: roadster < car (WordNet)",
        ),
        ("doggo", ("dog",), True, "embedding 0.99: doggo ~ dog (potion-base-8M)"),
    ],
)
def test_each_step_says_how_it_went(
    tiny: Vocabulary, word: str, categories: tuple[str, ...], approximate: bool, source: str
) -> None:
    assert answer(tiny, word) == Concept(categories, approximate, source)


def test_a_wider_word_means_all_labels_that_are_kinds_of_it(tiny: Vocabulary) -> None:
    found = answer(tiny, "peripheral", ("keyboard", "mouse", "oven"))
    assert found == Concept(
        ("keyboard", "mouse"), False, "hypernym: peripheral > keyboard, mouse (WordNet)"
    )


def test_a_word_that_covers_much_more_than_the_labels_reaches_none(tiny: Vocabulary) -> None:
    assert isinstance(tiny.resolve("device", ("keyboard", "dog")), Unresolved)


def test_a_picture_shows_the_thing_rather_than_who_is_called_like_it(tiny: Vocabulary) -> None:
    assert isinstance(tiny.resolve("printer", LABELS), Unresolved)


def test_the_labels_own_meaning_decides(tiny: Vocabulary) -> None:
    # Beside a keyboard the mouse is a device: the squirrel's kin is not meant.
    assert isinstance(tiny.resolve("rodent", ("mouse", "keyboard", "car")), Unresolved)
    assert answer(tiny, "rodent", ("mouse", "squirrel", "cat")).categories == ("mouse", "squirrel")


def test_what_goes_with_a_thing_is_not_that_thing(tiny: Vocabulary) -> None:
    # Its vector is that of the toaster; WordNet knows that it is food.
    found = tiny.resolve("toast", LABELS)
    assert found == Unresolved("toast", ("toaster", "cat"))
    assert found.details == "near in meaning: toaster, cat"


def test_a_modifier_may_speak_for_another_meaning(tiny: Vocabulary) -> None:
    assert answer(tiny, "family car").source == "head: car of family car, then label"
    assert isinstance(tiny.resolve("rails car", LABELS), Unresolved)


def test_without_wordnet_and_vectors_the_message_says_how_to_get_them() -> None:
    vocabulary = Vocabulary(missing)
    found = vocabulary.resolve("roadster", LABELS)
    assert isinstance(found, Unresolved)
    assert found.details == (
        "WordNet could not be asked, get it with: neurosym models pull wordnet; the word vectors "
        "could not be asked, get it with: neurosym models pull potion-base-8m"
    )
    assert answer(vocabulary, "sofa", ("couch",)).source == "lexicon"


def test_what_cannot_be_had_is_asked_for_once() -> None:
    asked: list[str] = []

    def weights(name: str) -> Path:
        asked.append(name)
        return missing(name)

    vocabulary = Vocabulary(weights)
    for word in ("roadster", "spaniel", "carafe"):
        vocabulary.resolve(word, LABELS)
        vocabulary.resolve(word, VOC)
    assert sorted(asked) == ["potion-base-8m", "wordnet"]


def test_nothing_is_loaded_for_words_that_are_known() -> None:
    def weights(name: str) -> Path:
        raise AssertionError(name)

    vocabulary = Vocabulary(weights)
    for word in ("dog", "the dogs", "woman", "sofa"):
        vocabulary.resolve(word.removeprefix("the ").removesuffix("s"), coco_categories())


def test_without_weights_only_names_and_the_lexicon_are_asked() -> None:
    assert Vocabulary(None).resolve("roadster", LABELS) == Unresolved("roadster")


@pytest.mark.parametrize("word", ["", " ", "-", "_", "the", "42", "ünïcode", "a" * 500, "\n"])
def test_odd_words_reach_nothing(tiny: Vocabulary, word: str) -> None:
    assert isinstance(tiny.resolve(word, LABELS), Unresolved)


def test_odd_labels_do_no_harm(tiny: Vocabulary) -> None:
    labels = ("", "-", "()", "/", "dog", "dog", "_(x)", "wall-", "-other")
    assert answer(tiny, "dog", labels).categories == ("dog",)
    assert isinstance(tiny.resolve("", labels), Unresolved)
    assert isinstance(tiny.resolve("dog", ()), Unresolved)


def test_a_users_words_replace_the_lexicon(tmp_path: Path, folders: dict[str, Path]) -> None:
    file = tmp_path / "words.toml"
    file.write_text('[synonyms]\nmutt = ["dog"]\n[narrower]\nroadster = ["boat"]\n')
    vocabulary = Vocabulary(folders.__getitem__, file)
    assert answer(vocabulary, "mutt") == Concept(("dog",), False, "lexicon")
    assert answer(vocabulary, "roadster") == Concept(("boat",), True, "lexicon")
    assert isinstance(vocabulary.resolve("woman", LABELS), Unresolved)
    file.write_text('[synonyms]\nmutt = ["dogg"]\n')
    with pytest.raises(LexiconError, match='did you mean "dog"'):
        Vocabulary(None, file).resolve("mutt", LABELS)


def test_threads_share_it(folders: dict[str, Path]) -> None:
    asked = ["roadster", "doggo", "domestic dog", "tourist", "toast", "woman"] * 30
    alone = [Vocabulary(folders.__getitem__).resolve(word, LABELS) for word in asked[:6]] * 30
    shared = Vocabulary(folders.__getitem__)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda word: shared.resolve(word, LABELS), asked)) == alone


def test_vectors_are_means_of_length_one(folders: dict[str, Path]) -> None:
    vectors = WordVectors(folders["potion-base-8m"])
    made = vectors(["dog", "Dog car", "unheard", "dog unheard"])
    assert made.dtype == np.float32
    np.testing.assert_allclose(made[0], VECTORS["dog"], atol=1e-6)
    np.testing.assert_allclose(made[1], np.array([1, 0, 1]) / np.sqrt(2), atol=1e-6)
    np.testing.assert_array_equal(made[2], np.zeros(3))
    np.testing.assert_array_equal(made[3], made[0])


@pytest.mark.parametrize("broken", ["model.safetensors", "tokenizer.json"])
def test_broken_vectors_are_said(tmp_path: Path, broken: str) -> None:
    (write_vectors(tmp_path) / broken).write_bytes(b"{}")
    with pytest.raises(ModelStoreError, match="cannot read word vectors"):
        WordVectors(tmp_path)


@dataclass
class Boxes:
    """A detector that always sees a dog and a car."""

    name: str = "boxes"
    categories: tuple[str, ...] = LABELS

    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        scores = torch.zeros(2, len(self.categories))
        scores[0, self.categories.index("dog")] = scores[1, self.categories.index("car")] = 0.9
        boxes = torch.tensor([[2.0, 2, 20, 20], [30, 5, 60, 40]])
        return [Detections(boxes, scores) for _ in images]


IMAGE = np.full((60, 80, 3), 90, dtype=np.uint8)


def pipeline(weights: Callable[[str], Path] | None) -> Pipeline:
    return Pipeline(Boxes(), weights=weights)


def test_a_scene_gets_the_words_that_programs_name(folders: dict[str, Path]) -> None:
    scene = pipeline(folders.__getitem__).perceive(IMAGE)
    assert scene.pixels is not None
    seen = scene.pixels.look_for(scene, Wanted(nouns=("roadster", "shadow", "dog")))
    assert seen.concepts["roadster"].source == "hyponym: roadster < car (WordNet)"
    assert "roadster" not in scene.concepts
    assert "dog" not in seen.concepts
    assert "shadow" not in seen.concepts


def test_an_answer_says_how_a_word_was_read(folders: dict[str, Path], parser: Parser) -> None:
    grounder = Grounder(pipeline(folders.__getitem__), parser)
    result = grounder.ground(grounder.perceive(IMAGE), "the roadster")
    assert (result.status, result.objects) == ("ok", (1,))
    said = result.explain()
    assert "'roadster' is read as car" in said
    assert "hyponym: roadster < car (WordNet)" in said
    assert result.words["roadster"].approximate


def test_an_unsupported_word_says_what_is_near_and_what_was_not_asked(
    folders: dict[str, Path], parser: Parser
) -> None:
    grounder = Grounder(pipeline(folders.__getitem__), parser)
    result = grounder.ground(grounder.perceive(IMAGE), "the toast")
    assert result.status == "unsupported"
    assert "(near in meaning: toaster, cat)" in result.message
    grounder = Grounder(pipeline(missing), parser)
    result = grounder.ground(grounder.perceive(IMAGE), "the roadster")
    assert result.status == "unsupported"
    assert "neurosym models pull wordnet" in result.message


@pytest.mark.parametrize("switch", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_nothing_is_fetched_where_the_environment_says_to_stay_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, switch: str, parser: Parser
) -> None:
    grounder = Grounder(Boxes(), parser)
    scene = grounder.perceive(IMAGE)
    monkeypatch.setenv("NEUROSYM_HOME", str(tmp_path))
    monkeypatch.setenv(switch, "1")
    # A fetch would fail as well, but not without asking pip.
    monkeypatch.setattr("subprocess.Popen", None)
    result = grounder.ground(scene, "the roadster")
    assert "neurosym models pull wordnet" in result.message


# From here on with the real WordNet and word vectors.


@pytest.mark.parametrize(
    ("word", "categories"),
    [
        ("spaniel", {"dog"}),
        ("tourist", {"person"}),
        ("carafe", {"bottle"}),
        ("catamaran", {"boat"}),
        ("cookbook", {"book"}),
        ("hotel bed", {"bed"}),
        ("bus driver", {"person"}),
    ],
)
def test_kinds_of_coco_categories(vocabulary: Vocabulary, word: str, categories: set[str]) -> None:
    found = answer(vocabulary, word, coco_categories())
    assert set(found.categories) == categories
    assert found.approximate


@pytest.mark.parametrize(
    "word",
    [
        *("shadow", "sky", "wall", "left", "stripe", "reflection", "corner", "grass", "toast"),
        *("shirt", "wheel", "tail", "back", "side", "plate", "fox", "squirrel", "speaker"),
        *("giraffe neck", "train station", "cup holder"),
    ],
)
def test_what_coco_has_no_category_for(vocabulary: Vocabulary, word: str) -> None:
    assert isinstance(vocabulary.resolve(word, coco_categories()), Unresolved)


@pytest.mark.parametrize(
    ("labels", "word", "categories", "source"),
    [
        (VOC, "plane", {"aeroplane"}, "lexicon"),
        (VOC, "couch", {"sofa"}, "lexicon"),
        (VOC, "tv", {"tvmonitor"}, "lexicon"),
        (VOC, "potted plant", {"pottedplant"}, "label"),
        (VOC, "spaniel", {"dog"}, "hyponym"),
        (LVIS, "television", {"television_set"}, "lexicon"),
        (LVIS, "dog", {"dog", "bulldog", "dalmatian", "puppy"}, "label, and kinds"),
        (LVIS, "vehicle", {"car_(automobile)", "cab_(taxi)", "jeep"}, "lexicon, and kinds"),
        (LVIS, "taxi", {"cab_(taxi)"}, "synonym"),
        (LVIS, "vampire bat", {"bat_(animal)"}, "hyponym"),
        (PANOPTIC, "wall", {"wall-brick", "wall-tile", "wall-other-merged"}, "label"),
        (PANOPTIC, "brick wall", {"wall-brick"}, "label"),
        (PANOPTIC, "table", {"table-merged", "dining table"}, "label"),
        (PANOPTIC, "man", {"person"}, "lexicon"),
    ],
)
def test_other_vocabularies(
    vocabulary: Vocabulary, labels: tuple[str, ...], word: str, categories: set[str], source: str
) -> None:
    found = answer(vocabulary, word, labels)
    assert set(found.categories) == categories
    assert found.source.startswith(source)


def test_the_judged_words_are_resolved_as_well_as_is_said(vocabulary: Vocabulary) -> None:
    judged = [word for word in words() if word.part == "closed"]
    row, _ = measure(judged, vocabulary)
    assert row["precision"] >= 0.92
    assert row["recall"] >= 0.80
