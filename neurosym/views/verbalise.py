"""Programs in English, by the operators' own explanation templates.

A template says in which order the parts of a phrase come; what is done here is grammar: number
and articles, ordinals, and keeping apart what would attach to the wrong noun. What the grammar
can say reads back as a program that means the same.
"""

from __future__ import annotations

from neurosym.program import (
    Alike,
    Choose,
    CommonValue,
    Conjunction,
    Count,
    CountIs,
    CountValues,
    Disjunction,
    Equal,
    Every,
    Everything,
    Exist,
    Kind,
    Minus,
    Most,
    Negation,
    Op,
    Query,
    RareValue,
    TheGroup,
    Union,
    signature,
)
from neurosym.views.constructions import (
    chain,
    ends_in_phrase,
    is_determined,
    is_negated_at_once,
    is_plural,
    subject_of,
)
from neurosym.views.phrases import (
    POINTERS,
    answer,
    closed,
    complement,
    fill,
    is_definite,
    noun_phrase,
    predicate,
    prepare,
    single,
    without_all,
)
from neurosym.views.words import attribute_noun, plural_of

_PHRASES = (Kind.OBJECTS, Kind.REFERENT, Kind.GROUP, Kind.REGION)
"""The kinds that are said as noun phrases; the others are sentences."""


def verbalise(program: Op) -> str:
    """A program in English: ``the second largest red sphere behind the metal cube``.

    Args:
        program: of any kind. A set that nothing determines is a bare plural ("red spheres").

    Returns:
        One phrase or sentence without a full stop. Modifiers that English cannot put in their
        place without changing what they modify follow after a comma ("the largest cube, which is
        red": the largest cube of all, not the largest red one).
    """
    prepare(program)
    if program.returns not in _PHRASES:
        return _sentence(program)
    said = answer(program)
    return f"{said} one" if said in POINTERS else said


def _sentence(op: Op) -> str:
    match op:
        case Negation(truth=Exist() as truth):
            return _existence(truth, negated=True)
        case Negation(truth=Every() as truth):
            return _universal(truth, negated=True)
        case Negation(truth=Equal() as truth):
            return _equality(truth, negated=True)
        case Exist():
            return _existence(op, negated=False)
        case Every():
            return _universal(op, negated=False)
        case Most():
            plural = is_plural(op.objects)
            said = _said(op.objects, op.scope, plural=plural)
            return fill(op, plural=plural, replaced={"scope": said})
        case Count() | CountIs():
            return _counting(op)
        case Equal():
            return _equality(op, negated=False)
        case Choose():
            return fill(op, plural=is_plural(op.objects))
        case Query():
            several = is_plural(op.objects)
            stated = fill(op, plural=several, replaced=_of_them(op, several))
            return stated.replace(" is ", " are ", 1) if several else stated
        case Alike() | CountValues() | CommonValue() | RareValue():
            return fill(op, plural=True, replaced=_of_them(op, is_plural(op.objects)))
        case Conjunction(left=left, right=right) | Disjunction(left=left, right=right):
            joined = _joined_existence(op, left, right)
            if joined is not None:
                return joined
    inner = {
        parameter.name: _sentence(operand)
        for parameter in signature(type(op))
        if isinstance(operand := getattr(op, parameter.name), Op)
        and operand.returns not in _PHRASES
    }
    return fill(op, plural=is_plural(op), replaced=inner)


def _of_them(
    op: Alike | CountValues | CommonValue | RareValue | Query, several: bool
) -> dict[str, str]:
    """The objects of a question about several, without an "all" that adds nothing."""
    return {"objects": closed(without_all(noun_phrase(op.objects)))} if several else {}


def _said(subject: Op, scope: Op, *, plural: bool) -> str:
    """What a quantifier says of its objects: "red", "cups", "among the red cups"."""
    said = predicate(subject, scope, plural=plural) or complement(scope, plural=plural)
    return said or f"among {without_all(noun_phrase(scope))}"


def _universal(op: Every, *, negated: bool) -> str:
    subject = op.objects
    plural, phrase = False, single(subject)
    if is_definite(phrase):
        plural = is_plural(subject_of(subject)) and not isinstance(subject, TheGroup)
        phrase = noun_phrase(subject)
    said = _said(subject, op.scope, plural=plural)
    if not is_definite(phrase):
        whole = "everything" if isinstance(subject, Everything) else f"every {phrase}"
    elif not plural and subject.returns is not Kind.GROUP:
        return fill(op, plural=False, replaced={"objects": phrase, "scope": _not(said, negated)})
    else:
        whole = f"all of {phrase}" if negated and not phrase.startswith("all ") else phrase
    return _not(fill(op, plural=plural, replaced={"objects": whole, "scope": said}), negated)


def _not(said: str, negated: bool) -> str:
    return f"not {said}" if negated else said


