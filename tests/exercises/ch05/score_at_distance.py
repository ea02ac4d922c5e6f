"""Other right answers to "Only how far apart"."""

import torch

from tests.exercises.ch05.shift import shift_by_matrix
from tests.exercises.ch05.which_position import rates


def rotate_across(x, positions):
    angles = (positions[:, None] * rates(x.shape[-1])).repeat_interleave(2, dim=-1)
    across = torch.stack([-x[..., 1::2], x[..., 0::2]], dim=-1).reshape(x.shape)
    return x * angles.cos() + across * angles.sin()


def turn(x, start):
    return rotate_across(x, torch.arange(start, start + x.shape[1]))


def score_with_the_query_turned_back(q, k, distances):
    queries = q[:, None].repeat(1, len(distances), 1)
    return (rotate_across(queries, -distances) * k[:, None]).sum(-1)


def score_complex(q, k, distances):
    """Of every pair, the real part of q's conjugate times k times the turn."""
    q, k = (torch.view_as_complex(x.unflatten(-1, (-1, 2))) for x in (q, k))
    angles = torch.outer(distances.float(), rates(2 * q.shape[-1]))
    turns = torch.polar(torch.ones_like(angles), angles)
    return ((q.conj() * k) @ turns.T).real


def score_as_a_sum_of_waves(q, k, distances):
    angles = distances[:, None] * rates(q.shape[-1])
    along = q[:, 0::2] * k[:, 0::2] + q[:, 1::2] * k[:, 1::2]
    across = q[:, 1::2] * k[:, 0::2] - q[:, 0::2] * k[:, 1::2]
    return along @ angles.cos().T + across @ angles.sin().T


def score_at_two_positions(q, k, distances):
    """The query at 100, and the key where it must be then."""
    scores = []
    for distance in distances.tolist():
        asking, answering = (
            shift_by_matrix(q, -100),
            shift_by_matrix(k, -100 - distance),
        )
        scores.append((asking * answering).sum(-1))
    return torch.stack(scores, dim=-1)


ALTERNATIVES = (
    score_with_the_query_turned_back,
    score_complex,
    score_as_a_sum_of_waves,
    score_at_two_positions,
)
