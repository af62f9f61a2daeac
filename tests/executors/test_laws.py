"""The laws of tests/laws in crisp worlds: algebraic ones at random, scene laws one by one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings

from neurosym.executors.base import Executor
from neurosym.executors.reference import ReferenceExecutor
from neurosym.executors.tensor import TensorExecutor
from neurosym.executors.worlds import WorldsExecutor
from neurosym.program import parse_program, registry
from tests.executors.laws import FOLDER, PAGE, SceneLaw, read_laws, read_scene_laws
from tests.executors.situations import Situation, holds, run_reference, situations

LAWS = read_laws(FOLDER / "crisp.txt")
SCENE_LAWS = read_scene_laws(FOLDER / "scenes.txt")
EXAMPLES = read_scene_laws(PAGE)
EXECUTORS: list[Executor] = [ReferenceExecutor(), WorldsExecutor(), TensorExecutor()]
each_executor = pytest.mark.parametrize("executor", EXECUTORS, ids=lambda executor: executor.name)
every_operator = pytest.mark.parametrize("operator", list(registry()))


@settings(max_examples=15, deadline=None)
@given(situations(crisp=True))
def test_laws_hold(situation: Situation) -> None:
    broken = [str(law) for law in LAWS if not holds(law, situation, run_reference)]
    assert not broken, "\n".join(broken)


@each_executor
@pytest.mark.parametrize("law", SCENE_LAWS, ids=lambda law: law.where)
def test_a_scene_law_holds(law: SceneLaw, executor: Executor) -> None:
    outcome = executor.run(law.program, law.scene)
    assert outcome.exact
    assert law.difference(outcome) <= 1e-5, law.line


@every_operator
def test_every_operator_has_laws(operator: str) -> None:
    named = [law for law in LAWS if f"({operator} " in f"{law.left} {law.right}".replace(")", " ")]
    about = [law for law in SCENE_LAWS if law.program.name == operator]
    assert named, f'"{operator}" is in no law of crisp.txt'
    assert len(about) >= 3, f'"{operator}" is the subject of {len(about)} laws of scenes.txt, not 3'


@each_executor
def test_the_examples_of_the_page_hold(executor: Executor) -> None:
    wrong = [
        f"{law.where}: {law.line}"
        for law in EXAMPLES
        if (law.scene.is_crisp or executor.name != "reference")
        and law.difference(executor.run(law.program, law.scene)) > 1e-5
    ]
    assert not wrong, "\n".join(wrong)


def test_the_page_tells_of_every_operator() -> None:
    told = set(re.findall(r"`(\w+)`", PAGE.read_text(encoding="utf-8")))
    assert set(registry()) - told == set()


@pytest.mark.parametrize(
    "wrong",
    [
        "(minus A B) == (minus B A)",
        "(relate A left_of B) == (relate A right_of B)",
        "(relate A left_of B) =mirror= (relate A left_of B)",
        "(related_by (everything) on (everything)) == (relate (everything) on (everything))",
        "(relate_all A next_to B) <= (relate A next_to B)",
        "(relate_most A next_to A) == A",
        "(relate_only A next_to (everything)) == A",
        "(comparative A largest B) == (minus A (comparative A smallest B))",
        "(same A color B) == (minus A (same A size B))",
        "(superlative A largest 1) == (the A)",
        "(the_group A group) == A",
        "(every A B) == (most A B)",
        "(compare_counts A at_least B) <= (most A B)",
        "(everything) <= A",
        "A <> B",
    ],
)
def test_a_wrong_law_is_caught(wrong: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.txt"
    path.write_text(wrong, encoding="utf-8")
    (law,) = read_laws(path)

    # Nobody reads the example, so it need not be made small.
    @settings(max_examples=200, deadline=None, database=None, phases=[Phase.generate])
    @given(situations(crisp=True))
    def check(situation: Situation) -> None:
        assert holds(law, situation, run_reference)

    with pytest.raises(AssertionError):
        check()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: purple cup\n(everything) -> a", "cannot read: a: purple cup"),
        ("a: cup\na next_too a\n(everything) -> a", "no relation next_too"),
        ("a: cup\na next_to b\n(everything) -> a", "no such object"),
        ("a: cup\n(everything) a", "cannot read"),
        ("a: cup\n(everything) -> a half", "cannot read"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "laws.txt"
    path.write_text(f"# A comment.\n{text}\n", encoding="utf-8")
    with pytest.raises(AssertionError, match=reason):
        read_scene_laws(path)


@pytest.mark.parametrize("answer", ["nothing", "a, b", "a, vacuous", "a 0.5, nothing 0.5", "none"])
def test_a_wrong_answer_is_caught(answer: str, tmp_path: Path) -> None:
    path = tmp_path / "laws.txt"
    path.write_text(f"a: cup\nb: plate\n(the (select cup)) -> {answer}\n", encoding="utf-8")
    (law,) = read_scene_laws(path)
    assert str(law.program) == str(parse_program("(the (select cup))"))
    assert law.difference(run_reference(law.program, law.scene)) >= 0.5
