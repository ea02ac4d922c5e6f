"""Other right answers to "Further on, wherever that is"."""

import math

import torch

from tests.exercises.ch05.which_position import rates


def shift_complex(encoding, offset):
    hands = torch.view_as_complex(encoding.unflatten(-1, (-1, 2)).flip(-1).contiguous())
    hands = hands * torch.exp(1j * offset * rates(encoding.shape[-1]))
    return torch.view_as_real(hands).flip(-1).flatten(-2)


def shift_by_matrix(encoding, offset):
    blocks = []
    for angle in (offset * rates(encoding.shape[-1])).tolist():
        cos, sin = math.cos(angle), math.sin(angle)
        blocks.append(torch.tensor([[cos, -sin], [sin, cos]]))
    return encoding @ torch.block_diag(*blocks)


def shift_reads_the_angle(encoding, offset):
    angles = torch.atan2(encoding[:, ::2], encoding[:, 1::2])
    angles += offset * rates(encoding.shape[-1])
    encoding[:, ::2], encoding[:, 1::2] = angles.sin(), angles.cos()
    return encoding


ALTERNATIVES = (shift_complex, shift_by_matrix, shift_reads_the_angle)
