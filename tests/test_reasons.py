"""Atoms, derivatives, blame and counterfactuals, held against enumeration of worlds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pytest
import torch
from hypothesis import assume, given, note, settings
from hypothesis import strategies as st
from torch import Tensor

from neurosym.api import Grounder
from neurosym.errors import OptionError
from neurosym.executors.base import Outcome
from neurosym.executors.tensor import TensorExecutor
from neurosym.executors.worlds import WorldsExecutor
from neurosym.grammar import Parse, Reading, Tree
from neurosym.perception.given import Thing, scene_of
from neurosym.program import Op, parse_program
from neurosym.reasons import (
    Atoms,
    EditStep,
    blame_per_step,
    edits,
    with_score,
)
from neurosym.reasons.atoms import Gradient
from neurosym.reasons.trials import TRIALS, Trial, answer_probability
from neurosym.result import Decision, Procedure, Result, decide
from neurosym.scene import CATEGORY, Categorical, Scene
from neurosym.span import Span
from neurosym.views.counterfactual import counterfactual_sentences, own_words, program_change_text
from tests.executors.strategies import ATTRIBUTES, any_program, build_scene, scenes

WORLDS = WorldsExecutor(limit=5000)


def result_of(
    scene: Scene, program: Op | str, *, text: str = "", procedure: Procedure | None = None
) -> Result:
    """A result without a parser; ``text`` is what the program's spans are of."""
    procedure = procedure or Procedure()
    program = parse_program(program) if isinstance(program, str) else program
    reading = Reading(program, 0.0, Tree("program", (), Span(0, len(text))), ())
    outcome = (procedure.executor or TensorExecutor()).run(program, scene)
    parse = Parse(text, (), (reading,))
    decision = procedure.decide(outcome, scene)
    return Result(parse, scene, outcome, decision, reading, procedure=procedure)


def by_worlds(program: Op, scene: Scene) -> Outcome:
    """The enumerated outcome, by which what the reasons say is judged."""
    outcome = WORLDS.run(program, scene)
    assume(outcome.exact)
    return outcome


def answer(decision: Decision) -> tuple[object, ...]:
    return decision.status, set(decision.objects), decision.answer


def table(scene: Scene, name: str, rows: dict[int, Sequence[float]]) -> Scene:
    """The scene with other distributions of an attribute, or of the category."""
    old = scene.attribute(name)
    probabilities = old.probabilities.clone()
    for row, values in rows.items():
        probabilities[row] = torch.tensor(values)
    new = replace(old, probabilities=probabilities)
    if name == CATEGORY:
        return replace(scene, categories=new)
    return replace(scene, attributes={**scene.attributes, name: new})


def things() -> Scene:
    """Two plates, a fork and two cups from left to right; the second cup is only likely."""
    return scene_of(
        [
            Thing("plate", (10, 40, 40, 60), {"color": "green"}),
            Thing("plate", (60, 40, 90, 60), {"color": "white"}),
            Thing("fork", (110, 40, 116, 60), {"color": "gray"}),
            Thing("cup", (130, 30, 150, 60), {"color": "red"}),
            Thing("cup", (160, 30, 180, 60), {"color": "blue"}, existence=0.6),
        ],
        (100, 200),
    )


def uncertain() -> Scene:
    """The same, with colours that are hard to tell: green, white, gray, red, blue."""
    rows = {0: [0.5, 0.4, 0.1, 0, 0], 1: [0.2, 0.7, 0.1, 0, 0], 3: [0, 0, 0.05, 0.55, 0.4]}
    return table(things(), "color", rows)


# Atoms


