"""The model store against small manifests of its own; nothing here needs a network."""

from __future__ import annotations

import argparse
import errno
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections import namedtuple
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from neurosym import models
from neurosym.errors import ModelStoreError
from neurosym.models import sources
from neurosym.models import store as store_module
from neurosym.models.commands import add_commands
from neurosym.models.manifest import load_manifest
from neurosym.models.store import Store

WEIGHTS = bytes(range(256)) * 40
LABELS = b"cat\ndog\n"
NOTE = "made by hand\n"
Command = Callable[..., int]


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(autouse=True)
def _no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEUROSYM_MIRROR", raising=False)


class Place:
    """A folder with a manifest, a cache and things to fetch from."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.cache = root / "cache"
        self.manifest = root / "manifest.toml"
        self.links = root / "links"
        self.links.mkdir()

    def wheel(self, name: str = "toy-weights", weights: bytes = WEIGHTS) -> str:
        """Writes a wheel with the model's files and returns its sha256."""
        base = name.replace("-", "_")
        info = f"{base}-1.0.dist-info"
        path = self.links / f"{base}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{base}/data/weights.bin", weights)
            archive.writestr(f"{base}/data/sub/labels.txt", LABELS)
            archive.writestr("../../evil.txt", "outside")
            archive.writestr(
                f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
            )
            archive.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            archive.writestr(f"{info}/RECORD", "")
        return _sha256(path.read_bytes())

    def folder(self, name: str = "folder", weights: bytes = WEIGHTS) -> Path:
        """Writes the model's files into a folder."""
        path = self.root / name
        (path / "sub").mkdir(parents=True, exist_ok=True)
        (path / "weights.bin").write_bytes(weights)
        (path / "sub" / "labels.txt").write_bytes(LABELS)
        return path

    def pip(self, sha256: str, package: str = "toy-weights") -> str:
        return (
            f'kind = "pip-wheel"\npackage = "{package}"\nversion = "1.0"\nsha256 = "{sha256}"\n'
            f'size = 100000\nprefix = "{package.replace("-", "_")}/data/"\n'
            f'arguments = ["--no-index", "--find-links", "{self.links}"]'
        )

    def store(self, *origins: str | Path, name: str = "toy") -> Store:
        """A store with one model; an origin is a folder, or the TOML of a source."""
        rows = [
            f'kind = "folder"\npath = "{origin}"' if isinstance(origin, Path) else origin
            for origin in origins
        ]
        text = (
            f'[[model]]\nname = "{name}"\nversion = "1.0"\ndescription = "a toy"\n'
            f'licence = "MIT"\ndefault = true\n'
        )
        files = {"weights.bin": WEIGHTS, "sub/labels.txt": LABELS, "note.txt": NOTE.encode()}
        for path, data in files.items():
            text += f'[[model.files]]\npath = "{path}"\nsha256 = "{_sha256(data)}"\n'
            text += f"size = {len(data)}\n"
            text += f'text = """{NOTE}"""\n' if path == "note.txt" else ""
        text += "".join(f"[[model.sources]]\n{row}\n" for row in rows)
        self.manifest.write_text(text, encoding="utf-8")
        return Store(self.cache, load_manifest(self.manifest))

    def left(self) -> list[str]:
        """What the cache holds, but for locks."""
        paths = self.cache.rglob("*")
        return sorted(
            path.relative_to(self.cache / "models").as_posix()
            for path in paths
            if path.is_file() and path.suffix != ".lock"
        )


WHOLE = [
    f"toy-1.0/{name}" for name in (".verified.json", "note.txt", "sub/labels.txt", "weights.bin")
]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def _check(folder: Path) -> None:
    assert (folder / "weights.bin").read_bytes() == WEIGHTS
    assert (folder / "sub" / "labels.txt").read_bytes() == LABELS
    assert (folder / "note.txt").read_bytes() == NOTE.encode()


