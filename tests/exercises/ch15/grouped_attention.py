"""Other right answers to "Several queries, one key"."""

import torch
from torch.nn import functional as F


def grouped_by_the_library(q, k, v):
    return F.scaled_dot_product_attention(q, k, v, enable_gqa=True)


def grouped_by_folding(q, k, v):
    batch, heads, query, d_k = q.shape
    rows = q.reshape(batch, k.shape[1], -1, d_k)
    weights = (rows @ k.mT / d_k**0.5).softmax(-1)
    return (weights @ v).view(batch, heads, query, -1)


def grouped_by_a_loop(q, k, v):
    group = q.shape[1] // k.shape[1]
    read = []
    for head in range(q.shape[1]):
        keys, values = k[:, head // group], v[:, head // group]
        scores = torch.bmm(q[:, head], keys.transpose(1, 2)) / q.shape[-1] ** 0.5
        read.append(torch.softmax(scores, dim=2) @ values)
    return torch.stack(read, dim=1)


def grouped_by_unflatten(q, k, v):
    q = q.unflatten(1, (k.shape[1], -1)) * q.shape[-1] ** -0.5
    weights = torch.einsum("bghqd,bgkd->bghqk", q, k).softmax(-1)
    return torch.einsum("bghqk,bgkv->bghqv", weights, v).flatten(1, 2)


def grouped_in_double(q, k, v):
    heads = torch.arange(q.shape[1]) // (q.shape[1] // k.shape[1])
    q, k, v = q.double(), k.double()[:, heads], v.double()[:, heads]
    return (q @ k.mT / q.shape[-1] ** 0.5).softmax(-1) @ v


ALTERNATIVES = (
    grouped_by_the_library,
    grouped_by_folding,
    grouped_by_a_loop,
    grouped_by_unflatten,
    grouped_in_double,
)
