"""What every operator means on soft scenes, by tensors: one rule for each operator.

A rule gives the value of the step being evaluated, in every case of a
:class:`neurosym.executors.run.Run`, from the values of its operands. The modules
are those of :mod:`neurosym.program.operators`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from neurosym.executors.run import Run, Value
from neurosym.executors.soft_rules import definites, questions, relations, sets, values
from neurosym.program import Op

RULES: Mapping[type[Op], Callable[[Run], Value]] = {
    **sets.RULES,
    **relations.RULES,
    **definites.RULES,
    **questions.RULES,
    **values.RULES,
}
"""Operator -> rule."""
