"""Other right answers to "Score every key"."""

import torch
from torch.nn import functional as F


def scores_key_by_key(query, keys, W, U, v):
    asked = query @ W.T
    scores = [torch.tanh(asked + key @ U.T) @ v for key in keys.unbind(1)]
    return torch.stack(scores, dim=1)


def scores_einsum(query, keys, W, U, v):
    asked = torch.einsum("bq,hq->bh", query, W).unsqueeze(1)
    offered = torch.einsum("bkd,hd->bkh", keys, U)
    return torch.einsum("bkh,h->bk", (asked + offered).tanh(), v)


def scores_one_matrix(query, keys, W, U, v):
    both = torch.cat([query[:, None].expand(-1, keys.shape[1], -1), keys], dim=-1)
    return F.linear(both, torch.cat([W, U], dim=1)).tanh().matmul(v)


ALTERNATIVES = (scores_key_by_key, scores_einsum, scores_one_matrix)
