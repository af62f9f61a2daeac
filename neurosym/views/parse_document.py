"""A parse as plain lists, numbers and strings, ready for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neurosym.program import Definites, Op, read_definites
from neurosym.views.document import repair_documents
from neurosym.views.parse_text import decided
from neurosym.views.text import operator_text
from neurosym.views.verbalise import verbalise

if TYPE_CHECKING:
    from neurosym.grammar import Lexicon, Parse, Reading, Tree
    from neurosym.grammar.diagnosis import Diagnosis
    from neurosym.span import Span

FORMAT = "neurosym-parse/1"


def parse_document(
    parse: Parse,
    lexicon: Lexicon,
    *,
    the: Definites = Definites.STRICT,
    every: bool = False,
) -> dict[str, Any]:
    """Everything that the text view shows.

    Args:
        parse: of a text.
        lexicon: the one that it was parsed with.
        the: how "the" is read in the programs.
        every: whether every reading has its words and trees; otherwise the best one alone.
    """
    return {
        "format": FORMAT,
        "text": parse.text,
        "repairs": repair_documents(parse.repairs),
        "tokens": [
            {
                "text": token.text,
                "read": token.lower,
                "lemma": token.lemma,
                "tag": token.tag,
                **_place(token.span),
            }
            for token in parse.tokens
        ],
        "readings": [
            _reading(reading, lexicon, the, whole=every or not number)
            for number, reading in enumerate(parse.readings)
        ],
    }


def program_document(program: Op) -> dict[str, Any]:
    """A program that was typed in: as an s-expression, as a tree, and in English."""
    return {
        "format": FORMAT,
        "program": str(program),
        "tree": _operators(program),
        "english": verbalise(program),
    }


def failure_document(diagnosis: Diagnosis) -> dict[str, Any]:
    """Why a text could not be read."""
    error = diagnosis.error
    return {
        "format": FORMAT,
        "text": error.text,
        "error": error.message,
        **(_place(error.span) if error.span else {}),
        "expected": list(error.expected),
        "mistake": diagnosis.mistake,
        "fix": diagnosis.fix,
    }


def _reading(reading: Reading, lexicon: Lexicon, the: Definites, *, whole: bool) -> dict[str, Any]:
    program = read_definites(reading.program, the)
    document: dict[str, Any] = {
        "program": str(program),
        "score": reading.score,
        "source": reading.source,
        "senses": [
            {
                "words": choice.words,
                **_place(choice.span),
                "concept": choice.concept,
                "about": choice.about,
                "because": list(choice.because),
            }
            for choice in reading.senses
        ],
        "unused": [token.text for token in reading.unused],
    }
    if not whole:
        return document
    words = []
    for index, unit in enumerate(reading.units):
        sense = decided(index, unit, reading)
        words.append(
            {
                "tokens": [token.index for token in unit.tokens],
                "class": sense.word_class.key if sense else None,
                "concept": sense.concept if sense else None,
                "dimension": (sense.dimension or None) if sense else None,
                "entry": lexicon.origin(unit.forms, sense) if sense else None,
            }
        )
    tree = _operators(program)
    return {**document, "words": words, "syntax": _syntax(reading.syntax), "tree": tree}


def _syntax(tree: Tree) -> dict[str, Any]:
    document: dict[str, Any] = {"label": tree.label, **_place(tree.span)}
    if tree.unit is not None:
        return {**document, "words": tree.words, "unit": tree.unit}
    return {**document, "children": [_syntax(child) for child in tree.children]}


def _operators(program: Op) -> dict[str, Any]:
    return {
        "operator": operator_text(program),
        "spans": [[span.start, span.end] for span in sorted(program.words)],
        "operands": [_operators(operand) for operand in program.operands],
    }


def _place(span: Span) -> dict[str, int]:
    return {"start": span.start, "end": span.end}
