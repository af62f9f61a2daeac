"""English words: their plurals, numerals, degrees and participles, and the names of programs."""

from __future__ import annotations

import re

from neurosym.program.unchecked import ACTION
from neurosym.scene import CATEGORY

_RELATIONS = {"left_of": "to the left of", "right_of": "to the right of"}
_PREPOSITIONS = frozenset(
    (
        *("aboard", "about", "above", "across", "after", "against", "ahead", "along", "alongside"),
        *("amid", "among", "around", "as", "at", "atop", "attached", "away", "before", "behind"),
        *("below", "beneath", "beside", "between", "beyond", "by", "close", "connected", "down"),
        *("far", "from", "in", "inside", "into", "left", "like", "near", "next", "of", "off", "on"),
        *(
            "onto",
            "opposite",
            "out",
            "outside",
            "over",
            "parallel",
            "part",
            "past",
            "perpendicular",
        ),
        *("right", "round", "through", "to", "toward", "towards", "under", "underneath", "up"),
        *("upon", "with", "within", "without", "adjacent", "full", "made", "similar", "same"),
    )
)
"""The first words of relations that are no verbs. All others are: verbs are an open class."""
_ADJECTIVES = {"wood": "wooden"}
_ATTRIBUTES = {
    CATEGORY: "kind",
    "horizontal": "horizontal position",
    "vertical": "vertical position",
}
_CARDINALS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve"),
)
_ORDINALS = (
    *("zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"),
    *("ninth", "tenth", "eleventh", "twelfth"),
)
_PLURALS = {
    "person": "people",
    "man": "men",
    "woman": "women",
    "child": "children",
    "mouse": "mice",
    "foot": "feet",
    "tooth": "teeth",
    "goose": "geese",
    "knife": "knives",
    "shelf": "shelves",
    "leaf": "leaves",
    "loaf": "loaves",
    "scarf": "scarves",
    "wolf": "wolves",
    "potato": "potatoes",
    "tomato": "tomatoes",
    **dict.fromkeys(("sheep", "deer", "fish", "broccoli", "aircraft"), ""),
}
_PEOPLE = frozenset(
    (
        *("person", "man", "woman", "boy", "girl", "child", "kid", "baby", "toddler", "guy"),
        *("lady", "gentleman", "player", "rider", "skier", "surfer", "snowboarder", "skater"),
        *("skateboarder", "batter", "pitcher", "catcher", "umpire", "driver", "cyclist"),
        *("worker", "waiter", "waitress", "chef", "cook", "policeman", "officer", "pedestrian"),
        *("people", "human", "adult", "teenager", "bride", "groom", "mother", "father", "crowd"),
    )
)
_PAIRS = frozenset(
    ("scissors", "skis", "pants", "trousers", "shorts", "jeans", "binoculars", "tongs", "pliers")
)
_PLURALS |= dict.fromkeys((*_PAIRS, "goggles", "glasses", "sunglasses"), "")
_SINGULAR_VOWEL = re.compile(r"(?!uni|use|euro|one\b|u-)[aeiou]|hour|heir|honest", re.IGNORECASE)
_POSITIVES = {
    "leftmost": "far left",
    "rightmost": "far right",
    "topmost": "high",
    "bottommost": "low",
    "largest": "large",
    "smallest": "small",
    "tallest": "tall",
    "shortest": "short",
    "widest": "wide",
    "narrowest": "narrow",
    "nearest": "near",
    "farthest": "far away",
    "lightest": "light",
    "darkest": "dark",
}
"""Order -> the adjective or adverb whose superlative names it."""
_COMPARATIVES = {"far": "farther"}
_PARTICIPLES = {"holding": "held", "wearing": "worn"}
_PLACES = {
    "left": "on the left",
    "right": "on the right",
    "top": "at the top",
    "bottom": "at the bottom",
    "front": "in the foreground",
    "back": "in the background",
}


