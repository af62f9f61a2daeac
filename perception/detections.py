"""From raw detections to hypotheses of things: calibrated, and grouped where they compete.

A detector proposes several boxes for one thing: the whole person, her upper half, two people as
one. Suppression removes the near-identical ones. The rest stay, as *competing* hypotheses: boxes
of one duplicate group are exclusive, at most one of them exists. That is what keeps a count over
existence probabilities from counting a person twice.

All thresholds below were chosen on 53 COCO images against their gold boxes
(``benchmarks/fit_calibration.py`` measures them again and fits the numbers of the calibration).
The calibration that comes with the package is that of the default views; the scores of other
views, of the plain one too, are worth something else. :meth:`Calibration.fit` makes one of other
images, or for another idea of what a right box is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any, Final, Self

import torch
from torch import Tensor
from torch.nn import functional

from neurosym.errors import DataError, PerceptionError
from neurosym.perception.base import Detections
from neurosym.perception.boxes import (
    SUPPRESSION_IOU,
    areas,
    overlaps,
    pairwise_intersection,
    pairwise_iou,
    suppress,
)
from neurosym.perception.calibration import (
    Isotonic,
    Temperature,
    calibrator_of,
    fingerprint,
)
from neurosym.perception.groups import leader_groups, within_groups

# Of 352 gold things only 3 pairs of one category overlap this much; two boxes of the detector that
# do are almost always two views of one thing, however sure it is of both.
SAME_CATEGORY_IOU: Final = 0.4
OTHER_CATEGORY_IOU: Final = 0.5
# A box inside a larger one of the same category is usually a part of that thing. Above the score
# it is usually a thing of its own: a child before a parent, a player in the distance.
CONTAINED_SHARE: Final = 0.7
OWN_THING_SCORE: Final = 0.45
RIGHT_IOU: Final = 0.3
"""From this IoU with a gold box on, a box is evidence of that thing, if a loose one."""
NOTHING: Final = -1
"""The truth of a box that is no thing."""

FORMAT: Final = "neurosym-calibration/1"
# Slight, so that a term that the examples do not show stays finite.
_TERM_PENALTY: Final = 0.01


@dataclass(frozen=True)
class Calibration:
    """What turns raw scores into probabilities.

    A box's existence has the log odds ``intercept + slope * logit(score)`` for its best score, plus
    ``overlapped`` when a better box competes with it by overlap, plus ``contained`` when it lies
    inside a better box of its own category; both are negative. A term for each category was tried:
    it lowers the log loss a little, but loses more things to the floor than it finds.
    ``after`` then maps the probability. The category, given existence, has the scores at the
    temperature ``categories``.

    Attributes:
        intercept, slope, overlapped, contained: log odds, as above.
        categories: of class scores.
        after: the last step, or None.
        fitted_on: on what it was fitted, for the provenance of scenes.
    """

    intercept: float
    slope: float
    overlapped: float
    contained: float
    categories: Temperature
    after: Isotonic | Temperature | None = None
    fitted_on: str = ""

    @classmethod
    def default(cls) -> Self:
        """The calibration of PicoDet-S with its default views that comes with the package.

        Raises:
            PerceptionError: the data file is damaged.
        """
        name = "data/picodet_calibration.json"
        return cls.from_json(
            resources.files("neurosym.perception").joinpath(name).read_text("utf-8")
        )

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """The calibration in a file that ``benchmarks/fit_calibration.py`` wrote.

        Raises:
            PerceptionError: there is no such file, or it holds no calibration.
        """
        try:
            return cls.from_json(Path(path).read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise PerceptionError(f'cannot read the calibration "{path}": {error}') from error
        except PerceptionError as error:
            raise PerceptionError(f"{path}: {error.message}") from None

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The calibration whose :meth:`to_document` a text of JSON holds.

        Raises:
            PerceptionError: the text holds none.
        """
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise PerceptionError(f"not a calibration: {error}") from error
        return cls.from_document(document)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """What :meth:`to_document` wrote; other keys, such as a provenance, are left aside.

        Raises:
            PerceptionError: the document is something else.
        """
        if not isinstance(document, Mapping) or document.get("format") != FORMAT:
            raise PerceptionError(f'not a calibration: expected "format": "{FORMAT}"')
        try:
            after, categories = document["after"], calibrator_of(document["categories"])
            if not isinstance(categories, Temperature):
                raise PerceptionError("not a calibration: categories need a temperature")
            return cls(
                float(document["intercept"]),
                float(document["slope"]),
                float(document["overlapped"]),
                float(document["contained"]),
                categories=categories,
                after=None if after is None else calibrator_of(after),
                fitted_on=str(document["fitted_on"]),
            )
        except (ValueError, TypeError, KeyError) as error:
            raise PerceptionError(f"not a calibration: {error!r}") from error

    def to_document(self) -> dict[str, Any]:
        """Plain names and numbers, ready for JSON."""
        return {
            "format": FORMAT,
            "intercept": self.intercept,
            "slope": self.slope,
            "overlapped": self.overlapped,
            "contained": self.contained,
            "categories": self.categories.to_document(),
            "after": None if self.after is None else self.after.to_document(),
            "fitted_on": self.fitted_on,
        }

    @classmethod
    def fit(
        cls,
        examples: Sequence[Example],
        *,
        after: type[Isotonic] | type[Temperature] | None = None,
        fitted_on: str = "",
    ) -> Self:
        """The calibration of the greatest likelihood, slightly regularised.

        Args:
            examples: images whose things are known.
            after: the kind of the last step. On the 53 images of the default calibration neither
                kind gains anything; with some thousands of images isotonic may.
            fitted_on: as for the class.

        Raises:
            DataError: the examples have no box that is a thing, or none that is not.
        """
        counted = [example.counted for example in examples]
        right = _joined([e.truth != NOTHING for e in examples], counted)
        if not right.any() or right.all():
            raise DataError("a calibration needs boxes that are things, and boxes that are none")
        scores = _joined([e.found.scores for e in examples], counted)
        overlapped = _joined([e.found.overlapped for e in examples], counted)
        contained = _joined([e.found.contained for e in examples], counted)
        best = scores.amax(dim=1)
        columns = [torch.ones_like(best), torch.logit(best, eps=1e-6), overlapped, contained]
        inputs = torch.stack(columns, dim=1).double()
        weights = torch.zeros(inputs.shape[1], dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.LBFGS([weights], max_iter=100, line_search_fn="strong_wolfe")

        def loss() -> Tensor:
            optimizer.zero_grad()
            value = functional.binary_cross_entropy_with_logits(
                inputs @ weights, right.double(), reduction="sum"
            )
            value = value + _TERM_PENALTY * weights[1:].square().sum()
            value.backward()  # type: ignore[no-untyped-call]
            return value

        optimizer.step(loss)  # type: ignore[no-untyped-call]
        intercept, slope, overlap, containment = (round(weight, 4) for weight in weights.tolist())
        named = _joined([e.truth for e in examples], counted)[right]
        fitted = cls(
            intercept,
            slope,
            min(0.0, overlap),
            min(0.0, containment),
            categories=Temperature(round(Temperature.fit(scores[right], named).temperature, 4)),
            fitted_on=fitted_on,
        )
        if after is None:
            return fitted
        last = after.fit(fitted.existence(scores, overlapped, contained), right)
        return replace(fitted, after=last)

    def existence(self, scores: Tensor, overlapped: Tensor, contained: Tensor) -> Tensor:
        """The probability that each box is a thing.

        Args:
            scores: [box, category] raw, in [0, 1].
            overlapped: [box] bool; see :class:`Candidates`.
            contained: [box] bool.

        Returns:
            [box] float32 in [0, 1].
        """
        odds = self.intercept + self.slope * torch.logit(scores.amax(dim=1), eps=1e-6)
        odds = odds + self.overlapped * overlapped + self.contained * contained
        return odds.sigmoid() if self.after is None else self.after(odds.sigmoid())

    def category_distribution(self, scores: Tensor) -> Tensor:
        """[box, category] probabilities, rows sum to 1, of raw class scores in [0, 1]."""
        return self.categories(scores)

    def describe(self) -> str:
        """One line for a scene's provenance: what the steps are, on what fitted, a fingerprint."""
        steps = ["existence logistic"]
        if self.after is not None:
            steps.append(f"then {self.after.kind}")
        steps.append(f"categories at temperature {self.categories.temperature:.3g}")
        if self.fitted_on:
            steps.append(f"fitted on {self.fitted_on}")
        return f"{', '.join(steps)}, sha256 {fingerprint(self.to_document())}"


@dataclass(frozen=True, eq=False)
class Hypotheses:
    """Boxes that may be things, best first.

    Attributes:
        boxes: [box, 4] float32 xyxy, absolute pixels of the original frame, origin top left.
        existence: [box] float32 in [0, 1]; within a group they sum to at most 1.
        categories: [box, C] float32, distribution over categories given existence; rows sum to 1.
        group: [box] int64, 0 to G - 1; at most one box of a group exists.
        masks: [box, height, width] bool, when the detector gave them.
    """

    boxes: Tensor
    existence: Tensor
    categories: Tensor
    group: Tensor
    masks: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Candidates:
    """Boxes left by suppression, best first, and how each stands to the better ones.

    Attributes:
        boxes: [box, 4] as in the detections.
        scores: [box, C] raw.
        overlapped: [box] bool, competes by overlap with a better box.
        contained: [box] bool, lies inside a better box of its own best category.
        group: [box] int64, the duplicate group; ids are not dense after filtering.
        rows: [box] int64, which detection each box is.
    """

    boxes: Tensor
    scores: Tensor
    overlapped: Tensor
    contained: Tensor
    group: Tensor
    rows: Tensor


def hypotheses(
    raw: Detections, calibration: Calibration, *, floor: float = 0.05, limit: int = 300
) -> Hypotheses:
    """Calibrated, grouped hypotheses of the things in one image.

    Args:
        raw: what the detector says.
        calibration: what its scores mean.
        floor: boxes less likely to exist are left out.
        limit: how many boxes to keep at most.

    Returns:
        The hypotheses on the device of ``raw``, in the order of their raw scores.
    """
    nothing = torch.zeros(len(raw.boxes), dtype=torch.bool, device=raw.boxes.device)
    if not len(nothing):
        return Hypotheses(raw.boxes, raw.boxes[:, 0], raw.scores, nothing.long(), raw.masks)
    # Better boxes can only lower a probability, so that hopeless ones need not be compared.
    hopeful = calibration.existence(raw.scores, nothing, nothing) >= floor
    masks = None if raw.masks is None else raw.masks[hopeful]
    found = candidates(raw.boxes[hopeful], raw.scores[hopeful], masks, limit=limit)
    existence = calibration.existence(found.scores, found.overlapped, found.contained)
    existence = within_groups(existence, found.group)
    kept = existence >= floor
    return Hypotheses(
        boxes=found.boxes[kept],
        existence=existence[kept],
        categories=calibration.category_distribution(found.scores[kept]),
        group=torch.unique(found.group[kept], return_inverse=True)[1],
        masks=None if masks is None else masks[found.rows[kept]],
    )


def candidates(
    boxes: Tensor, scores: Tensor, masks: Tensor | None = None, *, limit: int = 300
) -> Candidates:
    """Suppresses near-identical boxes and finds the duplicate groups of the rest.

    Taken best first, a box joins the group of the best leader that it competes with, and else
    leads a group of its own. Groups do not chain: each member competes with the leader itself.

    Args:
        boxes: [point, 4] xyxy.
        scores: [point, C] raw class scores.
        masks: [point, height, width] bool, when the detector gives them: then they say what
            overlaps, see :func:`neurosym.perception.boxes.overlaps`.
        limit: how many boxes to keep at most.
    """
    kept = suppress(boxes, scores.amax(dim=1), SUPPRESSION_IOU, limit, masks)
    boxes, scores = boxes[kept], scores[kept]
    masks = None if masks is None else masks[kept]
    best, category = scores.max(dim=1)
    same = category[:, None] == category[None, :]
    iou, share = overlaps(boxes, boxes, masks, masks)
    nested = same & (share >= CONTAINED_SHARE)
    overlap = torch.where(same, iou >= SAME_CATEGORY_IOU, iou >= OTHER_CATEGORY_IOU)
    compete = overlap | (nested & (best < OWN_THING_SCORE)[:, None])
    return Candidates(
        boxes=boxes,
        scores=scores,
        overlapped=overlap.tril(-1).any(dim=1),
        contained=nested.tril(-1).any(dim=1),
        group=leader_groups(compete),
        rows=kept,
    )


AS_SCORED: Final = Calibration(0.0, 1.0, 0.0, 0.0, categories=Temperature(1.0))
"""Takes a detector's best score for the probability that a box is a thing: nobody measured it."""


def claim(boxes: Tensor, gold: Tensor, threshold: float = RIGHT_IOU) -> Tensor:
    """Which gold box each box claims: its best one that no better box has claimed.

    Args:
        boxes: [box, 4] xyxy, best first.
        gold: [thing, 4] xyxy.
        threshold: the IoU that a claim needs, in [0, 1].

    Returns:
        [box] int64, the number of a gold box, or NOTHING.

    Example:
        >>> claim(torch.tensor([[0.0, 0, 9, 9], [1.0, 0, 9, 9]]), torch.tensor([[0.0, 0, 9, 9]]))
        tensor([ 0, -1])
    """
    claims = torch.full((len(boxes),), NOTHING, dtype=torch.int64)
    if len(gold):
        free = pairwise_iou(boxes, gold)
        for position in range(len(boxes)):
            overlap, chosen = free[position].max(dim=0)
            if overlap >= threshold:
                claims[position] = chosen
                free[:, chosen] = -1
    return claims


@dataclass(frozen=True, eq=False)
class Example:
    """The candidates of one image whose things are known; what calibrations are fitted on.

    Attributes:
        found: the candidates.
        truth: [box] int64, the category of the thing that a box is, or NOTHING.
        counted: [box] bool; the others are left aside.
    """

    found: Candidates
    truth: Tensor
    counted: Tensor

    @classmethod
    def of(
        cls,
        found: Candidates,
        gold: Tensor,
        categories: Tensor,
        *,
        crowd: Tensor | None = None,
        threshold: float = RIGHT_IOU,
    ) -> Self:
        """Candidates against the gold boxes of their image.

        Args:
            found: from :func:`candidates`.
            gold: [thing, 4] xyxy, absolute pixels.
            categories: [thing] int64, columns of the scores.
            crowd: [region, 4] boxes around many things that have none of their own; candidates
                that lie in one and claim nothing are left aside.
            threshold: the IoU from which a box is right, see :func:`claim`.
        """
        claims = claim(found.boxes, gold, threshold)
        truth = claims.clone()
        truth[claims != NOTHING] = categories[claims[claims != NOTHING]]
        counted = torch.ones_like(claims, dtype=torch.bool)
        if crowd is not None and len(crowd):
            inside = pairwise_intersection(found.boxes, crowd)
            inside = inside / areas(found.boxes).clamp(min=1e-9)[:, None]
            counted = ~((inside > 0.5).any(dim=1) & (claims == NOTHING))
        return cls(found, truth, counted)


def _joined(parts: Sequence[Tensor], kept: Sequence[Tensor]) -> Tensor:
    if not parts:
        raise DataError("a calibration needs examples")
    return torch.cat([part[keep].cpu() for part, keep in zip(parts, kept, strict=True)])
