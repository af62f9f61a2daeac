"""Sets, referents and regions as noun phrases, and what is said of them as predicates."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import Any

from neurosym.program import (
    ACTIONS,
    DIRECTIONAL,
    PLACES,
    Between,
    Choose,
    ChooseSet,
    Command,
    Comparative,
    CompareCounts,
    Comparison,
    CountValues,
    Difference,
    Different,
    Equative,
    Everything,
    Exist,
    Filter,
    Intersect,
    Kind,
    Minus,
    Most,
    Op,
    Part,
    Pointed,
    Relate,
    RelateAll,
    RelateCount,
    RelatedBy,
    RelatedByCount,
    RelateMost,
    RelateOnly,
    Select,
    Superlative,
    The,
    TheCount,
    TheGroup,
    ThePlural,
    TopClosest,
    TopFarthest,
    Union,
    signature,
)
from neurosym.program.operator import Name
from neurosym.scene import CATEGORY
from neurosym.views.constructions import (
    CHOSEN,
    COMPARED,
    CONNECTIVES,
    SMALLER,
    adds_nothing,
    begins_definite,
    chain,
    counted_from,
    denotes_people,
    ends_in_phrase,
    is_category,
    is_clause,
    is_determined,
    is_halved,
    is_modifier,
    is_negated_at_once,
    is_noun,
    is_plural,
    is_prefix,
    is_ranking,
    is_worn,
    noun_of,
    number_said,
    sets_around,
    shares_noun,
    subject_of,
    template_of,
)
from neurosym.views.words import (
    adjective,
    attribute_noun,
    cardinal,
    comparative,
    is_pair,
    multiple,
    ordinal,
    participle,
    place_phrase,
    plural_of,
    positive,
    relation_phrase,
    with_article,
)

POINTERS = {"this": "these", "that": "those"}
"""Pointer -> its plural."""
_REMEMBERED = 4096
"""How many phrases are kept: more than a program has parts."""
_DETERMINED = re.compile(r"(all |one of )?(the|this|that|these|those)\b")


def prepare(program: Op) -> None:
    """Put the parts of a program into words from the leaves up, so that depth is no matter."""
    for node in program.walk():
        if node.returns.is_of_objects:
            nominal(node, plural=True)
            nominal(node, plural=False)
            noun_phrase(node)


@lru_cache(maxsize=_REMEMBERED)
def noun_phrase(op: Op, *, article: bool = False) -> str:
    """Objects or a referent with their determiner; ``article`` makes a bare set a single one."""
    if not is_determined(op):
        if article:
            return indefinite(op)
        return nominal(op, plural=True)
    if isinstance(op, The | ThePlural) and adds_nothing(op):
        return noun_phrase(op.objects)
    return _pointing(op) or fill(op, plural=is_plural(op))


def modifier(op: Op, *, plural: bool = True) -> str:
    """What a node adds to its ``objects``, in words: "red", "behind the cube", "largest"."""
    return fill(op, plural=plural and is_plural(op), replaced={"objects": ""})


def indefinite(op: Op) -> str:
    """A single one of some objects: "a red cup", "a pair of scissors"."""
    phrase = single(op)
    return phrase if is_definite(phrase) or number_said(op) else with_article(phrase)


def single(op: Op) -> str:
    """One of some objects without an article: "red cup", "pair of scissors"."""
    phrase = nominal(op, plural=False)
    return f"pair of {phrase}" if is_pair(noun_of(op)) and not is_definite(phrase) else phrase


def is_definite(phrase: str) -> bool:
    """Whether a phrase begins with "the", "this" or the like."""
    return _DETERMINED.match(phrase) is not None


def without_all(phrase: str) -> str:
    """``the cups`` for ``all the cups``."""
    return phrase.removeprefix("all ")


def closed(phrase: str) -> str:
    """A phrase in the midst of a sentence: the clause at its end gets its second comma."""
    return f"{phrase}," if re.search(r", (who|which) [^,]*$", phrase) else phrase


@lru_cache(maxsize=_REMEMBERED)
def nominal(op: Op, *, plural: bool) -> str:
    """Objects without a determiner of their own: "red cups on a table", or "red cup on a table"."""
    if not is_modifier(op):
        return _contracted(op, plural) or fill(op, plural=plural)
    counted = number_said(op)
    plural = plural if counted is None else counted > 1
    inner, rest = op.operands[0], modifier(op, plural=plural)
    below = chain(inner)
    bottom = below.pop()
    if isinstance(op, Filter) and isinstance(bottom, CONNECTIVES) and not below:
        return nominal(_distribute(op, bottom), plural=plural)
    side = counted_from(op)
    if side and isinstance(op, Superlative) and is_noun(bottom) and all(map(is_prefix, below)):
        return f"{ordinal(op.rank)} {nominal(inner, plural=plural)} from the {side}"
    ranked_behind = any(is_ranking(node) and not is_prefix(node) for node in below)
    if is_prefix(op):
        if is_noun(bottom) and not ranked_behind:
            return f"{rest} {nominal(inner, plural=plural)}"
        if is_ranking(op):
            return f"{rest} of {_several(inner)}"
    verb = "are" if plural and bottom.returns is not Kind.REFERENT else "is"
    if is_prefix(op) or any(map(is_ranking, below)) or not is_noun(bottom):
        which = f", {'who' if denotes_people(op) else 'which'}"
        if is_clause(op):
            return f"{_part(inner, plural)}{which} {rest.removeprefix('that ')}"
        if isinstance(op, TopClosest | TopFarthest):
            rest = f"the {rest}"
        return f"{_part(inner, plural)}{which} {verb} {rest}"
    # A second phrase after the noun would attach to the first one's landmark.
    behind = [node for node in below if not is_prefix(node)]
    joint = " and" if any(is_worn(op) or not is_worn(node) for node in behind) else ""
    number = ""
    if isinstance(op, TopClosest | TopFarthest):
        number = f"{cardinal(op.count)} "
        rest = rest.removeprefix(number)
    elif is_category(op):
        rest = f"that {verb} {rest}"
    return f"{number}{nominal(inner, plural=plural)}{joint} {rest}"


def predicate(subject: Op, scope: Op, *, plural: bool) -> str | None:
    """What says of members of a set that they are in a scope: "red", "not on the table".

    Args:
        subject: the set.
        scope: another, which may or may not have been made by narrowing down the first.
        plural: whether the predicate is said of several.

    Returns:
        None where that takes more than a predicate: the scope was made from something else, or
        ranks its members.
    """
    bases = sets_around(subject)
    match scope:
        case Union():
            sides = [predicate(subject, side, plural=plural) for side in scope.operands]
            return None if None in sides else " or ".join(filter(None, sides))
        case Minus() if scope.objects in bases or not isinstance(scope.objects, Union):
            before: str | None = ""
            if scope.objects not in bases:
                before = predicate(subject, scope.objects, plural=plural)
            said = predicate(subject, scope.excluded, plural=plural)
            if said is None:
                said = complement(scope.excluded, plural=plural)
            if before is None or not said or not is_negated_at_once(scope.excluded):
                return None
            return f"{before} and not {said}" if before else f"not {said}"
        case Intersect():
            what = complement(scope.right, plural=plural)
            if what is None or scope.left in bases:
                return what
            said = predicate(subject, scope.left, plural=plural)
            return said and f"{said} and {what}"
    narrowing: list[Op] = []
    inner: str | None = ""
    while scope not in bases:
        if narrowing and isinstance(scope, Minus | Intersect):
            # "white and not brown"
            inner = predicate(subject, scope, plural=plural)
            if inner is None:
                return None
            break
        if not is_modifier(scope) or is_ranking(scope):
            return None
        narrowing.append(scope)
        scope = scope.operands[0]
    one = "ones " if plural else "one "
    words = [
        (one if is_clause(node) else "") + modifier(node, plural=plural)
        for node in reversed(narrowing)
    ]
    return " and ".join(filter(None, [*words, inner])) or None


def complement(op: Op, *, plural: bool) -> str | None:
    """Objects after "is" or "are": "cups", "a cup" or "the cup"; None for several of them."""
    if is_determined(op):
        return noun_phrase(op) if op.returns is Kind.REFERENT and not plural else None
    return nominal(op, plural=True) if plural else indefinite(op)


def fill(op: Op, *, plural: bool, replaced: dict[str, str] | None = None) -> str:
    """The template of a node, filled in.

    Args:
        op: the node.
        plural: whether its objects are several: verbs and nouns agree.
        replaced: parameter -> what to say for it instead of its own English.
    """
    template = template_of(op)
    if isinstance(op, RelatedByCount) and not plural and not denotes_people(op):
        template = template.replace(" them", " it")
    if not op.operands and "{" not in template:
        template = template if plural else template.removesuffix("s")
    elif isinstance(op, Pointed):
        template = f"{template}s" if plural else "one of {pointer}"
    if not plural and not is_clause(op):
        template = re.sub(r"\bare\b", "is", template)
    values = {}
    for parameter in signature(type(op)):
        value = getattr(op, parameter.name)
        if replaced is not None and parameter.name in replaced:
            values[parameter.name] = replaced[parameter.name]
        elif isinstance(value, Op):
            values[parameter.name] = _operand(op, parameter.name, value, plural)
        elif isinstance(value, Comparison):
            values[parameter.name] = _compared(op, value)
        elif isinstance(value, int):
            half = isinstance(op, Comparative) and is_halved(op)
            values[parameter.name] = "half" if half else _number(parameter.name, value)
        elif isinstance(parameter.declared, Name):
            values[parameter.name] = _name(op, parameter.declared.role, value, plural)
    if op.returns in (Kind.TRUTH, Kind.NUMBER, Kind.VALUE):
        for name, said in values.items():
            if not template.endswith(f"{{{name}}}"):
                values[name] = closed(said)
    return re.sub(r" {2,}", " ", template.format(**values)).strip()


def _compared(op: Op, comparison: Comparison) -> str:
    match op:
        case CompareCounts():
            return COMPARED[comparison]
        case ChooseSet():
            return CHOSEN[comparison]
    return comparison.value.replace("_", " ")


def _name(op: Op, role: str, name: str, plural: bool) -> str:
    match role, op:
        case "category", _:
            return plural_of(name) if plural else name
        case "value", Choose(attribute=attribute) if attribute == CATEGORY:
            return indefinite(Select(name))
        case "value", Filter() if is_category(op):
            return plural_of(name) if plural else indefinite(Select(name))
        case "value", (Filter() | Choose()) if op.attribute in PLACES:
            return place_phrase(name)
        case "value", (Filter() | Choose()):
            return adjective(op.attribute, name)
        case "relation", RelatedBy():
            return participle(name) or relation_phrase(name)
        case "relation", _:
            return relation_phrase(name)
        case "attribute", CountValues():
            return plural_of(attribute_noun(name))
        case "attribute", _:
            return attribute_noun(name)
        case "order", Equative():
            return positive(name)
        case "order", Comparative() if is_halved(op):
            return f"as {positive(SMALLER[name])}"
        case "order", Comparative():
            return f"as {positive(name)}" if op.times > 1 else comparative(name)
        case "action", _:
            return ACTIONS[name]
        case "goal", _:
            return relation_phrase(name)
        case "pointer", _:
            return POINTERS[name]
    return name


def _number(parameter: str, value: int) -> str:
    if parameter == "rank":
        return "" if value == 1 else ordinal(value)
    if parameter == "times":
        return "" if value == 1 else multiple(value)
    return cardinal(value)


def answer(op: Op) -> str:
    """Objects as what a text asks for: "the dog and the cat", "everything except the dog"."""
    said = together(op) or noun_phrase(op)
    rest = isinstance(op, Minus) and op.objects == Everything()
    return re.sub("^objects except ", "everything except ", said) if rest else said


def together(op: Op) -> str | None:
    """Several referents that are all meant: "the dog and the cat"; None for anything else."""
    if not isinstance(op, Union) or is_determined(op):
        return None
    sides = [
        together(side) or (noun_phrase(side) if is_determined(side) else None)
        for side in op.operands
    ]
    return None if None in sides else " and ".join(filter(None, sides))


def _operand(op: Op, name: str, operand: Op, plural: bool) -> str:
    if isinstance(op, Command) and name == "objects":
        return answer(operand)
    if isinstance(op, Minus) and name == "excluded":
        all_of_them = together(operand)
        if all_of_them is not None:
            return all_of_them
    if is_modifier(op) and name != "objects":
        return _landmarks(op, operand)
    if isinstance(op, Part) and " " not in op.portion:
        # "The left of the cups" is rather the leftmost of them.
        each = _each(operand)
        if each is not None:
            return each
    if isinstance(op, CompareCounts | Difference):
        phrase = noun_phrase(operand)
        return f"of {without_all(phrase)}" if is_definite(phrase) else phrase
    if isinstance(op, The | ThePlural | TheCount):
        return _presupposed(op, operand, plural)
    if is_determined(operand):
        phrase = noun_phrase(operand)
        return without_all(phrase) if isinstance(op, TheGroup | Most) else phrase
    if isinstance(op, Exist) or (isinstance(op, Intersect) and name == "right" and not plural):
        return indefinite(operand)
    if isinstance(op, Minus) and name == "excluded":
        return nominal(operand, plural=True)
    return nominal(operand, plural=plural)


def _each(op: Op) -> str | None:
    """Every one of several objects: "every cup"; None of one, of so many, or of a group."""
    inner = op.objects if isinstance(op, ThePlural) else op
    if inner.returns is not Kind.OBJECTS:
        return None
    if isinstance(inner, Pointed):
        return f"all {POINTERS[inner.pointer]}"
    phrase = single(inner)
    return None if is_definite(phrase) or number_said(inner) else f"every {phrase}"


def _presupposed(op: The | ThePlural | TheCount, operand: Op, plural: bool) -> str:
    if not begins_definite(operand):
        phrase = nominal(operand, plural=plural)
        # "the two largest buses": the number is said already.
        return phrase.removeprefix(f"{cardinal(op.count)} ") if isinstance(op, TheCount) else phrase
    of = {The: "one of ", ThePlural: "ones of ", TheCount: "of "}[type(op)]
    subject = subject_of(operand)
    said = predicate(subject, operand, plural=plural)
    if said is None:
        return of + without_all(noun_phrase(operand))
    verb = "are" if plural else "is"
    return f"{of}{without_all(noun_phrase(subject))} that {verb} {said}"


def _landmarks(op: Op, operand: Op) -> str:
    if isinstance(op, Comparative):
        # Ahead of the first of some is ahead of them all: "larger than the plates".
        match operand:
            case Superlative(objects=objects, order=op.order, rank=1):
                if is_determined(objects):
                    return without_all(noun_phrase(objects))
                if not begins_definite(objects):
                    return f"any {single(objects)}"
        if is_determined(operand) and is_plural(operand):
            return f"one of {without_all(noun_phrase(operand))}"
    if is_determined(operand):
        phrase = noun_phrase(operand)
        # "on the tables" is on some of them, "left of the dogs" is left of all.
        if isinstance(op, RelateAll) and op.relation not in DIRECTIONAL:
            if (
                isinstance(operand, TheCount)
                and operand.count == 2
                and phrase.startswith("the two ")
            ):
                return f"both {phrase.removeprefix('the two ')}"
            several = isinstance(operand, ThePlural) and not phrase.startswith("all ")
            return f"all {phrase}" if several else phrase
        return without_all(phrase)
    if isinstance(op, RelateCount | RelatedByCount):
        return nominal(operand, plural=op.number != 1 or begins_definite(operand))
    if isinstance(op, RelateMost | RelateOnly):
        phrase = nominal(operand, plural=True)
        # "only two cups" would be so many.
        counted = isinstance(op, RelateOnly) and number_said(operand) is not None
        return f"the {phrase}" if counted and not is_definite(phrase) else phrase
    if isinstance(op, Between) and op.first == op.second:
        of = "of " if begins_definite(operand) else ""
        return f"two {of}{nominal(operand, plural=True)}"
    if isinstance(op, RelateAll | Different):
        each = "every" if isinstance(op, RelateAll) else "any"
        if begins_definite(operand):
            return f"{each.replace('every', 'all')} of {nominal(operand, plural=True)}"
        if number_said(operand):
            return f"{each} one of the {nominal(operand, plural=True)}"
        return f"{each} {single(operand)}"
    return indefinite(operand)


def _pointing(op: Op) -> str | None:
    """What is presupposed and pointed at: "this red cup", "these two cups"."""
    found = _unpointed(op.objects) if isinstance(op, The | ThePlural | TheCount) else None
    if found is None:
        return None
    plural = is_plural(op)
    pointer, rest = found
    said = POINTERS[pointer] if plural else pointer
    if isinstance(op, TheCount):
        said += f" {cardinal(op.count)}"
    if rest is None:
        # "this one" would be read as of the kind that was named before.
        return said
    return None if begins_definite(rest) else f"{said} {nominal(rest, plural=plural)}"


def _unpointed(op: Op) -> tuple[str, Op | None] | None:
    """The pointer to objects that are pointed at, and what else is said of them."""
    match op:
        case Pointed():
            return op.pointer, None
        case Intersect(right=Pointed() as pointed):
            return pointed.pointer, op.left
        case Intersect(left=Pointed() as pointed):
            return pointed.pointer, op.right
    if not is_modifier(op) or is_ranking(op):
        return None
    found = _unpointed(op.operands[0])
    if found is None:
        return None
    pointer, rest = found
    # What holds of an object whatever set it is in may as well be said of the noun.
    changed: dict[str, Any] = {"objects": rest or Everything()}
    return pointer, replace(op, **changed)


def _contracted(op: Op, plural: bool) -> str | None:
    """A connective whose two sides share their noun: "red or blue cubes", "cubes not red"."""
    several = "are" if plural else "is"
    if isinstance(op, Minus) and shares_noun(op):
        lacks = _without(op)
        if isinstance(op.objects, Minus) and shares_noun(op.objects):
            if lacks and _without(op.objects):
                return f"{_part(op.objects, plural)} and {lacks}"
            also = modifier(op.excluded, plural=plural)
            return f"{_part(op.objects, plural)} and not {also}"
        if lacks:
            return f"{_part(op.objects, plural)} {lacks}"
        verb = "" if is_worn(op.excluded) else "that are " if plural else "that is "
        return f"{_part(op.objects, plural)} {verb}not {modifier(op.excluded, plural=plural)}"
    if isinstance(op, Union) and isinstance(op.left, Filter) and isinstance(op.right, Filter):
        noun = op.left.objects
        worn = is_worn(op.left) and is_worn(op.right)
        alike = worn or (is_prefix(op.left) and is_prefix(op.right))
        if noun == op.right.objects and is_noun(noun) and alike:
            values = f"{_value(op.left)} or {_value(op.right)}"
            named = nominal(noun, plural=plural)
            return f"{named} in {values}" if worn else f"{values} {named}"
    match op:
        case Minus(objects=Everything() as noun, excluded=Select() as kind):
            said = complement(kind, plural=plural)
            return f"{nominal(noun, plural=plural)} that {several} not {said}"
        # "not red or on the table" would be either not red, or on the table.
        case Minus(excluded=Union() as either) if len(set(map(is_prefix, either.operands))) == 1:
            noun, said = op.objects, _either(op.objects, either, plural)
            return said and f"{_part(noun, plural)} that {several} not {said}"
        case Union():
            noun = subject_of(op)
            said = _either(noun, op, plural)
            return said and f"{_part(noun, plural)} that {several} {said}"
    return None


def _value(op: Filter) -> str:
    return adjective(op.attribute, op.value)


def _without(op: Op) -> str | None:
    """What objects lack, "without a hat", where that is what is taken away."""
    match op:
        case Minus(excluded=Relate(relation="with", landmarks=landmarks) as having) if isinstance(
            op.objects, Minus
        ) or not ends_in_phrase(op.objects):
            return f"without {_landmarks(having, landmarks)}"
    return None


def _either(noun: Op, either: Union, plural: bool) -> str | None:
    """What is said by a union of a noun's objects, where both sides are said of the noun."""
    denied = [isinstance(side, Minus) and shares_noun(side) for side in either.operands]
    said = [
        side.excluded if isinstance(side, Minus) and shares_noun(side) else side
        for side in either.operands
    ]
    plain = is_noun(noun) and all(
        is_modifier(side) and side.operands[0] == noun and not is_clause(side) for side in said
    )
    # "Not red or blue" is neither; "not red or on the table" is not red, or on the table.
    if denied[0] and (denied[1] or is_prefix(said[0]) == is_prefix(said[1])):
        return None
    return predicate(noun, either, plural=plural) if plain else None


def _part(op: Op, plural: bool) -> str:
    return noun_phrase(op) if is_determined(op) else nominal(op, plural=plural)


def _several(op: Op) -> str:
    phrase = noun_phrase(op)
    return phrase if is_definite(phrase) else f"the {phrase}"


def _distribute(op: Filter, connective: Op) -> Op:
    """A filter over a union, an intersection or a difference, moved inside."""
    first, second = connective.operands
    filtered = [type(op)(first, op.attribute, op.value)]
    if isinstance(connective, Union):
        filtered.append(type(op)(second, op.attribute, op.value))
    else:
        filtered.append(second)  # type: ignore[arg-type]
    return type(connective)(*filtered)
