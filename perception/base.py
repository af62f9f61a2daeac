"""The small interfaces that perception is composed of.

A back end is any object with the attributes and methods of one or more of these protocols; none
needs to derive from anything. What each score is worth is not the back end's business: it hands
over its own scores, and :mod:`neurosym.perception.detections` makes probabilities of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, overload, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from neurosym.errors import PerceptionError
from neurosym.perception.boxes import overlaps, pairwise_iou
from neurosym.perception.images import MAX_PIXELS
from neurosym.perception.many import AHEAD, OnError, loaded, perceived, sources_of
from neurosym.pixels import DepthMap
from neurosym.scene import Scene

_SAME_BOX_IOU = 0.9
_SAME_MASK_IOU = 0.5


@dataclass(frozen=True, eq=False)
class Detections:
    """What a detector says of one image.

    Attributes:
        boxes: [N, 4] float32 xyxy, absolute pixels of the original image, origin top left.
        scores: [N, C] float32 in [0, 1], one per category or phrase. They rank; they need not be
            probabilities, and a row need not sum to 1.
        masks: [N, height, width] bool in the frame of the original image, when the detector gives
            them.

    Raises:
        PerceptionError: shapes or ranges do not fit.
    """

    boxes: Tensor
    scores: Tensor
    masks: Tensor | None = None

    def __post_init__(self) -> None:
        for what in ("boxes", "scores", "masks"):
            given = getattr(self, what)
            if not isinstance(given, Tensor) and not (what == "masks" and given is None):
                raise PerceptionError(f"{what} must be a tensor, not {type(given).__name__}")
        count = len(self.boxes)
        if self.boxes.ndim != 2 or self.boxes.shape[1] != 4:
            raise PerceptionError(f"boxes must be [N, 4], not {list(self.boxes.shape)}")
        if self.scores.ndim != 2 or len(self.scores) != count:
            raise PerceptionError(
                f"the scores of {count} boxes must be [{count}, C], not {list(self.scores.shape)}"
            )
        if not bool(torch.isfinite(self.boxes).all()):
            raise PerceptionError("boxes must be finite")
        if not bool(((self.scores >= 0) & (self.scores <= 1)).all()):
            raise PerceptionError("scores must lie in [0, 1]: apply a sigmoid or softmax to logits")
        if self.masks is not None and (
            self.masks.ndim != 3 or len(self.masks) != count or self.masks.dtype is not torch.bool
        ):
            raise PerceptionError(
                f"the masks of {count} boxes must be bool [{count}, height, width], "
                f"not {self.masks.dtype} {list(self.masks.shape)}"
            )

    @staticmethod
    def of_labels(
        boxes: Tensor,
        scores: Tensor,
        labels: Tensor,
        categories: int,
        masks: Tensor | None = None,
    ) -> Detections:
        """Of a detector that gives each box one label.

        A box that is proposed again under another label (IoU of at least 0.9, and that of the
        masks, if there are any, at least 0.5) is one row with both scores: the labels are
        alternatives, not two things. It keeps the mask of the better score.

        Args:
            boxes: [N, 4] xyxy, absolute pixels.
            scores: [N] in [0, 1].
            labels: [N] int64, columns of the categories.
            categories: how many categories there are.
            masks: [N, height, width] bool, or None.

        Example:
            >>> boxes = torch.tensor([[0.0, 0, 9, 9], [0, 0, 9, 9], [20, 0, 29, 9]])
            >>> scores, labels = torch.tensor([0.8, 0.6, 0.5]), torch.tensor([1, 0, 0])
            >>> Detections.of_labels(boxes, scores, labels, 2).scores
            tensor([[0.6000, 0.8000],
                    [0.5000, 0.0000]])
        """
        labels = labels.long()
        if len(labels) and not bool(((labels >= 0) & (labels < categories)).all()):
            raise PerceptionError(f"labels must be numbers from 0 to {categories - 1}")
        order = scores.argsort(descending=True, stable=True)
        same = pairwise_iou(boxes[order], boxes[order]) >= _SAME_BOX_IOU
        if masks is not None and bool((same.sum(dim=1) > 1).any()):
            # A wall and the floor below it may have one box. The masks of a box's labels differ
            # more than its coordinates, which one regression gives for each.
            shapes = masks[order]
            same &= overlaps(boxes[order], boxes[order], shapes, shapes)[0] >= _SAME_MASK_IOU
        rows: list[int] = []
        table: list[Tensor] = []
        for position, index in enumerate(order.tolist()):
            label = int(labels[index])
            row = next(
                (r for r, kept in enumerate(rows) if same[position, kept] and not table[r][label]),
                None,
            )
            if row is None:
                row = len(rows)
                rows.append(position)
                table.append(torch.zeros(categories))
            table[row][label] = float(scores[index])
        kept_rows = order[rows]
        return Detections(
            boxes[kept_rows].float(),
            torch.stack(table).to(boxes.device) if table else boxes.new_zeros((0, categories)),
            None if masks is None else masks[kept_rows],
        )


@runtime_checkable
class Detector(Protocol):
    """Finds things of a closed vocabulary.

    Attributes:
        name: what the scene's provenance says of it: model, weights, version.
    """

    name: str

    @property
    def categories(self) -> tuple[str, ...]:
        """The names of the columns of :attr:`Detections.scores`."""

    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        """The things in each image, one result an image.

        Args:
            images: uint8 [height, width, 3] RGB, of any sizes.
        """


@runtime_checkable
class OpenDetector(Protocol):
    """Finds what phrases name.

    Attributes:
        name: what the scene's provenance says of it.
    """

    name: str

    def detect_phrases(
        self, images: Sequence[np.ndarray], phrases: Sequence[str]
    ) -> list[Detections]:
        """What each image shows of the phrases, all of them in one forward pass.

        Args:
            images: uint8 [height, width, 3] RGB.
            phrases: nouns and noun phrases, lower case; the columns of the scores.
        """


@runtime_checkable
class Segmenter(Protocol):
    """Gives the mask of what a box holds."""

    def encode(self, image: np.ndarray) -> Any:
        """What needs doing once per image, from uint8 [height, width, 3] RGB."""

    def masks(self, embedding: Any, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Masks [K, height, width] bool and their expected IoU [K], for boxes [K, 4] xyxy."""


