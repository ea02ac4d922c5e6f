"""Other right answers to "How far a head sees"."""

import math

import torch


def in_sight_by_distance(heads, length, share):
    """A head sees as far as −ln(share) / slope."""
    places = torch.arange(length)
    reach = [-math.log(share) * 2 ** (8 * h / heads) for h in range(1, heads + 1)]
    return (places[:, None] - places).abs() <= torch.tensor(reach)[:, None, None]


def in_sight_loops(heads, length, share):
    def sees(h, i, j):
        return math.exp(-abs(i - j) * 2 ** (-8 * h / heads)) >= share

    return torch.tensor(
        [
            [[sees(h, i, j) for j in range(length)] for i in range(length)]
            for h in range(1, heads + 1)
        ]
    )


def in_sight_by_softmax(heads, length, share):
    places = torch.arange(length).float()
    apart = torch.cdist(places[:, None], places[:, None], p=1)
    slopes = torch.pow(2 ** (-8 / heads), torch.arange(1.0, heads + 1))
    weights = torch.einsum("h,qk->hqk", slopes, -apart).softmax(-1)
    return weights >= share * weights.diagonal(dim1=1, dim2=2)[..., None]


ALTERNATIVES = (in_sight_by_distance, in_sight_loops, in_sight_by_softmax)
