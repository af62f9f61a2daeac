"""Plain-text views: the parse tree, the program, the trace and the answer."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from torch import Tensor

from neurosym.program import ACTIONS, Command, Comparison, Kind, Op, Part, signature
from neurosym.scene import Scene
from neurosym.span import Span

if TYPE_CHECKING:
    from neurosym.executors.base import Step
    from neurosym.grammar import Reading, Repair, Tree
    from neurosym.result import Result

WIDTH = 100
"""Default width of the views in characters."""
SHOWN = 0.005
"""Probabilities below this round to 0.00 and are not listed."""
_Node = TypeVar("_Node")
_CODES = {"bold": "1", "good": "32", "bad": "31", "faint": "2"}


def tree_text(syntax: Tree) -> str:
    """The parse as a tree in box-drawing characters, words in quotation marks."""

    def line(node: Tree) -> str:
        return node.label if node.children else f'{node.label} "{node.words}"'

    return "\n".join(f"{rail}{line(node)}" for rail, node in rails(syntax, lambda n: n.children))


def program_text(program: Op, text: str | None = None) -> str:
    """The program as a tree, one operator a line, with the words that each comes from.

    Args:
        program: the program.
        text: the text that it was made from; without it the words are given by their positions.
    """
    rows = [
        (f"{rail}{operator_text(node)}", _words(node, text))
        for rail, node in rails(program, lambda op: op.operands)
    ]
    left = max(len(row[0]) for row in rows)
    return "\n".join(f"{row[0]:<{left}}  {row[1]}".rstrip() for row in rows)


def trace_text(result: Result, *, width: int = WIDTH, top: int = 3, colour: bool = False) -> str:
    """What every step of the execution came to, as a table.

    A step is an operator, its operands by their numbers, and its names. ``none`` and ``many`` are
    the probabilities that the program has failed up to and including this step. A ``~`` before a
    value says that it is an approximation.

    Args:
        result: of any status; without an outcome the table is one line.
        width: in characters; at least 54 are used.
        top: how many objects, counts or values to show of a step; other objects are counted.
        colour: whether to mark steps that probably failed by terminal colour codes.
    """
    if result.outcome is None:
        return f"not executed: {result.message}" if result.message else "not executed"
    numbers: dict[Op, int] = {}
    for number, step in enumerate(result.trace, 1):
        numbers.setdefault(step.op, number)
    rows = [("step", "operator", "words", "value", "none", "many")]
    for number, step in enumerate(result.trace, 1):
        rows.append(
            (
                str(number),
                operator_text(
                    step.op, [f"%{numbers.get(operand, 0)}" for operand in step.op.operands]
                ),
                _words(step.op, result.text),
                ("" if step.exact else "~ ") + value_text(step, result.scene, top),
                f"{step.none:.2f}",
                f"{step.many:.2f}",
            )
        )
    return "\n".join(_table(rows, width, result, colour=colour))


def answer_text(result: Result, *, colour: bool = False) -> str:
    """The status and the answer, what was repaired and what was not used, and a line per object
    of a set.
    """  # noqa: D205 - one sentence
    sure = result.status == "ok" and not is_guess(result)
    status = _paint(result.status, "good" if sure else "bad", colour=colour)
    guess = ", best guess" if is_guess(result) else ""
    head = f"{status} ({result.probability:.2f}{guess})"
    if result.status == "unsupported":
        head = status
    listed: list[str] = []
    if result.status != "ok":
        head += f": {result.message}" if result.message else ""
    elif result.answer is not None:
        head += f": {answer_word(result.answer)}"
    else:
        chosen = answer_things(result)
        lead = answer_lead(result.program)
        listed = [
            f"{lead}{object_text(result.scene, i, p)}, {box_text(result, i)}" for i, p in chosen
        ]
        head += f": {listed.pop() if len(listed) == 1 else f'{len(listed)} objects'}"
    aside = [_paint(line, "bad", colour=colour) for line in aside_texts(result)]
    return "\n".join([head, *aside, *(f"  {line}" for line in listed)])


def aside_texts(result: Result) -> list[str]:
    """What of the text the answer does not rest on, a line each: that it is but a guess, slips that
    were repaired, words that were not used, and what the scene cannot tell.
    """  # noqa: D205 - one sentence
    lines = (
        guessed_text(result.reading),
        repairs_text(result.repairs),
        unused_text(result),
        unchecked_text(result),
    )
    return [line for line in lines if line]


def guessed_text(reading: Reading) -> str:
    """That the program is a guess, or nothing when the grammar gave it."""
    return "guessed from dependencies, for want of a rule" if reading.guessed else ""


def unused_text(result: Result) -> str:
    """``not used: "tall"``, or nothing when the program uses every word."""
    words = dict.fromkeys(f'"{token.text}"' for token in result.unused)
    return f"not used: {', '.join(words)}" if words else ""


def unchecked_text(result: Result) -> str:
    """``not checked: action "sit", quality "old"``, or nothing when all could be checked."""
    said = dict.fromkeys(f'{left.attribute} "{left.value}"' for left in result.unchecked)
    return f"not checked: {', '.join(said)}" if said else ""


def repairs_text(repairs: Sequence[Repair]) -> str:
    """``repaired: "yelow" read as "yellow"``, or nothing when there was nothing to repair."""
    said = dict.fromkeys(f'"{repair.written}" read as "{repair.meant}"' for repair in repairs)
    return f"repaired: {', '.join(said)}" if said else ""


def is_guess(result: Result) -> bool:
    """Whether the answer is less likely than not, although nothing else is likelier."""
    if result.status != "ok":
        return False
    shares = [share for _, share in answer_things(result)]
    unlikely = bool(shares) and result.answer is None and round(max(shares), 2) < 0.5
    # As it is shown: what reads 0.50 is no guess.
    return round(result.probability, 2) < 0.5 or unlikely


def answer_things(result: Result) -> list[tuple[int, float]]:
    """The objects that answer, each with the probability of the thing that it is.

    Hypotheses of one thing are added up, as in :attr:`Result.probability`.
    """
    if result.outcome is None or result.outcome.objects is None:
        return []
    total = dict(result.scene.things(result.outcome.objects))
    return [(index, total[index]) for index in result.objects]


def top_things(probabilities: Tensor, scene: Scene, limit: int) -> list[tuple[int, float]]:
    """The likeliest things: the likeliest member of each group, and the group's probability."""
    shown = [thing for thing in scene.things(probabilities) if probabilities[thing[0]] >= SHOWN]
    return sorted(shown, key=lambda thing: (-thing[1], thing[0]))[:limit]


