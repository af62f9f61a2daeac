"""The laws of tests/laws on soft scenes, by enumeration and by tensors."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from neurosym.executors.base import Executor
from neurosym.executors.tensor import TensorExecutor
from neurosym.executors.worlds import WorldsExecutor
from neurosym.program import registry
from tests.executors.laws import FOLDER, SceneLaw, read_laws, read_scene_laws
from tests.executors.situations import Situation, holds, situations

LAWS = read_laws(FOLDER / "crisp.txt")
SCENE_LAWS = read_scene_laws(FOLDER / "soft.txt")
SHARES = 6
"""In how many parts the laws are taken, each on its own random scenes."""
EXECUTORS: list[Executor] = [WorldsExecutor(limit=2_000, samples=1), TensorExecutor()]
each_executor = pytest.mark.parametrize("executor", EXECUTORS, ids=lambda executor: executor.name)


@each_executor
@pytest.mark.parametrize("law", SCENE_LAWS, ids=lambda law: law.where)
def test_a_soft_scene_law_holds(law: SceneLaw, executor: Executor) -> None:
    outcome = executor.run(law.program, law.scene)
    assert outcome.exact, law.line
    assert law.difference(outcome) <= 1e-5, law.line


@pytest.mark.parametrize("operator", list(registry()))
def test_every_operator_has_a_soft_law(operator: str) -> None:
    about = [law for law in SCENE_LAWS if law.program.name == operator]
    assert about, f'"{operator}" is the subject of no law of soft.txt'


@each_executor
@pytest.mark.parametrize("share", range(SHARES))
def test_laws_hold_in_expectation(share: int, executor: Executor) -> None:
    laws = LAWS[share::SHARES]
    decided = set()

    @settings(max_examples=3, deadline=None)
    @given(situations(crisp=False, max_objects=3))
    def check(situation: Situation) -> None:
        found = {str(law): holds(law, situation, executor.run, 1e-4) for law in laws}
        decided.update(law for law, held in found.items() if held is not None)
        broken = [law for law, held in found.items() if held is False]
        assert not broken, "\n".join(broken)

    check()
    # Where nothing could be decided, nothing was tested.
    assert len(decided) >= len(laws) / 2
