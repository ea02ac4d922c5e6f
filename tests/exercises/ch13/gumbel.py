"""Other right answers to "A draw with a gradient"."""

import torch
from torch.nn import functional as F


def gumbel_by_powers(logits, u, tau):
    powers = (logits.double().exp() / -u.double().log()) ** (1 / tau)
    return powers / powers.sum(-1, keepdim=True)


def gumbel_by_the_library(logits, u, tau):
    noise = torch.distributions.Gumbel(0.0, 1.0).icdf(u)
    return F.softmax((logits + noise) / tau, dim=-1)


def gumbel_patch_by_patch(logits, u, tau):
    rows = zip(logits.flatten(0, -2), u.flatten(0, -2), strict=True)
    soft = [torch.softmax((row - (-v.log()).log()) / tau, 0) for row, v in rows]
    return torch.stack(soft).view(logits.shape)


def gumbel_from_probabilities(logits, u, tau):
    shares = logits.softmax(-1)
    return ((shares.log() - torch.log(-torch.log(u))) / tau).softmax(-1)


ALTERNATIVES = (
    gumbel_by_powers,
    gumbel_by_the_library,
    gumbel_patch_by_patch,
    gumbel_from_probabilities,
)
