"""The garbage collector, put off while many objects are made that nothing will refer back to."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Collect no cycles inside; what is not referred to is freed all the same.

    Charts, trees and programs have no cycles, but there are so many of them for a moment that
    Python would look through all objects of the process again and again: half of the time.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
