"""The reader of WordNet, on a few nouns and, where it is there, on the real files."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from neurosym.errors import ModelStoreError
from neurosym.perception.label_senses import label_senses
from neurosym.perception.labels import read_labels
from neurosym.perception.wordnet import WordNet
from tests.perception.tiny_language import MEANINGS, write_wordnet


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> WordNet:
    return WordNet(write_wordnet(tmp_path_factory.mktemp("wordnet")))


def names(wordnet: WordNet, word: str) -> list[str]:
    return [sense.synset.name for sense in wordnet.senses(word)]


def test_every_word_is_found(tiny: WordNet) -> None:
    for meaning in MEANINGS.values():
        if not meaning.instance:
            for word in meaning.words:
                assert meaning.words[0].replace("_", " ") in names(tiny, word.replace("_", " "))


@pytest.mark.parametrize("word", ["", " ", "a", "zebra", "dogg", "1", "a licence", "ünïcode"])
def test_other_words_are_not(tiny: WordNet, word: str) -> None:
    assert tiny.senses(word) == ()


def test_plurals_and_joints(tiny: WordNet) -> None:
    assert names(tiny, "dogs") == ["dog"]
    assert names(tiny, "mice") == names(tiny, "mouse") == ["mouse", "mouse"]
    assert names(tiny, "rail car") == ["car"]
    assert names(tiny, "computer-mouse") == ["mouse"]


def test_shares_follow_the_counts_and_then_the_order(tiny: WordNet) -> None:
    first, second = tiny.senses("car")
    assert first.share == pytest.approx((70 + 1) / (70 + 1 + 2 + 0.5))
    assert first.share + second.share == pytest.approx(1.0)
    one, other = tiny.senses("printer")
    assert one.share == pytest.approx(2 * other.share)


def test_single_things_with_a_name_are_left_out(tiny: WordNet) -> None:
    assert names(tiny, "roadster") == ["roadster"]


def test_ancestors_and_descendants(tiny: WordNet) -> None:
    (poodle,) = tiny.senses("poodle")
    (animal,) = tiny.senses("animal")
    up = tiny.ancestors(poodle.synset.offset)
    assert [tiny.synset(at).name for at in up] == ["poodle", "dog", "animal", "entity"]
    assert list(up.values()) == [0, 1, 2, 3]
    below = tiny.descendants(animal.synset.offset, 100)
    assert below is not None
    assert {tiny.synset(at).name for at in below} == {
        *("animal", "dog", "poodle", "cat", "rodent", "mouse", "squirrel"),
    }
    assert tiny.descendants(animal.synset.offset, 3) is None


def test_similarity_is_that_of_wu_and_palmer(tiny: WordNet) -> None:
    (dog,), (cat,), (car, _) = (tiny.senses(word) for word in ("dog", "cat", "car"))
    # entity, animal: depth 2 counted from 1; one step from either.
    assert tiny.similarity(dog.synset.offset, cat.synset.offset) == pytest.approx(4 / 6)
    # entity: depth 1; two steps from the dog, three from the car.
    assert tiny.similarity(dog.synset.offset, car.synset.offset) == pytest.approx(2 / 7)
    assert tiny.similarity(dog.synset.offset, dog.synset.offset) == 1.0


def test_definitions_come_without_examples(tiny: WordNet) -> None:
    assert tiny.senses("poodle")[0].synset.definition == "a curly dog"


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelStoreError, match="cannot read WordNet"):
        WordNet(tmp_path)


def test_threads_share_it(tiny: WordNet) -> None:
    words = [meaning.words[0] for meaning in MEANINGS.values()] * 20
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(tiny.senses, words)) == [tiny.senses(word) for word in words]


@pytest.mark.parametrize(
    ("labels", "meant"),
    [
        (("mouse", "keyboard", "car"), "computer device"),
        (("mouse", "squirrel", "cat"), "rodent"),
        (("mouse_(animal)", "keyboard", "car"), "rodent"),
    ],
)
def test_labels_are_understood_by_their_company(
    tiny: WordNet, labels: tuple[str, ...], meant: str
) -> None:
    found = label_senses(read_labels(labels), {}, {}, tiny)[labels[0]]
    (above,) = tiny.synset(found.offsets[0]).hypernyms
    assert tiny.synset(above).words[0] == MEANINGS[meant].words[0]


def test_a_label_that_is_not_there_is_a_kind_of_its_head_noun(tiny: WordNet) -> None:
    found = label_senses(read_labels(["police_dog"]), {}, {}, tiny)["police_dog"]
    assert (found.narrower, found.offsets[0]) == (True, tiny.senses("dog")[0].synset.offset)


def test_the_real_one(wordnet: WordNet) -> None:
    assert names(wordnet, "sofa")[0] == "sofa"
    assert wordnet.senses("mouse")[-1].synset.definition.startswith("a hand-operated electronic")
    (fireplug,) = wordnet.senses("fire hydrants")
    assert "hydrant" in {
        wordnet.synset(at).name for at in wordnet.ancestors(fireplug.synset.offset)
    }
    # The first and the last word of the index, and a name between.
    assert wordnet.senses("'hood")
    assert wordnet.senses("zyrian")
    assert wordnet.senses("paris") == () or all(
        sense.synset.hypernyms for sense in wordnet.senses("paris")
    )
