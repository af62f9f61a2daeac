"""Average precision of detections, as COCO defines it, by COCO's own code.

AP is the mean over the categories that have gold things, and over the IoU thresholds .50, .55, ...
.95, of the precision interpolated at 101 recalls (T.-Y. Lin et al., "Microsoft COCO: Common objects
in context", ECCV 2014). A gold thing that nothing finds, and a category that a detector does not
know, count. Detections that lie in a crowd and match nothing else are left aside; of an image's
detections the 100 with the highest scores count.

The code is pycocotools', the extra ``eval`` of this package.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any, Final, Literal

from neurosym.errors import OptionError

DETECTIONS: Final = 100
"""How many detections of an image count."""


@dataclass(frozen=True)
class AveragePrecision:
    """How well detections rank and fit.

    Attributes:
        ap: over IoU .50 to .95, in [0, 1]; None when there is no gold thing.
        ap50: at IoU .50.
        ap75: at IoU .75.
        categories: how many categories have gold things: what the mean is over.
        things: how many gold things there are, crowds aside.
    """

    ap: float | None
    ap50: float | None
    ap75: float | None
    categories: int
    things: int


def average_precision(
    gold: Mapping[str, Any],
    found: Sequence[Mapping[str, Any]],
    kind: Literal["bbox", "segm"] = "bbox",
) -> AveragePrecision:
    """AP of detections against gold annotations.

    Args:
        gold: ``images``, ``categories`` and ``annotations`` of COCO's instances format; every image
            counts, whether anything is found in it or not.
        found: detections in COCO's results format: ``image_id``, ``category_id``, ``score`` and
            ``bbox`` (x, y, width, height), for masks ``segmentation`` as a run-length encoding.
        kind: whether boxes or masks are compared.

    Raises:
        OptionError: pycocotools is not installed.
    """
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError as error:
        raise OptionError(
            "average precision needs pycocotools: pip install 'neurosym-grounding[eval]', "
            "or pip install pycocotools"
        ) from error
    things = [a for a in gold["annotations"] if not a.get("iscrowd")]
    categories = {annotation["category_id"] for annotation in things}
    counts = (len(categories), len(things))
    if not things:
        return AveragePrecision(None, None, None, *counts)
    best = _best(found)
    if not best:
        return AveragePrecision(0.0, 0.0, 0.0, *counts)
    with redirect_stdout(io.StringIO()):
        truth = COCO()
        # Copies: the library writes into what it is given.
        truth.dataset = {
            "info": {},
            "images": [dict(image) for image in gold["images"]],
            "categories": [dict(category) for category in gold["categories"]],
            "annotations": [{"iscrowd": 0, **a} for a in gold["annotations"]],
        }
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes([dict(d) for d in best]), kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    ap, ap50, ap75 = (float(value) for value in evaluation.stats[:3])
    return AveragePrecision(ap, ap50, ap75, *counts)


def _best(found: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    by_image: dict[Any, list[Mapping[str, Any]]] = {}
    for detection in found:
        by_image.setdefault(detection["image_id"], []).append(detection)
    return [
        detection
        for own in by_image.values()
        for detection in sorted(own, key=lambda d: -d["score"])[:DETECTIONS]
    ]
