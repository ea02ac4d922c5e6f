"""Other right answers to "In the same order?"."""

import torch


def rank_correlation_by_the_formula(weights, harm):
    n = weights.shape[1]
    a, b = (x.argsort(1).argsort(1) for x in (weights, harm))
    return 1 - 6 * (a - b).square().sum(1) / (n * (n * n - 1))


def rank_correlation_row_by_row(weights, harm):
    found = []
    for a, b in zip(weights, harm, strict=True):
        pair = torch.stack([a.argsort().argsort(), b.argsort().argsort()]).float()
        found.append(torch.corrcoef(pair)[0, 1])
    return torch.stack(found)


def rank_correlation_from_the_largest(weights, harm):
    a, b = ((x[:, :, None] < x[:, None]).sum(2).float() for x in (weights, harm))
    return torch.cosine_similarity(a - a.mean(1, True), b - b.mean(1, True))


ALTERNATIVES = (
    rank_correlation_by_the_formula,
    rank_correlation_row_by_row,
    rank_correlation_from_the_largest,
)
