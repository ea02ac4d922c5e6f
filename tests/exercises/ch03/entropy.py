"""Other right answers to "How undecided is a query?"."""

import torch


def entropy_xlogy(weights):
    return -torch.xlogy(weights, weights).sum(-1)


def entropy_where(weights):
    safe = torch.where(weights > 0, weights, 1.0)
    return -(weights * safe.log()).sum(dim=-1)


def entropy_clamped(weights):
    return -(weights * weights.clamp(min=1e-12).log()).sum(-1)


def entropy_filled(weights):
    return -(weights * weights.log()).nan_to_num(0.0).sum(-1)


ALTERNATIVES = (entropy_xlogy, entropy_where, entropy_clamped, entropy_filled)
