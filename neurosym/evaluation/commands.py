"""The command ``neurosym eval``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from neurosym.errors import OptionError, did_you_mean, nearest
from neurosym.evaluation.corpora import CORPORA, corpus_named
from neurosym.evaluation.measures import MEASURES, Measure
from neurosym.files import check_folder

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
    seen = "\n".join(
        f"  {measure.name:<14}{measure.description} ({', '.join(measure.files)})"
        for measure in MEASURES.values()
    )
    command = subparsers.add_parser(
        "eval",
        help="measure language on a corpus of texts, or perception on pictures with gold things",
        description="Every case and every picture is counted, whatever becomes of it. Of a "
        "corpus, the open part is for looking at, the closed part (a fifth, by hash) only for "
        "measuring.",
        epilog=f"corpora of texts:\n{listed}\n\nmeasures of perception:\n{seen}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("corpus", metavar="NAME", help=", ".join((*CORPORA, *MEASURES)))
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
        help="a JSONL file: a line for every case, failures with program, answers and trace; or "
        "the figures and a line for every picture",
    )
    command.add_argument(
        "--limit", metavar="N", type=int, help="about N cases or N pictures, drawn by hash"
    )
    texts = command.add_argument_group("of corpora")
    texts.add_argument(
        "--no-resume", action="store_true", help="start FILE over instead of going on with it"
    )
    texts.add_argument("--part", choices=("open", "closed", "all"), help="all when left out")
    texts.add_argument("--spacy", metavar="PIPELINE", help="a spaCy pipeline's name or path")
    texts.add_argument("--lexicon", metavar="FILE", type=Path, help="a TOML file of words")
    pictures = command.add_argument_group("of measures of perception")
    pictures.add_argument(
        "--perception", metavar="NAME", help='back ends joined by "+", picodet+mobilesam by default'
    )
    pictures.add_argument(
        "--calibration",
        metavar="FILE",
        type=Path,
        help="what the detector's scores are worth, as fitted by benchmarks.fit_calibration",
    )
    pictures.add_argument("--device", help="cpu or cuda; cuda when there is one")
    pictures.add_argument("--dtype", metavar="TYPE", help="float32, float16 or bfloat16")
    command.set_defaults(handler=run_evaluation)


_OF_TEXTS = ("no_resume", "part", "spacy", "lexicon")
_OF_PICTURES = ("perception", "calibration", "device", "dtype")


def run_evaluation(namespace: argparse.Namespace) -> int:
    """Measure and print.

    Raises:
        OptionError: there is no such corpus or measure, or an option is not for it.
        DataError: files are missing or not of their form.
    """
    name = namespace.corpus
    if name in MEASURES:
        _refuse(namespace, _OF_TEXTS, "pictures")
        return _measure(namespace, MEASURES[name])
    if name not in CORPORA:
        known = (*CORPORA, *MEASURES)
        hint = did_you_mean(nearest(name, known))
        raise OptionError(f'what is measured must be one of {", ".join(known)}, not "{name}"{hint}')
    _refuse(namespace, _OF_PICTURES, "texts")
    return _evaluate(namespace)


def _refuse(namespace: argparse.Namespace, options: Sequence[str], what: str) -> None:
    for option in options:
        if getattr(namespace, option):
            flag = "--" + option.replace("_", "-")
            raise OptionError(f'{flag} means nothing to "{namespace.corpus}", a measure of {what}')


def _measure(namespace: argparse.Namespace, measure: Measure) -> int:
    folder = measure.find(namespace.data)
    if namespace.out is not None:
        check_folder(namespace.out.parent)
    from neurosym.api import perception_of
    from neurosym.perception.pipeline import DEFAULT

    perception = perception_of(
        namespace.perception or DEFAULT,
        device=namespace.device,
        calibration=namespace.calibration,
        dtype=namespace.dtype or "float32",
    )
    report = measure.run(folder, perception, limit=namespace.limit, progress=True)
    if namespace.out is not None:
        report.write(namespace.out)
    print(json.dumps(report.document(), indent=2) if namespace.json else report.text())
    return 0


def _evaluate(namespace: argparse.Namespace) -> int:
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
        part=namespace.part or "all",
        limit=namespace.limit,
        out=namespace.out,
        resume=not namespace.no_resume,
        progress=True,
    )
    summary = summarise(corpus.name, lines)
    print(json.dumps(summary, indent=2) if namespace.json else summary_text(summary))
    return 0
