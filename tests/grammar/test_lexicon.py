from collections.abc import Iterable
from pathlib import Path

import pytest

from neurosym.errors import LexiconError
from neurosym.grammar import Lexicon, Parser, Sense, SpacyTokenizer, WordClass
from neurosym.program import ACTIONS, FORMS, ORDERS, Comparison


def test_words_may_have_several_classes() -> None:
    classes = {sense.word_class for sense in Lexicon.default().senses("orange")}
    assert {WordClass.NOUN, WordClass.ATTRIBUTE, WordClass.COLOUR} <= classes


@pytest.mark.parametrize(
    ("classes", "names"),
    [
        ((WordClass.SUPERLATIVE, WordClass.NEAREST, WordClass.FARTHEST), ORDERS),
        ((WordClass.COMPARATIVE,), ORDERS),
        ((WordClass.COMMAND,), ACTIONS),
        ((WordClass.FORM,), FORMS),
        ((WordClass.COMPARISON,), [comparison.value for comparison in Comparison]),
    ],
    ids=["superlatives", "comparatives", "actions", "forms", "comparisons"],
)
def test_every_name_has_a_word(classes: tuple[WordClass, ...], names: Iterable[str]) -> None:
    lexicon = Lexicon.default()
    named = {
        sense.concept
        for phrase in lexicon.phrases()
        for sense in lexicon.senses(phrase)
        if sense.word_class in classes
    }
    assert named == set(names)


def test_user_words_stand_in_the_new_constructions(tokenizer: SpacyTokenizer) -> None:
    lexicon = (
        Lexicon.default()
        .add("heftier", "comparative", "largest")
        .add("tint", "aspect", "attribute:color")
        .add("column", "form", "stack")
        .add("pushed by", "passive", "pushing")
    )
    parser = Parser(tokenizer, lexicon)
    for text, program in (
        (
            "cups heftier than the plate",
            "(comparative (select cup) largest (the (select plate)) 1)",
        ),
        ("what tint is the cup", "(query (the (select cup)) color)"),
        ("the column of cups", "(the_group (select cup) stack)"),
        ("cups pushed by the man", "(related_by (select cup) pushing (the (select man)))"),
    ):
        assert str(parser.parse(text).program) == program


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
    file.write_text('[noun]\nrobot = ["robot", "droid"]\n[attribute.state]\najar = ["ajar"]\n')
    lexicon = Lexicon.load(file)
    assert lexicon.senses("droid") == (Sense(WordClass.NOUN, "robot"),)
    assert lexicon.senses("ajar") == (Sense(WordClass.ATTRIBUTE, "ajar", "state"),)
    assert lexicon.senses("the")


@pytest.mark.parametrize(
    ("source", "line", "says"),
    [
        ('[noun]\ncat = ["cat"]\n\n[nuon]\ndog = ["dog"]\n', 5, 'did you mean "noun"'),
        ('[noun]\ncat = ["cat"]\ndog = "dog"\n', 3, "list of phrases"),
        ('[noun]\ncat = ["cat"]\ndog = [""]\n', 3, "needs a phrase"),
        ('[superlative]\n\nleftmots = ["left"]\n', 3, 'did you mean "leftmost"'),
        ('[comparison]\nat_lest = ["at least"]\n', 2, 'did you mean "at_least"'),
        ('[more]\nmore = ["rather more"]\n', 2, "unknown comparison"),
        ('[comparative]\nlarger = ["larger"]\n', 2, 'did you mean "largest"'),
        ('[degree]\ntal = ["tall"]\n', 2, 'unknown order "tal"'),
        ('[form]\nrows = ["row"]\n', 2, 'did you mean "row"'),
        ('[command]\npick = ["pick"]\n', 2, 'unknown action "pick"'),
        ('[pointing]\nthese = ["these"]\n', 2, 'unknown pointer "these"'),
        ('[multiple]\n1 = ["once"]\n', 2, "from 2 on"),
        ('[aspect]\ncolor = ["tint"]\n', 2, "[aspect.attribute]"),
        ('[aspect.value]\ncolor = ["tint"]\n', 2, '"attribute" or the "order"'),
        ('[aspect.order]\nlength = ["length"]\n', 2, 'unknown order "length"'),
        ('[number]\ntwo = ["two"]\n', 2, "whole number"),
        ('[attribute]\nred = ["red"]\n', 2, "[attribute.color]"),
        ('[noun]\ncat = ["cat"\n[noun2]\n', 3, "not valid TOML"),
        ("noun = 3\n", 1, "list of phrases"),
        ('[sense]\nfork = { abuot = "x" }\n', 2, 'did you mean "about"'),
        ('[sense]\nfork = { kind = "tool" }\n', 2, '"about" and "kind"'),
        ('[sense]\nfork = { about = "x", near = "hay" }\n', 2, "list of words"),
        ('[sense]\n\nfork = "x"\n', 3, "needs fields"),
        ('[sense]\nforck = { about = "x" }\n', 2, 'did you mean "fork"'),
        ('[selects.subjekt]\nride = ["animal"]\n', 2, '"subject" or an "object"'),
        ('[selects.subject]\nride = "animal"\n', 2, "list of phrases"),
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
