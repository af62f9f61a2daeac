"""Tables of attributes and relations of which not everything is known."""

from __future__ import annotations

from dataclasses import replace

import torch

from neurosym.scene import Categorical, Relation


def unscored(values: tuple[str, ...], count: int, source: str) -> Categorical:
    """A table of which nothing is known yet: all values alike, without evidence."""
    even = torch.full((count, len(values)), 1 / len(values))
    return Categorical(values, even, torch.zeros(count, dtype=torch.bool), source)


def moved(table: Categorical, device: torch.device) -> Categorical:
    """The table with its arrays on a device."""
    return replace(
        table, probabilities=table.probabilities.to(device), evidence=table.evidence.to(device)
    )


def longer(table: Categorical, count: int) -> Categorical:
    """A table with rows without evidence for the objects that are new."""
    rest = moved(
        unscored(table.values, count - len(table.evidence), table.source), table.evidence.device
    )
    return replace(
        table,
        probabilities=torch.cat([table.probabilities, rest.probabilities]),
        evidence=torch.cat([table.evidence, rest.evidence]),
    )


def larger(relation: Relation, count: int) -> Relation:
    """A relation in which nothing is known of the objects that are new."""
    before = len(relation.probabilities)
    wide = (0, count - before, 0, count - before)
    known = relation.evidence
    if known is None:
        known = torch.ones_like(relation.probabilities, dtype=torch.bool)
    pad = torch.nn.functional.pad
    return replace(
        relation, probabilities=pad(relation.probabilities, wide), evidence=pad(known, wide)
    )
