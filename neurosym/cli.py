"""The command line: ``neurosym ground``, ``parse``, ``describe``, ``eval`` and more.

Bad input prints one line and exits with 2; nothing is written before everything is computed.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurosym import __version__
from neurosym.cache_command import add_command as add_cache
from neurosym.convert_command import add_command as add_convert
from neurosym.errors import NeurosymError, OptionError
from neurosym.evaluation.commands import add_command as add_evaluation
from neurosym.files import check_folder, make_folder, write_atomically
from neurosym.graph_command import add_command as add_graph
from neurosym.models.commands import add_commands
from neurosym.parse_command import add_options as add_parse_options
from neurosym.program import Definites, Op, parse_program
from neurosym.scenes_command import add_command as add_scenes

if TYPE_CHECKING:
    from neurosym.api import Grounder
    from neurosym.grammar import Parse
    from neurosym.result import Result
    from neurosym.scene import Scene


_TEXT = "an expression, a question or a request"
_THE = {
    Definites.STRICT: "exactly one; when left out",
    Definites.POLYADIC: "the one that the rest fits",
    Definites.ACCOMMODATE: "the largest of several",
    Definites.ABSTAIN: "no answer unless exactly one",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: the words after ``neurosym``; those of this process when left out.

    Returns:
        The exit code: 0, 2 for bad input, 130 when interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Trees and odd words must not fail on a terminal that cannot show them.
            stream.reconfigure(errors="replace")
    try:
        namespace = _arguments().parse_args(arguments)
        code = int(namespace.handler(namespace))
        sys.stdout.flush()
        return code
    except NeurosymError as error:
        print(_one_line(error), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("neurosym: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output went away; Python would complain when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _one_line(error: NeurosymError) -> str:
    message = error.message
    if error.text is not None and error.span is not None and str(error.span) not in message:
        words = error.span.of(error.text)
        message += f' (at {error.span}: "{words}")' if words.strip() else f" (at {error.span})"
    return f"neurosym: {' '.join(message.split())}"


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="neurosym", description="Grounds language in images, and shows why."
    )
    parser.add_argument("--version", action="version", version=f"neurosym {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    ground = commands.add_parser("ground", help="answer a text about a photograph, and show why")
    ground.add_argument("photo", metavar="PHOTO", help="an image file, or a saved scene (.json)")
    ground.add_argument("text", metavar="TEXT", help=_TEXT)
    _add_program(ground)
    _add_output(ground)
    _add_reading(ground)
    for pointer, also in (("this", "these"), ("that", "those")):
        ground.add_argument(
            f"--{pointer}",
            metavar="X1,Y1,X2,Y2",
            type=_box,
            help=f'the box in pixels that "{pointer}" and "{also}" point at',
        )
    _add_language(ground)
    _add_perception(ground)
    ground.set_defaults(handler=_ground)

    parse = commands.add_parser("parse", help="show how a text is understood")
    parse.add_argument("text", metavar="TEXT", help=_TEXT)
    _add_program(parse)
    _add_reading(parse)
    _add_language(parse)
    add_parse_options(parse)

    scene = commands.add_parser("scene", help="detections, attributes and scene graph as JSON")
    scene.add_argument("photo", metavar="PHOTO", help="an image file")
    scene.add_argument("--out", metavar="FILE", type=_path, help="write JSON here, not to stdout")
    _add_perception(scene)
    scene.set_defaults(handler=_scene)

    add_scenes(commands, _add_perception, _sight)

    demo = commands.add_parser("demo", help="the same as ground, on a photograph that is at hand")
    demo.add_argument(
        "text", metavar="TEXT", nargs="?", help=f"{_TEXT}; prepared expressions when left out"
    )
    _add_program(demo)
    _add_output(demo)
    _add_reading(demo)
    _add_language(demo)
    _add_perception(demo)
    demo.set_defaults(handler=_demo)

    describe = commands.add_parser(
        "describe", help="the shortest expression that picks out an object, and nothing else"
    )
    describe.add_argument("photo", metavar="PHOTO", help="an image file, or a saved scene (.json)")
    describe.add_argument(
        "--object", metavar="N", type=int, help="the object's number; all objects when left out"
    )
    describe.add_argument("--json", action="store_true", help="print the result as JSON")
    _add_language(describe)
    _add_perception(describe)
    describe.set_defaults(handler=_describe)

    perception = commands.add_parser(
        "perception", help="the back ends that detectors, segmenters and others can be made of"
    )
    perception.set_defaults(handler=_back_ends)

    operators = commands.add_parser("operators", help="the operators of programs, as Markdown")
    operators.set_defaults(handler=_operators)

    add_graph(commands)
    add_convert(commands)
    add_evaluation(commands)
    add_cache(commands)
    add_commands(commands)
    return parser


def _path(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("the path is empty")
    return Path(text)


def _box(text: str) -> list[float]:
    try:
        numbers = [float(number) for number in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 4:
        # Not an error of argparse, which would print the usage as well.
        raise OptionError(f'a box is four numbers X1,Y1,X2,Y2, not "{text}"')
    return numbers


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out",
        metavar="OUT",
        type=_path,
        help="a folder for overlay.png, result.json and the alignment maps; or a file whose name "
        "ends in .html, for a report in one page that links words, program, steps and pixels",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def _add_program(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--program",
        action="store_true",
        help='TEXT is a program, for example "(the (superlative (select person) leftmost))"',
    )


def _add_reading(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--the",
        metavar="READING",
        default=Definites.STRICT.value,
        help='how "the" is read: '
        + ", ".join(f"{definites.value} ({_THE[definites]})" for definites in Definites),
    )


def _add_language(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--spacy", metavar="PIPELINE", help="a spaCy pipeline's name or path")
    parser.add_argument("--lexicon", metavar="FILE", type=Path, help="a TOML file of words")


def _add_perception(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--perception",
        metavar="NAME",
        default="picodet+mobilesam",
        help='back ends joined by "+", such as picodet+mobilesam; "neurosym perception" lists them',
    )
    parser.add_argument("--device", help="cpu or cuda; cuda when there is one")
    parser.add_argument(
        "--dtype", metavar="TYPE", default="float32", help="float32, float16 or bfloat16"
    )
    parser.add_argument(
        "--concepts", metavar="FILE", type=Path, help="a TOML file of nouns and what they cover"
    )
    parser.add_argument(
        "--calibration",
        metavar="FILE",
        type=Path,
        help="what the detector's scores are worth, as fitted by benchmarks.fit_calibration",
    )
    parser.add_argument(
        "--cache",
        metavar="DIR",
        type=_path,
        help="keep scenes in this folder, so that no picture is perceived twice",
    )
    parser.add_argument(
        "--max-pixels", metavar="N", type=int, help="largest image that is taken, in pixels"
    )


def _begin(namespace: argparse.Namespace, text: str) -> tuple[Grounder, Parse | Op]:
    """The grounder and what is run: all that can be refused before a picture is looked at."""
    from neurosym.api import definites_of

    the = definites_of(namespace.the)
    if namespace.out is not None:
        check_folder(namespace.out.parent if _is_page(namespace.out) else namespace.out)
    grounder = _grounder(namespace, the=the)
    return grounder, parse_program(text) if namespace.program else grounder.parse(text)


def _grounder(namespace: argparse.Namespace, **options: Any) -> Grounder:
    from neurosym.api import Grounder

    return Grounder.default(
        namespace.perception,
        dtype=namespace.dtype,
        device=namespace.device,
        spacy=namespace.spacy,
        lexicon=namespace.lexicon,
        concepts=namespace.concepts,
        calibration=namespace.calibration,
        max_pixels=_pixel_bound(namespace),
        cache=namespace.cache or False,
        **options,
    )


def _seen(grounder: Grounder, photo: str) -> Scene:
    """The scene of a photograph, or a saved one."""
    from neurosym.scene import Scene

    return Scene.load(photo) if photo.endswith(".json") else grounder.perceive(photo)


def _describe(namespace: argparse.Namespace) -> int:
    from neurosym.generation.commands import describe_objects

    grounder = _grounder(namespace)
    scene = _seen(grounder, namespace.photo)
    describe_objects(grounder, scene, namespace.object, as_json=namespace.json)
    return 0


def _pixel_bound(namespace: argparse.Namespace) -> int:
    from neurosym.perception.images import MAX_PIXELS

    if namespace.max_pixels is None:
        return MAX_PIXELS
    if namespace.max_pixels < 1:
        raise OptionError(f"--max-pixels must be at least 1, not {namespace.max_pixels}")
    return int(namespace.max_pixels)


def _ground(namespace: argparse.Namespace) -> int:
    grounder, text = _begin(namespace, namespace.text)
    scene = _seen(grounder, namespace.photo)
    result = grounder.ground(scene, text, this=namespace.this, that=namespace.that)
    return _report(result, namespace)


def _demo(namespace: argparse.Namespace) -> int:
    from neurosym.demo import EXPRESSION, MORE, photograph
    from neurosym.views.text import answer_text

    if namespace.program and namespace.text is None:
        raise OptionError("--program wants a program: give it as TEXT")
    grounder, first = _begin(namespace, namespace.text or EXPRESSION)
    scene = grounder.perceive(photograph())
    code = _report(grounder.ground(scene, first), namespace)
    if namespace.text is None and not namespace.json:
        print("\nMore of the same photograph\n")
        for text in MORE:
            result = grounder.ground(scene, text)
            print(f"  {text}\n      {' '.join(answer_text(result).split())}")
    return code


def _report(result: Result, namespace: argparse.Namespace) -> int:
    from neurosym.views.document import result_document
    from neurosym.views.text import answer_text, program_text, trace_text, tree_text

    if namespace.json:
        print(json.dumps(result_document(result), indent=2))
    if result.error is not None:
        print(_one_line(result.error), file=sys.stderr)
        return 2
    if not namespace.json:
        _section("Text", result.text)
        _section("Parse tree", tree_text(result.syntax))
        _section("Program", f"{program_text(result.program, result.text)}\n\n{result.program}")
        _section("Trace", trace_text(result))
        _section("Answer", answer_text(result))
        _section("Why", result.explain())
    if namespace.out is not None:
        out: Path = namespace.out
        written = [_write_page(result, out)] if _is_page(out) else _write(result, out)
        if not namespace.json:
            _section("Written", "\n".join(str(path) for path in written))
    return 0


def _is_page(out: Path) -> bool:
    """Whether an output is one report, not a folder."""
    from neurosym.views.report import is_report

    return is_report(out) and not out.is_dir()


def _write_page(result: Result, path: Path) -> Path:
    page = result.report()
    make_folder(path.parent)
    return write_atomically(path, page.encode())


def _write(result: Result, folder: Path) -> list[Path]:
    """Write the picture, the result and the maps; all are made before the first is written."""
    from neurosym.views.document import result_document
    from neurosym.views.overlay import save_alignment, save_picture

    picture, alignment = result.picture(), result.alignment
    document = json.dumps(result_document(result), indent=2)
    make_folder(folder)
    written = [save_picture(picture, folder / "overlay.png")]
    written.append(write_atomically(folder / "result.json", document.encode()))
    save_alignment(alignment, folder / "alignment")
    written.append(folder / "alignment")
    return written


def _sight(namespace: argparse.Namespace) -> Grounder:
    """A grounder that perceives; what it reads with is made when it is needed."""
    from neurosym.api import Grounder, perception_of

    perception = perception_of(
        namespace.perception,
        device=namespace.device,
        concepts=namespace.concepts,
        calibration=namespace.calibration,
        dtype=namespace.dtype,
    )
    bound, cache = _pixel_bound(namespace), namespace.cache or False
    return Grounder(perception, max_pixels=bound, cache=cache)


def _scene(namespace: argparse.Namespace) -> int:
    from neurosym.perception.photo import COLOR
    from neurosym.scene_io import to_document

    if namespace.out is not None:
        check_folder(namespace.out.parent)
    grounder = _sight(namespace)
    given = grounder.perceive(namespace.photo)
    scene = given.observe(COLOR, range(len(given)))
    grounder.keep(given)
    if namespace.out is None:
        print(json.dumps(to_document(scene)))
    else:
        scene.save(namespace.out)
        print(f"{scene}\nwritten to {namespace.out}")
    return 0


def _back_ends(_: argparse.Namespace) -> int:
    from neurosym.perception.registry import listing

    print(listing())
    return 0


def _operators(_: argparse.Namespace) -> int:
    from neurosym.views.reference_page import operator_page

    print(operator_page())
    return 0


def _section(title: str, body: str) -> None:
    print(f"{title}\n{'-' * len(title)}\n{body}\n")


if __name__ == "__main__":
    sys.exit(main())
