"""Other right answers to "One by one"."""

import torch


def everywhere_by_einsum(x, weight, bias):
    said = torch.einsum("bchw,oc->bohw", x, weight[:, :, 0, 0])
    return said + bias[:, None, None]


def everywhere_with_places_in_a_row(x, weight, bias):
    said = weight.flatten(1) @ x.flatten(2) + bias[:, None]
    return said.unflatten(2, x.shape[2:])


def everywhere_place_by_place(x, weight, bias):
    matrix = weight.squeeze(-1).squeeze(-1)
    rows = [
        torch.stack([x[:, :, r, c] @ matrix.T + bias for c in range(x.shape[3])], -1)
        for r in range(x.shape[2])
    ]
    return torch.stack(rows, 2)


ALTERNATIVES = (
    everywhere_by_einsum,
    everywhere_with_places_in_a_row,
    everywhere_place_by_place,
)
