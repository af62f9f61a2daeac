"""Programs in English, by the operators' own explanation templates.

A template says in which order the parts of a phrase come; what is done here is grammar: number
and articles, ordinals, and keeping apart what would attach to the wrong noun. What the grammar
can say reads back as a program that means the same.
"""

from __future__ import annotations

import re

from neurosym.program import (
    Comparison,
    Exist,
    Filter,
    Kind,
    Minus,
    Negation,
    Op,
    Select,
    Superlative,
    The,
    TheCount,
    Top,
    Union,
    signature,
)
from neurosym.program.operator import Name

_RELATIONS = {"left_of": "to the left of", "right_of": "to the right of"}
_SIDES = {"leftmost": "left", "rightmost": "right"}
_OF_ALL = frozenset({"left_of", "right_of", "above", "below", "in_front_of", "behind"})
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
    **dict.fromkeys(("sheep", "deer", "fish", "broccoli", "skis", "scissors", "aircraft"), ""),
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
"""Nouns of which a colour is said as clothing: "the man in black"."""
_PAIRS = frozenset(
    ("scissors", "skis", "pants", "trousers", "shorts", "jeans", "binoculars", "tongs", "pliers")
)
_SINGULAR_VOWEL = re.compile(r"(?!uni|use|euro|one\b|u-)[aeiou]|hour|heir|honest", re.IGNORECASE)


def verbalise(program: Op) -> str:
    """A program in English: ``the second largest red sphere behind the metal cube``.

    Args:
        program: of any kind. A set that nothing determines is a bare plural ("red spheres").

    Returns:
        One phrase or sentence without a full stop. Modifiers that English cannot put in their
        place without changing what they modify follow after a comma ("the largest cube, which is
        red": the largest cube of all, not the largest red one).
    """
    if program.returns in (Kind.TRUTH, Kind.NUMBER):
        return _sentence(program)
    return noun_phrase(program)


def noun_phrase(op: Op, *, article: bool = False) -> str:
    """Objects or a referent with their determiner; ``article`` makes a bare set a single one."""
    if is_determined(op):
        return _fill(op, plural=_is_plural(op, default=True))
    return _indefinite(op) if article else _nominal(op, plural=True)


def modifier(op: Op) -> str:
    """What a node adds to its ``objects``, in words: "red", "behind the cube", "largest"."""
    return _fill(op, plural=_is_plural(op, default=True), replaced={"objects": ""})


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


def relation_phrase(relation: str) -> str:
    """A relation's name as a preposition: ``left_of`` -> ``to the left of``."""
    return _RELATIONS.get(relation, relation.replace("_", " "))


def _sentence(op: Op) -> str:
    inner = op.truth if isinstance(op, Negation) else op
    if isinstance(inner, Exist):
        stated = _predication(inner, negated=inner is not op)
        if stated is not None:
            return stated
        if inner is not op:
            return f"there is no {_nominal(inner.objects, plural=False)}"
    return _fill(op, plural=_is_plural(op, default=True))


def _predication(op: Exist, *, negated: bool) -> str | None:
    """Something said of what is presupposed ("the cube is red"); None when nothing is."""
    objects: Op = op.objects
    if isinstance(objects, Minus):
        # None of the cubes is outside the red ones: they are all red.
        return _said_of(objects.objects, objects.excluded, "all" if negated else "not all")
    *_, subject = _chain(objects)
    return _said_of(subject, objects, "none" if negated else "some")


def _said_of(subject: Op, objects: Op, amount: str) -> str | None:
    """A sentence on how many of a subject are among objects that were narrowed down from it."""
    *narrowing, bottom = _chain(objects)
    same = bottom == subject or (isinstance(subject, The) and bottom == subject.objects)
    if not narrowing or not same or not is_determined(subject) or any(map(_is_ranking, narrowing)):
        return None
    plural = _is_plural(subject, default=True)
    says_not = amount in ("not all", "none")
    if says_not and len(narrowing) > 1:
        return None
    said = " and ".join(modifier(node) for node in reversed(narrowing))
    whole = noun_phrase(subject)
    if not plural:
        return f"{whole} is {'not ' if says_not else ''}{said}"
    among = {"all": whole, "none": f"none of {whole}", "some": f"some of {whole}"}
    if amount == "not all":
        return f"some of {whole.removeprefix('all ')} are not {said}"
    return f"{among[amount].replace('of all ', 'of ')} are {said}"


