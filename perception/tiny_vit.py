"""The image encoder of MobileSAM: TinyViT with five million parameters, cut for segmentation.

Architecture after Wu et al., 2022, "TinyViT: Fast Pretraining Distillation for Small Vision
Transformers", with the changes of Zhang et al., 2023, "Faster Segment Anything": the last stage
keeps the resolution of the third, and a neck of two convolutions takes the place of the
classifier. Batch norms are folded into their convolutions when the weights are loaded, so that no
module here has any.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDE: Final = 16
# Pixels along the side of the largest attention window: 14 cells at the coarsest stride.
WINDOW: Final = 14 * STRIDE
CHANNELS: Final = 256
_WIDTHS: Final = (64, 128, 160, 320)
_DEPTHS: Final = (2, 2, 6, 2)
_HEADS: Final = (2, 4, 5, 10)
_WINDOWS: Final = (7, 7, 14, 7)
_EXPANSION: Final = 4
_BATCH_NORM_EPSILON: Final = 1e-5


class TinyVit(nn.Module):
    """Encodes normalised images into feature maps at a sixteenth of their size.

    There is no absolute position in it, only offsets inside windows, so that any input size does.
    """

    def __init__(self) -> None:
        super().__init__()
        width = _WIDTHS[0]
        self.patch_embed = nn.ModuleDict(
            {
                "seq": nn.Sequential(
                    nn.Conv2d(3, width // 2, 3, 2, 1),
                    nn.GELU(),
                    nn.Conv2d(width // 2, width, 3, 2, 1),
                )
            }
        )
        self.layers = nn.ModuleList(_Stage(index) for index in range(len(_WIDTHS)))
        self.neck = nn.Sequential(
            nn.Conv2d(_WIDTHS[-1], CHANNELS, 1, bias=False),
            _ChannelNorm(CHANNELS),
            nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, bias=False),
            _ChannelNorm(CHANNELS),
        )

    def forward(self, pixels: Tensor) -> Tensor:
        """Features of a batch of images.

        Args:
            pixels: [image, 3, height, width], normalised; height and width multiples of 16.

        Returns:
            [image, 256, height / 16, width / 16].
        """
        x: Tensor = self.patch_embed["seq"](pixels)
        for layer in self.layers:
            x = layer(x)
        features: Tensor = self.neck(x)
        return features


class _Stage(nn.Module):
    """Blocks of one width, then the step to the next width."""

    def __init__(self, index: int) -> None:
        super().__init__()
        width, window = _WIDTHS[index], _WINDOWS[index]
        self.blocks = nn.ModuleList(
            _InvertedBottleneck(width) if index == 0 else _WindowBlock(width, _HEADS[index], window)
            for _ in range(_DEPTHS[index])
        )
        self.downsample = (
            # The step into the last stage keeps the resolution: masks need it more than context.
            _Step(width, _WIDTHS[index + 1], stride=1 if index == 2 else 2)
            if index + 1 < len(_WIDTHS)
            else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        stepped: Tensor = self.downsample(x)
        return stepped


class _InvertedBottleneck(nn.Module):
    """Widen, convolve each channel by itself, narrow, and add."""

    def __init__(self, width: int) -> None:
        super().__init__()
        hidden = width * _EXPANSION
        self.conv1 = nn.Conv2d(width, hidden, 1)
        self.conv2 = nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden)
        self.conv3 = nn.Conv2d(hidden, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        hidden = functional.gelu(self.conv2(functional.gelu(self.conv1(x))))
        return functional.gelu(x + self.conv3(hidden))


class _Step(nn.Module):
    """Changes the width, and the resolution by ``stride``."""

    def __init__(self, inputs: int, outputs: int, *, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, stride, 1, groups=outputs)
        self.conv3 = nn.Conv2d(outputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        hidden = functional.gelu(self.conv2(functional.gelu(self.conv1(x))))
        stepped: Tensor = self.conv3(hidden)
        return stepped


class _WindowBlock(nn.Module):
    """Attention inside windows, a depthwise convolution across them, and a perceptron."""

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.window = window
        self.attn = _Attention(width, heads, window)
        self.local_conv = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.mlp = _Perceptron(width)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.permute(0, 2, 3, 1)
        x = (rows + self._attend(rows)).permute(0, 3, 1, 2)
        rows = self.local_conv(x).permute(0, 2, 3, 1)
        mixed: Tensor = rows + self.mlp(rows)
        return mixed.permute(0, 3, 1, 2)

    def _attend(self, rows: Tensor) -> Tensor:
        """Attention in non-overlapping windows; zeros fill the last ones up."""
        images, height, width, channels = rows.shape
        side = self.window
        below, right = -height % side, -width % side
        padded = functional.pad(rows, (0, 0, 0, right, 0, below))
        down, across = (height + below) // side, (width + right) // side
        windows = padded.view(images, down, side, across, side, channels).transpose(2, 3)
        attended: Tensor = self.attn(windows.reshape(-1, side * side, channels))
        grid = attended.view(images, down, across, side, side, channels).transpose(2, 3)
        whole = grid.reshape(images, height + below, width + right, channels)
        return whole[:, :height, :width]


class _Attention(nn.Module):
    """Multi-head attention with a learnt bias for every distance in rows and columns."""

    distances: Tensor

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.attention_biases = nn.Parameter(torch.zeros(heads, window * window))
        along = torch.arange(window)
        apart = (along[:, None] - along[None, :]).abs()
        distances = apart[:, None, :, None] * window + apart[None, :, None, :]
        self.register_buffer("distances", distances.reshape(window**2, window**2), persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        query, key, value = (
            self.qkv(self.norm(tokens))
            .unflatten(-1, (self.heads, -1))
            .transpose(1, 2)
            .chunk(3, dim=-1)
        )
        bias = self.attention_biases[:, self.distances].to(query.dtype)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        projected: Tensor = self.proj(mixed.transpose(1, 2).flatten(2))
        return projected


class _Perceptron(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, width * _EXPANSION)
        self.fc2 = nn.Linear(width * _EXPANSION, width)

    def forward(self, tokens: Tensor) -> Tensor:
        mixed: Tensor = self.fc2(functional.gelu(self.fc1(self.norm(tokens))))
        return mixed


class _ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of [image, channel, row, column]."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def fold_batch_norms(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A checkpoint's tensors with each pair ``x.c``, ``x.bn`` made one convolution ``x``.

    Raises:
        KeyError: a convolution's batch norm is incomplete.
    """
    left = dict(state)
    for name in [key for key in state if key.endswith(".c.weight")]:
        stem = name.removesuffix(".c.weight")
        scale = left.pop(f"{stem}.bn.weight")
        scale = scale / torch.sqrt(left.pop(f"{stem}.bn.running_var") + _BATCH_NORM_EPSILON)
        left[f"{stem}.weight"] = left.pop(name) * scale.view(-1, 1, 1, 1)
        mean = left.pop(f"{stem}.bn.running_mean")
        left[f"{stem}.bias"] = left.pop(f"{stem}.bn.bias") - mean * scale
        left.pop(f"{stem}.bn.num_batches_tracked", None)
    return left
