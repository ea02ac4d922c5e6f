"""Other right answers to "Read the clocks"."""

import math

import torch


def rates(width):
    return torch.exp(torch.arange(0, width, 2) * (-math.log(10000) / width))


def position_of_the_last_hand(encoding):
    d_model = encoding.shape[1]
    angle = torch.atan2(encoding[:, -2], encoding[:, -1])
    angle = torch.where(angle < 0, angle + 2 * math.pi, angle)
    return angle * 10000 ** ((d_model - 2) / d_model)


def position_refined(encoding):
    """As on a clock: the slow hand says roughly, each faster one more exactly."""
    hands = torch.view_as_complex(encoding.unflatten(-1, (-1, 2)).flip(-1).contiguous())
    positions = torch.full((len(encoding),), 0.0)
    for n, rate in reversed(list(enumerate(rates(encoding.shape[1]).tolist()))):
        turn = torch.polar(torch.ones(len(encoding)), -positions * rate)
        ahead = (hands[:, n] * turn).angle()
        is_first = n == encoding.shape[1] // 2 - 1
        positions = positions + (ahead % (2 * math.pi) if is_first else ahead) / rate
    return positions


def position_row_by_row(encoding):
    rate = 10000 ** (2 / encoding.shape[1] - 1)
    found = [math.atan2(*row[-2:]) % (2 * math.pi) / rate for row in encoding.tolist()]
    return torch.tensor(found)


ALTERNATIVES = (position_of_the_last_hand, position_refined, position_row_by_row)
