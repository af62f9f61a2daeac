"""Programs in English, by the operators' own explanation templates.

A template says in which order the parts of a phrase come; what is done here is grammar: number
and articles, ordinals, and keeping apart what would attach to the wrong noun. What the grammar
can say reads back as a program that means the same.
"""

from __future__ import annotations

import re

from neurosym.program import Comparison, Exist, Filter, Kind, Negation, Op, signature
from neurosym.program.operator import Name

_RELATIONS = {"left_of": "to the left of", "right_of": "to the right of"}
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
    if _is_determined(op):
        return _fill(op, plural=_is_plural(op, default=True))
    return _indefinite(_nominal(op, plural=False)) if article else _nominal(op, plural=True)


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


def relation_phrase(relation: str) -> str:
    """A relation's name as a preposition: ``left_of`` -> ``to the left of``."""
    return _RELATIONS.get(relation, relation.replace("_", " "))


def _sentence(op: Op) -> str:
    if isinstance(op, Negation) and isinstance(op.truth, Exist):
        stated = _predication(op.truth, negated=True)
        if stated is not None:
            return stated
        return f"there is no {_nominal(op.truth.objects, plural=False)}"
    if isinstance(op, Exist):
        return _predication(op, negated=False) or _fill(op, plural=False)
    return _fill(op, plural=_is_plural(op, default=True))


def _predication(op: Exist, *, negated: bool) -> str | None:
    """Something said of what is presupposed ("the cube is red"); None when nothing is."""
    said: list[str] = []
    subject: Op = op.objects
    while _is_modifier(subject) and not _is_ranking(subject):
        said.insert(0, modifier(subject))
        subject = subject.operands[0]
    if not said or not _is_determined(subject) or (negated and len(said) > 1):
        return None
    verb = "are" if _is_plural(subject, default=True) else "is"
    return f"{noun_phrase(subject)} {verb}{' not' if negated else ''} {' and '.join(said)}"


def _nominal(op: Op, *, plural: bool) -> str:
    """Objects without a determiner of their own."""
    if not _is_modifier(op):
        return _fill(op, plural=plural)
    inner, rest = op.operands[0], modifier(op)
    below = list(_chain(inner))
    bottom = below.pop()
    verb = "are" if plural else "is"
    if _is_prefix(op):
        if isinstance(op, Filter) and _is_connective(bottom) and not below:
            return _nominal(_distribute(op, bottom), plural=plural)
        ranked_behind = any(_is_ranking(node) and not _is_prefix(node) for node in below)
        apart = ranked_behind or not _is_nominal(bottom)
        if apart and _is_ranking(op):
            return f"{rest} of {_several(inner)}"
        if apart:
            return f"{_part(inner, plural)}, which {verb} {rest}"
        return f"{rest} {_nominal(inner, plural=plural)}"
    if any(map(_is_ranking, below)) or not _is_nominal(bottom):
        return f"{_part(inner, plural)}, which {verb} {rest}"
    # A second phrase after the noun would attach to the first one's landmark.
    joint = " and" if any(not _is_prefix(node) for node in below) else ""
    return f"{_nominal(inner, plural=plural)}{joint} {rest}"


def _part(op: Op, plural: bool) -> str:
    return noun_phrase(op) if _is_determined(op) else _nominal(op, plural=plural)


def _several(op: Op) -> str:
    return noun_phrase(op) if _is_determined(op) else f"the {_nominal(op, plural=True)}"


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
    template = op.explanation
    if not op.operands and "{" not in template:
        template = template if plural else template.removesuffix("s")
    if not plural:
        template = re.sub(r"\bare\b", "is", template)
    filled = template.format(**values)
    filled = re.sub(r"\ball of (the one|the|all|every|both)\b", _all_of, filled)
    return re.sub(r" {2,}", " ", filled).strip()


def _all_of(match: re.Match[str]) -> str:
    # "all of all the chairs", "all of the chair": the determiner below says it already.
    return match.group(1)


def _operand(op: Op, name: str, operand: Op, plural: bool) -> str:
    if operand.returns in (Kind.TRUTH, Kind.NUMBER):
        return _sentence(operand)
    if name == "landmarks":
        if not _is_determined(operand):
            every = "relation" in _roles(op) and op.name.endswith("_all")
            phrase = _nominal(operand, plural=False)
            return f"every {phrase}" if every else _indefinite(phrase)
        some_of = op.name == "relate" and operand.name == "the_plural"
        return noun_phrase(operand).removeprefix("all ") if some_of else noun_phrase(operand)
    if name == "excluded":
        return noun_phrase(operand)
    if _is_determined(operand):
        return noun_phrase(operand)
    if op.name == "exist":
        return _indefinite(_nominal(operand, plural=False))
    return _nominal(operand, plural=plural)


def _number(name: str, value: int) -> str:
    if name == "rank":
        return "" if value == 1 else ordinal(value)
    return _CARDINALS[value] if value < len(_CARDINALS) else str(value)


def ordinal(number: int) -> str:
    """``second`` for 2; figures from 13 on (``21st``)."""
    if number < len(_ORDINALS):
        return _ORDINALS[number]
    teen = number % 100 in (11, 12, 13)
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _indefinite(phrase: str) -> str:
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


def _is_determined(op: Op) -> bool:
    return op.explanation.startswith(("the ", "all the "))


def _is_connective(op: Op) -> bool:
    return len(op.operands) == 2 and not _roles(op) and not _is_modifier(op)


def _is_modifier(op: Op) -> bool:
    """Whether a node narrows its first operand down by a word or a landmark."""
    return (
        op.returns is Kind.OBJECTS
        and bool(op.operands)
        and not _is_determined(op)
        and (bool(_roles(op)) or any(p.name == "landmarks" for p in signature(type(op))))
    )


def _is_ranking(op: Op) -> bool:
    names = {p.name for p in signature(type(op))}
    return "rank" in names or {"order", "count"} <= names


def _is_prefix(op: Op) -> bool:
    return op.explanation.endswith("{objects}")


def _is_nominal(op: Op) -> bool:
    return not op.operands


def _chain(op: Op) -> list[Op]:
    """The modifiers from a node downwards, and what they modify in the end."""
    found = [op]
    while _is_modifier(found[-1]):
        found.append(found[-1].operands[0])
    return found
