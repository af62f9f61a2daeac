"""Texts as scene graphs: what is said, of what, and what is only denied or left open."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import networkx
import pytest
from hypothesis import given, settings

from neurosym import cli
from neurosym.errors import DataError
from neurosym.grammar import Parser
from neurosym.program import Alike, Op, Same, Select, TheGroup
from neurosym.program.operator import names_of
from neurosym.text_graph import facts, text_graph
from neurosym.views.graph_document import (
    dot_text,
    edge_label,
    graph_document,
    graph_text,
    node_label,
    read_graph,
)
from tests.executors.strategies import any_program

# A text; then its things, numbered in the order in which they are named, and their relations.
# "?" is left open, "not" is denied.
GRAPHS = {
    "There is a red cup on the table. It is next to a fork. The cup is not blue.": (
        ["red cup: not blue", "the table", "fork"],
        ["0 on 1", "0 next_to 2"],
    ),
    "There is a cup. It is red.": (["red cup"], []),
    "a cup next to a cup": (["cup", "cup"], ["0 next_to 1"]),
    "There is a cup on the table. There is a fork on the table.": (
        ["cup", "the table", "fork"],
        ["0 on 1", "2 on 1"],
    ),
    "There is a red cup and a blue cup. The red one is on the table.": (
        ["the red cup", "blue cup", "the table"],
        ["0 on 2"],
    ),
    "There are three people. One of them holds a cup. The others are eating.": (
        ["exactly 3 person", "person", "cup", "every person (action: eat)"],
        ["1 of 0", "1 holding 2", "3 except 1"],
    ),
    "There are two cups on the table. The left one is red. The other one is blue.": (
        ["exactly 2 cup", "the table", "the red cup: leftmost 1", "the blue cup"],
        ["0 on 1", "2 on 1", "3 on 1", "3 except 2"],
    ),
    "There is a red plate. The plate is next to a bowl.": (
        ["red plate", "bowl"],
        ["0 next_to 1"],
    ),
    "A man without a hat is riding a brown horse. He is wearing a jacket.": (
        ["man", "hat ?", "brown horse", "jacket"],
        ["0 not with 1", "0 ride 2", "0 wearing 3"],
    ),
    "There is no spoon.": (["no spoon"], []),
    "There is no red cup on a table.": (["no red cup", "table ?"], ["0 on ? 1"]),
    "The dog is not on the couch.": (["the dog", "the couch"], ["0 not on 1"]),
    "It is not so that there is a cup on the table.": (["no cup", "the table"], ["0 on ? 1"]),
    "There are three red cups and a blue plate on the table.": (
        ["exactly 3 red cup", "blue plate", "the table"],
        ["1 on 2"],
    ),
    "There are at least two cups.": (["at least 2 cup"], []),
    "There are at most two cups.": (["at most 2 cup ?"], []),
    "All the cups are red.": (["every red cup"], []),
    "Not all cups are red.": (["not every cup: red?"], []),
    "Most cups are red.": (["most red cup"], []),
    "Most cups are not red.": (["most cup: not red"], []),
    "The cup is red or blue.": (["the cup: red?, blue?"], []),
    "red or blue cups": (["cup: red?, blue?"], []),
    "a cup on the table or the chair": (
        ["cup", "the table", "the chair"],
        ["0 on ? 1", "0 on ? 2"],
    ),
    "the dog and the cat": (["the dog", "the cat"], []),
    "There is a dog or there is a cat.": (["dog ?", "cat ?"], []),
    "the cups except the green one": (["all cup", "the green cup"], ["0 except 1"]),
    "the cup held by the man": (["the cup", "the man"], ["1 holding 0"]),
    "the cup between the fork and the knife": (
        ["the cup", "the fork", "the knife"],
        ["0 between 1", "0 between 2"],
    ),
    "the second largest cup": (["the cup: largest 2"], []),
    "the two largest cups": (["exactly 2 cup: largest 2"], []),
    "the cup closest to the plate": (["the cup", "the plate"], ["0 closest_to 1"]),
    "The lamp is taller than the vase.": (["the lamp", "the vase"], ["0 tallest_than 1"]),
    "the cup of the same color as the plate": (["the cup", "the plate"], ["0 same_color 1"]),
    "the row of cups": (["the cup: row"], []),
    "the table with two cups on it": (["the table", "cup"], ["1 on exactly 2 0"]),
    "All the cups are of the same color.": (["all cup"], ["0 same_color every 0"]),
    "the left half of the table": (["the table: left half"], []),
    "this cup": (["the this cup"], []),
    "pick up the cup": (["the cup"], []),
    "Is there a cup on the table?": (["cup ?", "the table"], ["0 on ? 1"]),
    "is the cup red": (["the cup: red?"], []),
    "What color is the cup on the table?": (["the cup", "the table"], ["0 on 1"]),
    "how many cups are on the table": (["cup ?", "the table"], ["0 on ? 1"]),
    "are there more cups than plates": (["cup ?", "plate ?"], ["0 more_than_count ? 1"]),
}


def graph_of(text: str, parser: Parser) -> networkx.MultiDiGraph:
    return text_graph(text, *parser.parse(text).readings[0].sentences)


@pytest.mark.parametrize("text", GRAPHS)
def test_what_a_text_says(text: str, parser: Parser) -> None:
    things, relations = GRAPHS[text]
    graph = graph_of(text, parser)
    assert [node_label(node) for _, node in graph.nodes(data=True)] == things
    edges = graph.edges(data=True)
    assert sorted(f"{a} {edge_label(edge)} {b}" for a, b, edge in edges) == sorted(relations)


@pytest.mark.parametrize("text", GRAPHS)
def test_json_and_back(text: str, parser: Parser) -> None:
    graph = graph_of(text, parser)
    document = json.loads(json.dumps(graph_document(graph)))
    again = read_graph(document)
    assert dict(again.nodes(data=True)) == dict(graph.nodes(data=True))
    assert list(again.edges(keys=True, data=True)) == list(graph.edges(keys=True, data=True))
    assert again.graph == graph.graph
    assert graph_document(again) == document


def test_facts_leave_out_what_is_denied_or_open(parser: Parser) -> None:
    text = "A man without a hat is riding a brown horse. There is no dog. The man is not old."
    said = facts(graph_of(text, parser))
    assert [node_label(node) for _, node in said.nodes(data=True)] == ["man", "brown horse"]
    assert [edge["relation"] for *_, edge in said.edges(data=True)] == ["ride"]


def test_everything_says_where_it_stands(parser: Parser) -> None:
    text = "There is a red cup on the table. It is small."
    graph = graph_of(text, parser)
    cup = graph.nodes[0]
    assert [text[a:b] for a, b in cup["spans"]] == ["cup"]
    assert [text[a:b] for said in cup["attributes"] for a, b in said["spans"]] == ["red", "small"]
    ((_, _, edge),) = graph.edges(data=True)
    assert "on" in [text[a:b] for a, b in edge["spans"]]
    assert graph.graph["text"] == text


def test_a_command_leaves_its_intent(parser: Parser) -> None:
    assert graph_of("pick up the red cup", parser).graph["intent"] == "pick_up"


def test_where_a_command_wants_things_is_an_edge_but_no_fact(parser: Parser) -> None:
    graph = graph_of("put the red cup on the table", parser)
    ((cup, table, edge),) = graph.edges(data=True)
    assert [graph.nodes[n]["category"] for n in (cup, table)] == ["cup", "table"]
    assert (edge["relation"], edge["certain"], edge["negated"]) == ("on", False, False)
    assert graph.graph["intent"] == "put"
    assert graph_text(graph).startswith("to do: put\n[0] the red cup\n")
    assert not facts(graph).edges
    assert len(facts(graph)) == 2


def test_dot_is_quoted(parser: Parser) -> None:
    graph = graph_of("There is no cup. The dog is not on the couch.", parser)
    graph.nodes[0]["category"] = 'a "cup"\\n\n'
    dot = dot_text(graph)
    # One statement a line: a name, or two with an arrow, and attributes of which text is quoted.
    quoted = r'"(?:[^"\\\n]|\\.)*"'
    statement = rf"  \d+(?: -> \d+)? \[label={quoted}(?:, style=\w+)?\];"
    first, node, *lines, last = dot.splitlines()
    assert (first, node, last) == ("digraph text {", "  node [shape=box];", "}")
    assert all(re.fullmatch(statement, line) for line in lines)
    assert '"no a \\"cup\\"\\\\n\\n"' in dot
    assert sum("style=dashed" in line for line in lines) == 2


@pytest.mark.parametrize(
    "document",
    [None, [], {}, {"format": "neurosym-text-graph/1"}, {"format": "neurosym-text-graph/0"}],
)
def test_documents_that_are_no_graphs(document: object) -> None:
    with pytest.raises(DataError, match="a text's graph"):
        read_graph(document)


def _relations(op: Op) -> Iterator[str]:
    """What the edges of a node are called, where it names them itself."""
    for role, name in names_of(op):
        if role == "relation" and not isinstance(op, TheGroup):
            yield name
    if isinstance(op, Alike | Same):
        yield f"same_{op.attribute}"


@settings(max_examples=150)
@given(program=any_program)
def test_a_graph_leaves_nothing_out(program: Op) -> None:
    graph = text_graph("", program)
    named = {node.category for node in program.walk() if isinstance(node, Select)}
    nodes = [node for _, node in graph.nodes(data=True)]
    values = {said["value"] for node in nodes for said in node["attributes"]}
    assert named <= {node["category"] for node in nodes} | values
    stated = {edge["relation"] for *_, edge in graph.edges(data=True)}
    assert {name for node in program.walk() for name in _relations(node)} <= stated
    assert graph_document(read_graph(graph_document(graph))) == graph_document(graph)
    assert graph_text(graph).count("\n") + 1 >= len(graph)
    assert len(facts(graph)) <= len(graph)


@pytest.mark.parametrize("form", ["text", "json", "dot"])
def test_the_command(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = "There is a cup on the table. There is no fork."
    assert cli.main(["graph", text, "--format", form]) == 0
    printed = capsys.readouterr().out
    if form == "json":
        assert len(read_graph(json.loads(printed))) == 3
    if form == "text":
        lines = ["[0] cup", "[1] the table", "[2] no fork", "cup [0] -- on -> table [1]"]
        assert printed.splitlines() == lines
    assert cli.main(["graph", text, "--facts"]) == 0
    assert "fork" not in capsys.readouterr().out
    assert cli.main(["graph", ""]) == 2
    assert capsys.readouterr().err.count("\n") == 1
