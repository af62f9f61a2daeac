"""The names that detectors have for things, read as English: case, joints, plural, spelling.

Detectors write one thing in many ways: "sports ball", "sports_ball", "pottedplant", "Monitor/TV",
"tree-merged", "wall-brick", "bat_(animal)". What is read off a name here needs no dictionary.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

# British and older spellings of words for things that can be seen; the American one is the key.
_SPELLINGS: Final = {
    "aluminium": "aluminum",
    "armour": "armor",
    "axe": "ax",
    "catalogue": "catalog",
    "centre": "center",
    "cheque": "check",
    "colour": "color",
    "doughnut": "donut",
    "drier": "dryer",
    "fibre": "fiber",
    "grey": "gray",
    "harbour": "harbor",
    "jewellery": "jewelry",
    "kerb": "curb",
    "mould": "mold",
    "moustache": "mustache",
    "neighbour": "neighbor",
    "parlour": "parlor",
    "plough": "plow",
    "pyjama": "pajama",
    "racquet": "racket",
    "sceptre": "scepter",
    "theatre": "theater",
    "tyre": "tire",
    "yoghurt": "yogurt",
}
IRREGULAR: Final = {
    "children": "child",
    "dice": "die",
    "feet": "foot",
    "geese": "goose",
    "glasses": "glasses",
    "knives": "knife",
    "leaves": "leaf",
    "loaves": "loaf",
    "men": "man",
    "mice": "mouse",
    "oxen": "ox",
    "people": "person",
    "persons": "person",
    "scarves": "scarf",
    "shelves": "shelf",
    "teeth": "tooth",
    "wolves": "wolf",
    "women": "woman",
}
_ARTICLE: Final = re.compile(r"^(?:the|an?)\s+(?=\S)")
_GLOSS: Final = re.compile(r"\s*\(([^)]*)\)\s*")
# The names of COCO's panoptic categories end so: what was merged, what is no thing, what is left.
_SUFFIX: Final = re.compile(r"-(?:merged|stuff)$")
_REST: Final = re.compile(r"-other$")


@dataclass(frozen=True)
class Label:
    """One name of a detector's, read as English.

    Attributes:
        name: as the detector has it.
        forms: what it may be called, lower case with spaces, the likeliest first.
        hint: what the name says in brackets to tell its meaning ("animal"); else empty.
        wider: what it is a part of the kinds of, where the name itself says so: "wall" for
            "wall-other" and for "wall-brick" beside it; else empty.
    """

    name: str
    forms: tuple[str, ...]
    hint: str = ""
    wider: str = ""


def key(phrase: str) -> str:
    """What equal names have in common.

    >>> key("Sports_Ball") == key("the sports ball") == key("sportsball")
    True
    >>> key("grey tyre")
    'graytire'
    """
    return "".join(_SPELLINGS.get(word, word) for word in plain(phrase).split())


def keys(name: str) -> tuple[str, ...]:
    """The keys of a name as it stands, and of its singular.

    >>> keys("tennis rackets")
    ('tennisrackets', 'tennisracket')
    """
    first, joint, last = plain(name).rpartition(" ")
    return tuple(dict.fromkeys((key(name), key(first + joint + singular(last)))))


def plain(phrase: str) -> str:
    """Lower case, single spaces for every joint, and no article.

    >>> plain("The  Cell-Phone")
    'cell phone'
    """
    return _ARTICLE.sub("", " ".join(re.split(r"[\s_\-]+", phrase.lower())).strip())


def singular(word: str) -> str:
    """The singular of a regular plural, and of the few others that name what is often seen.

    Where English is ambiguous both sides of a comparison are treated alike, which is enough.

    >>> [singular(word) for word in ("cups", "buses", "berries", "glass", "mice", "tennis")]
    ['cup', 'bus', 'berry', 'glass', 'mouse', 'tennis']
    """
    if word in IRREGULAR:
        return IRREGULAR[word]
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ses", "xes", "zes", "ches", "shes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def read_labels(names: Iterable[str]) -> tuple[Label, ...]:
    """The names of one detector, read as English.

    Args:
        names: as the detector has them.

    Returns:
        A label for each, in the same order.

    Example:
        >>> [label.forms for label in read_labels(["Monitor/TV", "tree-merged", "bat_(animal)"])]
        [('monitor', 'tv'), ('tree',), ('bat',)]
    """
    names = tuple(names)
    stems = [_SUFFIX.sub("", name) for name in names]
    first = [stem.partition("-")[0] for stem in stems if "-" in stem]
    return tuple(
        _label(name, stem, family=first.count(stem.partition("-")[0]) > 1)
        for name, stem in zip(names, stems, strict=True)
    )


def _label(name: str, stem: str, *, family: bool) -> Label:
    if _REST.search(stem):
        rest = plain(_REST.sub("", stem))
        return Label(name, (f"other {rest}",), wider=rest)
    gloss = _GLOSS.search(stem)
    hint = plain(gloss.group(1)) if gloss else ""
    bare = _GLOSS.sub(" ", stem)
    head, joint, tail = bare.partition("-")
    if family and joint and "-" not in tail:
        # "wall-brick" beside "wall-stone": a brick wall; "window-blind": a window blind.
        kind, modifier = plain(head), plain(tail)
        return Label(name, (f"{kind} {modifier}", f"{modifier} {kind}"), hint, wider=kind)
    forms = dict.fromkeys(plain(part) for part in bare.split("/"))
    return Label(name, tuple(form for form in forms if form) or (plain(name),), hint)
