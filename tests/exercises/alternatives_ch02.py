"""Right answers to chapter 2's exercises, written in other ways than the reference."""

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


def softmax_by_sentence(scores, lengths):
    weights = torch.zeros_like(scores)
    for row, n in enumerate(lengths):
        weights[row, :n] = scores[row, :n].softmax(-1)
    return weights


def softmax_large_negative(scores, lengths):
    padding = torch.arange(scores.shape[1])[None] >= lengths.unsqueeze(1)
    return torch.softmax(scores.masked_fill_(padding, -1e9), dim=1)


def softmax_by_hand(scores, lengths):
    real = torch.arange(scores.shape[1]) < lengths[:, None]
    top = scores.where(real, torch.tensor(-torch.inf)).amax(-1, keepdim=True)
    powers = torch.exp(scores - top).where(real, torch.tensor(0.0))
    return powers / powers.sum(-1, keepdim=True)


def sum_einsum(weights, values):
    return torch.einsum("bqk,bkd->bqd", weights, values)


def sum_broadcast(weights, values):
    return (weights[..., None] * values[:, None]).sum(2)


def sum_bmm(weights, values):
    return torch.bmm(weights, values)


def score_by_row(weights, truth):
    rows = [(w, t) for w, t in zip(weights, truth, strict=True) if t.any()]
    return sum(bool(t[w.argmax()]) for w, t in rows) / len(rows)


def score_one_hot(weights, truth):
    peaks = F.one_hot(weights.argmax(-1), weights.shape[-1]).bool()
    return ((peaks & truth).any(1).sum() / truth.any(1).sum()).item()


def score_gather(weights, truth):
    kept = truth.any(1)
    weights, truth = weights[kept], truth[kept]
    return truth.gather(1, weights.argmax(1, keepdim=True)).float().mean()


def dot_einsum(query, keys, W):
    return torch.einsum("bqi,ij,bkj->bqk", query, W, keys)


def dot_keys_first(query, keys, W):
    return torch.bmm(query, (keys @ W.T).transpose(1, 2))


def dot_bilinear(query, keys, W):
    q, k = query.shape[1], keys.shape[1]
    pairs = query[:, :, None].expand(-1, -1, k, -1), keys[:, None].expand(-1, q, -1, -1)
    return F.bilinear(*(p.contiguous() for p in pairs), W[None]).squeeze(-1)


def step_by_sentence(query, keys, values, lengths):
    contexts = []
    for q, k, v, n in zip(query, keys, values, lengths, strict=True):
        contexts.append((k[:n] @ q).softmax(0) @ v[:n])
    return torch.stack(contexts)


def step_einsum(query, keys, values, lengths):
    scores = torch.einsum("bd,bkd->bk", query, keys)
    padding = torch.arange(keys.shape[1]) >= lengths[:, None]
    weights = scores.masked_fill(padding, float("-inf")).softmax(-1)
    return torch.einsum("bk,bkd->bd", weights, values)


def step_renormalised(query, keys, values, lengths):
    weights = (query[:, None] * keys).sum(-1).softmax(-1)
    weights = weights * (torch.arange(keys.shape[1]) < lengths[:, None])
    weights = weights / weights.sum(-1, keepdim=True)
    return (weights[..., None] * values).sum(1)


ALTERNATIVES = {
    "2.1": (scores_key_by_key, scores_einsum, scores_one_matrix),
    "2.2": (softmax_by_sentence, softmax_large_negative, softmax_by_hand),
    "2.3": (sum_einsum, sum_broadcast, sum_bmm),
    "2.4": (score_by_row, score_one_hot, score_gather),
    "2.5": (dot_einsum, dot_keys_first, dot_bilinear),
    "2.6": (step_by_sentence, step_einsum, step_renormalised),
}
