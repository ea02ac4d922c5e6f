"""Other right answers to "Bug hunt: a step of attention"."""

import torch


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


ALTERNATIVES = (step_by_sentence, step_einsum, step_renormalised)
