"""Other right answers to "Something older: count the whole Transformer"."""

from torch import nn


def count_library(d_model, d_ff, layers, heads, vocab):
    how = {"norm_first": True, "device": "meta"}
    pair = (
        nn.TransformerEncoderLayer(d_model, heads, d_ff, **how),
        nn.TransformerDecoderLayer(d_model, heads, d_ff, **how),
    )
    rest = (
        nn.LayerNorm(d_model, device="meta"),
        nn.LayerNorm(d_model, device="meta"),
        nn.Embedding(vocab, d_model, device="meta"),
    )
    return layers * _parameters(pair) + _parameters(rest)


def _parameters(modules):
    return sum(p.numel() for module in modules for p in module.parameters())


def count_layer_by_layer(d_model, d_ff, layers, heads, vocab):
    attention = 4 * (d_model**2 + d_model)
    network = d_model * d_ff + d_ff + d_ff * d_model + d_model
    norm = 2 * d_model
    encoder_layer = attention + network + 2 * norm
    decoder_layer = 2 * attention + network + 3 * norm
    stacks = layers * encoder_layer + norm + layers * decoder_layer + norm
    return stacks + vocab * d_model


ALTERNATIVES = (count_library, count_layer_by_layer)
