"""Other right answers to "The k best, and their weights"."""

import torch


def gates_by_sorting(logits, k):
    weights, chosen = torch.softmax(logits, -1).sort(dim=-1, descending=True)
    return weights[..., :k], chosen[..., :k]


def gates_gathered(logits, k):
    chosen = logits.argsort(dim=-1, descending=True)[..., :k]
    powers = (logits - logits.amax(-1, keepdim=True)).exp()
    return (powers / powers.sum(-1, keepdim=True)).gather(-1, chosen), chosen


def gates_one_after_the_other(logits, k):
    left, weights, chosen = logits.softmax(-1), [], []
    for _ in range(k):
        best, place = left.max(-1, keepdim=True)
        weights.append(best)
        chosen.append(place)
        left = left.scatter(-1, place, -1.0)
    return torch.cat(weights, -1), torch.cat(chosen, -1)


ALTERNATIVES = (gates_by_sorting, gates_gathered, gates_one_after_the_other)
