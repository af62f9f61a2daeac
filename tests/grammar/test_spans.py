"""Every operator is bound to the words that it comes from."""

import pytest

from neurosym.grammar import Parser
from neurosym.span import Span

CASES = [
    (
        "the plate to the left of the fork but not the green one",
        {
            "the": [["the"], ["the"], ["the"]],
            "minus": [["but not"]],
            "relate": [["to the left of"]],
            "filter": [["green"]],
            "select": [["plate"], ["fork"], ["plate", "one"]],
        },
    ),
    (
        "the second largest red sphere behind the metal cube",
        {
            "superlative": [["second", "largest"]],
            "relate": [["behind"]],
            "filter": [["red"], ["metal"]],
            "select": [["sphere"], ["cube"]],
        },
    ),
    ("the person on the left", {"superlative": [["left"]], "the": [["the"]]}),
    ("the second person from the right", {"superlative": [["second", "right"]]}),
    ("both dogs", {"the_count": [["both"]], "select": [["dogs"]]}),
    ("all the people left of the bottle", {"the_plural": [["all", "the"]]}),
    (
        "the person left of both chairs",
        {"relate_all": [["left of"]], "the_count": [["both"]]},
    ),
    ("the man left of every dog", {"relate_all": [["left of", "every"]]}),
    ("the chair closest to the table", {"closest": [["closest", "to"]]}),
    ("the person in red", {"filter": [["in", "red"]]}),
    ("the red or blue cup", {"union": [["or"]], "filter": [["red"], ["blue"]]}),
    ("how many dogs are there", {"count": [["How many".lower(), "are there"]]}),
    ("is there a dog", {"exist": [["is there"]]}),
    ("are there no dogs", {"exist": [["are there"]], "negation": [["no"]]}),
    ("are there at least two dogs", {"count_is": [["at least", "two"]]}),
    ("the dog that is not black", {"minus": [["not"]], "filter": [["black"]]}),
    ("the two leftmost people", {"top": [["leftmost"]], "the_count": [["the", "two"]]}),
    ("everything except the people", {"everything": [["everything"]], "minus": [["except"]]}),
    ("the tennis rackets", {"select": [["tennis rackets"]]}),
    ("is there a dog and a cat", {"conjunction": [["and"]]}),
    ("all the cups are red", {"every": [["are"]], "the_plural": [["all", "the"]] * 2}),
    ("most of the cups are red", {"most": [["most", "are"]], "the_plural": [["the"]] * 2}),
    (
        "are there more cups than plates",
        {"compare_counts": [["are there", "more", "than"]]},
    ),
    (
        "other things of the same color as the plate",
        {"same": [["other", "of the same", "color", "as"]]},
    ),
    (
        "cups of a different color than the plate",
        {"different": [["of a different", "color", "than"]]},
    ),
    ("cups similar to the plate", {"similar": [["similar to"]]}),
    ("cups bigger than the plate", {"comparative": [["bigger", "than"]]}),
    ("cups twice as big as the plate", {"comparative": [["twice", "as", "big", "as"]]}),
    ("cups as tall as the plate", {"equative": [["as", "tall", "as"]]}),
    ("the cup between the plate and the fork", {"between": [["between", "and"]]}),
    ("the cup between two plates", {"between": [["between", "two"]]}),
    ("what color is the cup", {"query": [["what", "color", "is"]], "the": [["the"]]}),
    ("is the cup red or blue", {"choose": [["is", "or", "red", "blue"]]}),
    ("are the cup and the plate the same color", {"equal": [["are", "the same", "color"]]}),
    ("pick up the cup", {"command": [["pick up"]]}),
    ("cups next to at least two plates", {"relate_count": [["next to", "at least", "two"]]}),
    ("cups next to most plates", {"relate_most": [["next to", "most"]]}),
    ("cups only next to plates", {"relate_only": [["only", "next to"]]}),
    ("the hat worn by the man", {"related_by": [["worn by"]]}),
    ("the hat that the man is wearing", {"related_by": [["wearing"]]}),
    (
        "the two cups closest to the plate",
        {"top_closest": [["closest", "to"]], "the_count": [["the", "two"]]},
    ),
    ("the row of cups", {"the_group": [["the", "row"]]}),
    ("the left half of the table", {"part": [["left half"]]}),
    ("these two cups", {"pointed": [["these"]], "the_count": [["these", "two"]]}),
    ("this", {"pointed": [["this"]], "the": [["this"]]}),
]


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[text for text, _ in CASES])
def test_words_of_operators(
    text: str, expected: dict[str, list[list[str]]], parser: Parser
) -> None:
    found: dict[str, list[list[str]]] = {}
    for node in parser.parse(text).program.walk():
        found.setdefault(node.name, []).append([span.of(text) for span in node.words])
    for name, words in expected.items():
        assert sorted(found[name]) == sorted(words), name


def test_spans_refer_to_the_text_as_given(parser: Parser) -> None:
    text = "  “The  GREEN\u00a0plate”, to the left of the FORK…  "
    parse = parser.parse(text)
    filtered = next(node for node in parse.program.walk() if node.name == "filter")
    assert [span.of(text) for span in filtered.words] == ["GREEN"]
    assert [token.text for token in parse.tokens if token.is_word][:3] == ["The", "GREEN", "plate"]
    for token in parse.tokens:
        assert token.span.of(text) == token.text


def test_optional_plural_keeps_its_span(parser: Parser) -> None:
    text = "The cup(s) on the table"
    parse = parser.parse(text)
    select = next(iter(parse.program.walk()))
    assert select.words == (Span(4, 10),)


def test_tree_is_printable_and_covers_the_text(parser: Parser) -> None:
    parse = parser.parse("the green plate")
    assert parse.syntax.span == Span(0, 15)
    assert [leaf.words for leaf in parse.syntax.leaves()] == ["the", "green", "plate"]
    assert "ATTRIBUTE 'green'" in str(parse.syntax)
    assert hash(parse.syntax) == hash(parser.parse("the green plate").syntax)