def _nominal(op: Op, *, plural: bool) -> str:
    """Objects without a determiner of their own."""
    if not _is_modifier(op):
        return _contracted(op, plural) or _fill(op, plural=plural)
    inner, rest = op.operands[0], modifier(op)
    below = list(_chain(inner))
    bottom = below.pop()
    verb = "are" if plural and bottom.returns is not Kind.REFERENT else "is"
    which = f", {'who' if _denotes_people(op) else 'which'} {verb}"
    if isinstance(op, Filter) and _is_connective(bottom) and not below:
        return _nominal(_distribute(op, bottom), plural=plural)
    side = _side(op)
    if side and isinstance(op, Superlative) and _is_nominal(bottom) and all(map(_is_prefix, below)):
        return f"{ordinal(op.rank)} {_nominal(inner, plural=plural)} from the {side}"
    if _is_prefix(op):
        ranked_behind = any(_is_ranking(node) and not _is_prefix(node) for node in below)
        apart = ranked_behind or not _is_nominal(bottom)
        if apart and _is_ranking(op):
            return f"{rest} of {_several(inner)}"
        if apart:
            return f"{_part(inner, plural)}{which} {rest}"
        return f"{rest} {_nominal(inner, plural=plural)}"
    if any(map(_is_ranking, below)) or not _is_nominal(bottom):
        return f"{_part(inner, plural)}{which} {rest}"
    # A second phrase after the noun would attach to the first one's landmark.
    behind = [node for node in below if not _is_prefix(node)]
    joint = " and" if any(_is_worn(op) or not _is_worn(node) for node in behind) else ""
    return f"{_nominal(inner, plural=plural)}{joint} {rest}"


def _side(op: Op) -> str | None:
    """Where one counts from: "the third chair from the left"."""
    if isinstance(op, Superlative) and op.rank > 1:
        return _SIDES.get(op.order)
    return None


def _contracted(op: Op, plural: bool) -> str | None:
    """A connective whose two sides share their noun: "red or blue cubes", "cubes not red"."""
    if isinstance(op, Minus) and _is_modifier(op.excluded):
        if op.excluded.operands[0] == op.objects and not _is_ranking(op.excluded):
            verb = "" if _is_worn(op.excluded) else "that are " if plural else "that is "
            return f"{_part(op.objects, plural)} {verb}not {modifier(op.excluded)}"
    elif isinstance(op, Union) and isinstance(op.left, Filter) and isinstance(op.right, Filter):
        noun = op.left.objects
        if noun == op.right.objects and _is_nominal(noun):
            values, named = f"{op.left.value} or {op.right.value}", _nominal(noun, plural=plural)
            worn = _is_worn(op.left) and _is_worn(op.right)
            return f"{named} in {values}" if worn else f"{values} {named}"
    return None


def _part(op: Op, plural: bool) -> str:
    return noun_phrase(op) if is_determined(op) else _nominal(op, plural=plural)


def _several(op: Op) -> str:
    return noun_phrase(op) if is_determined(op) else f"the {_nominal(op, plural=True)}"


def _distribute(op: Filter, connective: Op) -> Op:
    """A filter over a union, an intersection or a difference, moved inside."""
    first, second = connective.operands
    filtered = [type(op)(first, op.attribute, op.value)]
    if connective.name == "union":
        filtered.append(type(op)(second, op.attribute, op.value))
    else:
        filtered.append(second)  # type: ignore[arg-type]
    return type(connective)(*filtered)


def _fill(op: Op, *, plural: bool, replaced: dict[str, str] | None = None) -> str:
    """The template of a node, filled in; agreement follows ``plural``."""
    values = {}
    for parameter in signature(type(op)):
        value = getattr(op, parameter.name)
        if replaced and parameter.name in replaced:
            values[parameter.name] = replaced[parameter.name]
        elif isinstance(value, Op):
            values[parameter.name] = _operand(op, parameter.name, value, plural)
        elif isinstance(value, Comparison):
            values[parameter.name] = value.value.replace("_", " ")
        elif isinstance(value, int):
            values[parameter.name] = _number(parameter.name, value)
        elif isinstance(parameter.declared, Name) and parameter.declared.role == "category":
            values[parameter.name] = plural_of(value) if plural else value
        elif isinstance(parameter.declared, Name) and parameter.declared.role == "relation":
            values[parameter.name] = relation_phrase(value)
        else:
            values[parameter.name] = value
    template = "{objects} in {value}" if _is_worn(op) else op.explanation
    if not op.operands and "{" not in template:
        template = template if plural else template.removesuffix("s")
    if not plural:
        template = re.sub(r"\bare\b", "is", template)
    filled = template.format(**values)
    filled = re.sub(r"\ball of (the|all|every)\b", _all_of, filled)
    return re.sub(r" {2,}", " ", filled).strip()


