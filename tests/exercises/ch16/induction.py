"""Other right answers to "Who looks after the earlier one?"."""

import torch


def induction_by_gather(weights, lengths):
    place = torch.arange(weights.shape[2])
    key = place - lengths[:, None] + 1
    asked = key > 0
    index = key.clamp(min=0)[:, None, :, None].expand(-1, weights.shape[1], -1, 1)
    found = weights.gather(3, index).squeeze(3)
    return (found * asked[:, None]).sum((0, 2)) / asked.sum()


def induction_by_diagonals(weights, lengths):
    total, count = 0, 0
    for of_one, length in zip(weights, lengths.tolist(), strict=True):
        line = of_one.diagonal(1 - length, 1, 2)[:, 1:]
        total, count = total + line.sum(1), count + line.shape[1]
    return total / count


ALTERNATIVES = (induction_by_gather, induction_by_diagonals)
