"""Texts in canonical form: with stand-ins for words that any other of their kind could be.

A canonical form has one stand-in for every noun, one for the attributes before it (also where there
are none), one for every ordinal, place and direction; all else is in it as it was said. "The red
cube behind the ball" and "the large metal thing in front of the cube" have the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from neurosym.grammar.classes import WordClass
from neurosym.grammar.lexicon import Lexicon, Sense
from neurosym.grammar.open_class import singular
from neurosym.grammar.ranks import ORDER_OF_PLACE
from neurosym.grammar.senses import named_by
from neurosym.grammar.units import Unit
from neurosym.program import DIRECTIONAL

NOUN, NOUNS, OPTIONAL = "suitcase", "suitcases", "suitcase(s)"
ATTRIBUTE, MATERIAL = "wooden", "wood"
ORDINAL = "seventh"
PLACE = "right"
DIRECTION = "below"
ATTRIBUTES = "attributes"
HEAD = "head"
_IN_CONTEXT = frozenset(
    {
        *(WordClass.VERB, WordClass.POSTURE, WordClass.PASSIVE, WordClass.PARTICLE),
        *(WordClass.FILLER, WordClass.ADVERB, WordClass.UNKNOWN),
    }
)
"""Classes of words that are cut from a sentence by what stands around them."""
_ATTRIBUTIVE = frozenset({WordClass.ATTRIBUTE, WordClass.COLOUR, WordClass.DEGREE, WordClass.NOUN})
_THINGS = {WordClass.THING: NOUN, WordClass.THINGS: NOUNS}
_NOUNS = {WordClass.NOUN: NOUN, WordClass.PLURAL_NOUN: NOUNS}
_PLACES = frozenset({WordClass.LOCATION, WordClass.GUESSED_NOUN, WordClass.LEFT_OVER})
_NOMINAL = frozenset(
    {*_THINGS, *_NOUNS, WordClass.GUESSED_NOUN, WordClass.GUESSED_PLURAL, WordClass.GENITIVE}
)

Word: TypeAlias = tuple[str, int, int, bool]
"""A token's plain form, its first and last end in the text, and whether it is listed by itself."""


@dataclass(frozen=True, slots=True)
class _Listed:
    """A word or phrase of the lexicon, and the stand-ins that there are for it.

    Attributes:
        senses: what it can be.
        said: it itself; of a command, the first phrase for it.
        role: the kind of stand-in; empty when it is verbatim in a canonical form.
        canonical: the stand-in's word.
        value: what a program has in place of the stand-in's.
        after: what must come before it for that; None for anything.
        nominal: whether it may be part of a compound.
        bound: whether it cannot be in a canonical form.
        opens: whether it can be only at the beginning.
        named: whether it names a kind of thing.
        relates: whether it is a relation that says what sort of things are related.
        near: where it names several things, words that speak for others than the first; else
            None.
    """

    senses: tuple[Sense, ...]
    said: str
    role: str
    canonical: str
    value: Any
    after: frozenset[WordClass] | None
    nominal: bool
    bound: bool
    opens: bool
    named: bool
    relates: bool
    near: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class _Way:
    """Where in the lexicon some words lead.

    Attributes:
        listed: what they are together.
        onward: where they lead with one more word, as far as that was asked for; None when no
            phrase of the lexicon goes on from them.
    """

    listed: _Listed
    onward: dict[str, _Way] | None


@dataclass(frozen=True, slots=True)
class Form:
    """A text in canonical form.

    Attributes:
        key: of each part its role and the word that stands for it.
        starts, ends: where each part is in the text; of a run of no attributes, where it would be.
        values: what a program has for each part that is a stand-in's; of attributes, each with its
            first and last end, the first said first.
        cut: the words and phrases of the text, with their ends and senses.
    """

    key: tuple[tuple[str, str], ...]
    starts: list[int]
    ends: list[int]
    values: list[Any]
    cut: list[tuple[int, int, tuple[Sense, ...]]]

    @property
    def text(self) -> str:
        """It as a text."""
        return " ".join(word for _, word in self.key)

    @property
    def words(self) -> list[Word]:
        """The words of that text."""
        found: list[Word] = []
        at = 0
        for word in self.text.split():
            found.append((word.replace("(s)", "s"), at, at + len(word), True))
            at += len(word) + 1
        return found

    def agrees(self, units: Iterable[Unit]) -> bool:
        """Whether a text was cut into these words and phrases."""
        return [(u.span.start, u.span.end, u.senses) for u in units] == [
            part for part in self.cut if part[2]
        ]


