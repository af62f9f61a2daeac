"""The readers of captions, in their released forms and one item a line."""

import json
from pathlib import Path

import pytest

from neurosym.datasets.captions import Caption, read_captions
from neurosym.errors import DataError
from neurosym.evaluation.corpora import CORPORA
from neurosym.grammar import Parser
from neurosym.models.store import path_of

SUGARCREPE = {"filename": "000000000012.jpg", "caption": "A red cup.", "negative_caption": "A cup."}
VALSE = {
    "image_file": "COCO_val2014_000000000034.jpg",
    "caption": "There is a cup.",
    "foil": "There is no cup.",
    "mturk": {"foil": 2, "caption": 1, "other": 0},
}
VSR = {"image": "000000000056.jpg", "caption": "The cup is on the hat.", "relation": "on"}


def written(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_released_sugarcrepe(tmp_path: Path) -> None:
    (caption,) = read_captions(written(tmp_path / "add_att.json", {"7": SUGARCREPE}))
    assert caption == Caption("add_att/7", "000000000012.jpg", "A red cup.", "A cup.", "add_att")
    assert caption.photograph == "12"


def test_released_valse(tmp_path: Path) -> None:
    (caption,) = read_captions(written(tmp_path / "existence.json", {"a_1": VALSE}))
    assert caption.key == "existence/a_1"
    assert caption.kind == "existence"
    assert caption.photograph == "34"
    assert not caption.valid


def test_lines(tmp_path: Path) -> None:
    path = tmp_path / "vsr_dev.jsonl"
    other = SUGARCREPE | {"category": "add_att", "id": 3}
    path.write_text("\n".join(map(json.dumps, [VSR, other])), encoding="utf-8")
    plain, pair = read_captions(path)
    assert plain == Caption("0", "000000000056.jpg", "The cup is on the hat.", kind="on")
    assert pair.key == "add_att/3"


@pytest.mark.parametrize("content", [[1], {"1": {}}, {"1": 2}])
def test_other_forms_are_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(DataError, match="captions"):
        list(read_captions(written(tmp_path / "captions.json", content)))


def test_pairs_are_judged(tmp_path: Path) -> None:
    from neurosym.evaluation.run import evaluate

    lines = [
        SUGARCREPE | {"category": "add_att", "id": 1, "caption": "A cup.", "negative_caption": t}
        for t in ("A red cup.",)
    ]
    lines.append(VALSE | {"piece": "existence", "id": 2})
    path = tmp_path / "sugarcrepe.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    parser = Parser(path_of("en-core-web-sm"))
    right, unjudged = evaluate(CORPORA["sugarcrepe"], tmp_path, parser)
    assert right["ending"] == "right"
    assert unjudged["ending"] == "not judged"
