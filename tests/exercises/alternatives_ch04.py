"""Right answers to chapter 4's exercises, written in other ways than the reference."""

import torch
from torch import nn
from torch.nn import functional as F


def split_view(x, heads):
    batch, token, d_model = x.shape
    return x.view(batch, token, heads, d_model // heads).transpose(1, 2)


def split_chunks(x, heads):
    return torch.stack(x.chunk(heads, dim=-1), dim=1)


def split_features_first(x, heads):
    batch, token, d_model = x.shape
    return x.mT.reshape(batch, heads, d_model // heads, token).mT


def merge_contiguous(x):
    batch, heads, token, d_head = x.shape
    return x.transpose(1, 2).contiguous().view(batch, token, heads * d_head)


def merge_cat(x):
    return torch.cat(x.unbind(1), dim=-1)


def merge_permute(x):
    return x.permute(0, 2, 1, 3).reshape(len(x), x.shape[2], -1)


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


def count_library(d_model, heads, bias):
    module = nn.MultiheadAttention(d_model, heads, bias=bias)
    return sum(p.numel() for p in module.parameters())


def count_by_head(d_model, heads, bias):
    d_head = d_model // heads
    of_one = 3 * (d_model * d_head + (d_head if bias else 0))
    return heads * of_one + d_model * d_model + (d_model if bias else 0)


def count_linear(d_model, heads, bias):
    layers = [nn.Linear(d_model, d_model, bias) for _ in range(4)]
    return sum(p.numel() for layer in layers for p in layer.parameters())


def parts_loop(context, W_o):
    d_head = context.shape[-1]
    columns = W_o.split(d_head, dim=1)
    return torch.stack(
        [context[:, h] @ W.T for h, W in enumerate(columns)],
        dim=1,
    )


def parts_einsum(context, W_o):
    blocks = W_o.view(len(W_o), context.shape[1], context.shape[-1])
    return torch.einsum("bhtd,mhd->bhtm", context, blocks)


def parts_others_silent(context, W_o):
    """The whole output with all heads but one set to zero, for each head."""
    only = torch.eye(context.shape[1])[:, None, :, None, None] * context
    return torch.stack([merge_cat(one) @ W_o.T for one in only], dim=1)


def attend_fused(q, k, v, heads):
    q, k, v = (split_view(t, heads) for t in (q, k, v))
    return merge_contiguous(F.scaled_dot_product_attention(q, k, v))


def attend_one_by_one(q, k, v, heads):
    outputs = []
    for one in zip(*(t.chunk(heads, dim=-1) for t in (q, k, v)), strict=True):
        outputs.append(F.scaled_dot_product_attention(*one))
    return torch.cat(outputs, dim=-1)


def attend_einsum(q, k, v, heads):
    q, k, v = (t.unflatten(-1, (heads, -1)) for t in (q, k, v))
    scores = torch.einsum("bqhd,bkhd->bhqk", q, k) / q.shape[-1] ** 0.5
    return torch.einsum("bhqk,bkhd->bqhd", scores.softmax(-1), v).flatten(2)


ALTERNATIVES = {
    "4.1": (split_view, split_chunks, split_features_first),
    "4.2": (merge_contiguous, merge_cat, merge_permute),
    "4.3": (multi_head_library, multi_head_one_by_one, multi_head_fused),
    "4.4": (count_library, count_by_head, count_linear),
    "4.5": (parts_loop, parts_einsum, parts_others_silent),
    "4.6": (attend_fused, attend_one_by_one, attend_einsum),
}
