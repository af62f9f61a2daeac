"""Examples in docstrings run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import neurosym

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(neurosym.__path__, "neurosym.")
    if not module.name.endswith("__main__")
)


def test_modules_are_found() -> None:
    assert {"neurosym.perception.given", "neurosym.program.sexpr"} <= set(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.failed == 0
