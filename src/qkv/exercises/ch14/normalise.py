"""Normalise each window, forecast, and undo it.

The question: the linear forecast x W + b has been trained on windows of mean 0 and
variance 1. Take from each window its own mean μ, divide by its own σ = √(variance +
10⁻⁵), forecast, and bring the forecast back to the window's units.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw

EPSILON = 1e-5


def _of_each_window(past: Tensor) -> tuple[Tensor, Tensor]:
    mean = past.mean(-1, keepdim=True)
    return mean, (past.var(-1, correction=0, keepdim=True) + EPSILON).sqrt()


def _back(forecast: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    return forecast * std + mean


def forecast(
    past: Float[Tensor, "window length"],
    W: Float[Tensor, "length horizon"],
    b: Float[Tensor, " horizon"],
    *,
    of: Callable = _of_each_window,
    undo: Callable = _back,
) -> Float[Tensor, "window horizon"]:
    mean, std = of(past)
    return undo((past - mean) / std @ W + b, mean, std)


def _undone(undo):
    return lambda past, W, b: forecast(past, W, b, undo=undo)


def _by(of):
    return lambda past, W, b: forecast(past, W, b, of=of)


def _own_scale(forecast, mean, std):
    """The forecast is brought to the window's mean and σ, whatever it said."""
    own_mean, own_std = _of_each_window(forecast)
    return (forecast - own_mean) / own_std * std + mean


def _levels(*shape: int, seed: int) -> Tensor:
    rows = torch.arange(shape[0], dtype=torch.float32)[:, None]
    return (1 + rows) * draw.normal(*shape, seed=seed) + 10 * rows + 5


EXERCISE = Exercise(
    id="14.4",
    title="Normalise each window, and undo it",
    minutes=9,
    difficulty=2,
    reference=forecast,
    cases={
        "windows of different levels": lambda: (
            _levels(3, 11, seed=0),
            draw.normal(11, 5, seed=1),
            draw.normal(5, seed=6),
        ),
        "a single window": lambda: (
            _levels(1, 7, seed=2),
            draw.normal(7, 3, seed=3),
            draw.normal(3, seed=7),
        ),
        "a window that does not move": lambda: (
            torch.cat([torch.full((1, 5), 4.0), _levels(1, 5, seed=4)]),
            draw.normal(5, 3, seed=5),
            draw.normal(3, seed=8),
        ),
    },
    mistakes={
        "mean not given back": Mistake(
            "the mean has not been added to the forecast again: it is as if every "
            "series lay around 0",
            _undone(lambda forecast, mean, std: forecast * std),
        ),
        "scale not given back": Mistake(
            "the forecast has not been multiplied by σ again",
            _undone(lambda forecast, mean, std: forecast + mean),
        ),
        "not undone": Mistake(
            "the forecast is still in the normalised units: multiply by the window's "
            "σ, then add its mean",
            _undone(lambda forecast, mean, std: forecast),
        ),
        "undone in the wrong order": Mistake(
            "the mean has been added before σ was multiplied, so that it is "
            "multiplied, too: undo the last step first",
            _undone(lambda forecast, mean, std: (forecast + mean) * std),
        ),
        "divided twice": Mistake(
            "the forecast has been divided by σ once more: to undo a division, "
            "multiply",
            _undone(lambda forecast, mean, std: forecast / std + mean),
        ),
        "forced to the window's scale": Mistake(
            "the forecast has been given the window's mean and σ, whatever it said: "
            "its own have been taken away first. A forecast may be flat, or lie above "
            "all that the window has",
            _undone(_own_scale),
        ),
        "of all windows": Mistake(
            "mean and variance are those of all windows together: each window has "
            "its own level, so take them along its time (dim=-1)",
            _by(
                lambda past: (
                    past.mean(),
                    (past.var(correction=0) + EPSILON).sqrt(),
                )
            ),
        ),
        "by the variance": Mistake(
            "divided and multiplied by the variance; σ is its root",
            _by(
                lambda past: (
                    past.mean(-1, keepdim=True),
                    past.var(-1, correction=0, keepdim=True) + EPSILON,
                )
            ),
        ),
        "not normalised": Mistake(
            "the windows have not been normalised at all",
            lambda past, W, b: past @ W + b,
        ),
        "root mean square": Mistake(
            "the windows have been divided by the root of their mean square, not by "
            "the distance from their mean: the variance is of past − μ",
            _by(
                lambda past: (
                    past.mean(-1, keepdim=True),
                    (past.square().mean(-1, keepdim=True) + EPSILON).sqrt(),
                )
            ),
        ),
    },
    hints=(
        "keepdim=True leaves one number for each window, in a column that fits.",
        "undo in the opposite order: first multiply by σ, then add μ.",
        "σ is torch.sqrt(past.var(-1, correction=0, keepdim=True) + 1e-5).",
    ),
)
