"""Programs: operators, types, printed form."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurosym.errors import ProgramTypeError
from neurosym.program import (
    ORDERS,
    Closest,
    Comparison,
    Count,
    CountIs,
    Everything,
    Filter,
    Kind,
    Minus,
    Negation,
    Op,
    Relate,
    Select,
    Superlative,
    The,
    TheCount,
    Top,
    Union,
    parse_program,
    registry,
    signature,
)
from neurosym.program import operator as operator_module
from neurosym.program.operator import Name, Objects, Whole
from neurosym.program.sexpr import MAX_DEPTH
from neurosym.span import Span
from tests.executors.strategies import any_program

OPERATORS = registry()
every_operator = pytest.mark.parametrize("operator", OPERATORS.values(), ids=list(OPERATORS))
CUP, PLATE = Select("cup"), Select("plate")


@pytest.fixture
def clean_registry() -> Iterator[None]:
    """Defining an operator registers it; this takes it out again."""
    before, signatures = dict(operator_module._REGISTRY), dict(operator_module._SIGNATURES)
    yield
    for kept, there in (
        (before, operator_module._REGISTRY),
        (signatures, operator_module._SIGNATURES),
    ):
        there.clear()
        there.update(kept)  # type: ignore[arg-type]


# Definitions


@every_operator
def test_every_operator_is_documented(operator: type[Op]) -> None:
    doc = operator.__doc__ or ""
    assert re.search(r"\n    Meaning:\n        \S", doc)
    assert re.search(r"\n    Axes:\n        \[", doc)
    assert operator.evoked_by
    assert all(operator.evoked_by)


@every_operator
def test_every_template_names_every_parameter_and_nothing_else(operator: type[Op]) -> None:
    named = set(re.findall(r"{(\w+)}", operator.explanation))
    parameters = {p.name for p in signature(operator)}
    assert named <= parameters
    # "plate that is red" need not say "color".
    assert parameters - named <= {"attribute"}


@every_operator
def test_the_axes_fit_the_kind(operator: type[Op]) -> None:
    axes = (operator.__doc__ or "").split("Axes:")[1].split()[0]
    assert axes.startswith("[object]") == operator.returns.is_of_objects


def test_names_are_in_snake_case_and_distinct() -> None:
    assert OPERATORS["the_plural"].__name__ == "ThePlural"
    assert OPERATORS["count_is"] is CountIs
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in OPERATORS)


def test_the_registry_is_a_copy() -> None:
    registry().clear()
    assert registry() == OPERATORS


@pytest.mark.parametrize(
    ("operator", "names", "declared"),
    [
        (Everything, (), ()),
        (Select, ("category",), (Name("category"),)),
        (
            Relate,
            ("objects", "relation", "landmarks"),
            (Kind.OBJECTS, Name("relation"), Kind.OBJECTS),
        ),
        (
            Superlative,
            ("objects", "order", "rank"),
            (Kind.OBJECTS, Name("order", frozenset(ORDERS)), Whole(1)),
        ),
        (CountIs, ("objects", "comparison", "number"), (Kind.OBJECTS, Comparison, Whole(0))),
        (Negation, ("truth",), (Kind.TRUTH,)),
    ],
)
def test_the_fields_are_the_signature(
    operator: type[Op], names: tuple[str, ...], declared: tuple[object, ...]
) -> None:
    assert tuple(p.name for p in signature(operator)) == names
    assert tuple(p.declared for p in signature(operator)) == declared


COMPLETE: dict[str, Any] = {
    "__doc__": "Odd ones.\n\nMeaning:\n    Some.\nAxes:\n    [object]\n",
    "__annotations__": {"objects": Objects},
    "returns": Kind.OBJECTS,
    "evoked_by": ("odd",),
    "explanation": "odd {objects}",
}


def _define(**parts: Any) -> Any:
    return type("OddOnes", (Op,), {**parts, "__module__": __name__})


@pytest.mark.usefixtures("clean_registry")
def test_a_complete_definition_is_an_operator() -> None:
    made = _define(**COMPLETE)
    assert parse_program("(odd_ones (select cup))") == made(CUP)
    assert str(made(CUP)) == "(odd_ones (select cup))"
    assert registry()["odd_ones"] is made


@pytest.mark.usefixtures("clean_registry")
@pytest.mark.parametrize(
    ("left_out", "message"),
    [
        ("returns", 'the operator "odd_ones" lacks returns'),
        ("evoked_by", 'the operator "odd_ones" lacks evoked_by'),
        ("explanation", 'the operator "odd_ones" lacks explanation'),
        ("__doc__", 'the operator "odd_ones" lacks a docstring with Meaning:'),
    ],
)
def test_leaving_out_a_part_names_it(left_out: str, message: str) -> None:
    with pytest.raises(ProgramTypeError, match=re.escape(message)):
        _define(**{name: part for name, part in COMPLETE.items() if name != left_out})
    assert "odd_ones" not in registry()


@pytest.mark.usefixtures("clean_registry")
@pytest.mark.parametrize("section", ["Meaning:", "Axes:"])
def test_leaving_out_a_section_of_the_docstring_names_it(section: str) -> None:
    doc = COMPLETE["__doc__"].replace(section, "")
    with pytest.raises(
        ProgramTypeError, match=f'"odd_ones" lacks a docstring with {re.escape(section)}'
    ):
        _define(**{**COMPLETE, "__doc__": doc})
    assert "odd_ones" not in registry()


@pytest.mark.usefixtures("clean_registry")
def test_a_name_is_not_taken_twice() -> None:
    _define(**COMPLETE)
    with pytest.raises(ProgramTypeError, match="odd_ones"):
        _define(**COMPLETE)


def test_the_definitions_in_this_file_leave_nothing_behind() -> None:
    assert registry() == OPERATORS


# Types


def any_value(value: object) -> Any:
    """A value that a type checker lets through."""
    return value


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: The(Count(CUP)),
            '"objects" of "the" must be Objects, but (count (select cup)) is Number',
        ),
        (lambda: Negation(CUP), '"truth" of "negation" must be Truth, but (select cup) is Objects'),
        (lambda: The(any_value("cup")), '"objects" of "the" must be a program, not \'cup\''),
        (lambda: Select(""), '"category" of "select" must be the name of a category, not \'\''),
        (
            lambda: Select(any_value(3)),
            '"category" of "select" must be the name of a category, not 3',
        ),
        (
            lambda: Superlative(CUP, "leftmst"),
            '"order" of "superlative": unknown order "leftmst": did you mean "leftmost"',
        ),
        (lambda: Superlative(CUP, "zzz"), '"order" of "superlative": unknown order "zzz"'),
        (
            lambda: Superlative(CUP, "largest", 0),
            '"rank" of "superlative" must be a whole number of at least 1, not 0',
        ),
        (
            lambda: Top(CUP, "largest", True),
            '"count" of "top" must be a whole number of at least 1, not True',
        ),
        (
            lambda: TheCount(CUP, any_value(1.0)),
            '"count" of "the_count" must be a whole number of at least 1, not 1.0',
        ),
        (
            lambda: CountIs(CUP, Comparison.EXACTLY, -1),
            '"number" of "count_is" must be a whole number of at least 0, not -1',
        ),
        (
            lambda: CountIs(CUP, any_value("exactly"), 1),
            '"comparison" of "count_is" must be a comparison, not \'exactly\'',
        ),
    ],
)
def test_type_errors_say_where_what_and_what_was_expected(
    build: Callable[[], Op], message: str
) -> None:
    with pytest.raises(ProgramTypeError) as caught:
        build()
    assert caught.value.message.startswith(message)
    assert "\n" not in caught.value.message


def test_a_type_error_carries_the_words_of_the_operand() -> None:
    with pytest.raises(ProgramTypeError) as caught:
        The(Count(CUP.at(Span(9, 12))).at(Span(0, 8)))
    assert caught.value.span == Span(0, 12)


@pytest.mark.parametrize("wanted", Kind)
def test_a_referent_is_a_set_and_nothing_else_is_another_kind(wanted: Kind) -> None:
    accepted = {kind for kind in Kind if wanted.accepts(kind)}
    sets = {Kind.OBJECTS, Kind.REFERENT, Kind.GROUP}
    assert accepted == (sets if wanted is Kind.OBJECTS else {wanted})


@pytest.mark.parametrize(
    ("comparison", "holds"),
    [
        (Comparison.EXACTLY, (False, True, False)),
        (Comparison.AT_LEAST, (False, True, True)),
        (Comparison.AT_MOST, (True, True, False)),
        (Comparison.MORE_THAN, (False, False, True)),
        (Comparison.FEWER_THAN, (True, False, False)),
    ],
)
def test_comparisons_of_1_2_3_with_2(comparison: Comparison, holds: tuple[bool, ...]) -> None:
    assert tuple(comparison.holds(count, 2) for count in (1, 2, 3)) == holds


# Nodes


def test_nodes_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        CUP.category = "plate"  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del CUP.category
    with pytest.raises(dataclasses.FrozenInstanceError):
        CUP.words = (Span(0, 1),)  # type: ignore[misc]


def test_words_are_ignored_in_comparisons() -> None:
    there = The(CUP.at(Span(4, 7))).at(Span(0, 3))
    assert there == The(CUP)
    assert hash(there) == hash(The(CUP))
    assert there.words == (Span(0, 3),)
    assert The(CUP).words == ()


def test_programs_differ_by_operator_and_by_every_field() -> None:
    different: list[object] = [
        CUP,
        PLATE,
        The(CUP),
        Relate(CUP, "on", PLATE),
        Relate(PLATE, "on", CUP),
        Relate(CUP, "in", PLATE),
        Closest(CUP, PLATE),
        Closest(CUP, PLATE, 2),
        "(select cup)",
    ]
    assert len(set(different)) == len(different)
    for i, one in enumerate(different):
        assert [one == other for other in different] == [i == j for j in range(len(different))]


@settings(max_examples=50, deadline=None)
@given(any_program, any_program)
def test_equality_is_that_of_the_printed_form(one: Op, other: Op) -> None:
    assert (one == other) == (str(one) == str(other))
    if one == other:
        assert hash(one) == hash(other)


def test_operands_come_before_nodes_and_left_before_right() -> None:
    program = The(Relate(Filter(CUP, "color", "red"), "on", The(PLATE)))
    assert [node.name for node in program.walk()] == [
        "select",
        "filter",
        "select",
        "the",
        "relate",
        "the",
    ]
    assert program.operands == (program.objects,)
    assert Union(CUP, CUP).operands == (CUP, CUP)
    assert [str(node) for node in Union(CUP, CUP).walk()][:2] == ["(select cup)", "(select cup)"]


def test_the_span_covers_everything_below() -> None:
    program = The(CUP.at(Span(8, 11))).at(Span(0, 3), Span(4, 7))
    assert program.span == Span(0, 11)
    assert The(CUP).span is None


@settings(max_examples=50, deadline=None)
@given(any_program)
def test_rebuilding_without_change_gives_an_equal_program(program: Op) -> None:
    assert program.rebuild(lambda node: node) == program


def test_rebuilding_changes_operands_first_and_keeps_words() -> None:
    seen = []

    def change(node: Op) -> Op:
        seen.append(str(node))
        return Select("bowl", words=node.words) if node == CUP else node

    program = Minus(CUP.at(Span(0, 3)), The(CUP)).at(Span(4, 7))
    changed = program.rebuild(change)
    assert changed == Minus(Select("bowl"), The(Select("bowl")))
    assert seen == [
        "(select cup)",
        "(select cup)",
        "(the (select bowl))",
        "(minus (select bowl) (the (select bowl)))",
    ]
    assert (changed.words, changed.operands[0].words) == ((Span(4, 7),), (Span(0, 3),))
    assert program == Minus(CUP, The(CUP))


def test_a_change_to_another_kind_is_refused() -> None:
    with pytest.raises(ProgramTypeError, match='"objects" of "the" must be Objects'):
        The(CUP).rebuild(lambda node: Count(node) if node == CUP else node)


# Printed form


@settings(max_examples=150, deadline=None)
@given(any_program)
def test_what_is_printed_reads_back(program: Op) -> None:
    again = parse_program(str(program))
    assert again == program
    assert str(again) == str(program)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1))
def test_any_plain_name_reads_back(name: str) -> None:
    assert parse_program(str(Select(name))) == Select(name)


@pytest.mark.parametrize(
    "name", ["a b", 'the "b"', "a\\", "(", ")", "a\nb", "\t", "näh", "猫", "'"]
)
def test_odd_names_read_back(name: str) -> None:
    assert parse_program(str(The(Select(name)))) == The(Select(name))


@pytest.mark.parametrize("name", ["a\rb", "a\u00a0b", "a\x0bb", "a\u2003b", "\x85"])
def test_names_with_other_white_space_read_back(name: str) -> None:
    assert parse_program(str(Select(name))) == Select(name)


def test_layout_and_defaults() -> None:
    assert parse_program("\n ( the(select\t cup ) ) ") == The(CUP)
    assert parse_program('(select "cup")') == CUP
    assert parse_program("(superlative (select cup) largest)") == Superlative(CUP, "largest", 1)
    assert str(Superlative(CUP, "largest")) == "(superlative (select cup) largest 1)"
    assert str(CountIs(CUP, Comparison.AT_LEAST, 2)) == "(count_is (select cup) at_least 2)"
    assert str(Everything()) == repr(Everything()) == "(everything)"


@pytest.mark.parametrize(
    ("text", "message", "at"),
    [
        ("", 'a program starts with "("', ""),
        ("cup", 'a program starts with "("', "cup"),
        ("(", 'an operator name must follow "("', "("),
        ("()", 'an operator name must follow "("', "("),
        ("(selct cup)", 'unknown operator "selct": did you mean "select"', "selct"),
        ("(zzz)", 'unknown operator "zzz"', "zzz"),
        ("(the cup)", 'a program starts with "("', "cup"),
        ("(select (everything))", '"select" wants "category" here', "("),
        ("(select", '"select" wants "category" here', ""),
        ("(select cup", '"select" must be closed with ")" here', ""),
        ("(select cup plate)", '"select" must be closed with ")" here', "plate"),
        ("(select cup) (select cup)", "something follows the end of the program", "("),
        ("(select cup))", "something follows the end of the program", ")"),
        pytest.param(
            '(select "cup)',
            "a quotation mark is not closed",
            '"cup)',
        ),
        ("(relate (select cup) on)", '"relate" wants objects, relation, landmarks', None),
        ("(the)", '"the" wants objects', None),
        (
            "(top (select cup) largest few)",
            '"count" of "top" must be a whole number, not "few"',
            "few",
        ),
        (
            "(count_is (select cup) nearly 2)",
            '"comparison" of "count_is" must be a comparison, not "nearly"',
            "nearly",
        ),
        (
            "(superlative (select cup) bigest)",
            '"order" of "superlative": unknown order "bigest"',
            None,
        ),
        ("(the (count (select cup)))", '"objects" of "the" must be Objects', None),
    ],
)
def test_parse_errors_say_what_and_point_at_it(text: str, message: str, at: str | None) -> None:
    with pytest.raises(ProgramTypeError) as caught:
        parse_program(text)
    error = caught.value
    assert error.message.startswith(message)
    assert error.text == text
    assert error.span is not None
    if at is not None:
        assert error.span.of(text) == at
    written, caret = error.snippet().rsplit("\n", 1)
    assert written == text
    assert caret == " " * error.span.start + "^" * max(1, error.span.end - error.span.start)


def test_the_caret_of_a_parse_error() -> None:
    with pytest.raises(ProgramTypeError) as caught:
        parse_program("(the (selct cup))")
    assert caught.value.snippet() == "(the (selct cup))\n      ^^^^^"


@settings(deadline=None)
@given(st.text('() "\\ab1') | st.text())
def test_no_text_gives_another_error(text: str) -> None:
    try:
        program = parse_program(text)
    except ProgramTypeError as error:
        found = error
    else:
        assert parse_program(str(program)) == program
        return
    assert found.span is not None
    assert "\n" not in found.message or "\n" in text


def test_nesting_is_bounded_and_the_bound_can_be_used() -> None:
    def nested(depth: int) -> str:
        return "(minus " * depth + "(everything)" + " (everything))" * depth

    deep = parse_program(nested(MAX_DEPTH))
    assert parse_program(str(deep)) == deep
    assert sum(1 for _ in deep.walk()) == 2 * MAX_DEPTH + 1
    for depth in (MAX_DEPTH + 1, 20_000):
        with pytest.raises(ProgramTypeError, match=f"nested more than {MAX_DEPTH} deep"):
            parse_program(nested(depth))
