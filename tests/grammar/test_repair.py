"""Repairing slips of the keyboard: what is repaired, what is left alone, and how well it does."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurosym.grammar import Lexicon, Parser, SpacyTokenizer
from neurosym.grammar.repair import Repair, Speller, distance
from neurosym.grammar.tokens import plain
from neurosym.span import Span


@pytest.fixture(scope="module")
def speller(tokenizer: SpacyTokenizer) -> Speller:
    return Speller(Lexicon.default(), lambda: tokenizer.english)


def repaired(speller: Speller, text: str, *vocabulary: str) -> str:
    return ", ".join(
        f"{repair.written} > {repair.meant}"
        for repair in speller.repairs(text, plain(text), vocabulary)
    )


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("", "", 0),
        ("cup", "cup", 0),
        ("cup", "cups", 1),
        ("cup", "cap", 1),
        ("clup", "cup", 1),
        ("ucp", "cup", 1),
        ("ca", "abc", 3),
        ("kitten", "sitting", 3),
        ("left", "right", 3),
    ],
)
def test_distance(one: str, other: str, expected: int) -> None:
    assert distance(one, other) == distance(other, one) == expected


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_a_swap_is_one_edit_and_no_edit_is_none(one: str, other: str) -> None:
    assert (distance(one, other) == 0) == (one == other)
    assert distance(one + "ab" + other, one + "ba" + other) == 1
    assert distance(one, other, most=9) <= max(len(one), len(other))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the yelow cup", "yelow > yellow"),
        ("the YELOW cup", "YELOW > yellow"),
        ("teh cup", "teh > the"),
        ("the cup leftof the bowl", "leftof > left of"),
        ("the sandwhich leftof the bowl", "sandwhich > sandwich, leftof > left of"),
        ("the cup to theleft", "theleft > the left"),
        ("the cup lefto f the bowl", "lefto f > left of"),
        ("the cup to th eright", "th eright > the right"),
        ("the the  the cup", "the the  the > the"),
        ("a a cup", ""),
        ("an an apple", "an an > an"),
        ("the cyclinder", "cyclinder > cylinder"),
        ("the cyilnders and the cylindres", "cyilnders > cylinders, cylindres > cylinders"),
        ("the rectagnular turqouise cup", "rectagnular > rectangular, turqouise > turquoise"),
    ],
)
def test_slips_are_repaired(speller: Speller, text: str, expected: str) -> None:
    assert repaired(speller, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        # English words next to listed ones, inflected and derived ones among them.
        *("the bat", "the rad cups", "the boar", "the bold man", "the blocked road", "the reddest"),
        *(
            "the leftie",
            "the cupped hand",
            "the tabled motion",
            "the greener one",
            "the dogged man",
        ),
        # Names, contractions, codes, hyphens and other languages.
        *(
            "the man named Gren",
            "the isnt",
            "it doesn't",
            "the x2 cup",
            "the blu-ray",
            "le chat nior",
        ),
        # Two words come equally near, or only the first letter is wrong in a short one.
        *("the ight cup", "the ra cup", "the zog"),
        # What stands twice in good English.
        *("the cup that that man holds", "one one", "very big big cups"),
    ],
)
def test_words_are_left_alone(speller: Speller, text: str) -> None:
    assert repaired(speller, text) == ""


def test_words_of_the_scene_are_words(speller: Speller) -> None:
    assert repaired(speller, "the xylophnoe") == ""
    assert repaired(speller, "the xylophnoe", "xylophone") == "xylophnoe > xylophone"
    assert repaired(speller, "two xylohpones", "toy xylophone") == "xylohpones > xylophones"
    assert repaired(speller, "the yelow cup") == "yelow > yellow"
    assert repaired(speller, "the yelow cup", "yelow") == ""


def test_without_a_dictionary_no_spelling_is_wrong() -> None:
    speller = Speller(Lexicon.default(), frozenset)
    assert repaired(speller, "the cup inthe bowl") == "inthe > in the"


def test_repairs_are_told_with_their_place_and_reason(parser: Parser) -> None:
    parse = parser.parse("  the  yelow cup to theleft")
    assert parse.repairs == (
        Repair("yelow", "yellow", Span(7, 12), "spelling"),
        Repair("theleft", "the left", Span(20, 27), "space"),
    )
    assert str(parse.repairs[0]) == '"yelow" at 7-12 read as "yellow" (spelling)'
    yellow = next(token for token in parse.tokens if token.lower == "yellow")
    assert (yellow.text, yellow.span) == ("yelow", Span(7, 12))
    assert [token.text for token in parse.tokens][-2:] == ["the", "left"]


def test_repair_can_be_switched_off(tokenizer: SpacyTokenizer) -> None:
    parser = Parser(tokenizer, repair=False)
    parse = parser.parse("the yelow cup")
    assert parse.repairs == ()
    assert str(parse.program) == '(the (select "yelow cup"))'


def slips(word: str, draw: random.Random) -> str:
    """A word with one slip: a letter added, left out, exchanged, or swapped with the next."""
    at = draw.randrange(len(word))
    other = draw.choice(string.ascii_lowercase)
    return {
        "add": word[:at] + other + word[at:],
        "omit": word[:at] + word[at + 1 :],
        "exchange": word[:at] + other + word[at + 1 :],
        "swap": word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :],
    }[draw.choice(("add", "omit", "exchange", "swap"))]


def synthetic(seed: int, count: int) -> Iterator[tuple[str, str]]:
    """Listed words of four letters or more and the same with a slip."""
    draw = random.Random(seed)
    words = sorted(
        phrase for phrase in Lexicon.default().phrases() if phrase.isalpha() and len(phrase) > 3
    )
    while count:
        word = draw.choice(words)
        slip = slips(word, draw)
        if slip != word:
            yield word, slip
            count -= 1


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_synthetic_slips(speller: Speller, seed: int) -> None:
    """Most slips are repaired, and hardly any becomes another word than was meant."""
    right = wrong = 0
    for word, slip in synthetic(seed, 400):
        found = speller.repairs(slip, slip)
        right += bool(found) and found[0].meant == word
        wrong += bool(found) and found[0].meant != word
    assert right / (right + wrong) >= 0.95
    assert right / 400 >= 0.7


@given(st.text(string.ascii_lowercase + " '-1", max_size=40))
def test_repairs_lie_in_order_in_the_text(speller: Speller, text: str) -> None:
    end = 0
    for repair in speller.repairs(text, text):
        assert end <= repair.span.start < repair.span.end <= len(text)
        assert repair.span.of(text) == repair.written != repair.meant
        end = repair.span.end
