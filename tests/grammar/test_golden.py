"""The golden files of tests/fixtures/parse; their format is described in the README there."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from neurosym.errors import NeurosymError
from neurosym.grammar import Parser
from neurosym.program import parse_program, registry

FOLDER = Path(__file__).parent.parent / "fixtures" / "parse"


@dataclass
class Case:
    file: str
    line: int
    text: str
    program: str = ""
    others: list[str] = field(default_factory=list)
    repairs: list[str] = field(default_factory=list)
    unused: str = ""
    error: str = ""


def read_cases() -> list[Case]:
    cases: list[Case] = []
    for path in sorted(FOLDER.glob("*.txt")):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            if not line.strip() or line.startswith("#"):
                continue
            if not line[0].isspace():
                cases.append(Case(path.name, number, line.strip()))
                continue
            mark, _, rest = line.strip().partition(" ")
            if mark == "=":
                cases[-1].program = rest
            elif mark == "~":
                cases[-1].others.append(rest)
            elif mark == "?":
                cases[-1].repairs.append(rest)
            elif mark == "!":
                cases[-1].unused = rest
            elif mark == "x":
                cases[-1].error = rest
            else:
                raise ValueError(f"{path.name}, line {number}: unknown mark {mark!r}")
    return cases


CASES = read_cases()


@pytest.mark.parametrize("case", CASES, ids=[f"{c.file}:{c.line}:{c.text}" for c in CASES])
def test_golden(case: Case, parser: Parser) -> None:
    if case.error:
        with pytest.raises(NeurosymError) as caught:
            parser.parse(case.text)
        error = caught.value
        words = error.span.of(case.text) if error.span else ""
        assert f"{type(error).__name__} {words}".strip() == case.error
        return
    parse = parser.parse(case.text)
    assert str(parse.program) == str(parse_program(case.program))
    kept = {str(reading.program) for reading in parse.readings[1:]}
    assert {str(parse_program(other)) for other in case.others} <= kept
    assert [f"{repair.written} > {repair.meant}" for repair in parse.repairs] == case.repairs
    assert " ".join(token.text for token in parse.unused) == case.unused


@pytest.mark.parametrize("operator", registry())
def test_every_operator_is_in_a_golden_program(operator: str) -> None:
    programs = [parse_program(case.program) for case in CASES if case.program]
    assert any(node.name == operator for program in programs for node in program.walk()), operator


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 150
    assert len({case.text for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", [c for c in CASES if not c.error], ids=lambda c: c.text)
def test_readings_are_ranked_distinct_and_bound_to_words(case: Case, parser: Parser) -> None:
    parse = parser.parse(case.text)
    scores = [reading.score for reading in parse.readings]
    assert scores == sorted(scores, reverse=True)
    assert len({str(reading.program) for reading in parse.readings}) == len(scores)
    tokens = {token.span.start for token in parse.tokens}
    for reading in parse.readings:
        for node in reading.program.walk():
            assert all(span.start in tokens for span in node.words)
            assert all(0 <= span.start < span.end <= len(case.text) for span in node.words)
