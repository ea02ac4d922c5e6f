"""Other right answers to "Bug hunt: balanced, whatever the router does"."""

import torch


def balance_layer_by_layer(logits, k):
    total = 0.0
    for scores in logits:
        p = scores.softmax(1)
        counts = p.topk(k).indices.flatten().bincount(minlength=p.shape[1])
        total = total + p.shape[1] * (counts / len(p)) @ p.mean(0)
    return total


def balance_at_once(logits, k):
    p = torch.softmax(logits, -1)
    picked = torch.zeros_like(p).scatter(-1, logits.topk(k).indices, 1.0)
    return p.shape[-1] * torch.einsum("lne,lme->", picked, p) / p.shape[1] ** 2


ALTERNATIVES = (balance_layer_by_layer, balance_at_once)
