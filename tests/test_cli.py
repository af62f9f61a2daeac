"""The command line: answers, one line for what is wrong, and never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import neurosym
from neurosym import api, cli
from neurosym.api import Grounder
from neurosym.grammar import Lexicon, Parser
from neurosym.perception.base import Perception
from neurosym.scene import Scene


@dataclass(frozen=True)
class Ran:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def refusal(self) -> str:
        """The one line of a command that was refused."""
        assert self.code == 2, self.out
        assert self.err.startswith("neurosym: "), self.err
        assert self.err.count("\n") == 1, self.err
        assert self.err.endswith("\n")
        assert self.out == ""
        return self.told

    @property
    def told(self) -> str:
        """The one line of an error, whatever was printed besides."""
        assert self.code == 2, self.out
        assert self.err.startswith("neurosym: "), self.err
        assert self.err.count("\n") == 1, self.err
        return self.err.removeprefix("neurosym: ").removesuffix("\n")


class Remembered(Perception):
    """Gives the one scene that was made of the photograph, once."""

    name = "remembered"

    def __init__(self, photo: np.ndarray, scene: Scene) -> None:
        self._photo = photo
        self._scene = scene

    def perceive(self, image: np.ndarray) -> Scene:
        assert np.array_equal(image, self._photo)
        return self._scene


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Runs a command in this process; what argparse refuses exits with its code."""

    def call(*arguments: object) -> Ran:
        capsys.readouterr()
        try:
            code = cli.main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return call


@pytest.fixture
def loaded(
    monkeypatch: pytest.MonkeyPatch, grounder: Grounder, voc: dict[str, Any], voc_scene: Scene
) -> None:
    """Commands use the models of this session instead of loading their own."""
    perception = Remembered(voc["rgb"], voc_scene)

    def default(name: str, *, dtype: str, **options: Any) -> Grounder:
        assert (name, dtype) == ("picodet+mobilesam", "float32")
        for name in ("device", "spacy", "lexicon", "concepts", "calibration"):
            assert options.pop(name) is None
        return Grounder(perception, grounder.parser, **options)

    def parser(pipeline: object, lexicon: Lexicon | None) -> Parser:
        assert lexicon is None
        return grounder.parser

    few = Remembered(voc["rgb"], voc_scene[:3])
    monkeypatch.setattr(Grounder, "default", staticmethod(default))
    monkeypatch.setattr("neurosym.grammar.Parser", parser)
    monkeypatch.setattr(api, "perception_of", lambda *_, **__: few)


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory, voc: dict[str, Any]) -> Path:
    path = tmp_path_factory.mktemp("photo") / "voc.png"
    Image.fromarray(voc["rgb"]).save(path, compress_level=1)
    return path


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory, voc_scene: Scene) -> Path:
    path = tmp_path_factory.mktemp("scene") / "scene.json"
    voc_scene.save(path)
    return path


# Without models


def test_version(run: Callable[..., Ran]) -> None:
    assert run("--version") == Ran(0, f"neurosym {neurosym.__version__}\n", "")


def test_help_names_every_command(run: Callable[..., Ran]) -> None:
    out = run("--help").out
    for command in ("ground", "parse", "scene", "demo", "operators", "models"):
        assert command in out


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nope",),
        ("ground",),
        ("ground", "photo.jpg"),
        ("models",),
        ("models", "nope"),
        ("parse", "the dog", "--nope"),
        ("scene", "photo.jpg", "--max-pixels", "many"),
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(run: Callable[..., Ran], arguments: tuple[str, ...]) -> None:
    got = run(*arguments)
    assert got.code == 2
    assert got.out == ""
    assert got.err.startswith("usage: ")


def test_operators(run: Callable[..., Ran]) -> None:
    got = run("operators")
    assert got.code == 0
    assert got.out.startswith("# Operators\n")
    for name in neurosym.program.registry():
        assert f"## {name}\n" in got.out


