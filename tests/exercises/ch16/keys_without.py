"""Other right answers to "One door closed"."""

import torch
from torch import nn


def keys_without_by_hand(stream, written, head, W_K):
    less = stream - written[:, head]
    less = less - less.mean(-1, keepdim=True)
    return less / torch.sqrt(less.square().mean(-1, keepdim=True) + 1e-5) @ W_K


def keys_without_by_a_module(stream, written, head, W_K):
    norm = nn.LayerNorm(stream.shape[-1], elementwise_affine=False)
    return torch.einsum("btd,dk->btk", norm(stream - written.select(1, head)), W_K)


ALTERNATIVES = (keys_without_by_hand, keys_without_by_a_module)
