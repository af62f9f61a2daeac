"""The command ``neurosym graph``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_command(subparsers: Subparsers) -> None:
    """Add ``graph``; its function is left in the namespace as ``handler``.

    Args:
        subparsers: what ``ArgumentParser.add_subparsers`` returned.
    """
    command = subparsers.add_parser(
        "graph", help="the scene graph that a text describes, with no image at all"
    )
    command.add_argument("text", metavar="TEXT", help="one or more sentences")
    command.add_argument(
        "--format",
        choices=("text", "json", "dot"),
        default="text",
        help="text when left out; dot is for Graphviz, where what is denied is dashed",
    )
    command.add_argument(
        "--facts", action="store_true", help="only what is said to be so, nothing denied or open"
    )
    command.add_argument("--spacy", metavar="PIPELINE", help="a spaCy pipeline's name or path")
    command.add_argument("--lexicon", metavar="FILE", type=Path, help="a TOML file of words")
    command.set_defaults(handler=print_graph)


def print_graph(namespace: argparse.Namespace) -> int:
    """Print the graph of a text; raises what :meth:`neurosym.grammar.Parser.parse` raises."""
    from neurosym.api import find_pipeline
    from neurosym.grammar import Lexicon, Parser
    from neurosym.text_graph import facts, text_graph
    from neurosym.views.graph_document import dot_text, graph_document, graph_text

    lexicon = None if namespace.lexicon is None else Lexicon.load(namespace.lexicon)
    parse = Parser(namespace.spacy or find_pipeline(), lexicon).parse(namespace.text)
    graph = text_graph(parse.text, *parse.readings[0].sentences)
    if namespace.facts:
        graph = facts(graph)
    if namespace.format == "json":
        print(json.dumps(graph_document(graph), indent=2))
    else:
        print(dot_text(graph) if namespace.format == "dot" else graph_text(graph))
    return 0
