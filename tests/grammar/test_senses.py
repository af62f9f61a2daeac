"""Words of several senses: the items of the data file, and how senses are listed and checked."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from neurosym.api import Grounder
from neurosym.errors import LexiconError
from neurosym.grammar import Lexicon, Parser, Reading
from neurosym.grammar.senses import CUE, MAX_VARIANTS, UNUSUAL
from neurosym.perception.given import Thing, scene_of
from neurosym.scene import Scene

FILE = Path(__file__).parent.parent / "fixtures" / "senses" / "items.toml"
ITEMS: dict[str, list[dict[str, Any]]] = tomllib.loads(FILE.read_text(encoding="utf-8"))
SHARE = 0.9
"""Least share of the items that must be right."""


def taken(reading: Reading) -> list[str]:
    return [choice.concept for choice in reading.senses]


def is_right(item: dict[str, Any], reading: Reading) -> bool:
    return item["sense"] in taken(reading) if item["sense"] else not taken(reading)


def scene_with(categories: list[str]) -> Scene:
    """These things once each, side by side; the vocabulary is theirs alone."""
    things = [
        Thing(name, (40.0 * i, 10.0, 40.0 * i + 30, 40.0)) for i, name in enumerate(categories)
    ]
    return scene_of(things, (60, 40 * len(things)))


def test_there_are_enough_items() -> None:
    assert len(ITEMS["company"]) + len(ITEMS["scene"]) >= 30
    assert len(
        {(item["text"], *item.get("there", ())) for kind in ITEMS.values() for item in kind}
    ) == sum(map(len, ITEMS.values()))


def test_the_company_of_a_word_decides(parser: Parser) -> None:
    wrong = [
        (item["text"], item["sense"], taken(parser.parse(item["text"]).readings[0]))
        for item in ITEMS["company"]
        if not is_right(item, parser.parse(item["text"]).readings[0])
    ]
    assert len(wrong) <= (1 - SHARE) * len(ITEMS["company"]), wrong


def test_the_scene_decides(parser: Parser) -> None:
    grounder = Grounder(None, parser)
    wrong = []
    for item in ITEMS["scene"]:
        reading = grounder.ground(scene_with(item["there"]), item["text"]).reading
        if not is_right(item, reading):
            wrong.append((item["text"], item["there"], taken(reading)))
    assert len(wrong) <= (1 - SHARE) * len(ITEMS["scene"]), wrong


def test_a_choice_says_why(parser: Parser) -> None:
    best, other = parser.parse("the mouse eating cheese").readings[:2]
    (choice,) = best.senses
    assert (choice.words, choice.concept, choice.about) == ("mouse", "animal mouse", "an animal")
    assert choice.because == ("cheese", "eat")
    assert str(choice) == '"mouse" at 4-9 as "animal mouse" (an animal), because of cheese, eat'
    assert best.score > other.score


def test_without_company_the_usual_sense_comes_first(parser: Parser) -> None:
    usual, unusual = parser.parse("the plate").readings[:2]
    assert (str(usual.program), str(unusual.program)) == (
        "(the (select plate))",
        '(the (select "license plate"))',
    )
    assert usual.score - unusual.score == pytest.approx(UNUSUAL)


def test_words_of_one_sense_have_no_choice(parser: Parser) -> None:
    parse = parser.parse("the fork on the plate of the man")
    assert [choice.words for choice in parse.readings[0].senses] == ["plate"]
    assert parser.parse("the fork").readings[0].senses == ()


def test_syntax_decides_first(parser: Parser) -> None:
    program = str(parser.parse("the orange cup next to the orange").program)
    assert "(filter (select cup) color orange)" in program
    assert "(select orange)" in program


def test_many_senses_stay_few_readings(parser: Parser) -> None:
    parse = parser.parse("the bat and the mouse and the plate and the board and the ball")
    assert len(parse.readings) <= parser.max_readings
    assert parser.max_readings >= MAX_VARIANTS


def test_a_compound_names_the_sense_itself(parser: Parser) -> None:
    for text, concept in (
        ("the license plate", "license plate"),
        ("the animal mouse", "animal mouse"),
        ("the crane bird", "crane bird"),
        ("the baseball bat", "baseball bat"),
    ):
        assert str(parser.parse(text).program) == f'(the (select "{concept}"))'


def test_senses_that_are_added(parser: Parser) -> None:
    lexicon = Lexicon.default().add("fork", "noun", "pitchfork")
    plain = Parser(parser.tokenizer, lexicon).parse("the fork in the barn")
    assert taken(plain.readings[0]) == ["fork"]
    lexicon = Lexicon.default().add(
        "fork", "noun", "pitchfork", about="for hay", kind="tool", near=["barn", "hay"]
    )
    read = Parser(parser.tokenizer, lexicon).parse("the fork in the barn")
    assert taken(read.readings[0]) == ["pitchfork"]
    assert read.readings[0].score - read.readings[1].score == pytest.approx(CUE - UNUSUAL)
    assert Lexicon.default().note("pitchfork") is None


def test_senses_of_a_file(parser: Parser, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        '[noun]\n"tuning fork" = ["fork"]\n[sense]\n'
        '"tuning fork" = { about = "for music", kind = "instrument", near = ["piano"] }\n'
        '[selects.object]\nstrike = ["instrument"]\n'
    )
    lexicon = Lexicon.load(file)
    assert lexicon.selects("object", "strike") == {"instrument"}
    own = Parser(parser.tokenizer, lexicon)
    assert taken(own.parse("the fork on the piano").readings[0]) == ["tuning fork"]
    assert taken(own.parse("the man striking a fork").readings[0]) == ["tuning fork"]


def test_a_sense_that_is_added_needs_a_description() -> None:
    with pytest.raises(LexiconError, match="about"):
        Lexicon.default().add("fork", "noun", "pitchfork", near=["barn"])