def test_the_atoms_are_what_the_program_can_see() -> None:
    scene = build_scene(
        categories=["cup", "plate"],
        color=["red", "blue"],
        relations={"left_of": [(0, 1)]},
    )
    atoms = Atoms(
        parse_program("(relate (filter (select dish) color red) left_of (select cup))"), scene
    )
    assert [str(atom) for atom in atoms] == [
        "#0 exists 1.00 (given)",
        "#1 exists 1.00 (given)",
        "#0 is cup 1.00 (given)",
        "#1 is cup 0.00 (given)",
        "#0 is dish 0.00 (given)",
        "#1 is dish 1.00 (given)",
        "#0 is red 1.00 (given)",
        "#1 is red 0.00 (given)",
        "#0 is left of #1 1.00 (given)",
        "#1 is left of #0 0.00 (given)",
    ]
    assert len(atoms) == 10
    assert atoms[-1] == atoms[9] == list(atoms)[9]
    assert atoms[2:4] == tuple(atoms)[2:4]
    assert [str(atom)[:9] for atom in atoms.of(1)][-2:] == ["#0 is lef", "#1 is lef"]
    with pytest.raises(IndexError):
        atoms[10]


def test_an_operator_that_compares_sees_every_value() -> None:
    scene = build_scene(categories=["cup"])
    atoms = Atoms(parse_program("(same (everything) color (everything))"), scene)
    assert {atom.value for atom in atoms if atom.role == "attribute"} == set(ATTRIBUTES["color"])
    alike = Atoms(parse_program("(similar (everything) (everything))"), scene)
    assert {atom.role for atom in alike} == {"existence", "category", "attribute"}


def test_hypotheses_of_one_thing_do_not_stand_in_relations() -> None:
    scene = build_scene(categories=["cup"] * 3, existence=[0.5, 0.5, 1.0], groups=[0, 0, 1])
    atoms = Atoms(parse_program("(relate (everything) on (everything))"), scene)
    pairs = {(atom.object, atom.landmark) for atom in atoms if atom.role == "relation"}
    assert pairs == {(0, 2), (1, 2), (2, 0), (2, 1)}


def test_what_was_not_looked_at_is_a_prior() -> None:
    scene = build_scene(categories=["cup"])
    color = scene.attributes["color"]
    blind = replace(color, evidence=torch.tensor([False]))
    scene = replace(scene, attributes={**scene.attributes, "color": blind})
    atom = list(Atoms(parse_program("(filter (everything) color red)"), scene))[-1]
    assert (atom.known, str(atom)) == (False, "#0 is red 1.00 (prior)")


def test_what_nothing_excludes_is_no_atom() -> None:
    scene = scene_of([Thing("cup", (0, 0, 5, 5), {"color": "red"})], (10, 10))
    atoms = Atoms(parse_program("(filter (select cup) color red)"), scene)
    assert [atom.role for atom in atoms] == ["existence"]


@given(scenes(crisp=False, max_objects=4), any_program, st.sampled_from((0.0, 0.3, 1.0)), st.data())
def test_a_new_score_keeps_proportions(
    scene: Scene, program: Op, score: float, data: st.DataObject
) -> None:
    atoms = Atoms(program, scene)
    assume(len(atoms))
    atom = atoms[data.draw(st.integers(0, len(atoms) - 1))]
    # The scene checks itself that rows sum to 1 and groups to at most 1.
    changed = with_score(scene, atom, score)
    again = next(a for a in Atoms(program, changed) if replace(a, score=atom.score) == atom)
    assert again.score == pytest.approx(score, abs=1e-6)
    for name in (CATEGORY, *scene.attributes):
        old, new = scene.attribute(name).probabilities, changed.attribute(name).probabilities
        others = torch.ones(len(scene), dtype=torch.bool)
        if (atom.role == "category" and name == CATEGORY) or atom.name == name:
            others[atom.object] = False
        assert torch.equal(old[others], new[others])
    if 0 < atom.score < 1:
        assert same_scores(with_score(changed, again, atom.score), scene) or score in (0.0, 1.0)


def same_scores(one: Scene, other: Scene) -> bool:
    pairs = [(one.existence, other.existence)]
    for name in (CATEGORY, *one.attributes):
        pairs.append((one.attribute(name).probabilities, other.attribute(name).probabilities))
    for name in one.relations:
        pairs.append((one.relation(name).probabilities, other.relation(name).probabilities))
    return all(torch.allclose(a, b, atol=1e-5) for a, b in pairs)


