"""Other right answers to "As unsure as between k tokens"."""

import math

import torch
from torch.nn import functional as F


def perplexity_library(logits, target):
    return F.cross_entropy(logits, target).exp()


def perplexity_geometric_mean(logits, target):
    p = logits.softmax(-1)[torch.arange(len(target)), target]
    return float(1 / p.prod() ** (1 / len(p)))


def perplexity_token_by_token(logits, target):
    surprise = 0.0
    for scores, token in zip(logits, target.tolist(), strict=True):
        surprise += float(scores.logsumexp(-1) - scores[token])
    return math.exp(surprise / len(target))


ALTERNATIVES = (
    perplexity_library,
    perplexity_geometric_mean,
    perplexity_token_by_token,
)
