"""Something older: one error over batches of different sizes.

The question: the test came in batches, the last one smaller. What is the mean squared
error 1, 2, … steps ahead, over all windows? (In exercise 6.7 it was the perplexity
of a padded batch.)
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def _over_windows(errors: list[Tensor]) -> Tensor:
    return torch.cat(errors).mean(0)


def error_of_each_step(
    forecasts: list[Tensor],
    futures: list[Tensor],
    *,
    of: Callable = torch.square,
    over: Callable = _over_windows,
) -> Float[Tensor, " step"]:
    pairs = zip(forecasts, futures, strict=True)
    return over([of(forecast - future) for forecast, future in pairs])


def _by(**changes):
    return lambda forecasts, futures: error_of_each_step(forecasts, futures, **changes)


def _batches(horizon: int, *sizes: int) -> tuple[list[Tensor], list[Tensor]]:
    shapes = [(size, horizon) for size in sizes]
    far = [(1 + n) * draw.normal(*shape, seed=n + 9) for n, shape in enumerate(shapes)]
    return far, [draw.normal(*shape, seed=n) for n, shape in enumerate(shapes)]


EXERCISE = Exercise(
    id="14.8",
    title="Something older: one number for all batches",
    minutes=6,
    difficulty=1,
    reference=error_of_each_step,
    cases={
        "the last batch is smaller": lambda: _batches(3, 7, 7, 2),
        "a single batch": lambda: _batches(5, 7),
        "a last batch of one": lambda: _batches(2, 5, 5, 5, 1),
    },
    mistakes={
        "mean of the batches": Mistake(
            "each batch has got a mean of its own, and these have been averaged: a "
            "window of the small last batch counts more than another. Then the error "
            "depends on the batch size",
            _by(over=lambda errors: torch.stack([e.mean(0) for e in errors]).mean(0)),
        ),
        "last batch dropped": Mistake(
            "the last batch is missing (drop_last=True): its windows are the latest "
            "ones, and the error depends on the batch size. In training that may "
            "pass, in a test it may not",
            _by(over=lambda errors: torch.cat(errors[:-1] or errors).mean(0)),
        ),
        "mean over the steps, too": Mistake(
            "every step has got the mean over all steps: a leak one step ahead would "
            "hide in it. Average over the windows alone (dim=0)",
            _by(over=lambda errors: 0 * errors[0][0] + torch.cat(errors).mean()),
        ),
        "sum": Mistake(
            "the squared errors have been added up, but not divided by the number of "
            "windows",
            _by(over=lambda errors: torch.cat(errors).sum(0)),
        ),
        "divided by all numbers": Mistake(
            "divided by the number of all numbers, windows times steps: of each step "
            "there is one number in a window",
            _by(over=lambda errors: torch.cat(errors).mean(0) / errors[0].shape[1]),
        ),
        "root": Mistake(
            "this is the root of it, in the units of the series; the mean of the "
            "squares is wanted",
            _by(over=lambda errors: torch.cat(errors).mean(0).sqrt()),
        ),
        "absolute": Mistake(
            "this is the mean absolute error; square the differences",
            _by(of=torch.abs),
        ),
        "averaged before it was squared": Mistake(
            "the differences have been averaged before they were squared: too high "
            "and too low have cancelled out",
            _by(of=lambda x: x, over=lambda errors: _over_windows(errors).square()),
        ),
    },
    hints=(
        "each window counts once, whatever the size of its batch.",
        "torch.cat puts the batches together; then one mean over the windows. Or add "
        "up sums and numbers of windows, and divide once.",
    ),
    trained=False,
)
