"""Other right answers to "The sinusoids"."""

import math

import torch


def rates(width):
    return torch.exp(torch.arange(0, width, 2) * (-math.log(10000) / width))


def sinusoidal_filled(length, d_model):
    encoding = torch.zeros(length, d_model)
    angles = torch.arange(length)[:, None] * rates(d_model)
    encoding[:, 0::2] = torch.sin(angles)
    encoding[:, 1::2] = torch.cos(angles)
    return encoding


def sinusoidal_number_by_number(length, d_model):
    def number(p, j):
        angle = p / 10000 ** (2 * (j // 2) / d_model)
        return math.cos(angle) if j % 2 else math.sin(angle)

    return torch.tensor([[number(p, j) for j in range(d_model)] for p in range(length)])


def sinusoidal_complex(length, d_model):
    angles = torch.outer(torch.arange(length).float(), rates(d_model))
    return torch.view_as_real(torch.polar(torch.ones(()), angles)).flip(-1).flatten(1)


ALTERNATIVES = (sinusoidal_filled, sinusoidal_number_by_number, sinusoidal_complex)