def test_rivals_in_a_group_share_what_is_left() -> None:
    scene = build_scene(categories=["cup"] * 3, existence=[0.5, 0.2, 0.1], groups=[0, 0, 0])
    atom = Atoms(parse_program("(everything)"), scene)[0]
    raised = with_score(scene, atom, 0.75).existence
    assert raised.tolist() == pytest.approx([0.75, 0.1, 0.05])
    alone = with_score(scene, atom, 1.0)
    # The others have nothing left to be in proportion to, so that nothing comes in its place.
    assert with_score(alone, replace(atom, score=1.0), 0.5).existence.tolist() == [0.5, 0.0, 0.0]
    with pytest.raises(OptionError, match=r"a score must lie in \[0, 1\]"):
        with_score(scene, atom, 1.5)


@given(scenes(crisp=False, max_objects=4), any_program, st.integers(0, 100))
def test_slopes_are_those_of_new_scores(scene: Scene, program: Op, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)

    def like(tensor: Tensor) -> Tensor:
        return torch.rand(tensor.shape, generator=generator)

    gradient = Gradient(
        like(scene.existence),
        like(scene.categories.probabilities),
        {name: like(a.probabilities) for name, a in scene.attributes.items()},
        {name: like(r.probabilities) for name, r in scene.relations.items()},
    )

    def linear(at: Scene) -> float:
        total = (gradient.existence * at.existence).sum()
        total = total + (gradient.categories * at.categories.probabilities).sum()
        for name, attribute in at.attributes.items():
            total = total + (gradient.attributes[name] * attribute.probabilities).sum()
        for name, relation in at.relations.items():
            total = total + (gradient.relations[name] * relation.probabilities).sum()
        return float(total)

    atoms = Atoms(program, scene)
    expected = [
        linear(with_score(scene, a, 1.0)) - linear(with_score(scene, a, 0.0)) for a in atoms
    ]
    assert atoms.slopes(gradient).tolist() == pytest.approx(expected, abs=1e-4)
    assert atoms.scores.tolist() == pytest.approx([atom.score for atom in atoms])


# Derivatives


@settings(max_examples=60)
@given(scenes(crisp=False, max_objects=3, softness=6), any_program)
def test_derivatives_are_finite_differences_over_worlds(scene: Scene, program: Op) -> None:
    result = result_of(scene, program)
    assert result.outcome is not None
    assume(result.outcome.exact and not result.outcome.unexplored)
    now = by_worlds(program, scene)

    def probability(outcome: Outcome) -> float:
        return float(answer_probability(result.decision, outcome, scene))

    for found in result.sensitivity()[:4]:
        score = found.atom.score
        step = 0.25 if score <= 0.5 else -0.25
        moved = by_worlds(program, with_score(scene, found.atom, score + step))
        slope = (probability(moved) - probability(now)) / step
        assert found.derivative == pytest.approx(slope, abs=1e-4)
        assert found.one - found.zero == found.derivative


@settings(max_examples=40)
@given(scenes(crisp=False, max_objects=3, softness=6), any_program)
def test_every_atom_that_matters_is_found_where_all_are_tried(scene: Scene, program: Op) -> None:
    result = result_of(scene, program)
    assert result.outcome is not None
    assume(result.outcome.exact and not result.outcome.unexplored)
    assume(len(result.atoms) > 0 and 2 * len(result.atoms) < TRIALS)
    listed = {found.atom for found in result.sensitivity()}
    for atom in result.atoms:
        ends = [by_worlds(program, with_score(scene, atom, end)) for end in (0.0, 1.0)]
        low, high = (float(answer_probability(result.decision, end, scene)) for end in ends)
        assert abs(high - low) < 1e-4 or atom in listed


def test_derivatives_of_one_object() -> None:
    result = result_of(uncertain(), "(the (filter (select plate) color green))")
    first = {str(found.atom): found for found in result.sensitivity(1)}
    # Plate 1 is it if it is green and plate 0 is not.
    assert first["#1 is green 0.20 (given)"].derivative == pytest.approx(0.5)
    assert first["#0 is green 0.50 (given)"].derivative == pytest.approx(-0.2)
    assert str(first["#0 is green 0.50 (given)"]) == "#0 is green 0.50 (given): -0.20"
    largest = [abs(found.derivative) for found in result.sensitivity()]
    assert largest == sorted(largest, reverse=True)
    with pytest.raises(OptionError, match="no probability for an object 5"):
        result.sensitivity(5)
    with pytest.raises(OptionError):
        result_of(things(), "(count (everything))").sensitivity(0)