def test_pull_from_a_wheel(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    store = place.store(place.pip(place.wheel()))
    assert not store.is_present("toy")
    folder = store.path_of("toy")
    _check(folder)
    assert folder == place.cache / "models" / "toy-1.0"
    assert place.left() == WHOLE
    assert store.is_present("toy")
    assert store.verify("toy").ok
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "neurosym: fetching toy 1.0 (0.1 MB) from pip toy-weights==1.0"
    ]
    assert not (place.root / "evil.txt").exists()


def test_progress_is_read_from_pip(place: Place) -> None:
    # pip reports on downloads, not on files of this machine, so a process that only talks it is.
    script = 'print("Collecting x\\nProgress 0 of 9\\nProgress 4 of 9\\nSaved x")'
    seen: list[int] = []
    with (place.root / "errors").open("w") as errors:
        command = [sys.executable, "-c", script]
        assert sources._run(command, place.root, dict(os.environ), errors, seen.append) == 0
    assert seen == [0, 4]


def test_a_bar_is_drawn_when_asked(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    place.store(place.folder()).pull("toy", progress=True)
    captured = capfd.readouterr()
    assert "toy 1.0" in captured.err
    assert captured.out == ""


def test_wrong_hash_of_a_wheel(place: Place) -> None:
    got = place.wheel()
    with pytest.raises(ModelStoreError) as caught:
        place.store(place.pip("0" * 64)).pull("toy", progress=False)
    message = caught.value.message
    for word in ("toy_weights-1.0-py3-none-any.whl", "0" * 64, got, "pip toy-weights==1.0"):
        assert word in message
    assert "\n" not in message
    assert place.left() == []


def test_wrong_hash_of_a_file(place: Place) -> None:
    other = b"x" * len(WEIGHTS)
    with pytest.raises(ModelStoreError) as caught:
        place.store(place.pip(place.wheel(weights=other))).pull("toy", progress=False)
    for word in ("weights.bin", _sha256(WEIGHTS), _sha256(other), "By hand", "NEUROSYM_MIRROR"):
        assert word in caught.value.message
    assert place.left() == []


@pytest.mark.parametrize("weights", [WEIGHTS + b"x", WEIGHTS[:-1], b""])
def test_wrong_size_is_not_unpacked(place: Place, weights: bytes) -> None:
    with pytest.raises(ModelStoreError, match=f"has {len(weights)} bytes there, expected"):
        place.store(place.pip(place.wheel(weights=weights))).pull("toy", progress=False)
    with pytest.raises(ModelStoreError, match=r"weights\.bin"):
        place.store(place.folder(weights=weights)).pull("toy", progress=False)
    assert place.left() == []


def test_a_member_that_lies_about_its_size(place: Place, tmp_path: Path) -> None:
    # The header says the expected size, the data goes on: no more than that is ever written.
    archive = tmp_path / "bomb.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("weights.bin", b"\0" * 50_000_000)
    data = bytearray(archive.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = data.index(signature) + offset
        data[start : start + 4] = len(WEIGHTS).to_bytes(4, "little")
    archive.write_bytes(data)
    (entry,) = place.store().models
    with pytest.raises(sources.SourceError):
        sources._extract_zip(archive, "", entry.files[:1], tmp_path / "out")
    assert (tmp_path / "out" / "weights.bin").stat().st_size <= len(WEIGHTS)


def test_second_source(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    place.wheel()
    missing = place.root / "nowhere"
    store = place.store(
        place.pip("0" * 64), place.pip("1" * 64, "no-such"), missing, place.folder()
    )
    _check(store.pull("toy"))
    assert place.left() == WHOLE
    assert len(capfd.readouterr().err.splitlines()) == 4


def test_every_failure_is_listed(place: Place) -> None:
    missing = place.root / "nowhere"
    store = place.store(place.pip("1" * 64, "no-such"), missing)
    with pytest.raises(ModelStoreError) as caught:
        store.pull("toy", progress=False)
    message = caught.value.message
    for word in (
        "(1) pip no-such==1.0: No matching distribution",
        f"(2) folder {missing}: ",
        "note.txt",
    ):
        assert word in message
    assert str(place.cache / "models" / "toy-1.0") in message
    assert "neurosym models verify toy" in message
    assert "\n" not in message


def test_without_pip(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "find_spec", lambda _: None)
    with pytest.raises(ModelStoreError, match=r"pip is missing from .* -m ensurepip"):
        place.store(place.pip(place.wheel())).pull("toy", progress=False)


def test_a_failure_in_the_middle_leaves_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = place.store(place.folder())
    copy = sources._copy

    def stops(stream: object, target: Path, *others: object) -> str:
        if target.name == "labels.txt":
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(b"ca")
            raise KeyboardInterrupt
        return copy(stream, target, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(sources, "_copy", stops)
    with pytest.raises(KeyboardInterrupt):
        store.pull("toy", progress=False)
    assert place.left() == []
    assert not store.is_present("toy")
    monkeypatch.undo()
    _check(store.pull("toy", progress=False))


def test_what_a_killed_process_left_is_removed(place: Place) -> None:
    stale = place.cache / "models" / ".toy-1.0.partial-abc"
    stale.mkdir(parents=True)
    (stale / "weights.bin").write_bytes(b"half")
    place.store(place.folder()).pull("toy", progress=False)
    assert not stale.exists()


def test_a_damaged_model_is_fetched_again(place: Place) -> None:
    store = place.store(place.folder())
    folder = store.pull("toy", progress=False)
    (folder / "weights.bin").write_bytes(b"short")
    assert not store.is_present("toy")
    _check(store.path_of("toy"))
    (folder / "weights.bin").write_bytes(b"y" * len(WEIGHTS))  # as long, so only a hash tells
    assert store.is_present("toy")
    result = store.verify("toy")
    assert result.status == "damaged"
    assert "wrong sha256" in result.problems[0]
    assert not store.is_present("toy")
    _check(store.path_of("toy"))
    assert place.left() == WHOLE


def test_a_model_placed_by_hand(place: Place, no_processes: None) -> None:
    store = place.store()
    shutil.copytree(place.folder(), store.folder("toy"))
    with pytest.raises(ModelStoreError):
        store.path_of("toy", pull=False)
    (store.folder("toy") / "note.txt").write_text(NOTE, encoding="utf-8")
    _check(store.path_of("toy", pull=False))
    assert place.left() == WHOLE


def test_two_processes_at_once(place: Place) -> None:
    place.store(place.pip(place.wheel()))
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from neurosym.models import Store\n"
        "from neurosym.models.manifest import load_manifest\n"
        "store = Store(Path(sys.argv[2]), load_manifest(Path(sys.argv[1])))\n"
        "print(store.pull('toy'))\n"
    )
    command = [sys.executable, "-c", code, str(place.manifest), str(place.cache)]
    started = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    outputs = [process.communicate(timeout=60) for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], outputs
    assert {out.strip() for out, _ in outputs} == {str(place.cache / "models" / "toy-1.0")}
    assert sum(err.count("fetching") for _, err in outputs) == 1
    _check(place.cache / "models" / "toy-1.0")
    assert place.left() == WHOLE


def test_two_processes_without_locks(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "fcntl", None)
    store = place.store(place.folder())
    failures: list[BaseException] = []

    def pull() -> None:
        try:
            store.pull("toy", progress=False)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=pull) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    _check(store.folder("toy"))
    assert place.left() == WHOLE


@pytest.fixture
def no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("nothing may be started or fetched")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(sources, "fetch", refuse)


def test_a_warm_cache_needs_nothing(
    place: Place, request: pytest.FixtureRequest, capfd: pytest.CaptureFixture[str]
) -> None:
    place.store(place.folder()).pull("toy", progress=False)
    request.getfixturevalue("no_processes")
    for path in (place.cache / "models").glob(".*.lock"):
        path.unlink()
    store = place.store()
    _check(store.path_of("toy"))
    _check(store.pull("toy"))
    assert store.verify("toy").ok
    assert place.left() == WHOLE
    assert not list((place.cache / "models").glob(".*.lock"))
    assert capfd.readouterr().err == ""


def test_pull_false(place: Place, no_processes: None) -> None:
    with pytest.raises(ModelStoreError, match="neurosym models pull toy"):
        place.store(place.folder()).path_of("toy", pull=False)


def test_the_cache_cannot_be_written(place: Place) -> None:
    place.cache.write_text("a file where the folder should be")
    with pytest.raises(ModelStoreError) as caught:
        place.store(place.folder()).pull("toy", progress=False)
    assert caught.value.message.startswith(f"cannot write to the model cache {place.cache}: ")
    assert "NEUROSYM_HOME" in caught.value.message


def test_a_read_only_cache_serves(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    # By hand into a cache that this user cannot write: no marker, so it is hashed each time.
    store = place.store()
    shutil.copytree(place.folder(), store.folder("toy"))
    (store.folder("toy") / "note.txt").write_text(NOTE, encoding="utf-8")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(store_module, "_write_marker", refuse)
    monkeypatch.setattr(Path, "mkdir", refuse)
    _check(store.path_of("toy"))
    (store.folder("toy") / "weights.bin").unlink()
    with pytest.raises(ModelStoreError, match=r"cannot write to the model cache .*: Read-only"):
        store.path_of("toy")


def test_a_full_disk(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    store = place.store(place.folder())
    usage = namedtuple("usage", "total used free")(10, 9, 1)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: usage)
        with pytest.raises(ModelStoreError, match=r"the disk is full .*are needed for toy"):
            store.pull("toy", progress=False)

    def full(*_: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sources, "_copy", full)
    with pytest.raises(ModelStoreError, match="the disk is full"):
        store.pull("toy", progress=False)
    assert place.left() == []


def test_unknown_name(place: Place) -> None:
    store = place.store(name="picodet-s")
    with pytest.raises(ModelStoreError, match='unknown model "picodet": did you mean "picodet-s"'):
        store.path_of("picodet")
    with pytest.raises(ModelStoreError, match="known models: picodet-s"):
        store.is_present("zzz")


@pytest.mark.parametrize(
    "path", ["../evil", "/etc/evil", "a/../../evil", "a\\evil", "C:evil", "", ".", "a//b"]
)
def test_paths_that_lead_out_are_refused(place: Place, path: str) -> None:
    place.store(place.folder())
    text = place.manifest.read_text(encoding="utf-8").replace('"weights.bin"', f"'{path}'")
    place.manifest.write_text(text, encoding="utf-8")
    with pytest.raises(ModelStoreError, match="leads out of its folder"):
        load_manifest(place.manifest)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('name = "toy"', 'name = "../toy"'),
        ('name = "toy"', ""),
        ('kind = "folder"', 'kind = "torrent"'),
        ('kind = "folder"', 'kind = "folder"\nspeed = 3'),
        (_sha256(WEIGHTS), "abc"),
        ("[[model]]", "[[model"),
    ],
)
def test_manifests_that_are_not_well_formed(place: Place, old: str, new: str) -> None:
    place.store(place.folder())
    text = place.manifest.read_text(encoding="utf-8")
    assert old in text
    place.manifest.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ModelStoreError):
        load_manifest(place.manifest)


