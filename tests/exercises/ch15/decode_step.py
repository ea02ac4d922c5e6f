"""Other right answers to "Bug hunt: three in one step of decoding"."""

import torch
from torch.nn import functional as F


def step_mended(q, k, v, size):
    group = q.shape[1] // k.shape[1]
    k, v = (x.repeat_interleave(group, 1) for x in (k, v))
    query, key = q.shape[2], k.shape[2]
    may_attend = torch.ones(query, key, dtype=torch.bool).tril(key - query)
    m = torch.full_like(q[..., :1], -1e9)
    total, held = torch.zeros_like(m), 0.0
    for tile in torch.arange(key).split(size):
        s = q @ k[:, :, tile].mT / q.shape[-1] ** 0.5
        s = s.masked_fill(~may_attend[:, tile], -torch.inf)
        new = torch.maximum(m, s.amax(-1, keepdim=True))
        p, shrink = (s - new).exp(), (m - new).exp()
        total = total * shrink + p.sum(-1, keepdim=True)
        held, m = held * shrink + p @ v[:, :, tile], new
    return held / total


def step_by_the_library(q, k, v, size):
    query, key = q.shape[2], k.shape[2]
    places = torch.arange(key)
    may_attend = places <= places[-query:, None]
    return F.scaled_dot_product_attention(
        q, k, v, attn_mask=may_attend, enable_gqa=True
    )


def step_with_the_tiles_brought_along(q, k, v, size):
    """The tile keeps its own maximum, and is brought to the running one after it."""
    k, v = (
        x[:, torch.arange(q.shape[1]) // (q.shape[1] // x.shape[1])] for x in (k, v)
    )
    query, key = q.shape[2], k.shape[2]
    may_attend = torch.ones(query, key, dtype=torch.bool).tril(key - query)
    m = torch.full_like(q[..., :1], -1e9)
    total, held = torch.zeros_like(m), 0.0
    for tile in torch.arange(key).split(size):
        s = q @ k[:, :, tile].mT / q.shape[-1] ** 0.5
        s = s.masked_fill(~may_attend[:, tile], -torch.inf)
        own = s.amax(-1, keepdim=True).clamp(min=-1e9)
        new = torch.maximum(m, own)
        p, shrink, lift = (s - own).exp(), (m - new).exp(), (own - new).exp()
        total = total * shrink + lift * p.sum(-1, keepdim=True)
        held, m = held * shrink + lift * (p @ v[:, :, tile]), new
    return held / total


def step_without_tiles(q, k, v, size):
    folded = q.double().unflatten(1, (k.shape[1], -1))
    scores = folded @ k.double()[:, :, None].mT / q.shape[-1] ** 0.5
    hidden = torch.ones(scores.shape[-2:], dtype=torch.bool)
    hidden = hidden.triu(scores.shape[-1] - scores.shape[-2] + 1)
    weights = scores.masked_fill(hidden, -torch.inf).softmax(-1)
    return (weights @ v.double()[:, :, None]).flatten(1, 2)


ALTERNATIVES = (
    step_mended,
    step_by_the_library,
    step_with_the_tiles_brought_along,
    step_without_tiles,
)
