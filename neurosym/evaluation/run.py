"""Running the cases of a corpus: each once, whatever happens."""

from __future__ import annotations

import hashlib
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Literal, TypeAlias

from neurosym.datasets.split import Part, part_of
from neurosym.errors import DataError, NeurosymError, OptionError
from neurosym.evaluation.cases import Case, Ending, Verdict
from neurosym.evaluation.corpora import Corpus
from neurosym.evaluation.coverage import coverage_of
from neurosym.evaluation.record import Line, fingerprint, open_record

if TYPE_CHECKING:
    from neurosym.api import Grounder
    from neurosym.grammar import Parse, Parser

Parts: TypeAlias = Part | Literal["all"]
SECONDS = 60.0
"""Default bound on the time that a case may take."""


class _OutOfTime(BaseException):
    """Raised wherever the program is when a case's time is up; no handler of errors stops it."""


def evaluate(
    corpus: Corpus,
    folder: Path,
    parser: Parser,
    *,
    part: Parts = "all",
    limit: int | None = None,
    out: Path | None = None,
    resume: bool = True,
    seconds: float = SECONDS,
    progress: bool = False,
) -> list[Line]:
    """Run the cases of a corpus, and return one line for each, in the corpus' order.

    Args:
        corpus: the corpus.
        folder: where its files lie.
        parser: parses the texts, each once.
        part: which part to run.
        limit: run so many cases, drawn by the hash of what the split goes by; a few more where
            that keeps a group whole. A smaller sample is part of a larger one.
        out: a JSONL file for the lines. What it has already is not run again.
        resume: whether to go on with a file that is there; else it is started over.
        seconds: bound on the time of a case (in the main thread; elsewhere there is none).
        progress: whether to show a bar on the standard error.

    Raises:
        DataError: files are missing or not of the released form, or ``out`` is in the way.
        OptionError: ``limit`` or ``seconds`` is not positive.
    """
    if limit is not None and limit < 1:
        raise OptionError(f"limit must be at least 1, not {limit}")
    if seconds <= 0:
        raise OptionError(f"seconds must be positive, not {seconds:g}")
    paths = corpus.find(folder)
    cases = select(corpus.cases(paths), part, limit)
    runner = _Runner(parser, seconds)
    lines = []
    record = (
        nullcontext()
        if out is None
        else open_record(out, corpus.name, _stamp(paths, parser), resume=resume)
    )
    with record as file, _bar(cases, progress) as shown:
        for case in shown:
            line = file.done.get(case.key) if file is not None else None
            if line is None:
                line = runner.run(case)
                if file is not None:
                    file.add(line)
            lines.append(line)
    return lines


def select(cases: Iterable[Case], part: Parts, limit: int | None) -> list[Case]:
    """The cases of a part, or so many of them; see :func:`evaluate`.

    Raises:
        DataError: two cases have the same key.
    """
    chosen: dict[str, Case] = {}
    for case in cases:
        if case.key in chosen:
            raise DataError(f'two cases have the key "{case.key}"')
        if part in ("all", part_of(case.split_key)):
            chosen[case.key] = case
    if limit is None:
        return list(chosen.values())
    groups: dict[tuple[str, str], list[str]] = {}
    for case in chosen.values():
        drawn = hashlib.sha256(case.split_key.encode()).hexdigest()
        groups.setdefault((drawn, case.group or case.key), []).append(case.key)
    kept: set[str] = set()
    for _, keys in sorted(groups.items()):
        if len(kept) >= limit:
            break
        kept.update(keys)
    return [case for key, case in chosen.items() if key in kept]


def _stamp(paths: Iterable[Path], parser: Parser) -> str:
    words = repr([(p, parser.lexicon.senses(p)) for p in parser.lexicon.phrases()])
    return f"{fingerprint(paths)}-{hashlib.sha256(words.encode()).hexdigest()[:8]}"


@contextmanager
def _bar(cases: list[Case], progress: bool) -> Iterator[Iterable[Case]]:
    from tqdm import tqdm

    # Where standard error is no terminal, tqdm shows nothing.
    with tqdm(cases, unit="case", disable=None if progress else True) as bar:
        yield bar


class _Runner:
    """Runs cases; texts that come again are parsed once."""

    def __init__(self, parser: Parser, seconds: float) -> None:
        from neurosym.api import Grounder
        from neurosym.executors.reference import ReferenceExecutor

        self._grounder: Grounder = Grounder(None, parser, executor=ReferenceExecutor())
        self._seconds = seconds
        self._parsed: dict[str, Parse | NeurosymError] = {}

    def run(self, case: Case) -> Line:
        """The line of a case, however it ends."""
        try:
            with _limited(self._seconds):
                verdict = self._verdict(case)
        except _OutOfTime:
            verdict = Verdict(Ending.TIMEOUT, message=f"took longer than {self._seconds:g} s")
        except NeurosymError as error:
            verdict = Verdict(Ending.EXECUTION_ERROR, message=error.message)
        except Exception as error:
            # A defect of ours ends one case, which then says so, and not the measurement.
            verdict = Verdict(Ending.INTERNAL_ERROR, message=f"{type(error).__name__}: {error}")
        return self._line(case, verdict)

    def _verdict(self, case: Case) -> Verdict:
        parses = []
        for text in case.texts:
            parse = self._parse(text)
            if isinstance(parse, NeurosymError):
                return Verdict(Ending.REFUSED, message=parse.message)
            parses.append(parse)
        if not case.judged:
            return Verdict(Ending.UNJUDGED)
        return case.judge(tuple(parses), self._grounder)

    def _parse(self, text: str) -> Parse | NeurosymError:
        if text not in self._parsed:
            try:
                self._parsed[text] = self._grounder.parse(text)
            except NeurosymError as error:
                self._parsed[text] = error
        return self._parsed[text]

    def _line(self, case: Case, verdict: Verdict) -> Line:
        found = [self._parsed.get(text) for text in case.texts]
        parses = [None if isinstance(parse, NeurosymError) else parse for parse in found]
        line: Line = {
            "key": case.key,
            "part": part_of(case.split_key),
            "group": case.group,
            "family": case.family,
            "judged": case.judged,
            "ending": verdict.ending.value,
            "texts": list(case.texts),
            "coverage": [
                asdict(coverage_of(text, parse, self._grounder.parser))
                for text, parse in zip(case.texts, parses, strict=True)
            ],
        }
        if case.judged:
            line["scores"] = {name: verdict.scores.get(name, 0.0) for name in case.score_names}
            line["baselines"] = dict(case.baselines())
        if verdict.ending not in (Ending.RIGHT, Ending.UNJUDGED):
            best = tuple(str(parse.program) if parse else "" for parse in parses)
            line |= {
                "programs": list(verdict.programs or best),
                "expected": verdict.expected,
                "got": verdict.got,
                "message": verdict.message,
                "trace": list(verdict.trace),
            }
        return line


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raise _OutOfTime when the time is up; only the main thread can be told so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise _OutOfTime

    before = signal.signal(signal.SIGALRM, stop)
    # Again and again: what is raised while an object is finalized goes nowhere.
    signal.setitimer(signal.ITIMER_REAL, seconds, min(seconds, 1.0))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
