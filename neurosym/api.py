"""The front door: :class:`Grounder`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import torch

from neurosym.errors import (
    OptionError,
    PerceptionError,
    UnknownConceptError,
    did_you_mean,
    nearest,
)
from neurosym.executors.base import Executor, Outcome
from neurosym.executors.tensor import TensorExecutor
from neurosym.generation.describe import Describer, Description
from neurosym.generation.language import Bounds
from neurosym.grammar import Lexicon, Parse, Parser, Reading, Tree
from neurosym.models.store import path_of
from neurosym.perception.base import Detector, OpenDetector, Perception
from neurosym.perception.detections import Calibration
from neurosym.perception.images import MAX_PIXELS, load_image
from neurosym.perception.many import OnError
from neurosym.perception.pipeline import DEFAULT, Lazy, Pipeline, as_perception
from neurosym.perception.registry import Settings, back_end
from neurosym.perception.video import Frame, perceive_video
from neurosym.pixels import DepthMap, Wanted
from neurosym.pointing import Region, pointed_at
from neurosym.program import ORDERS, Definites, Op, RelatedBy, RelatedByCount
from neurosym.program.operator import names_of
from neurosym.questioning import wanted_of
from neurosym.reading import utility
from neurosym.result import PRESUME, THRESHOLD, Decision, Procedure, Result
from neurosym.scene import Scene
from neurosym.scene_cache import CachedPerception, default_cache
from neurosym.span import Span

if TYPE_CHECKING:
    from spacy.language import Language

MAX_READINGS = 8
"""Default bound on the readings that are executed for one text."""
MATTERS = 0.03
"""An object is looked at when the program reaches it with at least this probability."""
SPACY_MODELS = ("en_core_web_sm", "en_core_web_md", "en_core_web_lg", "en_core_web_trf")
STORE_PIPELINE = "en-core-web-sm"


class Grounder:
    """Grounds language in images: parses, perceives, executes, and shows why.

    Args:
        perception: makes scenes from images: the names of back ends joined by "+"
            (``"picodet+mobilesam"``, ``"grounding-dino+sam+siglip"``; ``neurosym perception`` lists
            them), a :class:`Perception`, or any object with the interface of a detector
            (:mod:`neurosym.perception.base`), to which the default segmenter is added. None when
            scenes come from elsewhere.
        parser: makes programs from texts; the default one, made when needed, when left out.
        executor: runs programs; the tensor executor when left out.
        threshold, presume, abstain: how answers are decided; see :func:`neurosym.result.decide`.
        the: how "the" is read: a :class:`neurosym.program.Definites` or its name ("strict",
            "polyadic", "accommodate", "abstain").
        max_readings: most readings of a text that are executed.
        max_pixels: largest image that :meth:`perceive` takes.
        cache: a folder where scenes are kept, so that no picture is perceived twice; True for the
            one in the model store's cache folder. See :mod:`neurosym.scene_cache`.

    Raises:
        OptionError: an option is out of its range, or the perception's scenes cannot be cached.
        DataError: the folder of the cache cannot be written to.

    Example:
        >>> from neurosym import Grounder
        >>> grounder = Grounder.default()  # doctest: +SKIP
        >>> scene = grounder.perceive("photo.jpg")  # doctest: +SKIP
        >>> grounder.ground(scene, "the person in red").boxes  # doctest: +SKIP
    """

    def __init__(
        self,
        perception: str | Perception | Detector | OpenDetector | None = DEFAULT,
        parser: Parser | None = None,
        *,
        executor: Executor | None = None,
        threshold: float = THRESHOLD,
        presume: float = PRESUME,
        abstain: float = 0.0,
        the: Definites | str = Definites.STRICT,
        max_readings: int = MAX_READINGS,
        max_pixels: int = MAX_PIXELS,
        cache: bool | str | Path = False,
    ) -> None:
        for name, value in (("max_readings", max_readings), ("max_pixels", max_pixels)):
            if value < 1:
                raise OptionError(f"{name} must be at least 1, not {value}")
        self._perception = None if perception is None else perception_of(perception)
        if self._perception is not None and cache is not False:
            folder = default_cache() if cache is True else cache
            self._perception = CachedPerception(self._perception, folder)
        if parser is not None:
            self.parser = parser
        self.executor = TensorExecutor() if executor is None else executor
        self.threshold = threshold
        self.presume = presume
        self.abstain = abstain
        self.the = definites_of(the)
        self.max_readings = max_readings
        self.max_pixels = max_pixels

    @cached_property
    def parser(self) -> Parser:
        """Makes programs from texts."""
        return Parser(find_pipeline())

    @staticmethod
    def default(
        perception: str | Perception | Detector | OpenDetector = DEFAULT,
        *,
        device: str | torch.device | None = None,
        spacy: Language | str | Path | None = None,
        lexicon: Lexicon | str | Path | None = None,
        concepts: str | Path | None = None,
        calibration: Calibration | str | Path | None = None,
        dtype: torch.dtype | str = torch.float32,
        **options: Any,
    ) -> Grounder:
        """The grounder with default models; fetches their weights when they are not cached.

        Args:
            perception: as for the class.
            device: where to run; CUDA when there is one, else the CPU.
            spacy: a spaCy pipeline: loaded, the name of an installed one, or a path. When left
                out, an installed ``en_core_web_*``, else the one of the model store.
            lexicon: the words of the language: a lexicon or a TOML file.
            concepts: a TOML file of nouns and the detector categories that they cover.
            calibration: what the detector's scores mean, or a file that
                ``benchmarks/fit_calibration.py`` wrote; the detector's own when left out.
            dtype: in which precision models run, where they can: "float32", "float16" or
                "bfloat16".
            options: further arguments of :class:`Grounder`.

        Raises:
            ModelStoreError: weights are missing and cannot be fetched.
            LexiconError: a file of words is wrong.
            PerceptionError: a file of a calibration is wrong.
        """
        if isinstance(lexicon, str | Path):
            lexicon = Lexicon.load(Path(lexicon))
        seeing = perception_of(
            perception, device=device, concepts=concepts, calibration=calibration, dtype=dtype
        )
        parser = Parser(find_pipeline() if spacy is None else spacy, lexicon)
        return Grounder(seeing, parser, **options)

    def perceive(self, image: Any, *, depth: DepthMap | None = None) -> Scene:
        """The scene of an image; once per image.

        Args:
            image: a path, bytes, a PIL image, or an array [height, width(, 3)]; see
                :func:`neurosym.perception.images.load_image`.
            depth: how far away every pixel is, when a camera has measured it.

        Raises:
            PerceptionError: the image cannot be read, or is too large.
        """
        seeing = self._seeing
        pixels = load_image(image, max_pixels=self.max_pixels)
        return seeing.perceive(pixels) if depth is None else seeing.perceive(pixels, depth=depth)

    @overload
    def perceive_many(
        self, images: Any, *, on_error: Literal["raise"] = ..., **options: Any
    ) -> Iterator[Scene]: ...

    @overload
    def perceive_many(
        self, images: Any, *, on_error: Literal["yield"], **options: Any
    ) -> Iterator[Scene | PerceptionError]: ...

    def perceive_many(
        self, images: Any, *, on_error: OnError = "raise", **options: Any
    ) -> Iterator[Scene] | Iterator[Scene | PerceptionError]:
        """The scenes of many images, in their order, a batch at a time.

        Args:
            images: a folder, or any iterable of what :meth:`perceive` takes, also one without end.
            on_error: "raise" stops at the first image that fails; "yield" gives its error in the
                place of its scene.
            options: ``batch``, ``ahead`` and ``progress``; see
                :meth:`neurosym.perception.base.Perception.perceive_many`.

        Raises:
            OptionError: an option is out of its range.
            PerceptionError: ``images`` is one image, or a folder without any; later, an image
                fails.

        Example:
            >>> paths = ["a.jpg", "b.jpg"]
            >>> grounder = Grounder()
            >>> for path, scene in zip(paths, grounder.perceive_many(paths)):  # doctest: +SKIP
            ...     print(path, len(scene))
        """
        return self._seeing.perceive_many(
            images, on_error=on_error, max_pixels=self.max_pixels, **options
        )

    @overload
    def perceive_video(
        self,
        source: str | Path,
        *,
        nouns: Sequence[str] = ...,
        on_error: Literal["raise"] = ...,
        **options: Any,
    ) -> Iterator[Frame]: ...

    @overload
    def perceive_video(
        self,
        source: str | Path,
        *,
        nouns: Sequence[str] = ...,
        on_error: Literal["yield"],
        **options: Any,
    ) -> Iterator[Frame | PerceptionError]: ...

    def perceive_video(
        self,
        source: str | Path,
        *,
        nouns: Sequence[str] = (),
        on_error: OnError = "raise",
        **options: Any,
    ) -> Iterator[Frame] | Iterator[Frame | PerceptionError]:
        """The frames of a video file or of a folder of images, whose things keep their numbers.

        Args:
            source: a video file, for which the extra ``video`` is needed, or a folder, whose images
                are taken in natural order ("frame2" before "frame10").
            nouns: what is looked for in each frame, where the perception has an open vocabulary.
            on_error: "raise" stops at the first frame that fails; "yield" gives its error in the
                place of its frame.
            options: ``every`` (each N-th frame) or ``fps`` (so many frames a second), ``memory``,
                ``batch``, ``ahead`` and ``progress``; see
                :func:`neurosym.perception.video.perceive_video`.

        Raises:
            OptionError: an option is out of its range.
            PerceptionError: the source cannot be read; later, a frame fails.

        Example:
            >>> grounder = Grounder()
            >>> for frame in grounder.perceive_video("street.mp4", fps=2):  # doctest: +SKIP
            ...     result = grounder.ground(frame.scene, "the leftmost car")
            ...     print(frame.seconds, frame.tracks[list(result.objects)])
        """

        def look(scene: Scene) -> Scene:
            return self._looked_for(scene, Wanted(nouns=tuple(nouns)))

        return perceive_video(
            self._seeing,
            source,
            look=look if nouns else None,
            on_error=on_error,
            max_pixels=self.max_pixels,
            **options,
        )

    def ground_video(
        self, source: str | Path, text: str | Parse | Op, **options: Any
    ) -> Iterator[tuple[Frame, Result]]:
        """Answer a text about each frame of a video or of a folder of images.

        What the text names is looked for before things are tracked, so whatever answers has a
        track: ``frame.tracks[list(result.objects)]``.

        Args:
            source: as for :meth:`perceive_video`.
            text: as for :meth:`ground`; it is parsed once.
            options: ``every``, ``fps``, ``memory``, ``batch``, ``ahead`` and ``progress``, as for
                :meth:`perceive_video`.

        Raises:
            TextError, GrammarError: the text cannot be read.
            OptionError: an option is out of its range.
            PerceptionError: the source cannot be read, or a frame fails.
        """
        known: list[Parse] = []

        def look(scene: Scene) -> Scene:
            if not known:
                known.append(self._parse_for(scene, text))
            return self._looked_for(scene, self._wanted(known[0]))

        frames = perceive_video(
            self._seeing, source, look=look, max_pixels=self.max_pixels, **options
        )
        for frame in frames:
            if isinstance(frame, PerceptionError):
                raise frame
            yield frame, self.ground(frame.scene, known[0])

    def _looked_for(self, scene: Scene, wanted: Wanted) -> Scene:
        if scene.pixels is None:
            return scene
        wider = scene.pixels.look_for(scene, wanted)
        self.keep(scene)
        return wider

    @property
    def _seeing(self) -> Perception:
        if self._perception is None:
            raise PerceptionError("this grounder has no perception: give it scenes")
        return self._perception

    def parse(self, text: str) -> Parse:
        """The readings of a text; see :meth:`neurosym.grammar.Parser.parse`."""
        return self.parser.parse(text)

    def ground(
        self,
        scene: Scene,
        text: str | Parse | Op,
        *,
        the: Definites | str | None = None,
        this: Region | None = None,
        that: Region | None = None,
    ) -> Result:
        """Answer a text about a scene.

        Readings are tried in the order of their scores, until none that is left could do better;
        see :mod:`neurosym.reading`. What the program needs to know about the picture is looked
        up in the picture first, for the objects that matter only.

        Args:
            scene: from :meth:`perceive` or elsewhere.
            text: an expression or question, its parse, or a program.
            the: how "the" is read in this text; the grounder's way when left out.
            this: what the user points at with "this" and "these": a box, 4 numbers xyxy in image
                pixels, or a mask [height, width]; see :func:`neurosym.pointing.pointed_at`.
            that: the same for "that" and "those".

        Returns:
            The result. What the scene has no word for gives the status "unsupported"; actions and
            qualities that only describe what is meant are left out: see :attr:`Result.unchecked`.

        Raises:
            TextError, GrammarError: the text cannot be read.
            ExecutionError: the program exceeds a bound.
            OptionError: there is no such reading of "the", or no object where the user points.
        """
        given, policy = scene, self.the if the is None else definites_of(the)
        parse = self._parse_for(scene, text)
        if scene.pixels is not None:
            scene = scene.pixels.look_for(scene, self._wanted(parse))
        for pointer, region in (("this", this), ("that", that)):
            if region is not None:
                scene = pointed_at(scene, pointer, region)
        procedure = Procedure(self.executor, self.threshold, self.presume, self.abstain, policy)
        best: tuple[float, Reading, Scene, Outcome | UnknownConceptError] | None = None
        for reading in parse.readings[: self.max_readings]:
            if best is not None and reading.score <= best[0]:
                break
            checked = procedure.read(reading.program, scene)
            seen, found = self._execute(scene, checked.program)
            outcome = found if isinstance(found, Outcome) else None
            worth = utility(reading, outcome, unchecked=bool(checked.left_out))
            if best is None or worth > best[0]:
                best = (worth, reading, seen, found)
        if best is None:
            raise AssertionError("a parse has at least one reading")
        self.keep(given)
        _, reading, seen, found = best
        if isinstance(found, UnknownConceptError):
            found.text = parse.text
            return Result(
                parse, seen, None, Decision("unsupported"), reading, found, procedure=procedure
            )
        decision = procedure.decide(found, seen)
        return Result(parse, seen, found, decision, reading, procedure=procedure)

    def _parse_for(self, scene: Scene, text: str | Parse | Op) -> Parse:
        if isinstance(text, Op):
            return _as_parse(text)
        if isinstance(text, Parse):
            return text
        # People misspell what they see: the scene's words are words of the text as well.
        return self.parser.parse(text, vocabulary=scene.categories.values)

    def _wanted(self, parse: Parse) -> Wanted:
        return wanted_of(reading.program for reading in parse.readings[: self.max_readings])

    def keep(self, scene: Scene) -> None:
        """Writes to the cache what has been made of a scene's picture since it was perceived.

        :meth:`ground` does so by itself; this is for masks that are asked for later. Without a
        cache there is nothing to do.

        Args:
            scene: from :meth:`perceive` or :meth:`perceive_many`.
        """
        if isinstance(self._perception, CachedPerception):
            self._perception.keep(scene)

    def describe(self, scene: Scene, index: int, *, bounds: Bounds | None = None) -> Description:
        """The shortest expression that picks out one object of a scene, or why there is none.

        The text is read back and executed before it is given: it means that object.

        Args:
            scene: from :meth:`perceive` or elsewhere.
            index: the object's number.
            bounds: how far to search; see :class:`neurosym.generation.language.Bounds`.

        Returns:
            The description: the text, its program and the probability that it means the object;
            in an uncertain scene that is at least :attr:`threshold`.

        Raises:
            OptionError: the scene has no such object.
        """
        return self.describer(scene, bounds=bounds).describe(index)

    def describer(self, scene: Scene, *, bounds: Bounds | None = None) -> Describer:
        """What :meth:`describe` asks, for several objects of one scene."""
        return Describer(scene, self.parser, self.executor, bounds=bounds, threshold=self.threshold)

    def _execute(self, scene: Scene, program: Op) -> tuple[Scene, Outcome | UnknownConceptError]:
        try:
            seen = self._attend(scene, program)
            return seen, self.executor.run(program, seen)
        except UnknownConceptError as error:
            return scene, error

    def _attend(self, scene: Scene, program: Op) -> Scene:
        """The scene with the attributes that the program asks of the objects that it asks about.

        Inner nodes come first, so that outer ones see fewer objects.
        """
        if scene.pixels is None:
            return scene
        for node in program.walk():
            asked = [name for role, name in names_of(node) if role == "attribute"]
            for name in scene.attributes if node.sees_all else asked:
                if not bool(scene.attribute(name).evidence.all()):
                    # Of one object it matters as soon as it may be in any operand.
                    matter = {i for operand in node.operands for i in self._reached(operand, scene)}
                    scene = scene.observe(name, sorted(matter))
            for name in [name for role, name in names_of(node) if role == "order"]:
                measure = ORDERS[name].measure
                # Most measures are those of boxes: then nothing has to be run to know who matters.
                if scene.pixels is not None and scene.pixels.gauge(measure, []) is not None:
                    matter = {i for operand in node.operands for i in self._reached(operand, scene)}
                    scene = scene.gauge(measure, sorted(matter))
            for name in [name for role, name in names_of(node) if role == "relation"]:
                evidence = scene.relation(name).evidence
                if evidence is not None and not bool(evidence.all()):
                    figures, landmarks = (self._reached(node.operands[i], scene) for i in (0, -1))
                    if isinstance(node, RelatedBy | RelatedByCount):
                        figures, landmarks = landmarks, figures
                    scene = scene.observe_relation(name, figures, landmarks)
        return scene

    def _reached(self, program: Op, scene: Scene) -> list[int]:
        """The objects that may be in what a program gives."""
        found = self.executor.run(program, scene).objects
        return [] if found is None else (found >= MATTERS).nonzero().flatten().tolist()


def definites_of(policy: Definites | str) -> Definites:
    """The reading of "the" of this name, or OptionError with the names there are."""
    try:
        return Definites(policy)
    except ValueError:
        known = [definites.value for definites in Definites]
        hint = did_you_mean(nearest(str(policy), known))
        raise OptionError(
            f'the reading of "the" must be one of {", ".join(known)}, not "{policy}"{hint}'
        ) from None


def perception_of(
    perception: str | Perception | Detector | OpenDetector,
    *,
    device: str | torch.device | None = None,
    concepts: str | Path | None = None,
    calibration: Calibration | str | Path | None = None,
    dtype: torch.dtype | str = torch.float32,
) -> Perception:
    """The perception of this name or around this detector; models are loaded when needed.

    Args:
        perception: as for :class:`Grounder`; a :class:`Perception` is given back as it is.
        device: as for :meth:`Grounder.default`.
        concepts: likewise.
        calibration: likewise.
        dtype: likewise.

    Raises:
        OptionError: a back end is unknown, there is no such device or precision, or the object has
            none of the interfaces.
        PerceptionError: a file of a calibration is wrong.
    """
    if isinstance(calibration, str | Path):
        calibration = Calibration.load(calibration)
    settings = Settings(device_of(device), _dtype_of(dtype), path_of)
    options: dict[str, Any] = {
        "concepts": None if concepts is None else Path(concepts),
        "calibration": calibration,
        "weights": _word_model,
        "device": settings.device,
    }
    if isinstance(perception, str):
        return Pipeline.named(perception, settings, **options)
    if not isinstance(perception, Perception):
        options["segmenter"] = Lazy.of(back_end("mobilesam"), "", settings)
    return as_perception(perception, **options)


def _word_model(name: str) -> Path:
    """The folder of a model that single words are looked up in.

    It is fetched when a text first has such a word, and no answer waits for that: where the
    environment says to stay offline, it is not.
    """
    switches = (os.environ.get(name, "") for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"))
    offline = any(switch.lower() in ("1", "on", "true", "yes") for switch in switches)
    return path_of(name, pull=not offline)


def _dtype_of(dtype: torch.dtype | str) -> torch.dtype:
    known = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
    if isinstance(dtype, torch.dtype) and dtype in known.values():
        return dtype
    if dtype not in known:
        raise OptionError(f'a precision is {", ".join(known)}, not "{dtype}"')
    return known[str(dtype)]


def device_of(device: str | torch.device | None) -> torch.device:
    """The device that is named, else CUDA when there is one, else the CPU.

    Raises:
        OptionError: there is no such device.
    """
    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind = str(device).split(":")[0]
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.mps.is_available()}
    if kind not in there:
        raise OptionError(
            f'cannot use the device "{device}": expected {", ".join(there)} or cuda:N'
        )
    if not there[kind]:
        raise OptionError(f'cannot use the device "{device}": this machine or torch has none')
    try:
        chosen = torch.device(device)
        torch.zeros(1, device=chosen)
    except (RuntimeError, AssertionError) as error:
        raise OptionError(f'cannot use the device "{device}": no such device') from error
    return chosen


def find_pipeline() -> str | Path:
    """An installed ``en_core_web_*`` pipeline's name, else the path of the model store's."""
    from importlib.util import find_spec

    for name in SPACY_MODELS:
        if find_spec(name) is not None:
            return name
    return path_of(STORE_PIPELINE)


def _as_parse(program: Op) -> Parse:
    text = str(program)
    tree = Tree("program", (), Span(0, len(text)))
    return Parse(text, (), (Reading(program, 0.0, tree, ()),))
