"""PicoDet-S 416: a detector of the 80 COCO categories in 1.2 million parameters.

The network is a plain PyTorch module: an LCNet backbone at three-quarter width, an LCPAN neck and
the second PicoDet head (Yu et al., 2021, "PP-PicoDet: A Better Real-Time Object Detector on Mobile
Devices"). The weights are read from the Paddle inference model by :mod:`neurosym.perception.paddle`
and every batch norm is folded into the convolution before it.

Nothing is thresholded beyond a low floor and nothing is suppressed here: what the scores mean is
decided in :mod:`neurosym.perception.detections`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from neurosym.errors import PerceptionError
from neurosym.perception.paddle import read_parameters

INPUT_SIZE: Final = 416
STRIDES: Final = (8, 16, 32, 64)
_CLASSES: Final = 80
_BINS: Final = 8
_MEAN: Final = (0.485, 0.456, 0.406)
_STD: Final = (0.229, 0.224, 0.225)
_BATCH_NORM_EPSILON: Final = 1e-5
# Paddle numbers layers in the order in which they were made; these two were made by the model's
# authors and never used, so no parameters of theirs are saved.
_UNUSED_CONVOLUTIONS: Final = (82, 83)


@dataclass(frozen=True, eq=False)
class RawDetections:
    """What the network says of one image, before suppression and calibration.

    Attributes:
        boxes: [point, 4] float32, xyxy, absolute pixels of the original frame, origin top left,
            clipped to the frame.
        scores: [point, 80] float32 in [0, 1], one per category of :func:`coco_categories`. They
            rank; they are not probabilities.
        height: height of the original frame in pixels.
        width: width of the original frame in pixels.
    """

    boxes: Tensor
    scores: Tensor
    height: int
    width: int


@cache
def coco_categories() -> tuple[str, ...]:
    """The 80 category names in the order of the score vector."""
    text = resources.files("neurosym.perception").joinpath("data/coco80.txt").read_text("utf-8")
    return tuple(text.split("\n")[:_CLASSES])


class _Convolution(nn.Module):
    """Convolution with a folded batch norm (or a bias of its own) and a hard swish."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 1,
        *,
        stride: int = 1,
        depthwise: bool = False,
        normalised: bool = True,
        activated: bool = True,
    ) -> None:
        super().__init__()
        groups = inputs if depthwise else 1
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups)
        self.normalised = normalised
        self.activated = activated

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return functional.hardswish(x, inplace=True) if self.activated else x


class _Separable(nn.Sequential):
    """Depthwise convolution, then pointwise convolution."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 5, *, stride: int = 1) -> None:
        super().__init__(
            _Convolution(inputs, inputs, kernel, stride=stride, depthwise=True),
            _Convolution(inputs, outputs),
        )


class _SqueezeExcite(nn.Module):
    """Scales each channel by a gate computed from the channel means."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = channels // 4
        self.reduce = _Convolution(channels, hidden, normalised=False, activated=False)
        self.expand = _Convolution(hidden, channels, normalised=False, activated=False)

    def forward(self, x: Tensor) -> Tensor:
        gate = functional.relu(self.reduce(x.mean((2, 3), keepdim=True)))
        return x * functional.hardsigmoid(self.expand(gate))


def _excited(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        _Convolution(inputs, inputs, 5, stride=stride, depthwise=True),
        _SqueezeExcite(inputs),
        _Convolution(inputs, outputs),
    )