def test_mirror_comes_first(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    store = place.store(place.pip("0" * 64, "no-such"))
    mirror = place.root / "mirror"
    for inside in ("toy-1.0", "models/toy-1.0", "toy", "."):
        place.folder(f"mirror/{inside}")
        monkeypatch.setenv("NEUROSYM_MIRROR", str(mirror))
        monkeypatch.setattr(subprocess, "Popen", None)
        _check(store.pull("toy", progress=False))
        shutil.rmtree(mirror)
        shutil.rmtree(place.cache)


@pytest.fixture
def server(place: Place) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    handler = partial(Quiet, directory=str(place.root))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=partial(running.serve_forever, 0.02))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.mark.parametrize("kind", ["files", "zip", "tar"])
def test_pull_from_an_address(place: Place, server: str, kind: str) -> None:
    folder = place.folder()
    row = f'kind = "url"\nurl = "{server}/folder/{{file}}"'
    if kind == "zip":
        place.wheel()
        row = (
            f'kind = "url"\nurl = "{server}/links/toy_weights-1.0-py3-none-any.whl"\n'
            'archive = "zip"\nsize = 100000\nprefix = "toy_weights/data/"'
        )
    elif kind == "tar":
        with tarfile.open(place.root / "toy.tar", "w") as archive:
            archive.add(folder, "toy")
        row = (
            f'kind = "url"\nurl = "{server}/toy.tar"\n'
            'archive = "tar"\nsize = 100000\nprefix = "toy/"'
        )
    _check(place.store(row).pull("toy", progress=False))
    assert place.left() == WHOLE


