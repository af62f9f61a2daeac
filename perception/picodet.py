"""PicoDet-S 416: a detector of the 80 COCO categories in 1.2 million parameters.

The network is a plain PyTorch module: an LCNet backbone at three-quarter width, an LCPAN neck and
the second PicoDet head (Yu et al., 2021, "PP-PicoDet: A Better Real-Time Object Detector on Mobile
Devices"). The weights are read from the Paddle inference model by :mod:`neurosym.perception.paddle`
and every batch norm is folded into the convolution before it.

:meth:`PicoDet.detect` shows an image to the network once; :meth:`PicoDet.detect_views` shows it
several times, enlarged or mirrored, and averages what is said of each box.

Nothing is thresholded here beyond a low floor: what the scores mean is decided in
:mod:`neurosym.perception.detections`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from neurosym.errors import PerceptionError
from neurosym.perception.base import Detections
from neurosym.perception.paddle import read_parameters
from neurosym.perception.picodet_network import (
    BINS,
    CLASSES,
    Backbone,
    Convolution,
    Features,
    Neck,
    Outputs,
)
from neurosym.perception.views import View, fuse

INPUT_SIZE: Final = 416
STRIDES: Final = (8, 16, 32, 64)
_MEAN: Final = (0.485, 0.456, 0.406)
_STD: Final = (0.229, 0.224, 0.225)
_BATCH_NORM_EPSILON: Final = 1e-5
# Paddle numbers layers in the order in which they were made; these two were made by the model's
# authors and never used, so no parameters of theirs are saved.
_UNUSED_CONVOLUTIONS: Final = (82, 83)


PLAIN_VIEW: Final = View(INPUT_SIZE, INPUT_SIZE)
# Chosen on 53 COCO images by cross-validation (benchmarks/fit_calibration.py --views measures any
# other choice): one view of this size finds as many things as two of 544 x 544, plain and mirrored,
# in half the time, and its scores are the better calibrated; smaller ones miss small things.
DEFAULT_VIEWS: Final = (View(576, 576),)


@cache
def coco_categories() -> tuple[str, ...]:
    """The 80 category names in the order of the score vector."""
    text = resources.files("neurosym.perception").joinpath("data/coco80.txt").read_text("utf-8")
    return tuple(text.split("\n")[:CLASSES])


class PicoDet(nn.Module):
    """The detector. Make one with :meth:`load`; a bare instance has random weights."""

    anchors: Tensor
    strides: Tensor
    distances: Tensor
    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        # In the order of the layers in Paddle, like the parts of the parts.
        self.backbone = Backbone()
        self.neck = Neck()
        self.features = nn.ModuleList(Features() for _ in STRIDES)
        self.outputs = nn.ModuleList(Outputs() for _ in STRIDES)
        anchors, strides = _points()
        self.register_buffer("anchors", anchors, persistent=False)
        self.register_buffer("strides", strides, persistent=False)
        self.register_buffer("distances", torch.arange(float(BINS)), persistent=False)
        self.register_buffer("mean", torch.tensor(_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_STD).view(3, 1, 1), persistent=False)

    @classmethod
    def load(
        cls,
        params_path: Path,
        model_path: Path | None = None,
        device: torch.device | str = "cpu",
    ) -> Self:
        """The detector with its trained weights, in evaluation mode.

        Args:
            params_path: the weights, ``model.pdiparams``.
            model_path: the program that names them; ``model.pdmodel`` beside them when not given.
            device: where the module's tensors go.

        Raises:
            PerceptionError: a file is missing or damaged, or holds another model.
        """
        if model_path is None:
            model_path = params_path.with_suffix(".pdmodel")
        parameters = read_parameters(params_path, model_path)
        module = cls()
        try:
            with torch.no_grad():
                _fill(module, parameters)
        except (KeyError, ValueError, RuntimeError) as error:
            raise PerceptionError(f"{params_path.name} is not PicoDet-S 416: {error}") from error
        return module.requires_grad_(False).eval().to(device)

    def preprocess(
        self, image: np.ndarray, height: int = INPUT_SIZE, width: int = INPUT_SIZE
    ) -> Tensor:
        """The network's input for one image.

        Args:
            image: [height, width, 3] uint8 RGB.
            height: of the input, in pixels.
            width: of the input, in pixels. The aspect ratio of the image is not kept.

        Returns:
            [3, height, width] float32 on the module's device.

        Raises:
            PerceptionError: the array has another shape or type, or no pixels.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
            raise PerceptionError(
                "an image must be a [height, width, 3] uint8 RGB array with at least one pixel, "
                f"not {image.dtype} {list(image.shape)}"
            )
        pixels = torch.tensor(image, device=self.mean.device).permute(2, 0, 1)[None].float()
        # The same kernel (a = -0.75, no antialiasing) and rounding as the resize of the original
        # pipeline: an antialiased one blurs what the network was trained to see.
        pixels = functional.interpolate(
            pixels, size=(height, width), mode="bicubic", align_corners=False
        )
        pixels = pixels[0].round_().clamp_(0, 255)
        return pixels.sub_(255 * self.mean).div_(255 * self.std)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """The network itself.

        Args:
            pixels: [image, 3, height, width] from :meth:`preprocess`.

        Returns:
            boxes [image, point, 4], xyxy in pixels of the input, not clipped; and scores
            [image, point, 80] in [0, 1]. An input of 416 x 416 has 3,598 points.
        """
        anchors, strides = self.anchors, self.strides
        if pixels.shape[-2:] != (INPUT_SIZE, INPUT_SIZE):
            anchors, strides = (t.to(pixels.device) for t in _points(*pixels.shape[-2:]))
        scores, bins = [], []
        levels = self.neck(self.backbone(pixels))
        for level, features, outputs in zip(levels, self.features, self.outputs, strict=True):
            level_scores, level_bins = outputs(*features(level))
            scores.append(level_scores)
            bins.append(level_bins)
        before, after = (torch.cat(bins, dim=1) @ self.distances).chunk(2, dim=-1)
        boxes = torch.cat([anchors - before, anchors + after], dim=-1) * strides
        return boxes, torch.cat(scores, dim=1)

    def detect(
        self,
        images: Sequence[np.ndarray],
        *,
        view: View = PLAIN_VIEW,
        floor: float = 0.02,
        batch: int = 8,
    ) -> list[Detections]:
        """Everything the network proposes for each image, seen once.

        Args:
            images: arrays [height, width, 3] uint8 RGB, of any sizes.
            view: how the images are shown to the network.
            floor: points whose best score is lower are left out; 0 keeps all (3,598 at 416 x 416).
            batch: how many images go through the network at once.

        Returns:
            One result an image, on the module's device, points in the network's order.

        Raises:
            PerceptionError: an array is not an RGB image.
        """
        return self.detect_views(images, views=[view], floor=floor, batch=batch)

    @torch.inference_mode()
    def detect_views(
        self,
        images: Sequence[np.ndarray],
        *,
        views: Sequence[View] = DEFAULT_VIEWS,
        floor: float = 0.12,
        batch: int = 8,
    ) -> list[Detections]:
        """What the network proposes for each image, seen in several ways.

        Args:
            images: arrays [height, width, 3] uint8 RGB, of any sizes.
            views: how each image is shown to the network, at least one.
            floor: points whose best score is lower are left out, in each view.
            batch: how many images go through the network at once.

        Returns:
            One result an image, on the module's device; see :func:`neurosym.perception.views.fuse`.

        Raises:
            PerceptionError: an array is not an RGB image.
        """
        found: list[Detections] = []
        for start in range(0, len(images), batch):
            chunk = images[start : start + batch]
            # Resizing is a sixth of the time: a view and its mirror image share it.
            resized: dict[tuple[int, int], Tensor] = {}
            seen = []
            for view in views:
                size = (view.height, view.width)
                if size not in resized:
                    resized[size] = torch.stack([self.preprocess(image, *size) for image in chunk])
                seen.append(self._see(chunk, resized[size], mirrored=view.mirrored, floor=floor))
            found += [fuse(results) for results in zip(*seen, strict=True)]
        return found

    def _see(
        self, images: Sequence[np.ndarray], pixels: Tensor, *, mirrored: bool, floor: float
    ) -> list[Detections]:
        """One pass of resized images, [image, 3, height, width]; boxes in the original frames."""
        shown = pixels.flip(-1) if mirrored else pixels
        shown = shown.contiguous(memory_format=torch.channels_last)
        found = []
        for image, boxes, scores in zip(images, *self(shown), strict=True):
            height, width = image.shape[:2]
            kept = scores.amax(dim=1) >= floor
            frame = boxes.new_tensor([width, height, width, height])
            scale = frame / frame.new_tensor([pixels.shape[3], pixels.shape[2]] * 2)
            inside = (boxes[kept] * scale).clamp_(min=0).minimum(frame)
            if mirrored:
                inside[:, 0::2] = width - inside[:, [2, 0]]
            found.append(Detections(inside, scores[kept]))
        return found


