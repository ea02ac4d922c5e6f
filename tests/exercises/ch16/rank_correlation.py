"""Other right answers to "In the same order?"."""

import torch


def rank_correlation_by_the_formula(weights, harm):
    n = len(weights)
    a, b = (x.argsort().argsort() for x in (weights, harm))
    return 1 - 6 * (a - b).square().sum().item() / (n * (n * n - 1))


def rank_correlation_from_the_largest(weights, harm):
    a, b = ((x[:, None] < x).sum(1).double() for x in (weights, harm))
    a, b = a - a.mean(), b - b.mean()
    return (a @ b / (a.norm() * b.norm())).item()


def rank_correlation_by_scatter(weights, harm):
    def ranks(values):
        found = torch.empty_like(values)
        found[values.argsort()] = torch.arange(len(values), dtype=values.dtype)
        return found

    return torch.corrcoef(torch.stack([ranks(weights), ranks(harm)]))[1, 0]


ALTERNATIVES = (
    rank_correlation_by_the_formula,
    rank_correlation_from_the_largest,
    rank_correlation_by_scatter,
)
