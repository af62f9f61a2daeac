"""What would give another answer, in words."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import TYPE_CHECKING

from neurosym.errors import ExecutionError
from neurosym.program import Comparison, Definites, Kind, Minus, Op, Select, Superlative, The
from neurosym.reasons import Atom, Edit, EditStep, ProgramChange, ScoreChange
from neurosym.views.constructions import counted_from
from neurosym.views.phrases import modifier, noun_phrase
from neurosym.views.text import answer_word, object_text
from neurosym.views.verbalise import verbalise
from neurosym.views.words import (
    attribute_noun,
    cardinal,
    ordinal,
    plural_of,
    relation_phrase,
    with_article,
)

if TYPE_CHECKING:
    from neurosym.result import Decision, Result
    from neurosym.scene import Scene

NEAR = 0.25
"""Of a sure answer, changes of a score that are larger than this are not mentioned."""
_LISTED = 4
_READINGS = {
    Definites.STRICT: "every 'the' had to be the only one of its kind",
    Definites.POLYADIC: "each 'the' only had to be the only one that the rest fits",
    Definites.ACCOMMODATE: "'the' meant the largest of several",
    Definites.ABSTAIN: "every 'the' had to be the only one of its kind",
}


def counterfactual_sentences(result: Result) -> tuple[str, ...]:
    """What would give another answer: the best change of the text, and the best of one score.

    A score is given to two digits, rounded to the side on which the answer is another one. A text
    that is about something else is the last resort, and where there is an answer it is not worth
    a word; nor is then a score that would have to change by more than ``NEAR``.

    Args:
        result: of any status.

    Returns:
        At most two sentences, such as "It would be #1 plate 0.80 if 'green' were 'white'." and "It
        would be #0 plate if #0 plate were red with 0.44 instead of 0.10."; one that says so when
        nothing was found or could be worked out.
    """
    try:
        found = result.counterfactuals()
    except ExecutionError as error:
        return (f"What would change the answer could not be worked out: {error.message}.",)
    answered = result.status == "ok"
    same = [change for change in found.programs if not change.edit.changes_subject]
    programs = same or ([] if answered else found.programs)
    # That a question would fail, or fail in another way, is no other answer to it.
    answering = [change for change in programs if change.decision.status == "ok"]
    programs = answering or ([] if answered else programs)
    scores = [c for c in found.scores if not (answered and c.change > NEAR)]
    if result.status == "many":
        # Where several fit, one is asked for, not none.
        programs = [change for change in programs if change.decision.status != "none"]
        scores = [change for change in scores if change.decision.status != "none"]
    said = [program_change_text(change, result) for change in programs[:1]]
    said += [score_change_text(change, result.scene) for change in scores[:1]]
    if not said and not (answered and (found.programs or found.scores)):
        what = "the text" if result.outcome is None else "the text or of one score"
        answer = "an answer" if result.status == "many" else "another answer"
        return (f"No small change of {what} was found that would give {answer}.",)
    return tuple(said)


def program_change_text(change: ProgramChange, result: Result) -> str:
    """What a change of the program leads to, in one sentence."""
    shares = {}
    if change.outcome.objects is not None:
        shares = dict(result.scene.things(change.outcome.objects))
    effect = _effect(change.decision, result.scene, shares)
    return f"{effect} {_condition(change.edit, result.text)}."


def score_change_text(change: ScoreChange, scene: Scene) -> str:
    """What a change of a score leads to, in one sentence."""
    score = change.atom.score
    up = change.needed > score
    # A rounding to the other side would say what is not so.
    digits = math.ceil(change.needed * 100) if up else math.floor(change.needed * 100)
    needed = min(100, max(0, digits)) / 100
    # What would be something else is not called what it is now.
    unnamed = {change.atom.object} if change.atom.role == "category" else set()
    effect = _effect(change.decision, scene, {}, unnamed)
    return f"{effect} if {_supposed(change.atom, scene)} with {needed:.2f} instead of {score:.2f}."


def own_words(op: Op, text: str) -> str:
    """The words of the text that a node itself comes from; its English when it has none."""
    counted = _counted(op)
    if counted is not None and len(op.words) > 1:
        return counted
    if op.words:
        return " ".join(span.of(text) for span in sorted(op.words))
    if not op.operands:
        return plural_of(noun_phrase(op, article=True).partition(" ")[2])
    return modifier(op)


def _counted(op: Op) -> str | None:
    """``third from the left`` of a node whose words are apart: "the third cup from the left"."""
    side = counted_from(op)
    return f"{ordinal(op.rank)} from the {side}" if side and isinstance(op, Superlative) else None


def _effect(
    decision: Decision,
    scene: Scene,
    shares: dict[int, float],
    unnamed: Collection[int] = (),
) -> str:
    if decision.status == "none":
        return "There would be none"
    if decision.status == "many":
        return "Several would fit"
    if decision.status != "ok":
        return "There would be no answer"
    if decision.answer is not None:
        return f"The answer would be {answer_word(decision.answer)}"
    named = [
        f"#{index}" if index in unnamed else object_text(scene, index, shares.get(index))
        for index in decision.objects[:_LISTED]
    ]
    more = len(decision.objects) - len(named)
    if more:
        named.append(f"{more} more")
    return f"It would be {', '.join(named[:-1])}{' and ' if len(named) > 1 else ''}{named[-1]}"


def _condition(edit: Edit, text: str) -> str:
    """``if 'green' were dropped``."""
    node, replacement = edit.node, edit.replacement
    if edit.step is EditStep.THE:
        return f"if {_READINGS[Definites(edit.field)]}"
    if edit.step is EditStep.DROP:
        if _is_determiner(node):
            single = isinstance(node, The)
            return _instead(noun_phrase(node), noun_phrase(replacement, article=single))
        if hasattr(node, "left"):
            return f"if only '{verbalise(replacement)}' were said"
        dropped = own_words(node, text) if len(node.operands) == 1 else modifier(node)
        return f"if '{dropped}' were dropped"
    if edit.step is EditStep.NEGATE:
        said = own_words(node, text)
        if isinstance(node, Minus):
            return f"if what '{said}' takes away were asked for"
        return _instead(said, f"not {said}")
    if edit.step is EditStep.INSERT:
        return _instead(noun_phrase(node), noun_phrase(replacement))
    if edit.step is EditStep.OPERATOR:
        if _is_determiner(node):
            return _instead(noun_phrase(node), noun_phrase(replacement))
        return _instead(_phrase(node), _phrase(replacement))
    return _instead(*_named(edit, text))


def _named(edit: Edit, text: str) -> tuple[str, str]:
    """What is said of the field that changes, and what would be said."""
    node = edit.node
    old, new = getattr(node, edit.field), getattr(edit.replacement, edit.field)
    if isinstance(node, Select):
        said = own_words(node, text)
        return said, plural_of(new) if said == plural_of(old) else new
    if isinstance(old, Comparison):
        return old.value.replace("_", " "), new.value.replace("_", " ")
    if edit.field == "relation":
        said = own_words(node, text) if node.words else relation_phrase(old)
        phrase = relation_phrase(new)
        # "left of" is answered by "right of", "to the left of" by "to the right of".
        return said, phrase if said.startswith("to ") else phrase.removeprefix("to the ")
    if edit.field in ("count", "number") and isinstance(old, int):
        said = own_words(node, text) if node.words else ""
        return said if said and " " not in said else cardinal(old), cardinal(new)
    if edit.field in ("order", "rank", "times"):
        return _phrase(node), _phrase(edit.replacement)
    if edit.field == "attribute":
        return attribute_noun(old), attribute_noun(new)
    return str(old), str(new)


def _phrase(op: Op) -> str:
    """What a node adds to its objects, or the whole of one that adds to nothing."""
    if op.returns in (Kind.TRUTH, Kind.NUMBER, Kind.VALUE):
        return verbalise(op)
    counted = _counted(op)
    if counted is not None:
        return counted
    adds = op.returns is Kind.OBJECTS and op.operands and not _is_determiner(op)
    return modifier(op) if adds and hasattr(op, "objects") else noun_phrase(op)


def _is_determiner(op: Op) -> bool:
    return len(op.operands) == 1 and op.explanation.startswith(("the ", "all the "))


def _instead(old: str, new: str) -> str:
    return f"if '{old}' were '{new}'"


def _supposed(atom: Atom, scene: Scene) -> str:
    """``#3 plate were red``; of a category, without the one that the object has now."""
    if atom.role == "category":
        return f"#{atom.object} were {with_article(atom.value)}"
    name = object_text(scene, atom.object)
    if atom.role == "existence":
        return f"{name} were there"
    if atom.landmark is not None:
        landmark = object_text(scene, atom.landmark)
        return f"{name} were {relation_phrase(atom.name)} {landmark}"
    return f"{name} were {atom.value}"
