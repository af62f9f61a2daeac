"""The scene graphs of descriptive paragraphs, against a careful reader's."""

import pytest

from benchmarks.text_graphs import outcomes, table, totals
from neurosym.api import find_pipeline
from neurosym.grammar import Parser

FLOORS = {"things": (0.96, 0.97), "attributes": (0.87, 0.84), "relations": (0.80, 0.85)}
"""Lowest precision and recall, a little below what was measured."""


def test_graphs_agree_with_a_reader(capsys: pytest.CaptureFixture[str]) -> None:
    found = outcomes(Parser(find_pipeline()))
    assert len(found) >= 40
    with capsys.disabled():
        print(f"\n{table(found)}")
    for kind, (precision, recall) in FLOORS.items():
        tally = totals(found)[kind]
        assert tally.precision >= precision, kind
        assert tally.recall >= recall, kind
