from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from neurosym.alignment import Alignment, align, landmarks_of, part_of
from neurosym.errors import DataError
from neurosym.executors.base import Outcome, Step
from neurosym.pixels import GivenMasks, ImageSize
from neurosym.program import Op, parse_program
from neurosym.result import Decision, Result
from neurosym.scene import Categorical, Scene
from neurosym.span import Span

# 4 x 8 pixels: object 0 left, 1 in the middle, 2 overlapping 1, 3 on the right.
COLUMNS = ((0, 2), (2, 5), (4, 6), (6, 8))
TEXT = "the red person left of both two dogs"
PROGRAM = "(the (relate (filter (select person) color red) left_of (the_count (select dog) 2)))"
WORDS = {
    "(select person)": "person",
    "(filter (select person) color red)": "red",
    "(select dog)": "dogs",
    "(the_count (select dog) 2)": "both two",
    "(relate (filter (select person) color red) left_of (the_count (select dog) 2))": "left of",
}
VALUES = {
    "everything": [0.5, 0.5, 0.5, 0.5],
    "select": [0.9, 0.5, 0.5, 0.01],
    "filter": [0.8, 0.0, 0.0, 0.0],
    "relate": [0.7, 0.0, 0.0, 0.0],
    "the_count": [0.0, 0.5, 0.4, 0.0],
    "the": [0.7, 0.0, 0.0, 0.0],
}