class _Backbone(nn.Module):
    """LCNet x0.75: features of 96, 192 and 384 channels at strides 8, 16 and 32."""

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Sequential(
            _Convolution(3, 16, 3, stride=2),
            _Separable(16, 24, 3),
            _Separable(24, 48, 3, stride=2),
            _Separable(48, 48, 3),
            _Separable(48, 96, 3, stride=2),
            _Separable(96, 96, 3),
        )
        self.middle = nn.Sequential(
            _Separable(96, 192, 3, stride=2), *(_Separable(192, 192) for _ in range(5))
        )
        self.coarse = nn.Sequential(_excited(192, 384, 2), _excited(384, 384, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        fine = self.fine(x)
        middle = self.middle(fine)
        return fine, middle, self.coarse(middle)


class _Merge(nn.Sequential):
    """Two separable convolutions over two concatenated feature maps."""

    def __init__(self, channels: int) -> None:
        super().__init__(_Separable(2 * channels, 2 * channels), _Separable(2 * channels, channels))


class _Ascent(nn.Module):
    """One bottom-up step of the neck: halve the finer map, merge it with the coarser."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.down = _Separable(channels, channels, stride=2)
        self.merge = _Merge(channels)

    def forward(self, finer: Tensor, coarser: Tensor) -> Tensor:
        merged: Tensor = self.merge(torch.cat([self.down(finer), coarser], dim=1))
        return merged


class _Neck(nn.Module):
    """LCPAN: mixes the three levels top-down, then bottom-up, and adds one at stride 64."""

    def __init__(self, channels: int = 96) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(_Convolution(n, channels) for n in (96, 192, 384))
        self.top_from_input = _Separable(channels, channels, stride=2)
        self.top_from_output = _Separable(channels, channels, stride=2)
        self.descents = nn.ModuleList(_Merge(channels) for _ in range(2))
        self.ascents = nn.ModuleList(_Ascent(channels) for _ in range(2))

    def forward(self, levels: tuple[Tensor, Tensor, Tensor]) -> list[Tensor]:
        fine, middle, coarse = (
            layer(level) for layer, level in zip(self.lateral, levels, strict=True)
        )
        middle = self.descents[0](torch.cat([_doubled(coarse), middle], dim=1))
        fine = self.descents[1](torch.cat([_doubled(middle), fine], dim=1))
        middle = self.ascents[0](fine, middle)
        last = self.ascents[1](middle, coarse)
        top = self.top_from_input(coarse) + self.top_from_output(last)
        return [fine, middle, last, top]


def _doubled(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")


class _Features(nn.Module):
    """The head's shared features of one level, plain and gated."""

    def __init__(self, channels: int = 96) -> None:
        super().__init__()
        self.tower = nn.Sequential(_Separable(channels, channels), _Separable(channels, channels))
        self.gate = _Convolution(channels, channels, normalised=False, activated=False)
        self.mix = _Convolution(channels, channels)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        plain: Tensor = self.tower(x)
        gate = torch.sigmoid(self.gate(plain.mean((2, 3), keepdim=True)))
        return plain, self.mix(plain * gate)


class _Outputs(nn.Module):
    """Class scores and, for each side of the box, a distribution over its distance."""

    def __init__(self, channels: int = 96) -> None:
        super().__init__()
        self.classes = _Convolution(channels, _CLASSES, normalised=False, activated=False)
        self.sides = _Convolution(channels, 4 * _BINS, normalised=False, activated=False)
        self.align = nn.Sequential(
            _Convolution(channels, 1, 5), _Convolution(1, 1, activated=False)
        )

    def forward(self, plain: Tensor, gated: Tensor) -> tuple[Tensor, Tensor]:
        quality = torch.sigmoid(self.classes(gated)) * torch.sigmoid(self.align(plain))
        scores = torch.sqrt(quality + 1e-9).flatten(2).transpose(1, 2)
        bins = self.sides(gated).flatten(2).transpose(1, 2).unflatten(-1, (4, _BINS)).softmax(-1)
        return scores, bins


class PicoDet(nn.Module):
    """The detector. Make one with :meth:`load`; a bare instance has random weights."""

    anchors: Tensor
    strides: Tensor
    distances: Tensor
    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        # The order in which the parts are made here is the order in which Paddle numbered its
        # layers: loading walks both in step.
        self.backbone = _Backbone()
        self.neck = _Neck()
        self.features = nn.ModuleList(_Features() for _ in STRIDES)
        self.outputs = nn.ModuleList(_Outputs() for _ in STRIDES)
        anchors, strides = _points()
        self.register_buffer("anchors", anchors, persistent=False)
        self.register_buffer("strides", strides, persistent=False)
        self.register_buffer("distances", torch.arange(float(_BINS)), persistent=False)
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

    def preprocess(self, image: np.ndarray) -> Tensor:
        """The network's input for one image.

        Args:
            image: [height, width, 3] uint8 RGB.

        Returns:
            [3, 416, 416] float32 on the module's device. The aspect ratio is not kept.

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
            pixels, size=(INPUT_SIZE, INPUT_SIZE), mode="bicubic", align_corners=False
        )
        pixels = pixels[0].round_().clamp_(0, 255).div_(255)
        return (pixels - self.mean) / self.std

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """The network itself.

        Args:
            pixels: [image, 3, 416, 416] from :meth:`preprocess`.

        Returns:
            boxes [image, 3598, 4], xyxy in pixels of the 416 x 416 input, not clipped; and scores
            [image, 3598, 80] in [0, 1].
        """
        scores, bins = [], []
        levels = self.neck(self.backbone(pixels))
        for level, features, outputs in zip(levels, self.features, self.outputs, strict=True):
            level_scores, level_bins = outputs(*features(level))
            scores.append(level_scores)
            bins.append(level_bins)
        before, after = (torch.cat(bins, dim=1) @ self.distances).chunk(2, dim=-1)
        boxes = torch.cat([self.anchors - before, self.anchors + after], dim=-1) * self.strides
        return boxes, torch.cat(scores, dim=1)

    @torch.inference_mode()
    def detect(
        self, images: Sequence[np.ndarray], *, floor: float = 0.02, batch: int = 8
    ) -> list[RawDetections]:
        """Everything the network proposes for each image.

        Args:
            images: arrays [height, width, 3] uint8 RGB, of any sizes.
            floor: points whose best score is lower are left out; 0 keeps all 3,598.
            batch: how many images go through the network at once.

        Returns:
            One result an image, on the module's device, points in the network's order.

        Raises:
            PerceptionError: an array is not an RGB image.
        """
        found: list[RawDetections] = []
        for start in range(0, len(images), batch):
            chunk = images[start : start + batch]
            pixels = torch.stack([self.preprocess(image) for image in chunk])
            pixels = pixels.contiguous(memory_format=torch.channels_last)
            for image, boxes, scores in zip(chunk, *self(pixels), strict=True):
                height, width = image.shape[:2]
                kept = scores.amax(dim=1) >= floor
                frame = boxes.new_tensor([width, height, width, height])
                inside = (boxes[kept] * (frame / INPUT_SIZE)).clamp_(min=0).minimum(frame)
                found.append(RawDetections(inside, scores[kept], height, width))
        return found


def suppress(boxes: Tensor, scores: Tensor, iou: float = 0.6, limit: int = 300) -> Tensor:
    """Greedy non-maximum suppression, blind to categories.

    Args:
        boxes: [point, 4] xyxy.
        scores: [point]; the best one is taken first.
        iou: a box that overlaps a kept one by more is dropped.
        limit: how many boxes to keep at most.

    Returns:
        [kept] int64 positions in ``boxes``, best score first.
    """
    order = scores.argsort(descending=True, stable=True)
    overlaps = pairwise_iou(boxes[order], boxes[order]) > iou
    kept: list[int] = []
    dropped = torch.zeros(len(order), dtype=torch.bool, device=boxes.device)
    for position in range(len(order)):
        if not dropped[position]:
            kept.append(position)
            if len(kept) == limit:
                break
            dropped |= overlaps[position]
    return order[torch.tensor(kept, dtype=torch.int64, device=boxes.device)]


def pairwise_intersection(first: Tensor, second: Tensor) -> Tensor:
    """Areas shared by boxes [n, 4] and [m, 4], xyxy: [n, m], in the boxes' unit squared."""
    corner = torch.maximum(first[:, None, :2], second[None, :, :2])
    opposite = torch.minimum(first[:, None, 2:], second[None, :, 2:])
    return (opposite - corner).clamp(min=0).prod(dim=-1)


def areas(boxes: Tensor) -> Tensor:
    """Areas [n] of boxes [n, 4], xyxy."""
    return (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(dim=-1)


def pairwise_iou(first: Tensor, second: Tensor) -> Tensor:
    """Intersection over union [n, m] in [0, 1] of boxes [n, 4] and [m, 4]; 0 for empty boxes."""
    shared = pairwise_intersection(first, second)
    union = areas(first)[:, None] + areas(second)[None, :] - shared
    return shared / union.clamp(min=1e-9)


def _points() -> tuple[Tensor, Tensor]:
    """Centres of the 3,598 cells, in cells, and the strides of their levels."""
    anchors, strides = [], []
    for stride in STRIDES:
        side = -(-INPUT_SIZE // stride)
        centre = torch.arange(side, dtype=torch.float32) + 0.5
        y, x = torch.meshgrid(centre, centre, indexing="ij")
        anchors.append(torch.stack([x, y], dim=-1).flatten(0, 1))
        strides.append(torch.full((side * side, 1), float(stride)))
    return torch.cat(anchors), torch.cat(strides)


def _fill(module: PicoDet, parameters: dict[str, Tensor]) -> None:
    """Copies the parameters into the module, folding batch norms; every one must find a place."""
    left = dict(parameters)
    layer = norm = 0
    for part in module.modules():
        if not isinstance(part, _Convolution):
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
    if distances.shape != (_BINS,):
        raise ValueError(f'parameter "{name}" has no place')
    module.distances.copy_(distances)
