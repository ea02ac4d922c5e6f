"""Other right answers to "Layer norm"."""

import torch
from torch import nn


def norm_by_hand(x, weight, bias, eps):
    mean = x.mean(-1, keepdim=True)
    variance = ((x - mean) ** 2).mean(-1, keepdim=True)
    return weight * (x - mean) / torch.sqrt(variance + eps) + bias


def norm_var(x, weight, bias, eps):
    variance, mean = torch.var_mean(x, dim=-1, correction=0, keepdim=True)
    return (x - mean) * torch.rsqrt(variance + eps) * weight + bias


def norm_module(x, weight, bias, eps):
    layer = nn.LayerNorm(x.shape[-1], eps=eps)
    layer.load_state_dict({"weight": weight, "bias": bias})
    return layer(x)


ALTERNATIVES = (norm_by_hand, norm_var, norm_module)