@dataclass(frozen=True)
class Masks(GivenMasks):
    asked: list[tuple[int, ...]] = field(default_factory=list)

    def masks(self, indices: Sequence[int]) -> Tensor:
        self.asked.append(tuple(indices))
        return super().masks(indices)

    def evidence(self, attribute: str, value: str) -> Tensor | None:
        if (attribute, value) != ("color", "red"):
            return None
        seen = torch.ones(self.size)
        seen[: self.size.height // 2] = 0.5
        return seen


def _scene(factor: int = 1, groups: Sequence[int] = (0, 1, 2, 3)) -> Scene:
    size = ImageSize(4 * factor, 8 * factor)
    given = {}
    for index, (start, end) in enumerate(COLUMNS):
        given[index] = torch.zeros(size, dtype=torch.bool)
        given[index][:, start * factor : end * factor] = True
    boxes = [[start * factor, 0, end * factor, 4 * factor] for start, end in COLUMNS]
    return Scene(
        size=size,
        boxes=torch.tensor(boxes, dtype=torch.float32),
        existence=torch.full((4,), 0.5),
        groups=torch.tensor(groups),
        categories=Categorical(
            ("person",), torch.ones(4, 1), torch.ones(4, dtype=torch.bool), "given"
        ),
        pixels=Masks(size, given),
    )


def _result(
    text: str = TEXT,
    program: str = PROGRAM,
    *,
    scene: Scene | None = None,
    words: dict[str, str] = WORDS,
    unused: Sequence[str] = (),
    outcome: bool = True,
) -> Result:
    def place(op: Op) -> Op:
        word = words.get(str(op))
        start = text.find(word) if word else -1
        return op if word is None or start < 0 else op.at(Span(start, start + len(word)))

    bound = parse_program(program).rebuild(place)
    tokens, position = [], 0
    for index, word in enumerate(text.split()):
        start = text.index(word, position)
        position = start + len(word)
        span = Span(start, position)
        tokens.append(SimpleNamespace(index=index, text=word, lower=word, pos="X", span=span))
    values = [torch.tensor(VALUES[op.name]) if outcome else None for op in bound.walk()]
    steps = tuple(Step(op, objects=v) for op, v in zip(bound.walk(), values, strict=True))
    left = tuple(token for token in tokens if token.text in unused)
    reading: Any = SimpleNamespace(program=bound, score=0.0, syntax=None, unused=left)
    parse: Any = SimpleNamespace(text=text, tokens=tuple(tokens), readings=(reading,), repairs=())
    scene = _scene() if scene is None else scene
    ran = Outcome(bound.returns, objects=steps[-1].objects, steps=steps) if outcome else None
    return Result(parse, scene, ran, Decision("ok", (0,), probability=0.7), reading)


def _valued(
    text: str, program: str, words: str, values: Sequence[list[float] | None], factor: int = 1
) -> Result:
    """A result whose root comes from the words, and whose steps have these values."""
    result = _result(text, program, words={str(parse_program(program)): words}, outcome=False)
    steps = tuple(
        Step(node, objects=None if value is None else torch.tensor(value))
        for node, value in zip(result.program.walk(), values, strict=True)
    )
    outcome = Outcome(result.program.returns, objects=steps[-1].objects, steps=steps)
    return replace(result, outcome=outcome, scene=_scene(factor))


@pytest.fixture
def alignment() -> Alignment:
    return align(_result())


def test_content_words_are_in_the_order_of_the_text(alignment: Alignment) -> None:
    assert alignment.words == ("red", "person", "left", "of", "two", "dogs")
    assert alignment.parts == (
        *("attribute", "category", "relation", "relation", "number", "category"),
    )
    assert [token.index for token in alignment.tokens] == [1, 2, 3, 4, 6, 7]
    assert alignment.phrases == ((0,), (1,), (2, 3), (4,), (5,))
    assert alignment.maps.shape == (6, 4, 8)
    assert alignment.maps.dtype == torch.float32


def test_function_words_align_to_nothing_and_say_so(alignment: Alignment) -> None:
    assert alignment.function_words == ("the", "both")
    assert alignment.kind("Both") == "function"
    assert alignment.kind("left") == "relation"
    with pytest.raises(DataError, match='"the" is a function word and aligns to nothing'):
        alignment["the"]


def test_unused_words_say_so() -> None:
    alignment = align(_result(TEXT + " please", unused=["please"]))
    assert alignment.unused_words == ("please",)
    assert alignment.kind("please") == "unused"
    with pytest.raises(DataError, match="not used by the program"):
        alignment["please"]


def test_different_things_are_independent_where_they_overlap(alignment: Alignment) -> None:
    row = alignment["person"][0]
    expected = [0.9, 0.9, 0.5, 0.5, 0.75, 0.5, 0.0, 0.0]  # 0.75 = 1 - 0.5 * 0.5
    assert torch.allclose(row, torch.tensor(expected))


def test_hypotheses_of_one_thing_add_up() -> None:
    alignment = align(_result(scene=_scene(groups=(0, 1, 1, 3))))
    assert float(alignment["person"][0, 4]) == pytest.approx(1.0)


def test_improbable_objects_are_left_out_and_masks_asked_for_once(alignment: Alignment) -> None:
    pixels = alignment.scene.pixels
    assert isinstance(pixels, Masks)
    assert pixels.asked == []
    assert float(alignment["person"][0, 7]) == 0
    assert alignment.maps is alignment.maps
    alignment.roles("left")
    assert pixels.asked == [(0, 1, 2)]
    everything = align(_result(), floor=0.0)
    assert float(everything["person"][0, 7]) == pytest.approx(0.01)


def test_attributes_are_weighed_by_the_pixels(alignment: Alignment) -> None:
    assert float(alignment["red"][0, 0]) == pytest.approx(0.4)
    assert float(alignment["red"][3, 0]) == pytest.approx(0.8)


def test_relations_keep_figure_and_landmark_apart(alignment: Alignment) -> None:
    roles = alignment.roles("left of")
    assert roles["figure"][0].tolist() == pytest.approx([0.7, 0.7, 0, 0, 0, 0, 0, 0])
    assert roles["landmark"][0].tolist() == pytest.approx([0, 0, 0.5, 0.5, 0.7, 0.4, 0, 0])
    union = torch.maximum(roles["figure"], roles["landmark"])
    assert torch.equal(alignment["left"], union)
    assert torch.equal(alignment["of"], union)
    with pytest.raises(DataError, match='"red" names no relation'):
        alignment.roles("red")


def test_numbers_speak_of_what_is_counted(alignment: Alignment) -> None:
    assert alignment["two"][0].tolist() == pytest.approx([0, 0, 0.5, 0.5, 0.7, 0.4, 0, 0])


def test_a_referent_is_exclusive() -> None:
    # "the" has 0.7 and 0.3: where both masks lie, exactly one of the two is the referent.
    program = "(relate (everything) left_of (the (select dog)))"
    result = _result("things left of it", program, words={program: "left of"})
    assert result.outcome is not None
    given = torch.tensor([0.0, 0.7, 0.3, 0.0])
    steps = [
        replace(step, objects=given) if step.op.name == "the" else step
        for step in result.outcome.steps
    ]
    outcome = replace(result.outcome, steps=tuple(steps))
    alignment = align(replace(result, outcome=outcome))
    assert float(alignment.roles("left")["landmark"][0, 4]) == pytest.approx(1.0)


def test_words_of_several_nodes_take_the_largest() -> None:
    words = {"(select person)": "cat", "(filter (select person) color green)": "cat"}
    result = _result("cat", "(filter (select person) color green)", words=words)
    alignment = align(result)
    assert alignment.parts == ("category",)
    assert float(alignment["cat"][0, 0]) == pytest.approx(0.9)


def test_repeated_words_and_phrases_are_addressed_by_number() -> None:
    text = "dogs left of dogs"
    program = "(relate (select dog) left_of (select cat))"
    words = {"(select dog)": "dogs", "(select cat)": "dogs", program: "left of"}
    result = _result(text, program, words=words)
    second = result.program.operands[1].at(Span(13, 17))
    reading: Any = SimpleNamespace(
        program=replace(result.program, landmarks=second),  # type: ignore[call-arg]
        unused=(),
    )
    alignment = align(replace(result, reading=reading))
    assert alignment.words == ("dogs", "left", "of", "dogs")
    assert torch.equal(alignment["dogs"], alignment.maps[0])
    assert torch.equal(alignment["DOGS", 2], alignment.maps[3])
    with pytest.raises(DataError, match='"dogs" occurs 2 times: there is no number 3'):
        alignment["dogs", 3]
    with pytest.raises(DataError, match='no word "of left"'):
        alignment["of left"]


def test_unknown_words_name_the_nearest(alignment: Alignment) -> None:
    with pytest.raises(DataError, match='no word "persons": did you mean "person"'):
        alignment["persons"]
    with pytest.raises(DataError, match="no word"):
        alignment.kind("zebra")
    with pytest.raises(DataError, match="no word"):
        alignment[""]


def test_words_at_a_pixel_come_best_first(alignment: Alignment) -> None:
    found = alignment.words_at(0, 3)
    assert [pair.word for pair in found] == ["person", "dogs", "red", "left", "of"]
    assert found[0].value == pytest.approx(0.9)
    assert alignment.words_at(7, 0) == []
    assert [pair.word for pair in alignment.words_at(0, 0, floor=0.85)] == ["person", "dogs"]
    for x, y in ((8, 0), (0, 4), (-1, 0), (0, -0.5), (float("nan"), 0)):
        with pytest.raises(DataError, match="outside the image"):
            alignment.words_at(x, y)


def test_words_in_a_box_or_mask(alignment: Alignment) -> None:
    by_box = dict(alignment.words_in([0, 0, 4, 4]))
    mask = torch.zeros(4, 8, dtype=torch.bool)
    mask[:, :4] = True
    assert by_box == dict(alignment.words_in(mask))
    assert by_box["person"] == pytest.approx((0.9 + 0.5) / 2)
    assert by_box["red"] == pytest.approx((0.8 + 0.4) / 2 / 2)
    with pytest.raises(DataError, match="box of 4 numbers or a mask"):
        alignment.words_in(torch.zeros(3, 3))
    for empty in ([9, 9, 12, 12], [2, 2, 2, 2], torch.zeros(4, 8)):
        with pytest.raises(DataError, match="no pixels inside"):
            alignment.words_in(empty)


def test_normalised(alignment: Alignment) -> None:
    over_pixels = alignment.normalised("pixels").sum(dim=(1, 2))
    assert torch.allclose(over_pixels, torch.ones(6))
    over_words = alignment.normalised("words").sum(dim=0)
    assert torch.allclose(over_words[:, :6], torch.ones(4, 6))
    assert float(over_words[:, 6:].abs().max()) == 0
    with pytest.raises(DataError, match="over"):
        alignment.normalised("people")  # type: ignore[arg-type]


def test_large_images_get_reduced_maps() -> None:
    alignment = align(_result(scene=_scene(factor=4)), max_side=8)
    assert alignment.scale == 0.25
    assert alignment.size == (4, 8)
    assert alignment.image_size == (16, 32)
    assert torch.allclose(alignment.maps, align(_result()).maps)
    assert alignment.words_at(31, 15) == []
    assert alignment.words_at(1, 15)[0].word == "person"
    mask = torch.zeros(16, 32, dtype=torch.bool)
    mask[:, :8] = True
    assert dict(alignment.words_in(mask))["person"] == pytest.approx(0.9)
    assert dict(alignment.words_in([0, 0, 8, 16]))["person"] == pytest.approx(0.9)


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(DataError, match="floor"):
        align(_result(), floor=1.0)
    with pytest.raises(DataError, match="max_side"):
        align(_result(), max_side=0)


def test_without_an_outcome_or_objects_the_maps_are_zero() -> None:
    alignment = align(_result(outcome=False))
    assert alignment.words == ("red", "person", "left", "of", "two", "dogs")
    assert float(alignment.maps.max()) == 0
    assert float(alignment.roles("left")["figure"].max()) == 0
    assert alignment.words_at(0, 0) == []


def test_a_text_without_content_words_has_no_maps() -> None:
    alignment = align(_result("it is", "(the (select person))", words={}))
    assert alignment.maps.shape == (0, 4, 8)
    assert len(alignment) == 0


def test_steps_that_the_executor_rewrote_are_found_by_their_words() -> None:
    result = _result()
    assert result.outcome is not None
    steps = tuple(
        replace(step, op=replace(step.op, value="crimson"))  # type: ignore[call-arg]
        if step.op.name == "filter"
        else step
        for step in result.outcome.steps
    )
    alignment = align(replace(result, outcome=replace(result.outcome, steps=steps)))
    assert float(alignment["red"][3, 0]) == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("program", "part"),
    [
        ("(everything)", "object"),
        ("(closest (everything) (everything))", "relation"),
        ("(top (everything) largest 2)", "order"),
        ("(count_is (everything) exactly 2)", "number"),
        ("(union (everything) (everything))", None),
        ("(the_plural (everything))", None),
        ("(count (everything))", None),
        ("(pointed this)", "object"),
        ("(between (everything) (everything) (everything))", "relation"),
        ("(comparative (everything) largest (everything))", "relation"),
        ("(same (everything) color (everything))", "relation"),
        ("(similar (everything) (everything))", "relation"),
        ("(relate_count (everything) on exactly 2 (everything))", "relation"),
        ("(related_by (everything) on (everything))", "relation"),
        ("(top_closest (everything) (everything) 2)", "relation"),
        ("(the_group (everything) row)", "group"),
        ("(query (the (everything)) color)", "attribute"),
        ("(choose (the (everything)) color red blue)", "attribute"),
        ('(part (everything) "left half")', "portion"),
        ("(command (everything) pick_up)", "action"),
        ("(every (everything) (everything))", None),
        ("(most (everything) (everything))", None),
        ("(compare_counts (everything) exactly (everything))", None),
        ("(equal (query (the (everything)) color) (query (the (everything)) color))", None),
    ],
)
def test_parts(program: str, part: str | None) -> None:
    assert part_of(parse_program(program)) == part


