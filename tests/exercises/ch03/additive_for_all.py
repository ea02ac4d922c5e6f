"""Other right answers to "Something older: additive scores, all at once"."""

import torch
from torch.nn import functional as F


def scores_query_by_query(q, k, W, U, v):
    offered = k @ U.T
    rows = [
        ((query @ W.T)[..., None, :] + offered).tanh() @ v for query in q.unbind(-2)
    ]
    return torch.stack(rows, dim=-2)


def scores_einsum(q, k, W, U, v):
    asked = torch.einsum("...qd,hd->...qh", q, W).unsqueeze(-2)
    offered = torch.einsum("...kd,hd->...kh", k, U).unsqueeze(-3)
    return torch.einsum("...qkh,h->...qk", (asked + offered).tanh(), v)


def scores_linear(q, k, W, U, v):
    asked, offered = F.linear(q, W), F.linear(k, U)
    sums = asked.unsqueeze(-2).add(offered.unsqueeze(-3))
    return F.linear(sums.tanh(), v[None]).squeeze(-1)


ALTERNATIVES = (scores_query_by_query, scores_einsum, scores_linear)
