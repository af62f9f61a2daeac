"""Tiny CLIP and SigLIP models, saved to disk, that know the cosines they are to give.

Their encoders are random; the last linear maps are solved for, so that pictures of one colour and
given texts have given features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neurosym.perception.prompts import TEMPLATES

RED, BLUE = (200, 30, 30), (30, 30, 200)
WIDTH = 64
_LETTERS = "abcdefghijklmnopqrstuvwxyz-, "


def plain(colour: Sequence[int], height: int = 32, width: int = 32) -> np.ndarray:
    """A picture of one colour."""
    return np.full((height, width, 3), colour, dtype=np.uint8)


def save_clip_tokenizer(folder: Path) -> Any:
    """CLIP's tokenizer with letters for words."""
    from transformers import CLIPTokenizer

    letters = [letter for letter in _LETTERS if letter != " "]
    pieces = [*letters, *(f"{letter}</w>" for letter in letters)]
    pieces += ["<|startoftext|>", "<|endoftext|>"]
    tokenizer = CLIPTokenizer(
        vocab={piece: number + 1 for number, piece in enumerate(pieces)} | {"!": 0}, merges=[]
    )
    tokenizer.save_pretrained(folder)
    return tokenizer


def save_siglip_tokenizer(folder: Path) -> Any:
    """The tokenizer of SigLIP 2 with letters for words."""
    from transformers import Siglip2Tokenizer

    pieces = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", *_LETTERS.replace(" ", "▁")]
    tokenizer = Siglip2Tokenizer(
        vocab={piece: number for number, piece in enumerate(pieces)}, merges=[]
    )
    tokenizer.save_pretrained(folder)
    return tokenizer


def save_clip(folder: Path, cosines: Mapping[str, tuple[float, float]], scale: float = 10.0) -> Any:
    """A CLIP to which red and blue pictures are at right angles.

    Args:
        folder: where to save it.
        cosines: noun phrase with its article -> its cosines with a red and with a blue picture.
        scale: of the cosines.
    """
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

    torch.manual_seed(1)
    tokenizer = save_clip_tokenizer(folder)
    size = {"hidden_size": WIDTH, "intermediate_size": 32, "num_hidden_layers": 1}
    config = CLIPConfig(
        text_config={
            **size,
            "num_attention_heads": 2,
            "vocab_size": len(tokenizer),
            "max_position_embeddings": 77,
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
        },
        vision_config={**size, "num_attention_heads": 2, "image_size": 32, "patch_size": 16},
        projection_dim=4,
    )
    model = CLIPModel(config).eval()
    processor = CLIPImageProcessorPil(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    )
    processor.save_pretrained(folder)
    with torch.no_grad():
        pixels = processor(images=[plain(RED), plain(BLUE)], return_tensors="pt")
        seen = model.vision_model(**pixels).pooler_output
        model.visual_projection.weight.copy_(_solved(seen, torch.eye(4)[:2]))
        texts, features = _wanted(cosines)
        tokens = tokenizer(texts, padding=True, return_tensors="pt")
        read = model.text_model(**tokens).pooler_output
        model.text_projection.weight.copy_(_solved(read, features))
        model.logit_scale.fill_(float(np.log(scale)))
    model.save_pretrained(folder)
    return model


def save_siglip(
    folder: Path,
    cosines: Mapping[str, tuple[float, float]],
    scale: float = 10.0,
    bias: float = -5.0,
) -> Any:
    """A SigLIP to which red and blue pictures are at right angles; see :func:`save_clip`."""
    from transformers import SiglipConfig, SiglipImageProcessorPil, SiglipModel

    torch.manual_seed(2)
    tokenizer = save_siglip_tokenizer(folder)
    size = {"hidden_size": WIDTH, "intermediate_size": 32, "num_hidden_layers": 1}
    config = SiglipConfig(
        text_config={
            **size,
            "num_attention_heads": 2,
            "vocab_size": len(tokenizer),
            "max_position_embeddings": 64,
            "projection_size": WIDTH,
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
        },
        vision_config={**size, "num_attention_heads": 2, "image_size": 32, "patch_size": 16},
    )
    model = SiglipModel(config).eval()
    processor = SiglipImageProcessorPil(size={"height": 32, "width": 32})
    processor.save_pretrained(folder)
    with torch.no_grad():
        head = model.vision_model.head
        for part in (head.mlp.fc2, head.attention.out_proj):
            part.weight.zero_()
            part.bias.zero_()
        head.attention.out_proj.weight.copy_(torch.eye(WIDTH))
        pixels = processor(images=[plain(RED), plain(BLUE)], return_tensors="pt")
        seen = model.vision_model(**pixels).pooler_output
        head.attention.out_proj.weight.copy_(_solved(seen, torch.eye(WIDTH)[:2]))
        texts, features = _wanted(cosines)
        tokens = tokenizer(texts, padding="max_length", max_length=64, return_tensors="pt")
        model.text_model.head.weight.copy_(torch.eye(WIDTH))
        model.text_model.head.bias.zero_()
        read = model.text_model(input_ids=tokens["input_ids"]).pooler_output
        rest = torch.zeros(len(texts), WIDTH - 4)
        model.text_model.head.weight.copy_(_solved(read, torch.cat([features, rest], dim=1)))
        model.logit_scale.fill_(float(np.log(scale)))
        model.logit_bias.fill_(bias)
    model.save_pretrained(folder)
    return model


def _wanted(cosines: Mapping[str, tuple[float, float]]) -> tuple[list[str], Tensor]:
    """The texts of all templates, and unit features with the cosines."""
    texts = [template.format(phrase) for phrase in cosines for template in TEMPLATES]
    rows = [
        [red, blue, (1 - red**2 - blue**2) ** 0.5, 0.0]
        for red, blue in cosines.values()
        for _ in TEMPLATES
    ]
    return texts, torch.tensor(rows)


def _solved(inputs: Tensor, outputs: Tensor) -> Tensor:
    """The weight of a linear map, [out, in], that takes inputs [n, in] to outputs [n, out]."""
    solution: Tensor = torch.linalg.lstsq(inputs.double(), outputs.double(), driver="gelsd")[0]
    assert torch.allclose(inputs.double() @ solution, outputs.double(), atol=1e-4)
    return solution.T.float()
