"""Other right answers to "The last few tokens"."""

import torch

from qkv import masks


def window_by_two_triangles(query, key, window):
    everything = torch.ones(query, key)
    offset = key - query
    return everything.tril(offset).triu(offset - window + 1).bool()


def window_by_two_masks(query, key, window):
    causal = masks.causal(key)
    too_far = torch.zeros_like(causal)
    too_far[window:] = causal[: max(key - window, 0)]
    return (causal & ~too_far)[key - query :]


def window_row_by_row(query, key, window):
    mask = torch.zeros(query, key, dtype=torch.bool)
    for i in range(query):
        place = key - query + i
        mask[i, max(0, place - window + 1) : place + 1] = True
    return mask


def window_of_all_tokens(query, key, window):
    places = torch.arange(key)
    back = places[:, None] - places[None, :]
    mask = torch.logical_and(back >= 0, back <= window - 1)
    return mask[-query:]


ALTERNATIVES = (
    window_by_two_triangles,
    window_by_two_masks,
    window_row_by_row,
    window_of_all_tokens,
)
