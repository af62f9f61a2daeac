"""Many texts at a time: the same programs as one by one, with and without a tagger."""

import pickle
from collections.abc import Iterator

import pytest
from hypothesis import given

from neurosym.errors import GrammarError, NeurosymError, TextError
from neurosym.grammar import Lexicon, Parser
from neurosym.grammar.closed import ClosedTokenizer
from neurosym.grammar.readings import Parse
from neurosym.grammar.search import Later, Search
from tests.grammar.test_golden import CASES
from tests.grammar.test_properties import QUIET, noun_phrases

# Every other one: they are read three times here, and once more as golden texts.
TEXTS = [case.text for case in CASES[::2]]


@pytest.fixture(scope="module")
def one_by_one(parser: Parser) -> list[Parse | NeurosymError]:
    return [_parsed(parser, text) for text in TEXTS]


def _parsed(parser: Parser, text: str) -> Parse | NeurosymError:
    try:
        return parser.parse(text)
    except NeurosymError as error:
        return error


@pytest.mark.parametrize("tag_all", [False, True])
def test_programs_are_those_of_one_by_one(
    tag_all: bool, parser: Parser, one_by_one: list[Parse | NeurosymError]
) -> None:
    piped = list(parser.pipe(TEXTS, tag_all=tag_all, batch_size=50))
    assert len(piped) == len(TEXTS)
    for alone, together in zip(one_by_one, piped, strict=True):
        if isinstance(alone, Parse):
            assert isinstance(together, Parse), alone.text
            assert _said(together) == _said(alone), alone.text
        else:
            assert (type(together), str(together)) == (type(alone), str(alone))


def _said(parse: Parse) -> list[object]:
    return [
        (
            str(reading.program),
            reading.score,
            [node.words for node in reading.program.walk()],
            [token.span for token in reading.unused],
            str(reading.syntax),
        )
        for reading in parse.readings
    ]


def test_the_lexicon_decides_most_texts(parser: Parser) -> None:
    piped = [found for found in parser.pipe(TEXTS) if isinstance(found, Parse)]
    untagged = [parse for parse in piped if not parse.tagged]
    assert len(untagged) > 0.4 * len(piped)
    assert all(not token.tag and not token.pos for parse in untagged for token in parse.tokens)


@QUIET
@given(noun_phrases())
def test_generated_expressions_do_not_need_a_tagger(parser: Parser, text: str) -> None:
    (parse,) = parser.pipe([text])
    assert isinstance(parse, Parse)
    assert _said(parse) == _said(parser.parse(text))


@pytest.mark.parametrize(
    ("text", "untagged"),
    [
        ("the red cube(s) to the left of the sphere", True),
        ("How many  cubes are there ?", True),
        ("The RED cube.", True),
        ("the red gizmo", False),  # not listed
        ("the man riding the horse", False),  # verbs are told by tags
        ("the dog's ball", False),
        ("the the cube", False),  # may be a slip
        ("the “red” cube", False),
        ("the café", False),
    ],
)
def test_what_a_tagger_sees(text: str, untagged: bool, parser: Parser) -> None:
    tokens = ClosedTokenizer(parser.tokenizer, parser.lexicon)(text)
    assert (tokens is not None) == untagged
    if tokens is not None:
        tagged = parser.tokenizer(text)
        assert [(t.index, t.text, t.lower, t.span) for t in tokens] == [
            (t.index, t.text, t.lower, t.span) for t in tagged
        ]


def test_an_error_takes_the_place_of_its_text_alone(parser: Parser) -> None:
    texts: list[str] = ["the red cube", "", "the dog than the cat", "the green plate", None]  # type: ignore[list-item]
    kinds = [type(found) for found in parser.pipe(texts)]
    assert kinds == [Parse, TextError, GrammarError, Parse, TextError]


def test_texts_are_read_a_batch_at_a_time(parser: Parser) -> None:
    taken = 0

    def source() -> Iterator[str]:
        nonlocal taken
        for text in ("the red cube", "the dog", "the cup", "the plate"):
            taken += 1
            yield text

    piped = parser.pipe(source(), batch_size=2)
    next(piped)
    assert taken == 2
    assert len(list(piped)) == 3
    assert list(parser.pipe([])) == []
    with pytest.raises(GrammarError, match="batch_size"):
        next(parser.pipe(["the dog"], batch_size=0))


def test_words_of_a_lexicon_of_ones_own_need_no_tagger(parser: Parser) -> None:
    own = Parser(parser.tokenizer, Lexicon.default().add("gizmo", "noun", "gizmo"))
    (parse,) = own.pipe(["the red gizmo"])
    assert isinstance(parse, Parse)
    assert not parse.tagged
    assert str(parse) == "(the (filter (select gizmo) color red))"


def test_other_readings_come_later(parser: Parser) -> None:
    text = "the large green plate on the table"
    (parse,) = parser.pipe([text])
    assert isinstance(parse, Parse)
    assert isinstance(parse.readings, Later)
    assert parse.program == parser.parse(text).program
    readings = parser.parse(text).readings
    assert parse.readings == readings
    assert len(parse.readings) == len(readings) > 1
    assert parse.readings[1:] == readings[1:]
    assert pickle.loads(pickle.dumps(parse)).readings == readings


def test_a_search_stops_when_nothing_better_can_come() -> None:
    found: dict[object, tuple[str, float]] = {}
    steps = 0

    def work() -> Iterator[float]:
        nonlocal steps
        for bound, name, score in ((0.0, "a", -2.0), (-1.0, "b", -1.5), (-1.5, "a", -1.5)):
            yield bound
            steps += 1
            found[name] = (name, score)

    search = Search(work(), found, lambda each: each[1], 2)
    # "b" is as good as anything to come, but "a" was found before it.
    assert search[0] == ("a", -1.5)
    assert steps == 3
    assert search.all() == [("a", -1.5), ("b", -1.5)]
    with pytest.raises(IndexError):
        search[2]
    found.clear()
    quick = Search(iter([0.0, -1.0]), {"c": ("c", -0.5)}, lambda each: each[1], 2)
    assert quick[0] == ("c", -0.5)
    assert quick._bound == -1.0


def test_two_sentences_are_read_best_first(parser: Parser) -> None:
    text = "Find the sphere in front of the cube; the objects that are behind it"
    (parse,) = parser.pipe([text])
    assert isinstance(parse, Parse)
    assert _said(parse) == _said(parser.parse(text))
    assert parse.readings[0] == parse.readings[:1][0]
