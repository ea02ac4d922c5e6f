"""Other right answers to "The price of distance"."""

import torch


def alibi_loops(heads, length):
    return torch.tensor(
        [
            [
                [-abs(i - j) * 2 ** (-8 * h / heads) for j in range(length)]
                for i in range(length)
            ]
            for h in range(1, heads + 1)
        ]
    )


def alibi_einsum(heads, length):
    places = torch.arange(length).float()
    apart = torch.cdist(places[:, None], places[:, None], p=1)
    slopes = torch.pow(2 ** (-8 / heads), torch.arange(1.0, heads + 1))
    return torch.einsum("h,qk->hqk", slopes, -apart)


ALTERNATIVES = (alibi_loops, alibi_einsum)
