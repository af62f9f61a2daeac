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
