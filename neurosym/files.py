"""Writing files: whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from neurosym.errors import DataError


def write_atomically(path: Path, content: bytes) -> Path:
    """Write a file in one step, so that nobody finds half of it.

    Args:
        path: where to; its folder must exist.
        content: what.

    Raises:
        DataError: the file cannot be written; nothing of it is left.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
    except (OSError, ValueError) as error:
        raise DataError(f'cannot write "{path}": {_reason(error)}') from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        _put(Path(name), path)
    except OSError as error:
        raise DataError(f'cannot write "{path}": {_reason(error)}') from error
    finally:
        Path(name).unlink(missing_ok=True)
    return path


@contextmanager
def whole_lines(path: Path) -> Iterator[Callable[[str], None]]:
    """Write a file line by line; it appears at the end, or when the work is broken off.

    What is there is always whole lines: those that were written before an interruption are kept.
    Without a single one, nothing is written.

    Args:
        path: where to; its folder must exist. A file that is there is replaced at the end.

    Yields:
        Takes a line, without its end.

    Raises:
        DataError: the file cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
    except (OSError, ValueError) as error:
        raise DataError(f'cannot write "{path}": {_reason(error)}') from error
    temporary, end = Path(name), 0
    try:
        with os.fdopen(handle, "wb") as file:

            def write(line: str) -> None:
                nonlocal end
                try:
                    file.write(line.encode() + b"\n")
                    file.flush()
                except OSError as error:
                    raise DataError(f'cannot write "{path}": {_reason(error)}') from error
                end = file.tell()

            try:
                yield write
            finally:
                with contextlib.suppress(OSError):
                    file.truncate(end)
    finally:
        try:
            if end:
                _put(temporary, path)
        except OSError as error:
            raise DataError(f'cannot write "{path}": {_reason(error)}') from error
        finally:
            temporary.unlink(missing_ok=True)


def make_folder(folder: Path) -> Path:
    """Make a folder and those above it.

    Raises:
        DataError: it cannot be made, or is a file.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise DataError(f'cannot make the folder "{folder}": {_reason(error)}') from error
    return folder


def check_folder(folder: Path) -> None:
    """Refuse a folder that could not be written to, before any work is done for it.

    Raises:
        DataError: it, or the nearest folder above it that exists, is a file or not writable.
    """
    try:
        there = folder
        while not there.exists() and there != there.parent:
            there = there.parent
        if not there.is_dir():
            raise DataError(f'cannot write into "{folder}": "{there}" is not a folder')
        if not os.access(there, os.W_OK | os.X_OK):
            raise DataError(f'cannot write into "{folder}": "{there}" is not writable')
    except (OSError, ValueError) as error:
        raise DataError(f'cannot write into "{folder}": {_reason(error)}') from error


def _put(temporary: Path, path: Path) -> None:
    # mkstemp makes files that only their owner reads; results are ordinary files.
    mask = os.umask(0)
    os.umask(mask)
    os.chmod(temporary, 0o666 & ~mask)
    os.replace(temporary, path)


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
