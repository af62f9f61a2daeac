"""Fits and measures the calibration of the default detector on COCO images with gold boxes.

    python benchmarks/fit_calibration.py FOLDER [--weights FOLDER] [--write]

FOLDER holds ``images/`` and ``instances.json`` in COCO's style. A box is right when it overlaps a
gold box that no better box has claimed by an IoU of at least 0.3: existence is about there being
a thing, and a loose box is still evidence of it. Crowd boxes are ignored, and so are boxes inside
them. Every reported number is cross-validated over images: the images that a number is measured on
were not fitted on. ``--write`` stores the fit on all images in the package's data.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from neurosym.perception.detections import Calibration, Candidates, candidates, hypotheses
from neurosym.perception.picodet import (
    PicoDet,
    RawDetections,
    areas,
    coco_categories,
    pairwise_intersection,
    pairwise_iou,
)

RIGHT_IOU = 0.3
SCORE_FLOOR = 0.08
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


def samples(folder: Path, detector: PicoDet, threshold: float = RIGHT_IOU) -> list[Sample]:
    """Runs the detector on all images of a folder."""
    gathered = []
    for path, boxes, categories, crowd in read_gold(folder):
        with Image.open(path) as file:
            raw = detector.detect([np.array(file.convert("RGB"))], floor=SCORE_FLOOR)[0]
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


def measure(data: Sequence[Sample]) -> dict[str, float]:
    """Cross-validated calibration and count errors."""
    exists, right, log_losses, top, kept_exists, kept_right = [], [], [], [], [], []
    expected, gold, expected_people, gold_people, boxes = [], [], [], [], []
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
            boxes.append(len(result.boxes))
            expected.append(float(result.existence.sum()))
            gold.append(len(sample.boxes))
            expected_people.append(float((result.existence * result.categories[:, 0]).sum()))
            gold_people.append(int((sample.categories == 0).sum()))
    all_exists, all_right = torch.cat(exists), torch.cat(right)
    final_exists, final_right = torch.cat(kept_exists), torch.cat(kept_right)
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
        "right_given_existence_0.9": float(final_right[sure].double().mean()),
        "hypotheses_with_existence_0.9": int(sure.sum()),
        "category_top1": float(torch.cat(top).double().mean()),
        "category_log_loss": float(torch.cat(log_losses).mean()),
        "hypotheses_per_image": float(np.mean(boxes)),
        "recall_of_hypotheses": float(final_right.sum() / sum(gold)),
        "expected_things": sum(expected),
        "mean_absolute_count_error": float(gaps.mean()),
        "gold_people": sum(gold_people),
        "expected_people": sum(expected_people),
        "mean_absolute_people_error": float(people_gaps.mean()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", type=Path, help="folder with model.pdiparams, model.pdmodel")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    weights = arguments.weights
    if weights is None:
        from neurosym.models.store import path_of

        weights = path_of("picodet-s")
    data = samples(arguments.folder, PicoDet.load(weights / "model.pdiparams"))
    calibration = fit(data)
    measured = {name: round(value, 4) for name, value in measure(data).items()}
    record = {
        "parameters": asdict(calibration),
        "provenance": {
            "model": "PicoDet-S 416, COCO, from paddlelabel-ml 1.0.0",
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
