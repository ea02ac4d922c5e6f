"""Other right answers to "Attention that never holds all scores"."""

import math

import torch
from torch.nn import functional as F


def tiles_by_a_range(q, k, v, size):
    scale = 1 / math.sqrt(q.shape[-1])
    m = torch.full((*q.shape[:2], 1), float("-inf"))
    total = torch.zeros(*q.shape[:2], 1)
    read = torch.zeros(*q.shape[:2], v.shape[-1])
    for start in range(0, k.shape[1], size):
        keys, values = k[:, start : start + size], v[:, start : start + size]
        s = torch.einsum("bqd,bkd->bqk", q * scale, keys)
        new = torch.maximum(m, s.max(dim=-1, keepdim=True).values)
        p, shrink = torch.exp(s - new), torch.exp(m - new)
        total = total * shrink + p.sum(dim=-1, keepdim=True)
        read = read * shrink + torch.bmm(p, values)
        m = new
    return read / total


def tiles_held_divided(q, k, v, size):
    """What is held is the output so far, and the number that it was divided by."""
    lse, out = torch.full_like(q[..., :1], -torch.inf), 0.0
    for keys, values in zip(k.split(size, 1), v.split(size, 1), strict=True):
        s = q @ keys.mT * q.shape[-1] ** -0.5
        both = torch.logaddexp(lse, s.logsumexp(-1, keepdim=True))
        out = out * (lse - both).exp() + (s - both).exp() @ values
        lse = both
    return out


def tiles_of_queries_too(q, k, v, size):
    read = [tiles_by_a_range(rows, k, v, size) for rows in q.split(size, 1)]
    return torch.cat(read, dim=1)


def tiles_with_ones_beside_the_values(q, k, v, size):
    """The sum is one more column of what is read."""
    v = F.pad(v, (0, 1), value=1.0)
    m, held = torch.full_like(q[..., :1], -1e9), torch.zeros(1)
    for places in torch.arange(k.shape[1]).split(size):
        s = q.double() @ k[:, places].double().mT / q.shape[-1] ** 0.5
        new = torch.maximum(m, s.amax(-1, keepdim=True))
        held = held * (m - new).exp() + (s - new).exp() @ v[:, places].double()
        m = new
    return held[..., :-1] / held[..., -1:]


def tiles_for_each_query(q, k, v, size):
    rows = []
    for query, keys, values in ((q[b, i], k[b], v[b]) for b, i in _places(q)):
        m, total, read = -math.inf, 0.0, torch.zeros(v.shape[-1])
        for n in range(0, len(keys), size):
            s = keys[n : n + size] @ query / len(query) ** 0.5
            new = max(m, s.max().item())
            p, shrink = (s - new).exp(), math.exp(m - new)
            total, read = (
                total * shrink + p.sum(),
                read * shrink + p @ values[n : n + size],
            )
            m = new
        rows.append(read / total)
    return torch.stack(rows).view(*q.shape[:2], -1)


def _places(q):
    return [(b, i) for b in range(q.shape[0]) for i in range(q.shape[1])]


ALTERNATIVES = (
    tiles_by_a_range,
    tiles_held_divided,
    tiles_of_queries_too,
    tiles_with_ones_beside_the_values,
    tiles_for_each_query,
)