def plural_of(noun: str) -> str:
    """The plural of a noun, by its last word."""
    head, space, last = noun.rpartition(" ")
    if last in _PLURALS:
        made = _PLURALS[last] or last
    elif re.search(r"(s|x|z|ch|sh)$", last):
        made = last + "es"
    elif re.search(r"[^aeiou]y$", last):
        made = last[:-1] + "ies"
    else:
        made = last + "s"
    return head + space + made


def singular_or_plural(count: int, noun: str) -> str:
    """``1 chair`` or ``3 chairs``."""
    return f"{count} {noun if count == 1 else plural_of(noun)}"


def is_pair(noun: str) -> bool:
    """Whether a noun has no singular: "scissors"."""
    return noun.rpartition(" ")[2] in _PAIRS


def is_person(noun: str) -> bool:
    """Whether a colour is said of the noun as clothing: "the man in black"."""
    return noun.rpartition(" ")[2] in _PEOPLE


def with_article(phrase: str) -> str:
    """A phrase after ``a`` or ``an``."""
    return f"{'an' if _SINGULAR_VOWEL.match(phrase) else 'a'} {phrase}"


def cardinal(number: int) -> str:
    """``two`` for 2; figures from 13 on."""
    return _CARDINALS[number] if number < len(_CARDINALS) else str(number)


def ordinal(number: int) -> str:
    """``second`` for 2; figures from 13 on (``21st``)."""
    if number < len(_ORDINALS):
        return _ORDINALS[number]
    teen = number % 100 in (11, 12, 13)
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def multiple(number: int) -> str:
    """``twice`` for 2, ``three times`` for 3."""
    return "twice" if number == 2 else f"{cardinal(number)} times"


def adjective(attribute: str, value: str) -> str:
    """A value before a noun or after "is": ``wood`` -> ``wooden``, ``sit`` -> ``sitting``."""
    return progressive(value) if attribute == ACTION else _ADJECTIVES.get(value, value)


def relation_phrase(relation: str) -> str:
    """A relation's name as a preposition, ``left_of`` -> ``to the left of``, or as a participle:
    ``look_at`` -> ``looking at``.
    """  # noqa: D205 - one sentence
    if relation in _RELATIONS:
        return _RELATIONS[relation]
    return relation.replace("_", " ") if is_preposition(relation) else progressive(relation)


def is_preposition(relation: str) -> bool:
    """Whether a relation is named by where a thing is, and not by a verb."""
    first = relation.partition("_")[0]
    return first in _PREPOSITIONS or first.endswith("ing")


def progressive(verb: str) -> str:
    """What a verb's base form is in the midst of it: ``bend_over`` -> ``bending over``."""
    base, _, rest = verb.partition("_")
    if base.endswith("ie"):
        base = base[:-2] + "y"
    elif re.search(r"[^aeoy]e$", base) and base != "be":
        base = base[:-1]
    elif re.fullmatch(r"(qu|[^aeiou])*[aeiou][^aeiouwxy]", base):
        # One short vowel before one consonant: "sitting", but "eating", "opening".
        base += base[-1]
    return " ".join([f"{base}ing", *rest.split("_")]).strip()


def participle(relation: str) -> str | None:
    """The passive of a relation, ``holding`` -> ``held``; None for those that have none."""
    return _PARTICIPLES.get(relation)


def place_phrase(place: str) -> str:
    """A place in the image as a phrase: ``left`` -> ``on the left``."""
    return _PLACES.get(place, f"in the {place}")


def attribute_noun(attribute: str) -> str:
    """What an attribute is called: ``kind`` for the category, else its name."""
    return _ATTRIBUTES.get(attribute, attribute)


def positive(order: str) -> str:
    """The plain degree of an order's superlative: ``largest`` -> ``large``."""
    return _POSITIVES[order]


def comparative(order: str) -> str:
    """The comparative of an order's superlative: ``largest`` -> ``larger``."""
    first, space, rest = positive(order).partition(" ")
    made = _COMPARATIVES.get(first) or first.removesuffix("e") + "er"
    return made + space + rest
