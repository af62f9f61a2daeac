"""Fits and measures the calibration of the default detector on COCO images with gold boxes.

    python benchmarks/fit_calibration.py FOLDER [--weights FOLDER] [--views VIEWS] [--write]

FOLDER holds ``images/`` and ``instances.json`` in COCO's style. A box is right when it overlaps a
gold box that no better box has claimed by an IoU of at least 0.3: existence is about there being
a thing, and a loose box is still evidence of it. Crowd boxes are ignored, and so are boxes inside
them. Every reported number is cross-validated over images: the images that a number is measured on
were not fitted on. ``--write`` stores the fit on all images in the package's data. ``--views``
measures other views than the default ones: ``416`` is the plain one, ``416,640m`` adds a mirrored
one of 640 x 640.

``set_log_loss`` is what views are chosen by: minus the log probability that the hypotheses give to
the gold things of an image, summed over images, per gold thing. A thing that is found costs
-log(existence x category), but no more than one that is missed, -log 0.02; a hypothesis that
claims nothing costs -log(1 - existence). Unlike the other losses it does not depend on how many
candidates there are.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from neurosym.perception.detections import (
    Calibration,
    Candidates,
    Hypotheses,
    candidates,
    hypotheses,
)
from neurosym.perception.picodet import (
    DEFAULT_VIEWS,
    PicoDet,
    RawDetections,
    View,
    areas,
    coco_categories,
    pairwise_intersection,
    pairwise_iou,
)

RIGHT_IOU = 0.3
TIGHT_IOU = 0.5
MISSED = 0.02
FOLDS = 10
TARGET = Path(__file__).parents[1] / "perception" / "data" / "picodet_calibration.json"


@dataclass(frozen=True)
class Sample:
    """One image: what was found, what is there, and which gold box each candidate claims."""

    raw: RawDetections
    found: Candidates
    boxes: Tensor
    categories: Tensor
    claims: Tensor
    counted: Tensor


def read_gold(folder: Path) -> list[tuple[Path, Tensor, Tensor, Tensor]]:
    """For each image: path, boxes [gold, 4] xyxy, category indices [gold], crowd flags [gold]."""
    annotations = json.loads((folder / "instances.json").read_text("utf-8"))
    index = {name: position for position, name in enumerate(coco_categories())}
    names = {c["id"]: c["name"] for c in annotations["categories"] if c["isthing"]}
    things: dict[int, list[dict[str, Any]]] = {image["id"]: [] for image in annotations["images"]}
    for annotation in annotations["annotations"]:
        if annotation["category_id"] in names:
            things[annotation["image_id"]].append(annotation)
    gold = []
    for image in annotations["images"]:
        own = things[image["id"]]
        boxes = torch.tensor([thing["bbox"] for thing in own], dtype=torch.float32).view(-1, 4)
        boxes = torch.cat([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], dim=1)
        categories = torch.tensor([index[names[t["category_id"]]] for t in own], dtype=torch.int64)
        crowd = torch.tensor([bool(thing["iscrowd"]) for thing in own], dtype=torch.bool)
        gold.append((folder / "images" / image["file_name"], boxes, categories, crowd))
    return gold


def claim(boxes: Tensor, gold: Tensor, threshold: float) -> Tensor:
    """For boxes [n, 4], best first: the gold box [m, 4] that each one claims, or -1."""
    claims = torch.full((len(boxes),), -1, dtype=torch.int64)
    if len(gold):
        free = pairwise_iou(boxes, gold)
        for position in range(len(boxes)):
            overlap, chosen = free[position].max(dim=0)
            if overlap >= threshold:
                claims[position] = chosen
                free[:, chosen] = -1
    return claims


def samples(
    folder: Path,
    detector: PicoDet,
    views: Sequence[View] = DEFAULT_VIEWS,
    threshold: float = RIGHT_IOU,
) -> list[Sample]:
    """Runs the detector on all images of a folder."""
    gathered = []
    for path, boxes, categories, crowd in read_gold(folder):
        with Image.open(path) as file:
            raw = detector.detect_views([np.array(file.convert("RGB"))], views=views)[0]
        found = candidates(raw.boxes, raw.scores)
        claims = claim(found.boxes, boxes[~crowd], threshold)
        inside = pairwise_intersection(found.boxes, boxes[crowd])
        inside = inside / areas(found.boxes).clamp(min=1e-9)[:, None]
        counted = ~((inside > 0.5).any(dim=1) & (claims < 0))
        gathered.append(Sample(raw, found, boxes[~crowd], categories[~crowd], claims, counted))
    return gathered


def fit(train: Sequence[Sample]) -> Calibration:
    """Maximum likelihood, slightly regularised, for existence and then for categories."""
    kept = [sample.counted for sample in train]
    best = torch.cat([s.found.scores.amax(dim=1)[k] for s, k in zip(train, kept, strict=True)])
    overlapped = torch.cat([s.found.overlapped[k] for s, k in zip(train, kept, strict=True)])
    contained = torch.cat([s.found.contained[k] for s, k in zip(train, kept, strict=True)])
    right = torch.cat([s.claims[k] >= 0 for s, k in zip(train, kept, strict=True)]).double()
    ones = torch.ones_like(best)
    columns = [ones, torch.logit(best), overlapped, contained]
    inputs = torch.stack([column.double() for column in columns], dim=1)
    weights = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=60, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = functional.binary_cross_entropy_with_logits(
            inputs @ weights, right, reduction="sum"
        )
        value = value + 0.01 * weights[1:].square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    intercept, slope, overlap, containment = weights.tolist()
    scores = torch.cat([s.found.scores[s.claims >= 0] for s in train])
    truth = torch.cat([s.categories[s.claims[s.claims >= 0]] for s in train])
    powers = torch.arange(1.0, 4.05, 0.1)
    losses = [_category_loss(scores, truth, float(power)) for power in powers]
    power = float(powers[int(np.argmin(losses))])
    fitted = (intercept, slope, min(0.0, overlap), min(0.0, containment), power)
    return Calibration(*(round(value, 4) for value in fitted))


def _category_loss(scores: Tensor, truth: Tensor, power: float) -> float:
    calibration = Calibration(0.0, 1.0, 0.0, 0.0, power)
    return float(functional.nll_loss(calibration.category_distribution(scores).log(), truth).item())


def calibration_error(predicted: Tensor, right: Tensor, bins: int = 15) -> float:
    """Expected calibration error over equal-width bins."""
    error = 0.0
    place = (predicted * bins).long().clamp(max=bins - 1)
    for index in range(bins):
        inside = place == index
        if inside.any():
            gap = predicted[inside].mean() - right[inside].double().mean()
            error += float(inside.double().mean() * gap.abs())
    return error


def set_log_loss(found: Hypotheses, claims: Tensor, categories: Tensor) -> float:
    """The loss of one image; see the top of this file."""
    existence = found.existence.double().clamp(1e-4, 1 - 1e-4)
    claimed = claims >= 0
    truth = categories[claims[claimed]]
    named = existence[claimed] * found.categories[claimed].gather(1, truth[:, None])[:, 0]
    missed = len(categories) - len(truth)
    loss = -named.clamp(min=MISSED).log().sum() - (1 - existence[~claimed]).log().sum()
    return float(loss) - missed * math.log(MISSED)


def measure(data: Sequence[Sample]) -> dict[str, float]:
    """Cross-validated calibration and count errors."""
    exists, right, log_losses, top, kept_exists, kept_right = [], [], [], [], [], []
    expected, gold, expected_people, gold_people, boxes = [], [], [], [], []
    tight, found_people, set_losses = [], [], []
    for fold in range(FOLDS):
        calibration = fit([s for i, s in enumerate(data) if i % FOLDS != fold])
        for sample in data[fold::FOLDS]:
            found = sample.found
            odds = calibration.log_odds(found.scores.amax(dim=1), found.overlapped, found.contained)
            exists.append(odds.sigmoid()[sample.counted].double())
            right.append((sample.claims >= 0)[sample.counted])
            claimed = sample.claims >= 0
            distribution = calibration.category_distribution(found.scores[claimed])
            truth = sample.categories[sample.claims[claimed]]
            log_losses.append(functional.nll_loss(distribution.log(), truth, reduction="none"))
            top.append(distribution.argmax(dim=1) == truth)
            result = hypotheses(sample.raw, calibration)
            claims = claim(result.boxes, sample.boxes, RIGHT_IOU)
            kept_exists.append(result.existence.double())
            kept_right.append(claims >= 0)
            tight.append(claim(result.boxes, sample.boxes, TIGHT_IOU) >= 0)
            found_people.append(int((sample.categories[claims[claims >= 0]] == 0).sum()))
            set_losses.append(set_log_loss(result, claims, sample.categories))
            boxes.append(len(result.boxes))
            expected.append(float(result.existence.sum()))
            gold.append(len(sample.boxes))
            expected_people.append(float((result.existence * result.categories[:, 0]).sum()))
            gold_people.append(int((sample.categories == 0).sum()))
    all_exists, all_right = torch.cat(exists), torch.cat(right)
    final_exists, final_right = torch.cat(kept_exists), torch.cat(kept_right)
    final_tight = torch.cat(tight)
    gaps = np.abs(np.array(expected) - np.array(gold))
    people_gaps = np.abs(np.array(expected_people) - np.array(gold_people))
    sure = final_exists >= 0.9
    return {
        "images": len(data),
        "gold_things": sum(gold),
        "candidates": len(all_exists),
        "existence_ece_candidates": calibration_error(all_exists, all_right),
        "existence_ece_hypotheses": calibration_error(final_exists, final_right),
        "existence_log_loss": float(
            functional.binary_cross_entropy(all_exists, all_right.double()).item()
        ),
        "existence_ece_hypotheses_iou_0.5": calibration_error(final_exists, final_tight),
        "set_log_loss": sum(set_losses) / sum(gold),
        "right_given_existence_0.9": float(final_right[sure].double().mean()),
        "right_given_existence_0.9_iou_0.5": float(final_tight[sure].double().mean()),
        "hypotheses_with_existence_0.9": int(sure.sum()),
        "category_top1": float(torch.cat(top).double().mean()),
        "category_log_loss": float(torch.cat(log_losses).mean()),
        "hypotheses_per_image": float(np.mean(boxes)),
        "recall_of_hypotheses": float(final_right.sum() / sum(gold)),
        "recall_of_hypotheses_iou_0.5": float(final_tight.sum() / sum(gold)),
        "expected_things": sum(expected),
        "mean_absolute_count_error": float(gaps.mean()),
        "gold_people": sum(gold_people),
        "recall_of_people": sum(found_people) / sum(gold_people),
        "expected_people": sum(expected_people),
        "mean_absolute_people_error": float(people_gaps.mean()),
    }


def views_of(text: str) -> tuple[View, ...]:
    """Views from text such as ``416,640m``: sides in pixels, ``m`` for mirrored."""
    parts = [(int(part.rstrip("m")), part.endswith("m")) for part in text.split(",")]
    return tuple(View(side, side, mirrored) for side, mirrored in parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", type=Path, help="folder with model.pdiparams, model.pdmodel")
    parser.add_argument("--views", type=views_of, default=DEFAULT_VIEWS, help="such as 416,640m")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    weights = arguments.weights
    if weights is None:
        from neurosym.models.store import path_of

        weights = path_of("picodet-s")
    detector = PicoDet.load(weights / "model.pdiparams")
    data = samples(arguments.folder, detector, arguments.views)
    calibration = fit(data)
    measured = {name: round(value, 4) for name, value in measure(data).items()}
    record = {
        "parameters": asdict(calibration),
        "provenance": {
            "model": "PicoDet-S 416, COCO, from paddlelabel-ml 1.0.0",
            "views": [asdict(view) for view in arguments.views],
            "data": "COCO 2017 images with gold boxes (annotations CC BY 4.0)",
            "right": f"one to one with a gold box at IoU >= {RIGHT_IOU}, of any category",
            "script": "benchmarks/fit_calibration.py",
            "cross_validated": measured,
        },
    }
    text = json.dumps(record, indent=2) + "\n"
    print(text, end="")
    if arguments.write:
        TARGET.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
