"""DLinear's moving mean, within each window.

The question: the mean of ``kernel`` values around each, of ``kernel // 2`` on either
side (``kernel`` is odd). Where they would lie outside the window, its first or its last
value stands for them.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def _repeated(past: Tensor, side: int) -> Tensor:
    return F.pad(past[:, None], (side, side), mode="replicate")[:, 0]


def _mean(values: Tensor) -> Tensor:
    return values.mean(-1)


def moving_mean(
    past: Float[Tensor, "window length"],
    kernel: int,
    *,
    padded: Callable = _repeated,
    averaged: Callable = _mean,
) -> Float[Tensor, "window length"]:
    return averaged(padded(past, kernel // 2).unfold(-1, kernel, 1))


def _of(padded):
    return lambda past, kernel: moving_mean(past, kernel, padded=padded)


def _mode(mode):
    return _of(lambda past, side: F.pad(past[:, None], (side, side), mode=mode)[:, 0])


def _before(past, side):
    return torch.cat([past[:, :1].expand(-1, 2 * side), past], -1)


def _after(past, side):
    return torch.cat([past, past[:, -1:].expand(-1, 2 * side)], -1)


def _through_all(past, kernel):
    """All windows in a row: one window's end looks into the next."""
    return moving_mean(past.reshape(1, -1), kernel).reshape(past.shape)


def _those_inside(past, kernel):
    ones = torch.ones_like(past)
    zeros = _of(lambda x, side: F.pad(x, (side, side)))
    return zeros(past, kernel) / zeros(ones, kernel)


EXERCISE = Exercise(
    id="14.5",
    title="A moving mean that stays inside",
    minutes=8,
    difficulty=2,
    reference=moving_mean,
    cases={
        "five around each": lambda: (draw.normal(3, 11) + 4, 5),
        "a single window": lambda: (draw.normal(1, 7, seed=1) - 2, 3),
        "nearly as wide as the window": lambda: (draw.normal(2, 13, seed=2) + 1, 11),
        "each value alone": lambda: (draw.normal(5, 7, seed=3), 1),
    },
    mistakes={
        "zeros at the edges": Mistake(
            "zeros stand for what lies outside: near the ends the mean is pulled to "
            "0, wherever the series is. Repeat the first and the last value",
            _of(lambda past, side: F.pad(past, (side, side))),
        ),
        "in a circle": Mistake(
            "the window has been closed to a circle: before its first value stands "
            "its last one, which comes later",
            _mode("circular"),
        ),
        "in a mirror": Mistake(
            "the values beside the edge have been mirrored; its own value is to be "
            "repeated",
            _mode("reflect"),
        ),
        "fewer at the edges": Mistake(
            "near the ends only the values inside have been averaged, over fewer of "
            "them; here the first and the last value are repeated, and it is always "
            "kernel values",
            _those_inside,
        ),
        "only what was before": Mistake(
            "this is the mean of each value and of those before it. As many before as "
            "after are wanted; inside a window, all of which is past, that is no leak",
            _of(_before),
        ),
        "only what comes after": Mistake(
            "this is the mean of each value and of those after it",
            _of(_after),
        ),
        "through all windows": Mistake(
            "the mean runs on from one window into the next: at a window's end it "
            "averages values that do not belong to it. Over a whole series this is a "
            "look into the future: the last values of a window would know the next "
            "ones",
            _through_all,
        ),
        "sum": Mistake(
            "this is the sum of the kernel values, not their mean",
            lambda past, kernel: moving_mean(
                past, kernel, averaged=lambda x: x.sum(-1)
            ),
        ),
        "middle": Mistake(
            "this is the median of the kernel values, not their mean",
            lambda past, kernel: moving_mean(
                past, kernel, averaged=lambda x: x.median(-1).values
            ),
        ),
    },
    hints=(
        "make each window longer first: its first value kernel // 2 times before it, "
        "and its last one as often after it.",
        "past[:, :1].expand(-1, kernel // 2) repeats the first value; torch.cat puts "
        "the three parts in a row.",
        "then .unfold(-1, kernel, 1) gives the kernel values around each place, as "
        "many places as before.",
    ),
)