def test_addresses_that_fail(place: Place, server: str) -> None:
    place.folder()
    (place.root / "folder" / "big").write_bytes(b"z" * 200_000)
    rows = (
        f'kind = "url"\nurl = "{server}/nothing/{{file}}"',
        f'kind = "url"\nurl = "{server}/folder/big"\narchive = "zip"\nsize = 1000',
        f'kind = "url"\nurl = "{server}/folder/big"\narchive = "tar"\nsize = 300000',
        f'kind = "url"\nurl = "file://{place.root}/folder/{{file}}"',
    )
    with pytest.raises(ModelStoreError) as caught:
        place.store(*rows).pull("toy", progress=False)
    for word in ("404", "longer than the 1000 bytes", "cannot be read", "not an http address"):
        assert word in caught.value.message
    assert place.left() == []


def test_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NEUROSYM_HOME", str(tmp_path / "here"))
    assert models.home() == tmp_path / "here"
    assert store_module.store().folder("picodet-s").is_relative_to(tmp_path / "here")
    assert not (tmp_path / "here").exists()
    monkeypatch.delenv("NEUROSYM_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    if sys.platform not in ("win32", "darwin"):
        assert models.home() == tmp_path / "caches" / "neurosym"


def test_the_manifest_that_is_shipped() -> None:
    assert [entry.name for entry in models.entries()] == [
        "picodet-s",
        "mobile-sam",
        "en-core-web-sm",
        "wordnet",
        "potion-base-8m",
    ]
    for entry in models.entries():
        assert entry.licence
        assert entry.description
        assert len(entry.sources) >= 2
        for file in entry.files:
            if file.text is not None:
                data = file.text.encode()
                assert (len(data), _sha256(data)) == (file.size, file.sha256)


@pytest.fixture
def command(place: Place, monkeypatch: pytest.MonkeyPatch) -> Command:
    store = place.store(place.folder())
    monkeypatch.setattr("neurosym.models.commands.store", lambda: store)

    def run(*words: str) -> int:
        parser = argparse.ArgumentParser()
        add_commands(parser.add_subparsers())
        arguments = parser.parse_args(["models", *words])
        return int(arguments.handler(arguments))

    return run


def test_commands(command: Command, place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("list") == 0
    header, row = capsys.readouterr().out.splitlines()
    assert header.split() == ["NAME", "VERSION", "LICENCE", "SIZE", "PRESENT", "PATH"]
    folder = place.cache / "models" / "toy-1.0"
    assert row.split() == ["toy", "1.0", "MIT", "10.3", "kB", "no", str(folder)]
    assert command("verify") == 0
    assert "no models" in capsys.readouterr().out
    assert command("verify", "toy") == 2
    assert "toy: missing" in capsys.readouterr().out
    assert command("pull") == 0
    assert capsys.readouterr().out == f"toy: {folder}\n"
    assert command("pull", "--all") == 0
    assert command("pull", "toy") == 0
    assert command("list") == 0
    assert "yes" in capsys.readouterr().out
    assert command("verify") == 0
    assert capsys.readouterr().out == f"toy: ok  {folder}\n"
    (folder / "weights.bin").write_bytes(b"")
    assert command("verify") == 2
    assert "toy: damaged: weights.bin has 0 bytes, expected" in capsys.readouterr().out


def test_commands_that_fail(
    command: Command, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (("pull", "tou"), ("verify", "tou")):
        assert command(*words) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err == 'neurosym: unknown model "tou": did you mean "toy"?\n'
    shutil.rmtree(place.root / "folder")
    assert command("pull") == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("neurosym: cannot fetch the model")
