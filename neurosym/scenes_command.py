"""The command ``neurosym scenes``: scenes of a folder of photographs, or of a video."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurosym.errors import OptionError, PerceptionError
from neurosym.files import check_folder, make_folder, whole_lines

if TYPE_CHECKING:
    from neurosym.api import Grounder
    from neurosym.scene import Scene

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]
    _Named = Iterator[tuple[str, dict[str, Any], Scene | PerceptionError]]

LINES = ".jsonl"
TRACKS = f"tracks{LINES}"


def add_command(
    subparsers: Subparsers,
    add_perception: Callable[[argparse.ArgumentParser], None],
    make: Callable[[argparse.Namespace], Grounder],
) -> None:
    """Adds ``scenes``.

    Args:
        subparsers: what ``ArgumentParser.add_subparsers`` returned.
        add_perception: adds the options that say how scenes are made.
        make: what makes them, from these options.
    """
    command = subparsers.add_parser(
        "scenes", help="the scenes of a folder of photographs or frames, or of a video"
    )
    command.add_argument("source", metavar="SOURCE", help="a folder of images, or a video file")
    command.add_argument(
        "--out",
        metavar="OUT",
        type=Path,
        help=f"a folder for saved scenes, with {TRACKS} for sequences; or a file whose name ends "
        f"in {LINES}, a line each, which go to stdout when this is left out",
    )
    command.add_argument(
        "--frames",
        action="store_true",
        help="the images of the folder are successive frames: their things have tracks, as those "
        "of videos do",
    )
    command.add_argument("--every", metavar="N", type=int, help="take every N-th frame")
    command.add_argument("--fps", metavar="F", type=float, help="take F frames a second of a video")
    command.add_argument(
        "--batch", metavar="N", type=int, help="images seen at once; 1 on a CPU when left out"
    )
    command.add_argument(
        "--colors", action="store_true", help="read colours off the pixels as well; takes longer"
    )
    add_perception(command)
    command.set_defaults(handler=lambda namespace: _scenes(namespace, make))


def _scenes(namespace: argparse.Namespace, make: Callable[[argparse.Namespace], Grounder]) -> int:
    from neurosym.perception.photo import COLOR
    from neurosym.scene_io import to_document

    source, out = Path(namespace.source), namespace.out
    is_sequence = namespace.frames or not source.is_dir()
    if not is_sequence and (namespace.every is not None or namespace.fps is not None):
        raise OptionError("--every and --fps are for videos and, with --frames, folders of frames")
    into_lines = out is not None and out.suffix == LINES
    if out is not None:
        check_folder(out.parent if into_lines else out)
    grounder = make(namespace)
    found = (_frames if is_sequence else _photographs)(grounder, namespace)
    done = failed = 0
    with contextlib.ExitStack() as stack:
        # What was made before an interruption is there: each scene is written when it is made.
        line = _lines(stack, out, is_sequence=is_sequence)
        for name, about, scene in found:
            if isinstance(scene, PerceptionError):
                failed += 1
                print(f"neurosym: {scene.message}", file=sys.stderr)
                continue
            if namespace.colors:
                given, scene = scene, scene.observe(COLOR, range(len(scene)))
                grounder.keep(given)
            if out is None or into_lines:
                line(json.dumps({**about, "scene": to_document(scene)}))
            else:
                scene.save(out / name)
                line(json.dumps({**about, "file": name}))
            done += 1
    if out is not None:
        print(f"{done:,} scenes written to {out}" + (f", {failed:,} failed" if failed else ""))
    return 2 if failed else 0


def _lines(
    stack: contextlib.ExitStack, out: Path | None, *, is_sequence: bool
) -> Callable[[str], None]:
    """Where the lines go: to stdout, to the file that is named, or to that of the tracks."""
    if out is None:
        return print
    if out.suffix == LINES:
        return stack.enter_context(whole_lines(make_folder(out.parent) / out.name))
    if is_sequence:
        return stack.enter_context(whole_lines(make_folder(out) / TRACKS))
    return lambda _: None


def _photographs(grounder: Grounder, namespace: argparse.Namespace) -> _Named:
    from neurosym.perception.many import images_in

    paths = images_in(namespace.source)
    scenes = grounder.perceive_many(paths, batch=namespace.batch, progress=True, on_error="yield")
    for path, scene in zip(paths, scenes, strict=True):
        yield f"{path.name}.json", {"path": str(path)}, scene


def _frames(grounder: Grounder, namespace: argparse.Namespace) -> _Named:
    frames = grounder.perceive_video(
        namespace.source,
        every=1 if namespace.every is None else namespace.every,
        fps=namespace.fps,
        batch=namespace.batch,
        progress=True,
        on_error="yield",
    )
    for frame in frames:
        if isinstance(frame, PerceptionError):
            yield "", {}, frame
            continue
        about = {
            "index": frame.index,
            "seconds": frame.seconds,
            "path": None if frame.path is None else str(frame.path),
            "tracks": frame.tracks.tolist(),
        }
        name = f"{frame.index:06}" if frame.path is None else frame.path.name
        yield f"{name}.json", about, frame.scene
