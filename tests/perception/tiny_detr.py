"""A tiny DETR, saved to disk as a user would have it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

NAMES = {0: "N/A", 1: "cat", 2: "dog", 3: "N/A", 4: "cup"}


def save_tiny_detr(folder: Path, names: dict[int, str] | None = None, queries: int = 3) -> Any:
    """Saves a DETR of fourteen thousand parameters and gives it."""
    from transformers import DetrConfig, DetrForObjectDetection, DetrImageProcessorPil, ResNetConfig

    torch.manual_seed(0)
    backbone = ResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 8, 8, 16],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage4"],
    )
    config = DetrConfig(
        use_timm_backbone=False,
        backbone=None,
        backbone_config=backbone,
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        num_queries=queries,
        id2label=names or NAMES,
    )
    model = DetrForObjectDetection(config).eval()
    model.save_pretrained(folder)
    DetrImageProcessorPil(size={"shortest_edge": 64, "longest_edge": 128}).save_pretrained(folder)
    return model
