"""Masks against gold ones: from the gold boxes, and from the boxes that were found.

``mask IoU, gold boxes`` asks the segmenter for the mask of every gold box: what it does when
detection is right. ``mask IoU, found boxes`` takes the mask of the hypothesis that claims each gold
thing (:mod:`neurosym.evaluation.detection`, IoU 0.5): over the claimed things, and over all of
them, where one that nothing claims counts 0. Mask AP compares the masks of all hypotheses, as
:mod:`neurosym.evaluation.average_precision` defines it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from neurosym.errors import OptionError
from neurosym.evaluation.average_precision import average_precision
from neurosym.evaluation.detection import TIGHT, detections
from neurosym.evaluation.measures import Figure, Report
from neurosym.evaluation.photographs import Seen, look, read_album
from neurosym.masks import compress_counts, encode_mask
from neurosym.perception.base import Segmenter
from neurosym.perception.detections import NOTHING, claim
from neurosym.perception.images import load_image
from neurosym.scene import Scene

if TYPE_CHECKING:
    from neurosym.perception.base import Perception

AT_ONCE = 16
"""Masks that are held at full size at the same time."""


def measure(
    folder: Path, perception: Perception, *, limit: int | None = None, progress: bool = False
) -> Report:
    """The figures; see :meth:`neurosym.evaluation.measures.Measure.run`."""
    album = read_album(folder, limit)
    if not any("segmentation" in annotation for annotation in album.document["annotations"]):
        raise OptionError(f'the annotations in "{folder}" have no masks')
    segmenter = getattr(perception, "segmenter", None)
    lines: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    from_gold: list[float] = []
    from_found: list[float] = []
    about = ""
    for seen in look(album, perception, progress=progress):
        gold = seen.photograph.scene
        line: dict[str, Any] = {"image": seen.photograph.path.name, "things": len(gold)}
        if seen.scene is None:
            line["problem"] = seen.problem
        else:
            about = about or seen.scene.provenance.get("perception", "")
            found += list(_with_masks(detections(seen.photograph, seen.scene, album), seen.scene))
            line["found boxes"] = _from_found(gold, seen.scene)
            from_found += [iou for iou in line["found boxes"] if iou is not None]
        if segmenter is not None:
            line["gold boxes"] = _from_gold(seen, segmenter)
            from_gold += line["gold boxes"]
        lines.append(line)
    things, pictures = album.things, len(album.photographs)
    precision = average_precision(album.document, found, "segm")
    figures = {
        "pictures": Figure(pictures, pictures, "pictures"),
        "failures": Figure(sum("problem" in line for line in lines), pictures, "pictures"),
        "mask IoU, gold boxes": _mean(from_gold, things if segmenter is not None else 0, "things"),
        "mask IoU, found boxes": _mean(from_found, len(from_found), "claimed things"),
        "mask IoU, found boxes, of all": _mean(from_found, things, "things"),
        "mask AP": Figure(precision.ap, things, "things"),
        "mask AP50": Figure(precision.ap50, things, "things"),
        "mask AP75": Figure(precision.ap75, things, "things"),
    }
    return Report("masks", about, figures, lines)


def overlap(first: Tensor, second: Tensor) -> float:
    """Intersection over union of two [height, width] bool masks; 0 of two empty ones."""
    union = int((first | second).sum())
    return int((first & second).sum()) / union if union else 0.0


def _mean(values: Sequence[float], whole: int, what: str) -> Figure:
    return Figure(sum(values) / whole if whole else None, whole, what)


def _from_gold(seen: Seen, segmenter: Segmenter) -> list[float]:
    """The IoU for each gold thing; 0 where the picture cannot be read."""
    gold = seen.photograph.scene
    if not len(gold):
        return []
    if seen.scene is None:
        return [0.0] * len(gold)
    embedding = segmenter.encode(load_image(seen.photograph.path))
    made: list[float] = []
    for start in range(0, len(gold), AT_ONCE):
        part = list(range(start, min(start + AT_ONCE, len(gold))))
        masks, _ = segmenter.masks(embedding, gold.boxes[part])
        made += [overlap(a.cpu(), b) for a, b in zip(masks, gold.masks(part), strict=True)]
    return made


def _from_found(gold: Scene, scene: Scene) -> list[float | None]:
    """The IoU for each gold thing, None where nothing claims it."""
    order = scene.existence.argsort(descending=True, stable=True)
    claims = claim(scene.boxes[order], gold.boxes, TIGHT)
    made: list[float | None] = [None] * len(gold)
    for place in (claims != NOTHING).nonzero().flatten().tolist():
        thing = int(claims[place])
        (mask,) = scene.masks([int(order[place])])
        made[thing] = overlap(mask, gold.masks([thing])[0])
    return made


def _with_masks(found: Any, scene: Scene) -> list[dict[str, Any]]:
    """Detections with the compressed run lengths of their objects' masks."""
    listed = list(found)
    objects = sorted({detection["object"] for detection in listed})
    codes: dict[int, dict[str, Any]] = {}
    for start in range(0, len(objects), AT_ONCE):
        part = objects[start : start + AT_ONCE]
        for index, mask in zip(part, scene.masks(part), strict=True):
            code = encode_mask(mask)
            codes[index] = {"size": code["size"], "counts": compress_counts(code["counts"])}
    # Without the box, so that areas are those of the masks.
    return [
        {name: d[name] for name in ("image_id", "category_id", "score")}
        | {"segmentation": codes[d["object"]]}
        for d in listed
    ]
