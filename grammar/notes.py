"""What a lexicon says of concepts that share a word, and of what verbs are said of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from neurosym.errors import LexiconError, did_you_mean, nearest

_FIELDS = ("about", "kind", "near")
ROLES = ("subject", "object")
"""What a verb may select: who does it, and what it is done to."""


@dataclass(frozen=True, slots=True)
class Note:
    """What is known of a concept that shares its word with others.

    Attributes:
        about: a few words that tell it from the others, for people.
        kind: what sort of thing it is, as verbs select it ("animal", "clothing").
        near: words in whose company it is meant.
    """

    about: str
    kind: str = ""
    near: frozenset[str] = frozenset()


def read_note(value: Any) -> Note:
    """A note from a lexicon file.

    Raises:
        LexiconError: a field is unknown or of the wrong type, or ``about`` is missing.
    """
    if not isinstance(value, Mapping):
        raise LexiconError(f'a sense needs fields such as about = "a lamp", not {value!r}')
    for name in value:
        if name not in _FIELDS:
            hint = did_you_mean(nearest(name, _FIELDS))
            raise LexiconError(f'a sense has no field "{name}"{hint}')
    about, kind, near = value.get("about"), value.get("kind", ""), value.get("near", [])
    if not (isinstance(about, str) and about and isinstance(kind, str)):
        raise LexiconError('"about" and "kind" of a sense must be words in quotes')
    if not (isinstance(near, list) and all(isinstance(word, str) and word for word in near)):
        raise LexiconError(f'"near" of a sense must be a list of words in quotes, not {near!r}')
    return Note(about, kind, frozenset(word.lower() for word in near))


def read_role(name: str) -> str:
    """A role that verbs select for.

    Raises:
        LexiconError: there is no such role.
    """
    if name not in ROLES:
        raise LexiconError(f'verbs select a "subject" or an "object", not a "{name}"')
    return name
