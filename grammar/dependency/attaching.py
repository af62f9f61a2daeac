"""What a parser has hung on the wrong noun of a dependency tree, hung where it rather belongs."""

from __future__ import annotations

from collections.abc import Iterator

from neurosym.grammar.classes import NOUNS, WordClass
from neurosym.grammar.dependency.arcs import Word
from neurosym.grammar.preferences import ACTING, Preferences, Said

HIGHER = 0.5
"""Cost of hanging something on a noun further up, as in the grammar's rules."""

_CLAUSES = ("acl", "relcl")
_LINKS = (WordClass.RELATION, WordClass.SIDE_RELATION)


def attach(trees: list[Word], preferences: Preferences) -> None:
    """Move prepositions and clauses of nouns up to where they suit better, in place.

    Only nouns that the modifier's own noun restricts are tried, so no arcs come to cross.

    Args:
        trees: the dependency trees of a sentence.
        preferences: what kinds of nouns modifiers suit.
    """
    for tree in trees:
        for word in [*tree.walk()]:
            if word.head is not None and word.relation in ("prep", *_CLAUSES):
                _move(word, preferences)


def _move(word: Word, preferences: Preferences) -> None:
    assert word.head is not None
    said = _said(word)
    chain = [*_above(word.head)]
    if len(chain) < 2 or word.index < word.head.index:
        return
    costs = []
    for rank, (noun, owner, relation) in enumerate(chain):
        above = "" if owner is None else _name(owner)
        name = _name(noun)
        low = preferences.of_landmark(above, name, said, relation)
        misfit = preferences.of_head(name, said) if owner is None else low
        costs.append((misfit + HIGHER * rank, rank))
    best = chain[min(costs)[1]][0]
    if best is word.head:
        return
    word.head.children.remove(word)
    word.head = best
    best.children = sorted([*best.children, word], key=lambda child: child.index)


def _above(noun: Word) -> Iterator[tuple[Word, Word | None, str]]:
    """A noun and those that it restricts by a preposition, each with its owner and relation."""
    here: Word | None = noun
    while here is not None and here.tag.startswith("NN"):
        first = here
        while first.relation == "conj" and first.head is not None:
            # "In a cap and a shirt": what holds of the first of several holds of all.
            first = first.head
        link = first.head if first.relation == "pobj" else None
        owner = link.head if link is not None and link.relation == "prep" else None
        if link is None or owner is None or not owner.tag.startswith("NN"):
            yield here, None, ""
            return
        yield here, owner, _relation(link)
        here = owner


def _said(word: Word) -> Said:
    inner = next(iter(word.below("pobj", "dobj")), None)
    noun = "" if inner is None else _name(inner)
    bound = inner is not None and inner.tag in ("PRP", "PRP$")
    if word.relation == "prep":
        return Said(_relation(word), noun, bound=bound)
    passive = word.tag == "VBN" or bool(word.below("agent", "auxpass"))
    who = any(child.lower == "who" for child in word.children)
    return Said("related_by" if passive else ACTING, noun, word.lemma, who=who, bound=bound)


def _relation(word: Word) -> str:
    found = next((c for c in _LINKS if word.has(c)), None)
    return word.lower if found is None else word.sense(found).concept


def _name(word: Word) -> str:
    found = next((c for c in NOUNS if word.has(c)), None)
    return word.lemma if found is None else word.sense(found).concept
