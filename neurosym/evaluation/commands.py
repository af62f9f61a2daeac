"""The command ``neurosym eval``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from neurosym.evaluation.corpora import CORPORA, corpus_named

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_command(subparsers: Subparsers) -> None:
    """Add ``eval``; its function is left in the namespace as ``handler``.

    Args:
        subparsers: what ``ArgumentParser.add_subparsers`` returned.
    """
    listed = "\n".join(
        f"  {corpus.name:<14}{corpus.description} ({', '.join(corpus.files)})"
        for corpus in CORPORA.values()
    )
    command = subparsers.add_parser(
        "eval",
        help="measure a corpus: accuracy, consistency and coverage, with every failure kept",
        description="Every case is counted, whatever becomes of it. The open part is for looking "
        "at, the closed part (a fifth, by hash) only for measuring.",
        epilog=f"corpora:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("corpus", metavar="CORPUS", help=", ".join(CORPORA))
    command.add_argument(
        "--data",
        metavar="DIR",
        type=Path,
        required=True,
        help="the folder of its files, or the one above it",
    )
    command.add_argument("--json", action="store_true", help="print the figures as JSON")
    command.add_argument(
        "--out",
        metavar="FILE",
        type=Path,
        help="a JSONL file: a line for every case, failures with program, answers and trace",
    )
    command.add_argument(
        "--no-resume", action="store_true", help="start FILE over instead of going on with it"
    )
    command.add_argument("--limit", metavar="N", type=int, help="about N cases, drawn by hash")
    command.add_argument(
        "--part", choices=("open", "closed", "all"), default="all", help="all when left out"
    )
    command.add_argument("--spacy", metavar="PIPELINE", help="a spaCy pipeline's name or path")
    command.add_argument("--lexicon", metavar="FILE", type=Path, help="a TOML file of words")
    command.set_defaults(handler=run_evaluation)


def run_evaluation(namespace: argparse.Namespace) -> int:
    """Measure and print; raises what :func:`neurosym.evaluation.run.evaluate` raises."""
    corpus = corpus_named(namespace.corpus)
    # Before anything heavy is loaded: most mistakes are in the folder's name.
    corpus.find(namespace.data)
    from neurosym.api import find_pipeline
    from neurosym.evaluation.run import evaluate
    from neurosym.evaluation.summary import summarise, summary_text
    from neurosym.grammar import Lexicon

    lexicon = None if namespace.lexicon is None else Lexicon.load(namespace.lexicon)
    lines = evaluate(
        corpus,
        namespace.data,
        corpus.make_parser(namespace.spacy or find_pipeline(), lexicon),
        part=namespace.part,
        limit=namespace.limit,
        out=namespace.out,
        resume=not namespace.no_resume,
        progress=True,
    )
    summary = summarise(corpus.name, lines)
    print(json.dumps(summary, indent=2) if namespace.json else summary_text(summary))
    return 0
