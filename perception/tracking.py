"""Which thing of one frame is which of the next: tracking by detection.

The method is that of the simple trackers of the field, put together of three published parts.

- Things are matched to tracks so that the total likeness is greatest, where a track's box is moved
  on by its mean speed (Bewley et al., "Simple online and realtime tracking", ICIP 2016, with an
  exponential average in place of the Kalman filter).
- Likeness is the overlap of boxes that are grown on every side, so that a fast thing still overlaps
  itself (Yang et al., "Hard to track objects with irregular motions and similar appearances? Make
  it easier by buffering the matching space", WACV 2023), times the Bhattacharyya coefficient of the
  categories' distributions, so that a dog does not become the cup behind it.
- Sure things are matched first; doubtful ones may continue a track that was seen in the frame
  before, and never start one (Zhang et al., "ByteTrack: multi-object tracking by associating every
  detection box", ECCV 2022).

Nothing is compared by its looks: two things of one kind that swap places unseen swap numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from neurosym.errors import OptionError
from neurosym.perception.boxes import pairwise_iou
from neurosym.scene import Scene

NO_TRACK: Final = -1
"""The track of hypotheses that are too doubtful to start one."""
MEMORY: Final = 30
SURE: Final = 0.5
DOUBTFUL: Final = 0.1
LEAST_LIKENESS: Final = 0.1
_GROWN: Final = 0.3
_NEW: Final = 0.5
"""The share of the newest frame in a track's mean speed and mean categories."""


@dataclass
class _Track:
    number: int
    box: Tensor  # [4] xyxy, where it was seen last
    speed: Tensor  # [2] pixels per frame
    categories: Tensor  # [C]
    missed: int = 0  # frames since it was seen

    def places(self) -> Tensor:
        """[K, 4] where it may be now: where its speed takes it, or, once lost, where it was."""
        moved = self.box + (self.speed * (self.missed + 1)).repeat(2)
        return torch.stack([moved, self.box] if self.missed else [moved])


@dataclass
class _Thing:
    rows: Tensor  # [M] objects, the hypotheses of one thing
    existence: float
    categories: Tensor  # [C]


