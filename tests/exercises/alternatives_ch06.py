"""Right answers to chapter 6's exercises, written in other ways than the reference."""

import math

import torch
from torch.distributions import Categorical
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence


def causal_compare(length):
    places = torch.arange(length)
    return places[None, :] <= places[:, None]


def causal_not_above(length):
    return torch.triu(torch.ones(length, length), diagonal=1) == 0


def causal_lists(length):
    return torch.tensor([[j <= i for j in range(length)] for i in range(length)])


def padding_unsqueezed(lengths, key):
    return (torch.arange(key).unsqueeze(0) < lengths.unsqueeze(1)).unsqueeze(1)


def padding_filled(lengths, key):
    mask = torch.zeros(len(lengths), 1, key, dtype=torch.bool)
    for row, n in zip(mask, lengths.tolist(), strict=True):
        row[:, :n] = True
    return mask


def padding_by_padding(lengths, key):
    ones = [torch.ones(n, dtype=torch.bool) for n in [*lengths.tolist(), key]]
    return pad_sequence(ones, batch_first=True)[:-1].view(-1, 1, key)


def softmax_nan_to_num(scores, mask):
    scores[~mask] = float("-inf")
    return torch.nan_to_num(scores.softmax(dim=2))


def softmax_large_negative(scores, mask):
    return F.softmax(scores.masked_fill(~mask, -1e9), dim=-1) * mask


def softmax_by_hand(scores, mask):
    hidden = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    powers = torch.exp(hidden - hidden.amax(-1, keepdim=True)) * mask
    return powers / powers.sum(-1, keepdim=True).clamp(min=1e-9)


def softmax_row_by_row(scores, mask):
    weights = torch.zeros_like(scores)
    for b, q in mask.any(-1).nonzero().tolist():
        open_keys = mask[b, q]
        weights[b, q, open_keys] = scores[b, q, open_keys].softmax(0)
    return weights


def entropy_loop(probabilities, lengths):
    total, characters = 0.0, 0.0
    for p, n in zip(probabilities.tolist(), lengths.tolist(), strict=True):
        characters += p * n
        if p > 0:
            total -= p * math.log(p)
    return total / characters


def entropy_library(probabilities, lengths):
    return Categorical(probs=probabilities).entropy() / (
        probabilities @ lengths.float()
    )


def entropy_occurring(probabilities, lengths):
    p, n = probabilities[probabilities > 0], lengths[probabilities > 0]
    return ((-p.log()) @ p / (p * n).sum()).item()


def pytorch_functions(may_attend):
    batch, key = may_attend.shape
    return torch.logical_not(may_attend), may_attend.view(batch, 1, 1, key)


def pytorch_compared(may_attend):
    kept = may_attend.unsqueeze(1).unsqueeze(2)
    return may_attend == torch.tensor(False), kept


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


ALTERNATIVES = {
    "6.1": (entropy_loop, entropy_library, entropy_occurring),
    "6.2": (causal_compare, causal_not_above, causal_lists),
    "6.3": (padding_unsqueezed, padding_filled, padding_by_padding),
    "6.4": (
        softmax_nan_to_num,
        softmax_large_negative,
        softmax_by_hand,
        softmax_row_by_row,
    ),
    "6.5": (pytorch_functions, pytorch_compared),
    "6.6": (weights_log_of_the_mask, weights_float_mask, weights_row_by_row),
}
