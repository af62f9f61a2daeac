"""Senses of words: which of several things a noun names, by its company and what it does.

A phrase that is listed under several concepts has several senses, the usual one first. A program is
made with the first; this module gives it the others as further readings, with costs that the words
around it lower. The scene then decides between readings.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from neurosym.grammar.classes import NOUNS, WordClass
from neurosym.grammar.notes import ROLES
from neurosym.grammar.open_class import singular
from neurosym.program import Filter, Op, RelatedBy, Select
from neurosym.program.operator import names_of
from neurosym.span import Span

if TYPE_CHECKING:
    from neurosym.grammar.lexicon import Lexicon, Sense
    from neurosym.grammar.tokens import Token
    from neurosym.grammar.units import Unit

UNUSUAL = 1.2
"""Cost of a sense that is not the first listed, when nothing speaks for it."""
CUE = 1.5
"""What a word around is worth that speaks for a sense; two of them count at most."""
SELECTED = 1.5
"""What a verb is worth that is said of such things, or done to them."""
MAX_VARIANTS = 4
"""Most readings made of one by other senses, itself included."""

QUALITY = "quality"
"""The attribute of adjectives."""
_Spot: TypeAlias = tuple[str, Span]


@dataclass(frozen=True, slots=True)
class Choice:
    """A word of several senses, and the one that it is taken in.

    Attributes:
        words: as written.
        span: where they stand.
        concept: the sense, by the name that programs use.
        about: what tells it from the others.
        because: the words of the text that speak for it.
    """

    words: str
    span: Span
    concept: str
    about: str
    because: tuple[str, ...]

    def __str__(self) -> str:
        why = f", because of {', '.join(self.because)}" if self.because else ""
        about = f" ({self.about})" if self.about else ""
        return f'"{self.words}" at {self.span} as "{self.concept}"{about}{why}'


@dataclass(frozen=True, slots=True)
class Variant:
    """One sense for every word of a program that has several.

    Attributes:
        cost: of these senses; 0 for the likeliest ones.
        choices: the words of several senses, and what they are taken for.
        concepts: the same by what the program has there in first senses.
    """

    cost: float
    choices: tuple[Choice, ...] = ()
    concepts: Mapping[_Spot, str] = field(default_factory=dict)

    def read(self, program: Op) -> Op:
        """A program in these senses, from the same in first senses."""

        def change(node: Op) -> Op:
            spots = (self.concepts[spot] for spot in _spots(node) if spot in self.concepts)
            concept = next(spots, None)
            if concept is not None and isinstance(node, Filter):
                attribute, _, value = concept.partition(":")
                return replace(node, attribute=attribute, value=value)
            if concept is not None and isinstance(node, Select):
                return replace(node, category=concept)
            return node

        return program.rebuild(change) if self.concepts else program


def variants(
    text: str, program: Op, tokens: Iterable[Token], units: Iterable[Unit], lexicon: Lexicon
) -> list[Variant]:
    """The senses that the words of a program can have together, the likeliest first.

    Args:
        text: the whole text.
        program: with the first sense of every word.
        tokens: of the text.
        units: of the reading.
        lexicon: what the senses are.

    Returns:
        At least one; the first costs nothing.
    """
    several = {unit.span: unit for unit in units if any(len(c) > 1 for c in named_by(unit.senses))}
    if not several:
        return [Variant(0.0)]
    selected = _selected(program)
    words = tuple(tokens)
    spots: dict[_Spot, list[tuple[float, Choice]]] = {}
    for node in program.walk():
        for spot in _spots(node):
            unit = several.get(spot[1])
            concepts = next((c for c in named_by(unit.senses) if spot[0] in c), ()) if unit else ()
            if unit and len(concepts) > 1:
                said = selected.get(spot, ())
                spots[spot] = _weighed(text, unit, concepts, words, said, lexicon)
    combined = itertools.islice(itertools.product(*spots.values()), 4**MAX_VARIANTS)
    cheapest = heapq.nsmallest(
        MAX_VARIANTS, combined, key=lambda choices: sum(cost for cost, _ in choices)
    )
    return [
        Variant(
            round(sum(cost for cost, _ in choices), 6),
            tuple(choice for _, choice in choices),
            dict(zip(spots, (choice.concept for _, choice in choices), strict=True)),
        )
        for choices in cheapest
    ]


def named_by(senses: Iterable[Sense]) -> tuple[tuple[str, ...], ...]:
    """What a word can stand for, the usual first: as a noun, as an attribute, as an adjective."""
    nouns = [s.concept for s in senses if s.word_class in NOUNS]
    attributes = [
        f"{s.dimension}:{s.concept}" for s in senses if s.word_class is WordClass.ATTRIBUTE
    ]
    adjectives = [f"{QUALITY}:{s.concept}" for s in senses if s.word_class is WordClass.ADJECTIVE]
    return tuple(tuple(dict.fromkeys(each)) for each in (nouns, attributes, adjectives))


def _spots(node: Op) -> Iterator[_Spot]:
    """What a node takes from a word of the text: a concept, and the place of the word."""
    if isinstance(node, Select):
        yield from ((node.category, span) for span in node.words)
    elif isinstance(node, Filter):
        yield from ((f"{node.attribute}:{node.value}", span) for span in node.words)


def _weighed(
    text: str,
    unit: Unit,
    concepts: tuple[str, ...],
    tokens: tuple[Token, ...],
    selected: Iterable[tuple[str, str]],
    lexicon: Lexicon,
) -> list[tuple[float, Choice]]:
    """The senses of a word with their costs; the likeliest costs nothing."""
    others = [token for token in tokens if token not in unit.tokens]
    found: list[tuple[float, Choice]] = []
    for number, concept in enumerate(concepts):
        note = lexicon.note(concept)
        near = [token.text for token in others if note and not note.near.isdisjoint(_forms(token))]
        verbs = [
            said
            for role, said in selected
            if note and note.kind and note.kind in lexicon.selects(role, said)
        ]
        worth = min(2, len(set(near))) * CUE + (SELECTED if verbs else 0.0)
        because = tuple(dict.fromkeys((*near, *verbs)))
        choice = Choice(unit.span.of(text), unit.span, concept, note.about if note else "", because)
        found.append((worth - (UNUSUAL if number else 0.0), choice))
    best = max(worth for worth, _ in found)
    return sorted(((best - worth, choice) for worth, choice in found), key=lambda scored: scored[0])


def _forms(token: Token) -> tuple[str, ...]:
    # The lemma is the tagger's, and not every text is tagged.
    return (token.lower, token.lemma, singular(token.lower))


def _selected(program: Op) -> dict[_Spot, tuple[tuple[str, str], ...]]:
    """For every noun, the verbs that it is subject or object of, as (role, verb)."""
    found: dict[_Spot, tuple[tuple[str, str], ...]] = {}

    def note(op: Op, role: str, verb: str) -> None:
        head = _head(op)
        for span in head.words if head else ():
            assert head is not None
            key = (head.category, span)
            found[key] = (*found.get(key, ()), (role, verb))

    for node in program.walk():
        names = dict(names_of(node))
        if "relation" in names and len(node.operands) == 2:
            roles = ROLES[::-1] if isinstance(node, RelatedBy) else ROLES
            for operand, role in zip(node.operands, roles, strict=True):
                note(operand, role, names["relation"])
        elif names.get("attribute") == "action" and node.operands:
            note(node.operands[0], "subject", names.get("value", ""))
    return found


def _head(op: Op) -> Select | None:
    """The noun that a phrase is about: what its first operands come down to."""
    while not isinstance(op, Select):
        if not op.operands:
            return None
        op = op.operands[0]
    return op
