"""Other right answers to "Who moves?"."""

import torch
from torch.nn import functional as F


def who_moves_by_mse_loss(z, e, beta):
    d_code = z.shape[1]
    codes = F.mse_loss(e, z.detach())
    return d_code * (codes + beta * F.mse_loss(z, e.detach()))


def who_moves_token_by_token(z, e, beta):
    each = []
    for a, b in zip(z, e, strict=True):
        each.append(
            ((a.detach() - b) ** 2).sum() + beta * ((a - b.detach()) ** 2).sum()
        )
    return sum(each) / len(each)


def who_moves_by_norms(z, e, beta):
    first = torch.linalg.vector_norm(z.data.double() - e, dim=1).pow(2)
    second = torch.linalg.vector_norm(z - e.data.double(), dim=1).pow(2)
    return (first + beta * second).mean()


def who_moves_added_up(z, e, beta):
    codes = F.mse_loss(z.detach(), e, reduction="sum")
    encoder = F.mse_loss(z, e.detach(), reduction="sum")
    return (codes + beta * encoder) / len(z)


ALTERNATIVES = (
    who_moves_by_mse_loss,
    who_moves_token_by_token,
    who_moves_by_norms,
    who_moves_added_up,
)
