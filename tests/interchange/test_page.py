"""The page about formats runs as it stands, and says of every one that there is what it loses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from neurosym import interchange
from neurosym.scene_io import to_document

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "interchange.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the examples leave behind; each uses those before it."""
    left: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("page"))
        for code in BLOCKS:
            exec(code, left)
        left["written"] = sorted(path.name for path in Path().iterdir())
    return left


def test_files_are_written_as_they_were_read(names: dict[str, Any]) -> None:
    parts = ("same", "same_graphs", "same_clevr", "same_nlvr", "same_text", "same_narrative")
    assert [part for part in parts if names[part] is not True] == []
    assert names["written"] == ["graph.json", "street", "street.json"]


def test_coco(names: dict[str, Any]) -> None:
    assert names["scene"].masks([0, 1]).sum((1, 2)).tolist() == [300, 240]
    assert len(names["crowd"]) == 1
    assert names["one"] == 72
    assert torch.equal(names["detected"].boxes, names["scene"].boxes)
    assert torch.equal(names["masks"], names["scene"].masks([0, 1]))


def test_scene_graphs(names: dict[str, Any]) -> None:
    assert names["known"].tolist() == [True, False]
    assert names["wearing"].tolist() == [[0, 1], [0, 0]]
    assert torch.equal(names["back"].boxes, names["genome"][2].boxes)
    assert to_document(names["again"]) == to_document(names["genome"][2])
    assert names["cat"].relation("lying_on").probabilities.tolist() == [[0, 1], [0, 0]]


def test_texts_and_traces(names: dict[str, Any]) -> None:
    assert (names["phrase"].text, names["phrase"].objects) == ("Two men", (0,))
    assert names["dog"].boxes.tolist() == [[15, 20, 30, 30]]
    assert names["points"].shape == (2, 3)


def test_detections(names: dict[str, Any]) -> None:
    assert names["fields"]["tracker_id"].tolist() == [7]
    assert names["fields"]["confidence"].tolist() == [0.75]
    assert all(torch.equal(part, names["output"][k]) for k, part in names["target"].items())


def test_every_function_is_in_the_table() -> None:
    table = PAGE.split("**What survives.**")[0]
    functions = {name for name in dir(interchange) if name.startswith(("from_", "to_"))}
    assert {name for name in functions if f"`{name}`" not in table} == set()
    assert len(functions) >= 23