@runtime_checkable
class AttributeModel(Protocol):
    """Says which words describe an object.

    Attributes:
        name: what the source of its tables says.
    """

    name: str

    def attributes(
        self, image: np.ndarray, boxes: Tensor, nouns: Sequence[str], values: Sequence[str]
    ) -> Tensor:
        """How well each value describes each object.

        Args:
            image: uint8 [height, width, 3] RGB.
            boxes: [K, 4] xyxy, absolute pixels.
            nouns: what each object is, K words.
            values: V words, such as "old", "striped", "wooden".

        Returns:
            [K, V] float32 in [0, 1], each value by itself: that the object is so.
        """


@runtime_checkable
class RelationModel(Protocol):
    """Says which of two objects stands in a relation to the other.

    Attributes:
        name: what the source of its tables says.
    """

    name: str

    def relations(
        self,
        image: np.ndarray,
        figures: Tensor,
        landmarks: Tensor,
        nouns: Sequence[tuple[str, str]],
        relation: str,
    ) -> Tensor:
        """How well a relation describes each pair.

        Args:
            image: uint8 [height, width, 3] RGB.
            figures: [P, 4] xyxy, absolute pixels.
            landmarks: [P, 4] likewise.
            nouns: what figure and landmark are, P pairs.
            relation: its name in programs, such as "riding" or "lean_against".

        Returns:
            [P] float32 in [0, 1].
        """


@runtime_checkable
class DepthModel(Protocol):
    """Estimates how far away every pixel is.

    Attributes:
        name: what the source of the depth measure says.
    """

    name: str

    def depth(self, images: Sequence[np.ndarray]) -> list[DepthMap]:
        """One map for each uint8 [height, width, 3] RGB image, in the image's own frame."""


