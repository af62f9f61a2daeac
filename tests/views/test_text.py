from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import torch

from neurosym.executors.base import Certificate, Outcome
from neurosym.grammar import Repair
from neurosym.grammar.tree import Tree
from neurosym.program import parse_program
from neurosym.span import Span
from neurosym.views import answer_text, explain, program_text, trace_text, tree_text
from neurosym.views.document import result_document
from neurosym.views.text import top_things

LEFT = (
    "the plate to the left of the fork",
    "(the (relate (select plate) left_of (the (select fork))))",
    ["plate", "fork", "the#3", "to the left of", "the"],
)


def _word(label: str, words: str, start: int) -> Tree:
    return Tree(label, (), Span(start, start + len(words)), unit=0, words=words)


def test_tree_text() -> None:
    phrase = Tree("phrase", (_word("the", "the", 0), _word("noun", "chair", 8)), Span(0, 13))
    tree = Tree("refer", (phrase, _word("stop", ".", 13)), Span(0, 14))
    assert tree_text(tree).splitlines() == [
        "refer",
        "├─ phrase",
        '│  ├─ the "the"',
        '│  └─ noun "chair"',
        '└─ stop "."',
    ]


def test_program_text_names_the_words(made: SimpleNamespace) -> None:
    text, program, words = LEFT
    bound = made.bind(parse_program(program), text, words)
    assert program_text(bound, text).splitlines() == [
        'the                   "the"',
        '└─ relate left_of     "to the left of"',
        '   ├─ select plate    "plate"',
        '   └─ the             "the"',
        '      └─ select fork  "fork"',
    ]
    assert program_text(bound).splitlines()[-1].split() == ["└─", "select", "fork", "[29-33]"]


def test_trace_text(made: SimpleNamespace) -> None:
    lines = trace_text(made.result(*LEFT)).splitlines()
    assert lines[0].split() == ["step", "operator", "words", "value", "none", "many"]
    assert len(lines) == 6
    assert '4  relate %1 left_of %3  "to the left of"  #0 plate 1.00, #1 plate 1.00' in lines[4]
    assert lines[5].split()[-2:] == ["0.00", "1.00"]


def test_repeated_operands_are_named_by_their_first_step(made: SimpleNamespace) -> None:
    result = made.result(
        "plates except the green plate",
        "(minus (select plate) (the (filter (select plate) color green)))",
        ["plates", "plate", "green", "the", "except"],
    )
    assert "minus %1 %4" in trace_text(result).splitlines()[-1]


def test_trace_text_keeps_to_the_width(made: SimpleNamespace) -> None:
    result = made.result(*LEFT)
    for width in (60, 80, 100):
        lines = trace_text(result, width=width).splitlines()
        assert max(map(len, lines)) <= width
    squeezed = " ".join(" ".join(line.split()) for line in lines)
    assert "#0 plate 1.00, #1 plate 1.00" in squeezed


def test_trace_text_says_what_is_approximate_and_noted(made: SimpleNamespace) -> None:
    def loosen(outcome: Outcome) -> Outcome:
        last = replace(
            outcome.steps[-1], certificate=Certificate(False), note="depends on several objects"
        )
        return replace(outcome, steps=(*outcome.steps[:-1], last))

    lines = trace_text(made.result(*LEFT, change_outcome=loosen)).splitlines()
    assert "~ no object" in lines[-2]
    assert lines[-1].strip() == "(depends on several objects)"


def test_trace_text_of_numbers_and_truths(made: SimpleNamespace) -> None:
    soft = made.soften(made.scene(), "", {3: [0, 0, 0.75, 0.25, 0]})
    count = made.result("how many chairs", "(count (select chair))", ["chairs", ""], scene=soft)
    assert "1: 0.25, 2: 0.75" in trace_text(count)
    exist = made.result("is there a cube", "(exist (select cube))", ["cube", ""])
    assert "yes 0.00" in trace_text(exist)


def test_objects_beyond_the_top_are_counted(made: SimpleNamespace) -> None:
    result = made.result("things", "(everything)", ["things"])
    assert "#0 plate 1.00, #1 plate 1.00 and 4 more" in trace_text(result, top=2)


def test_colour_only_when_asked_for(made: SimpleNamespace) -> None:
    result: Any = made.result("the cube", "(the (select cube))", ["cube", "the"])
    assert "\x1b" not in trace_text(result) + answer_text(result)
    marked = trace_text(result, colour=True).splitlines()
    assert marked[0].startswith("\x1b[1m")
    assert marked[-1].startswith("\x1b[31m")
    assert marked[-1].endswith("\x1b[0m")
    assert answer_text(result, colour=True).startswith("\x1b[31mnone\x1b[0m")


