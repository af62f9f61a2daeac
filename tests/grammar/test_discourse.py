"""Texts of several sentences: what stands for what, in bounded time, with every word bound."""

import pytest

from neurosym.errors import GrammarError
from neurosym.grammar import Parser
from neurosym.grammar.discourse import sentences
from neurosym.program import Relate, parse_program


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("The cup.", ["The cup ."]),
        ("The cup is red. Is it large?", ["The cup is red .", "Is it large ?"]),
        ("Find the cup; what is left of it?!", ["Find the cup", "what is left of it ? !"]),
        ("... the cup ... the plate", ["... the cup ...", "the plate"]),
        ("the cup, the plate", ["the cup , the plate"]),
    ],
)
def test_texts_are_cut_at_stops_and_semicolons(text: str, parts: list[str], parser: Parser) -> None:
    found = sentences(parser.tokenizer(text), parser.lexicon)
    assert [" ".join(token.text for token in part) for part in found] == parts


def test_a_pronoun_is_the_node_that_it_stands_for(parser: Parser) -> None:
    text = "There is a cup on the table. It is next to a fork."
    program = parser.parse(text).program
    cups = parse_program("(relate (select cup) on (the (select table)))")
    first, again = (node for node in program.walk() if node == cups)
    assert [span.of(text) for span in first.words] == ["on"]
    assert [span.of(text) for span in again.words] == ["on", "It"]


def test_the_tree_covers_all_sentences(parser: Parser) -> None:
    text = "There is a cup. It is red."
    parse = parser.parse(text)
    assert parse.syntax.label == "discourse"
    assert [leaf.unit for leaf in parse.syntax.leaves()] == list(range(len(parse.tokens)))
    assert parse.syntax.span.of(text) == text


def test_runner_up_antecedents_are_further_readings(parser: Parser) -> None:
    parse = parser.parse("There is a cup on the table. It is red.")
    first, second, *_ = parse.readings
    assert "(filter (relate (select cup) on (the (select table))) color red)" in str(first)
    assert "(filter (the (select table)) color red)" in str(second)
    assert first.score > second.score


@pytest.mark.parametrize(
    "text",
    [
        "It is red.",
        "There is a cup. She is next to a plate.",
        "There is a woman. He is next to a plate.",
        "There are two cups. It is red.",
        "There is a cup. They are red.",
        "There is no cup. It is red.",
        "the cup next to it",
    ],
)
def test_what_stands_for_nothing_is_named(text: str, parser: Parser) -> None:
    with pytest.raises(GrammarError, match="nothing was named before") as caught:
        parser.parse(text)
    assert caught.value.span is not None
    assert caught.value.span.of(text).lower() in ("it", "he", "she", "they")


def test_a_mistake_in_a_later_sentence_is_found_there(parser: Parser) -> None:
    text = "There is a cup. It is the of plate."
    with pytest.raises(GrammarError) as caught:
        parser.parse(text)
    assert caught.value.span is not None
    assert caught.value.span.of(text) == "of"


def test_a_long_paragraph_is_read_whole(parser: Parser) -> None:
    parts = ["There is a cup on the table."]
    parts += ["It is next to a fork.", "The fork is left of the plate.", "They are red."] * 4
    text = " ".join(parts[:12])
    parse = parser.parse(text)
    assert sum(isinstance(node, Relate) for node in parse.program.walk()) > 10
    assert not parse.unused
