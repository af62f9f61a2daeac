"""Actions and qualities that a scene has no table for: left out, and reported by name."""

from __future__ import annotations

import pytest

from neurosym.api import Grounder
from neurosym.grammar import Parser
from neurosym.perception.given import Thing, scene_of
from neurosym.program import leave_unchecked, parse_program
from neurosym.scene import Scene
from neurosym.views import answer_text, explain
from neurosym.views.document import result_document


@pytest.fixture(scope="module")
def grounder(parser: Parser) -> Grounder:
    return Grounder(None, parser)


@pytest.fixture(scope="module")
def scene() -> Scene:
    things = [
        Thing("dog", (10, 10, 40, 40), {"color": "brown"}),
        Thing("dog", (60, 10, 90, 40), {"color": "white"}),
    ]
    return scene_of(things, (100, 100))


@pytest.mark.parametrize(
    ("program", "left", "names"),
    [
        (
            "(the (filter (filter (select dog) action sleep) color red))",
            "(the (filter (select dog) color red))",
            ["sleep"],
        ),
        (
            "(the (relate (filter (select man) quality old) on (the (filter (select bed) quality"
            " big))))",
            "(the (relate (select man) on (the (select bed))))",
            ["old", "big"],
        ),
        # Denying what is not known leaves everything, not nothing.
        (
            "(the (minus (select dog) (filter (select dog) action sleep)))",
            "(the (select dog))",
            ["sleep"],
        ),
        # Of a longer description, the rest is still denied.
        (
            "(the (minus (select dog) (relate (filter (select dog) action sit) on (select bed))))",
            "(the (minus (select dog) (relate (select dog) on (select bed))))",
            ["sit"],
        ),
        # What is asked is not left out; what only says of which thing it is asked, is.
        ("(exist (filter (the (select dog)) action sleep))", None, []),
        ("(count (filter (select dog) quality wet))", None, []),
        (
            "(query (the (filter (select dog) action sleep)) color)",
            "(query (the (select dog)) color)",
            ["sleep"],
        ),
    ],
)
def test_what_is_left_out(program: str, left: str | None, names: list[str]) -> None:
    whole = parse_program(program)
    checked = leave_unchecked(whole, {"color": ("red", "white")})
    assert checked.program == (whole if left is None else parse_program(left))
    assert [node.value for node in checked.left_out] == names


def test_a_known_value_is_checked() -> None:
    program = parse_program("(the (filter (filter (select dog) action sleep) action run))")
    checked = leave_unchecked(program, {"action": ("sleep",)})
    assert str(checked.program) == "(the (filter (select dog) action sleep))"


def test_the_answer_says_what_it_did_not_check(grounder: Grounder, scene: Scene) -> None:
    result = grounder.ground(scene, "the fluffy dog sleeping on the left")
    assert (result.status, result.objects) == ("ok", (0,))
    assert {(node.attribute, node.value) for node in result.unchecked} == {
        ("quality", "fluffy"),
        ("action", "sleep"),
    }
    said = 'not checked: quality "fluffy", action "sleep"'
    assert said in answer_text(result)
    assert said.capitalize() in explain(result)
    assert {"attribute": "action", "value": "sleep"} in result_document(result)["unchecked"]
    assert {token.text for token in result.set_aside} == {"fluffy", "sleeping"}
    assert set(result.alignment.unused_words) == {"fluffy", "sleeping"}
    assert result.counterfactuals() is not None


def test_what_is_asked_is_not_made_up(grounder: Grounder, scene: Scene) -> None:
    result = grounder.ground(scene, "is the dog on the left sleeping?")
    assert result.status == "unsupported"
    assert "action" in result.message


def test_a_scene_that_knows_actions_is_asked(grounder: Grounder) -> None:
    things = [
        Thing("dog", (10, 10, 40, 40), {"action": "sleep"}),
        Thing("dog", (60, 10, 90, 40), {"action": "run"}),
    ]
    result = grounder.ground(scene_of(things, (100, 100)), "the running dog")
    assert (result.status, result.objects, result.unchecked) == ("ok", (1,), ())


@pytest.mark.parametrize(
    ("text", "program", "answer", "objects"),
    [
        # What cannot be checked is a mention of its subject.
        ("a dog sleeps", "(select dog)", None, (0, 1)),
        ("the white dog watches television", "", None, ()),
        # What can be is a claim, of the objects of which it holds.
        ("a dog stands left of a dog", "(relate (select dog) left_of (select dog))", None, (0,)),
        ("there are two dogs", "(count_is (select dog) exactly 2)", True, (0, 1)),
        ("is the white dog right of a dog", "", True, (1,)),
        ("the brown dog is white", "", False, ()),
    ],
)
def test_claims_and_mentions(
    grounder: Grounder,
    scene: Scene,
    text: str,
    program: str,
    answer: bool | None,
    objects: tuple[int, ...],
) -> None:
    result = grounder.ground(scene, text)
    assert result.answer is answer
    assert result.objects == objects
    assert len(result.probabilities) == len(objects)
    assert not program or str(result.program) == program


def test_a_claim_that_can_be_checked_is_one(grounder: Grounder) -> None:
    dogs = [
        Thing("dog", (10, 10, 40, 40), {"action": "sleep"}),
        Thing("dog", (60, 10, 90, 40), {"action": "run"}),
    ]
    knowing = scene_of(dogs, (100, 100))
    claimed = grounder.ground(knowing, "a dog sleeps")
    assert (claimed.answer, claimed.objects) == (True, (0,))
    assert grounder.ground(knowing, "a dog barks").answer is None
