"""The commands ``neurosym models list | pull | verify``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from neurosym.errors import ModelStoreError
from neurosym.models.progress import megabytes
from neurosym.models.store import Store, store

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_commands(subparsers: Subparsers) -> None:
    """Adds ``models`` and its own commands.

    The chosen command's function is left in the namespace as ``handler``: it takes the namespace
    and returns the exit code, 0 or 2.

    Args:
        subparsers: what ``ArgumentParser.add_subparsers`` returned.
    """
    models = subparsers.add_parser("models", help="list, fetch and check model weights")
    commands = models.add_subparsers(dest="models_command", metavar="COMMAND", required=True)

    listing = commands.add_parser("list", help="what there is, its licence, and where it lies")
    listing.set_defaults(handler=list_models)

    pulling = commands.add_parser("pull", help="fetch weights into the cache")
    pulling.add_argument("names", nargs="*", metavar="NAME", help="without names: the default ones")
    pulling.add_argument("--all", action="store_true", help="every model there is")
    pulling.set_defaults(handler=pull_models)

    checking = commands.add_parser("verify", help="hash the files in the cache again")
    checking.add_argument(
        "names", nargs="*", metavar="NAME", help="without names: all in the cache"
    )
    checking.set_defaults(handler=verify_models)


def list_models(arguments: argparse.Namespace) -> int:  # noqa: ARG001
    """Prints one line for each model."""
    try:
        cache = store()
        rows = [("NAME", "VERSION", "LICENCE", "SIZE", "PRESENT", "PATH")]
        for entry in cache.models:
            present = "yes" if cache.is_present(entry.name) else "no"
            rows.append(
                (
                    entry.name,
                    entry.version,
                    entry.licence,
                    megabytes(entry.size),
                    present,
                    str(cache.folder(entry.name)),
                )
            )
    except ModelStoreError as error:
        return _fail(error)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        print("  ".join([*cells, row[-1]]))
    return 0


def pull_models(arguments: argparse.Namespace) -> int:
    """Fetches models; those that cannot be had do not keep the others from being fetched."""
    try:
        cache = store()
        names: Sequence[str] = arguments.names
        if arguments.all or not names:
            names = [entry.name for entry in cache.models if arguments.all or entry.default]
        for name in names:  # an unknown name is refused before anything is fetched
            cache.entry(name)
    except ModelStoreError as error:
        return _fail(error)
    code = 0
    for name in names:
        try:
            print(f"{name}: {cache.pull(name)}")
        except ModelStoreError as error:
            code = _fail(error)
    return code


def verify_models(arguments: argparse.Namespace) -> int:
    """Hashes models again; 2 when one is missing or damaged."""
    try:
        cache = store()
        names = arguments.names or _in_cache(cache)
        results = [cache.verify(name) for name in names]
    except ModelStoreError as error:
        return _fail(error)
    if not results:
        print(f"no models in {cache.root}")
    for result in results:
        details = f": {'; '.join(result.problems)}" if result.problems else f"  {result.path}"
        print(f"{result.name}: {result.status}{details}")
    return 0 if all(result.ok for result in results) else 2


def _in_cache(cache: Store) -> list[str]:
    return [entry.name for entry in cache.models if cache.folder(entry.name).is_dir()]


def _fail(error: ModelStoreError) -> int:
    print(f"neurosym: {error}", file=sys.stderr)
    return 2
