"""The difference of programs, and whether it is where the words differ."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurosym.program import (
    Op,
    Select,
    changed_words,
    claim_of,
    described_by,
    difference,
    differs_only_at,
    parse_program,
)
from neurosym.program.operators.relations import Relate
from neurosym.program.operators.sets import Filter, Union
from neurosym.span import Span


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ("(select dog)", "(select dog)", []),
        ("(select dog)", "(select cat)", ["select dog -> select cat"]),
        (
            "(exist (filter (select dog) color red))",
            "(exist (select dog))",
            ["filter color red -> nothing"],
        ),
        (
            "(relate (select man) on (select horse))",
            "(relate (relate (select man) on (select horse)) in (select hat))",
            ["nothing -> relate in"],
        ),
        (
            "(union (filter (select cup) color red) (filter (select hat) color blue))",
            "(union (filter (select cup) color blue) (filter (select hat) color red))",
            ["filter color red -> filter color blue", "filter color blue -> filter color red"],
        ),
        (
            "(count_is (select dog) exactly 2)",
            "(count_is (select dog) exactly 3)",
            ["count_is exactly 2 -> count_is exactly 3"],
        ),
    ],
)
def test_changes(before: str, after: str, changes: list[str]) -> None:
    found = [str(change) for change in difference(parse_program(before), parse_program(after))]
    assert [change for change in found if change != "nothing -> select hat"] == changes


SETS = st.recursive(
    st.sampled_from(["dog", "cat", "cup"]).map(Select),
    lambda below: st.one_of(
        st.builds(Filter, below, st.just("color"), st.sampled_from(["red", "blue"])),
        st.builds(Relate, below, st.sampled_from(["on", "in"]), below),
        st.builds(Union, below, below),
    ),
    max_leaves=6,
)


@settings(max_examples=80, deadline=None)
@given(SETS, SETS, SETS)
def test_it_is_a_distance(one: Op, other: Op, third: Op) -> None:
    def distance(left: Op, right: Op) -> int:
        return len(difference(left, right))

    assert (distance(one, other) == 0) == (one == other)
    assert distance(one, other) == distance(other, one)
    assert distance(one, third) <= distance(one, other) + distance(other, third)
    sizes = [len(list(op.walk())) for op in (one, other)]
    assert abs(sizes[0] - sizes[1]) <= distance(one, other) <= sum(sizes)


@settings(max_examples=40, deadline=None)
@given(SETS)
def test_one_node_more_is_one_change(objects: Op) -> None:
    changes = difference(objects, Filter(objects, "size", "large"))
    assert [str(change) for change in changes] == ["nothing -> filter size large"]


def test_changed_words() -> None:
    before, after = "A man rides a horse.", "a woman rides the old horse"
    one, other = changed_words(before, after)
    assert [span.of(before) for span in one] == [" man ", " a "]
    assert [span.of(after) for span in other] == [" woman ", " the old "]
    assert changed_words("The cup!", "the cup") == ((), ())


def test_what_moved_takes_along_what_it_crossed() -> None:
    before, after = "A figure climbs the stairs today.", "The stairs climb the figure today."
    one, other = changed_words(before, after)
    assert [span.of(before) for span in one] == ["A figure climbs the stairs "]
    assert [span.of(after) for span in other] == ["The stairs climb the figure "]


def test_what_is_said_once_counts_once() -> None:
    bed = Select("bed", words=(Span(20, 23),))
    on = (Span(13, 15),)
    man, dog = (
        parse_program("(select man)").at(Span(2, 5)),
        parse_program("(select dog)").at(Span(6, 9)),
    )
    one = Relate(man, "on", bed, words=on)
    both = Union(one, Relate(dog, "on", bed, words=on))
    said = [str(change) for change in difference(one, both)]
    assert said == ["nothing -> select dog", "nothing -> relate on", "nothing -> union"]


def test_changes_must_be_at_the_changed_words() -> None:
    before = Relate(
        Select("man", words=(Span(2, 5),)),
        "on",
        Select("cup", words=(Span(11, 14),)),
        words=(Span(6, 8),),
    )
    woman = Relate(Select("woman", words=(Span(2, 7),)), "on", before.landmarks, words=before.words)
    changes = difference(before, woman)
    assert differs_only_at(changes, [Span(2, 5)], [Span(2, 7)])
    assert not differs_only_at(changes, [Span(11, 14)], [Span(13, 16)])
    # What stands above a changed word speaks of it.
    above = difference(before, Relate(before.objects, "in", before.landmarks, words=before.words))
    assert differs_only_at(above, [Span(2, 5)], [Span(2, 5)])
    # Words put in beside a node touch it.
    assert differs_only_at(difference(before.objects, woman.objects), [Span(1, 2)], [Span(2, 7)])


@pytest.mark.parametrize(
    ("text", "program", "claim"),
    [
        ("", "(the_count (select dog) 2)", "(count_is (select dog) exactly 2)"),
        ("", "(the (select dog))", "(exist (the (select dog)))"),
        ("", "(exist (select dog))", "(exist (select dog))"),
        ("", "(count (select dog))", "(count (select dog))"),
        ("", "(union (select dog) (select cat))", "(exist (union (select dog) (select cat)))"),
    ],
)
def test_claims(text: str, program: str, claim: str) -> None:
    assert claim_of(parse_program(program), text) == parse_program(claim)


@pytest.mark.parametrize(
    ("claim", "of"),
    [
        ("(exist (select dog))", ["(select dog)"]),
        ("(count_is (select dog) exactly 2)", ["(select dog)"]),
        ("(count_is (select dog) exactly 0)", []),
        (
            "(every (select dog) (filter (select dog) color red))",
            ["(filter (select dog) color red)"],
        ),
        (
            "(conjunction (exist (select dog)) (exist (select cat)))",
            ["(select dog)", "(select cat)"],
        ),
        ("(negation (exist (select dog)))", []),
    ],
)
def test_what_a_claim_is_of(claim: str, of: list[str]) -> None:
    assert [str(program) for program in described_by(parse_program(claim))] == of


def test_and_claims_both() -> None:
    both = Union(Select("dog"), Select("cat"), words=(Span(6, 9),))
    joined = parse_program("(conjunction (exist (select dog)) (exist (select cat)))")
    assert claim_of(both, "a dog and a cat") == joined
    assert claim_of(both, "a dog  or a cat") == parse_program(
        "(exist (union (select dog) (select cat)))"
    )
