"""The default perception: PicoDet boxes, MobileSAM masks, colours from pixels, geometry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from neurosym.errors import PerceptionError
from neurosym.perception import geometry
from neurosym.perception.base import Detector, Perception, Segmenter
from neurosym.perception.calibration import PROVENANCE
from neurosym.perception.colours import COLOURS, default_model, object_colours, pixel_colours
from neurosym.perception.concepts import load_concepts
from neurosym.perception.detections import Calibration, Hypotheses, hypotheses
from neurosym.perception.mobile_sam import MobileSam
from neurosym.perception.picodet import PicoDet, coco_categories
from neurosym.pixels import ImageSize, Pixels
from neurosym.scene import Categorical, Concept, Scene

COLOR = "color"
PERSON = "person"
MASKS_AT_ONCE = 32


@runtime_checkable
class CalibratedDetector(Detector, Protocol):
    """A detector that says how its scores became probabilities, for the scene's provenance."""

    @property
    def calibration(self) -> str:
        """One line: which steps, on what they were fitted, a fingerprint."""


class PicoDetector:
    """PicoDet with its default views and their calibration, as a detector of hypotheses.

    Args:
        weights: folder with ``model.pdiparams`` and ``model.pdmodel``.
        device: where to run.
        calibration: what its scores mean; the one that comes with the package when left out.
    """

    name = "PicoDet-S, COCO, calibrated"

    def __init__(
        self,
        weights: Path,
        device: torch.device | str = "cpu",
        calibration: Calibration | None = None,
    ) -> None:
        self._model = PicoDet.load(
            weights / "model.pdiparams", weights / "model.pdmodel", torch.device(device)
        )
        self._calibration = Calibration.default() if calibration is None else calibration

    @property
    def calibration(self) -> str:
        """See :class:`CalibratedDetector`."""
        return self._calibration.describe()

    @property
    def categories(self) -> tuple[str, ...]:
        """The 80 categories of COCO."""
        return coco_categories()

    def detect(self, images: Sequence[np.ndarray]) -> list[Hypotheses]:
        """See :meth:`Detector.detect`."""
        return [hypotheses(raw, self._calibration) for raw in self._model.detect_views(images)]


class PhotoPixels(Pixels):
    """Answers from a photograph: masks, colours. Every answer is made once and kept.

    Args:
        photo: uint8 [height, width, 3] RGB.
        boxes: [N, 4] xyxy on the CPU.
        clothing: [N] probability that an object is a person, whose colour is that of the clothes.
        segmenter: called when the first mask is needed.
    """

    def __init__(
        self,
        photo: np.ndarray,
        boxes: Tensor,
        clothing: Tensor,
        segmenter: Callable[[], Segmenter],
    ) -> None:
        self._photo = photo
        self._boxes = boxes
        self._clothing = clothing
        self._segmenter = segmenter
        self._masks: dict[int, Tensor] = {}
        self._colours: dict[int, Tensor] = {}

    @cached_property
    def _embedding(self) -> object:
        return self._segmenter().encode(self._photo)

    @cached_property
    def _pixel_colours(self) -> Tensor:
        return pixel_colours(torch.from_numpy(self._photo))

    def image(self) -> Tensor | None:
        """The photograph."""
        return torch.from_numpy(self._photo)

    def masks(self, indices: Sequence[int]) -> Tensor:
        """See :meth:`Pixels.masks`."""
        missing = [i for i in dict.fromkeys(indices) if i not in self._masks]
        for start in range(0, len(missing), MASKS_AT_ONCE):
            part = missing[start : start + MASKS_AT_ONCE]
            made, _ = self._segmenter().masks(self._embedding, self._boxes[part])
            self._masks.update(zip(part, made.cpu(), strict=True))
        if not len(indices):
            return torch.zeros((0, *self._photo.shape[:2]), dtype=torch.bool)
        return torch.stack([self._masks[i] for i in indices])

    def known_masks(self) -> Mapping[int, Tensor]:
        """See :meth:`Pixels.known_masks`."""
        return dict(self._masks)

    def score(self, attribute: str, indices: Sequence[int]) -> Tensor | None:
        """Colours; nothing else is read off pixels."""
        if attribute != COLOR:
            return None
        missing = [i for i in dict.fromkeys(indices) if i not in self._colours]
        if missing:
            made = object_colours(
                torch.from_numpy(self._photo),
                self.masks(missing),
                self._boxes[missing],
                self._clothing[missing],
            )
            self._colours.update(zip(missing, made, strict=True))
        kept = [self._colours[i] for i in indices]
        return torch.stack(kept) if kept else torch.zeros((0, len(COLOURS)))

    def evidence(self, attribute: str, value: str) -> Tensor | None:
        """How far each pixel has a colour."""
        if attribute != COLOR or value not in COLOURS:
            return None
        return self._pixel_colours[..., COLOURS.index(value)]


