"""Templates: programs of texts like an earlier one are what the ordinary parse makes of them."""

import itertools
import random
from collections.abc import Callable

import pytest

from neurosym.grammar import Lexicon, Parser
from neurosym.grammar.closed import ClosedTokenizer
from neurosym.grammar.forms import Form, Former
from neurosym.grammar.readings import Foreseen, Parse
from neurosym.grammar.templates import Template, Templates, _made
from neurosym.program import Filter, Select, parse_program
from neurosym.span import Span

PATTERNS = (
    "the A N",
    "the A N(s)",
    "the A Ns that are D the O one of the A N(s) from P",
    "the O one of the A N(s) from P that is D the A N that is D the A Ns",
    "the A Ns that are either the O one of the A Ns from P or A N(s)",
    "the A N(s) that are both D the A N and D the O one of the A N(s) from P",
    "any other A Ns that have the same color as the A N",
    "any other A Ns of the same size as the O one of the A N(s) from P",
    "find A N that is D the A N; the A N(s) that are D it",
    "look at the A N that is D the A Ns; the O one of the A N(s) from P that are D it",
    "find A N(s); the A Ns that are D it",
    "how many A Ns are there?",
    "how many A Ns are D the A N?",
    "is there a A N D the A N",
    "there is a A N. it is D the A N.",
    "what color is the A N that is D the A N?",
    "are there more A Ns than A Ns",
    "no A N is D the A N",
    "the largest A N D two A Ns",
    "the A N and the A N",
    "the A N but not the A one",
    "the A Ns except the A N D the A N",
    "every A N that is made of metal",
    "the A Ns that are green",
    "show the A N D the A N",
)
NOUNS = ("cube", "ball", "cylinder", "sphere", "block", "thing", "object", "cup", "plate", "box")
ADJECTIVES = (
    *("red", "green", "small", "tiny", "large", "big", "metal", "rubber", "matte", "shiny"),
    *("gray", "fully visible", "partially visible", "metallic", "orange", "glass"),
)
DIRECTIONS = (
    *("left of", "right of", "behind", "in front of", "to the left of", "to the right of"),
    *("on the left side of", "on the right side of", "above", "below"),
)
WORDS = {
    "D": DIRECTIONS,
    "O": ("first", "second", "third", "fourth", "nineth", "last"),
    "P": ("left", "right", "front", "back", "top"),
}


def _said(pattern: str, draw: random.Random) -> str:
    words: list[str] = []
    for word in pattern.split():
        bare = word.rstrip("?;.")
        if bare == "A":
            words += draw.sample(ADJECTIVES, draw.choice((0, 0, 1, 2, 3)))
        elif bare in ("N", "Ns", "N(s)"):
            noun = draw.choice(NOUNS)
            ending = "es" if noun == "box" and bare == "Ns" else bare[1:]
            words.append(noun + ending + word[len(bare) :])
        else:
            words.append(draw.choice(WORDS[bare]) if bare in WORDS else word)
    return " ".join(words)


def _meant(found: Parse) -> tuple[object, ...]:
    words = [node.words for node in found.program.walk()]
    return str(found.program), words, found.score, [t.span for t in found.unused], found.source


@pytest.mark.parametrize("pattern", PATTERNS)
def test_substitution_is_what_parsing_comes_to(parser: Parser, pattern: str) -> None:
    draw = random.Random(pattern)
    texts = list(dict.fromkeys(_said(pattern, draw) for _ in range(14)))
    for text, found in zip(texts, parser.pipe(texts), strict=True):
        if isinstance(found, Parse) and isinstance(found.readings, Foreseen):
            assert _meant(found) == _meant(parser.parse(text)), text


