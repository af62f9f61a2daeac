"""Why a result is what it is, in words; and the step that is to blame when nothing was found."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import torch

from neurosym.alignment import landmarks_of, names_one, steps_by_node
from neurosym.program import (
    ORDERS,
    PLACES,
    Choose,
    CompareCounts,
    Definites,
    Different,
    Equal,
    Every,
    Everything,
    Filter,
    Kind,
    Minus,
    Most,
    Op,
    Pointed,
    RelateAll,
    RelateCount,
    RelatedByCount,
    RelateMost,
    Select,
    TheCount,
    TheGroup,
)
from neurosym.program.operator import names_of, restrictor_of
from neurosym.result import WITHHOLD
from neurosym.scene import PROMPTS, Scene
from neurosym.views.constructions import is_determined
from neurosym.views.counterfactual import counterfactual_sentences, own_words
from neurosym.views.phrases import (
    is_definite,
    modifier,
    noun_phrase,
    single,
    without_all,
)
from neurosym.views.text import (
    WIDTH,
    answer_lead,
    answer_things,
    answer_word,
    aside_texts,
    is_guess,
    object_text,
    top_objects,
    top_things,
    value_text,
)
from neurosym.views.verbalise import value_phrase, verbalise
from neurosym.views.words import cardinal, is_pair, singular_or_plural

if TYPE_CHECKING:
    from neurosym.executors.base import Outcome, Step
    from neurosym.result import Result

_PLAIN = frozenset({"label", "lexicon"})
"""Ways from a word to categories that need no mention."""
_HALF = 0.5
_LEAST = 0.05
"""Possibilities of a smaller probability are not mentioned."""
_LISTED = 6


def explain(result: Result, *, width: int = WIDTH) -> str:
    """What was understood, what came out, and why, in a few lines of English.

    The first line is the program in English; the next the answer with its probability. When
    nothing or too much was found, the step that is to blame follows, what there was before it,
    what came nearest, and what small change would give another answer. Slips that were repaired,
    words that were not used and what could not be checked are named before the answer, what was
    only approximated in the last lines.

    Args:
        result: of any status.
        width: lines are wrapped to so many characters.
    """
    lines = [f'"{result.text.strip()}" is understood as: {verbalise(result.program)}.']
    lines += [_capitalised(line) + "." for line in aside_texts(result)]
    lines += _answer(result)
    lines += _why(result)
    lines += _vacuities(result)
    if result.status != "ok" or result.answer in (False, 0):
        lines += counterfactual_sentences(result)
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
    which nothing was left. For the answer "no" to "all" and "most" it is the step of that which
    should hold of them.

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
        program = result.program
        counted = program.scope if isinstance(program, Every | Most) else counted_set(program)
        step = step_of(counted) if counted is not None else None
        if step is not None and _some(step, result.scene) < _HALF:
            return _first_empty(step, step_of, result.scene)
        return step if isinstance(program, Every | Most) else None
    return None


def _answer(result: Result) -> list[str]:
    probability = f"{result.probability:.2f}"
    if result.status == "unsupported":
        return [f"Unsupported: {result.message or 'the scene lacks what the text names'}."]
    if result.status == "abstained":
        return [_abstention(result)]
    if result.status == "none":
        if result.probability < _HALF:
            return [f"Best guess: there is none ({probability})."]
        step = blame(result)
        found = "None was found"
        if step is not None and isinstance(step.op, TheCount):
            found = "Not so many were found"
        elif step is not None and isinstance(step.op, Choose):
            found = "Neither fits"
        return [f"{found} (probability {probability})."]
    if result.status == "many":
        if result.probability < _HALF:
            return [
                f"Best guess: several fit, and the text picks out no single one ({probability})."
            ]
        step = blame(result)
        if step is not None and isinstance(step.op, TheCount):
            return [f"More fit than the text says (probability {probability})."]
        return [f"Several fit (probability {probability}): the text picks out no single one."]
    guess = is_guess(result)
    if result.answer is not None:
        said = answer_word(result.answer)
        if guess:
            return [f"Best guess: {said} ({probability}).", *_rivals(result)]
        return [f"The answer is {said} (probability {probability}).", *_rivals(result)]
    listed = [object_text(result.scene, index, share) for index, share in answer_things(result)]
    said = answer_lead(result.program) + ", ".join(listed)
    if names_one(result.program):
        opening = "What is asked for: " if result.program.returns is Kind.INTENT else "It is "
        return [f"{'Best guess: ' if guess else opening}{said}.", *_rivals(result)]
    if guess:
        return [f"Best guess: {said}."]
    if result.program.returns is Kind.INTENT:
        return [f"What is asked for: {said}."]
    if result.program.returns is Kind.REGION:
        return [f"It is {said}."]
    total = singular_or_plural(len(listed), "object")
    if isinstance(result.program, TheGroup):
        return [f"The {result.program.form} is of {total}: {said}."]
    return [f"These are {total}: {said}." if len(listed) != 1 else f"Only {said}."]


def _abstention(result: Result) -> str:
    outcome = result.outcome
    if outcome is not None and result.procedure.the is Definites.ABSTAIN:
        failed = outcome.none - outcome.empty + outcome.many
        if failed >= WITHHOLD:
            return f"No answer: what the text presupposes probably fails ({failed:.2f})."
    return f"No answer: the likeliest outcome has a probability of only {result.probability:.2f}."


def _rivals(result: Result) -> Iterator[str]:
    """What else the referent or the value may have been, when that is not negligible."""
    outcome, scene = result.outcome, result.scene
    if outcome is None:
        return
    if outcome.value is not None:
        likely = top_objects(outcome.value, 4)
        others = [(outcome.values[i], p) for i, p in likely if outcome.values[i] != result.answer]
    elif outcome.objects is not None:
        chosen = {int(scene.groups[index]) for index in result.objects}
        ranked = top_things(outcome.objects, scene, 4)
        others = [
            (object_text(scene, i), p) for i, p in ranked if int(scene.groups[i]) not in chosen
        ]
    else:
        return
    others += [("none", outcome.none), ("several", outcome.many)]
    shown = [f"{name} {p:.2f}" for name, p in others if p >= _LEAST]
    if shown:
        yield f"Otherwise: {', '.join(shown)}."


def _why(result: Result) -> Iterator[str]:
    step, program = blame(result), result.program
    if isinstance(program, CompareCounts | Equal) and result.answer is False:
        yield from _comparison(program, result)
    if step is None:
        return
    if isinstance(program, Every | Most) and result.answer is False:
        yield from _counterexamples(program, result)
    elif result.status == "many" or _is_ambiguous(step):
        yield from _ambiguity(step, result)
    else:
        yield from _emptiness(step, result)


def _comparison(op: CompareCounts | Equal, result: Result) -> Iterator[str]:
    """The two numbers or values that were compared."""
    step_of, scene = steps_by_node(result), result.scene
    found = []
    for node in op.operands:
        step = step_of(node)
        if step is not None and step.value is not None:
            found.append(f"{value_phrase(node)}: {value_text(step, scene)}")
        elif step is not None:
            several = len(_things(step, scene))
            found.append(_amount(node, step, scene)[0] if several else f"no {single(node)}")
    if found:
        yield f"Found: {'; '.join(found)}."


def _counterexamples(op: Every | Most, result: Result) -> Iterator[str]:
    """Of which objects it holds and does not hold what is said of all or most of them."""
    step_of, scene = steps_by_node(result), result.scene
    whole, held = step_of(op.objects), step_of(op.scope)
    if whole is None or held is None or whole.objects is None or held.objects is None:
        return
    inside = torch.minimum(whole.objects, held.objects)
    for said, shares in (
        ("It holds of", inside if isinstance(op, Most) else torch.zeros_like(inside)),
        ("It does not hold of", whole.objects - inside),
    ):
        things = top_things(shares, scene, len(scene))
        likely = [(i, p) for i, p in things if p >= _HALF] or things[:1]
        if likely:
            yield f"{said} {_listing(likely, scene)}."


def _vacuities(result: Result) -> Iterator[str]:
    """What holds, or fails, because there may be nothing that it is said of."""
    for step in result.trace:
        position = restrictor_of(step.op)
        if position is None or step.vacuous < _HALF:
            continue
        said = modifier(step.op) if step.op.returns is Kind.OBJECTS else verbalise(step.op)
        verb = "fails" if isinstance(step.op, Most | RelateMost) else "holds"
        be = "is" if round(step.vacuous, 2) == 1 else "may be"
        restrictor = step.op.operands[position]
        missing = single(restrictor)
        none = f"none of {noun_phrase(restrictor)}" if is_definite(missing) else f"no {missing}"
        yield f"'{said}' {verb} vacuously: there {be} {none} ({step.vacuous:.2f})."


def _is_ambiguous(step: Step) -> bool:
    return step.many >= _HALF and step.many > step.none


def _ambiguity(step: Step, result: Result) -> Iterator[str]:
    operands = step.op.operands
    within = steps_by_node(result)(operands[0]) if operands else None
    if within is None or within.objects is None:
        return
    scene, quoted = result.scene, _quoted(step.op, result.text)
    ranked = top_things(within.objects, scene, len(scene))
    likely = [(i, p) for i, p in ranked if p >= _HALF]
    if isinstance(step.op, TheGroup):
        yield f"'{quoted}': more than one {step.op.form} among {_listing(ranked, scene)}."
        return
    wanted = step.op.count if isinstance(step.op, TheCount) else 1
    if len(likely) <= wanted:
        # No number is said, because none of the rest is likely by itself.
        how = "is ambiguous"
        if isinstance(step.op, TheCount):
            how = f"may be more than {cardinal(wanted)}"
        yield f"'{quoted}' {how}; the likeliest: {_listing(ranked[:_LISTED], scene)}."
    elif isinstance(step.op, TheCount):
        number, be = cardinal(wanted), "is" if wanted == 1 else "are"
        yield f"'{quoted}': there {be} more than {number}: {_listing(likely, scene)}."
    else:
        yield f"'{quoted}' is ambiguous: {len(likely)} candidates: {_listing(likely, scene)}."


def _listing(things: list[tuple[int, float]], scene: Scene) -> str:
    shown = ", ".join(object_text(scene, index, share) for index, share in things[:_LISTED])
    more = len(things) - _LISTED
    return f"{shown} and {more} more" if more > 0 else shown


def _emptiness(step: Step, result: Result) -> Iterator[str]:
    op, scene = step.op, result.scene
    if not op.operands:
        yield _undetected(step, scene)
        return
    step_of = steps_by_node(result)
    word = own_words(op, result.text)
    sources = [(node, step_of(node)) for node in op.operands if node.returns in _SETS]
    there = [
        _amount(node, found, scene)
        for node, found in sources
        if found is not None and _some(found, scene) >= _HALF
    ]
    within = sources[0][1] if sources else None
    ranked = [] if within is None else [t for t in _ranked(within, scene) if t[1] >= _LEAST]
    likely = [(i, p) for i, p in ranked if p >= _HALF]
    if isinstance(op, Choose):
        yield f"Neither {op.value} nor {op.alternative}: {_listing(ranked, scene)}."
        yield from _looks(op, ranked, scene, step_of)
        return
    if is_determined(op) and there:
        # Nothing was lost at a word that narrows down: what there is, is too little or unlikely.
        yield _too_few(op, _quoted(op, result.text), ranked, likely, scene)
        return
    if there:
        left = "" if _some(step, scene) < _HALF else "likely "
        verb = "was" if len(set(there)) == 1 and not there[0][1] else "were"
        found = " and ".join(dict.fromkeys(name for name, _ in there))
        yield f"{_capitalised(found)} {verb} found, but nothing {left}is left after '{word}'."
    yield from _nearest_miss(step, scene)
    near = likely or [t for t in ranked if t[1] >= ranked[0][1] / 2]
    yield from _looks(op, near, scene, step_of)
    if likely:
        yield f"Without '{word}': {_listing(likely, scene)}."


_SETS = (Kind.OBJECTS, Kind.REFERENT, Kind.GROUP)


def _ranked(step: Step, scene: Scene) -> list[tuple[int, float]]:
    return [] if step.objects is None else top_things(step.objects, scene, len(scene))


def _undetected(step: Step, scene: Scene) -> str:
    """That a detector saw none, which is not to say that there is none."""
    likeliest = [(i, p) for i, p in _ranked(step, scene)[:1] if p >= _LEAST]
    if isinstance(step.op, Pointed):
        return f"Nothing that was detected is pointed at by '{step.op.pointer}'."
    said = f"No {noun_phrase(step.op, article=True).partition(' ')[2]} was detected"
    if isinstance(step.op, Select):
        verb = "were" if is_pair(step.op.category) else "was"
        said = f"No {step.op.category} {verb} detected"
    return said + "".join(f" (likeliest: #{i} {p:.2f})" for i, p in likeliest) + "."


def _too_few(
    op: Op,
    quoted: str,
    ranked: list[tuple[int, float]],
    likely: list[tuple[int, float]],
    scene: Scene,
) -> str:
    if isinstance(op, TheCount) and 0 < len(likely) < op.count:
        if len(likely) == 1:
            return f"'{quoted}': only one was found: {_listing(likely, scene)}."
        wanted = cardinal(op.count)
        return f"'{quoted}': fewer than {wanted} were found: {_listing(likely, scene)}."
    if isinstance(op, TheGroup) and likely:
        return f"'{quoted}': these make up no {op.form}: {_listing(likely, scene)}."
    return f"What was found is too unlikely for '{quoted}': {_listing(ranked, scene)}."


def _looks(
    op: Op, things: list[tuple[int, float]], scene: Scene, step_of: Callable[[Op], Step | None]
) -> Iterator[str]:
    """What the candidates look like, when it is a colour or the like that they lack."""
    node = op.excluded if isinstance(op, Minus) else op
    attribute = next((name for role, name in names_of(node) if role == "attribute"), "")
    if attribute not in scene.attributes:
        return
    table = scene.attributes[attribute]
    shown = [i for i, _ in things if bool(table.evidence[i])][:3]
    for landmark in landmarks_of(node):
        step = step_of(landmark)
        likely = [] if step is None else [i for i, p in _ranked(step, scene) if p >= _HALF]
        shown += [i for i in likely if bool(table.evidence[i]) and i not in shown][:3]
    seen = []
    for index in shown:
        shares = table.probabilities[index].tolist()
        best = sorted(zip(table.values, shares, strict=True), key=lambda pair: -pair[1])[:2]
        values = ", ".join(f"{value} {share:.2f}" for value, share in best if share >= 0.005)
        seen.append(f"{object_text(scene, index)}: {values}")
    if seen:
        yield f"By {attribute}, {'; '.join(seen)}."


def _amount(node: Op, step: Step, scene: Scene) -> tuple[str, bool]:
    """What a step found, counted from one half on, and whether it is several: "2 red chairs"."""
    count = len(_things(step, scene))
    if node.returns is Kind.REFERENT or count <= 1:
        return noun_phrase(node, article=True), count > 1
    noun = noun_phrase(node)
    return (without_all(noun) if is_definite(noun) else f"{count} {noun}"), True


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _nearest_miss(step: Step, scene: Scene) -> Iterator[str]:
    for index, probability in _ranked(step, scene)[:1]:
        if probability < _HALF:
            short = _HALF - probability
            near = object_text(scene, index, probability)
            yield f"Nearest: {near}, {short:.2f} short of one half."
        return
    if step.objects is not None and len(scene):
        yield "No object comes near."


def _reservations(result: Result) -> Iterator[str]:
    """What a reader should know before trusting the answer."""
    if result.outcome is None:
        return
    about = list(dict.fromkeys(_approximations(result)))
    if about:
        yield f"Approximate: {'; '.join(about)}."
    ways = [f"'{word}' by {c.source}" for word, c in result.words.items() if c.source not in _PLAIN]
    if ways:
        yield f"Words: {'; '.join(ways)}."
    looked_for = result.scene.provenance.get(PROMPTS)
    if looked_for and any(isinstance(node, Everything) for node in result.program.walk()):
        yield f"Only what was looked for counts as a thing: {looked_for}."
    # A step's note may say in the same words what is said of the program as a whole.
    parts = dict.fromkeys(part for step in result.trace for part in step.note.split("; ") if part)
    notes = [part for part in parts if part not in about]
    if notes:
        yield f"Note: {'; '.join(notes)}."
    if not result.outcome.exact:
        yield _inexactness(result.outcome, result)
    if result.outcome.error > 0:
        yield f"They are a mean over sampled worlds, give or take {result.outcome.error:.3f}."
    if result.outcome.unexplored >= 0.005:
        yield f"Possibilities of probability {result.outcome.unexplored:.2f} were left out."


def _inexactness(outcome: Outcome, result: Result) -> str:
    """At which word the probabilities stop being exact, and what stands in the way."""
    words = [own_words(step.op, result.text) for step in result.trace if not step.exact]
    said = "The probabilities are approximate" + (f" from '{words[0]}' on" if words else "")
    shared = [f"'{verbalise(node)}'" for node in outcome.certificate.shared]
    if not shared:
        return f"{said}."
    named = " and ".join(dict.fromkeys(shared[:_LISTED]))
    return f"{said}: several parts depend on what is uncertain in {named}."


def _approximations(result: Result) -> Iterator[str]:
    scene, step_of = result.scene, steps_by_node(result)
    for node in result.program.walk():
        for role, name in names_of(node):
            if role == "relation" and name in scene.relations:
                relation = scene.relations[name]
                if relation.approximate:
                    yield f"'{name.replace('_', ' ')}' is only estimated ({relation.source})"
            elif role == "order" and ORDERS[name].measure in scene.measures:
                measure = scene.measures[ORDERS[name].measure]
                if measure.approximate:
                    yield f"'{name}' is only estimated ({measure.source})"
            elif role == "category" and name in scene.concepts:
                concept = scene.concepts[name]
                if concept.approximate:
                    yield f"'{name}' is read as {' or '.join(concept.categories)}"
        looked_at = {name for role, name in names_of(node) if role == "attribute"}
        if node.sees_all:
            looked_at = set(scene.attributes) - PLACES
        # A filter's own value is what passed it; the others look at all that they are given.
        nodes = [node] if isinstance(node, Filter) else node.operands
        for attribute in scene.attributes:
            if attribute in looked_at:
                yield from _unseen(attribute, list(map(step_of, nodes)), scene)
    unseen = int((~scene.categories.evidence).sum())
    if unseen:
        yield f"the category of {singular_or_plural(unseen, 'object')} is not known"


def _unseen(attribute: str, steps: list[Step | None], scene: Scene) -> Iterator[str]:
    blind = ~scene.attributes[attribute].evidence
    looked_at = [step.objects > 0.02 for step in steps if step and step.objects is not None]
    if looked_at:
        blind = blind & torch.stack(looked_at).any(dim=0)
    if count := int(blind.sum()):
        yield f"the {attribute} of {singular_or_plural(count, 'object')} could not be seen"


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
            for node in _needed(step.op)
            if (found := step_of(node)) is not None
            and found.objects is not None
            and _some(found, scene) < _HALF
        ]
        if step.op.name == "union" and len(empty) < len(step.op.operands):
            return step
        if not empty:
            return step
        step = empty[0]


def _needed(op: Op) -> tuple[Op, ...]:
    """The operands that a node needs members of to have any itself."""
    # What is excluded may well be empty, and what is compared with or left of nothing is all.
    first_only = isinstance(op, Minus | RelateAll | Different)
    if isinstance(op, RelateCount | RelatedByCount):
        first_only = op.comparison.holds(0, op.number)
    return op.operands[:1] if first_only else op.operands


def counted_set(op: Op) -> Op | None:
    """The set that a question asks about; None when it asks about several."""
    while not op.returns.is_of_objects:
        if len(op.operands) != 1 or op.name in ("negation", "count_is"):
            return None
        op = op.operands[0]
    return op


def _some(step: Step, scene: Scene) -> float:
    """About how probable it is that a step's value has a member."""
    if step.objects is None:
        return 1.0
    rest = 1.0
    for _, share in scene.things(step.objects):
        rest *= 1.0 - share
    return 1.0 - rest


def _things(step: Step, scene: Scene) -> list[float]:
    """The probabilities of the things, not hypotheses, that are in a step's value."""
    if step.objects is None:
        return []
    return [share for _, share in scene.things(step.objects) if share >= _HALF]


def _quoted(op: Op, text: str) -> str:
    span = op.span
    return span.of(text) if span is not None else verbalise(op)