def _points(height: int = INPUT_SIZE, width: int = INPUT_SIZE) -> tuple[Tensor, Tensor]:
    """Centres [point, 2] of all cells, in cells, and the strides [point, 1] of their levels."""
    anchors, strides = [], []
    for stride in STRIDES:
        rows, columns = -(-height // stride), -(-width // stride)
        y, x = torch.meshgrid(
            torch.arange(float(rows)) + 0.5, torch.arange(float(columns)) + 0.5, indexing="ij"
        )
        anchors.append(torch.stack([x, y], dim=-1).flatten(0, 1))
        strides.append(torch.full((rows * columns, 1), float(stride)))
    return torch.cat(anchors), torch.cat(strides)


def _fill(module: PicoDet, parameters: dict[str, Tensor]) -> None:
    """Copies the parameters into the module, folding batch norms; every one must find a place."""
    left = dict(parameters)
    layer = norm = 0
    for part in module.modules():
        if not isinstance(part, Convolution):
            continue
        while layer in _UNUSED_CONVOLUTIONS:
            layer += 1
        weight = left.pop(f"conv2d_{layer}.w_0")
        if part.normalised:
            name = f"batch_norm2d_{norm}"
            scale, shift, mean, variance = (
                left.pop(f"{name}.{suffix}") for suffix in ("w_0", "b_0", "w_1", "w_2")
            )
            scale = scale / torch.sqrt(variance + _BATCH_NORM_EPSILON)
            weight = weight * scale.view(-1, 1, 1, 1)
            bias = shift - mean * scale
            norm += 1
        else:
            bias = left.pop(f"conv2d_{layer}.b_0")
        if weight.shape != part.conv.weight.shape or part.conv.bias is None:
            raise ValueError(
                f"layer {layer} has shape {list(weight.shape)}, "
                f"expected {list(part.conv.weight.shape)}"
            )
        # Channels last: more than twice as fast on a CPU.
        part.conv.weight.data = weight.contiguous(memory_format=torch.channels_last)
        part.conv.bias.copy_(bias)
        layer += 1
    # What is left are three constants of the program. The distances that the bins stand for are
    # not quite the whole numbers of cells (3.0003, 6.0006), so they are taken as they are.
    for own, constants in ((module.anchors, "cell centres"), (module.strides, "strides")):
        names = [name for name, value in left.items() if torch.equal(value, own)]
        if len(names) != 1:
            raise ValueError(f"the {constants} are not those of a 416 x 416 input")
        del left[names[0]]
    ((name, distances),) = left.items()
    if distances.shape != (BINS,):
        raise ValueError(f'parameter "{name}" has no place')
    module.distances.copy_(distances)
