"""What is known at a moment, and what comes after it.

The question: cut a series at some moments. ``now`` has the place of the last value that
is known, for each window; its past are the ``length`` values up to and with that one,
its future the ``horizon`` values after it. (One call cuts all of them.)
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def windows(
    series: Float[Tensor, " time"],
    now: Int[Tensor, " window"],
    length: int,
    horizon: int,
) -> tuple[Float[Tensor, "window length"], Float[Tensor, "window horizon"]]:
    return _cut(series, now, length, horizon)


def _from_one(now: Tensor, length: int, horizon: int) -> Tensor:
    return now + 1


def _cut(
    series: Tensor,
    now: Tensor,
    length: int,
    horizon: int,
    *,
    last: int = 0,
    begin: Callable = _from_one,
) -> tuple[Tensor, Tensor]:
    """Pasts that end ``last`` after now, and futures that ``begin`` elsewhere."""
    past = now[:, None] + last - length + 1 + torch.arange(length)
    future = begin(now, length, horizon)[:, None] + torch.arange(horizon)
    return series[past], series[future]


def _backwards(series, now, length, horizon):
    past, future = windows(series, now, length, horizon)
    return past.flip(-1), future


def _moved(**changes):
    return lambda series, now, length, horizon: _cut(
        series, now, length, horizon, **changes
    )


EXERCISE = Exercise(
    id="14.1",
    title="Known, and to be forecast",
    minutes=8,
    difficulty=1,
    reference=windows,
    cases={
        "three moments": lambda: (draw.normal(29), torch.tensor([10, 13, 20]), 7, 3),
        "a single moment": lambda: (draw.normal(23), torch.tensor([11]), 5, 2),
        "moments out of order": lambda: (
            draw.normal(31, seed=1),
            torch.tensor([19, 8, 12, 23, 9]),
            7,
            3,
        ),
        "from the first value to the last": lambda: (
            draw.normal(13, seed=2),
            torch.tensor([4, 10]),
            5,
            2,
        ),
    },
    mistakes={
        "sees the answer": Mistake(
            "the past reaches one place too far: its last value is the first one that "
            "is to be forecast. A model copies it, and its error one step ahead is 0",
            _moved(last=1),
        ),
        "one too few": Mistake(
            "the value at now is missing from the past: a slice [a:b] ends before b. "
            "Nothing leaks, but the freshest value is thrown away (and where the past "
            "begins at 0, index −1 is the end of the series)",
            _moved(last=-1),
        ),
        "now is in the future": Mistake(
            "the future begins with the value at now, which is known already: it "
            "begins one place later",
            _moved(begin=lambda now, length, horizon: now),
        ),
        "one step left out": Mistake(
            "the first step of the future has been left out: it is at now + 1",
            _moved(begin=lambda now, length, horizon: now + 2),
        ),
        "from the beginning of the window": Mistake(
            "the future has been counted from the beginning of the window; it begins "
            "after its end",
            _moved(begin=lambda now, length, horizon: now - length + 1 + horizon),
        ),
        "end of the past": Mistake(
            "the future is the end of the past: the model would be asked for what it "
            "has been given",
            _moved(begin=lambda now, length, horizon: now - horizon + 1),
        ),
        "backwards": Mistake(
            "the past runs backwards: the oldest value comes first", _backwards
        ),
    },
    hints=(
        "which place has the first value of the past, if the last one is at now and "
        "there are length of them?",
        "now[:, None] + torch.arange(horizon) gives a row of places for each window; "
        "series[places] has the values, in the same shape.",
        "the past is at now − length + 1 to now, the future at now + 1 to now + "
        "horizon.",
    ),
    results=("past", "future"),
    trained=False,
)
