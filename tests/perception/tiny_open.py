"""Tiny models of open vocabularies, saved to disk as a user would have them.

Their weights are arranged, not trained: what they answer to a few words is known beforehand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def save_word_pieces(folder: Path, words: Sequence[str]) -> Any:
    """A WordPiece tokenizer like BERT's: its special tokens have the same numbers."""
    from transformers import BertTokenizer

    vocabulary = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103}
    vocabulary |= {".": 1012, "?": 1029}
    pieces = [*words, *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    vocabulary |= {piece: 1030 + number for number, piece in enumerate(dict.fromkeys(pieces))}
    names = {number: piece for piece, number in vocabulary.items()}
    whole = {names.get(number, f"[unused{number}]"): number for number in range(max(names) + 1)}
    tokenizer = BertTokenizer(vocab=whole, do_lower_case=True)
    tokenizer.save_pretrained(folder)
    return tokenizer


def save_grounding_dino(
    folder: Path,
    boxes: Sequence[Sequence[float]],
    scores: Mapping[str, Sequence[float]],
    *,
    most_tokens: int = 256,
) -> Any:
    """A Grounding DINO that sees boxes whatever the picture.

    Args:
        folder: where to save it.
        boxes: centre x, centre y, width, height of every query, as shares of the image.
        scores: word -> the score of every query for its token.
        most_tokens: the most tokens of a text.
    """
    from transformers import (
        BertConfig,
        GroundingDinoConfig,
        GroundingDinoForObjectDetection,
        GroundingDinoImageProcessorPil,
        SwinConfig,
    )

    torch.manual_seed(0)
    tokenizer = save_word_pieces(folder, list(scores))
    width = 32
    config = GroundingDinoConfig(
        backbone_config=SwinConfig(
            image_size=32,
            patch_size=4,
            embed_dim=8,
            depths=[1, 1],
            num_heads=[1, 1],
            window_size=2,
            out_indices=[2],
        ),
        text_config=BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=width,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            max_position_embeddings=64,
        ),
        num_queries=len(boxes),
        d_model=width,
        encoder_layers=1,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        encoder_n_points=2,
        decoder_n_points=2,
        num_feature_levels=1,
        embedding_init_target=True,
    )
    model = GroundingDinoForObjectDetection(config).eval()
    _arrange(model, tokenizer, torch.tensor(boxes), scores)
    model.config.max_text_len = most_tokens
    model.save_pretrained(folder)
    size = {"shortest_edge": 32, "longest_edge": 64}
    GroundingDinoImageProcessorPil(size=size).save_pretrained(folder)
    return model


@torch.no_grad()
def _arrange(
    model: Any,
    tokenizer: Any,
    boxes: Tensor,
    scores: Mapping[str, Sequence[float]],
) -> None:
    # Every query starts at the upper left corner, whatever the picture.
    head = model.model.encoder_output_bbox_embed.layers[-1]
    head.weight.zero_()
    head.bias.fill_(-100.0)
    for layer in model.model.encoder.layers:
        # The text does not look at the picture.
        layer.fusion_layer.text_param.zero_()
    # Neither do the queries: only what they are at the start is left, in every norm.
    for layer in model.model.decoder.layers:
        attentions = (layer.self_attn.out_proj, layer.encoder_attn_text.out_proj)
        for part in (*attentions, layer.encoder_attn.output_proj, layer.fc2):
            part.weight.zero_()
            part.bias.zero_()
    # What a token is by itself in a phrase of one word, wherever the phrase stands.
    words = list(scores)
    encoded = tokenizer(" . ".join(words) + " .", return_tensors="pt")
    pixels = torch.zeros(1, 3, 32, 32)
    found = model(pixel_values=pixels, **encoded)
    tokens = found.encoder_last_hidden_state_text[0]
    places = [1 + 2 * number for number in range(len(words))]
    wanted = torch.tensor([list(scores[word]) for word in words]).logit(eps=1e-4)
    # Vectors of mean 0 with these products: the last norm leaves them as they are but for scale.
    basis = torch.cat([tokens[places], torch.ones(1, tokens.shape[1])]).double()
    aims = torch.cat([wanted, torch.zeros(1, wanted.shape[1])]).double()
    vectors = torch.linalg.lstsq(basis, aims).solution.T
    # What else they have is each query's own.
    free = torch.linalg.svd(basis).Vh[-len(vectors) :]
    length = vectors.norm(dim=1).max() * 1.5
    vectors += free * (length**2 - vectors.square().sum(dim=1, keepdim=True)).sqrt()
    model.model.query_position_embeddings.weight.copy_(vectors)
    final, gain = model.model.decoder.layer_norm, float(length / tokens.shape[1] ** 0.5)
    final.weight.fill_(gain)
    final.bias.zero_()
    # The head tells the queries apart, and moves each one to its box: in two steps, of which the
    # first sees the queries before the last norm.
    first, second, last = model.bbox_embed[0].layers
    for part in (first, second, last):
        part.weight.zero_()
        part.bias.zero_()
    one_each = torch.linalg.pinv(vectors).T
    first.weight[: len(boxes)] = one_each
    second.weight.copy_(torch.eye(len(second.weight)))
    corner = torch.special.logit(torch.tensor(0.0), eps=1e-5)
    last.weight[:, : len(boxes)] = (boxes.logit(eps=1e-5) - corner).T / (1 + 1 / gain)
