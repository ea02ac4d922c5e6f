"""Other right answers to "Layer norm, head by head"."""

import torch
from torch import nn


def norm_by_hand(x, weight, bias, eps):
    """One norm over the last axis; other exercises use it, too."""
    mean = x.mean(-1, keepdim=True)
    variance = ((x - mean) ** 2).mean(-1, keepdim=True)
    return weight * (x - mean) / torch.sqrt(variance + eps) + bias


def by_head_by_hand(x, heads, weight, bias, eps):
    return norm_by_hand(x.unflatten(-1, (heads, -1)), weight, bias, eps).flatten(-2)


def by_head_one_after_the_other(x, heads, weight, bias, eps):
    parts = []
    for part in x.chunk(heads, dim=-1):
        variance, mean = torch.var_mean(part, dim=-1, correction=0, keepdim=True)
        parts.append((part - mean) * torch.rsqrt(variance + eps) * weight + bias)
    return torch.cat(parts, dim=-1)


def by_head_in_rows(x, heads, weight, bias, eps):
    """A head's features lie side by side, so a view has each of them as a row."""
    layer = nn.LayerNorm(x.shape[-1] // heads, eps=eps)
    layer.load_state_dict({"weight": weight, "bias": bias})
    return layer(x.reshape(-1, x.shape[-1] // heads)).reshape(x.shape)


ALTERNATIVES = (by_head_by_hand, by_head_one_after_the_other, by_head_in_rows)
