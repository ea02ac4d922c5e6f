"""Other right answers to "Bug hunt: the mask that hides nothing"."""

import torch
from torch.nn import functional as F


def weights_log_of_the_mask(scores):
    mask = torch.tril(torch.ones_like(scores))
    return (scores + mask.log()).softmax(-1)


def weights_float_mask(scores):
    n = scores.shape[-1]
    return F.softmax(scores + torch.full((n, n), -torch.inf).triu(1), dim=-1)


def weights_row_by_row(scores):
    weights = torch.zeros_like(scores)
    for i in range(scores.shape[1]):
        weights[:, i, : i + 1] = scores[:, i, : i + 1].softmax(-1)
    return weights


ALTERNATIVES = (weights_log_of_the_mask, weights_float_mask, weights_row_by_row)
