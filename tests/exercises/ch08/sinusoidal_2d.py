"""Other right answers to "Something older: positions of a picture"."""

import math

import torch

from qkv.positions import sinusoidal


def grid_by_hand(rows, columns, d_model):
    out = torch.zeros(rows, columns, d_model)
    half = d_model // 2
    for row in range(rows):
        for column in range(columns):
            for i in range(half // 2):
                theta = 10000 ** (-2 * i / half)
                for place, start in ((row, 0), (column, half)):
                    out[row, column, start + 2 * i] = math.sin(place * theta)
                    out[row, column, start + 2 * i + 1] = math.cos(place * theta)
    return out.reshape(-1, d_model)


def grid_indexed(rows, columns, d_model):
    places = torch.cartesian_prod(torch.arange(rows), torch.arange(columns))
    table = sinusoidal(max(rows, columns), d_model // 2)
    return table[places].flatten(1)


def grid_expanded(rows, columns, d_model):
    of_rows = sinusoidal(rows, d_model // 2)[:, None].expand(-1, columns, -1)
    of_columns = sinusoidal(columns, d_model // 2)[None].expand(rows, -1, -1)
    return torch.cat([of_rows, of_columns], dim=-1).reshape(-1, d_model)


def grid_in_blocks(rows, columns, d_model):
    angles = torch.arange(0, d_model // 2, 2) * (-2 * math.log(10000) / d_model)
    row, column = torch.meshgrid(
        torch.arange(rows), torch.arange(columns), indexing="ij"
    )
    turned = torch.stack([row, column], -1).flatten(0, 1)[..., None] * angles.exp()
    return torch.stack([turned.sin(), turned.cos()], -1).flatten(1)


ALTERNATIVES = (grid_by_hand, grid_indexed, grid_expanded, grid_in_blocks)
