"""Every executor has a rule for every operator."""

from __future__ import annotations

import pytest

from neurosym.errors import OperatorNotSupportedError
from neurosym.executors.base import Executor
from neurosym.executors.plan import LOOKED_UP
from neurosym.executors.reference import ReferenceExecutor
from neurosym.executors.tensor import TensorExecutor
from neurosym.executors.worlds import WorldsExecutor
from neurosym.program import Everything, registry, signature
from neurosym.program.operator import Name

EXECUTORS = (ReferenceExecutor, WorldsExecutor, TensorExecutor)
FIXED = {"form", "portion", "action", "goal"}
"""Names that the language knows by itself."""


@pytest.mark.parametrize("executor", EXECUTORS, ids=lambda executor: executor.name)
def test_every_operator_has_a_rule(executor: type[Executor]) -> None:
    assert set(executor.rules) == set(registry().values())


@pytest.mark.parametrize("executor", EXECUTORS, ids=lambda executor: executor.name)
def test_a_missing_rule_has_a_name(executor: type[Executor]) -> None:
    rules = {op: rule for op, rule in executor.rules.items() if op is not Everything}
    forgetful = type("Forgetful", (executor,), {"rules": rules})
    with pytest.raises(OperatorNotSupportedError, match=f'"{executor.name}".*"everything"'):
        forgetful().rule(Everything())


def test_worlds_runs_the_rules_of_the_reference() -> None:
    assert WorldsExecutor.rules == ReferenceExecutor.rules


def test_every_role_of_a_name_can_be_looked_up() -> None:
    roles = {
        parameter.declared.role
        for operator in registry().values()
        for parameter in signature(operator)
        if isinstance(parameter.declared, Name)
    }
    assert roles <= LOOKED_UP | FIXED
