"""What can still be asked of the picture behind a scene."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from neurosym.errors import SceneError

if TYPE_CHECKING:
    from neurosym.scene import Scene


class ImageSize(NamedTuple):
    """The size of an image in pixels."""

    height: int
    width: int


class Intrinsics(NamedTuple):
    """A pinhole camera: focal lengths and principal point, all in pixels of the image."""

    fx: float
    fy: float
    cx: float
    cy: float


@dataclass(frozen=True, eq=False)
class DepthMap:
    """How far away every pixel is.

    Attributes:
        values: [height, width] float32 along the viewing axis, larger is farther; not finite where
            it is unknown.
        unit: "m" for metres, or "relative" when only the order means something.
        source: a model's name, or "given".
        intrinsics: of the camera, when they are known.

    Raises:
        SceneError: the values are not [height, width], or the unit is another.
    """

    values: Tensor
    unit: str = "m"
    source: str = "given"
    intrinsics: Intrinsics | None = None

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or not self.values.is_floating_point():
            raise SceneError(
                f"a depth map must be float [height, width], not {self.values.dtype} "
                f"{list(self.values.shape)}"
            )
        if self.unit not in ("m", "relative"):
            raise SceneError(f'the unit of a depth map is "m" or "relative", not "{self.unit}"')


def camera_coordinates(depth: DepthMap, masks: Tensor) -> Tensor:
    """Where things are in the camera's frame: X to the right, Y down, Z forward, in metres.

    A pixel whose centre lies at (u, v), measured from the top left corner of the image (so half a
    pixel into its row and column), at depth Z along the viewing axis, shows the point
    X = (u - cx) Z / fx, Y = (v - cy) Z / fy, Z. A thing is where the medians of the X, of the Y and
    of the Z of the pixels in its mask are: on the side that it turns to the camera.

    Args:
        depth: in metres, with intrinsics.
        masks: [K, height, width] bool.

    Returns:
        [K, 3] float32; not finite where no depth in the mask is known.

    Raises:
        SceneError: the depth is relative, the intrinsics are unknown, or the shapes differ.
    """
    if depth.unit != "m":
        raise SceneError(
            f'camera coordinates need depth in metres, and "{depth.source}" gives relative depth'
        )
    if depth.intrinsics is None:
        raise SceneError("camera coordinates need the camera: give DepthMap(intrinsics=...)")
    values = depth.values.float().cpu()
    if masks.shape[1:] != values.shape:
        raise SceneError(
            f"the masks are {list(masks.shape[1:])} and the depth map {list(values.shape)} "
            f"(height, width)"
        )
    fx, fy, cx, cy = depth.intrinsics
    found = torch.full((len(masks), 3), torch.nan)
    for row, mask in enumerate(masks.cpu()):
        v, u = torch.where(mask & values.isfinite())
        if len(v):
            z = values[v, u]
            points = torch.stack([(u + 0.5 - cx) * z / fx, (v + 0.5 - cy) * z / fy, z])
            found[row] = points.median(dim=1).values
    return found


@dataclass(frozen=True)
class Wanted:
    """The names in programs that a scene may have to be asked for.

    Attributes:
        nouns: what things are called.
        values: (attribute, value) pairs.
        attributes: attributes whose value is asked.
        relations: names of relations.
        anything: whether things of any kind are asked for.
    """

    nouns: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    attributes: tuple[str, ...] = ()
    relations: tuple[str, ...] = ()
    anything: bool = False


class Pixels(ABC):
    """What can still be asked of the picture behind a scene, answered when first asked for.

    Masks and colours cost time, so only the objects that matter to an answer are looked at.
    """

    @abstractmethod
    def image(self) -> Tensor | None:
        """The picture, [height, width, 3] uint8 RGB, or None when it is not at hand."""

    @abstractmethod
    def masks(self, indices: Sequence[int]) -> Tensor:
        """The masks of these objects: [len(indices), height, width] bool."""

    @abstractmethod
    def known_masks(self) -> Mapping[int, Tensor]:
        """The masks that need no more work: object index -> [height, width] bool."""

    @abstractmethod
    def score(self, attribute: str, indices: Sequence[int]) -> Tensor | None:
        """The distributions of an attribute for these objects: [len(indices), value] float32.

        None when this picture cannot tell.
        """

    @abstractmethod
    def evidence(self, attribute: str, value: str) -> Tensor | None:
        """How far each pixel shows a value: [height, width] float32 in [0, 1].

        None when single pixels say nothing about it.
        """

    def depth(self) -> DepthMap | None:
        """How far away every pixel is; None when nobody knows."""
        return None

    def look_for(self, scene: Scene, wanted: Wanted) -> Scene:  # noqa: ARG002
        """The scene with what programs name looked for in the picture, as far as that is possible.

        Objects of ``scene`` keep their numbers; what is found is added after them. Words that
        reach known categories become concepts. Attributes and relations that can be scored get
        tables without evidence, for :meth:`score` and :meth:`relate` to fill. A value of an open
        attribute, which excludes no other ("old"), gets an attribute of its own name with the
        values ("old", "not old").
        """
        return scene

    def unknown(self, noun: str) -> str:  # noqa: ARG002
        """Why a noun that was looked for reached no category, and what is near it.

        In one line; empty when nothing is known of it.
        """
        return ""

    def gauge(self, measure: str, indices: Sequence[int]) -> Tensor | None:  # noqa: ARG002
        """A measure of these objects read off their masks: [len(indices)] float32, in its unit.

        None when the scene's own numbers are as good.
        """
        return None

    def relate(
        self,
        relation: str,  # noqa: ARG002
        pairs: Sequence[tuple[int, int]],  # noqa: ARG002
    ) -> Tensor | None:
        """How probably figures stand in a relation to landmarks, read off the picture.

        Args:
            relation: its name in programs.
            pairs: (figure, landmark), object numbers.

        Returns:
            [len(pairs)] float32 in [0, 1], or None when this picture cannot tell.
        """
        return None

    def take(self, indices: Sequence[int]) -> Pixels:
        """The same for a scene that keeps only these objects, in this order."""
        return _TakenPixels(self, tuple(indices))


@dataclass(frozen=True)
class GivenMasks(Pixels):
    """Masks that are there already, without a picture.

    Attributes:
        size: the image's size.
        given: object index -> [height, width] bool.
        boxes: [N, 4] xyxy; an object without a mask is taken to fill its box. Without boxes
            every mask must be given.
    """

    size: ImageSize
    given: Mapping[int, Tensor]
    boxes: Tensor | None = None

    def image(self) -> Tensor | None:  # noqa: D102 - inherited
        return None

    def masks(self, indices: Sequence[int]) -> Tensor:  # noqa: D102 - inherited
        missing = [i for i in indices if i not in self.given]
        if self.boxes is None:
            if missing:
                raise SceneError(f"this scene holds no mask for object {missing[0]}")
            boxes = torch.zeros((len(indices), 4))
        else:
            boxes = self.boxes[list(indices)]
        made = box_masks(boxes, self.size)
        for row, index in enumerate(indices):
            if index in self.given:
                made[row] = self.given[index]
        return made

    def known_masks(self) -> Mapping[int, Tensor]:  # noqa: D102 - inherited
        return dict(self.given)

    def score(self, attribute: str, indices: Sequence[int]) -> Tensor | None:  # noqa: ARG002, D102
        return None

    def evidence(self, attribute: str, value: str) -> Tensor | None:  # noqa: ARG002, D102
        return None


def box_masks(boxes: Tensor, size: ImageSize) -> Tensor:
    """Masks [K, height, width] bool of filled boxes [K, 4] xyxy; at least a pixel wide and high."""
    made = torch.zeros((len(boxes), *size), dtype=torch.bool)
    for row, box in enumerate(boxes.tolist()):
        x1, y1, x2, y2 = (round(v) for v in box)
        columns = slice(max(x1, 0), max(x2, x1 + 1, 0))
        made[row, max(y1, 0) : max(y2, y1 + 1, 0), columns] = True
    return made


def portion_masks(
    boxes: Tensor, portion: tuple[float, float, float, float], size: ImageSize
) -> Tensor:
    """The pixels whose centres lie in a portion of each box.

    Args:
        boxes: [K, 4] xyxy in pixels.
        portion: (x1, y1, x2, y2) as shares of the box's width and height, y down.
        size: of the image.

    Returns:
        [K, height, width] bool, on the CPU.
    """
    left, top, right, bottom = portion
    x1, y1, x2, y2 = (boxes[:, side, None].cpu() for side in range(4))
    across, down = torch.arange(size.width) + 0.5, torch.arange(size.height) + 0.5
    wide, high = x2 - x1, y2 - y1
    columns = (across >= x1 + left * wide) & (across < x1 + right * wide)
    rows = (down >= y1 + top * high) & (down < y1 + bottom * high)
    return rows[:, :, None] & columns[:, None, :]


@dataclass(frozen=True)
class _TakenPixels(Pixels):
    whole: Pixels
    indices: tuple[int, ...]

    def image(self) -> Tensor | None:
        return self.whole.image()

    def masks(self, indices: Sequence[int]) -> Tensor:
        return self.whole.masks([self.indices[i] for i in indices])

    def known_masks(self) -> Mapping[int, Tensor]:
        there = self.whole.known_masks()
        return {new: there[old] for new, old in enumerate(self.indices) if old in there}

    def score(self, attribute: str, indices: Sequence[int]) -> Tensor | None:
        return self.whole.score(attribute, [self.indices[i] for i in indices])

    def gauge(self, measure: str, indices: Sequence[int]) -> Tensor | None:
        return self.whole.gauge(measure, [self.indices[i] for i in indices])

    def evidence(self, attribute: str, value: str) -> Tensor | None:
        return self.whole.evidence(attribute, value)

    def depth(self) -> DepthMap | None:
        return self.whole.depth()

    def unknown(self, noun: str) -> str:
        return self.whole.unknown(noun)

    def relate(self, relation: str, pairs: Sequence[tuple[int, int]]) -> Tensor | None:
        return self.whole.relate(relation, [(self.indices[i], self.indices[j]) for i, j in pairs])
