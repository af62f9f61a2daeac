"""Plain texts as cases, one a line: what share of them is understood."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from neurosym.errors import DataError
from neurosym.evaluation.cases import Case, Ending, Verdict

if TYPE_CHECKING:
    from neurosym.api import Grounder
    from neurosym.grammar import Parse


def cases(paths: Sequence[Path]) -> Iterator[Case]:
    """One case for each line that is not empty, for coverage only; its text decides its part.

    Raises:
        DataError: a file is no UTF-8 text.
    """
    for path in paths:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError as error:
            raise DataError(f'"{path}" is no UTF-8 text: {error}') from error
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield TextCase(
                    key=f"{path.stem}:{number}", split_key=line, texts=(line,), judged=False
                )


@dataclass(frozen=True, kw_only=True)
class TextCase(Case):
    """A text without gold."""

    def judge(self, parses: tuple[Parse, ...], grounder: Grounder) -> Verdict:
        """See :meth:`Case.judge`; there is nothing to judge it by."""
        del parses, grounder
        return Verdict(Ending.UNJUDGED)
