"""The file of an evaluation: one line for every case, appended as cases are done.

The first line says of what the others are: the corpus, and a fingerprint of the code, the lexicon
and the data. A run resumes only a file with the same fingerprint, so that no figure mixes what
two versions did. A line that was cut off by an interruption is dropped.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from neurosym.errors import DataError
from neurosym.files import make_folder

FORMAT = "neurosym-evaluation/1"
Line = dict[str, Any]
_PACKAGES = ("neurosym", "neurosym.grammar", "neurosym.executors", "neurosym.perception")
_CODE = frozenset({".py", ".lark", ".toml", ".json", ".txt"})


def fingerprint(files: Iterable[Path]) -> str:
    """A hash of the package's code and data, and of these files; 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for package in _PACKAGES:
        for folder in sorted(import_module(package).__path__):
            for path in sorted(Path(folder).rglob("*")):
                if path.suffix in _CODE and path.is_file():
                    _add(digest, path.relative_to(folder).as_posix(), path)
    for path in files:
        _add(digest, path.name, path)
    return digest.hexdigest()[:16]


def _add(digest: Any, name: str, path: Path) -> None:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f'cannot read "{path}": {error.strerror or error}') from error
    digest.update(f"{name}\0{len(content)}\0".encode())
    digest.update(content)


class Record:
    """An open file of an evaluation.

    Attributes:
        done: the lines that were there already, by the key of their case.
    """

    def __init__(self, file: BinaryIO, done: dict[str, Line]) -> None:
        self._file = file
        self.done = done

    def add(self, line: Line) -> None:
        """Append the line of one case; it is in the file when this returns."""
        self._file.write(_encoded(line))
        self._file.flush()


@contextmanager
def open_record(path: Path, corpus: str, stamp: str, *, resume: bool) -> Iterator[Record]:
    """Open the file of an evaluation for appending, and make it where it is not there.

    Args:
        path: the file; its folder is made.
        corpus: the corpus' name.
        stamp: the :func:`fingerprint` of what is run.
        resume: whether to go on with a file that is there; else it is emptied.

    Raises:
        DataError: the file is not one of an evaluation, is one of another corpus or version, is
            being written by another run, or cannot be written.
    """
    make_folder(path.parent)
    try:
        file = path.open("r+b" if path.exists() else "w+b")
    except OSError as error:
        raise DataError(f'cannot write "{path}": {error.strerror or error}') from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DataError(f'"{path}" is being written by another run') from error
        # Read before it is emptied: a file that is not ours is never overwritten.
        lines = _read(file, path)
        header = {"format": FORMAT, "corpus": corpus, "fingerprint": stamp}
        if lines and resume:
            _check(lines[0], header, path)
        else:
            lines = []
            file.seek(0)
            file.truncate()
            file.write(_encoded(header))
        yield Record(file, {line["key"]: line for line in lines[1:]})
        file.flush()
        os.fsync(file.fileno())


def _read(file: BinaryIO, path: Path) -> list[Line]:
    """The whole lines of a file, which is left open at their end; without a header none."""
    content = file.read()
    end = content.rfind(b"\n") + 1
    try:
        lines = [json.loads(line) for line in content[:end].splitlines()]
        good = not content or (
            bool(lines)
            and lines[0]["format"] == FORMAT
            and all(isinstance(line["key"], str) for line in lines[1:])
        )
    except (ValueError, KeyError, TypeError):
        good = False
    if not good:
        raise DataError(f'"{path}" is no file of an evaluation: it is left as it is')
    file.seek(end)
    file.truncate()
    return lines


def _check(found: Line, wanted: Line, path: Path) -> None:
    if found.get("corpus") != wanted["corpus"]:
        raise DataError(
            f'"{path}" is of the corpus "{found.get("corpus")}", not of "{wanted["corpus"]}"'
        )
    if found != wanted:
        raise DataError(
            f'"{path}" was written by another version of the code, the lexicon or the data: '
            "start it over with --no-resume"
        )


def _encoded(line: Line) -> bytes:
    return json.dumps(line, ensure_ascii=False).encode() + b"\n"
