from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from neurosym import models
from neurosym.executors.base import Outcome
from neurosym.program import Op, parse_program, registry
from neurosym.views import blame, explain, verbalise
from neurosym.views.explain import summary
from neurosym.views.verbalise import ordinal, plural_of

FIXTURES = Path(__file__).parents[1] / "fixtures" / "explain"
PIPELINE = "en-core-web-sm"


def _english() -> list[tuple[str, str, bool]]:
    """Program, English, and whether the grammar reads it back."""
    cases = []
    for block in (FIXTURES / "english.txt").read_text(encoding="utf-8").split("\n\n"):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        if lines:
            program, english, *rest = lines
            assert rest in ([], ["not read back"]), f"a stray line after: {english}"
            cases.append((program, english, not rest))
    return cases


def _reasons() -> list[dict[str, str]]:
    cases = []
    for block in (FIXTURES / "reasons.txt").read_text(encoding="utf-8").split("\n===\n"):
        head, _, expected = block.partition("\n---\n")
        fields = [line for line in head.splitlines() if line and not line.startswith("#")]
        case = dict(line.split(": ", 1) for line in fields)
        cases.append({**case, "expected": expected.strip()})
    return cases


ENGLISH = _english()
REASONS = _reasons()


@pytest.mark.parametrize(("program", "english"), [case[:2] for case in ENGLISH])
def test_programs_in_english(program: str, english: str) -> None:
    assert verbalise(parse_program(program)) == english


def test_every_operator_has_a_line_of_english() -> None:
    shown = {node.name for program, *_ in ENGLISH for node in parse_program(program).walk()}
    assert shown == set(registry())


def test_every_operator_is_verbalised_by_its_template() -> None:
    # Words that no program holds must come from the templates.
    for words, program in (
        ("closest to", "(closest (everything) (everything))"),
        ("farthest from", "(farthest (everything) (everything))"),
        ("that are also", "(intersect (everything) (everything))"),
        ("except", "(minus (everything) (select cat))"),
    ):
        node = parse_program(program)
        assert words in type(node).explanation
        assert words in verbalise(node)


@pytest.mark.skipif(not models.is_present(PIPELINE), reason="the spaCy pipeline is not fetched")
def test_the_english_reads_back_as_the_same_program() -> None:
    from neurosym.grammar import Parser

    parser = Parser(models.path_of(PIPELINE, pull=False))
    lost = {}
    for program, english, reads_back in ENGLISH:
        if not reads_back:
            continue
        readings = [reading.program for reading in parser.parse(english).readings]
        if parse_program(program) not in readings:
            lost[english] = str(readings[0])
    assert not lost


@pytest.mark.parametrize(
    ("noun", "plural"),
    [
        ("person", "people"),
        ("wine glass", "wine glasses"),
        ("berry", "berries"),
        ("toy", "toys"),
        ("knife", "knives"),
        ("sheep", "sheep"),
        ("bench", "benches"),
        ("skis", "skis"),
    ],
)
def test_plurals(noun: str, plural: str) -> None:
    assert plural_of(noun) == plural


def test_ordinals() -> None:
    assert [ordinal(n) for n in (1, 2, 12, 13, 21, 22, 23, 111)] == (
        ["first", "second", "twelfth", "13th", "21st", "22nd", "23rd", "111th"]
    )


@pytest.mark.parametrize("case", REASONS, ids=lambda case: case["text"])
def test_reasons(made: SimpleNamespace, case: dict[str, str]) -> None:
    scene = made.scene()
    if "soft" in case:
        # object=probabilities of green, white, red, gray
        rows = dict(row.split("=") for row in case["soft"].split("; "))
        scene = made.soften(
            scene, "color", {int(i): [float(p) for p in v.split()] for i, v in rows.items()}
        )
    result = made.result(
        case["text"],
        case["program"],
        ["" if word == "-" else word for word in case["words"].split(" | ")],
        scene=scene,
        unused=case.get("unused", "").split(),
        executed=case.get("executed") != "no",
        abstain=float(case.get("abstain", "0")),
    )
    step = blame(result)
    assert str(step and step.op) == case.get("blame", "None")
    assert explain(result) == case["expected"]


def test_lines_are_wrapped(made: SimpleNamespace) -> None:
    result = made.result("the chair", "(the (select chair))", ["chair", "the"])
    lines = explain(result, width=40).splitlines()
    assert max(map(len, lines)) <= 40
    assert " ".join(line.strip() for line in lines) == " ".join(explain(result).split())


def test_the_summary_is_the_reason_or_the_answer(made: SimpleNamespace) -> None:
    found = made.result("the fork", "(the (select fork))", ["fork", "the"])
    missing = made.result("the cube", "(the (select cube))", ["cube", "the"])
    assert summary(found) == "It is #2 fork 1.00."
    assert summary(missing) == "Nothing in the picture is a cube."


def test_what_is_approximate_is_said(made: SimpleNamespace) -> None:
    def sampled(outcome: Outcome) -> Outcome:
        steps = (
            replace(outcome.steps[0], exact=False, note="a prior was used"),
            *outcome.steps[1:],
        )
        return replace(outcome, steps=steps, exact=False, error=0.0123, unexplored=0.25)

    result = made.result(
        "the man nearest by",
        "(the (superlative (select man) nearest))",
        ["man", "nearest", "the"],
        change_outcome=sampled,
    )
    said = explain(result)
    assert "'man' is read as person; 'nearest' is only estimated (ground contact)." in said
    assert "Note: a prior was used." in said
    assert "approximate from 'man' on" in said
    assert "give or take 0.012" in said
    assert "Possibilities of probability 0.25 were left out." in said


def test_unseen_categories_are_said(made: SimpleNamespace) -> None:
    scene = made.scene()
    evidence = scene.categories.evidence.clone()
    evidence[:2] = False
    blind = replace(scene, categories=replace(scene.categories, evidence=evidence))
    result = made.result("the fork", "(the (select fork))", ["fork", "the"], scene=blind)
    assert "the category of 2 objects is not known" in explain(result)


def test_an_empty_excluded_set_is_not_to_blame(made: SimpleNamespace) -> None:
    result = made.result(
        "the red plate that is not a cube",
        "(the (minus (filter (select plate) color red) (select cube)))",
        ["plate", "red", "cube", "not", "the"],
    )
    step = blame(result)
    assert step is not None
    assert step.op.name == "filter"


def test_a_union_is_empty_only_when_both_sides_are(made: SimpleNamespace) -> None:
    result = made.result(
        "the red plates or cubes",
        "(the_plural (filter (union (select plate) (select cube)) color red))",
        ["plates", "cubes", "or", "red", "the"],
    )
    step = blame(result)
    assert step is not None
    assert step.op.name == "filter"


def test_an_empty_scene_is_explained(made: SimpleNamespace) -> None:
    scene = made.scene()[[]]
    result = made.result("the fork", "(the (select fork))", ["fork", "the"], scene=scene)
    assert result.status == "none"
    assert "Nothing in the picture is a fork." in explain(result)


def test_words_may_be_missing_from_a_program(made: SimpleNamespace) -> None:
    result: Any = made.result("x", "(the (filter (select chair) color red))", ["", "", ""])
    assert "nothing is left after 'red'" in explain(result)
    program: Op = result.program
    assert program.span is None
