"""Which construction of English a node of a program is: what a phrase begins and ends with."""

from __future__ import annotations

from neurosym.program import (
    PLACES,
    Between,
    Choose,
    ChooseSet,
    Comparative,
    CompareCounts,
    Comparison,
    Every,
    Everything,
    Exist,
    Filter,
    Intersect,
    Kind,
    Minus,
    Most,
    Op,
    Pointed,
    RelateAll,
    RelateCount,
    RelatedBy,
    RelatedByCount,
    RelateMost,
    Select,
    Superlative,
    The,
    ThePlural,
    Union,
    signature,
)
from neurosym.program.unchecked import ACTION
from neurosym.scene import CATEGORY
from neurosym.views.words import is_person, participle

SIDES = {"leftmost": "left", "rightmost": "right", "topmost": "top", "bottommost": "bottom"}
"""Order -> the side from which it counts."""
SMALLER = {"smallest": "largest", "shortest": "tallest", "narrowest": "widest"}
"""Order of the less of an extent -> that of the more: twice as small is half as large."""
CONNECTIVES = (Union, Intersect, Minus)
"""What joins two sets."""

COMPARED = {
    Comparison.MORE_THAN: "more",
    Comparison.FEWER_THAN: "fewer",
    Comparison.EXACTLY: "as many",
    Comparison.AT_LEAST: "at least as many",
    Comparison.AT_MOST: "at most as many",
}
"""Comparison of two counts -> its English."""

CHOSEN = {
    Comparison.MORE_THAN: "more",
    Comparison.FEWER_THAN: "less",
    Comparison.EXACTLY: "exactly as",
    Comparison.AT_LEAST: "at least as",
    Comparison.AT_MOST: "at most as",
}
"""Comparison by which one of two sets is chosen -> its English, before "numerous"."""


def is_determined(op: Op) -> bool:
    """Whether a node's English brings its own "the"."""
    return op.explanation.startswith(("the ", "all the "))


def is_plural(op: Op) -> bool:
    """Whether the objects that a node speaks of are several; so too where nothing decides it."""
    if op.returns is Kind.REFERENT or isinstance(op, Exist):
        return False
    value = getattr(op, "count", getattr(op, "number", None))
    return not isinstance(value, int) or value != 1


def is_negated_at_once(scope: Op) -> bool:
    """Whether "not" before a predicate denies all of it, and not only its first part."""
    if isinstance(scope, Minus):
        return False
    return all(
        not is_modifier(operand) or isinstance(scope, Union) for operand in scope.operands[:1]
    )


def subject_of(op: Op) -> Op:
    """The set from which another was narrowed down."""
    while is_modifier(op) or isinstance(op, CONNECTIVES):
        op = op.operands[0]
    return op


def ends_in_phrase(op: Op) -> bool:
    """Whether something after a node's English may attach to its end: "the cup on the table"."""
    while is_determined(op):
        op = op.operands[0]
    below = chain(op)
    return not is_noun(below.pop()) or not all(map(is_prefix, below))


def counted_from(op: Op) -> str | None:
    """Where one counts from: "the third chair from the left"."""
    if isinstance(op, Superlative) and op.rank > 1:
        return SIDES.get(op.order)
    return None


def is_halved(op: Comparative) -> bool:
    """Whether a comparison is rather said the other way round: "half as large"."""
    return op.times == 2 and op.order in SMALLER


def shares_noun(op: Minus) -> bool:
    """Whether what is taken away is said of the noun: "cups that are not red"."""
    node, kept = op.excluded, op.objects
    while isinstance(kept, Minus) and shares_noun(kept):
        if is_worn(kept.excluded):
            break
        kept = kept.objects
    pointwise = is_modifier(node) and not is_ranking(node) and not is_clause(node)
    return pointwise and node.operands[0] == kept


def is_modifier(op: Op) -> bool:
    """Whether a node narrows its first operand down by a word or a landmark."""
    return (
        op.returns is Kind.OBJECTS
        and bool(op.operands)
        and not is_determined(op)
        and not isinstance(op, CONNECTIVES)
    )


def is_ranking(op: Op) -> bool:
    """Whether what a node keeps of a set depends on what else is in it: "largest"."""
    names = {parameter.name for parameter in signature(type(op))}
    return bool(names & {"rank", "count"})


def adds_nothing(op: The | ThePlural) -> bool:
    """Whether a definite adds nothing to another that it is made from: "the" of "this one"."""
    inner = op.objects
    return is_determined(inner) and (isinstance(op, ThePlural) or inner.returns is Kind.REFERENT)