def test_every_operator_has_words_or_none() -> None:
    from neurosym.program import registry

    texts = "\n".join(
        path.read_text("utf-8")
        for path in (Path(__file__).parent / "fixtures" / "explain").glob("english.txt")
    )
    programs = [line for line in texts.splitlines() if line.startswith("(")]
    nodes = {type(node): node for line in programs for node in parse_program(line).walk()}
    assert set(nodes) == set(registry().values())
    relations = {operator for operator, node in nodes.items() if part_of(node) == "relation"}
    assert relations == {operator for operator, node in nodes.items() if landmarks_of(node)}


def test_both_landmarks_of_between_are_landmarks() -> None:
    program = "(between (everything) (select dog) (the (select cat)))"
    values = [[0.0, 0.9, 0, 0], [0.0, 0, 0, 0.8], [0.0, 0, 0, 0.8], [0.3, 0, 0, 0]]
    alignment = align(_valued("it is between", program, "between", [[1.0] * 4, *values]))
    roles = alignment.roles("between")
    assert roles["figure"][0].tolist() == pytest.approx([0.3, 0.3, 0, 0, 0, 0, 0, 0])
    assert roles["landmark"][0].tolist() == pytest.approx([0, 0, 0.9, 0.9, 0.9, 0, 0.8, 0.8])
    assert torch.equal(alignment["between"], torch.maximum(roles["figure"], roles["landmark"]))


