"""Why a result is what it is: its atoms, what depends on them, and what would change the answer."""

from neurosym.reasons.atoms import Atom, Atoms, with_score
from neurosym.reasons.blame import blame_per_step
from neurosym.reasons.changes import (
    Counterfactuals,
    ProgramChange,
    Reasons,
    ScoreChange,
    Sensitivity,
)
from neurosym.reasons.edits import Edit, EditStep, edits

__all__ = [
    "Atom",
    "Atoms",
    "Counterfactuals",
    "Edit",
    "EditStep",
    "ProgramChange",
    "Reasons",
    "ScoreChange",
    "Sensitivity",
    "blame_per_step",
    "edits",
    "with_score",
]
