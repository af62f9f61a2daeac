"""Progress of a download: a bar on a terminal, else one line for each model."""

from __future__ import annotations

import sys
from typing import Any


class Progress:
    """Tells a person on stderr what the model store does.

    Args:
        show: True draws a bar, False says nothing, None draws a bar when stderr is a terminal and
            writes plain lines otherwise.
    """

    def __init__(self, show: bool | None = None) -> None:
        self._silent = show is False
        self._draws = bool(show) or (show is None and sys.stderr.isatty())
        self._bar: Any = None

    def say(self, text: str) -> None:
        """Writes one line, unless silent."""
        if not self._silent:
            print(f"neurosym: {text}", file=sys.stderr, flush=True)

    def start(self, text: str, total: int) -> None:
        """Begins one download of ``total`` bytes (0 when that is not known)."""
        self.close()
        if not self._draws:
            self.say(f"fetching {text}")
            return
        from tqdm import tqdm

        self._bar = tqdm(
            total=total or None, desc=text, unit="B", unit_scale=True, file=sys.stderr, leave=False
        )

    def at(self, done: int) -> None:
        """Moves the bar to ``done`` bytes."""
        if self._bar is not None:
            self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Ends the download that was begun last; harmless when there is none."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def megabytes(size: int) -> str:
    """``size`` bytes for a person, such as ``7.8 MB``."""
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"