class DefaultPerception(Perception):
    """Boxes, then masks and colours on demand; each model is loaded when it is first needed.

    Args:
        detector: makes what finds things.
        segmenter: makes what gives masks.
        concepts: a file of words to use instead of the default one.
        device: where the scene's arrays lie.
    """

    name = "picodet+mobilesam"

    def __init__(
        self,
        detector: Callable[[], Detector],
        segmenter: Callable[[], Segmenter],
        *,
        concepts: Path | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self._make_detector = detector
        self._make_segmenter = segmenter
        self._concepts_file = concepts
        self._device = torch.device(device)

    @staticmethod
    def of(
        weights: Callable[[str], Path],
        *,
        concepts: Path | None = None,
        device: torch.device | str = "cpu",
        calibration: Calibration | None = None,
    ) -> DefaultPerception:
        """With the default models.

        Args:
            weights: gives the folder of a model's files by its name, fetching it when needed.
            concepts: a file of words to use instead of the default one.
            device: where to run.
            calibration: of the detector, to use instead of the default one.
        """
        return DefaultPerception(
            lambda: PicoDetector(weights("picodet-s"), device, calibration),
            lambda: MobileSam.load(weights("mobile-sam") / "mobile_sam.pt", device),
            concepts=concepts,
            device=device,
        )

    @cached_property
    def _detector(self) -> Detector:
        return self._make_detector()

    @cached_property
    def _segmenter(self) -> Segmenter:
        return self._make_segmenter()

    @cached_property
    def _concepts(self) -> Mapping[str, Concept]:
        return load_concepts(self._detector.categories, self._concepts_file)

    @property
    def _calibration(self) -> dict[str, str]:
        detector = self._detector
        said = (
            {"detector": detector.calibration} if isinstance(detector, CalibratedDetector) else {}
        )
        said[COLOR] = default_model().describe()
        return {PROVENANCE: "; ".join(f"{name}: {way}" for name, way in said.items())}

    def perceive(self, image: np.ndarray) -> Scene:
        """See :meth:`Perception.perceive`.

        Raises:
            PerceptionError: the array is no image, or weights do not fit.
            ModelStoreError: weights cannot be fetched.
            LexiconError: the file of words is wrong.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise PerceptionError(
                f"an image must be uint8 [height, width, 3], not {image.dtype} {list(image.shape)}"
            )
        (found,) = self._detector.detect([image])
        return self._scene(image, found)

    def _scene(self, image: np.ndarray, found: Hypotheses) -> Scene:
        size = ImageSize(*image.shape[:2])
        boxes, existence = found.boxes.cpu(), found.existence.cpu()
        categories = found.categories.cpu()
        names = self._detector.categories
        count = len(boxes)
        person = categories[:, names.index(PERSON)] if PERSON in names else torch.zeros(count)
        unknown = torch.full((count, len(COLOURS)), 1 / len(COLOURS))
        scene = Scene(
            size=size,
            boxes=boxes,
            existence=existence,
            groups=found.group.cpu(),
            categories=Categorical(
                names, categories, torch.ones(count, dtype=torch.bool), self._detector.name
            ),
            attributes={
                COLOR: Categorical(
                    COLOURS, unknown, torch.zeros(count, dtype=torch.bool), "pixels in the mask"
                ),
                "size": geometry.sizes(boxes, existence, categories),
                **geometry.places(boxes, size),
            },
            relations=geometry.relations(boxes),
            measures=geometry.measures(boxes, size),
            distances=geometry.distances(boxes),
            concepts=self._concepts,
            pixels=PhotoPixels(image, boxes, person, lambda: self._segmenter),
            provenance={
                "perception": self.name,
                "detector": self._detector.name,
                "relations": geometry.SOURCE,
                **self._calibration,
            },
        )
        return scene.to(self._device)
