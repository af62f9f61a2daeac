"""A tiny SAM, saved to disk as a user would have it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

SIDE = 64
"""The side of the square that the model sees."""


def save_tiny_sam(folder: Path) -> tuple[Any, Any]:
    """Saves a SAM of random weights; gives it and its image processor."""
    import transformers

    torch.manual_seed(0)
    vision = transformers.SamVisionConfig(
        hidden_size=16,
        output_channels=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=SIDE,
        patch_size=8,
        window_size=4,
        global_attn_indexes=[0],
        mlp_dim=16,
        num_pos_feats=8,
    )
    prompts = transformers.SamPromptEncoderConfig(
        hidden_size=16, image_size=SIDE, patch_size=8, mask_input_channels=4
    )
    decoder = transformers.SamMaskDecoderConfig(
        hidden_size=16,
        mlp_dim=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        iou_head_hidden_dim=16,
        iou_head_depth=2,
    )
    config = transformers.SamConfig(
        vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=decoder
    )
    model = transformers.SamModel(config).eval()
    processor = transformers.SamImageProcessorPil(
        size={"longest_edge": SIDE},
        pad_size={"height": SIDE, "width": SIDE},
        mask_size={"longest_edge": SIDE // 4},
        mask_pad_size={"height": SIDE // 4, "width": SIDE // 4},
    )
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return model, processor
