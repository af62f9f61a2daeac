"""Fits and measures the calibration of a detector on images with gold boxes in COCO's style.

    python -m benchmarks.fit_calibration FOLDER [--perception NAME] [--out FILE | --write]
        [--iou 0.3] [--after KIND] [--views VIEWS] [--weights FOLDER] [--seeds 1] [--name NAME]

FOLDER holds ``images/`` and ``instances.json`` in COCO's style: this package's development images,
or your own. A box is right when it overlaps a gold box that no better box has claimed by an IoU
of at least ``--iou``: existence is about there being a thing, and a loose box is still evidence of
it. Crowd boxes are ignored, and so are boxes inside them; things whose category the detector does
not name count as crowds. Every reported number is cross-validated over images: the images that a
number is measured on were not fitted on. ``--perception`` names another back end with a closed
vocabulary, such as ``detr:/models/detr``. ``--seeds`` repeats the measurement with other folds and
averages. ``--out`` stores the fit on all images, for ``Grounder.default(calibration=FILE)``.
``--after isotonic`` or ``temperature`` adds a last step. For the default detector only, ``--write``
stores the fit in the package's data, and ``--views`` measures other views than the default ones:
``416`` is the plain one, ``416,640m`` adds a mirrored one of 640 x 640.

``ece`` is over 15 bins of equal width, ``ece_mass`` over 15 of equal mass. ``ece_by_chance`` is
what the same hypotheses would show were they exactly right, on average over draws: a figure at or
below it says that no miscalibration can be seen in so few images. ``_candidates`` are all
boxes that suppression leaves, the same ones whatever the calibration; ``_hypotheses`` are those
that the scene gets, after groups and floor. At ``_iou_0.5`` a hypothesis is right from there on.
``category_`` figures are of the candidates that are things, but for those that say hypotheses;
``ece_score`` is of existence times the likeliest category, right when both are.

``set_log_loss`` is what views are chosen by: minus the log probability that the hypotheses give to
the gold things of an image, summed over images, per gold thing. A thing that is found costs
-log(existence x category), but no more than one that is missed, -log 0.02; a hypothesis that
claims nothing costs -log(1 - existence). Unlike the other losses of hypotheses it does not
depend on how many there are.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from neurosym.api import perception_of
from neurosym.errors import NeurosymError
from neurosym.evaluation.detection import categories_of, claims_of_category
from neurosym.evaluation.photographs import read_album
from neurosym.files import write_atomically
from neurosym.metrics import (
    brier_score,
    calibration_error_by_chance,
    categorical_negative_log_likelihood,
    classwise_calibration_error,
    expected_calibration_error,
    negative_log_likelihood,
    top_label_calibration_error,
)
from neurosym.models.store import path_of
from neurosym.perception.base import Detections
from neurosym.perception.calibration import Isotonic, Temperature
from neurosym.perception.detections import (
    NOTHING,
    RIGHT_IOU,
    Calibration,
    Example,
    Hypotheses,
    candidates,
    claim,
    hypotheses,
)
from neurosym.perception.images import load_image
from neurosym.perception.picodet import (
    DEFAULT_VIEWS,
    PicoDet,
    coco_categories,
)
from neurosym.perception.pipeline import Pipeline
from neurosym.perception.views import View

TIGHT_IOU = 0.5
MISSED = 0.02
FOLDS = 10
PERSON = "person"
AFTER = {"isotonic": Isotonic, "temperature": Temperature}
TARGET = Path(__file__).parents[1] / "perception" / "data" / "picodet_calibration.json"


@dataclass(frozen=True)
class Sample:
    """One image: what was found, what is there, and both of them as an example to fit on."""

    raw: Detections
    boxes: Tensor
    categories: Tensor
    example: Example


def read_gold(folder: Path, categories: Sequence[str]) -> list[tuple[Path, Tensor, Tensor, Tensor]]:
    """For each image: path, boxes [gold, 4] xyxy, category indices [gold], crowd flags [gold].

    Args:
        folder: with ``images/`` and ``instances.json``.
        categories: what the indices count. A thing of another category has the index -1, and
            counts as a crowd, like crowds themselves.
    """
    index = {name: position for position, name in enumerate(categories)}
    gold = []
    for photograph in read_album(folder).photographs:
        own = [index.get(name, -1) for name in categories_of(photograph.scene)]
        kinds = torch.tensor(own + [-1] * len(photograph.crowds), dtype=torch.int64)
        boxes = torch.cat([photograph.scene.boxes, photograph.crowds.boxes])
        gold.append((photograph.path, boxes, kinds, kinds < 0))
    return gold


def samples(
    folder: Path,
    detect: Callable[[np.ndarray], Detections],
    categories: Sequence[str],
    threshold: float = RIGHT_IOU,
) -> list[Sample]:
    """Runs a detector on all images of a folder.

    Args:
        folder: see :func:`read_gold`.
        detect: the detections of one image, uint8 [height, width, 3] RGB.
        categories: the names of the columns of its scores.
        threshold: the IoU from which a box is right.
    """
    gathered = []
    for path, boxes, kinds, crowd in read_gold(folder, categories):
        raw = detect(load_image(path))
        single, own = boxes[~crowd], kinds[~crowd]
        # What is compared here lies on the CPU, wherever the detector runs.
        masks = None if raw.masks is None else raw.masks.cpu()
        raw = Detections(raw.boxes.cpu(), raw.scores.cpu(), masks)
        found = candidates(raw.boxes, raw.scores, masks)
        example = Example.of(found, single, own, crowd=boxes[crowd], threshold=threshold)
        gathered.append(Sample(raw, single, own, example))
    return gathered


def set_log_loss(found: Hypotheses, claims: Tensor, categories: Tensor) -> float:
    """The loss of one image; see the top of this file."""
    existence = found.existence.double().clamp(1e-4, 1 - 1e-4)
    claimed = claims >= 0
    truth = categories[claims[claimed]]
    named = existence[claimed] * found.categories[claimed].gather(1, truth[:, None])[:, 0]
    missed = len(categories) - len(truth)
    loss = -named.clamp(min=MISSED).log().sum() - (1 - existence[~claimed]).log().sum()
    return float(loss) - missed * math.log(MISSED)


def measure(
    data: Sequence[Sample],
    after: type[Isotonic] | type[Temperature] | None = None,
    seed: int = 0,
    person: int | None = None,
) -> dict[str, float]:
    """Cross-validated calibration and count errors.

    Args:
        data: the images.
        after: the kind of the last step of the calibration.
        seed: says what the folds are.
        person: the index of the category of people, who are counted by themselves.
    """
    order = list(data)
    if seed:
        random.Random(seed).shuffle(order)
    exists, right, kinds, truths, kept_exists, kept_right = [], [], [], [], [], []
    expected, gold, expected_people, gold_people, boxes = [], [], [], [], []
    tight, found_people, set_losses = [], [], []
    sure: dict[float, list[Tensor]] = {RIGHT_IOU: [], TIGHT_IOU: []}
    named: dict[float, list[Tensor]] = {RIGHT_IOU: [], TIGHT_IOU: []}
    scores, scores_right = [], []
    for fold in range(FOLDS):
        train = [sample.example for i, sample in enumerate(order) if i % FOLDS != fold]
        calibration = Calibration.fit(train, after=after)
        for sample in order[fold::FOLDS]:
            found, truth, counted = (
                sample.example.found,
                sample.example.truth,
                sample.example.counted,
            )
            exists.append(
                calibration.existence(found.scores, found.overlapped, found.contained)[counted]
            )
            right.append((truth != NOTHING)[counted])
            kinds.append(calibration.category_distribution(found.scores[truth != NOTHING]))
            truths.append(truth[truth != NOTHING])
            result = hypotheses(sample.raw, calibration)
            claims = claim(result.boxes, sample.boxes, RIGHT_IOU)
            kept_exists.append(result.existence)
            kept_right.append(claims != NOTHING)
            tight.append(claim(result.boxes, sample.boxes, TIGHT_IOU) != NOTHING)
            best, kind = result.categories.max(dim=1)
            for iou in (RIGHT_IOU, TIGHT_IOU):
                own = claim(result.boxes, sample.boxes, iou)
                thing = own != NOTHING
                sure[iou].append(best[thing])
                named[iou].append(kind[thing] == sample.categories[own[thing]])
            score = result.existence * best
            rank = score.argsort(descending=True, stable=True)
            scores.append(score[rank])
            scores_right.append(
                claims_of_category(
                    result.boxes[rank],
                    kind[rank].tolist(),
                    sample.boxes,
                    sample.categories.tolist(),
                )
            )
            claimed = sample.categories[claims[claims != NOTHING]]
            set_losses.append(set_log_loss(result, claims, sample.categories))
            boxes.append(len(result.boxes))
            expected.append(float(result.existence.sum()))
            gold.append(len(sample.boxes))
            if person is not None:
                probable = result.existence * result.categories[:, person]
                expected_people.append(float(probable.sum()))
                found_people.append(int((claimed == person).sum()))
                gold_people.append(int((sample.categories == person).sum()))
    all_exists, all_right = torch.cat(exists), torch.cat(right)
    final_exists, final_right = torch.cat(kept_exists), torch.cat(kept_right)
    final_tight = torch.cat(tight)
    rows, truth = torch.cat(kinds), torch.cat(truths)
    gaps = np.abs(np.array(expected) - np.array(gold))
    likely = final_exists >= 0.9
    return {
        "images": len(data),
        "gold_things": sum(gold),
        "candidates": len(all_exists),
        **_scored("candidates", all_exists, all_right),
        **_scored("hypotheses", final_exists, final_right),
        **_scored("hypotheses_iou_0.5", final_exists, final_tight),
        "ece_by_chance_hypotheses": calibration_error_by_chance(final_exists),
        "set_log_loss": sum(set_losses) / sum(gold),
        "right_given_existence_0.9": float(final_right[likely].double().mean()),
        "right_given_existence_0.9_iou_0.5": float(final_tight[likely].double().mean()),
        "hypotheses_with_existence_0.9": int(likely.sum()),
        "category_top1": float((rows.argmax(dim=1) == truth).double().mean()),
        "category_log_loss": categorical_negative_log_likelihood(rows, truth),
        "category_ece_top_label": top_label_calibration_error(rows, truth),
        "category_ece_by_chance": calibration_error_by_chance(rows.amax(dim=1)),
        "category_ece_classwise": classwise_calibration_error(rows, truth),
        "category_ece_hypotheses": expected_calibration_error(
            torch.cat(sure[RIGHT_IOU]), torch.cat(named[RIGHT_IOU])
        ),
        "category_ece_hypotheses_iou_0.5": expected_calibration_error(
            torch.cat(sure[TIGHT_IOU]), torch.cat(named[TIGHT_IOU])
        ),
        "ece_score_iou_0.5": expected_calibration_error(torch.cat(scores), torch.cat(scores_right)),
        "hypotheses_per_image": float(np.mean(boxes)),
        "recall_of_hypotheses": float(final_right.sum() / sum(gold)),
        "recall_of_hypotheses_iou_0.5": float(final_tight.sum() / sum(gold)),
        "expected_things": sum(expected),
        "mean_absolute_count_error": float(gaps.mean()),
        **_counted(found_people, expected_people, gold_people),
    }


def _counted(found: list[int], expected: list[float], gold: list[int]) -> dict[str, float]:
    """How well people are found and counted, where there are any."""
    if not sum(gold):
        return {}
    return {
        "gold_people": sum(gold),
        "recall_of_people": sum(found) / sum(gold),
        "expected_people": sum(expected),
        "mean_absolute_people_error": float(np.abs(np.array(expected) - np.array(gold)).mean()),
    }


def _scored(what: str, probabilities: Tensor, right: Tensor) -> dict[str, float]:
    """The measures of one list of events; see the top of this file."""
    return {
        f"ece_{what}": expected_calibration_error(probabilities, right),
        f"ece_mass_{what}": expected_calibration_error(probabilities, right, binning="mass"),
        f"brier_{what}": brier_score(probabilities, right),
        f"log_loss_{what}": negative_log_likelihood(probabilities, right),
    }


def views_of(text: str) -> tuple[View, ...]:
    """Views from text such as ``416,640m``: sides in pixels, ``m`` for mirrored."""
    parts = [(int(part.rstrip("m")), part.endswith("m")) for part in text.split(",")]
    return tuple(View(side, side, mirrored) for side, mirrored in parts)


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--perception", metavar="NAME", help="a back end; see neurosym perception")
    parser.add_argument("--weights", type=Path, help="folder with model.pdiparams, model.pdmodel")
    parser.add_argument("--views", type=views_of, help="such as 416,640m")
    parser.add_argument("--iou", type=float, default=RIGHT_IOU, help="from which a box is right")
    parser.add_argument("--after", choices=sorted(AFTER), help="a last step")
    parser.add_argument("--name", help="of the data, for the provenance of scenes")
    parser.add_argument("--seeds", type=int, default=1, help="how many divisions into folds")
    parser.add_argument("--write", action="store_true", help="store it in the package's data")
    parser.add_argument("--out", type=Path, help="store it in a file")
    arguments = parser.parse_args(words)
    if arguments.perception and (arguments.weights or arguments.views or arguments.write):
        parser.error("--weights, --views and --write are for the default detector")
    views = arguments.views or DEFAULT_VIEWS
    if arguments.perception:
        try:
            pipeline = perception_of(arguments.perception)
            detector = pipeline.detector if isinstance(pipeline, Pipeline) else None
        except NeurosymError as error:
            parser.error(str(error))
        if detector is None:
            parser.error(f'"{arguments.perception}" detects no closed vocabulary')
        model, short = detector.name, detector.name
        categories = tuple(detector.categories)
        data = samples(
            arguments.folder, lambda image: detector.detect([image])[0], categories, arguments.iou
        )
    else:
        weights = arguments.weights or path_of("picodet-s")
        default = PicoDet.load(weights / "model.pdiparams")
        model, short = "PicoDet-S 416, COCO, from paddlelabel-ml 1.0.0", "PicoDet-S"
        categories = coco_categories()
        data = samples(
            arguments.folder,
            lambda image: default.detect_views([image], views=views)[0],
            categories,
            arguments.iou,
        )
    after = AFTER[arguments.after] if arguments.after else None
    name = arguments.name or arguments.folder.resolve().name
    calibration = Calibration.fit(
        [sample.example for sample in data],
        after=after,
        fitted_on=(
            f"{short}, {len(data)} images of {name}, "
            f"IoU {arguments.iou}, {datetime.date.today().isoformat()}"
        ),
    )
    person = categories.index(PERSON) if PERSON in categories else None
    every = [measure(data, after, seed, person) for seed in range(arguments.seeds)]
    measured = {key: round(float(np.mean([m[key] for m in every])), 4) for key in every[0]}
    record = {
        **calibration.to_document(),
        "provenance": {
            "model": model,
            **({} if arguments.perception else {"views": [asdict(view) for view in views]}),
            "data": f"{len(data)} images of {name} with gold boxes in COCO's style",
            "right": f"one to one with a gold box at IoU >= {arguments.iou}, of any category",
            "script": "benchmarks/fit_calibration.py",
            "cross_validated": measured,
        },
    }
    text = json.dumps(record, indent=2)
    # Rows of numbers stay on one line.
    text = re.sub(r"\[[^\[\]{}]*\]", lambda row: re.sub(r"\s+", " ", row.group()), text) + "\n"
    print(text, end="")
    for target in (TARGET if arguments.write else None, arguments.out):
        if target is not None:
            write_atomically(target, text.encode())


if __name__ == "__main__":
    main()
