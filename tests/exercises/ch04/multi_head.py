"""Other right answers to "Multi-head attention"."""

import torch
from torch import nn
from torch.nn import functional as F

from tests.exercises.ch04.merge_heads import merge_contiguous
from tests.exercises.ch04.split_heads import split_view


def multi_head_library(x, W_q, W_k, W_v, W_o, heads):
    module = nn.MultiheadAttention(x.shape[-1], heads, bias=False, batch_first=True)
    module.in_proj_weight = nn.Parameter(torch.cat([W_q, W_k, W_v]))
    module.out_proj.weight = nn.Parameter(W_o)
    return module(x, x, x, need_weights=False)[0]


def multi_head_one_by_one(x, W_q, W_k, W_v, W_o, heads):
    outputs = []
    for Q, K, V in zip(*(W.chunk(heads) for W in (W_q, W_k, W_v)), strict=True):
        scores = x @ Q.T @ (x @ K.T).mT / len(Q) ** 0.5
        outputs.append(scores.softmax(-1) @ x @ V.T)
    return torch.cat(outputs, dim=-1) @ W_o.T


def multi_head_fused(x, W_q, W_k, W_v, W_o, heads):
    q, k, v = (split_view(F.linear(x, W), heads) for W in (W_q, W_k, W_v))
    return F.linear(merge_contiguous(F.scaled_dot_product_attention(q, k, v)), W_o)


ALTERNATIVES = (multi_head_library, multi_head_one_by_one, multi_head_fused)
