"""A result as one HTML file that shows how words, program, steps and pixels hang together.

The file needs nothing but itself: script and style stand inside, the picture and the maps are
``data:`` addresses, and its Content-Security-Policy forbids the browser to load or run anything
else. Text from users, lexicons and scenes only ever gets in escaped (:mod:`report_html`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from neurosym.files import write_atomically
from neurosym.program import Kind, Op
from neurosym.views import palette
from neurosym.views.counterfactual import counterfactual_sentences
from neurosym.views.explain import explain, summary
from neurosym.views.palette import Colour
from neurosym.views.report_html import Markup, element, joined, script_data, source_hash
from neurosym.views.report_links import Links
from neurosym.views.report_picture import caption, map_element, picture_element, report_alignment
from neurosym.views.text import (
    SHOWN,
    answer_lead,
    answer_things,
    answer_word,
    box_text,
    is_guess,
    object_text,
    operator_text,
    repairs_text,
    top_objects,
    value_text,
)
from neurosym.views.verbalise import verbalise
from neurosym.views.words import singular_or_plural

if TYPE_CHECKING:
    from neurosym.executors.base import Certificate, Outcome, Step
    from neurosym.grammar import Reading
    from neurosym.result import Result

_LISTED = 12
"""Objects or counts that a step of the trace names; the others are counted."""
_MOST_ROWS = 200
"""Objects of the answer that have a row of their own."""


def report(result: Result) -> str:
    """The result as one self-contained HTML page.

    It shows the text, the answer, the picture with boxes and masks, the reasons, what would change
    the answer, the map of every word, the parse tree, the program, every step with its
    certificate, the other readings and where the scene comes from. Pointing at a word, a node, a
    step, a change or an object shows what belongs to it. The picture is reduced to 1024 pixels,
    maps to 256, masks to 640; at most 100 masks and 24 maps' worth of map pixels are in it, so that
    a page has some hundred kilobytes for a photograph and stays below 4 MB for a scene of 100
    objects whatever the picture.

    Args:
        result: of any status.

    Returns:
        The page. It can be encoded as UTF-8 whatever the text holds.
    """
    links = Links(result, report_alignment(result))
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy()),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", f"{_line(result.text)} - neurosym"),
        element("style", Markup(_style())),
    )
    body = element(
        "body",
        _header(links),
        element("main", _picture(links), element("div", *_sections(links), class_="sections")),
        element("script", script_data(links.document()), type="application/json", id="links"),
        element("script", Markup(_script())),
    )
    page = f"<!doctype html>\n{element('html', head, body, lang='en')}\n"
    # File names may bring half characters that no encoding has, and HTML has no NUL.
    return page.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")


def is_report(path: Path) -> bool:
    """Whether a file of this name is a report, by its suffix."""
    return path.suffix.lower() in (".html", ".htm")


def save_report(result: Result, path: Path) -> Path:
    """Write :func:`report`, atomically; the folder must exist.

    Raises:
        DataError: the file cannot be written.
    """
    return write_atomically(path, report(result).encode())


def _policy() -> str:
    return "; ".join(
        (
            "default-src 'none'",
            "img-src data:",
            f"style-src {source_hash(_style())}",
            f"script-src {source_hash(_script())}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


@cache
def _script() -> str:
    return files("neurosym.views").joinpath("report.js").read_text(encoding="utf-8")


@cache
def _style() -> str:
    """The colours of the palette by name, and the rules that use them."""
    named: dict[str, Colour] = {
        "paper": palette.PAPER,
        "ink": palette.INK,
        "faint": palette.FAINT,
        "answer": palette.ANSWER,
        "landmark": palette.LANDMARK,
        "candidate": palette.CANDIDATE,
        "caution": palette.CAUTION,
        "notice": palette.NOTICE,
        "canvas": palette.CANVAS,
        **{f"status-{status}": colour for status, colour in palette.STATUS.items()},
    }
    inks = {f"on-{name}": palette.ink_on(colour) for name, colour in named.items()}
    lines = [f"--{name}:{_css(colour)};" for name, colour in {**named, **inks}.items()]
    ramp = ",".join(_css(colour) for colour in palette.heat()[::15].tolist())
    rules = files("neurosym.views").joinpath("report.css").read_text(encoding="utf-8")
    return f":root{{{''.join(lines)}--ramp:linear-gradient(to right,{ramp});}}\n{rules}"


def _css(colour: Sequence[int]) -> str:
    return "#" + "".join(f"{part:02x}" for part in colour)


def _header(links: Links) -> Markup:
    result = links.result
    colour = "caution" if is_guess(result) else f"status-{result.status}"
    probability = "" if result.status == "unsupported" else f" {result.probability:.2f}"
    badge = element("span", f"{result.status}{probability}", class_=f"badge {colour}")
    anchors = [element("a", title, href=f"#{key}") for key, title in _TITLES.items()]
    return element(
        "header",
        element("h1", *_words(links)),
        element("p", badge, " ", element("strong", _answer(result)), class_="answer"),
        element("p", summary(result)) if result.status != "ok" else "",
        element("p", "Understood as: ", verbalise(result.program), class_="faint"),
        element("nav", *anchors, aria_label="sections"),
    )


def _answer(result: Result) -> str:
    """The answer in a few words."""
    if result.status != "ok":
        return result.message
    guess = "best guess: " if is_guess(result) else ""
    if result.answer is not None:
        return guess + answer_word(result.answer)
    listed = [object_text(result.scene, index) for index in result.objects[:_LISTED]]
    more = len(result.objects) - len(listed)
    shown = ", ".join(listed) + (f" and {more} more" if more else "")
    return guess + answer_lead(result.program) + shown


def _words(links: Links) -> Iterator[Markup]:
    """The text with every word that is linked to something as a button."""
    result, end = links.result, 0
    for number, token in enumerate(result.tokens):
        yield joined(result.text[end : token.span.start])
        said = token.span.of(result.text)
        kind = links.kinds[number]
        linked = links.is_linked(number) or any(character.isalnum() for character in said)
        if linked:
            hint = element("span", " (not used)", class_="hidden") if kind == "unused" else ""
            yield _button(f"w{number}", said, hint, class_=f"word {kind}")
        else:
            yield element("span", said, data_key=f"w{number}")
        end = token.span.end
    yield joined(result.text[end:])


def _button(key: str, *children: str, class_: str | None = None) -> Markup:
    """Something that can be pointed at, also with the keyboard or a finger."""
    return element(
        "button", *children, type="button", class_=class_, data_key=key, aria_pressed="false"
    )


def _picture(links: Links) -> Markup:
    return element(
        "figure",
        picture_element(links),
        element(
            "figcaption",
            element("p", caption(links), id="legend"),
            element("p", id="showing", aria_live="polite"),
        ),
        class_="picture",
    )


def _sections(links: Links) -> Iterator[Markup]:
    for key, title in _TITLES.items():
        yield element("section", element("h2", title), *_BODIES[key](links), id=key)


def _answer_section(links: Links) -> Iterator[Markup]:
    result, outcome = links.result, links.result.outcome
    if outcome is None:
        yield element("p", result.message or "not executed")
        return
    rows = [
        (_chip(result, index, None), share, box_text(result, index))
        for index, share in answer_things(result)[:_MOST_ROWS]
    ]
    if rows:
        yield _table(
            ("object", "probability", "place in pixels"),
            [(chip, f"{share:.2f}", place) for chip, share, place in rows],
        )
    if len(result.objects) > len(rows):
        yield element("p", f"and {len(result.objects) - len(rows)} more objects")
    shares = list(_distribution(outcome))
    held = max(0.0, 1.0 - outcome.none - outcome.many)
    if outcome.kind is Kind.TRUTH and outcome.truth is not None:
        shares = [("yes", outcome.truth), ("no", max(0.0, held - outcome.truth))]
    shares += [("there is none", outcome.none), ("several fit", outcome.many)]
    yield _table(("outcome", "probability"), [(name, f"{share:.2f}") for name, share in shares])
    if outcome.error > 0:
        yield element("p", f"A mean over sampled worlds, give or take {outcome.error:.3f}.")


def _distribution(outcome: Outcome) -> Iterator[tuple[str, float]]:
    """What a number or a value may be, with probabilities."""
    if outcome.number is not None:
        yield from ((str(n), p) for n, p in sorted(top_objects(outcome.number, _LISTED)))
    elif outcome.value is not None:
        yield from ((outcome.values[i], p) for i, p in top_objects(outcome.value, _LISTED))


def _why_section(links: Links) -> Iterator[Markup]:
    # Lines are broken where the page breaks them.
    for line in explain(links.result, width=100_000).split("\n"):
        yield element("p", line.strip())


def _change_section(links: Links) -> Iterator[Markup]:
    rows = [
        element("li", _button(f"c{number}", links.change_text(number)))
        for number in range(len(links.changes))
    ]
    if rows:
        yield element("ul", *rows, class_="changes")
        yield element(
            "p",
            "Each was tried out. Those of the text come first, then those of a single score, each "
            "from the smallest on.",
            class_="faint",
        )
    else:
        for said in counterfactual_sentences(links.result):
            yield element("p", said)


def _word_section(links: Links) -> Iterator[Markup]:
    alignment = links.alignment
    tiles = []
    for number, rows in enumerate(alignment.phrases):
        word = " ".join(alignment.words[row] for row in rows)
        part = element("span", alignment.parts[rows[0]], class_="faint")
        tiles.append(_button(f"m{number}", map_element(links, number), word, " ", part))
    if tiles:
        yield element("div", *tiles, class_="tiles")
        ramp = element("span", class_="ramp")
        yield element("p", "0 ", ramp, " 1: the probability at a pixel", class_="faint")
    for title, words in (
        ("Words that align to nothing because of what they are", alignment.function_words),
        ("Words that were not used", alignment.unused_words),
    ):
        if words:
            yield element("p", f"{title}: ", ", ".join(dict.fromkeys(words)), class_="faint")
    if not tiles:
        yield element("p", "No word is bound to pixels.")


def _tree_section(links: Links) -> Iterator[Markup]:
    text = links.result.text
    rows = []
    for number, (rail, tree) in enumerate(links.phrases):
        words = "" if tree.children else f' "{tree.span.of(text)}"'
        rows.append((rail, _button(f"s{number}", tree.label, _quoted(words))))
    yield _rails(rows)


def _program_section(links: Links) -> Iterator[Markup]:
    text = links.result.text
    rows = []
    for number, (rail, op) in enumerate(links.nodes):
        words = "".join(f' "{span.of(text)}"' for span in sorted(op.words))
        step = links.step_keys[number]
        rows.append(
            (
                rail,
                joined(
                    _button(f"n{number}", operator_text(op), _quoted(words)),
                    _button(step, f"step {step[1:]}", class_="step") if step else "",
                    element("span", f" {op.returns.value}", class_="faint"),
                ),
            )
        )
    yield _rails(rows)
    runs = _expression(links.result.program, iter(range(len(links.nodes))))
    pieces = [element("span", said, data_key=f"n{node}") for node, said in runs]
    yield element("p", element("code", *pieces, class_="expression"))


def _expression(op: Op, numbers: Iterator[int]) -> Iterator[tuple[int, str]]:
    """The printed form of a program in pieces, each with the number of the node that says it."""
    number = next(numbers)
    rest = str(op)
    for operand in op.operands:
        before, _, rest = rest.partition(str(operand))
        yield number, before
        yield from _expression(operand, numbers)
    yield number, rest


def _trace_section(links: Links) -> Iterator[Markup]:
    result = links.result
    if result.outcome is None:
        yield element("p", "Nothing was executed.")
        return
    numbers: dict[Op, int] = {}
    for number, step in enumerate(result.trace, 1):
        numbers.setdefault(step.op, number)
    columns = (
        *("step", "operator", "in English", "value", "none", "many", "vacuous"),
        *("certificate", "note"),
    )
    rows = []
    for number, step in enumerate(result.trace, 1):
        operands = [f"%{numbers.get(operand, 0)}" for operand in step.op.operands]
        rows.append(
            (
                _button(f"e{number}", str(number)),
                element("code", operator_text(step.op, operands)),
                verbalise(step.op),
                _value(step, result),
                f"{step.none:.2f}",
                f"{step.many:.2f}",
                f"{step.vacuous:.2f}" if step.vacuous else "",
                _certificate(step.certificate, links),
                step.note,
            )
        )
    failed = [f"e{n}" for n, s in enumerate(result.trace, 1) if s.none + s.many >= 0.5]
    yield _table(columns, rows, keys=[f"e{n}" for n in range(1, len(rows) + 1)], failed=failed)
    yield element(
        "p",
        "none and many: the probability that the program has failed up to and including the step. "
        "%1 is the value of step 1.",
        class_="faint",
    )


def _value(step: Step, result: Result) -> Markup:
    if step.objects is None:
        return joined(value_text(step, result.scene, _LISTED))
    listed = top_objects(step.objects, _LISTED)
    more = int((step.objects >= SHOWN).sum()) - len(listed)
    chips = [joined(_chip(result, index, share), " ") for index, share in listed]
    return joined(*chips, "" if chips else "no object", f"and {more} more" if more else "")


def _chip(result: Result, index: int, share: float | None) -> Markup:
    return _button(f"o{index}", object_text(result.scene, index, share), class_="chip")


def _certificate(certificate: Certificate, links: Links) -> Markup:
    if certificate.exact:
        return joined("exact")
    if not certificate.shared:
        return joined("approximate")
    nodes = []
    for op in certificate.shared:
        key = links.key_of_node(op)
        nodes.append(_button(key, operator_text(op)) if key else element("code", str(op)))
    return joined("approximate: shared by several parts: ", *(joined(n, " ") for n in nodes))


def _certificate_section(links: Links) -> Iterator[Markup]:
    outcome = links.result.outcome
    if outcome is None:
        yield element("p", "Nothing was executed.")
        return
    certificate = outcome.certificate
    if outcome.exact:
        yield element("p", "Exact: every step is the expectation over all possible worlds.")
    elif certificate.exact:
        yield element("p", "Every step is exact in the worlds that were looked at.")
    else:
        loose = [f"e{n}" for n, step in enumerate(outcome.steps, 1) if not step.exact]
        yield element("p", "The sum of all steps is ", _certificate(certificate, links), ".")
        if loose:
            buttons = [joined(" ", _button(key, f"step {key[1:]}")) for key in loose]
            yield element("p", "Approximate steps:", *buttons)
    if not outcome.exact and outcome.unexplored > 0:
        yield element("p", f"Worlds of probability {outcome.unexplored:.1g} were left out.")


def _reading_section(links: Links) -> Iterator[Markup]:
    result = links.result
    chosen = result.reading

    def row(reading: Reading) -> tuple[str, ...]:
        unused = ", ".join(f'"{token.text}"' for token in reading.unused)
        return (
            f"{reading.score:.2f}",
            "chosen" if reading is chosen or reading == chosen else "",
            verbalise(reading.program),
            element("code", str(reading.program)),
            unused,
        )

    if result.repairs:
        yield element("p", f"{repairs_text(result.repairs)}.")
    columns = ("score", "", "in English", "program", "not used")
    yield _table(columns, [row(reading) for reading in result.readings])
    if len(result.readings) == 1:
        yield element("p", "There is no other reading.")
    else:
        yield element(
            "p", "0 is the plainest reading; the scene decides between them.", class_="faint"
        )


def _scene_section(links: Links) -> Iterator[Markup]:
    scene = links.result.scene
    height, width = scene.size
    yield element("p", f"{singular_or_plural(len(scene), 'object')}, {width} x {height} pixels")
    if scene.provenance:
        yield _table(("made by", ""), [(k, str(v)) for k, v in scene.provenance.items()])
    rows = [("categories", "", scene.categories.source, _unseen(scene.categories.evidence))]
    rows += [
        ("attribute", name, table.source, _unseen(table.evidence))
        for name, table in scene.attributes.items()
    ]
    rows += [
        ("relation", name, relation.source, "approximate" if relation.approximate else "")
        for name, relation in scene.relations.items()
    ]
    for name, measure in scene.measures.items():
        notes = [f"in {measure.unit}"]
        notes += ["approximate"] if measure.approximate else []
        notes += [f"give or take {measure.noise:g}"] if measure.noise else []
        rows.append(("measure", name, measure.source, ", ".join(notes)))
    yield element(
        "details",
        element("summary", "Where each table comes from"),
        _table(("table", "name", "source", "note"), rows),
    )


def _unseen(evidence: Tensor) -> str:
    count = int((~evidence).sum())
    return f"only a prior for {singular_or_plural(count, 'object')}" if count else ""


def _table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    keys: Sequence[str] = (),
    failed: Sequence[str] = (),
) -> Markup:
    """A table without the columns that are empty throughout.

    On a narrow screen the cells of a wide one stand below each other with their columns' names.
    """
    rows = list(rows)
    used = [place for place in range(len(columns)) if any(row[place] for row in rows)]
    head = element("tr", *(element("th", columns[place], scope="col") for place in used))
    body = []
    for number, row in enumerate(rows):
        cells = [
            element(
                "td",
                row[place],
                data_label=columns[place] or None,
                class_=None if row[place] else "empty",
            )
            for place in used
        ]
        key = keys[number] if keys else None
        body.append(element("tr", *cells, data_key=key, class_="failed" if key in failed else None))
    return element(
        "div",
        element("table", element("thead", head), element("tbody", *body)),
        class_="scrolled wide" if len(used) > 3 else "scrolled",
    )


def _rails(rows: Iterable[tuple[str, Markup]]) -> Markup:
    """A tree, a node a line, with what is drawn before each."""
    lines = [
        element("li", element("span", rail, class_="rail", aria_hidden="true"), line)
        for rail, line in rows
    ]
    return element("ul", *lines, class_="tree")


def _quoted(words: str) -> Markup:
    return element("span", words, class_="quoted") if words else Markup()


def _line(text: str) -> str:
    return " ".join(text.split())


_TITLES = {
    "answer": "Answer",
    "why": "Why",
    "changes": "What would change the answer",
    "words": "Words",
    "trace": "Trace",
    "program": "Program",
    "tree": "Parse tree",
    "certificates": "Certificates",
    "readings": "Readings",
    "scene": "Scene",
}
_BODIES: dict[str, Callable[[Links], Iterator[Markup]]] = {
    "answer": _answer_section,
    "why": _why_section,
    "changes": _change_section,
    "words": _word_section,
    "trace": _trace_section,
    "program": _program_section,
    "tree": _tree_section,
    "certificates": _certificate_section,
    "readings": _reading_section,
    "scene": _scene_section,
}
