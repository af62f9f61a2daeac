"""MobileSAM: a mask for each box, from Segment Anything with a small image encoder.

The encoder is :class:`neurosym.perception.tiny_vit.TinyVit`; the prompt encoder and the mask
decoder are those of ``transformers``, which is imported when the model is loaded. All weights come
from the official checkpoint (Zhang et al., 2023, "Faster Segment Anything").
"""

from __future__ import annotations

import pickle
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from neurosym.errors import PerceptionError
from neurosym.perception.tiny_vit import CHANNELS, STRIDE, WINDOW, TinyVit, fold_batch_norms

LONGEST_SIDE: Final = 1024
_MEAN: Final = (123.675, 116.28, 103.53)
_STD: Final = (58.395, 57.12, 57.375)
_GRID: Final = LONGEST_SIDE // STRIDE
# The largest number of floating-point mask pixels held at once in the original frame: 64 MB.
_PIXELS_AT_ONCE: Final = 1 << 24
# The classifier that the encoder was pretrained with; the checkpoint carries it along.
_UNUSED: Final = ("norm_head.weight", "norm_head.bias", "head.weight", "head.bias")
_PROMPT_NAMES: Final = (
    (r"^pe_layer\.positional_encoding_gaussian_matrix", "shared_embedding.positional_embedding"),
    (r"^point_embeddings\.", "point_embed."),
    (r"^mask_downscaling\.0\.", "mask_embed.conv1."),
    (r"^mask_downscaling\.1\.", "mask_embed.layer_norm1."),
    (r"^mask_downscaling\.3\.", "mask_embed.conv2."),
    (r"^mask_downscaling\.4\.", "mask_embed.layer_norm2."),
    (r"^mask_downscaling\.6\.", "mask_embed.conv3."),
)
_DECODER_NAMES: Final = (
    (r"^output_upscaling\.0\.", "upscale_conv1."),
    (r"^output_upscaling\.1\.", "upscale_layer_norm."),
    (r"^output_upscaling\.3\.", "upscale_conv2."),
    (r"\.norm(\d|_final_attn)\.", r".layer_norm\1."),
    (r"^((?:output_hypernetworks_mlps\.\d+|iou_prediction_head)\.)layers\.0\.", r"\1proj_in."),
    (r"^((?:output_hypernetworks_mlps\.\d+|iou_prediction_head)\.)layers\.1\.", r"\1layers.0."),
    (r"^((?:output_hypernetworks_mlps\.\d+|iou_prediction_head)\.)layers\.2\.", r"\1proj_out."),
)


@dataclass(frozen=True, eq=False)
class Embedding:
    """One encoded image, to be asked for masks any number of times.

    Attributes:
        features: [1, 256, rows, columns] float32; a cell is 16 x 16 pixels of the resized image.
        height: height of the original frame in pixels.
        width: width of the original frame in pixels.
        resized_height: height of the resized image in pixels; the longer side is 1024.
        resized_width: width of the resized image in pixels.
    """

    features: Tensor
    height: int
    width: int
    resized_height: int
    resized_width: int


