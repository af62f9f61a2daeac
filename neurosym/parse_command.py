"""``neurosym parse``: how a text is understood, or why it is not."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from neurosym.errors import GrammarError, OptionError, ProgramTypeError
from neurosym.program import Definites, Op, parse_program, read_definites
from neurosym.program.operator import registry

if TYPE_CHECKING:
    from neurosym.grammar import Lexicon, Parse

FORMATS = ("text", "json", "dot", "svg", "lark")
"""What ``--format`` may be."""
_PROGRAM = re.compile(r"\s*\(\s*([a-z_]+)\s")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what is peculiar to this command."""
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="text",
        help="text; json; dot (for Graphviz) or svg (a picture of tree and program); lark (the "
        "grammar's terminals and tree)",
    )
    parser.add_argument("--all", action="store_true", help="show every reading in full")
    parser.add_argument(
        "--no-repair", action="store_true", help="leave misspelt words and spaces as they are"
    )
    parser.set_defaults(handler=run)


def run(namespace: argparse.Namespace) -> int:
    """Run the command; a text that cannot be read is diagnosed, and then the error is raised."""
    from neurosym.api import definites_of, find_pipeline
    from neurosym.grammar import Lexicon, Parser
    from neurosym.grammar.diagnosis import diagnose
    from neurosym.views.parse_document import failure_document

    the = definites_of(namespace.the)
    program = program_of(namespace.text, sure=namespace.program)
    if program is not None:
        print(program_view(read_definites(program, the), namespace.format))
        return 0
    lexicon = None if namespace.lexicon is None else Lexicon.load(Path(namespace.lexicon))
    pipeline = namespace.spacy or find_pipeline()
    parser = Parser(pipeline, lexicon, **({"repair": False} if namespace.no_repair else {}))
    try:
        parse = parser.parse(namespace.text)
    except GrammarError:
        diagnosis = diagnose(parser, namespace.text)
        if diagnosis is not None:
            as_json = namespace.format == "json"
            print(json.dumps(failure_document(diagnosis), indent=2) if as_json else diagnosis)
        raise
    print(parse_view(parse, parser.lexicon, namespace.format, the=the, every=namespace.all))
    return 0


def program_of(text: str, *, sure: bool) -> Op | None:
    """The program that a text is, or None when it is English.

    Args:
        text: English or an s-expression.
        sure: whether it was said to be a program.

    Raises:
        ProgramTypeError: the text was said to be a program, or looks like one, and is none.
    """
    operator = _PROGRAM.match(text)
    looks = operator is not None and operator.group(1) in registry()
    if not sure and not looks:
        return None
    try:
        return parse_program(text)
    except ProgramTypeError:
        # "(the dog)" is English in brackets; a second one makes it a program.
        if sure or text.count("(") > 1:
            raise
        return None


def parse_view(parse: Parse, lexicon: Lexicon, view: str, *, the: Definites, every: bool) -> str:
    """A parse in one of the formats."""
    from neurosym.views.parse_document import parse_document
    from neurosym.views.parse_graph import dot_text, program_branching, svg_text, syntax_branching
    from neurosym.views.parse_text import lark_text, parse_text

    if view == "text":
        return parse_text(parse, lexicon, the=the, every=every) + "\n"
    if view == "json":
        return json.dumps(parse_document(parse, lexicon, the=the, every=every), indent=2)
    if view == "lark":
        return lark_text(parse, every=every)
    trees = []
    for reading in parse.readings if every else parse.readings[:1]:
        program = read_definites(reading.program, the)
        trees.append((f"{parse.text} ({reading.score:.2f})", syntax_branching(reading.syntax)))
        trees.append((str(program), program_branching(program, parse.text)))
    return dot_text(trees) if view == "dot" else svg_text(trees)


def program_view(program: Op, view: str) -> str:
    """A program that was typed in, in one of the formats.

    Raises:
        OptionError: a program has no such view.
    """
    from neurosym.views.parse_document import program_document
    from neurosym.views.parse_graph import dot_text, program_branching, svg_text
    from neurosym.views.text import program_text
    from neurosym.views.verbalise import verbalise

    if view == "lark":
        raise OptionError("a program has no Lark tree; choose text, json, dot or svg")
    if view == "json":
        return json.dumps(program_document(program), indent=2)
    if view == "text":
        parts = (
            ("Program", f"{program_text(program)}\n\n{program}"),
            ("In English", verbalise(program)),
        )
        return "\n\n".join(f"{t}\n{'-' * len(t)}\n{body}" for t, body in parts) + "\n"
    trees = [(str(program), program_branching(program))]
    return dot_text(trees) if view == "dot" else svg_text(trees)
