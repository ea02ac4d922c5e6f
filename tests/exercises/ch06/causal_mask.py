"""Other right answers to "Nothing from the future"."""

import torch


def causal_compare(length):
    places = torch.arange(length)
    return places[None, :] <= places[:, None]


def causal_not_above(length):
    return torch.triu(torch.ones(length, length), diagonal=1) == 0


def causal_lists(length):
    return torch.tensor([[j <= i for j in range(length)] for i in range(length)])


ALTERNATIVES = (causal_compare, causal_not_above, causal_lists)
