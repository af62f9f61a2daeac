"""``neurosym parse`` in all its formats."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from neurosym import cli
from neurosym.grammar import Lexicon, Parser
from neurosym.program import Definites, parse_program
from neurosym.views.parse_graph import (
    Branching,
    dot_text,
    program_branching,
    svg_text,
    syntax_branching,
)
from neurosym.views.parse_text import lark_text, parse_text

Show = Callable[..., tuple[int, str, str]]


@pytest.fixture
def show(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, parser: Parser
) -> Show:
    """Runs the command with the session's pipeline: exit code, output and errors."""
    made = Parser

    def quick(_: object, lexicon: Lexicon | None, **options: bool) -> Parser:
        return made(parser.tokenizer, lexicon, **options)

    monkeypatch.setattr("neurosym.grammar.Parser", quick)

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.main(["parse", *map(str, arguments)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_words_say_what_decided(show: Show) -> None:
    code, out, err = show("the yelow wug leftof two glasses")
    assert (code, err) == (0, "")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert '"yelow" at 4-9 read as "yellow" (spelling)' in lines
    assert any(
        line.startswith("yelow") and line.endswith("qualities.toml [attribute.color] yellow")
        for line in lines
    )
    assert "wug NN NOUN wug by tag NN" in lines
    assert any(line.endswith("relations.toml [relation] left_of") for line in lines)
    assert any(line.startswith("glasses NNS") and ".toml [" in line for line in lines)
    assert "grammar, score 0.00" in lines


def test_all_readings_in_full(show: Show) -> None:
    _, one, _ = show("the dog near the cat on the bed")
    _, every, _ = show("the dog near the cat on the bed", "--all")
    assert "Other readings" in one
    assert "Other readings" not in every
    assert every.count("\nProgram ") > 1
    assert "Parse tree 2" in every


def test_the_is_read_as_wanted(show: Show) -> None:
    _, strict, _ = show("the rabbit in the hat")
    _, polyadic, _ = show("the rabbit in the hat", "--the", "polyadic")
    assert strict != polyadic
    code, _, err = show("the rabbit in the hat", "--the", "polyadik")
    assert code == 2
    assert 'did you mean "polyadic"' in err


def test_json(show: Show) -> None:
    _, out, _ = show("the yelow cup or the left dog", "--format", "json", "--all")
    document = json.loads(out)
    assert document["format"] == "neurosym-parse/1"
    assert document["repairs"][0]["meant"] == "yellow"
    assert document["tokens"][1]["text"] == "yelow"
    first = document["readings"][0]
    assert str(parse_program(first["program"])) == first["program"]
    assert first["source"] == "grammar"
    assert first["words"][1]["entry"] == "qualities.toml [attribute.color] yellow"
    assert first["words"][1]["dimension"] == "color"
    assert first["syntax"]["label"] == "start"
    assert first["tree"]["operands"]
    assert all("tree" in reading for reading in document["readings"])


def test_lark_shows_terminals_and_tree(show: Show, parser: Parser) -> None:
    _, out, _ = show("the green cup", "--format", "lark")
    terminals, tree = out.split("\n\n", 1)
    assert terminals == "THE [ATTRIBUTE]|COLOUR NOUN"
    assert tree.strip() == parser.parse("the green cup").syntax.pretty()


def test_dot_is_balanced_and_quoted(show: Show) -> None:
    code, out, _ = show('the "red" cup', "--format", "dot")
    assert code == 0
    assert out.startswith("digraph parse {")
    assert out.count("{") == out.count("}")
    assert dot_text([("t", Branching('a "b" \\', "word"))]).count('b\\" \\\\"') == 1
    nodes = out.count("[label=")
    # Every node but the two roots hangs from another.
    assert out.count("->") == nodes - 2


def test_svg_is_a_picture_without_overlap(show: Show) -> None:
    _, out, _ = show("the cup & the man <riding> a horse", "--format", "svg")
    root = ElementTree.fromstring(out)
    width, height = float(root.get("width", "0")), float(root.get("height", "0"))
    rows: dict[float, list[tuple[float, float]]] = {}
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        x, y = float(text.get("x", "0")), float(text.get("y", "0"))
        assert 0 <= x <= width
        assert 0 < y <= height
        if text.get("text-anchor") == "middle":
            half = len(text.text or "") * 7.8 / 2
            rows.setdefault(y, []).append((x - half, x + half))
    for spans in rows.values():
        spans.sort()
        assert all(a[1] <= b[0] for a, b in pairwise(spans))


@pytest.mark.parametrize(
    "program",
    [
        "(the (select cup))",
        '(select "wine glass")',
        "(count (filter (select cup) color red))",
        "(the (relate (select plate) left_of (the (select fork))))",
    ],
)
def test_a_typed_program_round_trips(show: Show, program: str) -> None:
    for arguments in ((program,), (program, "--program")):
        code, out, _ = show(*arguments)
        assert code == 0
        assert str(parse_program(program)) in out.splitlines()
        assert "In English" in out
    _, out, _ = show(program, "--format", "json")
    assert json.loads(out)["program"] == str(parse_program(program))
    assert show(program, "--format", "svg")[1].startswith("<svg")


def test_wrong_programs_and_english_in_brackets(show: Show) -> None:
    code, out, err = show("(the (selekt cup))")
    assert (code, out) == (2, "")
    assert 'did you mean "select"' in err
    code, out, _ = show("(the dog)")
    assert code == 0
    assert "Parse tree" in out
    assert show("(the (select cup))", "--format", "lark")[0] == 2


@pytest.mark.parametrize("text", ["the cup next to the", "the cup the plate of"])
def test_failure_is_diagnosed(show: Show, text: str) -> None:
    code, out, err = show(text)
    assert code == 2
    assert err.count("\n") == 1
    assert out.splitlines()[1] == text
    assert "^" in out
    assert "expected: " in out
    assert "mistake: " in out
    code, out, _ = show(text, "--format", "json")
    document = json.loads(out)
    assert code == 2
    assert document["error"]
    assert document["expected"]
    assert document["mistake"]


def test_a_users_lexicon(show: Show, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[noun]\nrobot = ["wug"]\n')
    _, out, _ = show("the wug", "--lexicon", file)
    assert "(the (select robot))" in out
    assert f"{file} [noun] robot" in out
    file.write_text('[noun]\nrobot = "wug"\n')
    code, _, err = show("the wug", "--lexicon", file)
    assert code == 2
    assert "mine.toml, line 2:" in err


def test_repair_can_be_left_out(show: Show) -> None:
    _, out, _ = show("the yelow cup", "--no-repair")
    assert "Repairs" not in out
    assert "color yellow" not in out


def test_words_stand_beside_their_operators(parser: Parser) -> None:
    parse = parser.parse("the cup")
    tree = program_branching(parse.program, parse.text)
    assert tree.label == 'the "the"'
    assert [below.label for below in tree.below] == ['select cup "cup"']


def test_views_agree_on_the_readings(parser: Parser) -> None:
    parse = parser.parse("the dog near the cat on the bed")
    shown = parse_text(parse, parser.lexicon, the=Definites.STRICT)
    for reading in parse.readings:
        assert str(reading.program) in shown
    assert lark_text(parse, every=True).count("THE NOUN") >= len(parse.readings)
    picture = svg_text([("tree", syntax_branching(parse.syntax))])
    assert picture.count("<line") >= len(list(parse.syntax.leaves()))