def _all_of(match: re.Match[str]) -> str:
    # "all of all the chairs", "all of the chair": the determiner below says it already.
    return match.group(1)


def _operand(op: Op, name: str, operand: Op, plural: bool) -> str:
    if operand.returns in (Kind.TRUTH, Kind.NUMBER):
        return _sentence(operand)
    if name == "landmarks":
        if not is_determined(operand):
            every = "relation" in _roles(op) and op.name.endswith("_all")
            return f"every {_nominal(operand, plural=False)}" if every else _indefinite(operand)
        # "on the tables" is on some of them, "left of the dogs" is left of all.
        plain = getattr(op, "relation", "") in _OF_ALL or op.name == "relate"
        phrase = noun_phrase(operand)
        return phrase.removeprefix("all ") if plain else phrase
    if name == "excluded":
        return noun_phrase(operand)
    if is_determined(operand):
        return noun_phrase(operand)
    if isinstance(op, TheCount) and isinstance(operand, Top) and op.count == operand.count:
        # The number is said already.
        return modifier(operand).partition(" ")[2] + " " + _nominal(operand.objects, plural=plural)
    if op.name == "exist":
        return _indefinite(operand)
    return _nominal(operand, plural=plural)


def _number(name: str, value: int) -> str:
    if name == "rank":
        return "" if value == 1 else ordinal(value)
    return cardinal(value)


def cardinal(number: int) -> str:
    """``two`` for 2; figures from 13 on."""
    return _CARDINALS[number] if number < len(_CARDINALS) else str(number)


def ordinal(number: int) -> str:
    """``second`` for 2; figures from 13 on (``21st``)."""
    if number < len(_ORDINALS):
        return _ORDINALS[number]
    teen = number % 100 in (11, 12, 13)
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _indefinite(op: Op) -> str:
    phrase = _nominal(op, plural=False)
    if is_pair(_noun(op)):
        return f"a pair of {phrase}"
    if phrase.startswith(("the ", "all the ")):
        return phrase
    return f"{'an' if _SINGULAR_VOWEL.match(phrase) else 'a'} {phrase}"


def _roles(op: Op) -> set[str]:
    return {p.declared.role for p in signature(type(op)) if isinstance(p.declared, Name)}


def _is_plural(op: Op, *, default: bool) -> bool:
    """Whether the objects that a node speaks of are several, where the node decides that."""
    if op.returns is Kind.REFERENT or op.name == "exist":
        return False
    for name in ("count", "number"):
        value = getattr(op, name, None)
        if isinstance(value, int):
            return value != 1
    return default


def is_determined(op: Op) -> bool:
    """Whether a node's English brings its own "the"."""
    return op.explanation.startswith(("the ", "all the "))


def _is_connective(op: Op) -> bool:
    return len(op.operands) == 2 and not _roles(op) and not _is_modifier(op)


def _is_modifier(op: Op) -> bool:
    """Whether a node narrows its first operand down by a word or a landmark."""
    return (
        op.returns is Kind.OBJECTS
        and bool(op.operands)
        and not is_determined(op)
        and (bool(_roles(op)) or any(p.name == "landmarks" for p in signature(type(op))))
    )


def _is_ranking(op: Op) -> bool:
    names = {p.name for p in signature(type(op))}
    return "rank" in names or {"order", "count"} <= names


def _noun(op: Op) -> str:
    """The category that a node speaks of; of a connective, the first side's."""
    while op.operands:
        op = op.operands[0]
    return op.category if isinstance(op, Select) else ""


def _denotes_people(op: Op) -> bool:
    return _noun(op).rpartition(" ")[2] in _PEOPLE


def _is_worn(op: Op) -> bool:
    """Whether a node is the colour of a person, which means the clothes: "in black"."""
    return isinstance(op, Filter) and op.attribute == "color" and _denotes_people(op.objects)


def _is_prefix(op: Op) -> bool:
    return not _is_worn(op) and op.explanation.endswith("{objects}")


def _is_nominal(op: Op) -> bool:
    return not op.operands


def _chain(op: Op) -> list[Op]:
    """The modifiers from a node downwards, and what they modify in the end."""
    found = [op]
    while _is_modifier(found[-1]):
        found.append(found[-1].operands[0])
    return found
