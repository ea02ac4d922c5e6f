"""What students write in chapter 11 is called by its name, however it is rounded."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from qkv.checking.comparing import close
from qkv.checking.judge import judge
from qkv.exercises.ch11.block import EXERCISE as BLOCK
from qkv.exercises.ch11.fewer_keys import EXERCISE as FEWER_KEYS
from qkv.exercises.ch11.negative_gate import EXERCISE as NEGATIVE_GATE
from qkv.exercises.ch11.over_queries import EXERCISE as HUNT

WITH_SOFTMAX = [
    pytest.param(exercise, wrong, id=f"{exercise.id} {name}")
    for exercise in (BLOCK, FEWER_KEYS, HUNT)
    for name, wrong in [
        ("right", exercise.reference),
        *((name, mistake.wrong) for name, mistake in exercise.mistakes.items()),
    ]
]


def doubled(x: object) -> object:
    return x.double() if isinstance(x, Tensor) else x


@pytest.mark.parametrize(("exercise", "function"), WITH_SOFTMAX)
def test_rounding_takes_a_small_part_of_the_tolerance(exercise, function) -> None:
    """Else another order of the same sums would not be what it is."""
    for case, given in exercise.cases.items():
        want = function(*map(doubled, given()))
        assert close(function(*given()), want, exercise.tolerance / 5), case


def not_scaled(x, W_q, W_k, W_v, W_o, gamma):
    q, k, v = (torch.einsum("bchw,dc->bhwd", x, W) for W in (W_q, W_k, W_v))
    q, k, v = (each.flatten(1, 2) for each in (q, k, v))
    weights = torch.softmax(torch.bmm(q, k.transpose(1, 2)), dim=-1)
    read = torch.bmm(weights, v) @ W_o.T
    return x + gamma * read.transpose(1, 2).reshape(x.shape), weights


def read_by_the_columns(x, W_q, W_k, W_v, W_o, gamma):
    """Channels first, and the map from the right without being turned over."""
    rows = x.flatten(2)
    q, k, v = W_q @ rows, W_k @ rows, W_v @ rows
    weights = (q.transpose(1, 2) @ k / len(W_q) ** 0.5).softmax(-1)
    return x + gamma * (W_o @ (v @ weights)).view(x.shape), weights


def turned_without_looking(gamma, W_o, b_o):
    return -gamma, -W_o, -b_o


@pytest.mark.parametrize(
    ("exercise", "attempt", "name"),
    [
        (BLOCK, not_scaled, "not scaled"),
        (BLOCK, read_by_the_columns, "read by the columns"),
        (NEGATIVE_GATE, turned_without_looking, "a positive gate turned"),
    ],
)
def test_a_students_code_is_called_by_its_mistake(
    exercise, attempt: Callable, name: str
) -> None:
    assert judge(exercise, attempt).mistake == name
