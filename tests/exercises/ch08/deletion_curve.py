"""Other right answers to "Hide what it looks at"."""

import math

import torch


def _probabilities(visible, embedded, W):
    shown = visible.float()
    pooled = shown @ embedded / shown.sum(-1, keepdim=True).clamp(min=1)
    return (pooled @ W.T).softmax(-1)


def deleted_one_by_one(embedded, attention, W, label):
    visible = torch.ones(len(attention), dtype=torch.bool)
    curve = [_probabilities(visible, embedded, W)[label]]
    for patch in attention.argsort(descending=True):
        visible[patch] = False
        curve.append(_probabilities(visible, embedded, W)[label])
    return torch.stack(curve)


def deleted_at_once(embedded, attention, W, label):
    order = attention.argsort(descending=True)
    shown = torch.ones(len(order), len(order), dtype=torch.bool).triu()
    visible = torch.zeros(len(order) + 1, len(order), dtype=torch.bool)
    visible[:-1, order] = shown
    return _probabilities(visible, embedded, W)[:, label]


def deleted_by_thresholds(embedded, attention, W, label):
    limits = [math.inf, *attention.sort(descending=True).values]
    masks = torch.stack([attention < limit for limit in limits])
    return _probabilities(masks, embedded, W)[:, label]


def deleted_by_topk(embedded, attention, W, label):
    curve = []
    for n in range(len(attention) + 1):
        visible = torch.ones_like(attention, dtype=torch.bool)
        visible[attention.topk(n).indices] = False
        curve.append(_probabilities(visible, embedded, W)[label].item())
    return torch.tensor(curve)


ALTERNATIVES = (
    deleted_one_by_one,
    deleted_at_once,
    deleted_by_thresholds,
    deleted_by_topk,
)
