"""Laws of the parser, over arbitrary and over generated text."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurosym.errors import NeurosymError
from neurosym.grammar import Lexicon, Parser
from neurosym.program import parse_program

QUIET = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
NOUNS = [("dog", "dogs"), ("plate", "plates"), ("person", "people"), ("cube", "cubes")]
RELATIONS = ["to the left of", "right of", "behind", "next to", "on", "in front of", "under"]
LIKENESS = [
    *("of the same color as", "bigger than", "twice as tall as", "as wide as", "similar to"),
    *("of a different size than", "between a fork and", "worn by"),
]
ATTRIBUTES = ["red", "green", "large", "tiny", "metal", "wooden", "big black"]
RANKS = ["leftmost", "largest", "second largest", "third", "closest", "left", "top right"]
EXCEPTIONS = [" but not the red one", " except the leftmost one", " other than the dog"]


@st.composite
def noun_phrases(draw: st.DrawFn, depth: int = 2) -> str:
    singular, plural = draw(st.sampled_from(NOUNS))
    determiner = draw(st.sampled_from(["the", "a", "every", "all the", "both", "the two", "no"]))
    noun = singular if determiner in ("the", "a", "every", "no") else plural
    words = [determiner]
    if determiner == "the" and draw(st.booleans()):
        words.append(draw(st.sampled_from(RANKS)))
    if draw(st.booleans()):
        words.append(draw(st.sampled_from(ATTRIBUTES)))
    words.append(noun)
    if depth and draw(st.booleans()):
        inner = draw(noun_phrases(depth=depth - 1))
        clause = draw(st.sampled_from(["", "that is ", "which is not "]))
        words.append(f"{clause}{draw(st.sampled_from(RELATIONS))} {inner}")
    text = " ".join(words)
    if depth and draw(st.integers(0, 3)) == 0:
        text += f" {draw(st.sampled_from(LIKENESS))} the {draw(st.sampled_from(NOUNS))[0]}"
    return text + (draw(st.sampled_from(EXCEPTIONS)) if draw(st.integers(0, 5)) == 0 else "")


@QUIET
@given(st.text(max_size=60))
def test_any_text_is_parsed_or_refused(parser: Parser, text: str) -> None:
    _parse_or_refuse(parser, text)


@QUIET
@given(st.lists(st.sampled_from(Lexicon.default().phrases()), max_size=9))
def test_any_words_are_parsed_or_refused(parser: Parser, words: list[str]) -> None:
    _parse_or_refuse(parser, " ".join(words))


@QUIET
@given(noun_phrases())
def test_generated_expressions_parse(parser: Parser, text: str) -> None:
    parse = parser.parse(text)
    assert not parse.unused, parse.unused
    for reading in parse.readings:
        assert parse_program(str(reading.program)) == reading.program


@QUIET
@given(noun_phrases())
def test_case_spaces_and_marks_do_not_matter(parser: Parser, text: str) -> None:
    loud = "  " + text.upper().replace(" ", "  ") + " !"
    assert parser.parse(loud).program == parser.parse(text).program


@QUIET
@given(noun_phrases())
def test_parsing_is_a_function(parser: Parser, text: str) -> None:
    assert parser.parse(text) == parser.parse(text)


@QUIET
@given(noun_phrases(depth=1))
def test_questions_about_expressions_parse(parser: Parser, text: str) -> None:
    if text.startswith(("a ", "no ")):
        assert parser.parse(f"is there {text}?").program.returns.value == "Truth"


def _parse_or_refuse(parser: Parser, text: str) -> None:
    refused: NeurosymError | None = None
    try:
        assert parser.parse(text).readings
    except NeurosymError as error:
        refused = error
    if refused is not None:
        assert refused.message
        assert refused.span is None or 0 <= refused.span.start < refused.span.end