def answer_lead(program: Op) -> str:
    """What is said of the objects that answer: "pick up ", "the left half of ", or nothing."""
    if isinstance(program, Command):
        return f"{ACTIONS[program.action]} "
    return f"the {program.portion} of " if isinstance(program, Part) else ""


def answer_word(answer: int | bool | str) -> str:
    """``yes``, ``no``, a number in figures, or a value as it is."""
    return ("yes" if answer else "no") if isinstance(answer, bool) else str(answer)


def object_text(scene: Scene, index: int, probability: float | None = None) -> str:
    """``#3 person`` with the object's likeliest category, and ``#3 person 0.93``."""
    name = f"#{index} {object_name(scene, index)}"
    return name if probability is None else f"{name} {probability:.2f}"


def object_name(scene: Scene, index: int) -> str:
    """The likeliest category of an object."""
    if not scene.categories.values:
        return "object"
    return scene.categories.values[int(scene.categories.probabilities[index].argmax())]


def top_objects(probabilities: Tensor, limit: int) -> list[tuple[int, float]]:
    """The likeliest of some numbered things with their probabilities, without those of 0.00."""
    values = probabilities.detach().cpu().tolist()
    ranked = sorted(range(len(values)), key=lambda index: (-values[index], index))
    return [(i, values[i]) for i in ranked[:limit] if values[i] >= SHOWN]