def test_models_list(run: Callable[..., Ran]) -> None:
    got = run("models", "list")
    assert (got.code, got.err) == (0, "")
    head, *rows = got.out.splitlines()
    assert head.split() == ["NAME", "VERSION", "LICENCE", "SIZE", "PRESENT", "PATH"]
    known = {"picodet-s", "mobile-sam", "en-core-web-sm", "wordnet", "potion-base-8m"}
    assert {row.split()[0] for row in rows} == known


@pytest.mark.parametrize("command", ["pull", "verify"])
def test_an_unknown_model(run: Callable[..., Ran], command: str) -> None:
    assert run("models", command, "picodet").refusal.startswith(
        'unknown model "picodet": did you mean "picodet-s"?'
    )


# Parsing


@pytest.mark.usefixtures("loaded")
def test_parse(run: Callable[..., Ran]) -> None:
    got = run("parse", "the person to the left of the bottle")
    assert (got.code, got.err) == (0, "")
    assert "(the (relate (select person) left_of (the (select bottle))))" in got.out
    for title in ("Tokens", "Parse tree", "Program"):
        assert f"{title}\n{'-' * len(title)}\n" in got.out
    assert "nouns.toml [noun] person" in got.out


@pytest.mark.usefixtures("loaded")
def test_parse_ungrammatical(run: Callable[..., Ran]) -> None:
    assert "at " in run("parse", "the left dog of to the").told


BAD_TEXTS: list[Any] = [
    ("", "the text is empty"),
    (" \t\n ", "the text is empty"),
    ("word " * 10_000, "the text has 50,000 characters; at most 2,000 are read"),
    ("a b " * 150, "the text has 300 words; at most 200 are read"),
    ("der Hund ist grün", '"der" is no English word (at 0-3: "der")'),
    ("le chien à gauche de la table", "the text does not look English"),
    ("собака слева от кошки", "most letters of the text are not Latin"),
    ("左边的狗", "most letters of the text are not Latin"),
    ("!!! ??? ...", "the text has no letters"),
    ("4 2", "the text has no letters"),
    ("🐶🐶", "the text has no letters"),
    ("\0", "the text has no letters"),
    ("the the the", "the text stops too early"),
    ("the", "the text stops too early"),
    ("the cup of " * 30 + "cup", "at most 80 are parsed"),
    ("exactly 99999999999999999999999999 people", "99999999999999999999999999"),
    ("how many ² people are there", '"²" at 9-10'),
    ("1\n2", "the text has no letters"),
    ("the person\nwho is than", "is not understood here"),
    ("the dog \udcff", "is not valid Unicode at character 8"),
]


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize(("text", "message"), BAD_TEXTS)
def test_text_that_cannot_be_read_is_one_line(
    run: Callable[..., Ran], saved: Path, tmp_path: Path, text: str, message: str
) -> None:
    assert message in run("parse", text).told
    out = tmp_path / "out"
    assert message in run("ground", saved, text, "--out", out).refusal
    assert not out.exists()


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize(
    "text",
    [
        "the dog\0",
        "\ufeffthe dog",
        "the\u202edog",
        "THE DOG!!!",
        "(the dog)",
        "the 🐶 dog",
        "“the dog”",
        "the dog\r\n",
        "the zero\u200bth dog",
        "%s {0} \\n the dog",
        "the 99999999999999999999th dog",
        "a" * 1_999,
        "the " * 190,
        "dog " * 190,
        "not " * 150 + "the dog",
        "the \x1b[31mdog",
    ],
    ids=ascii,
)
def test_odd_text_gives_an_answer_or_one_line(
    run: Callable[..., Ran], saved: Path, text: str
) -> None:
    got = run("ground", saved, text)
    if got.code != 0:
        assert got.refusal


# Grounding


@pytest.mark.usefixtures("loaded")
def test_ground_a_photograph(run: Callable[..., Ran], photo: Path) -> None:
    got = run("ground", photo, "the leftmost person")
    assert (got.code, got.err) == (0, "")
    for title in ("Text", "Parse tree", "Program", "Trace", "Answer", "Why"):
        assert f"{title}\n{'-' * len(title)}\n" in got.out
    assert "Written" not in got.out
    assert "\nok (0." in got.out or "\nok (1." in got.out


