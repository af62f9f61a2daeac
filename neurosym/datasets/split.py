"""The open and the closed part of a corpus.

Rules are written with the open part in view. The closed part is looked at only when they are done,
and both are reported: what counts is how a rule does on text that nobody had read.
"""

from __future__ import annotations

import hashlib
from typing import Literal, TypeAlias

Part: TypeAlias = Literal["open", "closed"]

ONE_IN = 5
"""One key in so many is closed."""


def part_of(key: str) -> Part:
    """The part that a key belongs to: a fifth of all keys is closed.

    Everything that is said of one thing shares its key, or the closed part would hold texts much
    like open ones: an NLVR sentence's number, a CLEVR image's file name, the number of a
    photograph (so that a photograph is in the same part of every corpus), else the text itself.

    Args:
        key: any text; only its SHA-256 counts.

    Example:
        >>> part_of("4025"), part_of("4026")
        ('open', 'open')
    """
    digest = hashlib.sha256(key.encode()).digest()
    return "closed" if int.from_bytes(digest[:8], "big") % ONE_IN == 0 else "open"
