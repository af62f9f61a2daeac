"""Every corpus that can be measured, by name. The command's choices and help come from here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurosym.errors import DataError, OptionError, did_you_mean, nearest

if TYPE_CHECKING:
    from neurosym.evaluation.cases import Case
    from neurosym.grammar import Lexicon, Parser


@dataclass(frozen=True)
class Corpus:
    """A corpus: where its files lie and what makes cases of them.

    Attributes:
        name: what the command calls it.
        folder: the folder of the files, where they are kept with other corpora.
        files: names of the released files, any of which may be missing, but not all.
        description: one line for people, with the metric.
        home: "module.function", below this package: from the paths of the files to the cases.
        parser: likewise, from a spaCy pipeline and a user's lexicon (or None) to the parser;
            empty for the plain one.
    """

    name: str
    folder: str
    files: tuple[str, ...]
    description: str
    home: str
    parser: str = ""

    def find(self, folder: Path) -> list[Path]:
        """The files that are there, in ``folder`` or in the corpus' own folder below it.

        Raises:
            DataError: there is none.
        """
        for place in (folder, folder / self.folder):
            found = [place / name for name in self.files if (place / name).is_file()]
            if found:
                return found
        raise DataError(
            f'no data of "{self.name}" in "{folder}": expected {" or ".join(self.files)}'
        )

    def cases(self, paths: Sequence[Path]) -> Iterator[Case]:
        """The cases of some files, in their order.

        Raises:
            DataError: a file is not of the released form, or one that goes with it is missing.
        """
        made: Iterator[Case] = self._function(self.home)(paths)
        return made

    def make_parser(self, pipeline: str | Path, lexicon: Lexicon | None) -> Parser:
        """The parser for the texts of this corpus."""
        from neurosym.grammar import Parser

        if not self.parser:
            return Parser(pipeline, lexicon)
        made: Parser = self._function(self.parser)(pipeline, lexicon)
        return made

    def _function(self, home: str) -> Callable[..., Any]:
        module, _, name = home.rpartition(".")
        function: Callable[..., Any] = getattr(import_module(f"neurosym.evaluation.{module}"), name)
        return function


CORPORA: dict[str, Corpus] = {
    corpus.name: corpus
    for corpus in (
        Corpus(
            "clevr",
            "clevr",
            ("questions.json", "image_questions.json"),
            "CLEVR questions on gold scenes: exact answers",
            "clevr.cases",
        ),
        Corpus(
            "closure",
            "clevr",
            ("closure_252.json", "closure_val.json"),
            "CLOSURE questions on gold scenes: exact answers",
            "clevr.cases",
        ),
        Corpus(
            "refplus",
            "clevr",
            ("refexps.json", "image_refexps.json"),
            "CLEVR-Ref+ expressions on gold scenes: exact sets of objects",
            "clevr.cases",
        ),
        Corpus(
            "localization",
            "clevr",
            ("localization.json",),
            "CLEVR localization expressions on gold scenes: exact sets of objects",
            "clevr.cases",
        ),
        Corpus(
            "sugarcrepe",
            "text",
            (
                "sugarcrepe.jsonl",
                *("add_att.json", "add_obj.json", "replace_att.json", "replace_obj.json"),
                *("replace_rel.json", "swap_att.json", "swap_obj.json"),
            ),
            "SugarCrepe pairs: programs that differ at the changed words only",
            "captions.cases",
        ),
        Corpus(
            "valse",
            "text",
            (
                "valse.jsonl",
                *("actant-swap.json", "action-replacement.json", "coreference-hard.json"),
                *("coreference-standard.json", "counting-adversarial.json", "counting-hard.json"),
                *("counting-small-quant.json", "existence.json", "foil-it.json", "plurals.json"),
                "relations.json",
            ),
            "VALSE pairs: programs that differ at the changed words only",
            "captions.cases",
        ),
        Corpus(
            "vsr",
            "text",
            ("vsr_dev.jsonl", "dev.jsonl"),
            "VSR captions: coverage",
            "captions.cases",
        ),
        Corpus(
            "clevrhumans",
            "text",
            ("clevr_humans_questions.txt",),
            "CLEVR-Humans questions, one a line: coverage",
            "texts.cases",
        ),
        Corpus(
            "nlvr",
            "nlvr",
            ("dev.json", "train.json", "test.json", "hidden.json"),
            "NLVR sentences on gold scenes: truth, and consistency by sentence",
            "nlvr.cases",
            "nlvr.parser",
        ),
        Corpus(
            "refcoco",
            "refcoco",
            (
                *("refcoco_val.json", "refcocoplus_val.json", "refcocog_val.json"),
                *("refs(unc).json", "refs(google).json", "refs(umd).json", "refs.json"),
            ),
            "RefCOCO, RefCOCO+, RefCOCOg: coverage, and boxes by words for places (IoU 0.5)",
            "refcoco.cases",
        ),
    )
}
"""Name -> corpus."""


def corpus_named(name: str) -> Corpus:
    """The corpus of this name.

    Raises:
        OptionError: there is none; the message lists those that there are.
    """
    if name not in CORPORA:
        hint = did_you_mean(nearest(name, CORPORA))
        raise OptionError(f'the corpus must be one of {", ".join(CORPORA)}, not "{name}"{hint}')
    return CORPORA[name]
