"""Scale a series by its past, and nothing but its past.

The question: bring each column of ``train`` to mean 0 and standard deviation 1, and
``test`` by the same numbers. A column that does not move in ``train`` is divided by 1.
The variance is the mean of the squared distances (divided by n).
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def _of_each_column(train: Tensor, test: Tensor) -> tuple[Tensor, Tensor]:
    return train.mean(0), train.std(0, correction=0)


def scale(
    train: Float[Tensor, "time column"],
    test: Float[Tensor, "step column"],
    *,
    of: Callable = _of_each_column,
    flat: float = 1.0,
) -> tuple[Float[Tensor, "time column"], Float[Tensor, "step column"]]:
    mean, std = of(train, test)
    std = torch.where(std == 0, flat, std)
    return (train - mean) / std, (test - mean) / std


def _by(of):
    return lambda train, test: scale(train, test, of=of)


def _everything(train, test):
    both = torch.cat([train, test])
    return both.mean(0), both.std(0, correction=0)


def _its_own(train, test):
    scaled, _ = scale(train, test)
    return scaled, scale(test, test)[0]


def _by_range(train, test):
    low, high = train.min(0).values, train.max(0).values
    return low, high - low


def _moving() -> tuple[Tensor, Tensor]:
    train = draw.normal(11, 3) * torch.tensor([1.0, 5.0, 0.5]) + torch.tensor(
        [0, 9, -4]
    )
    return train, draw.normal(5, 3, seed=1) + torch.tensor([2.0, 20.0, -9.0])


def _flat() -> tuple[Tensor, Tensor]:
    train, test = draw.normal(7, 2, seed=2), draw.normal(3, 2, seed=3)
    train[:, 1] = 4.0
    return train, test


EXERCISE = Exercise(
    id="14.6",
    title="Scale by the past",
    minutes=8,
    difficulty=2,
    reference=scale,
    cases={
        "three columns, a level that rises": _moving,
        "a column that does not move": _flat,
        "a single step to test": lambda: (
            3 * draw.normal(13, 2, seed=4) + 5,
            draw.normal(1, 2, seed=5),
        ),
    },
    mistakes={
        "fitted on all": Mistake(
            "mean and standard deviation are of train and test together: the scale of "
            "the past then knows what is to come. Fit on train alone",
            _by(_everything),
        ),
        "test by its own": Mistake(
            "test has been scaled by its own mean: a level that has risen looks as if "
            "it had not, and in real life this mean is not known yet. Use the numbers "
            "of train for both",
            _its_own,
        ),
        "one for all columns": Mistake(
            "all columns have got the same mean and standard deviation; each has its "
            "own units, and so its own numbers (dim=0)",
            _by(lambda train, test: (train.mean(), train.std(correction=0))),
        ),
        "one standard deviation for all": Mistake(
            "the mean is each column's own, but the standard deviation is of all "
            "numbers together",
            _by(lambda train, test: (train.mean(0), train.std(correction=0))),
        ),
        "divided by 0": Mistake(
            "a column that does not move has a standard deviation of 0, and 0 / 0 is "
            "NaN: divide such a column by 1",
            lambda train, test: scale(train, test, flat=0.0),
        ),
        "n − 1": Mistake(
            "this standard deviation divides by n − 1, as torch.std does unless it is "
            "told otherwise; here it is n: correction=0",
            _by(lambda train, test: (train.mean(0), train.std(0))),
        ),
        "variance": Mistake(
            "divided by the variance; its root, the standard deviation, is in the "
            "units of the series",
            _by(lambda train, test: (train.mean(0), train.var(0, correction=0))),
        ),
        "not centred": Mistake(
            "the mean has not been subtracted",
            _by(lambda train, test: (0.0 * train[0], train.std(0, correction=0))),
        ),
        "by the range": Mistake(
            "this brings the smallest value to 0 and the largest to 1; mean 0 and "
            "standard deviation 1 are wanted",
            _by(_by_range),
        ),
    },
    hints=(
        "two numbers for each column, and train alone decides them.",
        "train.mean(0) is over time; train.std(0, correction=0) divides by n.",
        "torch.where(std == 0, 1.0, std) is what to divide by.",
    ),
    results=("train", "test"),
    trained=False,
)
