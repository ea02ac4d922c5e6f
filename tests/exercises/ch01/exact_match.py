"""Other right answers to "How many numbers are right?"."""

import torch


def match_lists(produced, target, eos):
    right = 0
    for ours, truth in zip(produced.tolist(), target.tolist(), strict=True):
        end = truth.index(eos) + 1
        right += ours[:end] == truth[:end]
    return right / len(target)


def match_tensor(produced, target, eos):
    end = (target == eos).int().argmax(1, keepdim=True)
    behind = torch.arange(target.shape[1]) > end
    return ((produced == target) | behind).all(1).float().mean()


ALTERNATIVES = (match_lists, match_tensor)