def test_derivatives_where_no_gradient_passes() -> None:
    scene = build_scene(categories=["plate", "plate", "cup"], color=["green", "red", "red"])
    assert scene.is_crisp
    result = result_of(scene, "(the (filter (select plate) color green))")
    found = {str(s.atom): s.derivative for s in result.sensitivity()}
    assert found["#0 is green 1.00 (given)"] == 1.0
    assert found["#1 is green 0.00 (given)"] == -1.0


def test_the_work_is_bounded() -> None:
    class Counting(TensorExecutor):
        ran = 0

        def run_many(self, programs: Sequence[Op], scenes: Sequence[Scene]) -> list[Outcome]:
            Counting.ran += len(programs)
            return super().run_many(programs, scenes)

    boxes = [(x, y, x + 8.0, y + 8.0) for x in range(0, 80, 10) for y in range(0, 80, 10)]
    colours = ("red", "green", "blue")
    many = [Thing("cup", box, {"color": colours[i % 3]}, 0.5) for i, box in enumerate(boxes)]
    scene = scene_of(many, (100, 100))
    procedure = Procedure(executor=Counting())
    result = result_of(
        scene,
        "(relate (filter (everything) color red) left_of (everything))",
        procedure=procedure,
    )
    Counting.ran = 0
    result.sensitivity()
    # One more run is that which gives the gradients.
    assert 0 < Counting.ran <= TRIALS + 1
    result.counterfactuals()
    assert Counting.ran <= 64 + 64 + 1
    before = Counting.ran
    result.counterfactuals()
    result.sensitivity(3)
    assert Counting.ran == before


# Counterfactuals


@settings(max_examples=60)
@given(scenes(crisp=False, max_objects=3, softness=6), any_program)
def test_a_change_of_score_flips_the_answer_and_less_does_not(scene: Scene, program: Op) -> None:
    result = result_of(scene, program)
    assert result.outcome is not None
    assume(result.outcome.exact and not result.outcome.unexplored)
    for change in result.counterfactuals().scores[:3]:
        at = by_worlds(program, with_score(scene, change.atom, change.needed))
        assert answer(decide(at, scene)) == answer(change.decision) != answer(result.decision)
        back = -0.004 if change.needed > change.atom.score else 0.004
        if change.change > abs(back):
            less = with_score(scene, change.atom, change.needed + back)
            assert grouped(decide(by_worlds(program, less), scene), scene) == grouped(
                result.decision, scene
            )


def grouped(decision: Decision, scene: Scene) -> tuple[object, ...]:
    groups = {int(scene.groups[i]) for i in decision.objects}
    return decision.status, groups, decision.answer


@settings(max_examples=60)
@given(scenes(crisp=True, max_objects=4), any_program)
def test_a_change_of_program_changes_the_answer(scene: Scene, program: Op) -> None:
    result = result_of(scene, program)
    for change in result.counterfactuals().programs[:6]:
        note(f"{program} -> {change.program}: {change.decision}")
        assert change.program != program
        found = decide(by_worlds(change.program, scene), scene)
        assert answer(found) == answer(change.decision)
        assert grouped(found, scene) != grouped(result.decision, scene)
        assert own_words(change.edit.node, "")
    said = counterfactual_sentences(result)
    assert len(said) <= 2
    said += tuple(program_change_text(c, result) for c in result.counterfactuals().programs)
    assert all(line.endswith(".") and "  " not in line and "''" not in line for line in said)


