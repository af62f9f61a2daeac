"""Writing files: whole or not at all."""

from __future__ import annotations

import os
import tempfile
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
        # mkstemp makes files that only their owner reads; results are ordinary files.
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)
        os.replace(name, path)
    except OSError as error:
        raise DataError(f'cannot write "{path}": {_reason(error)}') from error
    finally:
        Path(name).unlink(missing_ok=True)
    return path


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


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
