"""Bad and excessive input: one clear error, in bounded time."""

import contextlib
import subprocess
import sys

import pytest

from neurosym.errors import GrammarError, NeurosymError, TextError
from neurosym.grammar import Parser, SpacyTokenizer, syntax
from neurosym.grammar.automaton import Automaton
from neurosym.grammar.chart import MAX_STEPS, Chart
from neurosym.grammar.lower import Lowering
from neurosym.grammar.meaning import MAX_SIZE, Scored
from neurosym.grammar.parse import MAX_READINGS, MAX_SEGMENTATIONS
from neurosym.grammar.syntax import CACHED, MAX_TREES, MAX_UNITS
from neurosym.grammar.tree import Tree
from neurosym.program import Op


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        ("\u200b", "letters"),
        ("123 456", "no letters"),
        ("?!", "no letters"),
        ("собака на столе", "not Latin"),
        ("猫在桌子上", "not Latin"),
        ("le chat noir sur la table", "not look English"),
        ("der Hund auf dem Tisch", "not look English"),
        ("word " * 10_000, "50,000 characters"),
        ("a " * 900, "900 words"),
        (None, "must be a string"),
        (b"the dog", "must be a string"),
    ],
)
def test_text_that_cannot_be_read(text: str, says: str, parser: Parser) -> None:
    with pytest.raises(TextError, match=says):
        parser.parse(text)


def test_text_bounds_are_arguments(pipeline: str) -> None:
    short = SpacyTokenizer(pipeline, max_words=3, max_characters=30)
    assert len(short("the green plate")) == 3
    with pytest.raises(TextError, match="4 words; at most 3"):
        short("the very green plate")
    with pytest.raises(TextError, match="31 characters; at most 30"):
        short("x" * 31)
    with pytest.raises(TextError, match="max_words"):
        SpacyTokenizer(pipeline, max_words=0)


def test_unknown_pipeline() -> None:
    with pytest.raises(TextError, match="cannot load the spaCy pipeline"):
        SpacyTokenizer("no_such_pipeline")


def test_pipeline_without_tagger() -> None:
    spacy = pytest.importorskip("spacy")
    with pytest.raises(TextError, match="no tags"):
        SpacyTokenizer(spacy.blank("en"))("the dog")


def test_parse_bounds_are_arguments(tokenizer: SpacyTokenizer) -> None:
    text = "the cup on the table in the kitchen next to the door"
    assert len(Parser(tokenizer).parse(text).readings) > 2
    assert len(Parser(tokenizer, max_readings=2).parse(text).readings) == 2
    assert len(Parser(tokenizer, max_trees=1).parse(text).readings) == 1
    with pytest.raises(GrammarError, match="at most 5 are parsed"):
        Parser(tokenizer, max_units=5).parse(text)
    for name in ("max_readings", "max_trees", "max_units"):
        with pytest.raises(GrammarError, match=name):
            Parser(tokenizer, **{name: 0})


@pytest.mark.parametrize(
    "part",
    [
        " on the table",
        " next to the red or blue plate",
        " that is not black",
        " and the cup",
        " red",
    ],
)
@pytest.mark.parametrize("count", [5, 12, 24])
def test_repeated_parts_take_bounded_work(
    part: str, count: int, parser: Parser, monkeypatch: pytest.MonkeyPatch
) -> None:
    _takes_bounded_work("the cup" + part * count, parser, monkeypatch)


LONG = [
    *("the cup" + " on the table" * 26, "the " + "red " * 75 + "cup"),
    *("the cup" + " that is not black" * 19, "the cup" + " next to no plate" * 19),
    *("the cup" + " and the cup" * 48, "the man" + " riding a horse holding a cup" * 32),
    *("The cup is next to the plate. " * 28, "There is a cup. It is red. " * 28),
]
"""Up to 200 words each."""


@pytest.mark.parametrize("text", LONG, ids=lambda text: text[:40])
def test_long_texts_take_bounded_work(
    text: str, parser: Parser, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 70 < len(text.split()) <= 200
    _takes_bounded_work(text, parser, monkeypatch)


def _takes_bounded_work(text: str, parser: Parser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time is measured by ``benchmarks/parse_speed.py``; here is what bounds it."""
    steps, lowered = [], []
    recognised, programs = syntax.recognise, Lowering.programs

    def recognise(automaton: Automaton, codes: tuple[str, ...]) -> Chart:
        chart = recognised(automaton, codes)
        steps.append(sum(len(column.phrases) for column in chart.columns))
        return chart

    def lower(self: Lowering, tree: Tree) -> Scored[Op]:
        found = programs(self, tree)
        lowered.append(max((op.size for _, op in found), default=0))
        return found

    monkeypatch.setattr(syntax, "recognise", recognise)
    monkeypatch.setattr(Lowering, "programs", lower)
    fresh = Parser(parser.tokenizer, parser.lexicon)
    sentences = 1 + text.count(". ")
    with contextlib.suppress(GrammarError):
        readings = fresh.parse(text).readings
        assert len(readings) <= MAX_READINGS
        assert all(reading.program.size <= 2 * MAX_SIZE for reading in readings)
    assert max(steps, default=0) <= MAX_STEPS
    assert max(lowered, default=0) <= MAX_SIZE
    assert len(steps) <= MAX_SEGMENTATIONS * sentences
    assert len(lowered) <= MAX_TREES * MAX_SEGMENTATIONS * MAX_READINGS * sentences


def test_more_units_than_the_limit(parser: Parser) -> None:
    with pytest.raises(GrammarError, match=f"at most {MAX_UNITS} are parsed"):
        parser.parse("the dog " * 100)


def test_the_cache_is_bounded(tokenizer: SpacyTokenizer) -> None:
    assert CACHED <= 4096
    parser = Parser(tokenizer, cached=2)
    for text in ("the dog", "the red dog", "a dog", "dogs", "the dog"):
        parser.parse(text)
    assert parser._syntax._derive.cache_info().currsize == 2


def test_the_caret_stands_where_reading_stopped(parser: Parser) -> None:
    with pytest.raises(GrammarError) as caught:
        parser.parse("the man any pizza")
    assert caught.value.snippet() == "the man any pizza\n        ^^^"
    assert '"any" at 8-11' in caught.value.message
    assert "a noun" in caught.value.message


def test_unknown_words_get_a_suggestion(parser: Parser) -> None:
    with pytest.raises(NeurosymError) as caught:
        parser.parse("the plate whereas the fork")
    assert caught.value.span is not None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("few people", '"few" at 0-3 is not understood yet'),
        ("hardly", '"hardly" at 0-6 is not understood yet'),
        ("the man between the dog", '"between" needs two things: "between" at 8-15'),
        ("the dog than the cat", '"than" at 8-12 is not understood here'),
        ("most people", 'this amount is not understood in this place: "most" at 0-4'),
        ("the other dog", '"other" at 4-9'),
        ("my ball", '"my" at 0-2 is not understood yet'),
        ("the last closest dog to the door", '"last" with "closest"'),
        ("all but one banana", "this amount is not understood in this place"),
        ("many dogs are black", "how many that is depends on what one expects"),
    ],
)
def test_what_is_not_understood_is_named(text: str, says: str, parser: Parser) -> None:
    with pytest.raises(GrammarError) as caught:
        parser.parse(text)
    assert says in caught.value.message
    assert "did you mean" not in caught.value.message


def test_import_is_light() -> None:
    code = "import sys, neurosym.grammar; print('spacy' in sys.modules, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