def _existence(op: Exist, *, negated: bool) -> str:
    """That there is a red cube; or, of what is presupposed, that the cube is red."""
    objects = op.objects
    subject = subject_of(objects)
    stated = fill(op, plural=False)
    if is_determined(subject):
        plural, whole = is_plural(subject), closed(noun_phrase(subject))
        if isinstance(objects, Minus) and objects.objects == subject:
            # None of the cubes is outside the red ones: they are all red.
            said = predicate(subject, objects.excluded, plural=plural)
            if said is not None:
                return _remainder(subject, said, negated=negated)
        said = predicate(subject, objects, plural=plural)
        if said is not None and plural:
            return f"{'none' if negated else 'some'} of {without_all(whole)} are {said}"
        if said is not None and (not negated or is_negated_at_once(objects)):
            return f"{whole} is {_not(said, negated)}"
        stated = f"{whole} is {said}" if said is not None else stated
    if not negated:
        return stated
    phrase = single(objects)
    return f"it is not so that {stated}" if is_definite(phrase) else f"there is no {phrase}"


def _joined_existence(op: Op, left: Op, right: Op) -> str | None:
    """That there is one thing and another, where it is clear in one sentence."""
    first, second = _there_is(left), _there_is(right)
    # "no cube or a sphere" leaves open how far the "no" reaches.
    clear = isinstance(op, Conjunction) or (isinstance(left, Exist) and isinstance(right, Exist))
    if first is None or second is None or not clear or _trails(left):
        return None
    return f"there is {fill(op, plural=False, replaced={'left': first, 'right': second})}"


def _trails(truth: Op) -> bool:
    """Whether "and" after the sentence would be read as part of its last phrase."""
    while truth.returns is Kind.TRUTH:
        truth = truth.operands[0]
    return ends_in_phrase(truth)


def _there_is(truth: Op) -> str | None:
    """What there is or is not, after "there is": "a red cube", "no cube"."""
    match truth:
        case Exist(objects=objects) if not is_determined(subject_of(objects)):
            return noun_phrase(objects, article=True)
        case Negation(truth=Exist(objects=objects)) if not is_determined(subject_of(objects)):
            return f"no {single(objects)}"
    return None


def _remainder(subject: Op, said: str, *, negated: bool) -> str:
    """That some of a subject are left, or that none are, without those of which this is said."""
    whole = noun_phrase(subject)
    if not is_plural(subject):
        return f"{whole} is {_not(said, not negated)}"
    return f"{whole} are {said}" if negated else f"some of {without_all(whole)} are not {said}"


def _counting(op: Count | CountIs) -> str:
    """How many cups there are; or, of what is presupposed, how many of the cups are red."""
    plural = is_plural(op)
    counted = chain(op.objects)[-1]
    if isinstance(op, Count) and isinstance(counted, Union) and counted != op.objects:
        # "how many dogs or cats on the couch" would have the cats alone there.
        said = predicate(counted, op.objects, plural=True)
        whole = noun_phrase(counted)
        if said is not None and not is_definite(whole):
            return f"how many {whole} are {said}"
    subject = subject_of(op.objects)
    said = predicate(subject, op.objects, plural=plural) if is_determined(subject) else None
    whole = noun_phrase(op.objects if said is None else subject)
    if not is_definite(whole):
        return fill(op, plural=plural)
    stated = fill(op, plural=plural, replaced={"objects": f"of {without_all(whole)}"})
    if said is None:
        return stated
    be = "are" if plural else "is"
    return f"{stated.removeprefix(f'there {be} ').removesuffix(f' {be} there')} {be} {said}"


def _equality(op: Equal, *, negated: bool) -> str:
    """That two things are of the same color; in full where the short form is read wrongly."""
    left, right = op.left, op.right
    match left, right:
        case Query(objects=first, attribute=asked), Query(objects=second, attribute=other):
            if asked == other and not ends_in_phrase(first):
                both = f"{noun_phrase(first)} and {noun_phrase(second)}"
                name = attribute_noun(asked)
                alike = f"different {plural_of(name)}" if negated else f"the same {name}"
                return f"{both} are of {alike}"
    before = value_phrase(left) + ("," if isinstance(left, Choose) else "")
    stated = fill(op, plural=True, replaced={"left": before, "right": value_phrase(right)})
    return stated.replace(" is the same as ", " is not the same as ", 1) if negated else stated


def value_phrase(op: Op) -> str:
    """What a question for a value asks for, as a noun phrase: "the color of the cup"."""
    if not isinstance(op, Query | Choose):
        return fill(op, plural=False)
    said = f"the {attribute_noun(op.attribute)} of {noun_phrase(op.objects)}"
    if isinstance(op, Choose):
        # "is the cup red or blue" without what comes before the values.
        asked = fill(op, plural=False, replaced={"objects": ""}).removeprefix("is ")
        return f"{said}, {asked}"
    return said
