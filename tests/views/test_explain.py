from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from neurosym import models
from neurosym.executors.base import Certificate, Outcome
from neurosym.executors.tensor import TensorExecutor
from neurosym.program import ORDERS, Definites, Op, parse_program, registry
from neurosym.scene import Relation, Scene
from neurosym.views import blame, explain, verbalise
from neurosym.views.counterfactual import counterfactual_sentences
from neurosym.views.explain import summary
from neurosym.views.words import comparative, multiple, ordinal, plural_of, positive

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


@pytest.mark.parametrize("operator", registry().values(), ids=list(registry()))
def test_every_operator_is_verbalised_by_its_template(operator: type[Op]) -> None:
    # Words that no program holds must come from the templates.
    fixed = [words.strip() for words in re.split(r"\{\w+\}", operator.explanation)]
    said = [
        english
        for program, english, _ in ENGLISH
        if operator in map(type, parse_program(program).walk())
    ]
    assert any(all(words in english for words in fixed) for english in said)


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


def test_degrees_of_orders() -> None:
    degrees = {order: (positive(order), comparative(order)) for order in ORDERS}
    assert degrees["largest"] == ("large", "larger")
    assert degrees["tallest"] == ("tall", "taller")
    assert degrees["leftmost"] == ("far left", "farther left")
    assert degrees["farthest"] == ("far away", "farther away")
    assert multiple(2) == "twice"
    assert multiple(3) == "three times"


