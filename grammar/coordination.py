"""Trees of noun phrases in lists: what parts share, and what follows the last is said of all."""

from __future__ import annotations

from dataclasses import replace

from neurosym.grammar.division import divide
from neurosym.grammar.meaning import NounPhrase, Quantified, Scored, head_of
from neurosym.grammar.tree import Tree
from neurosym.program import Select

UNLIKE_PARTS = 0.4
"""Cost of joining phrases whose determiners differ."""


def with_posts(part: Tree, posts: list[Tree]) -> Tree:
    """A phrase that is modified by what follows another one as well."""
    nominal = part.find("nominal")
    assert nominal is not None
    inner = nominal.children[0]
    if lacks_head(nominal):
        inner = replace(inner, children=(*inner.children, *posts))
        grown = replace(nominal, children=(inner, *nominal.children[1:]))
    else:
        grown = replace(nominal, children=(*nominal.children, *posts))
    return replace(part, children=tuple(grown if c is nominal else c for c in part.children))


def lacks_head(nominal: Tree) -> bool:
    """Whether a nominal is modifiers alone."""
    return nominal.children[0].label == "headless"


def to_each_other_of(phrase: Tree) -> Tree | None:
    """What a phrase ends in, if that relates several things to each other."""
    nominal = phrase.find("nominal")
    posts = [] if nominal is None else divide(nominal)[2]
    last = posts[-1] if posts else None
    if last is None or last.label != "mutual" or last.find("ASPECT") is not None:
        return None
    return last


def without_post(phrase: Tree, post: Tree) -> Tree:
    """A phrase without a modifier after its noun."""
    nominal = phrase.find("nominal")
    assert nominal is not None
    kept = tuple(c for c in nominal.children if post is not c and post not in c.children)
    rest = replace(nominal, children=kept)
    return replace(phrase, children=tuple(rest if c is nominal else c for c in phrase.children))


def lists_two(tree: Tree) -> bool:
    """Whether two values are joined by "and" in a phrase: "both red and blue cups"."""
    nominal = tree.find("nominal")
    values = nominal.find("attributes") if nominal is not None else None
    return values is not None and values.find("AND") is not None


def ends_in_value(phrase: Tree) -> bool:
    """Whether a phrase ends in a bare colour or the like: "shirt red"."""
    nominal = phrase.find("nominal")
    if nominal is None or lacks_head(nominal):
        return False
    *before, last = nominal.children
    return bool(before) and last.label == "attribute"


def noun_of(phrase: NounPhrase) -> str:
    """The noun of a phrase; empty where it has none."""
    head = head_of(phrase)
    return head.category if isinstance(head, Select) else ""


def lacks_noun(phrase: Tree) -> bool:
    """Whether the noun of a phrase goes without saying."""
    nominal = phrase.find("nominal")
    return nominal is not None and lacks_head(nominal)


def sharing(row: tuple[NounPhrase, ...], phrase: NounPhrase) -> Scored[NounPhrase]:
    """A part after others, as it is or with the determiner before it: "the apple and banana"."""
    if not row:
        return [(0.0, phrase)]
    before = row[-1]
    if isinstance(before, Quantified) and isinstance(phrase, Quantified) and _shares(phrase):
        if _kind(row[0]) == "no":
            return [(0.0, phrase)]
        if before.determiner in ("the", "indefinite", "all", "each") and before.number is None:
            shared = replace(phrase, determiner=before.determiner)
            # "The cup or plates": one "the" seldom stands for a singular and a plural.
            unlike = before.determiner == "the" and before.plural != phrase.plural
            return [(UNLIKE_PARTS if unlike else 0.0, shared), (UNLIKE_PARTS, phrase)]
    return [(UNLIKE_PARTS if _kind(before) != _kind(phrase) else 0.0, phrase)]


def _shares(phrase: Quantified) -> bool:
    return phrase.determiner == "bare" and phrase.number is None


def _kind(phrase: NounPhrase) -> str:
    """What a phrase says of how many: phrases that say alike are joined more readily."""
    if not isinstance(phrase, Quantified):
        return "coordinated"
    if _shares(phrase):
        # "Dark windows and a silver grill": a plural has no other indefinite.
        return "indefinite"
    return "number" if phrase.determiner == "comparison" else phrase.determiner
