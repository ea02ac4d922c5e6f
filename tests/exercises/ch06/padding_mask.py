"""Other right answers to "Nothing where nothing is"."""

import torch
from torch.nn.utils.rnn import pad_sequence


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


ALTERNATIVES = (padding_unsqueezed, padding_filled, padding_by_padding)
