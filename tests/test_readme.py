"""The README's Python runs as it stands, and what it claims can be checked is checked."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from neurosym import cli
from neurosym.api import Grounder
from neurosym.views.reference_page import operator_page

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_examples_run(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    grounder: Grounder,
    voc: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(blocks) == 3
    monkeypatch.chdir(tmp_path)
    # The examples give the grounder another executor.
    monkeypatch.setattr(Grounder, "default", staticmethod(lambda: copy.copy(grounder)))
    Image.fromarray(voc["rgb"]).save("photo.jpg", quality=95)
    names: dict[str, Any] = {}
    for code in blocks:
        exec(code, names)
    result = names["result"]
    assert result.status == "ok"
    assert str(result.program) == "(the (filter (select person) color red))"
    assert result.boxes.shape == (1, 4)
    assert result.masks.shape == (1, 375, 500)
    assert tuple(result.alignment["red"].shape) == (375, 500)
    assert "would be #0 rabbit" in capsys.readouterr().out
    assert sorted(p.name for p in tmp_path.iterdir()) == ["answer.html", "overlay.png", "photo.jpg"]
    strict, polyadic = names["strict"], names["polyadic"]
    assert strict.status == "many"
    assert str(strict.program) == "(the (relate (select rabbit) in (the (select hat))))"
    assert (polyadic.status, polyadic.objects) == ("ok", (0,))


def test_every_option_of_the_text_is_one_of_the_command_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for command in ("ground", "parse", "describe", "eval", "scenes", "convert"):
        with pytest.raises(SystemExit):
            cli.main([command, "--help"])
    said = capsys.readouterr().out
    assert [option for option in re.findall(r"`?(--[a-z]+)", README) if option not in said] == []


def test_every_folder_of_the_layout_exists() -> None:
    layout = README.split("## Layout")[1].split("## Limits")[0]
    folders = re.findall(r"^    (\w+)/ ", layout, flags=re.MULTILINE)
    assert len(folders) >= 8
    assert [name for name in folders if not (ROOT / name).is_dir()] == []


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_the_operator_page_is_current() -> None:
    page = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    assert page.strip() == operator_page().strip(), "run: neurosym operators > docs/operators.md"
