"""Diagnosing texts that the grammar cannot read: the mistake, what was expected, and the remedy."""

from __future__ import annotations

import pytest

from neurosym.errors import GrammarError
from neurosym.grammar import Lexicon, Parser
from neurosym.grammar.diagnosis import diagnose, mistakes

# None of these is an example that the labels were taught by.
UNSEEN = [
    ("the plate under the", "missing-noun"),
    ("are the small", "missing-noun"),
    ("there is the", "missing-noun"),
    ("a", "missing-noun"),
    ("the horse behind", "missing-object"),
    ("the bowl in front of", "missing-object"),
    ("the fork that is next to", "missing-object"),
    ("the smallest of", "missing-object"),
    ("the woman and", "dangling-conjunction"),
    ("a bowl or", "dangling-conjunction"),
    ("or the fork", "dangling-conjunction"),
    ("the bowl and and or the fork", "dangling-conjunction"),
    ("the an apple", "doubled-determiner"),
    ("the horse near the every tree", "doubled-determiner"),
    ("the bowl right of under the fork", "two-relations"),
    ("the bird above near the bench", "two-relations"),
    ("is the bowl smaller than", "unclosed-comparison"),
    ("the horse taller than", "unclosed-comparison"),
    ("there are fewer forks than", "unclosed-comparison"),
    ("the bowl krzt the fork", "unknown-word"),
    ("the horse bzzt vlkj the tree", "unknown-word"),
    ("the bowl the cup", "two-things-side-by-side"),
    ("the man a hat", "two-things-side-by-side"),
    ("the bird on the bench the dog", "two-things-side-by-side"),
    ("what size is", "unfinished-question"),
    ("are there", "unfinished-question"),
    ("hardly a cup", "not-understood-yet"),
    ("the former cups", "not-understood-yet"),
]


def test_most_mistakes_of_other_sentences_are_recognised(parser: Parser) -> None:
    taught = {example for examples in mistakes().values() for example in examples}
    assert not taught & {text for text, _ in UNSEEN}
    wrong = []
    for text, label in UNSEEN:
        found = diagnose(parser, text)
        if found is None or found.mistake != label:
            wrong.append((text, label, found and found.mistake))
    assert len(wrong) <= 0.15 * len(UNSEEN), wrong


@pytest.mark.parametrize("label", mistakes())
def test_every_kind_is_taught_by_sentences_that_make_it(parser: Parser, label: str) -> None:
    examples = mistakes()[label]
    assert len(examples) >= 3
    for example in examples:
        found = diagnose(parser, example)
        assert found is not None, f"{example!r} can be read"
        assert found.mistake == label, example


def test_what_can_be_read_has_no_diagnosis(parser: Parser) -> None:
    assert diagnose(parser, "the cup next to the plate") is None


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("the cup next to the", "the cup next to the thing"),
        ("the plate the fork", "the plate and the fork"),
        ("the man on above the horse", "the man on the thing above the horse"),
        ("how many", "how many things"),
    ],
)
def test_a_small_change_makes_it_readable(parser: Parser, text: str, fix: str) -> None:
    found = diagnose(parser, text)
    assert found is not None
    assert found.fix == fix
    assert diagnose(parser, fix) is None


def test_a_diagnosis_shows_the_place(parser: Parser) -> None:
    found = diagnose(parser, "the cup left of on the table")
    assert found is not None
    lines = str(found).splitlines()
    assert lines[1:3] == ["the cup left of on the table", "                ^^"]
    assert lines[3].startswith("expected: a noun, ")
    assert lines[4] == "mistake: two-relations"
    assert lines[5] == 'can be read: "the cup left of the thing on the table"'


def test_errors_say_what_was_expected(parser: Parser) -> None:
    strict = Parser(parser.tokenizer, fallback=False)
    with pytest.raises(GrammarError) as caught:
        strict.parse("the cup next to the")
    assert caught.value.expected[0] == "a noun"
    assert "no sentence" in caught.value.clues


def test_a_users_lexicon_is_diagnosed_with(parser: Parser) -> None:
    text = "the cup athwart of the"
    own = Parser(parser.tokenizer, Lexicon.default().add("athwart of", "relation", "across"))
    found = diagnose(own, text)
    assert found is not None
    assert found.fix == "the cup athwart of the thing"
