"""From raw detections to hypotheses of things: calibrated, and grouped where they compete.

A detector proposes several boxes for one thing: the whole person, her upper half, two people as
one. Suppression removes the near-identical ones. The rest stay, as *competing* hypotheses: boxes
of one duplicate group are exclusive, at most one of them exists. That is what keeps a count over
existence probabilities from counting a person twice.

All thresholds below were chosen on 53 COCO images against their gold boxes
(``benchmarks/fit_calibration.py`` measures them again and fits the numbers of the calibration).
The calibration that comes with the package is that of the default views; the scores of other
views, of the plain one too, are worth something else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from typing import Final, Self

import torch
from torch import Tensor

from neurosym.errors import PerceptionError
from neurosym.perception.picodet import (
    SUPPRESSION_IOU,
    RawDetections,
    areas,
    pairwise_intersection,
    pairwise_iou,
    suppress,
)

# Of 352 gold things only 3 pairs of one category overlap this much; two boxes of the detector that
# do are almost always two views of one thing, however sure it is of both.
SAME_CATEGORY_IOU: Final = 0.4
OTHER_CATEGORY_IOU: Final = 0.5
# A box inside a larger one of the same category is usually a part of that thing. Above the score
# it is usually a thing of its own: a child before a parent, a player in the distance.
CONTAINED_SHARE: Final = 0.7
OWN_THING_SCORE: Final = 0.45


@dataclass(frozen=True)
class Calibration:
    """What turns raw scores into probabilities.

    A box's existence has the log odds ``intercept + slope * logit(score)``, plus ``overlapped``
    when a better box competes with it by overlap, plus ``contained`` when it lies inside a better
    box of its own category; both are negative. A category's probability, given existence, is
    proportional to its score to the power ``category_power``.
    """

    intercept: float
    slope: float
    overlapped: float
    contained: float
    category_power: float

    @classmethod
    def default(cls) -> Self:
        """The calibration of PicoDet-S with its default views that comes with the package.

        Raises:
            PerceptionError: the data file is damaged.
        """
        name = "data/picodet_calibration.json"
        text = resources.files("neurosym.perception").joinpath(name).read_text("utf-8")
        return cls.from_json(text)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The calibration under the key ``parameters`` of a JSON object.

        Raises:
            PerceptionError: the text is not such an object.
        """
        try:
            parameters = json.loads(text)["parameters"]
            return cls(**{name: float(value) for name, value in parameters.items()})
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise PerceptionError(f"not a calibration: {error}") from error

    def log_odds(self, scores: Tensor, overlapped: Tensor, contained: Tensor) -> Tensor:
        """Log odds of existence, [box], of raw scores in [0, 1] and two [box] bool conditions."""
        odds = self.intercept + self.slope * torch.logit(scores, eps=1e-6)
        return odds + self.overlapped * overlapped + self.contained * contained

    def category_distribution(self, scores: Tensor) -> Tensor:
        """[box, category] probabilities, rows sum to 1, of raw class scores in [0, 1]."""
        powers = scores.clamp(min=1e-6) ** self.category_power
        return powers / powers.sum(dim=1, keepdim=True)


@dataclass(frozen=True, eq=False)
class Hypotheses:
    """Boxes that may be things, best first.

    Attributes:
        boxes: [box, 4] float32 xyxy, absolute pixels of the original frame, origin top left.
        existence: [box] float32 in [0, 1]; within a group they sum to at most 1.
        categories: [box, 80] float32, distribution over categories given existence; rows sum to 1.
        group: [box] int64, 0 to G - 1; at most one box of a group exists.
    """

    boxes: Tensor
    existence: Tensor
    categories: Tensor
    group: Tensor


@dataclass(frozen=True, eq=False)
class Candidates:
    """Boxes left by suppression, best first, and how each stands to the better ones.

    Attributes:
        boxes: [box, 4] as in the detections.
        scores: [box, 80] raw.
        overlapped: [box] bool, competes by overlap with a better box.
        contained: [box] bool, lies inside a better box of its own best category.
        group: [box] int64, the duplicate group; ids are not dense after filtering.
    """

    boxes: Tensor
    scores: Tensor
    overlapped: Tensor
    contained: Tensor
    group: Tensor