def test_answer_text(made: SimpleNamespace) -> None:
    fork = made.result("the fork", "(the (select fork))", ["fork", "the"])
    assert answer_text(fork) == "ok (1.00): #2 fork 1.00, box x 60 to 66, y 20 to 40"
    chairs = made.result("chairs", "(select chair)", ["chairs"])
    assert answer_text(chairs).splitlines() == [
        "ok (1.00): 2 objects",
        "  #3 chair 1.00, box x 2 to 22, y 44 to 58",
        "  #4 chair 1.00, box x 24 to 44, y 44 to 58",
    ]
    count = made.result("how many chairs", "(count (select chair))", ["chairs", ""])
    assert answer_text(count) == "ok (1.00): 2"
    exist = made.result("is there a cube", "(exist (select cube))", ["cube", ""])
    assert answer_text(exist) == "ok (1.00): no"
    unknown = made.result(
        "the unicorn", "(the (select unicorn))", ["unicorn", "the"], executed=False
    )
    assert answer_text(unknown).endswith('this scene has no category "unicorn"')
    assert trace_text(unknown).startswith("not executed: ")


def test_repairs_stand_under_the_status(made: SimpleNamespace) -> None:
    slips = [Repair("frok", "fork", Span(4, 8), "spelling")]
    fork = made.result("the frok", "(the (select fork))", ["frok", "the"], repairs=slips)
    head, said = answer_text(fork).splitlines()
    assert head.startswith("ok")
    assert said == 'repaired: "frok" read as "fork"'
    assert 'Repaired: "frok" read as "fork".' in explain(fork)
    assert result_document(fork)["repairs"] == [
        {"written": "frok", "meant": "fork", "start": 4, "end": 8, "reason": "spelling"}
    ]


def test_words_that_were_not_used_stand_under_the_status(made: SimpleNamespace) -> None:
    fork = made.result("the tall fork", "(the (select fork))", ["fork", "the"], unused=["tall"])
    assert answer_text(fork).splitlines()[1] == 'not used: "tall"'
    chairs = made.result("big old chairs", "(select chair)", ["chairs"], unused=["big", "old"])
    lines = answer_text(chairs).splitlines()
    assert lines[:2] == ["ok (1.00): 2 objects", 'not used: "big", "old"']
    assert len(lines) == 4
    nothing = made.result("the tall cube", "(the (select cube))", ["cube", "the"], unused=["tall"])
    assert answer_text(nothing) == 'none (1.00)\nnot used: "tall"'
    assert '\x1b[31mnot used: "tall"\x1b[0m' in answer_text(nothing, colour=True)


def test_an_unlikely_answer_is_a_guess(made: SimpleNamespace) -> None:
    soft = made.soften(made.scene(), "color", {0: [0.6, 0.4, 0, 0], 1: [0.45, 0.55, 0, 0]})
    green = "(filter (select plate) color green)"
    one = made.result("the green plate", f"(the {green})", ["plate", "green", "the"], scene=soft)
    assert answer_text(one).startswith("ok (0.33, best guess): #0 plate 0.33")
    assert answer_text(one, colour=True).startswith("\x1b[31mok")
    count = made.result(
        "how many green plates", f"(count {green})", ["plates", "green", "how many"], scene=soft
    )
    assert answer_text(count) == "ok (0.51): 1"


def test_hypotheses_of_one_thing_are_added_up(made: SimpleNamespace) -> None:
    scene = made.hypotheses()
    chair = made.result("the chair", "(the (select chair))", ["chair", "the"], scene=scene)
    assert answer_text(chair).startswith("ok (0.96): #3 chair 0.96")
    chairs = made.result("chairs", "(select chair)", ["chairs"], scene=scene)
    assert answer_text(chairs).startswith("ok (0.96): #3 chair 0.96")
    things = top_things(torch.tensor([0.2, 0, 0, 0.3, 0.6, 0.001]), scene, 9)
    assert [index for index, _ in things] == [4, 0]
    assert abs(things[0][1] - 0.9) < 1e-6


def test_values_are_shown_with_their_probabilities(made: SimpleNamespace) -> None:
    soft = made.soften(made.scene(), "color", {2: [0.1, 0.2, 0.7, 0]})
    program, words = "(query (the (select fork)) color)", ["fork", "the", "color"]
    result = made.result("what color is the fork", program, words, scene=soft)
    assert "red 0.70, white 0.20, green 0.10" in " ".join(trace_text(result).split())
    assert "red 0.70" in trace_text(result, top=1)
    assert "white" not in trace_text(result, top=1)
    assert answer_text(result) == "ok (0.70): red"


def test_parts_and_commands_say_what_is_meant(made: SimpleNamespace) -> None:
    part = made.result("x", '(part (the (select fork)) "left half")', ["", "", ""])
    assert answer_text(part).startswith("ok (1.00): the left half of #2 fork 1.00, box")
    command = made.result("x", "(command (the_plural (select chair)) pick_up)", ["", "", ""])
    assert answer_text(command).splitlines()[1].startswith("  pick up #3 chair 1.00")
