"""Why a result is what it is, in words; and the step that is to blame when nothing was found."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neurosym.alignment import steps_by_node
from neurosym.program import ORDERS, Kind, Op, signature
from neurosym.program.operator import Name
from neurosym.scene import Scene
from neurosym.views.text import WIDTH, answer_word, object_text, top_objects
from neurosym.views.verbalise import (
    is_determined,
    modifier,
    noun_phrase,
    plural_of,
    relation_phrase,
    singular_or_plural,
    verbalise,
)

if TYPE_CHECKING:
    from neurosym.executors.base import Step
    from neurosym.result import Result

_HALF = 0.5
_LISTED = 5


def explain(result: Result, *, width: int = WIDTH) -> str:
    """What was understood, what came out, and why, in a few lines of English.

    The first line is the program in English; the next the answer with its probability. When
    nothing or too much was found, the step that is to blame follows, what there was before it,
    and what came nearest. The last lines name what was only approximated or not used.

    Args:
        result: of any status.
        width: lines are wrapped to so many characters.
    """
    lines = [f'"{result.text.strip()}" is understood as: {verbalise(result.program)}.']
    lines += _answer(result)
    lines += _why(result)
    lines += _reservations(result)
    return "\n".join(
        textwrap.fill(line, width, subsequent_indent="  ", break_on_hyphens=False) for line in lines
    )


def summary(result: Result) -> str:
    """The answer in one sentence, or why there is none."""
    return next(iter(_why(result)), _answer(result)[0])


def blame(result: Result) -> Step | None:
    """The first step at which the answer became empty or ambiguous.

    For "many", and for a definite inside the program that has several candidates, this is the
    step of that definite ("the"). For "none", and for the answers "no" and 0, it is the first
    step whose own value is probably empty although what it was made from is not: the word at
    which nothing was left.

    Args:
        result: of any status.

    Returns:
        None when nothing failed, when nothing was executed, or when no single step is to blame.
    """
    outcome = result.outcome
    if outcome is None or not result.trace:
        return None
    step_of = steps_by_node(result)
    root = result.trace[-1]
    if result.status == "many" or (result.status == "abstained" and outcome.many >= _HALF):
        return _steepest(result.trace, lambda step: step.many)
    if result.status == "none" or (result.status == "abstained" and outcome.none >= _HALF):
        failing = _steepest(result.trace, lambda step: step.none)
        if failing is None or failing.none < _HALF:
            failing = root
        return _first_empty(failing, step_of, result.scene)
    if result.status == "ok" and result.answer is not None and not result.answer:
        counted = _counted(result.program)
        step = step_of(counted) if counted is not None else None
        if step is not None and _some(step, result.scene) < _HALF:
            return _first_empty(step, step_of, result.scene)
    return None


def _answer(result: Result) -> list[str]:
    probability = f"{result.probability:.2f}"
    if result.status == "unsupported":
        return [f"Unsupported: {result.message or 'the scene lacks what the text names'}."]
    if result.status == "abstained":
        return [f"No answer: the likeliest outcome has a probability of only {probability}."]
    if result.status == "none":
        return [f"There is none (probability {probability})."]
    if result.status == "many":
        return [f"There are several (probability {probability}): the text picks out no single one."]
    if result.answer is not None:
        return [f"The answer is {answer_word(result.answer)} (probability {probability})."]
    found = zip(result.objects, result.probabilities.tolist(), strict=True)
    listed = [object_text(result.scene, index, value) for index, value in found]
    if result.program.returns is Kind.REFERENT:
        return [f"It is {listed[0]}.", *_rivals(result)]
    total = singular_or_plural(len(listed), "object")
    return [
        f"These are {total}: {', '.join(listed)}." if len(listed) != 1 else f"Only {listed[0]}."
    ]


def _rivals(result: Result) -> Iterator[str]:
    """What else the referent may have been, when that is not negligible."""
    outcome = result.outcome
    if outcome is None or outcome.objects is None:
        return
    others = [(i, p) for i, p in top_objects(outcome.objects, 4) if i not in result.objects]
    shown = [object_text(result.scene, i, p) for i, p in others if p >= 0.05]
    shown += [
        f"{name} {p:.2f}"
        for name, p in (("none", outcome.none), ("several", outcome.many))
        if p >= 0.05
    ]
    if shown:
        yield f"Otherwise: {', '.join(shown)}."


def _why(result: Result) -> Iterator[str]:
    step = blame(result)
    if step is None:
        return
    if result.status == "many" or _is_ambiguous(step):
        yield from _ambiguity(step, result)
    else:
        yield from _emptiness(step, result)


def _is_ambiguous(step: Step) -> bool:
    return step.many >= _HALF and step.many > step.none


def _ambiguity(step: Step, result: Result) -> Iterator[str]:
    operands = step.op.operands
    within = steps_by_node(result)(operands[0]) if operands else None
    if within is None or within.objects is None:
        return
    candidates = top_objects(within.objects, _LISTED)
    total = int((within.objects >= _HALF).sum())
    listed = ", ".join(object_text(result.scene, index, value) for index, value in candidates)
    count = f"{singular_or_plural(total, 'candidate')}: " if total > 1 else ""
    more = f" and {total - len(candidates)} more" if total > len(candidates) else ""
    yield f"'{_quoted(step.op, result.text)}' is ambiguous: {count}{listed}{more}."


def _emptiness(step: Step, result: Result) -> Iterator[str]:
    op, scene = step.op, result.scene
    step_of = steps_by_node(result)
    word = _own_words(op, result.text)
    sources = [(node, step_of(node)) for node in op.operands if node.returns in _SETS]
    there = [
        _amount(node, found, scene)
        for node, found in sources
        if found is not None and _some(found, scene) >= _HALF
    ]
    within = sources[0][1] if sources else None
    if is_determined(op) and within is not None and within.objects is not None and there:
        # Nothing was lost at a word that narrows down: what there is, is too little or unlikely.
        listed = [object_text(scene, i, p) for i, p in top_objects(within.objects, _LISTED)]
        quoted = _quoted(op, result.text)
        yield f"That is too few or too unlikely for '{quoted}': {', '.join(listed)}."
        return
    if not op.operands:
        yield f"Nothing in the picture is {noun_phrase(op, article=True)}."
    elif there:
        likely = "" if _some(step, scene) < _HALF else "likely "
        yield f"There {_joined(there)}, but nothing {likely}is left after '{word}'."
    yield from _nearest_miss(step, scene)
    if within is not None and within.objects is not None:
        best = top_objects(within.objects, 3)
        listed = [object_text(scene, i, p) for i, p in best if p >= _HALF]
        if listed:
            yield f"Without '{word}' there would be {', '.join(listed)}."


_SETS = (Kind.OBJECTS, Kind.REFERENT)


def _amount(node: Op, step: Step, scene: Scene) -> str:
    """What a step found, counted from one half on: "are 2 red chairs", "is a person"."""
    count = len(_things(step, scene))
    if node.returns is Kind.REFERENT or count == 0:
        return f"is {noun_phrase(node, article=True)}"
    noun = noun_phrase(node)
    if count == 1:
        return f"is {noun_phrase(node, article=True)}"
    return f"are {noun.removeprefix('all ')}" if is_determined(node) else f"are {count} {noun}"


def _joined(parts: list[str]) -> str:
    return " and there ".join(parts)


def _nearest_miss(step: Step, scene: Scene) -> Iterator[str]:
    if step.objects is None:
        return
    for index, probability in top_objects(step.objects, 1):
        if probability >= _HALF:
            return
        short = _HALF - probability
        yield f"Nearest: {object_text(scene, index, probability)}, {short:.2f} short of one half."
        return
    if len(scene):
        yield "No object comes near."


def _reservations(result: Result) -> Iterator[str]:
    """What a reader should know before trusting the answer."""
    about = list(dict.fromkeys(_approximations(result.program, result.scene)))
    if about:
        yield f"Approximate: {'; '.join(about)}."
    notes = list(dict.fromkeys(step.note for step in result.trace if step.note))
    if notes:
        yield f"Note: {'; '.join(notes)}."
    if result.outcome is not None:
        if not result.outcome.exact:
            words = [_own_words(s.op, result.text) for s in result.trace if not s.exact]
            at = f" from '{words[0]}' on" if words else ""
            yield f"The probabilities are approximate{at}."
        if result.outcome.error > 0:
            yield f"They are a mean over sampled worlds, give or take {result.outcome.error:.3f}."
        if result.outcome.unexplored >= 0.005:
            yield f"Possibilities of probability {result.outcome.unexplored:.2f} were left out."
    if result.unused:
        yield "Not used: " + ", ".join(f"'{token.text}'" for token in result.unused) + "."


def _approximations(program: Op, scene: Scene) -> Iterator[str]:
    for node in program.walk():
        for parameter in signature(type(node)):
            if not isinstance(parameter.declared, Name):
                continue
            name, role = getattr(node, parameter.name), parameter.declared.role
            if role == "relation" and name in scene.relations:
                relation = scene.relations[name]
                if relation.approximate:
                    yield f"'{relation_phrase(name)}' is only estimated ({relation.source})"
            elif role == "order" and ORDERS[name].measure in scene.measures:
                measure = scene.measures[ORDERS[name].measure]
                if measure.approximate:
                    yield f"'{name}' is only estimated ({measure.source})"
            elif role == "category" and name in scene.concepts:
                concept = scene.concepts[name]
                if concept.approximate:
                    yield f"'{name}' is read as {' or '.join(concept.categories)}"
            elif role == "attribute" and name in scene.attributes:
                evidence = scene.attributes[name].evidence
                if len(scene) and not bool(evidence.any()):
                    yield f"the {name} of no object could be seen"
    unseen = int((~scene.categories.evidence).sum())
    if unseen:
        yield f"the category of {singular_or_plural(unseen, 'object')} is not known"


def _steepest(trace: tuple[Step, ...], level: Callable[[Step], float]) -> Step | None:
    """The first step at which a running probability rose most."""
    best, best_rise, before = None, 1e-6, 0.0
    for step in trace:
        # A little more is no reason to prefer a later step.
        if level(step) - before > best_rise + 1e-6:
            best, best_rise = step, level(step) - before
        before = max(before, level(step))
    return best


def _first_empty(step: Step, step_of: Callable[[Op], Step | None], scene: Scene) -> Step:
    """Descend from an empty step to the first one that is empty though its operands are not."""
    while True:
        empty = [
            found
            for node in step.op.operands
            if (found := step_of(node)) is not None
            and found.objects is not None
            and _some(found, scene) < _HALF
        ]
        if step.op.name == "minus":
            # What is excluded may well be empty.
            empty = [found for found in empty if found.op == step.op.operands[0]]
        if step.op.name == "union" and len(empty) < len(step.op.operands):
            return step
        if not empty:
            return step
        step = empty[0]


def _counted(op: Op) -> Op | None:
    """The set that a question asks about; None when it asks about several."""
    while op.returns in (Kind.TRUTH, Kind.NUMBER):
        if len(op.operands) != 1 or op.name in ("negation", "count_is"):
            return None
        op = op.operands[0]
    return op


def _some(step: Step, scene: Scene) -> float:
    """About how probable it is that a step's value has a member."""
    if step.objects is None:
        return 1.0
    rest = 1.0
    for share in _by_group(step.objects, scene):
        rest *= 1.0 - min(1.0, share)
    return 1.0 - rest


def _things(step: Step, scene: Scene) -> list[float]:
    """The probabilities of the things, not hypotheses, that are in a step's value."""
    if step.objects is None:
        return []
    return [share for share in _by_group(step.objects, scene) if share >= _HALF]


def _by_group(objects: Tensor, scene: Scene) -> list[float]:
    if not len(scene):
        return []
    _, group = torch.unique(scene.groups, return_inverse=True)
    totals = torch.zeros(int(group.max()) + 1)
    shares: list[float] = totals.index_add(0, group.cpu(), objects.detach().cpu().float()).tolist()
    return shares


def _own_words(op: Op, text: str) -> str:
    """The words of the text that a node comes from; its English when it has none."""
    if op.words:
        return " ".join(span.of(text) for span in sorted(op.words))
    return modifier(op) if op.operands else plural_of(verbalise(op))


def _quoted(op: Op, text: str) -> str:
    span = op.span
    return span.of(text) if span is not None else verbalise(op)
