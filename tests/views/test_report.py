"""The report: complete in itself, escaped throughout, and linked without loose ends."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from neurosym import cli
from neurosym.api import Grounder
from neurosym.errors import DataError
from neurosym.executors.base import Certificate, Step
from neurosym.grammar import Parse, Parser, Reading, Token, Tree
from neurosym.perception.given import Thing, scene_of
from neurosym.pixels import GivenMasks, ImageSize, Pixels
from neurosym.program import Filter, Op, parse_program
from neurosym.reasons import ProgramChange
from neurosym.result import Decision, Result
from neurosym.scene import Scene
from neurosym.span import Span
from neurosym.views.counterfactual import counterfactual_sentences
from neurosym.views.report import _policy, report
from neurosym.views.report_html import Markup, element, joined, script_data, source_hash
from neurosym.views.report_links import MOST_CHANGES, MOST_OBJECTS
from neurosym.views.report_picture import MAP_SIDE, MOST_MAPS, PHOTO_SIDE, report_alignment
from tests.views.pages import Node, Page, answered, as_tokens, check, cups, page_of

ROOT = Path(__file__).resolve().parents[2]
PLATE = (
    "the green plate left of the fork",
    "(the (relate (filter (select plate) color green) left_of (the (select fork))))",
    ["plate", "green", "fork", "the#2", "left of", "the"],
)
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "\"'><script>alert(1)</script>",
    "</script><script src=http://evil.example/x.js></script>",
    "</style></title><svg onload=alert(1)>",
    "http://evil.example/x.png",
    '" onmouseover="alert(1)',
    "<!--",
    "]]>&lt;b&gt;&#60;",
    "line\u2028separator\u2029\u202e",
    "\udc80half\x00nul",
    "javascript:alert(1)",
)

# Statuses and kinds


@pytest.mark.parametrize(
    ("case", "change", "status"),
    [
        (PLATE, {}, "ok"),
        (("the cube", "(the (select cube))", ["cube", "the"]), {}, "none"),
        (("the chair", "(the (select chair))", ["chair", "the"]), {}, "many"),
        (PLATE, {"abstain": 1.0}, "abstained"),
        (PLATE, {"executed": False}, "unsupported"),
    ],
)
def test_every_status(
    made: SimpleNamespace, case: tuple[str, str, list[str]], change: dict[str, Any], status: str
) -> None:
    soft = made.soften(made.scene(), "color", {0: [0.9, 0.1, 0, 0]})
    result = made.result(*case, scene=soft, **change)
    assert result.status == status
    page = page_of(result)
    (badge,) = [
        n for n in page.all("span") if (n.attributes.get("class") or "").startswith("badge")
    ]
    assert badge.text.split()[0] == status
    assert page.all("h1")[0].text == case[0]
    for line in result.explain().splitlines():
        assert " ".join(line.split()) in " ".join(page.section("why").split())
    assert (status == "unsupported") == ("Nothing was executed" in page.section("trace"))


@pytest.mark.parametrize(
    ("program", "decision", "said"),
    [
        ("(the (select cup))", Decision("ok", (0,), probability=0.8), "#0 cup"),
        ("(select cup)", Decision("ok", (0, 2), probability=0.8), "#0 cup, #2 cup"),
        ("(the_group (select cup) row)", Decision("ok", (0, 1, 2), probability=0.8), "#1 cup"),
        (
            '(part (select cup) "left half")',
            Decision("ok", (1,), probability=0.8),
            "the left half of #1 cup",
        ),
        (
            "(command (the (select cup)) pick_up)",
            Decision("ok", (0,), probability=0.8),
            "pick up #0 cup",
        ),
        ("(query (the (select cup)) color)", Decision("ok", answer="red", probability=0.4), "red"),
        (
            "(choose (the (select cup)) color red blue)",
            Decision("ok", answer="blue", probability=0.4),
            "blue",
        ),
        ("(count (select cup))", Decision("ok", answer=2, probability=0.3), "2"),
        ("(exist (select cup))", Decision("ok", answer=True, probability=0.6), "yes"),
        ("(every (select cup) (filter (select cup) color red))", Decision("none"), "none"),
        ("(everything)", Decision("abstained"), "abstained"),
    ],
)
def test_every_kind_of_answer(program: str, decision: Decision, said: str) -> None:
    page = page_of(answered(parse_program(program), cups(), decision))
    (header,) = page.all("header")
    assert said in header.text
    assert len(page.all("tr", data_key="e1")) == 1


def test_values_are_listed_with_their_probabilities() -> None:
    query = parse_program("(query (the (select cup)) color)")
    page = page_of(answered(query, cups(), Decision("ok", answer="red", probability=0.4)))
    assert "red 0.40, blue 0.40" in page.section("trace")
    assert re.search(r"red\s*0\.40", page.section("answer"))


def test_what_a_step_is_worth_is_said() -> None:
    every = parse_program("(every (select cup) (filter (select cup) color red))")
    shared = parse_program("(select cup)")

    def change(step: Step) -> Step:
        if step.op != every:
            return step
        return replace(
            step, vacuous=0.25, note="cups may be mugs", certificate=Certificate(False, (shared,))
        )

    page = page_of(
        answered(every, cups(), Decision("ok", answer=True, probability=0.6), "", change)
    )
    row = page.all("tr", data_key="e3")[0].text
    for part in ("0.25", "cups may be mugs", "approximate", "select cup"):
        assert part in row
    assert "exact" in page.all("tr", data_key="e1")[0].text
    assert "approximate" in page.section("certificates")
    key = next(key for key, link in page.data["links"].items() if link["says"] == "cups")
    within = [n for n in page.all("button", data_key=key) if n.text == "select cup"]
    assert len(within) >= 2


def test_other_readings_have_their_scores() -> None:
    result = answered(parse_program("(the (select cup))"), cups(), Decision("ok", (0,)), "the cup")
    other = Reading(parse_program("(select cup)"), -1.5, result.syntax, result.tokens[:1])
    parse = replace(result.parse, readings=(result.reading, other))
    page = page_of(replace(result, parse=parse))
    for part in ("0.00", "chosen", "-1.50", "(select cup)", '"the"'):
        assert part in page.section("readings")


# Scenes


def test_a_program_without_a_text(made: SimpleNamespace) -> None:
    program = parse_program(PLATE[1])
    text = str(program)
    reading = Reading(program, 0.0, Tree("program", (), Span(0, len(text))), ())
    result = replace(made.result(*PLATE), parse=Parse(text, (), (reading,)), reading=reading)
    page = page_of(result)
    assert page.all("h1")[0].text == text
    assert not [key for key in page.data["links"] if key[0] in "wm"]


def test_no_picture_no_masks_no_objects(made: SimpleNamespace) -> None:
    bare = page_of(made.result(*PLATE, scene=replace(made.scene(), pixels=None)))
    assert bare.all("rect", id="photo")
    assert not bare.all("image", id="photo")
    assert page_of(made.result(*PLATE)).all("image", id="photo")
    empty = replace(Scene.empty((3, 2), ("cup",)), attributes={})
    nothing = answered(parse_program("(the (select cup))"), empty, Decision("none"), "the cup")
    page = page_of(nothing)
    assert page.data["shares"] == {"e1": {}, "e2": {}}
    assert "no object" in page.section("trace")
    masked = GivenMasks(made.scene().size, {}, made.scene().boxes)
    assert page_of(made.result(*PLATE, scene=replace(made.scene(), pixels=masked))).all("image")


def test_masks_and_boxes_lie_where_they_are(made: SimpleNamespace) -> None:
    page = page_of(made.result(*PLATE))
    (group,) = page.all("g", data_key="o0")
    assert group.attributes["class"] == "object mark answer"
    number = page.nodes.index(group)
    rect = next(n for n in page.nodes if n.tag == "rect" and number in n.inside)
    assert [float(rect.attributes[k] or "") for k in ("x", "y", "width", "height")] == [
        5,
        20,
        20,
        20,
    ]
    (mask,) = page.all("image", data_key="o0")
    placed = [float(mask.attributes[k] or "") for k in ("x", "y", "width", "height")]
    assert placed == [4, 19, 22, 22]  # one pixel of margin


class Noise(Pixels):
    """A picture that no format can compress, in which every object fills its box."""

    def __init__(self, scene: Scene) -> None:
        self._boxes = GivenMasks(scene.size, {}, scene.boxes)
        noise = np.random.default_rng(0).integers(0, 256, (*scene.size, 3), dtype=np.uint8)
        self._image = torch.from_numpy(noise)

    def image(self) -> torch.Tensor | None:
        return self._image

    def masks(self, indices: Sequence[int]) -> torch.Tensor:
        return self._boxes.masks(indices)

    def known_masks(self) -> dict[int, torch.Tensor]:
        return {}

    def score(self, attribute: str, indices: Sequence[int]) -> torch.Tensor | None:
        return None

    def evidence(self, attribute: str, value: str) -> torch.Tensor | None:
        return self._image[..., 0].float() / 255


def named(words: int, scene: Scene) -> Result:
    """A set of cups, all of which answer, by a text with so many words that have a map."""
    text = "cup" + " red" * (words - 1)
    first, *rest = as_tokens(text)
    program: Op = parse_program("(select cup)").at(first.span)
    for token in rest:
        program = Filter(program, "color", "red", words=(token.span,))
    decision = Decision("ok", tuple(range(len(scene))), probability=0.9)
    return answered(program, scene, decision, text)


def test_the_size_is_bounded() -> None:
    places = np.random.default_rng(1).uniform(0, 400, (100, 2)).tolist()
    things = [Thing("cup", (x, y, x + 100, y + 100), {"color": "red"}) for x, y in places]
    scene = scene_of(things, (512, 512))
    scene = replace(scene, pixels=Noise(scene))
    page = page_of(named(4, scene))
    images = {n.attributes.get("id"): len(n.attributes["href"] or "") for n in page.all("image")}
    assert len(page.all("image")) == 1 + 4 + 100
    # The largest photograph has four times the pixels; and there may be maps for 24.
    whole = len(page.source.encode()) + 3 * images["photo"] + (MOST_MAPS - 4) * images["map-1"]
    assert 2 * max(scene.size) == PHOTO_SIDE
    assert whole < 4_000_000
    assert len(page_of(named(2, cups())).source.encode()) < 60_000


def test_more_objects_than_a_step_shows() -> None:
    count = MOST_OBJECTS + 5
    decision = Decision("ok", answer=count, probability=0.9)

    def likely(step: Step) -> Step:
        return step if step.objects is None else replace(step, objects=torch.full((count,), 0.9))

    program = parse_program("(count (select cup))")
    page = page_of(answered(program, cups(count), decision, change=likely))
    assert len(page.data["shares"]["e1"]) == MOST_OBJECTS
    # All of them are counted, and so all are on the picture.
    assert len([key for key in page.data["links"] if key[0] == "o"]) == count
    assert "more" in page.all("tr", data_key="e1")[0].text


def test_many_maps_are_smaller() -> None:
    scene = cups(size=ImageSize(1000, 1000))
    few, many = report_alignment(named(4, scene)), report_alignment(named(90, scene))
    assert tuple(few.size) == (MAP_SIDE, MAP_SIDE)
    assert len(many.phrases) == 90
    assert 0.95 < 90 * max(many.size) ** 2 / (MOST_MAPS * MAP_SIDE**2) <= 1


# Escaping


def hostile_result(evil: str) -> Result:
    """A result in which every name that comes from outside is the same string."""
    things = [
        Thing(evil, (0, 0, 10, 10), {evil: evil, "color": evil}),
        Thing(evil + "2", (12, 0, 20, 10), {evil: evil + "2", "color": "red"}),
    ]
    scene = scene_of(things, (20, 30))
    scene = replace(
        scene,
        categories=replace(scene.categories, source=evil),
        relations={evil: replace(scene.relations["left_of"], source=evil)},
        measures={evil: replace(scene.measures["area"], source=evil, unit=evil)},
        provenance={evil: evil},
    )
    text = f"the {evil} by {evil}"
    first, second = (m.start() for m in re.finditer(re.escape(evil), text))
    spans = Span(first, first + len(evil)), Span(second, second + len(evil))
    program = parse_program("(the (filter (relate (select cup) left_of (select cup)) a b))")
    leaf = replace(parse_program("(select cup)"), category=evil, words=(spans[0],))
    related = replace(program.objects.objects, objects=leaf, relation=evil, landmarks=leaf)  # type: ignore[attr-defined]
    filtered = replace(
        program.objects,  # type: ignore[attr-defined]
        objects=related,
        attribute=evil,
        value=evil,
        words=(spans[1],),
    )
    program = replace(program, objects=filtered, words=(Span(0, 3),))
    tokens = (
        Token(0, "the", "the", "the", "DT", "DET", Span(0, 3)),
        Token(1, evil, evil, evil, "NN", "NOUN", spans[0]),
        Token(2, "by", "by", "by", "IN", "ADP", Span(spans[0].end + 1, spans[0].end + 3)),
        Token(3, evil, evil, evil, "NN", "NOUN", spans[1]),
    )

    def change(step: Step) -> Step:
        return replace(step, note=evil, certificate=Certificate(False, (leaf,)))

    result = answered(program, scene, Decision("ok", (0,), probability=0.8), text, change)
    leaves = tuple(Tree(evil, (), t.span, unit=t.index, words=t.text) for t in tokens)
    tree = Tree(evil, leaves, Span(0, len(text)))
    reading = Reading(program, 0.0, tree, (tokens[2],))
    return replace(result, parse=Parse(text, tokens, (reading, reading)), reading=reading)


@pytest.mark.parametrize("evil", HOSTILE)
def test_hostile_names_change_no_element_and_no_attribute(evil: str) -> None:
    page = page_of(hostile_result(evil))
    assert page.skeleton == page_of(hostile_result("benign")).skeleton
    visible = evil.replace("\udc80", "?").replace("\x00", "\ufffd")
    title = page.all("h1")[0].text.replace(" (not used)", "")
    assert title == f"the {visible} by {visible}"
    for section in ("trace", "program", "tree", "scene", "readings"):
        assert visible in page.section(section)
    page.source.encode("utf-8")


def test_text_is_escaped_by_construction() -> None:
    assert element("p", "<b>", Markup("<i>"), title="\"'&") == (
        '<p title="&quot;&#x27;&amp;">&lt;b&gt;<i></p>'
    )
    assert joined("a&b", Markup("&amp;")) == "a&amp;b&amp;"
    assert element("meta", charset=None, async_=True, defer=False) == "<meta async>"
    assert element("rect", x=0.1 + 0.2, y=1234.5) == '<rect x="0.3" y="1234.5"></rect>'


def test_data_cannot_end_its_script() -> None:
    value = {"a": "</script><!--", "b": "\u2028\u2029", "c": "&<>"}
    written = script_data(value)
    assert not set("<>&\u2028\u2029") & set(written)
    assert json.loads(written) == value


def test_the_policy_allows_what_stands_in_the_page_and_nothing_else(made: SimpleNamespace) -> None:
    page = page_of(made.result(*PLATE))
    policy = dict(part.split(" ", 1) for part in _policy().split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["img-src"] == "data:"
    assert "unsafe" not in _policy()
    # What the parser sees as the text of an element is what browsers hash.
    (style,) = page.all("style")
    (script,) = [n for n in page.all("script") if "type" not in n.attributes]
    assert policy["style-src"] == source_hash(style.text)
    assert policy["script-src"] == source_hash(script.text)
    assert not re.search(r"url\(|@import|https?:", style.text)
    assert not re.search(
        r"https?:|fetch|XMLHttpRequest|innerHTML|eval|document\.write", script.text
    )


def test_colours_are_the_palettes() -> None:
    for name in ("report.css", "report.js"):
        source = (ROOT / "neurosym" / "views" / name).read_text(encoding="utf-8")
        assert not re.search(r"#[0-9a-fA-F]{3,8}\b(?!\w)|rgba?\(|hsla?\(|oklch\(", source)


# Links


def test_words_nodes_steps_objects_and_maps_are_linked(made: SimpleNamespace) -> None:
    page = page_of(made.result(*PLATE))
    links, shares = page.data["links"], page.data["shares"]
    words: dict[str, Any] = {}
    for node in page.all("button"):
        if (node.attributes.get("class") or "").startswith("word"):
            words.setdefault(node.text, node.attributes["data-key"])
    # Operators before their operands: the, relate, filter, select plate, the, select fork.
    assert set(links[words["left"]]["on"]) >= {"n1", "e5", "m2"}
    assert links[words["left"]]["steps"] == ["e5"]
    assert links[words["left"]]["landmarks"] == ["e4"]
    assert shares["e5"].keys() == {"0"}
    assert shares["e4"].keys() == {"2"}
    assert links[words["left"]]["map"] == links[words["of"]]["map"]
    assert links[words["green"]]["map"] not in ("", links[words["left"]]["map"])
    assert set(links["n2"]["on"]) >= {words["green"], "e2"}
    assert links["n2"]["near"] == ["w2", "s0"]
    assert "map" not in links["n2"]
    assert set(links["e5"]["on"]) >= {words["left"], words["of"], "n1"}
    assert links["e5"]["steps"] == ["e5"]
    assert set(links["o2"]["near"]) == {"e3", "e4"}
    assert links["m0"]["map"] == "m0"
    assert "(function word)" in links[words["the"]]["says"]
    assert set(links[words["the"]]["on"]) >= {"n0", "e6"}


def test_every_word_with_a_node_is_linked_to_it(made: SimpleNamespace) -> None:
    result = made.result(*PLATE, unused=())
    page = page_of(result)
    links = page.data["links"]
    for number, token in enumerate(as_tokens(result.text)):
        nodes = [
            op
            for op in result.program.walk()
            if any(s.start <= token.span.start and token.span.end <= s.end for s in op.words)
        ]
        on = links[f"w{number}"]["on"]
        assert len([key for key in on if key[0] == "n"]) == len(nodes) > 0
        assert len([key for key in on if key[0] == "s"]) == 1
        assert f"w{number}" in links[next(key for key in on if key[0] == "n")]["on"]


def test_equal_nodes_share_a_step_and_say_so() -> None:
    program = parse_program("(minus (select cup) (the (select cup)))")
    page = page_of(answered(program, cups(), Decision("ok", (0,))))
    assert set(page.data["links"]["e1"]["on"]) == {"n1", "n3", "e1"}


def test_the_expression_is_the_program(made: SimpleNamespace) -> None:
    for result in (made.result(*PLATE), hostile_result(HOSTILE[1])):
        page = page_of(result)
        (code,) = page.all("code", class_="expression")
        assert code.text == str(result.program)


def test_unused_words_are_marked(made: SimpleNamespace) -> None:
    result = made.result("the tall fork", "(the (select fork))", ["fork", "the"], unused=["tall"])
    page = page_of(result)
    (word,) = page.all("button", class_="word unused")
    assert word.text == "tall (not used)"


# Files and the command line


def test_saving_by_suffix(made: SimpleNamespace, tmp_path: Path) -> None:
    result = hostile_result("cup")
    path = result.save(tmp_path / "answer.HTML")
    assert path.read_text(encoding="utf-8") == result.report() == report(result)
    assert [file.name for file in tmp_path.iterdir()] == ["answer.HTML"]
    assert result.save(tmp_path / "answer.png").read_bytes()[:4] == b"\x89PNG"
    with pytest.raises(DataError, match="cannot write"):
        result.save(tmp_path / "missing" / "answer.html")
    with pytest.raises(DataError, match="suffix"):
        result.save(tmp_path / "answer.xyz")


@pytest.fixture
def cup_scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parser: Parser) -> Path:
    path = tmp_path / "scene.json"
    cups().save(path)
    monkeypatch.setattr(Grounder, "default", staticmethod(lambda *_, **__: Grounder(None, parser)))
    return path


def test_the_command_line_writes_a_report(
    cup_scene: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "answer.html"
    assert cli.main(["ground", str(cup_scene), "the leftmost cup", "--out", str(out)]) == 0
    assert str(out) in capsys.readouterr().out
    assert [file.name for file in out.parent.iterdir()] == ["answer.html"]
    page = Page(out.read_text(encoding="utf-8"))
    check(page)
    assert "#0 cup" in page.all("header")[0].text


def test_a_folder_named_like_a_report_is_a_folder(cup_scene: Path, tmp_path: Path) -> None:
    out = tmp_path / "old.html"
    out.mkdir()
    assert cli.main(["ground", str(cup_scene), "the leftmost cup", "--out", str(out)]) == 0
    assert {"overlay.png", "result.json"} <= {file.name for file in out.iterdir()}


def test_a_report_that_could_not_be_written_is_refused_first(
    cup_scene: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = cup_scene / "answer.html"
    assert cli.main(["ground", "no such photo", "the cup", "--out", str(out)]) == 2
    assert "is not a folder" in capsys.readouterr().err


def test_script_and_style_are_packaged() -> None:
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = configuration["tool"]["setuptools"]["package-data"]["neurosym.views"]
    files = {p.name for p in (ROOT / "neurosym" / "views").iterdir() if p.suffix in (".css", ".js")}
    assert files == {"report.css", "report.js"}
    assert all(any(Path(name).match(pattern) for pattern in patterns) for name in files)


# What would change the answer


@pytest.mark.parametrize(
    ("case", "change"),
    [
        (PLATE, {}),
        (("the cube", "(the (select cube))", ["cube", "the"]), {}),
        (("the chair", "(the (select chair))", ["chair", "the"]), {}),
        (PLATE, {"abstain": 1.0}),
        (PLATE, {"executed": False}),
    ],
)
def test_what_would_change_the_answer_is_linked(
    made: SimpleNamespace, case: tuple[str, str, list[str]], change: dict[str, Any]
) -> None:
    result = made.result(*case, **change)
    page, found = page_of(result), result.counterfactuals()
    told = [*found.programs[:MOST_CHANGES], *found.scores[:MOST_CHANGES]]
    buttons = [n for n in page.all("button") if (n.attributes["data-key"] or "")[0] == "c"]
    assert len(buttons) == len(told)
    if not told:
        assert counterfactual_sentences(result)[0] in page.section("changes")
    for number, (button, changed) in enumerate(zip(buttons, told, strict=True)):
        link = page.data["links"][f"c{number}"]
        assert button.attributes["data-key"] == f"c{number}"
        assert link["says"] == button.text
        on = set(link.get("on", ()))
        assert {f"o{index}" for index in changed.decision.objects} <= on
        if isinstance(changed, ProgramChange) and changed.edit.node in result.program.walk():
            assert any(key[0] == "n" for key in on)
            assert not changed.edit.node.words or any(key[0] == "w" for key in on)


def test_a_part_is_marked_alone() -> None:
    program = parse_program('(part (the (superlative (select cup) leftmost)) "left half")')
    page = page_of(answered(program, cups(), Decision("ok", (0,), probability=0.8)))
    whole, part = sorted(
        page.all("g", data_key="o0"), key=lambda node: len(node.attributes["class"] or "")
    )
    assert whole.attributes["class"] == "object"
    assert part.attributes["class"] == "object mark answer"

    def width(group: Node) -> float:
        number = page.nodes.index(group)
        rect = next(n for n in page.nodes if n.tag == "rect" and number in n.inside)
        return float(rect.attributes["width"] or "")

    assert width(part) == width(whole) / 2
    assert "the left half of #0 cup" in part.text


def test_worlds_that_were_left_out_are_told(made: SimpleNamespace) -> None:
    result = made.result(*PLATE)
    assert result.outcome is not None
    left_out = replace(result, outcome=replace(result.outcome, unexplored=6e-6))
    assert "Exact" in page_of(result).section("certificates")
    said = page_of(left_out).section("certificates")
    assert "Exact" not in said
    assert "Worlds of probability 6e-06 were left out" in said


def test_the_command_line_takes_programs(
    cup_scene: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = "(the (superlative (select cup) leftmost))"
    assert cli.main(["ground", str(cup_scene), program, "--program"]) == 0
    assert "#0 cup" in capsys.readouterr().out
    assert cli.main(["parse", "--program", program]) == 0
    assert "the leftmost cup" in capsys.readouterr().out
    assert cli.main(["ground", str(cup_scene), "the cup", "--program"]) == 2
    assert capsys.readouterr().err.startswith("neurosym: a program starts with")
    assert cli.main(["demo", "--program"]) == 2
    assert "--program wants a program" in capsys.readouterr().err
