"""How far the default detector's boxes are off, for the borders of soft relations.

    python -m benchmarks.box_noise FOLDER

FOLDER holds ``images/`` and ``instances.json`` in COCO's style. Each gold thing that is no crowd is
matched with the likeliest box that overlaps it by an IoU of at least 0.5. Printed are, as shares of
a box's width and height, the scale of the errors of centres and edges and of the logarithm of the
extents (the 90 % quantile of the absolute error over that of a standard normal distribution), and
the mean log loss of the order of two things of one photograph along an axis, for several scales of
the error of centres: see :class:`neurosym.perception.geometry.Softness`.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.fit_calibration import read_gold
from neurosym.api import Grounder
from neurosym.perception.boxes import pairwise_iou

RIGHT_IOU = 0.5
SCALES = (0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12)
# The 95 % quantile of a standard normal distribution: 90 % lie within.
_NINETY = 1.645


def matches(folder: Path) -> list[tuple[Tensor, Tensor]]:
    """For each photograph the matched boxes: found and gold, both [K, 4] xyxy."""
    grounder = Grounder.default()
    gathered = []
    for path, gold, _, crowd in read_gold(folder):
        scene = grounder.perceive(path).to("cpu")
        found, true = [], []
        for box in gold[~crowd]:
            near = pairwise_iou(scene.boxes, box[None])[:, 0] >= RIGHT_IOU
            if bool(near.any()):
                found.append(scene.boxes[int((scene.existence * near).argmax())])
                true.append(box)
        if found:
            gathered.append((torch.stack(found), torch.stack(true)))
    return gathered


def order_loss(pairs: list[tuple[Tensor, Tensor]], axis: int, scale: float) -> float:
    """The mean log loss of which of two things comes first along an axis (0: x, 1: y)."""
    losses = []
    for found, true in pairs:
        centre = (found[:, axis] + found[:, axis + 2]) / 2
        extent = found[:, axis + 2] - found[:, axis]
        order = true[:, axis] + true[:, axis + 2]
        for i, j in itertools.permutations(range(len(found)), 2):
            deviation = scale * torch.hypot(extent[i], extent[j])
            chance = torch.special.ndtr((centre[j] - centre[i]) / deviation).clamp(1e-4, 1 - 1e-4)
            losses.append(-(chance if order[i] < order[j] else 1 - chance).log())
    return float(torch.stack(losses).mean())


def main() -> None:
    """Print the tables."""
    from benchmarks.run import table

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    pairs = matches(parser.parse_args().folder)
    found = torch.cat([one for one, _ in pairs])
    error = found - torch.cat([other for _, other in pairs])
    true = found - error
    rows = []
    for axis, name in enumerate("xy"):
        extent = found[:, axis + 2] - found[:, axis]
        parts = {
            "centre": (error[:, axis] + error[:, axis + 2]) / 2 / extent,
            "first edge": error[:, axis] / extent,
            "last edge": error[:, axis + 2] / extent,
            "log extent": (extent / (true[:, axis + 2] - true[:, axis])).log(),
        }
        scales = {n: float(e.abs().quantile(0.9)) / _NINETY for n, e in parts.items()}
        rows.append(
            {"axis": name, "things": len(found)} | {n: round(s, 3) for n, s in scales.items()}
        )
    print(table(rows))
    losses = [
        {"scale": scale}
        | {axis: round(order_loss(pairs, n, scale), 4) for n, axis in enumerate("xy")}
        for scale in SCALES
    ]
    print(table(losses))


if __name__ == "__main__":
    main()
