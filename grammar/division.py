"""Nominals in their parts: what stands before the head, the head, and what follows it."""

from __future__ import annotations

from neurosym.grammar.tree import Tree

PLACES = ("location", "located", "direction")
"""Labels of places."""

PICKING = {
    *PLACES,
    *("superlative", "ordinal", "counted", "nearest", "picked", "counted_before"),
}
"""Labels of what can pick from a set."""


def divide(tree: Tree) -> tuple[list[Tree], Tree | None, list[Tree]]:
    """Modifiers before the head, the head, and what follows it.

    A clause is given as what it says; only one that a comma sets apart from what has been picked
    ("the largest cup, which is red") stays a clause.
    """
    before = (
        *("negated", "attribute", "attributes", "superlative", "ordinal", "location", "quality"),
        *("participle", "other", "varied", "measured", "counted_before", "in_row", "twins"),
    )
    heads = ("noun", "nouns", "thing", "things", "one", "ones", "others", "joined", "digits")
    parts = [child for child in tree.children if child.unit is None]
    pres = [part for part in parts if part.label in before]
    head = next((part for part in parts if part.label in heads), None)
    picks = any(pre.label in PICKING for pre in pres)
    posts = [
        part.children[-1] if part.label == "clause" and not (picks and part.find("COMMA")) else part
        for part in parts
        if part.label not in before and part.label not in heads
    ]
    return pres, head, spread(posts)


def spread(posts: list[Tree]) -> list[Tree]:
    """Modifiers with "standing on the left" as the two that it is: a place may pick."""
    found: list[Tree] = []
    for post in posts:
        parts = [child for child in post.children if child.unit is None]
        found += spread(parts) if post.label == "standing" else [post]
    return found
