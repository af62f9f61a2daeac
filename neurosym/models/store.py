"""The model store: weights in a cache folder, fetched once, checked by hash, shared by processes.

A model is a folder ``<home>/models/<name>-<version>``. It appears there whole or not at all: files
are written beside it, checked, and the folder is renamed into place together with a marker that
says which content was verified. With a warm cache nothing here touches the network or writes.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from neurosym.errors import ModelStoreError, did_you_mean, nearest
from neurosym.models import sources
from neurosym.models.manifest import Folder, ModelEntry, ModelFile, Source, load_manifest
from neurosym.models.progress import Progress, megabytes

try:
    import fcntl
except ImportError:  # no such locks here; unique names and one atomic rename have to do
    fcntl = None  # type: ignore[assignment]

MARKER = ".verified.json"


@dataclass(frozen=True)
class Verification:
    """What re-hashing a model found.

    Attributes:
        name: the model.
        path: its folder in the cache.
        status: "ok", "missing" (no folder) or "damaged".
        problems: one line for each file that is missing or wrong.
    """

    name: str
    path: Path
    status: Literal["ok", "missing", "damaged"]
    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every file has the manifest's hash."""
        return self.status == "ok"


class Store:
    """A cache folder together with the models it may hold.

    Args:
        root: the cache folder; it need not exist.
        models: what may be asked for.
    """

    def __init__(self, root: Path, models: tuple[ModelEntry, ...]) -> None:
        self.root = root
        self.models = models

    def entry(self, name: str) -> ModelEntry:
        """The entry called ``name``.

        Raises:
            ModelStoreError: there is none; the message names the nearest.
        """
        known = {entry.name: entry for entry in self.models}
        if name not in known:
            close = did_you_mean(nearest(name, known))
            raise ModelStoreError(
                f'unknown model "{name}"{close or "; known models: " + ", ".join(known)}'
            )
        return known[name]

    def folder(self, name: str) -> Path:
        """Where the model lies, or would lie, in the cache."""
        return self.root / "models" / self.entry(name).folder_name

    def is_present(self, name: str) -> bool:
        """Whether the model is there and was verified; reads sizes, not contents."""
        entry, folder = self.entry(name), self.folder(name)
        try:
            marker = json.loads((folder / MARKER).read_text(encoding="utf-8"))
            return bool(marker["digest"] == entry.digest) and all(
                (folder / file.path).stat().st_size == file.size for file in entry.files
            )
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def path_of(self, name: str, *, pull: bool = True) -> Path:
        """The model's folder, with every file under its path in the manifest.

        Args:
            name: a name of the manifest.
            pull: whether to fetch the model when the cache has it not.

        Raises:
            ModelStoreError: the name is unknown, or the model is missing and cannot be fetched.
        """
        if self.is_present(name):
            return self.folder(name)
        if pull:
            return self.pull(name)
        if self.verify(name).ok:
            return self.folder(name)
        raise ModelStoreError(
            f'the model "{name}" is not in {self.folder(name).parent}; '
            f"fetch it with: neurosym models pull {name}"
        )

    def pull(self, name: str, progress: bool | None = None) -> Path:
        """Fetches the model unless it is there, and returns its folder.

        Args:
            name: a name of the manifest.
            progress: True draws a bar on stderr, False says nothing, None draws a bar on a terminal
                and writes one line otherwise.

        Raises:
            ModelStoreError: the name is unknown, no source gave the files, or the cache folder
                cannot be written.
        """
        entry, folder = self.entry(name), self.folder(name)
        # Files that were placed by hand have no marker yet; verify() gives them one.
        if self.is_present(name) or self.verify(name).ok:
            return folder
        bar = Progress(progress)
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with self._locked(entry, bar):
                if not self.is_present(name):
                    self._fetch(entry, bar)
        except OSError as error:
            raise ModelStoreError(self._cannot_write(error)) from error
        finally:
            bar.close()
        return folder

    def verify(self, name: str) -> Verification:
        """Hashes every file again, and marks the folder as verified or not.

        Raises:
            ModelStoreError: the name is unknown.
        """
        entry, folder = self.entry(name), self.folder(name)
        if not folder.is_dir():
            return Verification(name, folder, "missing", (f"{folder} does not exist",))
        checked = (self._problem(folder, file) for file in entry.files)
        problems = tuple(problem for problem in checked if problem)
        # A cache that cannot be written still serves; it is only hashed again next time.
        with contextlib.suppress(OSError):
            if problems:
                (folder / MARKER).unlink(missing_ok=True)
            elif not self.is_present(name):
                _write_marker(entry, folder)
        return Verification(name, folder, "damaged" if problems else "ok", problems)

    def _problem(self, folder: Path, file: ModelFile) -> str:
        path = folder / file.path
        try:
            size = path.stat().st_size
            if size != file.size:
                return f"{file.path} has {size} bytes, expected {file.size}"
            got = sources.hash_of(path)
        except FileNotFoundError:
            return f"{file.path} is missing"
        except OSError as error:
            return f"{file.path} cannot be read: {error.strerror}"
        if got != file.sha256:
            return f"{file.path} has the wrong sha256: expected {file.sha256}, got {got}"
        return ""

    def _fetch(self, entry: ModelEntry, bar: Progress) -> None:
        folder = self.folder(entry.name)
        failures: list[str] = []
        for source in _sources_of(entry):
            # On the cache's own file system, so that the rename at the end is atomic.
            scratch = Path(tempfile.mkdtemp(prefix=_scratch_prefix(entry), dir=folder.parent))
            try:
                self._check_room(source, entry)
                size = sources.download_size(source, entry)
                bar.start(
                    f"{entry.name} {entry.version} ({megabytes(size or entry.size)})"
                    f" from {source.label}",
                    size,
                )
                fresh = scratch / "fresh"
                fresh.mkdir()
                sources.fetch(source, entry, fresh, scratch, bar.at)
                _write_texts(entry, fresh)
                _write_marker(entry, fresh)
                self._put(fresh, folder, scratch)
                return
            except sources.SourceError as failure:
                failures.append(f"{source.label}: {failure}")
            finally:
                bar.close()
                shutil.rmtree(scratch, ignore_errors=True)
        failures = failures or ["no source: the manifest names none"]
        names = ", ".join(file.path for file in entry.files[:3])
        more = f" and {len(entry.files) - 3} more" if len(entry.files) > 3 else ""
        raise ModelStoreError(
            f'cannot fetch the model "{entry.name}" {entry.version}; tried '
            + "; ".join(f"({index}) {failure}" for index, failure in enumerate(failures, 1))
            + f". By hand: put {names}{more} into {folder} and run: "
            f"neurosym models verify {entry.name}; or set NEUROSYM_MIRROR to a folder with them"
        )

    def _put(self, fresh: Path, folder: Path, scratch: Path) -> None:
        for _ in range(3):
            with contextlib.suppress(FileNotFoundError):
                # A damaged or half-placed folder is in the way: a rename cannot replace it.
                os.replace(folder, tempfile.mkdtemp(dir=scratch) + "/old")
            try:
                os.replace(fresh, folder)
                return
            except OSError:
                # Without a lock, another process may have put the same content there just now.
                if not folder.is_dir():
                    raise
        raise OSError(errno.EBUSY, "the folder changes while it is written", str(folder))

    def _check_room(self, source: Source, entry: ModelEntry) -> None:
        need = sources.download_size(source, entry) + entry.size
        free = shutil.disk_usage(self.root).free
        if free < need:
            raise OSError(
                errno.ENOSPC,
                f"{megabytes(need)} are needed for {entry.name}, {megabytes(free)} are free",
            )

    @contextlib.contextmanager
    def _locked(self, entry: ModelEntry, bar: Progress) -> Iterator[None]:
        if fcntl is None:
            yield
            return
        with (self.root / "models" / f".{entry.name}.lock").open("ab") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                bar.say(f"waiting for another process that fetches {entry.name}")
                fcntl.flock(handle, fcntl.LOCK_EX)
            except OSError:  # a file system without locks
                yield
                return
            # Nobody else holds the lock, so these were left by a process that was killed.
            for stale in (self.root / "models").glob(f"{_scratch_prefix(entry)}*"):
                shutil.rmtree(stale, ignore_errors=True)
            yield

    def _cannot_write(self, error: OSError) -> str:
        reason = error.strerror or str(error)
        if error.errno == errno.ENOSPC:
            reason = f"the disk is full ({reason})"
        return (
            f"cannot write to the model cache {self.root}: {reason}; "
            "name another folder in NEUROSYM_HOME"
        )


