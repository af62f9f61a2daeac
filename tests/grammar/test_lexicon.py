from pathlib import Path

import pytest

from neurosym.errors import LexiconError
from neurosym.grammar import Lexicon, Parser, Sense, SpacyTokenizer, WordClass
from neurosym.program import ORDERS


def test_words_may_have_several_classes() -> None:
    classes = {sense.word_class for sense in Lexicon.default().senses("orange")}
    assert {WordClass.NOUN, WordClass.ATTRIBUTE, WordClass.COLOUR} <= classes


def test_every_order_has_a_word() -> None:
    lexicon = Lexicon.default()
    superlatives = (WordClass.SUPERLATIVE, WordClass.NEAREST, WordClass.FARTHEST)
    named = {
        sense.concept
        for phrase in lexicon.phrases()
        for sense in lexicon.senses(phrase)
        if sense.word_class in superlatives
    }
    assert named == set(ORDERS)


def test_add_makes_a_new_lexicon(tokenizer: SpacyTokenizer) -> None:
    default = Lexicon.default()
    lexicon = (
        default.add("teal-ish", "attribute", "color:teal")
        .add("couch potato", "noun", "person")
        .add("catty-corner from", WordClass.RELATION, "diagonal_to")
    )
    assert "couch potato" in lexicon
    assert "couch potato" not in default
    parser = Parser(tokenizer, lexicon)
    program = parser.parse("the teal-ish cup catty-corner from both couch potatoes").program
    assert str(program) == (
        "(the (relate_all (filter (select cup) color teal) diagonal_to "
        "(the_count (select person) 2)))"
    )


def test_load_adds_to_the_default(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[noun]\nrobot = ["robot", "droid"]\n[attribute.state]\nopen = ["open"]\n')
    lexicon = Lexicon.load(file)
    assert lexicon.senses("droid") == (Sense(WordClass.NOUN, "robot"),)
    assert lexicon.senses("open") == (Sense(WordClass.ATTRIBUTE, "open", "state"),)
    assert lexicon.senses("the")


@pytest.mark.parametrize(
    ("source", "line", "says"),
    [
        ('[noun]\ncat = ["cat"]\n\n[nuon]\ndog = ["dog"]\n', 5, 'did you mean "noun"'),
        ('[noun]\ncat = ["cat"]\ndog = "dog"\n', 3, "list of phrases"),
        ('[noun]\ncat = ["cat"]\ndog = [""]\n', 3, "needs a phrase"),
        ('[superlative]\n\nleftmots = ["left"]\n', 3, 'did you mean "leftmost"'),
        ('[comparison]\nat_lest = ["at least"]\n', 2, 'did you mean "at_least"'),
        ('[number]\ntwo = ["two"]\n', 2, "whole number"),
        ('[attribute]\nred = ["red"]\n', 2, "[attribute.color]"),
        ('[noun]\ncat = ["cat"\n[noun2]\n', 3, "not valid TOML"),
        ("noun = 3\n", 1, "list of phrases"),
    ],
)
def test_mistakes_name_file_and_line(tmp_path: Path, source: str, line: int, says: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(source)
    with pytest.raises(LexiconError) as caught:
        Lexicon.load(file)
    assert f"mine.toml, line {line}:" in caught.value.message
    assert says in caught.value.message


def test_missing_file() -> None:
    with pytest.raises(LexiconError, match=r"cannot read the lexicon .*nowhere\.toml"):
        Lexicon.load("nowhere.toml")


@pytest.mark.parametrize(
    ("phrase", "word_class", "concept"),
    [("", "noun", "cat"), ("cat", "noon", "cat"), ("red", "attribute", "red"), ("x", "noun", "")],
)
def test_add_refuses(phrase: str, word_class: str, concept: str) -> None:
    with pytest.raises(LexiconError):
        Lexicon.default().add(phrase, word_class, concept)
