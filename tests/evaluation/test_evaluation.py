"""Evaluation: what is counted, what is kept, and that an interruption loses nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from neurosym import cli
from neurosym.datasets.split import part_of
from neurosym.errors import DataError, ExecutionError, OptionError
from neurosym.evaluation import clevr, corpora, run
from neurosym.evaluation.cases import OBJECT_KINDS, Case, Ending, SceneCase, Verdict
from neurosym.evaluation.corpora import CORPORA, Corpus, corpus_named
from neurosym.evaluation.record import Line, open_record
from neurosym.evaluation.run import evaluate, select
from neurosym.evaluation.summary import summarise, summary_text
from neurosym.executors.reference import ReferenceExecutor
from neurosym.grammar import Parse, Parser
from neurosym.program import Kind
from neurosym.scene import Scene
from tests.executors.laws import read_scene

CUPS = """
a: red cup, at 0
b: green cup, at 1
p: red plate, at 2
"""


def cups() -> Scene:
    return read_scene(CUPS)


def case(text: str, gold: Any, *kinds: Kind, **changes: Any) -> SceneCase:
    wanted = frozenset(gold) if isinstance(gold, list) else gold
    parts: dict[str, Any] = {
        "key": text,
        "split_key": text,
        "texts": (text,),
        "scene": cups,
        "expected": gold,
        "kinds": kinds or OBJECT_KINDS,
        "is_right": lambda answer: answer == wanted and type(answer) is type(wanted),
    }
    return SceneCase(**(parts | changes))


@dataclass(frozen=True, kw_only=True)
class Odd(Case):
    """A case of which the test decides what happens."""

    happens: Exception | Verdict | None = None

    def judge(self, parses: tuple[Parse, ...], grounder: Any) -> Verdict:
        assert isinstance(grounder.executor, ReferenceExecutor)
        if isinstance(self.happens, Exception):
            raise self.happens
        if self.happens is None:
            while True:
                time.sleep(0.01)
        return self.happens

    def baselines(self) -> Mapping[str, float]:
        return {"always": 0.5}


def odd(key: str, **parts: Any) -> Odd:
    return Odd(**({"key": key, "split_key": key, "texts": ("the cup",)} | parts))


CASES: tuple[Case, ...] = (
    case("the red cup", [0], group="g"),
    case("the green cup", [0], group="g", family="colours"),
    case("the cups", [0, 1], family="plurals", group="h"),
    case("the cup", [0]),
    case("the blue cup", [0]),
    case("is there a cup", True, Kind.TRUTH),
    case("how many cups are there", 2, Kind.NUMBER),
    case("what color is the plate", "red", Kind.VALUE),
    case("is there a plate", 1, Kind.NUMBER),
    case("the red cup of the", [0]),
    case("the xylophone", [0]),
    odd("error", happens=ExecutionError("too large")),
    odd("defect", happens=KeyError("cup")),
    odd("slow"),
    odd("shares", happens=Verdict(Ending.WRONG, scores={"iou": 0.25}), score_names=("iou",)),
    odd("refused shares", texts=("the of",), score_names=("iou",)),
    odd("no gold", judged=False),
)
ENDINGS = [
    *("right", "wrong", "right", "many", "none", "right", "right", "right", "wrong type"),
    *("not parsed", "unsupported", "execution error", "internal error", "timeout", "wrong"),
    *("not parsed", "not judged"),
]


@pytest.fixture(scope="module")
def strict(parser: Parser) -> Parser:
    """A parser that refuses what it has no rule for."""
    return Parser(parser.tokenizer, fallback=False)


@pytest.fixture
def corpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Corpus:
    """The cases above as a corpus of one file, among those that the command knows."""
    (tmp_path / "cups.json").write_text("{}", encoding="utf-8")
    made = Corpus("cups", "cups", ("cups.json", "more.json"), "cups", "clevr.own")
    monkeypatch.setattr(clevr, "own", _cases, raising=False)
    monkeypatch.setitem(corpora.CORPORA, "cups", made)
    return made


def _cases(paths: Sequence[Path]) -> Iterator[Case]:
    assert [path.name for path in paths] == ["cups.json"]
    yield from CASES


@pytest.fixture
def lines(corpus: Corpus, tmp_path: Path, strict: Parser) -> list[Line]:
    return evaluate(corpus, tmp_path, strict, seconds=0.5)


def test_every_case_ends_in_one_way(lines: list[Line]) -> None:
    assert [line["key"] for line in lines] == [one.key for one in CASES]
    assert [line["ending"] for line in lines] == ENDINGS
    assert set(ENDINGS) == {ending.value for ending in Ending}


def test_a_failure_is_kept_with_everything(lines: list[Line]) -> None:
    wrong = lines[1]
    assert wrong["texts"] == ["the green cup"]
    assert wrong["programs"] == ["(the (filter (select cup) color green))"]
    assert (wrong["expected"], wrong["got"]) == ([0], [1])
    steps = [(step["program"], step["objects"]) for step in wrong["trace"]]
    assert steps[0] == ("(select cup)", {0: 1.0, 1: 1.0})
    assert steps[-1] == (wrong["programs"][0], {1: 1.0})
    many = lines[3]
    assert (many["got"], many["trace"][-1]["many"]) == (None, 1.0)
    assert "early" in lines[9]["message"]
    assert "xylophone" in lines[10]["message"]
    assert lines[11]["message"] == "too large"
    assert lines[12]["message"] == "KeyError: 'cup'"
    assert lines[13]["message"] == "took longer than 0.5 s"
    assert "trace" not in lines[0]


def test_figures_have_fixed_denominators(lines: list[Line]) -> None:
    summary = summarise("cups", lines)
    figures = summary["parts"]["all"]
    assert (figures["cases"], figures["judged"], figures["right"]) == (17, 16, 5)
    assert figures["accuracy"] == 5 / 16
    assert (figures["groups"], figures["consistent"]) == (2, 1)
    assert figures["families"] == {
        "colours": {"judged": 1, "right": 0, "accuracy": 0.0},
        "plurals": {"judged": 1, "right": 1, "accuracy": 1.0},
    }
    # What was not parsed scores nothing, and is no less there for it.
    assert figures["scores"] == {"iou": 0.125}
    assert figures["baselines"] == {"always": 0.5}
    assert sum(figures["endings"].values()) == 17
    assert figures["coverage"]["parsed"] == 15 / 17
    of_parts = [summary["parts"][name] for name in ("open", "closed")]
    assert sum(part["right"] for part in of_parts) == 5
    text = summary_text(summary)
    assert "5 of 16" in text
    assert "internal error" in text


def test_coverage_counts_content_tokens(lines: list[Line]) -> None:
    found = {line["key"]: line["coverage"][0] for line in lines}
    plain = found["the red cup"]
    assert (plain["tokens"], plain["unlisted"], plain["unused"]) == (2, 0, 0)
    strange = found["the xylophone"]
    assert (strange["tokens"], strange["unlisted"], strange["unused"]) == (1, 1, 0)
    refused = found["the red cup of the"]
    assert refused["parsed"] == 0
    assert refused["unused"] == refused["tokens"] == 2
    assert refused["unknown"] == 0


def test_parts_are_drawn_by_the_split_key() -> None:
    cases = [odd(str(n), split_key=str(n // 2), group=str(n // 2)) for n in range(40)]
    closed = select(cases, "closed", None)
    assert {part_of(one.split_key) for one in closed} == {"closed"}
    assert len(closed) + len(select(cases, "open", None)) == 40
    few, more = ([one.key for one in select(cases, "all", n)] for n in (5, 9))
    assert len(few) == 6, "groups are kept whole"
    assert set(few) < set(more)
    assert few == sorted(few, key=int)
    with pytest.raises(DataError, match='two cases have the key "1"'):
        select([odd("1"), odd("1")], "all", None)


def test_an_interrupted_run_goes_on(
    corpus: Corpus, tmp_path: Path, strict: Parser, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "new" / "cups.jsonl"
    whole = evaluate(corpus, tmp_path, strict, out=out, seconds=0.5)
    content = out.read_bytes()
    assert [json.loads(line)["key"] for line in content.splitlines()[1:]] == [
        line["key"] for line in whole
    ]
    # As if the machine had stopped in the midst of the fifth line.
    ends = [i for i, byte in enumerate(content) if byte == ord("\n")]
    out.write_bytes(content[: ends[4] + 20])
    ran: list[str] = []
    plain_run = run._Runner.run
    monkeypatch.setattr(
        run._Runner, "run", lambda self, one: (ran.append(one.key), plain_run(self, one))[1]
    )
    again = evaluate(corpus, tmp_path, strict, out=out, seconds=0.5)
    assert ran == [one.key for one in CASES[4:]]
    assert out.read_bytes() == content
    assert json.loads(json.dumps(again)) == json.loads(json.dumps(whole))


def test_nothing_is_mixed_or_overwritten(
    corpus: Corpus, tmp_path: Path, strict: Parser, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "cups.jsonl"
    evaluate(corpus, tmp_path, strict, out=out, limit=2)
    (tmp_path / "cups.json").write_text("{ }", encoding="utf-8")
    with pytest.raises(DataError, match=r"another version .* --no-resume"):
        evaluate(corpus, tmp_path, strict, out=out, limit=2)
    evaluate(corpus, tmp_path, strict, out=out, limit=1, resume=False)
    assert len(out.read_text("utf-8").splitlines()) == 2
    with pytest.raises(DataError, match='is of the corpus "cups", not of "plates"'):
        open_record(out, "plates", "", resume=True).__enter__()
    with open_record(out, "cups", "", resume=False), pytest.raises(DataError, match="another run"):
        open_record(out, "cups", "", resume=False).__enter__()
    notes = tmp_path / "notes.txt"
    notes.write_text("dear diary\n", encoding="utf-8")
    for resume in (True, False):
        with pytest.raises(DataError, match="is no file of an evaluation"):
            evaluate(corpus, tmp_path, strict, out=notes, resume=resume)
    assert notes.read_text("utf-8") == "dear diary\n"


def test_options_out_of_range(corpus: Corpus, tmp_path: Path, parser: Parser) -> None:
    with pytest.raises(OptionError, match="limit must be at least 1, not 0"):
        evaluate(corpus, tmp_path, parser, limit=0)
    with pytest.raises(OptionError, match="seconds must be positive"):
        evaluate(corpus, tmp_path, parser, seconds=0)


@pytest.mark.parametrize("name", CORPORA)
def test_every_corpus_is_whole(name: str) -> None:
    corpus = corpus_named(name)
    assert corpus.name == name
    assert callable(corpus._function(corpus.home))
    if corpus.parser:
        assert callable(corpus._function(corpus.parser))


@pytest.mark.usefixtures("corpus")
def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.jsonl"
    words = ["eval", "cups", "--data", str(tmp_path), "--limit", "3", "--out", str(out)]
    assert cli.main([*words, "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["corpus"] == "cups"
    assert printed.err == ""
    assert cli.main(words) == 0
    assert capsys.readouterr().out.startswith("cups ")
    assert len(out.read_text("utf-8").splitlines()) == 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("clever", "--data", "."), 'the corpus must be one of clevr, .* did you mean "clevr"'),
        (
            ("clevr", "--data", "nowhere"),
            'no data of "clevr" in "nowhere": expected questions.json',
        ),
    ],
)
def test_what_is_not_there(
    words: Sequence[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["eval", *words]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    with pytest.raises((DataError, OptionError), match=message):
        corpus_named(words[0]).find(Path(words[2]))


@pytest.mark.parametrize("name", ["clevr", "closure", "refplus", "localization"])
def test_released_items_as_cases(name: str, shared_data: Path, parser: Parser) -> None:
    lines = evaluate(CORPORA[name], shared_data, parser, part="open", limit=8)
    assert len(lines) == 8
    assert not {line["ending"] for line in lines} & {"internal error", "timeout"}
    assert any(line["ending"] == "right" for line in lines)