@pytest.mark.parametrize("tag_all", [False, True])
def test_the_second_text_of_a_form_is_not_parsed(parser: Parser, tag_all: bool) -> None:
    fresh = Parser(parser.tokenizer)
    texts = [
        "the third one of the red cubes from left that are behind the ball",
        "the first one of the cylinders from front that are on the right side of the tiny thing",
        "The second one of the large red metal spheres  from back that are below the cup",
    ]
    first, *others = fresh.pipe(texts, tag_all=tag_all, batch_size=1)
    assert isinstance(first, Parse)
    assert not isinstance(first.readings, Foreseen)
    for text, found in zip(texts[1:], others, strict=True):
        assert isinstance(found, Parse)
        assert isinstance(found.readings, Foreseen)
        assert found.tagged == tag_all
        assert found.source == "grammar"
        alone = parser.parse(text)
        assert str(found) == str(alone)
        assert [str(r) for r in found.readings] == [str(r) for r in alone.readings]
        assert found.syntax == alone.syntax


def test_what_decides_between_senses_is_not_filled_in(parser: Parser) -> None:
    form = _forms(parser)
    assert form("the ball behind the cube") is not None
    assert form("the ball behind the man") is None  # who may play with it
    assert form("the ball next to the cube") is None


def test_forms_keep_what_is_no_stand_in(parser: Parser) -> None:
    form = _forms(parser)

    def key(text: str) -> object:
        found = form(text)
        return found.key if found else None

    assert key("the cube") == key("the large red metal thing")
    assert key("the cube(s)") != key("the cubes") != key("the cube")
    assert key("find cubes") == key("look at red spheres")
    assert key("the cube from left") != key("the cube on the left")
    assert key("the cubes that are red") != key("the cubes that are green")
    assert key("the largest cube") != key("the smallest cube")
    assert key("the cube cylinder") is None
    assert key("the man") != key("the cube")


def test_another_meaning_of_a_stand_in_leaves_no_forms(parser: Parser) -> None:
    lexicon = Lexicon.default().add("wooden", "adjective", "stiff")
    words = ClosedTokenizer(parser.tokenizer, lexicon).words("the red cube")
    assert words is not None
    assert Former(lexicon)(words) is None


def _forms(parser: Parser) -> Callable[[str], Form | None]:
    closed = ClosedTokenizer(parser.tokenizer, parser.lexicon)
    former = Former(parser.lexicon)

    def form(text: str) -> Form | None:
        words = closed.words(text)
        assert words is not None, text
        return former(words)

    return form


def test_nodes_made_without_checks_are_ordinary_nodes() -> None:
    span = (Span(3, 7),)
    cube = _made(Select, {"category": "cube", "words": span})
    red = _made(Filter, {"objects": cube, "attribute": "color", "value": "red", "words": ()})
    ordinary = parse_program("(filter (select cube) color red)")
    assert red == ordinary
    assert hash(red) == hash(ordinary)
    assert str(red) == str(ordinary)
    assert cube.words == span
    assert red.size == 2


def test_templates_are_forgotten_the_least_used_first() -> None:
    known = Templates(2)
    forms = [Form((("", word),), [0], [1], [None], []) for word in "abc"]
    template = Template(0.0, (), ())
    for form in forms[:2]:
        known.add(form, template)
    assert known.get(forms[0]) is template
    known.add(forms[2], None)
    assert [form in known for form in forms] == [True, False, True]
    assert known.get(forms[2]) is None
    assert len(known) == 2


def test_a_command_at_the_beginning_needs_no_tagger(parser: Parser) -> None:
    (found,) = parser.pipe(["find the red cube"])
    assert isinstance(found, Parse)
    assert not found.tagged
    assert str(found.program) == str(parser.parse("find the red cube").program)
    (found,) = itertools.islice(parser.pipe(["the cut pizza"]), 1)
    assert isinstance(found, Parse)
    assert found.tagged


def test_sentences_without_a_finite_verb_need_no_tagger(parser: Parser) -> None:
    texts = {
        "Find thing that is behind the ball; The cube that is left of it": False,
        "There is a cube. It has the same color as the ball.": True,
    }
    for (text, tagged), found in zip(
        texts.items(), Parser(parser.tokenizer).pipe(texts), strict=True
    ):
        assert isinstance(found, Parse)
        assert found.tagged is tagged
        assert str(found.program) == str(parser.parse(text).program)
