"""The pipeline: a scene from whatever back ends there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, cast, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from neurosym.errors import OptionError
from neurosym.perception import depths, geometry, spatial
from neurosym.perception.base import (
    AttributeModel,
    DepthModel,
    Detections,
    Detector,
    HeatMapModel,
    OpenDetector,
    Perception,
    RelationModel,
    Segmenter,
)
from neurosym.perception.calibration import PROVENANCE
from neurosym.perception.checks import (
    check_part,
    checked_categories,
    checked_detections,
    checked_image,
)
from neurosym.perception.colours import COLOURS, default_model
from neurosym.perception.concepts import load_concepts
from neurosym.perception.detections import AS_SCORED, Calibration, Hypotheses, hypotheses
from neurosym.perception.fingerprint import code, digest, weights_of
from neurosym.perception.many import GPU_BATCH
from neurosym.perception.mask_relations import MASK_RELATIONS
from neurosym.perception.merging import merged
from neurosym.perception.photo import (
    COLOR,
    Photo,
    PhotoPixels,
    askable,
    own_values,
    seen_in_pixels,
)
from neurosym.perception.registry import BackEnd, Role, Settings, parts_named
from neurosym.perception.search import (
    Covers,
    apart,
    covering_table,
    covers_among,
    distinct,
    phrases_for,
    prompt_of,
    prompted,
    quoted_prompt,
)
from neurosym.perception.tables import larger, longer, moved, unscored
from neurosym.perception.vocabulary import Unresolved, Vocabulary
from neurosym.pixels import DepthMap, ImageSize, Wanted
from neurosym.scene import PROMPTS, Categorical, Concept, Scene

DEFAULT = "picodet+mobilesam"
PEOPLE = frozenset({"person", "people", "man", "woman", "boy", "girl", "child", "lady", "guy"})
"""Categories of people, whose colour is that of their clothes."""
Part = TypeVar("Part")


class Lazy(Generic[Part]):
    """A part of a pipeline that is made when it is first needed."""

    def __init__(
        self, make: Callable[[], Part], version: Callable[[], str | None] | None = None
    ) -> None:
        self._make = make
        self._version = version

    @staticmethod
    def of(end: BackEnd, argument: str, settings: Settings) -> Lazy[Any]:
        """The object of a back end; ``argument`` is what follows its name and ":"."""
        return Lazy(
            partial(end.make, argument, settings), partial(weights_of, end, argument, settings)
        )

    @cached_property
    def part(self) -> Part:
        """The part."""
        return self._make()

    @cached_property
    def version(self) -> str | None:
        """What the part will be made of, without making it; None when that cannot be told."""
        return None if self._version is None else self._version()


@runtime_checkable
class CalibratedDetector(Detector, Protocol):
    """A detector that knows what its scores are worth."""

    @property
    def calibration(self) -> Calibration:
        """From scores to probabilities."""


class Pipeline(Perception):
    """Boxes at once; masks, colours, words and relations when something is asked about them.

    Each part is an object with the interface of its role (:mod:`neurosym.perception.base`), or a
    :class:`Lazy` one. At least one kind of detector is needed.

    Args:
        detector: of a closed vocabulary.
        open_detector: looks for the nouns of programs.
        segmenter: gives masks; without one an object fills its box, where the detector gives none.
        attributes: says which words describe an object.
        relations: says who rides what.
        depth: estimates depth from the image.
        heat_maps: says of every pixel how well words describe it.
        concepts: a file of words to use instead of the one that comes with the package.
        weights: gives the folder of a model of the model store, for the words that the file has
            not: see :class:`neurosym.perception.vocabulary.Vocabulary`.
        calibration: what the scores of ``detector`` are worth; its own when left out, and when it
            has none, its scores are taken as they are and the scene says so.
        open_calibration: the same for ``open_detector``.
        device: where the scene's arrays lie.
        name: what the scene's provenance says.

    Raises:
        OptionError: there is no detector of either kind, or a part lacks the interface of its role.
    """

    def __init__(
        self,
        detector: Detector | Lazy[Detector] | None = None,
        *,
        open_detector: OpenDetector | Lazy[OpenDetector] | None = None,
        segmenter: Segmenter | Lazy[Segmenter] | None = None,
        attributes: AttributeModel | Lazy[AttributeModel] | None = None,
        relations: RelationModel | Lazy[RelationModel] | None = None,
        depth: DepthModel | Lazy[DepthModel] | None = None,
        heat_maps: HeatMapModel | Lazy[HeatMapModel] | None = None,
        concepts: Path | None = None,
        weights: Callable[[str], Path] | None = None,
        calibration: Calibration | None = None,
        open_calibration: Calibration | None = None,
        device: torch.device | str = "cpu",
        name: str = "",
    ) -> None:
        if detector is None and open_detector is None:
            raise OptionError(f'a pipeline needs a detector: "{DEFAULT}" has one')
        self._parts: dict[Role, Any] = {
            Role.DETECTOR: detector,
            Role.OPEN_DETECTOR: open_detector,
            Role.SEGMENTER: segmenter,
            Role.ATTRIBUTES: attributes,
            Role.RELATIONS: relations,
            Role.DEPTH: depth,
            Role.HEAT_MAPS: heat_maps,
        }
        for role, part in self._parts.items():
            if part is not None and not isinstance(part, Lazy):
                check_part(role, part)
        self._concepts_file = concepts
        self._vocabulary = Vocabulary(weights, concepts)
        self._unresolved: dict[str, Unresolved] = {}
        self._given_calibration = calibration
        self._open_calibration = open_calibration or AS_SCORED
        self._device = torch.device(device)
        self._name = name

    @staticmethod
    def named(name: str, settings: Settings, **options: Any) -> Pipeline:
        """The pipeline of a name such as ``"picodet+mobilesam"``; parts are made when needed.

        Args:
            name: see :func:`neurosym.perception.registry.parts_named`.
            settings: how parts are made.
            options: further arguments of :class:`Pipeline`, parts of your own among them.

        Raises:
            OptionError: a back end is unknown or not installed, or no detector is among them.
        """
        parts: dict[str, Any] = {}
        made: dict[str, Lazy[Any]] = {}
        for role, (end, argument) in parts_named(name).items():
            # One object serves all roles of a back end.
            if end.name not in made:
                end.check_installed()
                made[end.name] = Lazy.of(end, argument, settings)
            parts[role.value] = made[end.name]
        given = {"device": settings.device, "name": name, "weights": settings.weights}
        return Pipeline(**{**given, **parts, **options})

    def _part(self, role: Role) -> Any:
        part = self._parts[role]
        return part.part if isinstance(part, Lazy) else part

    @property
    def name(self) -> str:  # type: ignore[override]
        """The pipeline's name, or the names of its parts."""
        if self._name:
            return self._name
        parts = (self._part(role) for role, part in self._parts.items() if part is not None)
        return "+".join(getattr(part, "name", type(part).__name__) for part in parts)

    @property
    def detector(self) -> Detector | None:
        """What finds things of a closed vocabulary."""
        return cast("Detector | None", self._part(Role.DETECTOR))

    @property
    def open_detector(self) -> OpenDetector | None:
        """What looks for the nouns of programs."""
        return cast("OpenDetector | None", self._part(Role.OPEN_DETECTOR))

    @property
    def segmenter(self) -> Segmenter | None:
        """What gives masks."""
        return cast("Segmenter | None", self._part(Role.SEGMENTER))

    @property
    def attributes(self) -> AttributeModel | None:
        """What says which words describe an object."""
        return cast("AttributeModel | None", self._part(Role.ATTRIBUTES))

    @property
    def relations(self) -> RelationModel | None:
        """What says which relation holds."""
        return cast("RelationModel | None", self._part(Role.RELATIONS))

    @property
    def depth(self) -> DepthModel | None:
        """What estimates depth from the image."""
        return cast("DepthModel | None", self._part(Role.DEPTH))

    @property
    def heat_maps(self) -> HeatMapModel | None:
        """What says of every pixel how well words describe it."""
        return cast("HeatMapModel | None", self._part(Role.HEAT_MAPS))

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """The closed vocabulary; empty when there is only an open one."""
        return () if self.detector is None else checked_categories(self.detector)

    @cached_property
    def calibration(self) -> Calibration:
        """What the scores of the closed vocabulary are worth."""
        if self._given_calibration is not None:
            return self._given_calibration
        detector = self.detector
        return detector.calibration if isinstance(detector, CalibratedDetector) else AS_SCORED

    @cached_property
    def _concepts(self) -> Mapping[str, Concept]:
        return load_concepts(self.categories, self._concepts_file)

    def perceive(self, image: np.ndarray, *, depth: DepthMap | None = None) -> Scene:
        """See :meth:`Perception.perceive`.

        Raises:
            PerceptionError: the array is no image, or weights do not fit.
            ModelStoreError: weights cannot be fetched.
            LexiconError: the file of words is wrong.
        """
        return self._scenes([image], depth)[0]

    @cached_property
    def fingerprint(self) -> str:
        """See :attr:`Perception.fingerprint`; of the parts, the calibrations and the words.

        A part of one's own may say its version in an attribute ``fingerprint``; see
        :func:`neurosym.perception.fingerprint.digest`.
        """
        words = None if self._concepts_file is None else self._concepts_file.read_bytes()
        parts = {role.value: self._version(role) for role in Role if self._parts[role] is not None}
        return digest(
            code(), self._name, parts, self._given_calibration, self._open_calibration, words
        )

    def _version(self, role: Role) -> str:
        part = self._parts[role]
        version = part.version if isinstance(part, Lazy) else None
        if version is None:
            made = self._part(role)
            version = digest(made, getattr(made, "calibration", None))
        return version

    def revive(self, scene: Scene, image: np.ndarray) -> Scene:
        """See :meth:`Perception.revive`; masks that were saved with the scene are kept."""
        photo, table = Photo(image), scene.categories
        if scene.pixels is not None:
            photo.masks.update(scene.pixels.known_masks())
        pixels = self._pixels(
            photo, scene.boxes, table.values, table.probabilities, scene.existence
        )
        return replace(scene, pixels=pixels).to(self._device)

    @property
    def batch(self) -> int:
        """See :attr:`Perception.batch`; more than one on a GPU."""
        return 1 if self._device.type == "cpu" else GPU_BATCH

    def prepare(self) -> None:
        """See :meth:`Perception.prepare`."""
        _ = self.detector, self.open_detector, self.calibration, self._concepts

    def perceive_batch(self, images: Sequence[np.ndarray]) -> list[Scene]:
        """See :meth:`Perception.perceive_batch`; the detector sees all images at once."""
        return self._scenes(images)

    def _scenes(self, images: Sequence[np.ndarray], depth: DepthMap | None = None) -> list[Scene]:
        images = [checked_image(image) for image in images]
        maps: list[DepthMap | None] = [depth] * len(images)
        if depth is None and self.depth is not None:
            maps = list(self.depth.depth(images))
        photos = [
            Photo(image, found and depths.checked(found, ImageSize(*image.shape[:2])))
            for image, found in zip(images, maps, strict=True)
        ]
        return [
            self._scene(photo, hypotheses(found, self.calibration))
            for photo, found in zip(photos, self._detections(images), strict=True)
        ]

    def _detections(self, images: Sequence[np.ndarray]) -> list[Detections]:
        if self.detector is None:
            return [Detections(torch.zeros(0, 4), torch.zeros(0, 0)) for _ in images]
        columns = len(self.categories)
        return checked_detections(self.detector.detect(images), images, columns, self.detector)

    def _scene(
        self, photo: Photo, found: Hypotheses, categories: Sequence[str] | None = None
    ) -> Scene:
        """The scene of hypotheses; rows are numbered as the photo's masks and scores are."""
        boxes, existence = found.boxes.cpu().float(), found.existence.cpu().float()
        table = found.categories.cpu().float()
        names = tuple(self.categories if categories is None else categories)
        count = len(boxes)
        if found.masks is not None:
            photo.outlined = True
            photo.masks.update(enumerate(found.masks.cpu()))
        size = photo.size
        detectors = [part.name for part in (self.detector, self.open_detector) if part is not None]
        scene = Scene(
            size=size,
            boxes=boxes,
            existence=existence,
            groups=found.group.cpu(),
            categories=Categorical(
                names, table, torch.ones(count, dtype=torch.bool), " and ".join(detectors)
            ),
            attributes={
                COLOR: unscored(COLOURS, count, "pixels in the mask"),
                "size": geometry.sizes(boxes, existence, table),
                **geometry.places(boxes, size),
            },
            relations=spatial.relations(boxes, photo.depth, outlined=self.outlines(photo)),
            measures=spatial.measures(boxes, photo.image, photo.depth),
            distances=geometry.distances(boxes),
            concepts=self._concepts,
            pixels=self._pixels(photo, boxes, names, table, existence),
            provenance=self._provenance(detectors),
        )
        return scene.to(self._device)

    def outlines(self, photo: Photo) -> bool:
        """Whether masks of this photograph show more than boxes do."""
        return photo.outlined or self._parts[Role.SEGMENTER] is not None

    def _pixels(
        self,
        photo: Photo,
        boxes: Tensor,
        names: Sequence[str],
        table: Tensor,
        existence: Tensor,
    ) -> PhotoPixels:
        """What answers for a scene with these boxes [N, 4] and categories [N, C]."""
        people = [column for column, name in enumerate(names) if name in PEOPLE]
        nouns = [names[best] for best in table.argmax(dim=1).tolist()] if names else []
        alike = (table @ table.T) * existence[None, :]
        return PhotoPixels(photo, boxes, nouns, table[:, people].sum(dim=1), alike, self)

    def _provenance(self, detectors: Sequence[str]) -> dict[str, str]:
        ways = {COLOR: default_model().describe()}
        if self.detector is not None:
            ways["detector"] = _worth(self.calibration)
        if self.open_detector is not None:
            ways["open detector"] = _worth(self._open_calibration)
        return {
            "perception": self.name,
            "detector": " and ".join(detectors),
            "relations": geometry.SOURCE,
            PROVENANCE: "; ".join(f"{name}: {way}" for name, way in ways.items()),
        }

    def look_for(self, scene: Scene, pixels: PhotoPixels, wanted: Wanted) -> Scene:
        """See :meth:`neurosym.pixels.Pixels.look_for`."""
        scene = self._resolved(self._search(scene, pixels.photo, wanted), wanted)
        if isinstance(scene.pixels, PhotoPixels):
            pixels = scene.pixels
        attributes, relations = dict(scene.attributes), dict(scene.relations)
        for word in seen_in_pixels(wanted, {name: a.values for name, a in attributes.items()}):
            attributes[word] = unscored(own_values(word), len(scene), "pixels in the mask")
        for name in wanted.relations:
            if name in MASK_RELATIONS and name not in relations and self.outlines(pixels.photo):
                relations[name] = spatial.unasked(len(scene), scene.device)
        if self.attributes is not None:
            words = askable(wanted, {name: a.values for name, a in attributes.items()})
            if words:
                scene = replace(scene, pixels=pixels.with_words({**pixels.words, **words}))
            for name, asked in words.items():
                attributes[name] = unscored(tuple(asked), len(scene), self.attributes.name)
        if self.relations is not None:
            for name in wanted.relations:
                if name not in relations:
                    source = self.relations.name
                    relations[name] = spatial.unasked(len(scene), scene.device, source)
        tables = {name: moved(table, scene.device) for name, table in attributes.items()}
        return replace(scene, attributes=tables, relations=relations)

    def unknown(self, noun: str) -> str:
        """See :meth:`neurosym.pixels.Pixels.unknown`."""
        found = self._unresolved.get(noun)
        return "" if found is None else found.details

    def _resolved(self, scene: Scene, wanted: Wanted) -> Scene:
        """The scene with the nouns that the closed vocabulary covers in its own words."""
        if self.open_detector is not None:
            return scene
        concepts = dict(scene.concepts)
        for noun in wanted.nouns:
            found = self._vocabulary.resolve(noun, self.categories)
            if isinstance(found, Unresolved):
                self._unresolved[noun] = found
            elif found.categories != (noun,):
                concepts[noun] = found
        return scene if concepts == scene.concepts else replace(scene, concepts=concepts)

    def _search(self, scene: Scene, photo: Photo, wanted: Wanted) -> Scene:
        """The scene with what an open vocabulary finds of the nouns: one forward for all."""
        if self.open_detector is None:
            return scene
        asked = phrases_for(scene, wanted, closed=self.detector is not None)
        if not asked:
            return scene
        known = photo.extended.setdefault(scene, {})
        if asked not in known:
            wider_than = covers_among(asked, self._vocabulary.resolve)
            nouns = distinct(asked, wider_than)
            self._ask(photo, list(nouns))
            wider = scene
            for phrases, found in photo.searches:
                columns = [i for i, phrase in enumerate(phrases) if phrase in nouns]
                if columns:
                    part = replace(found, scores=found.scores[:, columns])
                    named = [phrases[i] for i in columns]
                    wider = self._extended(wider, photo, part, named, wider_than)
                    photo = cast("PhotoPixels", wider.pixels).photo
            provenance = dict(wider.provenance)
            before = [provenance[PROMPTS]] if PROMPTS in provenance else []
            provenance[PROMPTS] = ", ".join([*before, *map(quoted_prompt, nouns)])
            concepts = prompted(scene, nouns, self.open_detector.name, wider_than)
            known[asked] = replace(wider, concepts=concepts, provenance=provenance)
        return known[asked]

    def _ask(self, photo: Photo, nouns: Sequence[str]) -> None:
        """Look for the nouns that were not looked for in this photograph, all at once."""
        detector = self.open_detector
        there = {phrase for phrases, _ in photo.searches for phrase in phrases}
        missing = tuple(noun for noun in nouns if noun not in there)
        if detector is None or not missing:
            return
        found = detector.detect_phrases([photo.image], [prompt_of(noun) for noun in missing])
        (checked,) = checked_detections(found, [photo.image], len(missing), detector)
        photo.searches.append((missing, checked))

    def _extended(
        self,
        scene: Scene,
        photo: Photo,
        raw: Detections,
        phrases: Sequence[str],
        wider_than: Covers,
    ) -> Scene:
        """A scene with further detections; its objects keep their numbers and what is known."""
        found = hypotheses(raw, self._open_calibration)
        found = replace(found, categories=apart(found.categories, phrases, wider_than))
        before = Hypotheses(
            scene.boxes, scene.existence, scene.categories.probabilities, scene.groups
        )
        own = photo.copy()
        covering = covering_table(phrases, scene.categories.values, wider_than)
        together = merged(before, found, own.masks, covering)
        wider = self._scene(own, together, (*scene.categories.values, *phrases))
        count, device = len(wider), self._device
        return replace(
            wider,
            attributes={
                **wider.attributes,
                **{name: longer(table, count) for name, table in scene.attributes.items()},
                "size": wider.attributes["size"],
                **geometry.places(wider.boxes, wider.size),
            },
            relations={
                **{n: larger(r, count) for n, r in scene.relations.items()},
                **wider.relations,
            },
            concepts=scene.concepts,
            marks={
                pointer: torch.cat([mark, mark.new_zeros(count - len(mark))])
                for pointer, mark in scene.marks.items()
            },
            provenance={**scene.provenance, **wider.provenance},
        ).to(device)


def _worth(calibration: Calibration) -> str:
    """What a scene says of how a detector's scores became probabilities."""
    if calibration is AS_SCORED:
        return "uncalibrated: scores taken as probabilities"
    return calibration.describe()


def as_perception(found: object, **options: Any) -> Perception:
    """A perception of whatever a user brings: one, or a detector of either kind.

    Args:
        found: a :class:`Perception`, or an object with the interface of a detector.
        options: further arguments of :class:`Pipeline`, for a detector.

    Raises:
        OptionError: it is neither.
    """
    if isinstance(found, Perception):
        return found
    if isinstance(found, type):
        raise OptionError(
            f"a perception must be an object, not the class {found.__name__}: make one of it"
        )
    if isinstance(found, Detector):
        return Pipeline(found, **options)
    if isinstance(found, OpenDetector):
        return Pipeline(open_detector=found, **options)
    raise OptionError(
        f"a perception is a name, a Perception, or a detector with name, categories and detect() "
        f"or name and detect_phrases(), not {type(found).__name__}"
    )
