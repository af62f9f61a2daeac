"""What would give another answer, in words: one sentence of the text, one of a score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace

import pytest

from neurosym.errors import ExecutionError
from neurosym.executors.base import Outcome
from neurosym.executors.tensor import TensorExecutor
from neurosym.program import Op
from neurosym.reasons import Atom
from neurosym.result import Procedure, Result
from neurosym.scene import Scene
from neurosym.views.counterfactual import counterfactual_sentences, score_change_text

NOTHING = "No small change of the text or of one score was found that would give another answer."
GREEN = "(the (filter (select plate) color green))"


def unclear(made: SimpleNamespace) -> Scene:
    """The scene with plates whose colours (green, white, red, gray) are hard to tell."""
    return made.soften(made.scene(), "color", {0: [0.5, 0.4, 0, 0.1], 1: [0.2, 0.7, 0, 0.1]})


def said(result: Result) -> list[str]:
    return list(counterfactual_sentences(result))


def test_where_there_is_an_answer(made: SimpleNamespace) -> None:
    sure = made.result("the green plate", GREEN, ["plate", "green", "the"])
    assert said(sure) == ["It would be #1 plate 1.00 if 'green' were 'not green'."]
    unsure = made.result("the green plate", GREEN, ["plate", "green", "the"], scene=unclear(made))
    assert said(unsure) == [
        "It would be #1 plate 0.42 if 'green' were 'white'.",
    ]


def test_of_questions(made: SimpleNamespace) -> None:
    words = ["plate", "green", "is there"]
    result = made.result(
        "is there a green plate",
        "(exist (filter (select plate) color green))",
        words,
        scene=unclear(made),
    )
    assert said(result) == [
        "The answer would be no if 'green' were 'red'.",
        "The answer would be no if #0 plate were green with 0.37 instead of 0.50.",
    ]
    scene = made.hypotheses()
    result = made.result("how many chairs", "(count (select chair))", ["chairs", ""], scene=scene)
    assert result.answer == 1
    # By another category it would be another question.
    assert said(result) == []
    result = made.result(
        "what color is the fork", "(query (the (select fork)) color)", ["fork", "the", "color"]
    )
    assert result.answer == "gray"
    assert said(result) == []


def test_where_there_is_none(made: SimpleNamespace) -> None:
    result = made.result(
        "the red plate",
        "(the (filter (select plate) color red))",
        ["plate", "red", "the"],
        scene=unclear(made),
    )
    assert said(result) == [
        "It would be #1 plate 0.42 if 'red' were 'white'.",
        "It would be #0 plate if #0 plate were red with 0.31 instead of 0.00.",
    ]
    result = made.result(
        "the fork left of the person",
        "(the (relate (select fork) right_of (the (select person))))",
        ["fork", "person", "the#2", "left of", "the"],
    )
    assert said(result) == [
        "It would be #2 fork 1.00 if 'left of' were 'left of'.",
        "It would be #2 fork if #2 fork were to the right of #5 person with 0.31 instead of 0.00.",
    ]


def test_what_would_be_something_else_is_not_called_what_it_is(made: SimpleNamespace) -> None:
    result = made.result("the cube", "(the (select cube))", ["cube", "the"])
    assert said(result) == [
        "It would be #2 fork 1.00 if 'cube' were 'fork'.",
        "It would be #0 if #0 were a cube with 0.31 instead of 0.00.",
    ]


def test_where_there_are_many(made: SimpleNamespace) -> None:
    result = made.result("the chair", "(the (select chair))", ["chair", "the"])
    assert said(result) == [
        "It would be #3 chair 1.00 and #4 chair 1.00 if 'the chair' were 'all the chairs'.",
        "It would be #4 chair if #3 chair were there with 0.49 instead of 1.00.",
    ]


def test_where_nothing_is_answered(made: SimpleNamespace) -> None:
    result = made.result(
        "the green plate", GREEN, ["plate", "green", "the"], scene=unclear(made), abstain=0.45
    )
    result = replace(result, procedure=Procedure(abstain=0.45))
    assert result.status == "abstained"
    assert said(result) == [
        "It would be #0 plate 0.50 if 'the green plate' were 'all the green plates'.",
        "It would be #0 plate if #0 plate were green with 0.57 instead of 0.50.",
    ]


def test_what_the_scene_has_no_word_for(made: SimpleNamespace) -> None:
    result = made.result(
        "the unicorn", "(the (select unicorn))", ["unicorn", "the"], executed=False
    )
    assert said(result) == ["It would be #2 fork 1.00 if 'unicorn' were 'fork'."]


def test_when_nothing_is_found(made: SimpleNamespace) -> None:
    assert said(made.result("anything", "(exist (everything))", ["", ""])) == [NOTHING]
    empty = made.result("things", "(everything)", ["things"], scene=Scene.empty())
    assert said(empty) == [NOTHING]


def test_when_it_cannot_be_worked_out(made: SimpleNamespace) -> None:
    class Tired(TensorExecutor):
        def run_many(self, programs: Sequence[Op], scenes: Sequence[Scene]) -> list[Outcome]:
            raise ExecutionError("execution took too long")

    result = made.result("the chair", "(the (select chair))", ["chair", "the"])
    assert said(replace(result, procedure=Procedure(executor=Tired()))) == [
        "What would change the answer could not be worked out: execution took too long.",
    ]


@pytest.mark.parametrize(
    ("score", "needed", "numbers"),
    [(0.41, 0.6123, "0.62 instead of 0.41"), (0.9, 0.3091, "0.30 instead of 0.90")],
)
def test_a_score_is_rounded_to_the_side_that_is_said(
    made: SimpleNamespace, score: float, needed: float, numbers: str
) -> None:
    result = made.result("the chair", "(the (select chair))", ["chair", "the"])
    change = result.counterfactuals().scores[0]
    atom = Atom(5, "attribute", "color", "red", None, score, "colours", True)
    text = score_change_text(replace(change, atom=atom, needed=needed), result.scene)
    assert text.endswith(f"if #5 person were red with {numbers}.")
