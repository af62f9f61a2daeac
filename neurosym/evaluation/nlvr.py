"""NLVR as cases: is a sentence true of a scene?

A sentence of which something that it presupposes is missing ("the tower with four blocks has ...")
is not true of the scene, and the release's raters called it false; so it counts as false here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from neurosym.datasets.nlvr import Item, read_items
from neurosym.evaluation.cases import SceneCase, Verdict
from neurosym.program import Kind, claim_of

if TYPE_CHECKING:
    from neurosym.api import Grounder
    from neurosym.grammar import Lexicon, Parse, Parser


@dataclass(frozen=True, kw_only=True)
class ClaimCase(SceneCase):
    """A sentence about a gold scene, judged as a claim: what is only named is claimed to exist."""

    def judge(self, parses: tuple[Parse, ...], grounder: Grounder) -> Verdict:
        """See :meth:`neurosym.evaluation.cases.Case.judge`."""
        (parse,) = parses
        claims = tuple(replace(r, program=claim_of(r.program, parse.text)) for r in parse.readings)
        verdict = super().judge((replace(parse, readings=claims),), grounder)
        if verdict.ending.value in ("none", "many"):
            ending = type(verdict.ending)("right" if self.is_right(False) else "wrong")
            return replace(verdict, ending=ending, got=False)
        return verdict


def cases(paths: Sequence[Path]) -> Iterator[ClaimCase]:
    """One case for each item of some files of the release.

    Raises:
        DataError: a file is missing, or not of the released form.
    """
    for path in paths:
        for item in read_items(path):
            yield _case(path, item)


def parser(pipeline: str | Path, words: Lexicon | None) -> Parser:
    """A parser with the words of NLVR's scenes, or with a user's lexicon in their place."""
    from neurosym.grammar import Lexicon, Parser

    return Parser(pipeline, Lexicon.domain("nlvr") if words is None else words)


def _case(path: Path, item: Item) -> ClaimCase:
    return ClaimCase(
        key=f"{path.stem}/{item.identifier}",
        split_key=item.group,
        texts=(item.sentence,),
        group=f"{path.stem}/{item.group}",
        scene=item.scene,
        expected=item.label,
        kinds=(Kind.TRUTH,),
        is_right=item.is_right,
    )
