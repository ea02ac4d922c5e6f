"""Other right answers to "Nothing from the future"."""

import torch


def causal_compare(query, key):
    keys = torch.arange(key)
    return keys <= keys[key - query :, None]


def causal_last_rows(query, key):
    whole = torch.triu(torch.ones(key, key), diagonal=1) == 0
    return whole[-query:]


def causal_lists(query, key):
    old = key - query
    return torch.tensor([[j <= old + i for j in range(key)] for i in range(query)])


ALTERNATIVES = (causal_compare, causal_last_rows, causal_lists)
