"""The lexicon: phrases, their word classes and the concepts they stand for."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias

from neurosym.errors import LexiconError, did_you_mean, nearest
from neurosym.grammar.classes import WORD_CLASSES, WordClass
from neurosym.grammar.notes import Note, read_note, read_role
from neurosym.program import (
    Command,
    Comparative,
    Comparison,
    Equative,
    Op,
    Pointed,
    Superlative,
    TheGroup,
    signature,
)
from neurosym.program.operator import Name

REMEMBERED = 16384
"""Phrases whose pieces are remembered."""

_PIECE = re.compile(r"[\w']+|[^\w\s]")
_DIMENSIONED = {WordClass.ATTRIBUTE, WordClass.LOCATION, WordClass.ASPECT}
_FACTORS = {WordClass.MULTIPLE, WordClass.FRACTION}
_NOUNS = {WordClass.NOUN, WordClass.GUESSED_NOUN}
_PLURALS = {
    WordClass.NOUN: WordClass.PLURAL_NOUN,
    WordClass.GUESSED_NOUN: WordClass.GUESSED_PLURAL,
}
_SINGULARS = {plural: single for single, plural in _PLURALS.items()}
_NAMING = {*_PLURALS, *_PLURALS.values()}
_NAMED_BY: dict[WordClass, type[Op]] = {
    WordClass.SUPERLATIVE: Superlative,
    WordClass.NEAREST: Superlative,
    WordClass.FARTHEST: Superlative,
    WordClass.COMPARATIVE: Comparative,
    WordClass.DEGREE: Equative,
    WordClass.FORM: TheGroup,
    WordClass.COMMAND: Command,
    WordClass.POINTING: Pointed,
    WordClass.POINTING_MANY: Pointed,
}
"""The classes whose concepts are names that an operator declares."""
_COMPARISONS = {
    WordClass.COMPARISON,
    WordClass.MORE,
    WordClass.AS_MANY,
    WordClass.EQUALLY_MANY,
}


@dataclass(frozen=True, slots=True)
class Sense:
    """One thing a phrase can be.

    Attributes:
        word_class: what it can do in a sentence.
        concept: what it stands for, by the name that programs use.
        dimension: for an attribute or a location, the attribute whose value ``concept`` is; for
            an aspect, whether it is an "attribute" or the "order" of a measure.
    """

    word_class: WordClass
    concept: str
    dimension: str = ""


_Entry: TypeAlias = tuple[tuple[str, ...], Sense]
"""The pieces of a phrase, and one of its senses."""


@dataclass(slots=True)
class _Node:
    below: dict[str, _Node] = field(default_factory=dict)
    senses: tuple[Sense, ...] = ()


class Lexicon:
    """Phrases with their senses; immutable.

    Make one with :meth:`default`, :meth:`load` or :meth:`add`.
    """

    def __init__(
        self,
        entries: Mapping[str, Iterable[Sense]],
        *,
        features: Mapping[str, frozenset[str]] | None = None,
        foreign: frozenset[str] = frozenset(),
        origins: Mapping[_Entry, str] | None = None,
        notes: Mapping[str, Note] | None = None,
        selects: Mapping[tuple[str, str], frozenset[str]] | None = None,
    ) -> None:
        self._notes = dict(notes or {})
        self._selects = dict(selects or {})
        self._origins = dict(origins or {})
        self._entries = {phrase: tuple(dict.fromkeys(s)) for phrase, s in entries.items()}
        self._features = dict(features or {})
        self.foreign = foreign
        self._root = _Node()
        for phrase, senses in self._entries.items():
            node = self._root
            for piece in pieces(phrase):
                node = node.below.setdefault(piece, _Node())
            node.senses = tuple(dict.fromkeys((*node.senses, *senses)))

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, phrase: object) -> bool:
        return isinstance(phrase, str) and bool(self.senses(phrase))

    def senses(self, phrase: str) -> tuple[Sense, ...]:
        """What ``phrase`` can be; empty when it is not listed."""
        node: _Node | None = self._root
        for piece in pieces(phrase.lower()):
            node = node.below.get(piece) if node else None
        return node.senses if node else ()

    def phrases(self, word_class: WordClass | None = None) -> tuple[str, ...]:
        """Every phrase, or every phrase of a class, in order of definition."""
        return tuple(
            phrase
            for phrase, senses in self._entries.items()
            if word_class is None or any(s.word_class is word_class for s in senses)
        )

    def feature(self, name: str) -> frozenset[str]:
        """The concepts that are listed under a feature; none where no file lists any."""
        return self._features.get(name, frozenset())

    @property
    def featured(self) -> frozenset[str]:
        """The concepts that are listed under any feature."""
        return frozenset().union(*self._features.values())

    def leads(self, words: Iterable[str]) -> bool:
        """Whether a longer phrase begins with these words."""
        node: _Node | None = self._root
        for word in words:
            node = _descend(node, pieces(word)) if node else None
        return node is not None and bool(node.below)

    def has_feature(self, feature: str, concept: str) -> bool:
        """Whether ``concept`` is listed under ``feature`` ("person")."""
        return concept in self.feature(feature)

    def note(self, concept: str) -> Note | None:
        """What is known of a concept that shares its word with others.

        Args:
            concept: of a noun; of an attribute "attribute:value", of an adjective
                "quality:adjective".
        """
        return self._notes.get(concept)

    def selects(self, role: str, verb: str) -> frozenset[str]:
        """The kinds of things that a verb or relation is usually said of.

        Args:
            role: "subject" for what does it, "object" for what it is done to.
            verb: its name in programs.
        """
        return self._selects.get((role, verb), frozenset())

    def origin(self, forms: Iterable[tuple[str, ...]], sense: Sense) -> str | None:
        """Where it is written that a phrase has a sense: ``nouns.toml [noun] cup``.

        Args:
            forms: the words of the phrase, as written and in base forms.
            sense: one of its senses.

        Returns:
            The file and the line's section and key, or None when the lexicon does not say so.
        """
        single = _SINGULARS.get(sense.word_class, sense.word_class)
        for words in forms:
            parts = pieces(" ".join(words))
            for listed in (sense, Sense(single, sense.concept, sense.dimension)):
                if (parts, listed) in self._origins:
                    return self._origins[parts, listed]
        return None

    def matches(
        self, lowers: tuple[str, ...], bases: tuple[tuple[str, ...], ...], start: int
    ) -> list[tuple[int, tuple[Sense, ...]]]:
        """The phrases that begin at word ``start``, longest first, as (end, senses).

        Nouns also match with their last word in the plural, by one of its base forms.
        """
        found: list[tuple[int, tuple[Sense, ...]]] = []
        node = self._root
        for end in range(start, len(lowers)):
            here = _descend(node, pieces(lowers[end]))
            senses = here.senses if here else ()
            for form in bases[end]:
                base = _descend(node, pieces(form))
                if base is None or not base.senses:
                    continue
                known = {s.concept for s in senses if s.word_class in _NAMING}
                senses += tuple(
                    Sense(_PLURALS[sense.word_class], sense.concept)
                    for sense in base.senses
                    if sense.word_class in _NOUNS and sense.concept not in known
                )
            if senses:
                found.append((end + 1, senses))
            if here is None:
                break
            node = here
        return found[::-1]

    def add(
        self,
        phrase: str,
        word_class: WordClass | str,
        concept: str,
        *,
        about: str = "",
        kind: str = "",
        near: Iterable[str] = (),
    ) -> Lexicon:
        """A new lexicon that also has ``phrase``.

        A phrase that is listed already gets one more sense, which is the less usual one.

        Args:
            phrase: one or more words.
            word_class: a class, or its name in lexicon files ("noun", "relation").
            concept: what it stands for; for an attribute or a location "attribute:value", for
                example "color:teal".
            about: a few words that tell this sense from others of the phrase.
            kind: what sort of thing it is, as verbs select it ("animal"); with ``about``.
            near: words in whose company it is meant; with ``about``.

        Raises:
            LexiconError: an unknown class, an empty phrase, or a concept that does not fit.
        """
        name = word_class.key if isinstance(word_class, WordClass) else word_class
        dimension, _, value = concept.rpartition(":") if name in _dimensioned_keys() else ("",) * 3
        section = f"{name}.{dimension}" if dimension else name
        entries: dict[str, list[Sense]] = {p: list(s) for p, s in self._entries.items()}
        new = _enter(entries, section, value or concept, phrase)
        where = f"added [{section}] {value or concept}"
        origins = self._origins | dict.fromkeys(new, where)
        notes = dict(self._notes)
        if about or kind or near:
            notes[concept] = read_note({"about": about, "kind": kind, "near": list(near)})
        return Lexicon(
            entries,
            features=self._features,
            foreign=self.foreign,
            origins=origins,
            notes=notes,
            selects=self._selects,
        )

    @classmethod
    def default(cls) -> Lexicon:
        """The lexicon that comes with the package."""
        return _default()

    @classmethod
    def domain(cls, name: str) -> Lexicon:
        """The default lexicon with the words of a domain in which they mean something else.

        Args:
            name: "nlvr": boxes, and towers of blocks.

        Raises:
            LexiconError: there is no lexicon of that domain.
        """
        return _domain(name)

    @classmethod
    def load(cls, path: str | Path, *, base: Lexicon | None = None) -> Lexicon:
        """The lexicon of a TOML file on top of ``base``, which is the default lexicon.

        Raises:
            LexiconError: the file cannot be read, or an entry is wrong; the message names the
                file and the line.
        """
        try:
            source = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise LexiconError(f'cannot read the lexicon "{path}": {error}') from error
        return read_lexicon(source, str(path), base or cls.default())


@functools.lru_cache(maxsize=REMEMBERED)
def pieces(phrase: str) -> tuple[str, ...]:
    """The parts of a phrase that are matched one by one: words, hyphens and other marks."""
    return tuple(_PIECE.findall(phrase))


def read_lexicon(source: str, name: str, base: Lexicon | None = None) -> Lexicon:
    """Read a lexicon in TOML.

    Args:
        source: the TOML text.
        name: what messages call it, usually the file name.
        base: entries to start from.
    """
    try:
        document = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        number = line.group(1) if line else str(source.count("\n") + 1)
        raise LexiconError(f"{name}, line {number}: not valid TOML: {error}") from error
    start = base or Lexicon({})
    entries: dict[str, list[Sense]] = {p: list(s) for p, s in start._entries.items()}
    features = dict(start._features)
    foreign = start.foreign
    origins = dict(start._origins)
    notes, selects = dict(start._notes), dict(start._selects)
    for section, key, value in _flatten(document):
        try:
            if section == "sense":
                notes[key] = read_note(value)
                continue
            for phrase in _phrases(value, key):
                if section == "forget":
                    entries.pop(phrase, None)
                elif section == "features":
                    features[key] = features.get(key, frozenset()) | {phrase}
                elif section == "foreign":
                    foreign |= {phrase}
                elif section.startswith("selects."):
                    role = read_role(section.removeprefix("selects."))
                    selects[role, key] = selects.get((role, key), frozenset()) | {phrase}
                else:
                    for entry in _enter(entries, section, key, phrase):
                        origins[entry] = f"{name} [{section}] {key}"
        except LexiconError as error:
            where = f"{name}, line {_line_of(source, section, key)}"
            raise LexiconError(f"{where}: {error.message}") from None
    concepts = {_concept_key(sense) for senses in entries.values() for sense in senses}
    for key in document.get("sense", {}):
        if key not in concepts:
            where = f"{name}, line {_line_of(source, 'sense', key)}"
            hint = did_you_mean(nearest(key, concepts))
            raise LexiconError(f'{where}: no phrase is listed under the concept "{key}"{hint}')
    return Lexicon(
        entries, features=features, foreign=foreign, origins=origins, notes=notes, selects=selects
    )


def _concept_key(sense: Sense) -> str:
    """The name that a note on a sense has."""
    if sense.word_class is WordClass.ADJECTIVE:
        return f"quality:{sense.concept}"
    return f"{sense.dimension}:{sense.concept}" if sense.dimension else sense.concept


@functools.lru_cache(maxsize=1)
def _default() -> Lexicon:
    folder = resources.files("neurosym.grammar").joinpath("data")
    lexicon = Lexicon({})
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            lexicon = read_lexicon(file.read_text(encoding="utf-8"), file.name, lexicon)
    return lexicon


@functools.cache
def _domain(name: str) -> Lexicon:
    folder = resources.files("neurosym.grammar").joinpath("domains")
    known = {file.name.removesuffix(".toml"): file for file in folder.iterdir()}
    if name not in known:
        raise LexiconError(f'there is no lexicon of "{name}"{did_you_mean(nearest(name, known))}')
    return read_lexicon(known[name].read_text(encoding="utf-8"), f"{name}.toml", Lexicon.default())


def _descend(node: _Node, path: tuple[str, ...]) -> _Node | None:
    here: _Node | None = node
    for piece in path:
        here = here.below.get(piece) if here else None
    return here


def _dimensioned_keys() -> set[str]:
    return {word_class.key for word_class in _DIMENSIONED}


def _flatten(document: dict[str, Any]) -> Iterable[tuple[str, str, Any]]:
    """(section, concept, phrases) of every line; a section is "noun" or "attribute.color"."""
    for section, table in document.items():
        if not isinstance(table, dict):
            yield section, section, table
            continue
        for key, value in table.items():
            if section in {*_dimensioned_keys(), "selects"} and isinstance(value, dict):
                for concept, phrases in value.items():
                    yield f"{section}.{key}", concept, phrases
            else:
                yield section, key, value


def _phrases(value: Any, key: str) -> list[str]:
    if isinstance(value, list) and value and all(isinstance(phrase, str) for phrase in value):
        return value
    raise LexiconError(f'"{key}" must be a list of phrases in quotes, not {value!r}')


def _enter(
    entries: dict[str, list[Sense]], section: str, concept: str, phrase: str
) -> list[_Entry]:
    """Add a phrase with a sense; returns what is new."""
    name, _, dimension = section.partition(".")
    word_class = WORD_CLASSES.get(name)
    if word_class is None:
        hint = did_you_mean(nearest(name, WORD_CLASSES))
        raise LexiconError(f'unknown word class "{name}"{hint}')
    if word_class in _DIMENSIONED and not dimension:
        kind, what = ("attribute", "what it is") if name == "aspect" else ("color", "the attribute")
        raise LexiconError(
            f'"{phrase}" is an {name}, so it needs {what} and the value: '
            f'[{name}.{kind}] in a file, "{kind}:{concept}" in add'
        )
    key = phrase.lower().strip()
    if not pieces(key) or not concept:
        raise LexiconError(f'an entry needs a phrase and a concept, not "{phrase}" = "{concept}"')
    _check_concept(word_class, concept, dimension)
    new = [Sense(word_class, concept, dimension)]
    if word_class is WordClass.ATTRIBUTE and dimension == "color":
        new.append(Sense(WordClass.COLOUR, concept, dimension))
    entries.setdefault(key, []).extend(new)
    return [(pieces(key), sense) for sense in new]


def _check_concept(word_class: WordClass, concept: str, dimension: str) -> None:
    if word_class is WordClass.ASPECT:
        if dimension not in ("attribute", "order"):
            raise LexiconError(
                f'an aspect is an "attribute" or the "order" of a measure, not "{dimension}"'
            )
        # The extent that an order is of is compared as the order itself is.
        word_class = WordClass.DEGREE if dimension == "order" else word_class
    if word_class in _NAMED_BY or word_class in _COMPARISONS:
        known, role = _known(word_class)
        if concept not in known:
            raise LexiconError(f'unknown {role} "{concept}"{did_you_mean(nearest(concept, known))}')
    if word_class is WordClass.NUMBER and not concept.isdecimal():
        raise LexiconError(f'a number must stand for a whole number, not "{concept}"')
    if word_class is WordClass.SEVERAL and not (concept.isdecimal() or concept == "unsaid"):
        raise LexiconError(f'an amount is at least a number, or "unsaid", not "{concept}"')
    if word_class is WordClass.ORDINAL and not (concept.isdecimal() or concept == "last"):
        raise LexiconError(f'an ordinal must stand for a whole number or "last", not "{concept}"')
    if word_class in _FACTORS and not (concept.isdecimal() and int(concept) > 1):
        raise LexiconError(f'a factor must be a whole number from 2 on, not "{concept}"')


def _known(word_class: WordClass) -> tuple[frozenset[str], str]:
    """The admissible concepts of a class, and what they name."""
    if word_class in _COMPARISONS:
        return frozenset(comparison.value for comparison in Comparison), "comparison"
    declared = (parameter.declared for parameter in signature(_NAMED_BY[word_class]))
    return next((d.known, d.role) for d in declared if isinstance(d, Name) and d.known is not None)


def _line_of(source: str, section: str, key: str) -> int:
    """The line that defines ``key``: the parsed file does not say, so its text is searched."""
    header = re.compile(r"\s*\[\s*" + re.escape(section).replace(r"\.", r"\s*\.\s*") + r"\s*\]")
    entry = re.compile(r"\s*[\"']?" + re.escape(key) + r"[\"']?\s*=")
    inside = False
    fallback = 1
    for number, line in enumerate(source.splitlines(), start=1):
        if line.lstrip().startswith("["):
            inside = bool(header.match(line))
            fallback = number if inside else fallback
        elif entry.match(line) and (inside or key == section):
            return number
    return fallback
