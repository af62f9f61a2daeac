"""Boxes and categories against gold ones: average precision, recall and calibration.

A hypothesis *claims* a gold thing: taken by falling existence, each claims the thing that it
overlaps most among those that no better one has claimed, from an IoU on. ``recall`` is the share of
things that are claimed, whatever their category; ``named`` the share of the claimed whose likeliest
category is right. Hypotheses that claim nothing and lie in a crowd by more than half are left aside
wherever hypotheses are counted.

Calibration errors are over 15 bins of equal width. An existence is right when its hypothesis claims
a thing; a category, of a hypothesis that claims, when it is the thing's. The *score* of a
hypothesis is existence times its likeliest category; it is right when, taken by falling score, the
hypothesis claims a thing of that category.

For AP (:mod:`neurosym.evaluation.average_precision`), a hypothesis is a detection of every
category, scored by existence times category.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from neurosym.evaluation.average_precision import average_precision
from neurosym.evaluation.measures import Figure, Report
from neurosym.evaluation.photographs import Album, Photograph, look, read_album
from neurosym.metrics import calibration_error_by_chance, expected_calibration_error
from neurosym.perception.boxes import areas, pairwise_intersection
from neurosym.perception.detections import NOTHING, claim
from neurosym.scene import Scene

if TYPE_CHECKING:
    from neurosym.perception.base import Perception

LOOSE, TIGHT = 0.3, 0.5
"""The IoUs from which a box is right."""
LEAST_SCORE = 1e-4
"""Categories of a hypothesis that score less are not handed to AP."""


@dataclass
class Tally:
    """What is gathered over pictures; lists have an entry for each hypothesis that counts."""

    existence: list[float] = field(default_factory=list)
    claims: dict[float, list[bool]] = field(default_factory=lambda: {LOOSE: [], TIGHT: []})
    named: dict[float, list[bool]] = field(default_factory=lambda: {LOOSE: [], TIGHT: []})
    category: dict[float, list[float]] = field(default_factory=lambda: {LOOSE: [], TIGHT: []})
    score: list[float] = field(default_factory=list)
    score_right: list[bool] = field(default_factory=list)
    found: list[dict[str, Any]] = field(default_factory=list)
    hypotheses: int = 0
    count_errors: list[float] = field(default_factory=list)


def measure(
    folder: Path, perception: Perception, *, limit: int | None = None, progress: bool = False
) -> Report:
    """The figures; see :meth:`neurosym.evaluation.measures.Measure.run`."""
    album = read_album(folder, limit)
    tally, lines, about = Tally(), [], ""
    for seen in look(album, perception, progress=progress):
        line: dict[str, Any] = {
            "image": seen.photograph.path.name,
            "things": len(seen.photograph.scene),
        }
        if seen.scene is None:
            tally.count_errors.append(float(len(seen.photograph.scene)))
            line["problem"] = seen.problem
        else:
            about = about or seen.scene.provenance.get("perception", "")
            line |= add(tally, seen.photograph, seen.scene, album)
        lines.append(line)
    return Report("detection", about, figures(tally, album, lines), lines)


def add(tally: Tally, photograph: Photograph, scene: Scene, album: Album) -> dict[str, Any]:
    """Count a picture; gives its line: recalls, and every hypothesis with its box and scores."""
    order = scene.existence.argsort(descending=True, stable=True)
    boxes, existence = scene.boxes[order], scene.existence[order]
    table = scene.categories.probabilities[order]
    names = scene.categories.values
    surest, column = table.max(dim=1) if names else (existence, torch.zeros_like(order))
    likeliest = [names[c] if names else "" for c in column.tolist()]
    gold = photograph.scene
    truth = categories_of(gold)
    ignored = in_crowd(boxes, photograph.crowds.boxes)
    claims = {iou: claim(boxes, gold.boxes, iou) for iou in (LOOSE, TIGHT)}
    idle = (claims[LOOSE] == NOTHING) & (claims[TIGHT] == NOTHING)
    counted = ~(ignored & idle)
    tally.hypotheses += len(boxes)
    tally.existence += existence[counted].tolist()
    for iou, claimed in claims.items():
        tally.claims[iou] += (claimed != NOTHING)[counted].tolist()
        for index, thing in enumerate(claimed.tolist()):
            if thing != NOTHING:
                tally.named[iou].append(likeliest[index] == truth[thing])
                tally.category[iou].append(float(surest[index]))
    score = existence * surest
    rank = score.argsort(descending=True, stable=True)
    right = claims_of_category(
        boxes[rank], [likeliest[i] for i in rank.tolist()], gold.boxes, truth
    )
    kept = counted[rank] | right
    tally.score += score[rank][kept].tolist()
    tally.score_right += right[kept].tolist()
    tally.found += list(detections(photograph, scene, album))
    tally.count_errors.append(abs(float(existence.sum()) - len(gold)))
    return {
        "claimed": {str(iou): int((c != NOTHING).sum()) for iou, c in claims.items()},
        "hypotheses": [
            {
                "box": [round(side, 1) for side in box],
                "existence": round(exists, 4),
                "category": name,
                "given existence": round(sure, 4),
                "claims": truth[thing] if thing != NOTHING else None,
            }
            for box, exists, name, sure, thing in zip(
                boxes.tolist(),
                existence.tolist(),
                likeliest,
                surest.tolist(),
                claims[TIGHT].tolist(),
                strict=True,
            )
        ],
    }


def categories_of(gold: Scene) -> list[str]:
    """The category of each gold thing."""
    columns = gold.categories.probabilities.argmax(dim=1).tolist() if len(gold) else []
    return [gold.categories.values[column] for column in columns]


def in_crowd(boxes: Tensor, crowds: Tensor) -> Tensor:
    """[box] bool: more than half of a box [box, 4] lies in one of the regions [region, 4]."""
    if not len(crowds):
        return torch.zeros(len(boxes), dtype=torch.bool)
    shared = pairwise_intersection(boxes, crowds)
    return (shared / areas(boxes).clamp(min=1e-9)[:, None] > 0.5).any(dim=1)


def claims_of_category(
    boxes: Tensor, names: Sequence[Hashable], gold: Tensor, truth: Sequence[Hashable]
) -> Tensor:
    """Whether each box claims a thing of its own category, at IoU 0.5.

    Args:
        boxes: [box, 4] xyxy, best first.
        names: the category of each box.
        gold: [thing, 4] xyxy.
        truth: the category of each thing.

    Returns:
        [box] bool.
    """
    right = torch.zeros(len(boxes), dtype=torch.bool)
    for name in set(names) & set(truth):
        own = torch.tensor([i for i, other in enumerate(names) if other == name])
        things = [i for i, other in enumerate(truth) if other == name]
        right[own] = claim(boxes[own], gold[things], TIGHT) != NOTHING
    return right


def detections(photograph: Photograph, scene: Scene, album: Album) -> Iterator[dict[str, Any]]:
    """A scene in COCO's results format; ``object`` is the number of the hypothesis."""
    numbers = {str(entry["name"]): entry["id"] for entry in album.document["categories"]}
    columns = [c for c, name in enumerate(scene.categories.values) if name in numbers]
    scores = scene.existence[:, None] * scene.categories.probabilities[:, columns]
    boxes = scene.boxes.tolist()
    for index, place in (scores >= LEAST_SCORE).nonzero().tolist():
        x1, y1, x2, y2 = boxes[index]
        yield {
            "image_id": photograph.number,
            "category_id": numbers[scene.categories.values[columns[place]]],
            "bbox": [x1, y1, x2 - x1, y2 - y1],
            "score": float(scores[index, place]),
            "object": index,
        }


