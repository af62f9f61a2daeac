"""What the model store can fetch: the entries of ``manifest.toml``, checked when they are read."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from neurosym.errors import ModelStoreError

MANIFEST_PATH = Path(__file__).with_name("manifest.toml")

Archive = Literal["none", "zip", "tar"]


@dataclass(frozen=True)
class ModelFile:
    """One file of a model.

    Attributes:
        path: where it lies below the model's folder, with forward slashes.
        sha256: its hash, 64 hexadecimal digits.
        size: its length in bytes.
        text: its whole content, for a small file that the manifest itself carries, so that every
            source gives the same folder.
    """

    path: str
    sha256: str
    size: int
    text: str | None = None


@dataclass(frozen=True)
class PipWheel:
    """A wheel on the user's package index, treated as an archive of data and never installed.

    Attributes:
        package: name of the distribution.
        version: its exact version.
        sha256: hash of the wheel.
        size: length of the wheel in bytes.
        prefix: what stands before a file's path inside the wheel.
        arguments: further arguments of ``pip download``.
    """

    package: str
    version: str
    sha256: str
    size: int
    prefix: str = ""
    arguments: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """A name for messages."""
        return f"pip {self.package}=={self.version}"


@dataclass(frozen=True)
class Url:
    """A download without pip.

    Attributes:
        url: an address; ``{file}`` in it stands for a file's path when each file has its own.
        archive: how the answer is packed; "none" for the file itself.
        sha256: hash of the archive, where it is known; the files' own hashes are checked anyway.
        size: upper bound in bytes of one answer; 0 takes the file's own size.
        prefix: what stands before a file's path inside the archive.
    """

    url: str
    archive: Archive = "none"
    sha256: str = ""
    size: int = 0
    prefix: str = ""

    @property
    def label(self) -> str:
        """A name for messages."""
        return self.url


@dataclass(frozen=True)
class Folder:
    """A folder on this machine: a mirror, or a copy of another machine's cache.

    Attributes:
        path: the folder; ``~`` is the user's own.
    """

    path: str

    @property
    def label(self) -> str:
        """A name for messages."""
        return f"folder {self.path}"


Source = PipWheel | Url | Folder


@dataclass(frozen=True)
class ModelEntry:
    """One model of the manifest.

    Attributes:
        name: the name that callers use.
        version: version of the weights.
        description: what it is, in one line.
        licence: SPDX name of the licence of the weights.
        homepage: where it comes from.
        default: whether ``neurosym models pull`` without names fetches it.
        files: every file of the model.
        sources: where to fetch it, in the order they are tried.
    """

    name: str
    version: str
    description: str
    licence: str
    homepage: str
    default: bool
    files: tuple[ModelFile, ...]
    sources: tuple[Source, ...]

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(file.size for file in self.files)

    @property
    def folder_name(self) -> str:
        """Name of the model's folder in the cache; a new version never meets an old one's files."""
        return f"{self.name}-{self.version}"

    @cached_property
    def digest(self) -> str:
        """Hash over the sorted (path, sha256) list: one value that stands for the whole content."""
        lines = sorted(f"{file.path} {file.sha256}\n" for file in self.files)
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def load_manifest(path: Path = MANIFEST_PATH) -> tuple[ModelEntry, ...]:
    """Reads and checks a manifest.

    Args:
        path: a TOML file with one ``[[model]]`` table for each entry.

    Returns:
        The entries, in the file's order.

    Raises:
        ModelStoreError: the file cannot be read, or an entry is not well formed.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelStoreError(f"cannot read the model manifest {path}: {error}") from error
    try:
        found = tuple(_entry(table) for table in data.get("model", []))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelStoreError(f"the model manifest {path} is not well formed: {error!r}") from error
    names = [entry.name for entry in found]
    if len(set(names)) != len(names):
        raise ModelStoreError(f"the model manifest {path} names a model twice")
    return found


def _entry(table: Mapping[str, Any]) -> ModelEntry:
    name, version = str(table["name"]), str(table["version"])
    for part in (name, version):
        _check_path(part)
        if "/" in part:
            raise ModelStoreError(f'a model\'s name and version have no slash, got "{part}"')
    files = tuple(_file(row, name) for row in table["files"])
    sources = tuple(_source(row) for row in table.get("sources", []))
    if not files:
        raise ModelStoreError(f'the model "{name}" lists no files')
    return ModelEntry(
        name=name,
        version=version,
        description=str(table["description"]),
        licence=str(table["licence"]),
        homepage=str(table.get("homepage", "")),
        default=bool(table["default"]),
        files=files,
        sources=sources,
    )


def _file(row: Mapping[str, Any], model: str) -> ModelFile:
    file = ModelFile(str(row["path"]), str(row["sha256"]), int(row["size"]), row.get("text"))
    _check_path(file.path)
    if len(file.sha256) != 64 or set(file.sha256) - set("0123456789abcdef"):
        raise ModelStoreError(f"{model}: the sha256 of {file.path} is not 64 lower-case hex digits")
    return file


def _source(row: Mapping[str, Any]) -> Source:
    values = {key: value for key, value in row.items() if key != "kind"}
    match row["kind"]:
        case "pip-wheel":
            values["arguments"] = tuple(values.get("arguments", ()))
            return PipWheel(**values)
        case "url":
            return Url(**values)
        case "folder":
            return Folder(**values)
        case other:
            raise ModelStoreError(
                f'unknown kind of source "{other}": expected "pip-wheel", "url" or "folder"'
            )


def _check_path(path: str) -> None:
    # These paths are joined to the cache folder, so none may lead out of it, on any platform.
    parts = PurePosixPath(path).parts
    wrong = not parts or path.startswith("/") or ".." in parts or "\\" in path or ":" in path
    if wrong or str(PurePosixPath(path)) != path or path == ".":
        raise ModelStoreError(f'the path "{path}" in the model manifest leads out of its folder')
