"""A result as plain lists, numbers and strings, ready for JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from neurosym.program import Op
from neurosym.result import Result
from neurosym.scene import Scene

if TYPE_CHECKING:
    from neurosym.executors.base import Outcome, Step
    from neurosym.grammar import Repair

FORMAT = "neurosym-result/1"


def result_document(result: Result) -> dict[str, Any]:
    """Everything that a program needs to use a result; probabilities are rounded to 6 places."""
    outcome = result.outcome
    return {
        "format": FORMAT,
        "text": result.text,
        "program": str(result.program),
        "the": result.the.value,
        "status": result.status,
        "answer": result.answer,
        "intent": result.intent,
        "destination": asdict(result.destination) if result.destination else None,
        "probability": round(result.probability, 6),
        "none": round(outcome.none, 6) if outcome else None,
        "many": round(outcome.many, 6) if outcome else None,
        "exact": outcome.exact if outcome else None,
        "unexplored": round(outcome.unexplored, 6) if outcome else None,
        "error": round(outcome.error, 6) if outcome else None,
        "values": _values(outcome) if outcome else None,
        "objects": [
            _object(result.scene, index, float(probability))
            for index, probability in zip(
                result.objects, result.probabilities.tolist(), strict=True
            )
        ],
        "repairs": repair_documents(result.repairs),
        "unused": [token.text for token in result.unused],
        "unchecked": [
            {"attribute": left.attribute, "value": left.value} for left in result.unchecked
        ],
        "words": [
            {
                "word": word,
                "categories": list(concept.categories),
                "approximate": concept.approximate,
                "source": concept.source,
            }
            for word, concept in result.words.items()
        ],
        "provenance": dict(result.scene.provenance),
        "message": result.message,
        "readings": [
            {"program": str(reading.program), "score": reading.score, "source": reading.source}
            for reading in result.readings
        ],
        "trace": trace_document(result),
    }


def trace_document(result: Result) -> list[dict[str, Any]]:
    """The steps of the execution in order, as plain lists and numbers."""
    return [
        {
            "program": str(step.op),
            "words": _words(step.op, result.text),
            "objects": (
                {i: round(p, 6) for i, p in enumerate(step.objects.tolist()) if p >= 1e-3}
                if step.objects is not None
                else None
            ),
            "number": (
                [round(p, 6) for p in step.number.tolist()] if step.number is not None else None
            ),
            "truth": step.truth,
            "values": _values(step),
            "none": round(step.none, 6),
            "many": round(step.many, 6),
            "vacuous": round(step.vacuous, 6),
            "exact": step.exact,
            "shared": [str(node) for node in step.certificate.shared],
            "note": step.note,
        }
        for step in result.trace
    ]


def repair_documents(repairs: Iterable[Repair]) -> list[dict[str, Any]]:
    """Slips that were repaired, with the characters where they stand."""
    return [
        {
            "written": repair.written,
            "meant": repair.meant,
            "start": repair.span.start,
            "end": repair.span.end,
            "reason": repair.reason,
        }
        for repair in repairs
    ]


def _values(found: Outcome | Step) -> dict[str, float] | None:
    """The probability of each value of an attribute, where that is what was asked."""
    if found.value is None:
        return None
    return {name: round(p, 6) for name, p in zip(found.values, found.value.tolist(), strict=True)}


def _object(scene: Scene, index: int, probability: float) -> dict[str, Any]:
    best = int(scene.categories.probabilities[index].argmax())
    return {
        "index": index,
        "category": scene.categories.values[best],
        "box_xyxy": [round(float(v), 2) for v in scene.boxes[index]],
        "probability": round(probability, 6),
    }


def _words(op: Op, text: str) -> list[str]:
    return [span.of(text) for span in op.words]
