"""Other right answers to "One number from a row, tile by tile"."""

import math
from functools import reduce

import torch


def from_a_very_small_number(scores, size):
    m = torch.full((len(scores),), -1e9)
    total = torch.zeros(len(scores))
    for tile in scores.split(size, dim=1):
        new = torch.maximum(m, tile.max(dim=1).values)
        p = torch.exp(tile - new[:, None])
        total = total * torch.exp(m - new) + p.sum(dim=1)
        m = new
    return m + torch.log(total)


def with_nan_put_away(scores, size):
    m = torch.full((len(scores), 1), -torch.inf)
    total = torch.zeros(len(scores), 1)
    for start in range(0, scores.shape[1], size):
        tile = scores[:, start : start + size]
        new = torch.maximum(m, tile.amax(1, keepdim=True))
        shrink = (m - new).exp().nan_to_num(0.0)
        total = total * shrink + (tile - new).exp().nan_to_num(0.0).sum(1, True)
        m = new
    return (m + total.log())[:, 0]


def tile_with_tile(scores, size):
    tiles = [tile.logsumexp(1) for tile in scores.split(size, 1)]
    return reduce(torch.logaddexp, tiles)


def number_by_number(scores, size):
    rows = []
    for row in scores.tolist():
        m, total = -math.inf, 0.0
        for tile in (row[n : n + size] for n in range(0, len(row), size)):
            for score in tile:
                new = max(m, score)
                if new == -math.inf:
                    continue
                total = total * math.exp(m - new) + math.exp(score - new)
                m = new
        rows.append(m + math.log(total))
    return torch.tensor(rows, dtype=torch.float64)


def with_own_maximum_brought_along(scores, size):
    """As in the paper: both sides are brought to the new maximum."""
    m, total = torch.tensor(-1e30), torch.tensor(0.0)
    for tile in scores.split(size, -1):
        own = tile.amax(-1).clamp(min=-1e30)
        part = (tile - own[:, None]).exp().sum(-1)
        new = torch.maximum(m, own)
        total = total * (m - new).exp() + part * (own - new).exp()
        m = new
    return m + total.log()


ALTERNATIVES = (
    from_a_very_small_number,
    with_nan_put_away,
    tile_with_tile,
    number_by_number,
    with_own_maximum_brought_along,
)
