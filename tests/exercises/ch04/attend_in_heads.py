"""Other right answers to "Bug hunt: what the heads have found"."""

import torch
from torch.nn import functional as F

from tests.exercises.ch04.merge_heads import merge_contiguous
from tests.exercises.ch04.split_heads import split_view


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


ALTERNATIVES = (attend_fused, attend_one_by_one, attend_einsum)
