"""The parts of PicoDet-S: backbone, neck and head, as plain PyTorch modules.

The order in which a module makes its parts is the order in which Paddle numbered its layers: what
loads the weights walks both in step.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

CLASSES: Final = 80
BINS: Final = 8
"""Into how many the distance from a point to a side of its box is divided, in cells."""


class Convolution(nn.Module):
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
        """[image, channel, row, column], all of them here."""
        x = self.conv(x)
        return functional.hardswish(x, inplace=True) if self.activated else x


class _Separable(nn.Sequential):
    """Depthwise convolution, then pointwise convolution."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 5, *, stride: int = 1) -> None:
        super().__init__(
            Convolution(inputs, inputs, kernel, stride=stride, depthwise=True),
            Convolution(inputs, outputs),
        )


class _SqueezeExcite(nn.Module):
    """Scales each channel by a gate computed from the channel means."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = channels // 4
        self.reduce = Convolution(channels, hidden, normalised=False, activated=False)
        self.expand = Convolution(hidden, channels, normalised=False, activated=False)

    def forward(self, x: Tensor) -> Tensor:
        gate = functional.relu(self.reduce(x.mean((2, 3), keepdim=True)))
        return x * functional.hardsigmoid(self.expand(gate))


def _excited(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        Convolution(inputs, inputs, 5, stride=stride, depthwise=True),
        _SqueezeExcite(inputs),
        Convolution(inputs, outputs),
    )


class Backbone(nn.Module):
    """LCNet x0.75: features of 96, 192 and 384 channels at strides 8, 16 and 32."""

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Sequential(
            Convolution(3, 16, 3, stride=2),
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
        """Features at strides 8, 16 and 32 of normalised pixels [image, 3, height, width]."""
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


class Neck(nn.Module):
    """LCPAN: mixes the three levels top-down, then bottom-up, and adds one at stride 64."""

    def __init__(self, channels: int = 96) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(Convolution(n, channels) for n in (96, 192, 384))
        self.top_from_input = _Separable(channels, channels, stride=2)
        self.top_from_output = _Separable(channels, channels, stride=2)
        self.descents = nn.ModuleList(_Merge(channels) for _ in range(2))
        self.ascents = nn.ModuleList(_Ascent(channels) for _ in range(2))

    def forward(self, levels: tuple[Tensor, Tensor, Tensor]) -> list[Tensor]:
        """Four levels of features, at strides 8, 16, 32 and 64."""
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


class Features(nn.Module):
    """The head's shared features of one level, plain and gated."""

    def __init__(self, channels: int = 96) -> None:
        super().__init__()
        self.tower = nn.Sequential(_Separable(channels, channels), _Separable(channels, channels))
        self.gate = Convolution(channels, channels, normalised=False, activated=False)
        self.mix = Convolution(channels, channels)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Plain and gated features of one level, of its shape."""
        plain: Tensor = self.tower(x)
        gate = torch.sigmoid(self.gate(plain.mean((2, 3), keepdim=True)))
        return plain, self.mix(plain * gate)


class Outputs(nn.Module):
    """Class scores and, for each side of the box, a distribution over its distance."""

    def __init__(self, channels: int = 96) -> None:
        super().__init__()
        self.classes = Convolution(channels, CLASSES, normalised=False, activated=False)
        self.sides = Convolution(channels, 4 * BINS, normalised=False, activated=False)
        self.align = nn.Sequential(Convolution(channels, 1, 5), Convolution(1, 1, activated=False))

    def forward(self, plain: Tensor, gated: Tensor) -> tuple[Tensor, Tensor]:
        """Scores [image, point, 80] in [0, 1]; distances [image, point, 4, 8], rows sum to 1."""
        quality = torch.sigmoid(self.classes(gated)) * torch.sigmoid(self.align(plain))
        scores = torch.sqrt(quality + 1e-9).flatten(2).transpose(1, 2)
        bins = self.sides(gated).flatten(2).transpose(1, 2).unflatten(-1, (4, BINS)).softmax(-1)
        return scores, bins