class Former:
    """Finds the canonical forms of texts.

    Args:
        lexicon: the words.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._featured = lexicon.featured
        self._ways: dict[str, _Way] = {}
        # A lexicon in which the stand-ins are something else has no canonical forms.
        self._usable = all(
            self._read((word,)).role == role
            for word, role in (
                *((NOUN, HEAD), (NOUNS, HEAD), (ATTRIBUTE, ATTRIBUTES)),
                *((ORDINAL, ORDINAL), (PLACE, PLACE), (DIRECTION, DIRECTION)),
            )
        )

    def __call__(self, words: Sequence[Word]) -> Form | None:
        """The canonical form of a text; None where it cannot be had.

        Args:
            words: of the text.
        """
        if not self._usable:
            return None
        key: list[tuple[str, str]] = []
        starts: list[int] = []
        ends: list[int] = []
        values: list[Any] = []
        cut: list[tuple[int, int, tuple[Sense, ...]]] = []
        run: list[tuple[_Listed, int, int]] = []
        before: _Listed | None = None
        position, count = 0, len(words)
        several: list[frozenset[str]] = []
        relates = False

        def add(role: str, word: str, start: int, end: int, value: Any) -> None:
            key.append((role, word))
            starts.append(start)
            ends.append(end)
            values.append(value)

        while position < count:
            stop, listed = self._longest(words, position)
            if listed.bound or (listed.opens and position):
                return None
            last_word, start, end, sure = words[position]
            # "cup(s)" is one cup or several, and may be said of one.
            optional = end - start > len(last_word)
            if stop > position + 1:
                inner = words[position : stop - 1]
                if any(e - s > len(word) for word, s, e, _ in inner):
                    return None
                if listed.named and not all(word[3] for word in words[position:stop]):
                    return None
                last_word, s, end, _ = words[stop - 1]
                optional = end - s > len(last_word)
            elif not sure:
                return None
            if listed.near is not None:
                several.append(listed.near)
            relates = relates or listed.relates
            cut.append((start, end, listed.senses))
            if listed.role == ATTRIBUTES:
                run.append((listed, start, end))
            elif listed.role == HEAD:
                if before is not None and before.nominal and not run:
                    return None
                first = run[0][1] if run else start
                last = run[-1][2] if run else start
                said = [(s, e, *each.value) for each, s, e in run]
                add(ATTRIBUTES, ATTRIBUTE, first, last, said)
                canonical = OPTIONAL if optional else listed.canonical
                add(HEAD, canonical, start, end, listed.value)
                run = []
            else:
                for each, s, e in run:
                    add("", each.said, s, e, None)
                run = []
                stands = listed.role and (
                    listed.after is None
                    or (
                        before is not None
                        and any(sense.word_class in listed.after for sense in before.senses)
                    )
                )
                if listed.nominal and before is not None and before.role == HEAD:
                    return None
                if optional:
                    add("", f"{listed.said[:-1]}(s)", start, end, None)
                elif stands:
                    add(listed.role, listed.canonical, start, end, listed.value)
                else:
                    add("", listed.said, start, end, None)
            before = listed
            position = stop
        for each, s, e in run:
            add("", each.said, s, e, None)
        if several and (relates or _is_decided(words, several)):
            return None
        return Form(tuple(key), starts, ends, values, cut)

    def _longest(self, words: Sequence[Word], position: int) -> tuple[int, _Listed]:
        """The longest word or phrase of the lexicon at a position, and where it ends."""
        first = words[position][0]
        way = self._ways.get(first)
        if way is None:
            way = self._ways[first] = self._way((first,))
        found, end, next_word = way.listed, position + 1, position + 1
        while way.onward is not None and next_word < len(words):
            word = words[next_word][0]
            further = way.onward.get(word)
            if further is None:
                longer = (*[each[0] for each in words[position:next_word]], word)
                further = way.onward[word] = self._way(longer)
            next_word += 1
            way = further
            if way.listed.senses:
                found, end = way.listed, next_word
        return end, found

    def _way(self, words: tuple[str, ...]) -> _Way:
        leads = self._lexicon.leads(words)
        return _Way(self._read(words), {} if leads else None)

    def _read(self, words: tuple[str, ...]) -> _Listed:
        """A word or phrase; without senses where it is not listed."""
        bases = tuple((base,) if (base := singular(w)) != w else () for w in words)
        matches = self._lexicon.matches(words, bases, 0)
        whole = bool(matches) and matches[0][0] == len(words)
        senses = matches[0][1] if whole else ()
        classes = frozenset(sense.word_class for sense in senses)
        role, canonical, value, after = self._stand_in(senses, classes)
        mark = not words[0][0].isalnum()
        return _Listed(
            senses,
            self._command(senses) if WordClass.COMMAND in classes else " ".join(words),
            role,
            canonical,
            value,
            after,
            nominal=not classes.isdisjoint(_NOMINAL) and role != ATTRIBUTES,
            bound=(not senses and not (mark and len(words[0]) == 1))
            or not classes.isdisjoint(_IN_CONTEXT)
            or words in (("on",), ("so",), ("even",), ("too",))
            or (WordClass.COMMAND in classes and len(classes) > 1),
            opens=WordClass.COMMAND in classes,
            named=not classes.isdisjoint(_NOUNS),
            relates=WordClass.RELATION in classes and role != DIRECTION,
            near=self._near(senses),
        )

    def _command(self, senses: tuple[Sense, ...]) -> str:
        """The first phrase for a command: "find" for "look at"."""
        phrases = self._lexicon.phrases(WordClass.COMMAND)
        return next(p for p in phrases if self._lexicon.senses(p) == senses)

    def _near(self, senses: tuple[Sense, ...]) -> frozenset[str] | None:
        """What speaks for another than the first thing that a word names; None if it names one."""
        several = [named for named in named_by(senses) if len(named) > 1]
        if not several:
            return None
        notes = [self._lexicon.note(concept) for named in several for concept in named[1:]]
        return frozenset(word for note in notes if note is not None for word in note.near)

    def _stand_in(
        self, senses: tuple[Sense, ...], classes: frozenset[WordClass]
    ) -> tuple[str, str, Any, frozenset[WordClass] | None]:
        """The kind of stand-in for a word, its word, the value it stands for, and after what."""
        if WordClass.ATTRIBUTE in classes and classes <= _ATTRIBUTIVE:
            (said, *others) = [s for s in senses if s.word_class is WordClass.ATTRIBUTE]
            named = {s.concept for s in senses if s.word_class is WordClass.NOUN}
            if not others and named <= {said.concept}:
                return ATTRIBUTES, ATTRIBUTE, (said.dimension, said.concept), None
        if len(classes) == 1 and classes <= set(_NOUNS):
            # Of several senses the first is meant, or the form is not had.
            if all(sense.concept not in self._featured for sense in senses):
                return HEAD, _NOUNS[senses[0].word_class], senses[0].concept, None
        elif len(senses) == 1:
            (sense,) = senses
            if sense.word_class in _THINGS:
                return HEAD, _THINGS[sense.word_class], None, None
            if sense.word_class is WordClass.ORDINAL and sense.concept.isdecimal():
                return ORDINAL, ORDINAL, int(sense.concept), None
            if sense.word_class is WordClass.RELATION and sense.concept in DIRECTIONAL:
                return DIRECTION, DIRECTION, sense.concept, None
            if sense.word_class is WordClass.SIDE_RELATION and sense.concept in DIRECTIONAL:
                return DIRECTION, DIRECTION, sense.concept, frozenset({WordClass.IS})
        places = [s.concept for s in senses if s.word_class is WordClass.LOCATION]
        if len(places) == 1 and classes <= _PLACES and places[0] in ORDER_OF_PLACE:
            return PLACE, PLACE, ORDER_OF_PLACE[places[0]], frozenset({WordClass.FROM})
        return "", "", None, None


def _is_decided(words: Sequence[Word], several: Iterable[frozenset[str]]) -> bool:
    """Whether a text has words that decide what other words name."""
    said = {word[0] for word in words}
    said |= {singular(word) for word in said}
    return not all(near.isdisjoint(said) for near in several)