def hypotheses(
    raw: RawDetections, calibration: Calibration, *, floor: float = 0.05, limit: int = 300
) -> Hypotheses:
    """Calibrated, grouped hypotheses of the things in one image.

    Args:
        raw: what the detector says, from
            :meth:`neurosym.perception.picodet.PicoDet.detect_views`.
        calibration: what its scores mean.
        floor: boxes less likely to exist are left out.
        limit: how many boxes to keep at most.

    Returns:
        The hypotheses on the device of ``raw``, in the order of their raw scores.
    """
    best = raw.scores.amax(dim=1)
    nothing = torch.zeros_like(best, dtype=torch.bool)
    # Better boxes can only lower a probability, so that hopeless ones need not be compared.
    hopeful = calibration.log_odds(best, nothing, nothing).sigmoid() >= floor
    found = candidates(raw.boxes[hopeful], raw.scores[hopeful], limit=limit)
    existence = calibration.log_odds(
        found.scores.amax(dim=1), found.overlapped, found.contained
    ).sigmoid()
    existence = _exclusive(existence, found.group)
    kept = existence >= floor
    return Hypotheses(
        boxes=found.boxes[kept],
        existence=existence[kept],
        categories=calibration.category_distribution(found.scores[kept]),
        group=torch.unique(found.group[kept], return_inverse=True)[1],
    )


def candidates(boxes: Tensor, scores: Tensor, *, limit: int = 300) -> Candidates:
    """Suppresses near-identical boxes and finds the duplicate groups of the rest.

    Taken best first, a box joins the group of the best leader that it competes with, and else
    leads a group of its own. Groups do not chain: each member competes with the leader itself.

    Args:
        boxes: [point, 4] xyxy.
        scores: [point, 80] raw class scores.
        limit: how many boxes to keep at most.
    """
    kept = suppress(boxes, scores.amax(dim=1), SUPPRESSION_IOU, limit)
    boxes, scores = boxes[kept], scores[kept]
    best, category = scores.max(dim=1)
    same = category[:, None] == category[None, :]
    sizes = areas(boxes)
    iou = pairwise_iou(boxes, boxes)
    smaller = torch.minimum(sizes[:, None], sizes[None, :]).clamp(min=1e-9)
    nested = same & (pairwise_intersection(boxes, boxes) / smaller >= CONTAINED_SHARE)
    overlap = torch.where(same, iou >= SAME_CATEGORY_IOU, iou >= OTHER_CATEGORY_IOU)
    compete = overlap | (nested & (best < OWN_THING_SCORE)[:, None])
    return Candidates(
        boxes=boxes,
        scores=scores,
        overlapped=overlap.tril(-1).any(dim=1),
        contained=nested.tril(-1).any(dim=1),
        group=_groups(compete),
    )


def _groups(compete: Tensor) -> Tensor:
    """Group ids [box] from ``compete[later, earlier]``; see :func:`candidates`."""
    leaders: list[int] = []
    group: list[int] = []
    for position, rivals in enumerate(compete.tolist()):
        for index, leader in enumerate(leaders):
            if rivals[leader]:
                group.append(index)
                break
        else:
            group.append(len(leaders))
            leaders.append(position)
    return torch.tensor(group, dtype=torch.int64, device=compete.device)


def _exclusive(existence: Tensor, group: Tensor) -> Tensor:
    """Existence with each group's sum brought to at most 1.

    The leader keeps its probability: a hundred doubtful parts are no reason to doubt the whole.
    The others share what is left.
    """
    if not group.numel():
        return existence
    ids = torch.arange(int(group.max()) + 1, device=group.device)
    # Boxes come best first, so that a group's first box is its leader.
    leader = (group[None, :] == ids[:, None]).int().argmax(dim=1)
    room = 1 - existence[leader]
    others = existence.scatter(0, leader, 0.0)
    wanted = torch.zeros_like(room).scatter_add(0, group, others)
    share = (room / wanted.clamp(min=1e-9)).clamp(max=1.0)
    return (others * share[group]).scatter(0, leader, existence[leader])
