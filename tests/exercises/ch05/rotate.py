"""Other right answers to "Turn the queries and the keys"."""

import torch

from tests.exercises.ch05.shift import shift_by_matrix
from tests.exercises.ch05.sinusoidal import rates


def rotate_across(x, positions):
    angles = (positions[:, None] * rates(x.shape[-1])).repeat_interleave(2, dim=-1)
    across = torch.stack([-x[..., 1::2], x[..., 0::2]], dim=-1).reshape(x.shape)
    return x * angles.cos() + across * angles.sin()


def rotate_complex(x, positions):
    hands = torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2))
    turn = torch.outer(positions.float(), rates(x.shape[-1]))
    return torch.view_as_real(hands * torch.polar(torch.ones(()), turn)).flatten(-2)


def rotate_token_by_token(x, positions):
    tokens = []
    for token, position in zip(x.unbind(1), positions.tolist(), strict=True):
        tokens.append(shift_by_matrix(token, -position))
    return torch.stack(tokens, dim=1)


def turn(x, start):
    return rotate_across(x, torch.arange(start, start + x.shape[1]))


ALTERNATIVES = (rotate_across, rotate_complex, rotate_token_by_token)