@pytest.mark.usefixtures("loaded")
def test_nothing_that_fits_is_an_answer(run: Callable[..., Ran], photo: Path) -> None:
    got = run("ground", photo, "the dog", "--json")
    assert (got.code, got.err) == (0, "")
    document = json.loads(got.out)
    assert (document["status"], document["objects"], document["answer"]) == ("none", [], None)
    assert document["none"] > 0.9


@pytest.mark.usefixtures("loaded")
def test_json_is_the_only_output(run: Callable[..., Ran], saved: Path, tmp_path: Path) -> None:
    got = run("ground", saved, "how many people are there", "--json", "--out", tmp_path / "out")
    document = json.loads(got.out)
    assert document["format"] == "neurosym-result/1"
    assert document["program"] == "(count (select person))"
    assert (document["status"], type(document["answer"])) == ("ok", int)
    assert document["trace"][-1]["number"][document["answer"]] == document["probability"]
    assert json.loads((tmp_path / "out" / "result.json").read_text("utf-8")) == document


@pytest.mark.usefixtures("loaded")
def test_what_is_written(run: Callable[..., Ran], saved: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    got = run("ground", saved, "the leftmost person", "--out", out)
    assert got.code == 0
    assert {p.name for p in out.iterdir()} == {"overlay.png", "result.json", "alignment"}
    assert "Written\n-------\n" in got.out
    with Image.open(out / "overlay.png") as picture:
        assert picture.width > 100
    with np.load(out / "alignment" / "alignment.npz") as maps:
        assert any(maps[name].shape[-2:] == (375, 500) for name in maps.files)
    again = run("ground", saved, "the leftmost person", "--out", out)
    assert again.code == 0


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("text", ["the xylophone", "the person next to the xylophone"])
def test_an_unknown_word_is_one_line_with_the_nearest(
    run: Callable[..., Ran], photo: Path, tmp_path: Path, text: str
) -> None:
    refusal = run("ground", photo, text, "--out", tmp_path / "out").refusal
    assert refusal.startswith('this scene has no category "xylophone": did you mean "')
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("loaded")
def test_the_bound_on_pixels(run: Callable[..., Ran], photo: Path) -> None:
    for bound in ("187499", "1"):
        for command in (("ground", photo, "the dog"), ("scene", photo)):
            refusal = run(*command, "--max-pixels", bound).refusal
            assert f"187,500 pixels, more than the bound of {int(bound):,}" in refusal
    assert run("ground", photo, "the dog", "--max-pixels", "187500").code == 0


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("bound", ["0", "-5"])
def test_a_bound_below_one_is_refused_as_such(
    run: Callable[..., Ran], photo: Path, bound: str
) -> None:
    assert "--max-pixels" in run("ground", photo, "the dog", "--max-pixels", bound).refusal
    assert "--max-pixels" in run("scene", photo, "--max-pixels", bound).refusal


# Photographs that are none


def _bad_photos(folder: Path, photo: Path) -> dict[str, tuple[Path, str]]:
    whole = photo.read_bytes()
    made = {
        "missing": (folder / "missing.jpg", "does not exist"),
        "truncated": (folder / "cut.png", "cut short"),
        "text": (folder / "text.jpg", "is not an image"),
        "empty": (folder / "empty.png", "0 bytes"),
        "huge": (folder / "huge.png", "100,000,000 pixels, more than the bound of 50,000,000"),
        "folder": (folder, "is a folder"),
        "null": (Path(os.devnull), "0 bytes"),
        "long": (folder / ("x" * 5_000), "cannot be read"),
        "nul": (folder / "a\0b.png", "cannot be read"),
    }
    made["truncated"][0].write_bytes(whole[: len(whole) // 2])
    made["text"][0].write_text("not an image")
    made["empty"][0].touch()
    Image.new("1", (10_000, 10_000)).save(made["huge"][0])
    return made


@pytest.mark.usefixtures("loaded")
def test_a_photograph_that_cannot_be_read_is_one_line(
    run: Callable[..., Ran], photo: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for name, (path, message) in _bad_photos(tmp_path, photo).items():
        for command in (("ground", path, "the dog"), ("scene", path)):
            assert message in run(*command, "--out", out).refusal, name
            assert not out.exists(), name


# Scenes


@pytest.mark.usefixtures("loaded")
def test_a_scene_is_written_and_read_again(
    run: Callable[..., Ran], photo: Path, tmp_path: Path, voc_scene: Scene
) -> None:
    path = tmp_path / "new" / "scene.json"
    got = run("scene", photo, "--out", path)
    assert (got.code, got.err) == (0, "")
    assert f"written to {path}" in got.out
    scene = Scene.load(path)
    assert scene.boxes.tolist() == voc_scene.boxes[:3].tolist()
    assert bool(scene.attributes["color"].evidence.all())
    assert scene.pixels is not None
    assert set(scene.pixels.known_masks()) == {0, 1, 2}
    answer = json.loads(run("ground", path, "the leftmost person", "--json").out)
    assert answer["status"] == "ok"
    printed = run("scene", photo)
    assert printed.out.count("\n") == 1
    assert json.loads(printed.out) == json.loads(path.read_text("utf-8"))


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ("[1, 2]", "is not a saved scene"),
        ('{"format": "neurosym-scene/3"}', "lacks"),
        ('{"format": "neurosym-result/1"}', "is not a saved scene"),
    ],
)
def test_a_json_that_is_no_scene(
    run: Callable[..., Ran], tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "scene.json"
    path.write_text(content)
    assert message in run("ground", path, "the dog", "--out", tmp_path / "out").refusal
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("loaded")
def test_a_json_that_is_not_there_or_a_folder(run: Callable[..., Ran], tmp_path: Path) -> None:
    assert "No such file" in run("ground", tmp_path / "missing.json", "the dog").refusal
    (tmp_path / "folder.json").mkdir()
    assert "Is a directory" in run("ground", tmp_path / "folder.json", "the dog").refusal


# Where to write


@pytest.mark.usefixtures("loaded")
def test_an_output_folder_that_is_a_file(
    run: Callable[..., Ran], saved: Path, tmp_path: Path
) -> None:
    target = tmp_path / "file"
    target.write_text("kept")
    refusal = run("ground", saved, "the dog", "--out", target).refusal
    assert refusal == f'cannot write into "{target}": "{target}" is not a folder'
    assert target.read_text() == "kept"


@pytest.mark.usefixtures("loaded")
def test_an_output_folder_that_cannot_be_made(
    run: Callable[..., Ran], saved: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("kept")
    got = run("ground", saved, "the dog", "--out", tmp_path / "file" / "out")
    assert got.code == 2
    assert got.err.count("\n") == 1
    assert "is not a folder" in got.err
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.usefixtures("loaded")
def test_an_output_folder_that_cannot_be_made_is_refused_before_any_answer(
    run: Callable[..., Ran], saved: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("kept")
    assert run("ground", saved, "the dog", "--out", tmp_path / "file" / "out").refusal


@pytest.mark.usefixtures("loaded")
def test_an_output_folder_with_too_long_a_name(run: Callable[..., Ran], saved: Path) -> None:
    assert run("ground", saved, "the dog", "--out", "x" * 5_000).refusal


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("blocked", ["overlay.png", "result.json"])
def test_an_output_file_that_cannot_be_written(
    run: Callable[..., Ran], saved: Path, tmp_path: Path, blocked: str
) -> None:
    (tmp_path / blocked).mkdir()
    got = run("ground", saved, "the dog", "--out", tmp_path)
    assert got.code == 2
    assert got.err.count("\n") == 1
    assert "cannot write" in got.err


@pytest.mark.usefixtures("loaded")
def test_no_half_written_file_is_left(run: Callable[..., Ran], saved: Path, tmp_path: Path) -> None:
    (tmp_path / "result.json").mkdir()
    assert run("ground", saved, "the dog", "--out", tmp_path).code == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["overlay.png", "result.json"]


@pytest.mark.usefixtures("loaded")
def test_a_scene_file_that_cannot_be_written(
    run: Callable[..., Ran], photo: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("kept")
    for target in (tmp_path, tmp_path / "file" / "scene.json"):
        assert "cannot write" in run("scene", photo, "--out", target).refusal
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


# Other options; nothing is loaded before they are checked


@pytest.mark.parametrize("device", ["nonsense", "cuda:x", "cpu:", ":0"])
def test_an_impossible_device(run: Callable[..., Ran], photo: Path, device: str) -> None:
    for command in (("ground", photo, "the dog"), ("scene", photo)):
        refusal = run(*command, "--device", device).refusal
        assert refusal.startswith(f'cannot use the device "{device}": ')


def test_a_device_that_torch_knows_but_lacks(run: Callable[..., Ran], photo: Path) -> None:
    assert run("scene", photo, "--device", "hpu").refusal


def test_a_reading_of_the_that_there_is_not(run: Callable[..., Ran], photo: Path) -> None:
    refusal = run("ground", photo, "the dog", "--the", "polyadik").refusal
    assert 'not "polyadik": did you mean "polyadic"?' in refusal


@pytest.mark.usefixtures("loaded")
def test_the_reading_of_the_is_in_the_result(run: Callable[..., Ran], photo: Path) -> None:
    got = run("ground", photo, "the person", "--the", "accommodate", "--json")
    document = json.loads(got.out)
    assert (document["the"], document["status"]) == ("accommodate", "ok")
    assert document["program"] == "(the (superlative (select person) largest 1))"


def test_a_calibration_that_is_not_there(run: Callable[..., Ran], photo: Path) -> None:
    for command in (("ground", photo, "the dog"), ("scene", photo)):
        assert "none.json" in run(*command, "--calibration", "none.json").refusal


@pytest.mark.parametrize(
    "content",
    [None, b"x = [", b"\xff\xff", b"[nouns]\nx = 3\n", b"a = 1\na = 2\n", b"\0"],
    ids=["missing", "cut", "not unicode", "not words", "twice", "nul"],
)
def test_a_bad_file_of_words(
    run: Callable[..., Ran], tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "words.toml"
    if content is not None:
        path.write_bytes(content)
    for command in (("parse", "the dog"), ("ground", tmp_path / "x.png", "the dog")):
        assert "words.toml" in run(*command, "--lexicon", path).refusal


def test_a_folder_of_words(run: Callable[..., Ran], tmp_path: Path) -> None:
    assert str(tmp_path) in run("parse", "the dog", "--lexicon", tmp_path).refusal


def test_a_pipeline_that_is_not_there(run: Callable[..., Ran], tmp_path: Path) -> None:
    for pipeline in ("no_such_pipeline", tmp_path, os.devnull):
        refusal = run("parse", "the dog", "--spacy", pipeline).refusal
        assert refusal.startswith(f'cannot load the spaCy pipeline "{pipeline}": ')


@pytest.mark.parametrize("package", ["torch", "pip"])
def test_a_pipeline_that_is_another_package(run: Callable[..., Ran], package: str) -> None:
    assert run("parse", "the dog", "--spacy", package).refusal


# Real processes


def process(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "neurosym.cli", *map(str, arguments)]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
    )


@pytest.mark.usefixtures("parser", "voc_scene")
def test_a_process_that_answers(photo: Path) -> None:
    done = process("ground", photo, "the leftmost person", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert document["status"] == "ok"
    (found,) = document["objects"]
    assert found["category"] == "person"
    assert found["box_xyxy"][0] < 20


@pytest.mark.usefixtures("parser")
def test_a_process_that_refuses(tmp_path: Path) -> None:
    done = process("ground", tmp_path / "missing.png", "the dog", "--out", tmp_path / "out")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f'neurosym: the image "{tmp_path}/missing.png" does not exist\n'
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("parser")
def test_a_terminal_without_unicode() -> None:
    done = process("parse", "the leftmost person", PYTHONIOENCODING="ascii")
    assert "Traceback" not in done.stderr
    assert done.returncode == 0