def test_edits_are_small_and_the_smallest_come_first() -> None:
    program = parse_program(
        "(the (relate (filter (select plate) color green) left_of (the (select fork))))"
    )
    made = edits(program, things())
    sizes = [edit.size for edit, _ in made]
    assert sizes == sorted(sizes)
    assert len({changed for _, changed in made}) == len(made)
    by_step = {edit.step for edit, _ in made}
    assert by_step == set(EditStep) - {EditStep.INSERT, EditStep.NUMBER, EditStep.THE}
    assert {e.step for e, _ in edits(program, things(), narrow=True)} >= {EditStep.INSERT}
    dropped = [str(p) for e, p in made if e.step is EditStep.DROP]
    # Without the landmark, three nodes are gone.
    assert "(the (filter (select plate) color green))" in dropped
    assert (
        dict(zip(dropped, (e.size for e, _ in made if e.step is EditStep.DROP), strict=True))[
            "(the (filter (select plate) color green))"
        ]
        == 3
    )


def test_a_noun_that_is_meant_twice_is_changed_twice() -> None:
    program = parse_program("(minus (select plate) (filter (select plate) color green))")
    changed = [str(p) for e, p in edits(program, things()) if e.field == "category"]
    assert "(minus (select cup) (filter (select cup) color green))" in changed
    apart = program.rebuild(
        lambda op: op.at(Span(0, 5)) if op == parse_program("(select plate)") else op
    )
    left, right = apart.operands
    elsewhere = parse_program("(select plate)").at(Span(10, 15))
    apart = type(apart)(left, type(right)(elsewhere, "color", "green"))  # type: ignore[call-arg]
    changed = [str(p) for e, p in edits(apart, things()) if e.field == "category"]
    assert "(minus (select cup) (filter (select plate) color green))" in changed


def test_numbers_go_by_one_and_stay_admissible() -> None:
    made = edits(parse_program("(superlative (everything) leftmost 1)"), things())
    assert [str(p) for e, p in made if e.step is EditStep.NUMBER] == [
        "(superlative (everything) leftmost 2)"
    ]


def test_the_answer_of_a_question_is_not_turned_round_by_its_not() -> None:
    program = parse_program("(negation (exist (select cup)))")
    assert all(p.name == "negation" for _, p in edits(program, things()))


def test_nothing_is_compared_with_itself() -> None:
    program = parse_program("(every (select plate) (filter (select plate) color green))")
    changed = [str(p) for _, p in edits(program, things())]
    assert "(every (select plate) (filter (select plate) color white))" in changed
    assert "(every (select plate) (select plate))" not in changed
    # A plate to the left of a plate is something else.
    program = parse_program("(relate (select plate) left_of (filter (select plate) color green))")
    changed = [str(p) for _, p in edits(program, things())]
    assert "(relate (select plate) left_of (select plate))" in changed


def test_an_operator_that_only_worlds_know_is_tried_there() -> None:
    class Forgetful(TensorExecutor):
        rules: ClassVar[Any] = {
            op: rule for op, rule in TensorExecutor.rules.items() if op.name != "relate_all"
        }

    procedure = Procedure(executor=Forgetful())
    scene = things()[[0, 1, 2]]
    result = result_of(
        scene, "(the (relate (select plate) left_of (everything)))", procedure=procedure
    )
    swapped = [str(c.program) for c in result.counterfactuals().programs]
    assert "(the (relate_all (select plate) left_of (everything)))" in swapped


def test_the_is_read_in_other_ways() -> None:
    scene = build_scene(
        categories=["plate", "cup", "cup", "bowl"],
        relations={"left_of": [(0, 1)]},
        measures={"area": [1.0, 2.0, 1.0, 1.0]},
    )
    program = "(the (relate (select plate) left_of (the (select cup))))"
    result = result_of(scene, program)
    assert result.status == "many"
    first = result.counterfactuals().programs[:2]
    assert {c.edit.field for c in first} == {"polyadic", "accommodate"}
    assert all(c.decision.objects == (0,) for c in first)
    # The other way round, what was parsed is changed, and read as before.
    polyadic = Grounder(None, None, the="polyadic").ground(scene, parse_program(program))
    assert polyadic.objects == (0,)
    changes = polyadic.counterfactuals().programs
    strict = next(c for c in changes if c.edit.step is EditStep.THE)
    assert (strict.edit.field, strict.decision.status) == ("strict", "many")
    assert all("related_by" in str(c.program) for c in changes if c.edit.field == "category")