def figures(tally: Tally, album: Album, lines: Sequence[dict[str, Any]]) -> dict[str, Figure]:
    """What the pictures say together."""
    things, pictures = album.things, len(album.photographs)
    precision = average_precision(album.document, tally.found)
    made = {
        "pictures": Figure(pictures, pictures, "pictures"),
        "failures": Figure(sum("problem" in line for line in lines), pictures, "pictures"),
        "AP": Figure(precision.ap, things, "things"),
        "AP50": Figure(precision.ap50, things, "things"),
        "AP75": Figure(precision.ap75, things, "things"),
    }
    for iou in (LOOSE, TIGHT):
        found = sum(tally.claims[iou])
        made[f"recall, IoU {iou}"] = share(found, things, "things")
        made[f"named, IoU {iou}"] = share(sum(tally.named[iou]), found, "claimed things")
    for iou in (LOOSE, TIGHT):
        right = tally.claims[iou]
        made[f"ECE existence, IoU {iou}"] = calibration(tally.existence, right, "hypotheses")
        made[f"ECE category, IoU {iou}"] = calibration(
            tally.category[iou], tally.named[iou], "claimed things"
        )
    made["ECE score, IoU 0.5"] = calibration(tally.score, tally.score_right, "hypotheses")
    made["hypotheses per picture"] = share(tally.hypotheses, pictures, "pictures")
    made["expected things less gold ones"] = share(
        sum(tally.count_errors), pictures, "pictures, absolute"
    )
    return made


def share(some: float, whole: int, what: str) -> Figure:
    """A share, or None of nothing."""
    return Figure(some / whole if whole else None, whole, what)


def calibration(probabilities: Sequence[float], right: Sequence[bool], what: str) -> Figure:
    """An expected calibration error, with that of chance."""
    if not probabilities:
        return Figure(None, 0, what)
    return Figure(
        expected_calibration_error(probabilities, right),
        len(probabilities),
        what,
        by_chance=calibration_error_by_chance(probabilities),
    )
