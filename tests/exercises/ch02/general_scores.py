"""Other right answers to "Luong's general score"."""

import torch
from torch.nn import functional as F


def dot_einsum(query, keys, W):
    return torch.einsum("bqi,ij,bkj->bqk", query, W, keys)


def dot_keys_first(query, keys, W):
    return torch.bmm(query, (keys @ W.T).transpose(1, 2))


def dot_bilinear(query, keys, W):
    q, k = query.shape[1], keys.shape[1]
    pairs = query[:, :, None].expand(-1, -1, k, -1), keys[:, None].expand(-1, q, -1, -1)
    return F.bilinear(*(p.contiguous() for p in pairs), W[None]).squeeze(-1)


ALTERNATIVES = (dot_einsum, dot_keys_first, dot_bilinear)