def test_a_part_is_cut_out_of_its_mask() -> None:
    program = '(part (the (select dog)) "left half")'
    values = [[0.0, 0.5, 0, 0], [0.0, 0.5, 0, 0.4], [0.0, 0.5, 0, 0.4]]
    alignment = align(_valued("the left half", program, "left half", values))
    # Object 1 spans the columns 2 to 4, whose centres up to 3.5 lie in its left half, and 3 not.
    assert alignment["left half"][0].tolist() == pytest.approx([0, 0, 0.5, 0, 0, 0, 0.4, 0])
    small = align(_valued("the left half", program, "left half", values, factor=4), max_side=8)
    assert small["half"][0].tolist() == pytest.approx([0, 0, 0.5, 0.25, 0, 0, 0.4, 0])


def test_the_words_of_questions_speak_of_what_is_asked_about() -> None:
    # Two values are looked for in the pixels, each by itself.
    program = "(choose (the (select dog)) color red green)"
    values = [[0.0, 0.6, 0, 0], [0.0, 0.6, 0, 0], None]
    alignment = align(_valued("is it red or green", program, "red or green", values))
    assert alignment.words == ("red", "or", "green")
    assert float(alignment["red"][0, 2]) == pytest.approx(0.6)
    asked = align(_valued("what color", "(query (the (select dog)) color)", "color", values))
    assert float(asked["color"][0, 2]) == pytest.approx(0.6)


