"""Other right answers to "Bug hunt: three in one layer"."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from tests.exercises.ch07.norm_by_head import norm_by_hand


def decoder_functional(x, memory, W_self, W_cross, W_1, W_2, heads):
    def norm(x):
        return F.layer_norm(x, [x.shape[-1]])

    def attend(told, to, W, causal):
        q, k, v = (
            F.linear(t, m).unflatten(-1, (heads, -1)).transpose(1, 2)
            for t, m in zip((told, to, to), W, strict=False)
        )
        heard = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        return F.linear(heard.transpose(1, 2).flatten(-2), W[3])

    y = x + attend(norm(x), norm(x), W_self, True)
    y = y + attend(norm(y), memory, W_cross, False)
    return y + F.linear(F.relu(F.linear(norm(y), W_1)), W_2)


def decoder_torch(x, memory, W_self, W_cross, W_1, W_2, heads):
    layer = nn.TransformerDecoderLayer(
        x.shape[-1],
        heads,
        len(W_1),
        dropout=0.0,
        batch_first=True,
        norm_first=True,
        bias=False,
    )
    for part, W in ((layer.self_attn, W_self), (layer.multihead_attn, W_cross)):
        part.in_proj_weight.data = W[:3].flatten(0, 1)
        part.out_proj.weight.data = W[3]
    layer.linear1.weight.data, layer.linear2.weight.data = W_1, W_2
    hidden = nn.Transformer.generate_square_subsequent_mask(x.shape[1])
    return layer(x, memory, tgt_mask=hidden, tgt_is_causal=True)


def decoder_mended(x, memory, W_self, W_cross, W_1, W_2, heads):
    d_head = x.shape[-1] // heads
    length = x.shape[1]
    future = torch.ones(length, length, dtype=torch.bool).triu(1)

    def attend(told, to, W, mask):
        parts = []
        for h in range(heads):
            own = slice(h * d_head, (h + 1) * d_head)
            q, k, v = told @ W[0, own].T, to @ W[1, own].T, to @ W[2, own].T
            scores = (q @ k.mT / math.sqrt(d_head)).masked_fill(mask, -math.inf)
            parts.append(scores.softmax(-1) @ v)
        return torch.cat(parts, dim=-1) @ W[3].T

    def norm(x):
        return norm_by_hand(x, 1.0, 0.0, 1e-5)

    x = x + attend(norm(x), norm(x), W_self, future)
    x = x + attend(norm(x), memory, W_cross, torch.tensor(False))
    return x + (norm(x) @ W_1.T).clamp(min=0) @ W_2.T


ALTERNATIVES = (decoder_functional, decoder_torch, decoder_mended)
