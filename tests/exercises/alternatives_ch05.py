"""Right answers to chapter 5's exercises, written in other ways than the reference."""

import math
from collections import Counter

import torch
from torch.nn import functional as F


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


def ceiling_counter(sequences):
    shares = [max(Counter(row).values()) / len(row) for row in sequences.tolist()]
    return sum(shares) / len(shares)


def ceiling_compare(sequences):
    same = sequences[:, :, None] == sequences[:, None, :]
    return same.float().mean(-1).amax(-1).mean()


def ceiling_mode(sequences):
    commonest = sequences.mode(dim=1, keepdim=True).values
    return (sequences == commonest).float().mean().item()


def turn(x, start):
    return rotate_across(x, torch.arange(start, start + x.shape[1]))


def scores_padded_in_front(q, k):
    missing = k.shape[1] - q.shape[1]
    queries = turn(F.pad(q, (0, 0, missing, 0)), 0)
    return queries[:, missing:] @ turn(k, 0).mT


def scores_keys_before_zero(q, k):
    return turn(q, 0) @ turn(k, q.shape[1] - k.shape[1]).mT


def scores_by_distance(q, k):
    """Only the keys are turned, by how far each is behind the query."""
    last, rows = k.shape[1] - q.shape[1], []
    for i, query in enumerate(q.unbind(1)):
        away = torch.arange(k.shape[1]) - (last + i)
        rows.append(torch.einsum("bd,bkd->bk", query, rotate_across(k, away)))
    return torch.stack(rows, dim=1)


ALTERNATIVES = {
    "5.1": (ceiling_counter, ceiling_compare, ceiling_mode),
    "5.2": (sinusoidal_filled, sinusoidal_number_by_number, sinusoidal_complex),
    "5.3": (shift_complex, shift_by_matrix, shift_reads_the_angle),
    "5.4": (rotate_across, rotate_complex, rotate_token_by_token),
    "5.5": (alibi_loops, alibi_einsum),
    "5.6": (scores_padded_in_front, scores_keys_before_zero, scores_by_distance),
}