# Blame


def test_what_each_step_cost() -> None:
    result = result_of(
        uncertain(),
        "(the (relate (filter (select plate) color green) left_of (the (select cup))))",
    )
    costs = {str(step.op): round(cost, 2) for step, cost in blame_per_step(result)}
    assert result.status == "many"
    # Two cups with 0.6, of which "the" can make nothing; green is probably one of the two plates.
    assert costs["(select plate)"] == 0.0
    assert costs["(filter (select plate) color green)"] == 0.4
    assert costs["(the (select cup))"] == 0.6
    assert sum(costs.values()) <= 2


def test_what_each_step_cost_the_answer() -> None:
    result = result_of(uncertain(), "(the (filter (select plate) color green))")
    costs = [(step.op.name, round(cost, 2)) for step, cost in blame_per_step(result)]
    # Plate 0 is green with 0.5, and with 0.2 it is not the only one.
    assert costs == [("select", 0.0), ("filter", 0.5), ("the", 0.1)]
    assert result.probability == pytest.approx(0.4)


@given(scenes(crisp=False, max_objects=4), any_program)
def test_costs_are_shares(scene: Scene, program: Op) -> None:
    result = result_of(scene, program)
    costs = blame_per_step(result)
    assert [step for step, _ in costs] == list(result.trace)
    assert all(0 <= cost <= 1 for _, cost in costs)


# What lies beneath


def test_a_result_without_an_outcome_has_no_atoms() -> None:
    program = parse_program("(the (select dog))")
    result = Grounder(None, None).ground(things(), program)
    assert result.status == "unsupported"
    assert (result.atoms, result.sensitivity(), blame_per_step(result)) == ((), (), ())
    assert str(result.counterfactuals().programs[0].program) == "(the (select fork))"


def test_it_changes_nothing_where_there_is_nothing() -> None:
    found = result_of(Scene.empty(), "(everything)").counterfactuals()
    assert found.programs == found.scores == ()


def test_outcomes_between_run_straight() -> None:
    scene = uncertain()
    program = parse_program("(the (filter (select plate) color green))")
    atom = next(a for a in Atoms(program, scene) if str(a).startswith("#0 is green"))
    zero, half, one = (WORLDS.run(program, with_score(scene, atom, s)) for s in (0.0, 0.5, 1.0))
    between = Trial(atom, zero, one).at(0.5)
    assert between.objects is not None
    assert half.objects is not None
    assert torch.allclose(between.objects, half.objects, atol=1e-6)
    assert (between.none, between.many) == pytest.approx((half.none, half.many))


def test_a_table_is_not_touched() -> None:
    scene = uncertain()
    before = scene.attributes["color"].probabilities.clone()
    result = result_of(scene, "(the (filter (select plate) color green))")
    result.sensitivity()
    result.counterfactuals()
    assert torch.equal(before, scene.attributes["color"].probabilities)
    assert isinstance(scene.categories, Categorical)
    assert not scene.existence.requires_grad


def test_what_is_not_run_in_time_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = build_scene(categories=["cup"] * 6, existence=[0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    everything = result_of(scene, "(the (filter (select cup) color red))").counterfactuals()
    monkeypatch.setattr("neurosym.reasons.trials.SECONDS", 0.0)
    result = result_of(scene, "(the (filter (select cup) color red))")
    in_time = result.counterfactuals()
    # One chunk is always run, and what it finds is as true as ever.
    assert len(in_time.programs) <= 4
    assert {str(c.program) for c in in_time.programs} <= {
        str(c.program) for c in everything.programs
    }
    assert len(result.sensitivity()) <= 4


@pytest.mark.parametrize(
    "program", ['(part (the (select cup)) "left half")', "(command (the (select cup)) pick_up)"]
)
def test_the_probability_of_what_is_said_of_one_object(program: str) -> None:
    result = result_of(build_scene(categories=["cup", "cup"], existence=[0.6, 0.1]), program)
    assert result.outcome is not None
    got = answer_probability(result.decision, result.outcome, result.scene)
    assert float(got) == pytest.approx(result.probability) == pytest.approx(0.54)