def home() -> Path:
    """The cache folder: NEUROSYM_HOME where it is set, else the platform's own place for caches.

    Raises:
        ModelStoreError: there is no NEUROSYM_HOME and the user has no home folder.
    """
    try:
        if chosen := os.environ.get("NEUROSYM_HOME"):
            return Path(chosen).expanduser().absolute()
        if sys.platform == "win32":
            local = os.environ.get("LOCALAPPDATA")
            base = Path(local) if local else Path.home() / "AppData" / "Local"
        elif sys.platform == "darwin":
            base = Path.home() / "Library" / "Caches"
        else:
            base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError as error:
        raise ModelStoreError(
            "no folder for the model cache: the user has no home folder; set NEUROSYM_HOME"
        ) from error
    return base.absolute() / "neurosym"


@cache
def entries() -> tuple[ModelEntry, ...]:
    """Every model that can be asked for, in the manifest's order."""
    return load_manifest()


def store() -> Store:
    """The store at :func:`home` with the models of the manifest."""
    return Store(home(), entries())


def path_of(name: str, *, pull: bool = True) -> Path:
    """See :meth:`Store.path_of`."""
    return store().path_of(name, pull=pull)


def pull(name: str, progress: bool | None = None) -> Path:
    """See :meth:`Store.pull`."""
    return store().pull(name, progress)


def verify(name: str) -> Verification:
    """See :meth:`Store.verify`."""
    return store().verify(name)


def is_present(name: str) -> bool:
    """See :meth:`Store.is_present`."""
    return store().is_present(name)


def _sources_of(entry: ModelEntry) -> tuple[Source, ...]:
    mirror = os.environ.get("NEUROSYM_MIRROR")
    return (Folder(mirror), *entry.sources) if mirror else entry.sources


def _scratch_prefix(entry: ModelEntry) -> str:
    return f".{entry.folder_name}.partial-"


def _write_texts(entry: ModelEntry, folder: Path) -> None:
    for file in entry.files:
        if file.text is not None:
            path = folder / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file.text, encoding="utf-8", newline="\n")


def _write_marker(entry: ModelEntry, folder: Path) -> None:
    text = json.dumps({"name": entry.name, "version": entry.version, "digest": entry.digest})
    # By a rename: two processes may mark the same folder, and a reader must never see half of it.
    temporary = folder / f".marker-{os.getpid()}"
    temporary.write_text(text + "\n", encoding="utf-8")
    os.replace(temporary, folder / MARKER)
