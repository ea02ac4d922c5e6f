"""One look at a grid of two rows and two columns, by hand."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table
from qkv.checking.exercise import Mistake
from qkv.exercises.ch10.shared import (
    ANOTHER_ORDER,
    EVENLY,
    OVER_EACH_COLUMN,
    OVER_EACH_ROW,
)
from qkv.exercises.sentences import NO_EXPONENTIAL, NOT_YET_DIVIDED

POWERS = torch.tensor([[2.0, 1], [2, 5]])
E = POWERS.log()
H = torch.tensor([[[2.0, 0], [0, 2]], [[1, 1], [0, 3]]])
ROWS, COLUMNS = ("row 1", "row 2"), ("column 1", "column 2")
CELLS = tuple(f"{row}, {column}" for row in ROWS for column in COLUMNS)
FEATURES = ("1", "2")


def _over_the_grid(scores: Tensor) -> Tensor:
    return scores.flatten().softmax(0).view_as(scores)


def context(weights: Tensor, grid: Tensor = H) -> Tensor:
    return torch.einsum("rc,rcd->d", weights, grid)


def _look(weigh: Callable = _over_the_grid) -> dict[str, Tensor]:
    weights = weigh(E)
    return {
        "h": H.flatten(0, 1),
        "e": E,
        "weights": weights,
        "context": context(weights),
    }


BY_HAND = ByHand(
    id="10.a",
    title="One look at a grid",
    minutes=6,
    difficulty=1,
    task=r"The grid has two rows and two columns, and in each cell a vector of two "
    r"numbers. The scores are $(\ln 2, 0)$ in the first row and $(\ln 2, \ln 5)$ in "
    "the second. What are the weights, and what is the context?",
    compute=_look,
    tables={
        "h": Table("The grid, cell by cell", CELLS, FEATURES),
        "e": Table(r"The scores $e_{i,j}$", ROWS, COLUMNS),
        "weights": Table(
            r"Weights $\alpha_{i,j}$: the softmax of the scores",
            ROWS,
            COLUMNS,
            blanks=...,
            look="e to the power of ln 5 is 5, and e to the power of 0 is 1. Divide "
            "each by the sum of all four.",
        ),
        "context": Table(
            r"Context $\sum_{i,j} \alpha_{i,j} h_{i,j}$",
            ("c",),
            FEATURES,
            blanks=...,
            look="each cell counts by its weight: multiply, then add, number by "
            "number.",
        ),
    },
    mistakes={
        "each row": Mistake(
            OVER_EACH_ROW, lambda: _look(lambda scores: scores.softmax(1))
        ),
        "each column": Mistake(
            OVER_EACH_COLUMN, lambda: _look(lambda scores: scores.softmax(0))
        ),
        "mean": Mistake(EVENLY, lambda: {"context": H.mean((0, 1))}),
        "another order": Mistake(
            ANOTHER_ORDER,
            lambda: {"context": context(_over_the_grid(E), H.transpose(0, 1))},
        ),
        "the best alone": Mistake(
            "only the best cell has been taken: attention is soft, and every cell "
            "counts by its weight",
            lambda: _look(lambda scores: torch.tensor([[0.0, 0], [0, 1]])),
        ),
        "no exponential": Mistake(
            NO_EXPONENTIAL, lambda: _look(lambda scores: scores / math.log(20))
        ),
        "not divided by the sum": Mistake(NOT_YET_DIVIDED, lambda: _look(torch.exp)),
    },
)
