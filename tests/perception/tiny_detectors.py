"""Tiny detectors of transformers with random weights, saved to disk as a user would have them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

NAMES = {0: "N/A", 1: "cat", 2: "dog", 3: "N/A", 4: "cup"}
SHORT, LONG = 64, 256
_STAGES = {
    "embedding_size": 8,
    "hidden_sizes": [8, 8, 8, 16],
    "depths": [1, 1, 1, 1],
    "layer_type": "basic",
}
_SMALL = {
    "d_model": 32,
    "encoder_layers": 1,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 16,
    "decoder_ffn_dim": 16,
}
_PLAIN = {"use_timm_backbone": False, "backbone": None}


def save_tiny_detr(folder: Path, names: dict[int, str] | None = None, queries: int = 3) -> Any:
    """Saves a DETR with its image processor and gives the model."""
    import transformers

    torch.manual_seed(0)
    config = transformers.DetrConfig(
        **_SMALL,
        **_PLAIN,
        backbone_config=transformers.ResNetConfig(**_STAGES, out_features=["stage4"]),
        num_queries=queries,
        id2label=names or NAMES,
    )
    return _save(transformers.DetrForObjectDetection(config), folder, _elastic("Detr"))


def save_tiny_rt_detr(folder: Path, names: dict[int, str] | None = None, version: str = "") -> Any:
    """Saves an RT-DETR, or with the version "V2" its successor, and gives the model."""
    import transformers

    torch.manual_seed(0)
    backbone = transformers.RTDetrResNetConfig(
        **_STAGES, out_features=["stage2", "stage3", "stage4"]
    )
    return _save_real_time(folder, f"RTDetr{version}", backbone, names)


def save_tiny_d_fine(folder: Path, names: dict[int, str] | None = None) -> Any:
    """Saves a D-FINE and gives the model."""
    import transformers

    torch.manual_seed(0)
    backbone = transformers.HGNetV2Config(
        stem_channels=[3, 8, 8],
        embedding_size=8,
        hidden_sizes=[8, 8, 8, 16],
        depths=[1, 1, 1, 1],
        out_features=["stage2", "stage3", "stage4"],
        stage_in_channels=[8, 8, 8, 8],
        stage_mid_channels=[8, 8, 8, 8],
        stage_out_channels=[8, 8, 8, 16],
        stage_num_blocks=[1, 1, 1, 1],
    )
    return _save_real_time(folder, "DFine", backbone, names)


def save_tiny_conditional_detr(folder: Path, names: dict[int, str] | None = None) -> Any:
    """Saves a Conditional DETR and gives the model."""
    import transformers

    torch.manual_seed(0)
    config = transformers.ConditionalDetrConfig(
        **_SMALL,
        **_PLAIN,
        backbone_config=transformers.ResNetConfig(**_STAGES, out_features=["stage4"]),
        num_queries=3,
        id2label=names or NAMES,
    )
    model = transformers.ConditionalDetrForObjectDetection(config)
    return _save(model, folder, _elastic("ConditionalDetr"))


def save_tiny_deformable_detr(folder: Path, names: dict[int, str] | None = None) -> Any:
    """Saves a Deformable DETR and gives the model."""
    import transformers

    torch.manual_seed(0)
    backbone = transformers.ResNetConfig(**_STAGES, out_features=["stage2", "stage3", "stage4"])
    config = transformers.DeformableDetrConfig(
        **_SMALL,
        **_PLAIN,
        backbone_config=backbone,
        num_feature_levels=3,
        num_queries=3,
        id2label=names or NAMES,
    )
    model = transformers.DeformableDetrForObjectDetection(config)
    return _save(model, folder, _elastic("DeformableDetr"))


def save_tiny_table_transformer(folder: Path, names: dict[int, str] | None = None) -> Any:
    """Saves a Table Transformer and gives the model."""
    import transformers

    torch.manual_seed(0)
    config = transformers.TableTransformerConfig(
        **_SMALL,
        **_PLAIN,
        backbone_config=transformers.ResNetConfig(**_STAGES, out_features=["stage4"]),
        num_queries=3,
        id2label=names or NAMES,
    )
    model = transformers.TableTransformerForObjectDetection(config)
    return _save(model, folder, _elastic("Detr"))


def save_tiny_yolos(folder: Path, names: dict[int, str] | None = None) -> Any:
    """Saves a YOLOS and gives the model."""
    import transformers

    torch.manual_seed(0)
    config = transformers.YolosConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=[64, 96],
        num_detection_tokens=3,
        use_mid_position_embeddings=False,
        id2label=names or NAMES,
    )
    return _save(transformers.YolosForObjectDetection(config), folder, _elastic("Yolos"))


def save_tiny_mask2former(folder: Path, names: dict[int, str], queries: int = 3) -> Any:
    """Saves a Mask2Former and gives the model."""
    import transformers

    torch.manual_seed(0)
    backbone = transformers.SwinConfig(
        embed_dim=8,
        depths=[1, 1, 1, 1],
        num_heads=[1, 1, 1, 1],
        window_size=2,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )
    config = transformers.Mask2FormerConfig(
        backbone_config=backbone,
        feature_size=32,
        mask_feature_size=32,
        hidden_dim=32,
        encoder_feedforward_dim=32,
        encoder_layers=1,
        decoder_layers=2,
        num_attention_heads=2,
        dim_feedforward=32,
        num_queries=queries,
        id2label=names,
    )
    model = transformers.Mask2FormerForUniversalSegmentation(config)
    return _save(model, folder, _elastic("Mask2Former"))


TINY: dict[str, Callable[..., Any]] = {
    "detr": save_tiny_detr,
    "table-transformer": save_tiny_table_transformer,
    "yolos": save_tiny_yolos,
    "conditional_detr": save_tiny_conditional_detr,
    "deformable_detr": save_tiny_deformable_detr,
    "rt_detr": save_tiny_rt_detr,
    "rt_detr_v2": lambda folder, names=None: save_tiny_rt_detr(folder, names, "V2"),
    "d_fine": save_tiny_d_fine,
}
"""By the type in the configuration."""


def enliven(model: Any) -> None:
    """Gives a model large weights, so that what it says depends on what it sees."""
    torch.manual_seed(1)
    for parameter in model.parameters():
        parameter.data.normal_(std=0.3)


def _save_real_time(folder: Path, kind: str, backbone: Any, names: dict[int, str] | None) -> Any:
    import transformers

    config = getattr(transformers, f"{kind}Config")(
        backbone_config=backbone,
        encoder_in_channels=[8, 8, 16],
        encoder_hidden_dim=16,
        encoder_ffn_dim=16,
        encoder_attention_heads=2,
        d_model=16,
        decoder_in_channels=[16, 16, 16],
        decoder_ffn_dim=16,
        decoder_attention_heads=2,
        decoder_layers=2,
        num_queries=3,
        num_denoising=0,
        id2label=names or NAMES,
    )
    model = getattr(transformers, f"{kind}ForObjectDetection")(config)
    processor = transformers.RTDetrImageProcessorPil(size={"height": SHORT, "width": SHORT})
    return _save(model, folder, processor)


def _elastic(kind: str) -> Any:
    import transformers

    processor = getattr(transformers, f"{kind}ImageProcessorPil")
    return processor(size={"shortest_edge": SHORT, "longest_edge": LONG})


def _save(model: Any, folder: Path, processor: Any) -> Any:
    model.eval().save_pretrained(folder)
    processor.save_pretrained(folder)
    return model
