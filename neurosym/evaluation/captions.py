"""Captions as cases: do the programs of a pair differ where its words do, and only there?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from neurosym.datasets.captions import read_captions
from neurosym.evaluation.cases import Case, Ending, Verdict
from neurosym.program import changed_words, claim_of, difference, differs_only_at

if TYPE_CHECKING:
    from neurosym.api import Grounder
    from neurosym.grammar import Parse


def cases(paths: Sequence[Path]) -> Iterator[Case]:
    """One case for each pair of a caption and its foil, and for each caption that has none.

    Pairs of which people do not agree which is the caption count for coverage only, and so do
    captions without a foil.

    Raises:
        DataError: a file is not of the released form.
    """
    for path in paths:
        for caption in read_captions(path):
            yield PairCase(
                key=caption.key,
                split_key=caption.photograph,
                texts=(caption.text, caption.foil) if caption.foil else (caption.text,),
                family=caption.kind if caption.foil else "",
                judged=bool(caption.foil) and caption.valid,
            )


@dataclass(frozen=True, kw_only=True)
class PairCase(Case):
    """A caption and its foil."""

    def judge(self, parses: tuple[Parse, ...], grounder: Grounder) -> Verdict:
        """See :meth:`Case.judge`; right when the claims differ, and only at the changed words."""
        del grounder
        claims = [claim_of(parse.program, parse.text) for parse in parses]
        changes = difference(*claims)
        words = changed_words(*self.texts)
        right = bool(changes) and differs_only_at(changes, *words)
        return Verdict(
            Ending.RIGHT if right else Ending.WRONG,
            expected=[
                [span.of(t) for span in spans] for t, spans in zip(self.texts, words, strict=True)
            ],
            got=[str(change) for change in changes],
            programs=tuple(map(str, claims)),
            message="" if changes else "the programs do not differ",
        )
