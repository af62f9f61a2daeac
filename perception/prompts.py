"""How models are asked: nouns, attributes and relations as phrases of English."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

GENERIC: Final = "object"
"""What an open vocabulary is asked for when a text asks for things of any kind."""
TEMPLATES: Final = ("{}", "a photo of {}", "a close-up photo of {}", "a cropped photo of {}")
"""What is put around a noun phrase; a text's features are the mean over them."""
_PREPOSITIONS: Final = frozenset(
    (
        *("about", "above", "across", "after", "against", "along", "among", "around", "at", "atop"),
        *("before", "behind", "below", "beneath", "beside", "between", "beyond", "by", "for"),
        *("from", "in", "inside", "into", "left", "like", "near", "next", "of", "off", "on"),
        *("onto", "opposite", "out", "outside", "over", "past", "right", "through", "to"),
        *("toward", "towards", "under", "underneath", "up", "upon", "with", "within", "without"),
        *("closer", "farther", "higher", "lower"),
    )
)
_SOUNDS_CONSONANT: Final = ("uni", "use", "usual", "euro", "one", "ukulele", "ute", "urin")
_SOUNDS_VOWEL: Final = ("hour", "honest", "heir", "x-ray")
_VOWELS: Final = "aeiou"


@dataclass(frozen=True)
class AttributeWords:
    """What ``data/attributes.toml`` says.

    Attributes:
        exclusive: attribute -> value in programs -> words of the prompt.
        opposites: word -> the word that it is weighed against.
    """

    exclusive: Mapping[str, Mapping[str, str]]
    opposites: Mapping[str, str]


@cache
def attribute_words() -> AttributeWords:
    """The lists that come with the package.

    Example:
        >>> words = attribute_words()
        >>> words.exclusive["material"]["wood"], words.opposites["old"], words.opposites["young"]
        ('wooden', 'young', 'old')
    """
    file = resources.files("neurosym.perception").joinpath("data/attributes.toml")
    document = tomllib.loads(file.read_text("utf-8"))
    said = document["opposites"]
    return AttributeWords(document["exclusive"], {**{b: a for a, b in said.items()}, **said})


def with_article(phrase: str) -> str:
    """A noun phrase with its indefinite article.

    Example:
        >>> [with_article(phrase) for phrase in ("old man", "uniform", "hour glass", "cup")]
        ['an old man', 'a uniform', 'an hour glass', 'a cup']
    """
    vowel = phrase[:1] in _VOWELS and not phrase.startswith(_SOUNDS_CONSONANT)
    return f"an {phrase}" if vowel or phrase.startswith(_SOUNDS_VOWEL) else f"a {phrase}"


def participle(verb: str) -> str:
    """The present participle of a verb's base form, which may bring a particle.

    Example:
        >>> [participle(verb) for verb in ("ride", "sit", "lie", "see", "visit", "bend_over")]
        ['riding', 'sitting', 'lying', 'seeing', 'visiting', 'bending over']
    """
    base, *rest = verb.replace("_", " ").split()
    if base.endswith("ie"):
        stem = f"{base[:-2]}y"
    elif base.endswith("e") and not base.endswith(("ee", "oe", "ye")) and len(base) > 2:
        stem = base[:-1]
    elif _doubles(base):
        stem = base + base[-1]
    else:
        stem = base
    return " ".join([f"{stem}ing", *rest])


def _doubles(base: str) -> bool:
    """Whether a verb of one syllable ends in one vowel and one consonant: "sit", "swim"."""
    ends = len(base) >= 3 and base[-1] not in _VOWELS + "wxy" and base[-2] in _VOWELS
    return ends and sum(letter in _VOWELS for letter in base) == 1


def is_relative(word: str) -> bool:
    """Whether a word compares things by a quality with an opposite: one crop cannot tell.

    Example:
        >>> [is_relative(word) for word in ("oldest", "wettest", "dirtier", "wooden")]
        [True, True, True, False]
    """
    endings = ("est", "er")
    stems = [word.removesuffix(ending) for ending in endings if word.endswith(ending)]
    known = attribute_words().opposites
    return any(
        form in known
        for stem in stems
        for form in (stem, f"{stem}e", stem[:-1], f"{stem.removesuffix('i')}y")
    )


def relation_phrase(relation: str) -> str:
    """A relation's name in programs as it stands between two nouns.

    Example:
        >>> [relation_phrase(name) for name in ("ride", "lean_against", "holding", "left_of", "on")]
        ['riding', 'leaning against', 'holding', 'left of', 'on']
    """
    first, *_ = relation.split("_")
    if first in _PREPOSITIONS or (first.endswith("ing") and len(first) > 5):
        return relation.replace("_", " ")
    return participle(relation)
