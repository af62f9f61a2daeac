"""The commands ``neurosym cache show | clear``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_command(subparsers: Subparsers) -> None:
    """Adds ``cache`` and its own commands.

    Args:
        subparsers: what ``ArgumentParser.add_subparsers`` returned.
    """
    cache = subparsers.add_parser("cache", help="what the cache of scenes holds; empty it")
    commands = cache.add_subparsers(metavar="COMMAND", required=True)
    for name, words, handler in (
        ("show", "how many scenes there are of each perception, and their size", _show),
        ("clear", "remove all scenes, and nothing else", _clear),
    ):
        command = commands.add_parser(name, help=words)
        command.add_argument(
            "--cache", metavar="DIR", type=Path, help="the folder; the default one when left out"
        )
        command.set_defaults(handler=handler)


def _folder(namespace: argparse.Namespace) -> Path:
    from neurosym.scene_cache import default_cache

    return default_cache() if namespace.cache is None else Path(namespace.cache)


def _show(namespace: argparse.Namespace) -> int:
    from neurosym.scene_cache import contents

    folder = _folder(namespace)
    found = contents(folder)
    if not found:
        print(f"no scenes in {folder}")
    for kept in found:
        print(f"{kept.scenes:>8,} scenes {_megabytes(kept.size):>10}  {kept.perception}")
        print(f"{'':<27}{kept.folder}")
    return 0


def _clear(namespace: argparse.Namespace) -> int:
    from neurosym.scene_cache import clear

    folder = _folder(namespace)
    print(f"{_megabytes(clear(folder))} removed from {folder}")
    return 0


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