def number_said(op: Op) -> int | None:
    """How many the English of objects says that they are: "two cups closest to the plate"."""
    for node in chain(op)[:-1]:
        count = getattr(node, "count", None)
        if isinstance(count, int):
            return count
    return None


def begins_definite(op: Op) -> bool:
    """Whether the English of objects begins with "the", "this" or the like."""
    while op.operands and not is_determined(op):
        if is_noun(chain(op)[-1]) or (is_prefix(op) and is_ranking(op)):
            return False
        op = op.operands[0]
    return is_determined(op) or isinstance(op, Pointed)


def noun_of(op: Op) -> str:
    """The category that a node speaks of; of a connective, the first side's."""
    while op.operands:
        op = op.operands[0]
    return op.category if isinstance(op, Select) else ""


def denotes_people(op: Op) -> bool:
    """Whether objects are persons by their noun."""
    return is_person(noun_of(op))


def is_clothes(objects: Op, attribute: str) -> bool:
    """Whether an attribute of objects is the colour of persons, which means their clothes."""
    return attribute == "color" and denotes_people(objects)


def is_worn(op: Op) -> bool:
    """Whether a node says what people wear: "in black"."""
    return isinstance(op, Filter) and is_clothes(op.objects, op.attribute)


def is_category(op: Op) -> bool:
    """Whether a node says what kind of thing objects are: "that are cups"."""
    return isinstance(op, Filter) and op.attribute == CATEGORY


def is_clause(op: Op) -> bool:
    """Whether a node has no word for a relation read backwards: "that the man is behind"."""
    return isinstance(op, RelatedBy) and participle(op.relation) is None


def is_place(op: Op) -> bool:
    """Whether a node says where in the image objects are: "on the left"."""
    return isinstance(op, Filter) and op.attribute in PLACES


def is_phrasal(op: Op) -> bool:
    """Whether a node says what things do by a verb with its particle: "bending over"."""
    return isinstance(op, Filter) and op.attribute == ACTION and "_" in op.value


def is_prefix(op: Op) -> bool:
    """Whether a node's word comes before the noun."""
    if is_worn(op) or is_category(op) or is_place(op) or is_phrasal(op):
        return False
    return op.explanation.endswith("{objects}")


def is_noun(op: Op) -> bool:
    """Whether a node is said by a noun alone."""
    return not op.operands and not isinstance(op, Pointed)


def chain(op: Op) -> list[Op]:
    """The modifiers from a node downwards, and what they modify in the end."""
    found = [op]
    while is_modifier(found[-1]):
        found.append(found[-1].operands[0])
    return found


def sets_around(subject: Op) -> list[Op]:
    """The sets in which all members of a subject are, as far as its program shows."""
    found = [subject]
    while found[-1].operands and not isinstance(found[-1], Union | ChooseSet):
        found.append(found[-1].operands[0])
    return [*found, Everything()]


def template_of(op: Op) -> str:
    """The template of a node's operator, as this node needs it."""
    text = op.explanation
    match op:
        case Filter() if is_worn(op):
            return "{objects} in {value}"
        case Filter() if is_category(op) or is_place(op) or is_phrasal(op):
            return "{objects} {value}"
        case RelatedBy() if is_clause(op):
            several = is_determined(op.landmarks) and is_plural(op.landmarks)
            return f"{{objects}} that {{landmarks}} {'are' if several else 'is'} {{relation}}"
        case RelateAll() | Every():
            # What it holds of brings "all" or "every" itself.
            return text.replace("all ", "")
        case Minus(objects=Minus() as inner) if not shares_noun(inner):
            # "except cups except plates" would leave the plates in.
            return text.replace(" except ", " and ")
        case RelateCount() | RelatedByCount() if begins_definite(op.landmarks):
            return text.replace("{number} ", "{number} of ")
        case RelateMost() if not begins_definite(op.landmarks):
            return text.replace("most of ", "most ")
        case Most() if not begins_definite(op.objects):
            return text.replace("most of ", "most ")
        case Between() if op.first == op.second:
            return text.removesuffix(" and {second}")
        case Comparative() if op.times > 1:
            return text.replace(" than ", " as ")
        case CompareCounts() if " as " in f" {COMPARED[op.comparison]} ":
            return text.replace(" than ", " as ")
        case Choose() if is_clothes(op.objects, op.attribute):
            return text.replace("{value}", "in {value}")
    return text
