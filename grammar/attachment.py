"""Where a subject ends and what is said of it begins: "is the cup on the table by the plate"."""

from __future__ import annotations

from neurosym.grammar.division import divide
from neurosym.grammar.tree import Tree


def holds_made_of(subject: Tree) -> bool:
    """Whether a subject has "made of the same material" in it, which is rather the predicate."""
    return any(
        (child.label == "likeness" and child.find("MADE_OF") is not None) or holds_made_of(child)
        for child in subject.children
        if child.unit is None and child.label != "clause"
    )


def splits(predicate: Tree) -> bool:
    """Whether the predicate's landmark is modified: "behind the cube made of metal"."""
    if predicate.label == "likeness" or predicate.children[-1].label != "phrase":
        return False
    nominal = predicate.children[-1].find("nominal")
    if nominal is None:
        return False
    clauses = {clause.children[-1] for clause in nominal.all("clause")}
    return any(post not in clauses for post in divide(nominal)[2])
