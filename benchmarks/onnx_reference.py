"""The default detector's network against the same weights under ONNX runtime.

    python -m benchmarks.onnx_reference FOLDER --model FILE.onnx [--weights FOLDER]

FOLDER holds ``images/`` and ``instances.json`` in COCO's style. FILE.onnx is the Paddle model as
paddle2onnx 1.0.8 converts it, which needs no Paddle::

    python -m venv convert && convert/bin/pip install --no-deps paddle2onnx==1.0.8
    convert/bin/pip install onnx protobuf six numpy
    convert/bin/python - <<'CODE'
    from paddle2onnx.paddle2onnx_cpp2py_export import export
    folder = "PICODET/"
    model = export(folder + "model.pdmodel", folder + "model.pdiparams", 11, True, True, True,
                   True, True, {}, "onnxruntime", "", "", False)
    open("picodet.onnx", "wb").write(model)
    CODE

where PICODET is the folder that ``neurosym models list`` shows. Both networks see the same pixels,
and what they say of every point is made detections of in the same way: category by category,
non-maximum suppression at an IoU of 0.6 of the boxes scored at least 0.025, the best 100 of an
image. In the views "416 mirrored" left and right are swapped and swapped back.
The last row is the default detector as a scene has it, with views, suppression and calibration of
its own; its detections are scored by existence times category.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from neurosym.api import perception_of
from neurosym.errors import NeurosymError, OptionError
from neurosym.evaluation.average_precision import average_precision
from neurosym.evaluation.detection import measure
from neurosym.evaluation.photographs import read_album
from neurosym.perception.boxes import suppress
from neurosym.perception.picodet import INPUT_SIZE, PicoDet, coco_categories

Network = Callable[[Tensor], tuple[Tensor, Tensor]]
LEAST_SCORE = 0.025
SUPPRESSION = 0.6
BEST = 100


def onnx_network(path: Path) -> Network:
    """The model under ONNX runtime: what it hands to its own suppression.

    Raises:
        OptionError: onnx or onnxruntime is missing, or the file is another model.
    """
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise OptionError(f"{error}: pip install onnx onnxruntime") from error
    try:
        model = onnx.load(path)
    except (OSError, ValueError) as error:
        raise OptionError(f"cannot read {path}: {error}") from error
    (last,) = [node for node in model.graph.node if node.op_type == "NonMaxSuppression"]
    names = list(last.input[:2])
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    scale = np.ones((1, 2), np.float32)

    def run(pixels: Tensor) -> tuple[Tensor, Tensor]:
        boxes, scores = session.run(names, {"image": pixels.numpy(), "scale_factor": scale})
        return torch.from_numpy(boxes[0]), torch.from_numpy(scores[0]).T

    return run


def port_network(detector: PicoDet) -> Network:
    """The port, likewise."""

    @torch.inference_mode()
    def run(pixels: Tensor) -> tuple[Tensor, Tensor]:
        boxes, scores = detector(pixels)
        return boxes[0], scores[0]

    return run


def seen(network: Network, pixels: Tensor, *, mirrored: bool) -> tuple[Tensor, Tensor]:
    """Boxes [point, 4] in the input's frame and scores [point, 80]."""
    boxes, scores = network(pixels.flip(-1).contiguous() if mirrored else pixels)
    if mirrored:
        boxes = boxes.clone()
        boxes[:, 0::2] = INPUT_SIZE - boxes[:, [2, 0]]
    return boxes, scores


def detections(
    boxes: Tensor, scores: Tensor, size: tuple[int, int], image: int, numbers: list[int | None]
) -> Iterator[dict[str, Any]]:
    """The detections of an image in COCO's format; ``size`` is its width and height."""
    scale = torch.tensor([*size, *size]) / INPUT_SIZE
    found = []
    for column, number in enumerate(numbers):
        own = (scores[:, column] >= LEAST_SCORE).nonzero().flatten()
        if number is None or not len(own):
            continue
        kept = own[suppress(boxes[own], scores[own, column], SUPPRESSION)]
        found += [(float(scores[i, column]), number, boxes[i] * scale) for i in kept.tolist()]
    for score, number, box in sorted(found, key=lambda one: -one[0])[:BEST]:
        x1, y1, x2, y2 = box.tolist()
        yield {
            "image_id": image,
            "category_id": number,
            "score": score,
            "bbox": [x1, y1, x2 - x1, y2 - y1],
        }


def compare(folder: Path, model: Path, detector: PicoDet) -> list[dict[str, Any]]:
    """A row for each view and network."""
    gold = read_album(folder).document
    number = {category["name"]: category["id"] for category in gold["categories"]}
    numbers = [number.get(name) for name in coco_categories()]
    networks = {"ONNX runtime": onnx_network(model), "port": port_network(detector)}
    views = {"416": False, "416 mirrored": True}
    found: dict[tuple[str, str], list[dict[str, Any]]] = {
        (view, name): [] for view in views for name in networks
    }
    apart = dict.fromkeys(views, (0.0, 0.0))
    default = measure(folder, perception_of("picodet+mobilesam", device="cpu"))
    for image in gold["images"]:
        with Image.open(folder / "images" / image["file_name"]) as file:
            photo = np.array(file.convert("RGB"))
        pixels = detector.preprocess(photo)[None]
        size = (photo.shape[1], photo.shape[0])
        for view, mirrored in views.items():
            said = {
                name: seen(network, pixels, mirrored=mirrored) for name, network in networks.items()
            }
            for name, (boxes, scores) in said.items():
                found[view, name] += detections(boxes, scores, size, image["id"], numbers)
            (boxes, scores), (own_boxes, own_scores) = said.values()
            apart[view] = (
                max(apart[view][0], float((boxes - own_boxes).abs().max())),
                max(apart[view][1], float((scores - own_scores).abs().max())),
            )
    rows = []
    for (view, name), listed in found.items():
        precision = average_precision(gold, listed)
        rows.append(
            {
                "view": view,
                "network": name,
                "AP": _points(precision.ap),
                "AP50": _points(precision.ap50),
                "box apart, px": f"{apart[view][0]:.3f}",
                "score apart": f"{apart[view][1]:.6f}",
            }
        )
    rows.append(
        {
            "view": "default",
            "network": "port, as a scene has it",
            "AP": _points(default.figures["AP"].value),
            "AP50": _points(default.figures["AP50"].value),
        }
    )
    return rows


def _points(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.2f}"


def main() -> None:
    """Print the table."""
    from benchmarks.run import table

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path, required=True, help="the .onnx file")
    parser.add_argument("--weights", type=Path, help="folder with model.pdiparams, model.pdmodel")
    arguments = parser.parse_args()
    weights = arguments.weights
    if weights is None:
        from neurosym.models.store import path_of

        weights = path_of("picodet-s")
    try:
        detector = PicoDet.load(weights / "model.pdiparams")
        print(table(compare(arguments.folder, arguments.model, detector)))
    except NeurosymError as error:
        parser.exit(2, f"{error.message}\n")


if __name__ == "__main__":
    main()
