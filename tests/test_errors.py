"""The error tree, its snippets and its suggestions."""

from __future__ import annotations

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurosym import errors
from neurosym.errors import (
    ExecutionError,
    GrammarError,
    NeurosymError,
    OperatorNotSupportedError,
    UnknownConceptError,
    did_you_mean,
    nearest,
)
from neurosym.span import Span

CLASSES = {
    name: found
    for name, found in vars(errors).items()
    if inspect.isclass(found) and issubclass(found, Exception)
}


def test_the_tree_is_complete() -> None:
    assert set(CLASSES) == {
        "DataError",
        "ExecutionError",
        "GrammarError",
        "LexiconError",
        "ModelStoreError",
        "NeurosymError",
        "OperatorNotSupportedError",
        "OptionError",
        "PerceptionError",
        "ProgramTypeError",
        "SceneError",
        "TextError",
        "UnknownConceptError",
    }


@pytest.mark.parametrize("name", CLASSES)
def test_every_error_has_the_one_root_and_says_when_it_is_raised(name: str) -> None:
    assert issubclass(CLASSES[name], NeurosymError)
    assert "__doc__" in vars(CLASSES[name])
    assert len((CLASSES[name].__doc__ or "").strip()) > 20


def test_a_missing_rule_is_an_execution_error() -> None:
    error = OperatorNotSupportedError("between", "tensor")
    assert isinstance(error, ExecutionError)
    assert error.message == 'the executor "tensor" has no rule for the operator "between"'


def test_an_error_keeps_message_text_and_span() -> None:
    error = GrammarError("no", text="the plat", span=Span(4, 8))
    assert (error.message, str(error), error.text, error.span) == (
        "no",
        "no",
        "the plat",
        Span(4, 8),
    )


def test_the_caret_lies_under_the_span() -> None:
    error = GrammarError("no", text="the plat here", span=Span(4, 8))
    assert error.snippet() == "the plat here\n    ^^^^"


def test_an_empty_span_and_one_after_the_end_still_have_a_caret() -> None:
    assert GrammarError("no", text="the", span=Span(3, 3)).snippet() == "the\n   ^"
    assert GrammarError("no", text="the", span=Span(3, 4)).snippet() == "the\n   ^"


@pytest.mark.parametrize(("text", "span"), [(None, Span(0, 1)), ("the", None), (None, None)])
def test_without_text_or_span_there_is_no_snippet(text: str | None, span: Span | None) -> None:
    assert NeurosymError("no", text=text, span=span).snippet() == ""


def test_the_caret_lies_under_the_span_in_a_text_of_several_lines() -> None:
    lines = GrammarError("no", text="one\nplat", span=Span(4, 8)).snippet().split("\n")
    assert lines[-1].count("^") == 4
    assert lines[-1].index("^") == lines[-2].index("plat")


def test_nearest_is_best_first_and_bounded() -> None:
    assert nearest("left off", ["left of", "right of", "above"])[0] == "left of"
    assert nearest("zzzz", ["left of", "above"]) == ()
    assert nearest("aaaa", ["aaab", "aaac", "aaad", "aaae"], limit=2) != ()
    assert len(nearest("aaaa", ["aaab", "aaac", "aaad", "aaae"], limit=2)) == 2
    assert nearest("x", []) == ()


@given(st.text(max_size=12), st.lists(st.text(max_size=8), max_size=5))
def test_nearest_gives_known_names_only(name: str, known: list[str]) -> None:
    found = nearest(name, iter(known))
    assert len(found) <= 3
    assert set(found) <= set(known)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ((), ""),
        (("a",), ': did you mean "a"?'),
        (("a", "b"), ': did you mean "a" or "b"?'),
    ],
)
def test_did_you_mean(names: tuple[str, ...], message: str) -> None:
    assert did_you_mean(names) == message


def test_an_unknown_concept_says_what_and_what_is_near() -> None:
    error = UnknownConceptError("category", "plat", ["plate", "fork"], span=Span(4, 8))
    assert error.message == 'this scene has no category "plat": did you mean "plate"?'
    assert (error.kind, error.name, error.nearest) == ("category", "plat", ("plate",))
    assert error.span == Span(4, 8)


def test_spans() -> None:
    assert str(Span(2, 5)) == "2-5"
    assert Span(2, 5).of("abcdefg") == "cde"
    assert Span.cover([Span(4, 6), Span(1, 2), Span(5, 9)]) == Span(1, 9)
    assert Span.cover([]) is None
    assert sorted([Span(3, 4), Span(1, 9)]) == [Span(1, 9), Span(3, 4)]
