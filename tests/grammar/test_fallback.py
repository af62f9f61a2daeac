"""The fallback: marked guesses by dependencies where the grammar has no reading."""

import contextlib

import pytest

from neurosym.errors import GrammarError
from neurosym.grammar import Parser, SpacyTokenizer
from neurosym.grammar.meaning import MAX_SIZE
from neurosym.grammar.tree import Tree
from neurosym.grammar.understood import GUESSED
from neurosym.program import parse_program

GUESSES = [
    (
        "who gives the small child an apple",
        "(the (relate (relate (select person) give (select apple)) to "
        "(the (filter (select child) size small))))",
    ),
    (
        "a man is teaching a child how to ride a bike",
        "(exist (relate (relate (select man) teach (select child)) ride (select bike)))",
    ),
]


@pytest.mark.parametrize(("text", "program"), GUESSES)
def test_guesses(text: str, program: str, lenient: Parser) -> None:
    parse = lenient.parse(text)
    assert parse.source == "dependencies"
    assert parse.program == parse_program(program)


def test_a_guess_is_marked_and_scored_below_the_grammar(lenient: Parser, parser: Parser) -> None:
    text = GUESSES[0][0]
    with pytest.raises(GrammarError):
        parser.parse(text)
    guessed = lenient.parse(text)
    assert guessed.readings[0].guessed
    assert "guessed" in str(guessed)
    assert guessed.readings[0].score <= -GUESSED
    read = lenient.parse("the red cup on the table")
    assert read.source == "grammar"
    assert not read.readings[0].guessed
    assert "guessed" not in str(read)
    assert all(reading.score > -GUESSED for reading in read.readings)


def test_the_tree_covers_all_words(lenient: Parser) -> None:
    text = GUESSES[0][0]
    syntax = lenient.parse(text).syntax
    assert isinstance(syntax, Tree)
    assert sorted(leaf.words for leaf in syntax.leaves()) == sorted(text.split())


@pytest.mark.parametrize(
    "text",
    [
        *("few people", "never", "if a cat sleeps the mouse eats", "of the", "all but two cups"),
        *("the man with the most bags", "the cups except for two", "all of the cups but one"),
    ],
)
def test_what_must_not_be_left_out_is_refused_as_before(
    text: str, lenient: Parser, parser: Parser
) -> None:
    with pytest.raises(GrammarError) as plain:
        parser.parse(text)
    with pytest.raises(GrammarError) as caught:
        lenient.parse(text)
    assert caught.value.message == plain.value.message


@pytest.mark.parametrize("count", [6, 18])
def test_long_texts_end_in_a_small_program_or_a_refusal(count: int, lenient: Parser) -> None:
    part = "a child is teaching a dog how to ride a bike"
    with contextlib.suppress(GrammarError):
        assert lenient.parse(" ".join([part] * count)).program.size <= MAX_SIZE


def test_a_pipeline_without_a_dependency_parser_gives_no_guess(pipeline: str) -> None:
    spacy = pytest.importorskip("spacy")
    plain = spacy.load(pipeline, exclude=["parser", "ner"])
    with pytest.raises(GrammarError):
        Parser(SpacyTokenizer(plain)).parse(GUESSES[0][0])


def test_results_say_that_they_rest_on_a_guess(lenient: Parser) -> None:
    from neurosym import Grounder
    from neurosym.perception.given import Thing, scene_of
    from neurosym.views.text import aside_texts

    grounder = Grounder(None, lenient)
    scene = scene_of([Thing("person", (0, 0, 10, 10)), Thing("apple", (20, 0, 30, 10))], (40, 40))
    guessed = grounder.ground(scene, GUESSES[0][0])
    assert guessed.reading.guessed
    assert any("guessed" in line for line in aside_texts(guessed))
    assert not any("guessed" in line for line in aside_texts(grounder.ground(scene, "the apple")))


def test_only_sentences_outside_the_grammar_are_guessed(lenient: Parser, parser: Parser) -> None:
    text = "There is a dog on a couch. A man is teaching it how to ride a bike. It is brown."
    with pytest.raises(GrammarError):
        parser.parse(text)
    reading = lenient.parse(text).readings[0]
    assert reading.source == "dependencies"
    assert reading.guesses == (1,)
    assert "in part guessed" in str(reading)
    assert reading.score <= -GUESSED
    dog = "(relate (select dog) on (select couch))"
    bike = "(select bike)"
    assert reading.sentences == (
        parse_program(f"(exist {dog})"),
        # What earlier sentences named is known to guesses, ...
        parse_program(f"(exist (relate (relate (select man) teach {dog}) ride {bike}))"),
        # ... and what guesses named to later ones.
        parse_program(f"(exist (filter {bike} color brown))"),
    )


def test_what_guesses_name_can_be_referred_back_to(lenient: Parser) -> None:
    text = "A man is teaching a child how to ride a bike. He is tall."
    reading = lenient.parse(text).readings[0]
    assert reading.guesses == (0,)
    assert "(select man)" in str(reading.sentences[1])


def test_nobody_does_to_himself_what_is_done_to_him(lenient: Parser) -> None:
    assert lenient.parse("A man watches them.").program == parse_program(
        "(exist (relate (select man) watch (everything)))"
    )


@pytest.mark.parametrize("relation", ["next to", "in front of", "on top of", "to the left of"])
def test_relations_of_several_words_stay_relations(relation: str, lenient: Parser) -> None:
    text = f"who gives the small child {relation} a fork an apple"
    try:
        parse = lenient.parse(text)
    except GrammarError:
        return
    said = str(parse.program)
    assert relation not in said
    assert "fork" in said