class MobileSam(nn.Module):
    """The segmenter. Make one with :meth:`load`; a bare instance has random weights."""

    positions: Tensor
    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        from transformers import SamConfig, SamMaskDecoderConfig
        from transformers.models.sam.modeling_sam import SamMaskDecoder, SamPromptEncoder

        # The epsilon of the original decoder; the library's default is a tenth of it.
        decoder = SamMaskDecoderConfig(layer_norm_eps=1e-5)
        decoder._attn_implementation = "sdpa"
        self.image_encoder = TinyVit()
        self.prompt_encoder = SamPromptEncoder(SamConfig())
        self.mask_decoder = SamMaskDecoder(decoder)
        empty = torch.zeros(1, CHANNELS, _GRID, _GRID)
        self.register_buffer("positions", empty, persistent=False)
        self.register_buffer("mean", torch.tensor(_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_STD).view(3, 1, 1), persistent=False)

    @classmethod
    def load(cls, path: Path, device: torch.device | str = "cpu") -> Self:
        """The segmenter with the official weights, in evaluation mode.

        Args:
            path: the checkpoint, ``mobile_sam.pt``; read with ``weights_only=True``.
            device: where the module's tensors go.

        Raises:
            PerceptionError: the file is missing or damaged, or holds another model.
        """
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except OSError as error:
            raise PerceptionError(f"cannot read {path}: {error.strerror}") from error
        except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
            raise PerceptionError(f"{path.name} is damaged or not a checkpoint") from error
        module = cls()
        try:
            module._fill(state)
        except (KeyError, AttributeError, TypeError, RuntimeError) as error:
            reason = str(error).split("\n")[0]
            raise PerceptionError(f"{path.name} is not MobileSAM: {reason}") from error
        module = module.requires_grad_(False).eval()
        for parameter in module.image_encoder.parameters():
            if parameter.ndim == 4:
                # Channels last is the faster layout on a CPU.
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        return module.to(device)

    def _fill(self, state: dict[str, Tensor]) -> None:
        """Loads the checkpoint; no tensor may be missing on either side."""
        parts: dict[str, dict[str, Tensor]] = {
            "image_encoder": {},
            "prompt_encoder": {},
            "mask_decoder": {},
        }
        for key, value in state.items():
            part, _, name = key.partition(".")
            parts[part][name] = value
        encoder = fold_batch_norms(parts["image_encoder"])
        for name in _UNUSED:
            del encoder[name]
        self.image_encoder.load_state_dict(encoder)
        self.prompt_encoder.load_state_dict(_renamed(parts["prompt_encoder"], _PROMPT_NAMES))
        self.mask_decoder.load_state_dict(_renamed(parts["mask_decoder"], _DECODER_NAMES))
        with torch.no_grad():
            centres = (torch.arange(_GRID, dtype=torch.float32) + 0.5) / _GRID
            y, x = torch.meshgrid(centres, centres, indexing="ij")
            encoded = self.prompt_encoder.shared_embedding(torch.stack([x, y], dim=-1))
            self.positions.copy_(encoded.permute(2, 0, 1)[None])

    @torch.inference_mode()
    def encode(self, image: np.ndarray) -> Embedding:
        """Encodes one image; the expensive half of the work.

        The image is resized so that its longer side is 1024. The shorter side is padded to whole
        attention windows (a multiple of 224) and not to 1024: the decoder's positions are relative
        to the full square in any case. Against full padding the encoder sees 12 % fewer pixels for
        a 4:3 photograph and 34 % fewer for 16:9, and the masks' IoU with gold stays the same (158
        objects of COCO: -0.0001 +- 0.002; padding to a multiple of 16 loses 0.006 +- 0.003).

        Args:
            image: [height, width, 3] uint8 RGB, of any size from 1 x 1.

        Raises:
            PerceptionError: the array has another shape or type, or no pixels.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
            raise PerceptionError(
                "an image must be a [height, width, 3] uint8 RGB array with at least one pixel, "
                f"not {image.dtype} {list(image.shape)}"
            )
        height, width = image.shape[:2]
        scale = LONGEST_SIDE / max(height, width)
        resized_height = max(1, int(height * scale + 0.5))
        resized_width = max(1, int(width * scale + 0.5))
        resized = Image.fromarray(image).resize(
            (resized_width, resized_height), Image.Resampling.BILINEAR
        )
        pixels = torch.tensor(np.asarray(resized), device=self.mean.device)
        pixels = (pixels.permute(2, 0, 1).float() - self.mean) / self.std
        right = _padded(resized_width) - resized_width
        below = _padded(resized_height) - resized_height
        pixels = functional.pad(pixels, (0, right, 0, below))
        features = self.image_encoder(pixels[None].contiguous(memory_format=torch.channels_last))
        return Embedding(features.contiguous(), height, width, resized_height, resized_width)

    @torch.inference_mode()
    def masks(
        self, embedding: Embedding, boxes: Tensor, *, batch: int = 8
    ) -> tuple[Tensor, Tensor]:
        """One mask for each box.

        Args:
            embedding: the encoded image.
            boxes: [box, 4] xyxy, absolute pixels of the original frame, origin top left.
            batch: how many boxes are decoded at once; bounds the memory (about 20 MB a box).

        Returns:
            masks [box, height, width] bool in the original frame, and the decoder's own estimate
            of each mask's intersection over union, [box] float32 (about [0, 1], not calibrated).

        Raises:
            PerceptionError: the boxes are not [box, 4] or not finite.
        """
        if boxes.ndim != 2 or boxes.shape[1] != 4 or not bool(torch.isfinite(boxes).all()):
            raise PerceptionError(f"boxes must be finite and [box, 4], not {list(boxes.shape)}")
        device = self.mean.device
        found = torch.zeros(
            len(boxes), embedding.height, embedding.width, dtype=torch.bool, device=device
        )
        quality = torch.zeros(len(boxes), device=device)
        at_once = max(1, _PIXELS_AT_ONCE // (embedding.height * embedding.width))
        for start in range(0, len(boxes), batch):
            logits, estimates = self.logits(embedding, boxes[start : start + batch])
            quality[start : start + batch] = estimates
            for offset in range(0, len(logits), at_once):
                whole = _to_frame(logits[offset : offset + at_once], embedding)
                found[start + offset : start + offset + len(whole)] = whole > 0
        return found, quality

    @torch.inference_mode()
    def logits(self, embedding: Embedding, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """What the decoder says of each box before it is brought to the original frame.

        Args:
            embedding: the encoded image.
            boxes: [box, 4] as for :meth:`masks`; at least one.

        Returns:
            [box, 4 * rows, 4 * columns] float32 mask logits over the padded image (a cell is 4 x 4
            pixels of the resized image), and [box] estimates of the masks' quality.
        """
        rows, columns = embedding.features.shape[-2:]
        ratio = boxes.new_tensor(
            [embedding.resized_width / embedding.width, embedding.resized_height / embedding.height]
        )
        prompts = (boxes * ratio.repeat(2)).to(self.mean)[None]
        corners, dense = self.prompt_encoder(None, None, prompts, None)
        masks, estimates = self.mask_decoder(
            image_embeddings=embedding.features,
            image_positional_embeddings=self.positions[..., :rows, :columns],
            sparse_prompt_embeddings=corners,
            dense_prompt_embeddings=dense[..., :rows, :columns],
            multimask_output=False,
        )
        return masks[0, :, 0], estimates[0, :, 0]


def _padded(side: int) -> int:
    """The length to which a side of the resized image is padded."""
    return min(LONGEST_SIDE, side + -side % WINDOW)


def _to_frame(logits: Tensor, embedding: Embedding) -> Tensor:
    """Mask logits in the original frame, [box, height, width]."""
    padded = (logits.shape[-2] * 4, logits.shape[-1] * 4)
    whole = functional.interpolate(logits[:, None], padded, mode="bilinear", align_corners=False)
    inside = whole[..., : embedding.resized_height, : embedding.resized_width]
    frame = (embedding.height, embedding.width)
    return functional.interpolate(inside, frame, mode="bilinear", align_corners=False)[:, 0]


def _renamed(state: dict[str, Tensor], names: tuple[tuple[str, str], ...]) -> dict[str, Tensor]:
    """The tensors under the names that transformers gives them."""
    renamed = {}
    for key, value in state.items():
        for pattern, replacement in names:
            key = re.sub(pattern, replacement, key)
        renamed[key] = value
    return renamed