def value_text(step: Step, scene: Scene, top: int = 3) -> str:
    """The value of a step in one line."""
    if step.truth is not None:
        return f"yes {step.truth:.2f}"
    if step.number is not None:
        likely = sorted(top_objects(step.number, top))
        return ", ".join(f"{count}: {probability:.2f}" for count, probability in likely) or "-"
    if step.value is not None:
        likely = top_objects(step.value, top)
        return ", ".join(f"{step.values[i]} {p:.2f}" for i, p in likely) or "-"
    if step.objects is None:
        return "-"
    listed = top_objects(step.objects, top)
    more = int((step.objects >= SHOWN).sum()) - len(listed)
    shown = ", ".join(object_text(scene, index, value) for index, value in listed)
    return (shown + (f" and {more} more" if more else "")) or "no object"


def _table(
    rows: Sequence[tuple[str, ...]], width: int, result: Result, *, colour: bool
) -> Iterator[str]:
    columns = range(len(rows[0]))
    widths = [max(len(row[column]) for row in rows) for column in columns]
    # The value is the column that gives way; the words and the operator do when it cannot.
    for column, least in ((3, 16), (2, 6), (1, 10)):
        excess = sum(widths) + 2 * (len(widths) - 1) - width
        widths[column] = max(min(least, widths[column]), widths[column] - max(0, excess))
    for number, row in enumerate(rows):
        parts = [textwrap.wrap(cell, widths[c]) or [""] for c, cell in enumerate(row)]
        step = result.trace[number - 1] if number else None
        style = "bold" if step is None else _style(step)
        for line in range(max(map(len, parts))):
            cells = [part[line] if line < len(part) else "" for part in parts]
            padded = [
                f"{cell:>{widths[c]}}" if c in (0, 4, 5) else f"{cell:<{widths[c]}}"
                for c, cell in enumerate(cells)
            ]
            yield _paint("  ".join(padded).rstrip(), style, colour=colour)
        if step is not None and step.note:
            indent = " " * (widths[0] + 2)
            for line_text in textwrap.wrap(f"({step.note})", max(20, width - len(indent))):
                yield _paint(indent + line_text, "faint", colour=colour)


def _style(step: Step) -> str:
    return "bad" if step.none + step.many >= 0.5 else ""


def _paint(text: str, style: str, *, colour: bool) -> str:
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if colour and style else text


def operator_text(op: Op, operands: Sequence[str] = ()) -> str:
    """An operator without what is below it: ``relate left_of``, ``relate %1 left_of %2``.

    Args:
        op: the node.
        operands: what stands for each of its operands; left out when empty.
    """
    given = iter(operands)
    parts = [op.name]
    for parameter in signature(type(op)):
        value = getattr(op, parameter.name)
        if isinstance(parameter.declared, Kind):
            parts += [next(given)] if operands else []
        elif parameter.name != "rank" or value != 1:
            parts.append(value.value if isinstance(value, Comparison) else str(value))
    return " ".join(parts)


def _words(op: Op, text: str | None) -> str:
    spans: tuple[Span, ...] = tuple(sorted(op.words))
    return " ".join(f'"{span.of(text)}"' if text is not None else f"[{span}]" for span in spans)


def box_text(result: Result, index: int) -> str:
    """Where an object is, in whole pixels: ``box x 38 to 113, y 33 to 135``."""
    x1, y1, x2, y2 = (round(float(value)) for value in result.scene.boxes[index])
    return f"box x {x1} to {x2}, y {y1} to {y2}"


def rails(
    root: _Node, below: Callable[[_Node], Sequence[_Node]], rail: str = "", lead: str = ""
) -> Iterator[tuple[str, _Node]]:
    """Every node of a tree with the rail that is drawn before it, depth first.

    Args:
        root: the first node.
        below: the children of a node.
        rail: what is drawn before everything below the root.
        lead: what is drawn before the root.
    """
    yield lead, root
    children = below(root)
    for position, child in enumerate(children):
        last = position == len(children) - 1
        lead_below = rail + ("└─ " if last else "├─ ")
        yield from rails(child, below, rail + ("   " if last else "│  "), lead_below)