def test_groups_and_commands_speak_of_their_objects() -> None:
    group = _valued("a row", "(the_group (everything) row)", "row", [[1.0] * 4, [0.9, 0.9, 0, 0]])
    assert float(align(group)["row"][0, 0]) == pytest.approx(0.9)
    asked = "(command (the (select dog)) pick_up)"
    command = _valued("pick up", asked, "pick up", [[0.0, 0.7, 0.3, 0]] * 3)
    # At most one is picked up: where both masks lie, it is one of the two.
    assert float(align(command)["pick"][0, 4]) == pytest.approx(1.0)
    assert align(command).parts == ("action", "action")


def test_a_number_of_landmarks_speaks_of_the_landmarks() -> None:
    program = "(relate_count (everything) on exactly 2 (select dog))"
    values = [[1.0] * 4, [0.0, 0, 0, 0.8], [0.5, 0, 0, 0]]
    alignment = align(_valued("on exactly two", program, "on exactly two", values))
    assert alignment.parts == ("relation", "relation", "number")
    assert alignment.phrases == ((0, 1), (2,))
    assert alignment["two"][0].tolist() == pytest.approx([0, 0, 0, 0, 0, 0, 0.8, 0.8])
    assert alignment.roles("on")["figure"][0, 0] == pytest.approx(0.5)


def test_views_load_no_grammar() -> None:
    import subprocess

    code = (
        "import sys, neurosym.alignment, neurosym.views; "
        "print([m for m in sys.modules if m.startswith(('neurosym.grammar.', 'spacy', 'lark'))])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