@pytest.fixture
def as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what would change an answer: test_counterfactual.py is about that."""
    monkeypatch.setattr(
        sys.modules["neurosym.views.explain"], "counterfactual_sentences", lambda result: ()
    )


@pytest.mark.usefixtures("as_it_is")
@pytest.mark.parametrize("case", REASONS, ids=lambda case: case["text"])
def test_reasons(made: SimpleNamespace, case: dict[str, str]) -> None:
    scene = made.scene()
    if "soft" in case:
        # object=probabilities of green, white, red, gray
        rows = dict(row.split("=") for row in case["soft"].split("; "))
        scene = made.soften(
            scene, "color", {int(i): [float(p) for p in v.split()] for i, v in rows.items()}
        )
    if "kinds" in case:
        # object=probabilities of plate, fork, chair, person, cube
        rows = dict(row.split("=") for row in case["kinds"].split("; "))
        scene = made.soften(
            scene, "", {int(i): [float(p) for p in v.split()] for i, v in rows.items()}
        )
    if "next" in case:
        # pairs of objects that are next to each other
        scene = _with_neighbours(scene, case["next"])
    if "this" in case:
        marked = torch.zeros(len(scene), dtype=torch.bool)
        marked[int(case["this"])] = True
        scene = replace(scene, marks={"this": marked, "that": torch.zeros_like(marked)})
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


def _with_neighbours(scene: Scene, pairs: str) -> Scene:
    near = torch.zeros(len(scene), len(scene))
    for pair in pairs.split():
        i, j = map(int, pair.split("-"))
        near[i, j] = near[j, i] = 1
    return replace(scene, relations={**scene.relations, "next_to": Relation(near, "geometry")})


def test_what_would_change_an_answer_follows_the_reason(made: SimpleNamespace) -> None:
    text = "the plate right of the fork, please"
    program = "(the (relate (select plate) right_of (the (select fork))))"
    words = ["plate", "fork", "the#2", "right of", "the"]
    result = made.result(text, program, words, unused=["please"])
    lines = explain(result, width=1000).splitlines()
    changes = list(counterfactual_sentences(result))
    assert changes
    assert lines[-len(changes) :] == changes
    found = made.result("the fork", "(the (select fork))", ["fork", "the"])
    assert len(explain(found).splitlines()) == 2


def test_lines_are_wrapped(made: SimpleNamespace) -> None:
    result = made.result("the chair", "(the (select chair))", ["chair", "the"])
    lines = explain(result, width=40).splitlines()
    assert max(map(len, lines)) <= 40
    assert " ".join(line.strip() for line in lines) == " ".join(explain(result).split())


def test_the_summary_is_the_reason_or_the_answer(made: SimpleNamespace) -> None:
    found = made.result("the fork", "(the (select fork))", ["fork", "the"])
    missing = made.result("the cube", "(the (select cube))", ["cube", "the"])
    assert summary(found) == "It is #2 fork 1.00."
    assert summary(missing) == "No cube was detected."


def test_what_is_approximate_is_said(made: SimpleNamespace) -> None:
    def sampled(outcome: Outcome) -> Outcome:
        steps = (
            replace(outcome.steps[0], certificate=Certificate(False), note="a prior was used"),
            *outcome.steps[1:],
        )
        return replace(
            outcome, steps=steps, certificate=Certificate(False), error=0.0123, unexplored=0.25
        )

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
    assert "No fork was detected." in explain(result)


def test_words_may_be_missing_from_a_program(made: SimpleNamespace) -> None:
    result: Any = made.result("x", "(the (filter (select chair) color red))", ["", "", ""])
    assert "nothing is left after 'red'" in explain(result)
    program: Op = result.program
    assert program.span is None


def test_hypotheses_of_one_thing_are_no_rivals(made: SimpleNamespace) -> None:
    scene = made.hypotheses()
    result = made.result("the chair", "(the (select chair))", ["chair", "the"], scene=scene)
    assert explain(result).splitlines()[1:] == ["It is #3 chair 0.96."]
    soft = made.soften(scene, "", {0: [0.6, 0, 0.4, 0, 0], 1: [0.5, 0, 0.5, 0, 0]})
    soft = replace(
        soft,
        groups=torch.tensor([0, 0, 2, 3, 3, 5]),
        existence=torch.tensor([0.5, 0.5, 1, 0.4, 0.3, 1]),
    )
    either = made.result("the chair", "(the (select chair))", ["chair", "the"], scene=soft)
    assert "#4" not in explain(either)
    answer, rivals, *_ = explain(either).splitlines()[1:]
    assert answer.startswith("Best guess: #3 chair 0.3")
    # Two hypotheses of one thing make one rival.
    assert rivals.startswith("Otherwise: #1 plate 0.13, none ")


@pytest.mark.usefixtures("as_it_is")
def test_as_many_candidates_are_listed_as_are_said(made: SimpleNamespace) -> None:
    scene = made.scene()
    many = replace(scene, existence=torch.full((6,), 0.5))[[*range(6), *range(6)]]
    many = replace(many, groups=torch.arange(12), existence=torch.ones(12))
    result = made.result("the object", "(the (everything))", ["object", "the"], scene=many)
    said = " ".join(explain(result).split())
    assert "12 candidates: " in said
    assert said.count("#") == 6
    assert said.endswith("and 6 more.")
    hypotheses = made.result("the thing", "(the (everything))", ["", ""], scene=made.hypotheses())
    said = " ".join(explain(hypotheses).split())
    assert "5 candidates: " in said
    assert said.count("#") == 5


def test_unlikely_candidates_are_not_counted(made: SimpleNamespace) -> None:
    soft = made.soften(made.scene(), "", {i: [0.3, 0.3, 0.4, 0, 0] for i in range(6)})
    result = made.result("the chair", "(the (select chair))", ["chair", "the"], scene=soft)
    assert result.status == "many"
    said = " ".join(explain(result).split())
    assert "candidates" not in said
    assert "'the chair' is ambiguous; the likeliest: #0" in said


def test_guesses_are_called_so(made: SimpleNamespace) -> None:
    soft = made.soften(made.scene(), "color", {i: [0.3, 0.2, 0.3, 0.2] for i in range(6)})
    green = "(filter (everything) color green)"
    count = made.result("how many", f"(count {green})", ["", "", "how many"], scene=soft)
    assert count.probability < 0.5
    assert explain(count).splitlines()[1] == f"Best guess: 2 ({count.probability:.2f})."


def test_the_likeliest_that_was_not_detected_is_named(made: SimpleNamespace) -> None:
    soft = made.soften(made.scene(), "", {2: [0, 0.8, 0, 0, 0.2], 3: [0, 0, 0.96, 0, 0.04]})
    result = made.result("the cube", "(the (select cube))", ["cube", "the"], scene=soft)
    assert "No cube was detected (likeliest: #2 0.20)." in explain(result)


def test_notes_do_not_repeat_what_is_said_of_the_program(made: SimpleNamespace) -> None:
    scene = made.scene()
    color = scene.attributes["color"]
    evidence = color.evidence.clone()
    evidence[:2] = False
    scene = replace(scene, attributes={"color": replace(color, evidence=evidence)})
    program = parse_program(
        "(the (relate (filter (everything) color red) behind (the (select man))))"
    )
    outcome = TensorExecutor().run(program, scene)
    notes = [step.note for step in outcome.steps]
    assert "'man' is read as person" in notes
    assert "'behind' is only estimated (boxes without depth)" in " ".join(notes)
    words = ["", "", "", "", "", ""]
    result = made.result("x", str(program), words, scene=scene, change_outcome=lambda _: outcome)
    said = " ".join(explain(result).split())
    for part in ("is read as", "is only estimated"):
        assert said.count(part) == 1
    assert "Note:" not in said


def test_unseen_colours_say_nothing_of_looks(made: SimpleNamespace) -> None:
    scene = made.scene()
    color = scene.attributes["color"]
    blind = replace(color, evidence=torch.zeros_like(color.evidence))
    scene = replace(scene, attributes={"color": blind})
    result = made.result(
        "red chair", "(filter (select chair) color red)", ["chair", "red"], scene=scene
    )
    assert "By color" not in explain(result)


def test_what_is_shared_is_named_in_english(made: SimpleNamespace) -> None:
    shared = parse_program("(relate (select plate) behind (the (select fork)))")

    def loosen(outcome: Outcome) -> Outcome:
        certificate = Certificate(False, (shared,))
        steps = (*outcome.steps[:-1], replace(outcome.steps[-1], certificate=certificate))
        return replace(outcome, steps=steps, certificate=certificate)

    result = made.result("the fork", "(the (select fork))", ["fork", "the"], change_outcome=loosen)
    said = " ".join(explain(result).split())
    assert (
        "The probabilities are approximate from 'the' on: several parts depend on what is "
        "uncertain in 'plates behind the fork'." in said
    )


def test_an_executors_own_approximation_is_explained(made: SimpleNamespace) -> None:
    scene = made.soften(
        made.scene(),
        "",
        {i: [0.3, 0.3, 0.4, 0, 0] if i % 2 else [0.6, 0.2, 0.2, 0, 0] for i in range(6)},
    )
    scene = _with_neighbours(scene, "0-1 1-2 2-3 3-4 4-5")
    program = parse_program("(exist (same (the_group (select plate) group) color (select fork)))")
    outcome = TensorExecutor().run(program, scene)
    words = [""] * len(list(program.walk()))
    result = made.result("x", str(program), words, scene=scene, change_outcome=lambda _: outcome)
    assert ("The probabilities are approximate" in explain(result)) == (not outcome.exact)
    for node in outcome.certificate.shared:
        assert f"'{verbalise(node)}'" in " ".join(explain(result).split())


def test_deep_programs_are_said_in_time() -> None:
    node = "(select cup)"
    for _ in range(60):
        node = f"(relate_most (filter (select cup) color red) next_to {node})"
    assert verbalise(parse_program(node)).count("next to most") == 60


def test_what_is_withheld_is_said_to_fail(made: SimpleNamespace) -> None:
    result = made.result("the chair", "(the (select chair))", ["chair", "the"])
    procedure = replace(result.procedure, the=Definites.ABSTAIN)
    decision = procedure.decide(result.outcome, result.scene)
    withheld = replace(result, procedure=procedure, decision=decision)
    assert withheld.status == "abstained"
    said = explain(withheld)
    assert "No answer: what the text presupposes probably fails (1.00)." in said
    assert "'the chair' is ambiguous: 2 candidates" in said