@runtime_checkable
class HeatMapModel(Protocol):
    """Says of every pixel how well words describe it.

    Attributes:
        name: what the provenance says of it.
    """

    name: str

    def heat_maps(self, image: np.ndarray, phrases: Sequence[str]) -> Tensor:
        """[P, height, width] float32 in [0, 1] for P phrases, in the image's own frame."""


class Perception(ABC):
    """Makes scenes of images."""

    name: str

    @abstractmethod
    def perceive(self, image: np.ndarray, *, depth: DepthMap | None = None) -> Scene:
        """The scene of one image.

        Args:
            image: uint8 [height, width, 3] RGB.
            depth: how far away every pixel is, when a camera has measured it.
        """

    @property
    def batch(self) -> int:
        """How many images it is best given at once."""
        return 1

    @property
    def fingerprint(self) -> str | None:
        """What its scenes depend on beside the image: code, weights and settings, in one word.

        Scenes that were saved under the same fingerprint are those that :meth:`perceive` would
        make. None when nobody can tell: then scenes cannot be cached.
        """
        return None

    def revive(self, scene: Scene, image: np.ndarray) -> Scene:  # noqa: ARG002
        """A saved scene of this perception with its image at hand again, as good as a new one.

        Args:
            scene: as :meth:`perceive` made it, since saved and loaded.
            image: uint8 [height, width, 3] RGB.
        """
        return scene

    def prepare(self) -> None:  # noqa: B027 - there may be nothing to do
        """Load what the first image needs, so that wrong weights are found before it."""

    def perceive_batch(self, images: Sequence[np.ndarray]) -> list[Scene]:
        """The scenes of several images, as :meth:`perceive` makes them; here one by one.

        Args:
            images: uint8 [height, width, 3] RGB, of any sizes.
        """
        return [self.perceive(image) for image in images]

    @overload
    def perceive_many(
        self,
        images: Any,
        *,
        batch: int | None = ...,
        ahead: int = ...,
        progress: bool = ...,
        on_error: Literal["raise"] = ...,
        max_pixels: int = ...,
    ) -> Iterator[Scene]: ...

    @overload
    def perceive_many(
        self,
        images: Any,
        *,
        batch: int | None = ...,
        ahead: int = ...,
        progress: bool = ...,
        on_error: Literal["yield"],
        max_pixels: int = ...,
    ) -> Iterator[Scene | PerceptionError]: ...

    def perceive_many(
        self,
        images: Any,
        *,
        batch: int | None = None,
        ahead: int = AHEAD,
        progress: bool = False,
        on_error: OnError = "raise",
        max_pixels: int = MAX_PIXELS,
    ) -> Iterator[Scene] | Iterator[Scene | PerceptionError]:
        """The scenes of many images, in their order, each as :meth:`perceive` makes it.

        Images are read in a thread while others are perceived. At most ``batch + ahead`` of them
        are in memory that have not been handed over; a scene keeps its own image.

        Args:
            images: a folder (its image files in natural order), or any iterable of what
                :func:`neurosym.perception.images.load_image` takes, also one without end. It is
                read in a thread, one image at a time.
            batch: how many images are perceived together; :attr:`batch` when left out. A source
                that is slow, such as a camera, is best served by 1: a batch waits until it is full.
            ahead: how many images are read beyond the batch.
            progress: draw a bar on stderr when that is a terminal.
            on_error: "raise" stops at the first image that fails, after the scenes before it;
                "yield" gives its error in the place of its scene, and goes on.
            max_pixels: largest image that is taken.

        Raises:
            OptionError: an option is out of its range.
            PerceptionError: ``images`` is one image, or a folder without any; later, an image
                fails.
        """
        sources, total = sources_of(images)
        self.prepare()
        return perceived(
            self.perceive_batch,
            loaded(sources, max_pixels=max_pixels),
            total=total,
            batch=self.batch if batch is None else batch,
            ahead=ahead,
            progress=progress,
            on_error=on_error,
        )