class Tracker:
    """Gives the things of successive scenes numbers that stay.

    Hypotheses of one thing (a group of the scene) have one number. A thing that is not seen for a
    while keeps its number when it comes back in time, where its speed has taken it or where it was
    seen last.

    Args:
        memory: for how many frames a thing that is not seen is remembered.
        sure: existence of a thing, its hypotheses together, that starts a track.

    Raises:
        OptionError: an argument is out of its range.

    Example:
        >>> from neurosym.scene import Scene
        >>> tracker = Tracker()
        >>> tracker.update(Scene.empty((48, 64)))
        tensor([], dtype=torch.int64)
    """

    def __init__(self, *, memory: int = MEMORY, sure: float = SURE) -> None:
        if memory < 0:
            raise OptionError(f"memory must be at least 0 frames, not {memory}")
        if not DOUBTFUL <= sure <= 1:
            raise OptionError(f"sure must lie in [{DOUBTFUL}, 1], not {sure}")
        self._memory = memory
        self._sure = sure
        self._tracks: list[_Track] = []
        self._names: tuple[str, ...] = ()
        self._next = 0

    def update(self, scene: Scene) -> Tensor:
        """The tracks of the next frame's objects.

        Args:
            scene: of the frame that follows the last one.

        Returns:
            [N] int64 on the CPU, numbers from 0 in the order in which things came; ``NO_TRACK`` for
            hypotheses that belong to none.
        """
        self._use_names(scene.categories.values)
        boxes = scene.boxes.detach().cpu().float()
        numbers = torch.full((len(boxes),), NO_TRACK, dtype=torch.int64)
        things = [thing for thing in _things(scene) if thing.existence >= DOUBTFUL]
        sure = [thing for thing in things if thing.existence >= self._sure]
        doubtful = [thing for thing in things if thing.existence < self._sure]
        matched = self._match(self._tracks, sure, boxes)
        taken = {id(track) for track, _ in matched}
        recent = [t for t in self._tracks if id(t) not in taken and not t.missed]
        matched += self._match(recent, doubtful, boxes)
        found = {id(thing) for _, thing in matched}
        for track, thing in matched:
            self._follow(track, thing, boxes, scene.existence.detach().cpu())
            numbers[thing.rows] = track.number
        seen = {id(track) for track, _ in matched}
        self.miss(seen)
        for thing in sure:
            if id(thing) not in found:
                best = thing.rows[scene.existence.detach().cpu()[thing.rows].argmax()]
                self._tracks.append(
                    _Track(self._next, boxes[best], torch.zeros(2), thing.categories)
                )
                numbers[thing.rows] = self._next
                self._next += 1
        return numbers

    def miss(self, seen: set[int] | frozenset[int] = frozenset()) -> None:
        """A frame goes by in which no track is seen, such as one that cannot be read."""
        for track in self._tracks:
            track.missed = 0 if id(track) in seen else track.missed + 1
        self._tracks = [track for track in self._tracks if track.missed <= self._memory]

    def _use_names(self, names: tuple[str, ...]) -> None:
        """Brings the tracks' distributions to the columns of another vocabulary."""
        if names != self._names:
            column = {name: i for i, name in enumerate(self._names)}
            for track in self._tracks:
                track.categories = torch.tensor(
                    [float(track.categories[column[n]]) if n in column else 0.0 for n in names]
                )
            self._names = names

    def _match(
        self, tracks: Sequence[_Track], things: Sequence[_Thing], boxes: Tensor
    ) -> list[tuple[_Track, _Thing]]:
        """Pairs of the greatest total likeness."""
        from networkx import Graph, max_weight_matching

        graph = Graph()
        for i, track in enumerate(tracks):
            for j, thing in enumerate(things):
                likeness = self._likeness(track, thing, boxes)
                if likeness >= LEAST_LIKENESS:
                    graph.add_edge((0, i), (1, j), weight=likeness)
        pairs = sorted(tuple(sorted(pair)) for pair in max_weight_matching(graph))
        return [(tracks[i], things[j]) for (_, i), (_, j) in pairs]

    def _likeness(self, track: _Track, thing: _Thing, boxes: Tensor) -> float:
        overlap = float(_overlaps(track.places(), boxes[thing.rows]).max())
        if overlap < LEAST_LIKENESS or not self._names:
            return overlap
        return overlap * float((track.categories * thing.categories).sqrt().sum())

    def _follow(self, track: _Track, thing: _Thing, boxes: Tensor, existence: Tensor) -> None:
        """Moves a track to a thing: to the hypothesis that fits it, for these change places."""
        fits = _overlaps(track.places(), boxes[thing.rows]).amax(dim=0)
        box = boxes[thing.rows[(fits * existence[thing.rows]).argmax()]]
        step = (_centre(box) - _centre(track.box)) / (track.missed + 1)
        known = bool(track.speed.any())
        track.speed = torch.lerp(track.speed, step, _NEW) if known else step
        track.box = box
        track.categories = torch.lerp(track.categories, thing.categories, _NEW)


def _things(scene: Scene) -> list[_Thing]:
    existence = scene.existence.detach().cpu().float()
    table = scene.categories.probabilities.detach().cpu().float()
    groups = scene.groups.cpu()
    things = []
    for group in torch.unique(groups).tolist():
        rows = (groups == group).nonzero().flatten()
        share = existence[rows]
        total = float(share.sum())
        mean = (share[:, None] * table[rows]).sum(dim=0) / max(total, 1e-9)
        things.append(_Thing(rows, total, mean))
    return things


def _overlaps(first: Tensor, second: Tensor) -> Tensor:
    """[K, M] IoU of boxes [K, 4] and [M, 4] that are grown on every side."""
    return pairwise_iou(_grow(first), _grow(second))


def _grow(boxes: Tensor) -> Tensor:
    margin = (boxes[:, 2:] - boxes[:, :2]) * _GROWN
    return torch.cat([boxes[:, :2] - margin, boxes[:, 2:] + margin], dim=1)


def _centre(box: Tensor) -> Tensor:
    return (box[:2] + box[2:]) / 2
