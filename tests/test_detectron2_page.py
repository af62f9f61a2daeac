"""What docs/detectron2.md says of installing is what the project does, and its examples run."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from neurosym.perception.backends.detectron2 import BACK_END

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "detectron2.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


def test_the_install_commands_are_those_of_the_message() -> None:
    commands = _blocks("sh")[0].splitlines()
    assert len(commands) == 3
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert "detectron2" in project["optional-dependencies"]
    for command in commands:
        said = re.sub(r"@\w{40}|-c constraints.txt |(?<===)[\d.]+", "", command)
        assert said in BACK_END.install.replace("==...", "==")


def test_the_examples_run_and_print_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("detectron2", reason="detectron2 is not installed: docs/detectron2.md")
    use, make, run = _blocks("python")
    (printed,) = _blocks("text")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(make, names)
    capsys.readouterr()
    exec(run, names)
    # The last digits of sums, and with them the fingerprint of weights, depend on the machine.
    lines = [re.sub(r", weights \w+", "", text) for text in (capsys.readouterr().out, printed)]
    assert lines[0].split() == lines[1].split()
    exec(use, names)
    assert len(names["detector"].categories) == 80
