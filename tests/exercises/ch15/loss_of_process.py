"""Other right answers to "The loss of one process"."""

import torch


def loss_by_the_mean_count(losses, real, counts):
    return losses[real].sum() / counts.float().mean()


def loss_by_a_product(losses, real, counts):
    total = (losses * real).sum()
    return total * len(counts) / counts.sum()


def loss_by_its_share(losses, real, counts):
    """The mean, weighed by how many tokens there are; nothing where there is none."""
    own = real.sum()
    mean = torch.nan_to_num(torch.masked_fill(losses, ~real, 0).sum() / own)
    return mean * (own / counts.sum()) * counts.numel()


def loss_one_by_one(losses, real, counts):
    total = losses.sum() * 0
    for row, is_real in zip(losses, real, strict=True):
        for loss, counted in zip(row, is_real, strict=True):
            if counted:
                total = total + loss
    return total / sum(counts.tolist()) * counts.shape[0]


ALTERNATIVES = (
    loss_by_the_mean_count,
    loss_by_a_product,
    loss_by_its_share,
    loss_one_by_one,
)
