"""Finite verbs after a noun phrase: "a man watches them" as the claim that it is.

"A man watches the dogs" says something of a man, as "a man is watching the dogs" does. By itself it
may also be a careless mention of that man, which is another reading.
"""

from __future__ import annotations

from dataclasses import replace

from neurosym.grammar.classes import WordClass
from neurosym.grammar.tree import Tree
from neurosym.grammar.units import Unit
from neurosym.span import Span

_FINITE = frozenset({"VBZ", "VBP"})
"""Tags of finite verbs; of past forms a tagger cannot tell which are participles."""
_DONE = frozenset({"acting", "standing", "related", "related_by"})
"""What of a nominal may begin with a verb."""
_HELPING = frozenset({WordClass.IS, WordClass.DO})
_MARKS = frozenset({"STOP", "COMMA"})
NO_CLAIM = 1.5
"""Cost of a noun phrase among sentences where a verb in it could make a claim of it."""
MENTION = 0.5
"""Cost of reading a claim that stands alone as a mention of what it is about."""


def ways_to_claim(
    tree: Tree, units: tuple[Unit, ...], *, among: bool
) -> tuple[tuple[float, Tree], ...]:
    """The trees that a sentence may have by its finite verb, each with its cost.

    Args:
        tree: of the sentence.
        units: its words and phrases.
        among: whether it is one of several sentences.
    """
    claim = finite_claim(tree, units)
    if claim is None:
        return ((_passed_over(tree, units) if among else 0.0, tree),)
    return ((0.0, claim),) if among else ((0.0, claim), (MENTION, tree))


def finite_claim(tree: Tree, units: tuple[Unit, ...]) -> Tree | None:
    """The tree of a noun phrase with a finite verb as that of a claim about the noun.

    Args:
        tree: of a sentence.
        units: its words and phrases.

    Returns:
        None when no finite verb follows the noun.
    """
    refer, *rest = tree.children
    if refer.label != "refer" or any(leaf.label not in _MARKS for leaf in rest):
        return None
    subject = refer.children[0]
    last = subject.children[-1] if subject.label == "np_and" else subject
    divided = _divided(last, units)
    if divided is None:
        return None
    noun, predicate = divided
    if subject.label == "np_and":
        children = (*subject.children[:-1], noun)
        noun = Tree("np_and", children, Span(subject.span.start, noun.span.end))
    verified = Tree("verify", (noun, predicate), refer.span)
    return replace(tree, children=(verified, *rest))


def _passed_over(tree: Tree, units: tuple[Unit, ...]) -> float:
    """What it costs to read a sentence as a noun phrase, when a word is tagged as a finite verb."""
    if tree.children[0].label != "refer":
        return 0.0
    finite = any(
        token.tag in _FINITE
        for unit in units
        if not any(sense.word_class in _HELPING for sense in unit.senses)
        for token in unit.tokens
    )
    return NO_CLAIM if finite else 0.0


def _divided(phrase: Tree, units: tuple[Unit, ...]) -> tuple[Tree, Tree] | None:
    """A phrase up to its finite verb, and what it says from there on."""
    nominal = phrase.find("nominal")
    if phrase.label != "phrase" or nominal is None or nominal is not phrase.children[-1]:
        return None
    # "The first": a nominal without a noun is a node of its own.
    alone = nominal.children[0] if len(nominal.children) == 1 else None
    inner = alone if alone is not None and alone.label == "headless" else None
    parts = (inner or nominal).children
    at = next((i for i, part in enumerate(parts) if i and _is_finite(part, units)), None)
    if at is None:
        return None
    end = parts[at - 1].span.end
    span = Span(nominal.span.start, end)
    kept = parts[:at] if inner is None else (replace(inner, children=parts[:at], span=span),)
    noun = replace(nominal, children=kept, span=span)
    start = parts[at].span.start
    said = parts[at:]
    predicate = said[0] if len(said) == 1 else Tree("standing", said, Span(start, phrase.span.end))
    shorter = replace(
        phrase, children=(*phrase.children[:-1], noun), span=Span(phrase.span.start, end)
    )
    return shorter, predicate


def _is_finite(part: Tree, units: tuple[Unit, ...]) -> bool:
    first = next(part.leaves())
    if part.label not in _DONE or first.unit is None:
        return False
    token = units[first.unit].tokens[0]
    # "Two dogs sleep", where taggers see a noun; participles have another form.
    bare = token.tag == "NN" and first.label == "POSTURE" and not token.lower.endswith("ing")
    return token.tag in _FINITE or bare
