"""The command ``neurosym convert``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from neurosym.interchange.names import FORMATS, LOST

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_command(subparsers: Subparsers) -> None:
    """Add ``convert``; its function is left in the namespace as ``handler``.

    Args:
        subparsers: what ``ArgumentParser.add_subparsers`` returned.
    """
    command = subparsers.add_parser(
        "convert",
        help="annotations or scenes from one format to another",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="formats:\n"
        + "\n".join(f"  {name:22}{described}" for name, described in FORMATS.items()),
    )
    command.add_argument("source", metavar="IN", type=Path, help="a file, or a folder")
    command.add_argument("target", metavar="OUT", type=Path, help="where to")
    command.add_argument(
        "--from", dest="source_format", metavar="FORMAT", help="found by the content when left out"
    )
    command.add_argument(
        "--to", dest="target_format", metavar="FORMAT", required=True, help="one of those below"
    )
    command.add_argument(
        "--images",
        metavar="PATH",
        type=Path,
        help="for sizes that a file does not give: the folder of the pictures, or a JSON file that "
        "lists them",
    )
    command.set_defaults(handler=convert)


def convert(namespace: argparse.Namespace) -> int:
    """Convert a file; raises what :func:`neurosym.interchange.files.read` and ``write`` raise."""
    from neurosym.interchange.files import check_format, read, write

    check_format(namespace.target_format)
    scenes = read(namespace.source, namespace.source_format, images=namespace.images)
    written = write(scenes, namespace.target, namespace.target_format)
    objects = sum(map(len, scenes.values()))
    print(f"{len(scenes)} images with {objects} objects: {scenes.format} -> ", end="")
    print(namespace.target_format)
    lost = LOST[namespace.target_format]
    if lost and namespace.target_format != scenes.format:
        print(f"{namespace.target_format} cannot say: {lost}")
    rest = f" and {len(written) - 1} more" if len(written) > 1 else ""
    print(f"written to {written[-1]}{rest}")
    return 0
