"""One look at a grid: additive attention over rows and columns together."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch10.shared import (
    ANOTHER_ORDER,
    EVENLY,
    OVER_EACH_COLUMN,
    OVER_EACH_ROW,
    additive,
)
from qkv.exercises.sentences import (
    NO_TANH,
    NO_V,
    PRODUCT_FOR_SUM,
    TANH_LAST,
)


def _over_the_grid(scores):
    return scores.flatten().softmax(0).reshape(scores.shape)


def _average(weights, h):
    return torch.einsum("rc,rcd->d", weights, h)


def look(
    s: Float[Tensor, " d_query"],
    h: Float[Tensor, "row column d_key"],
    W: Float[Tensor, "d_hidden d_query"],
    U: Float[Tensor, "d_hidden d_key"],
    v: Float[Tensor, " d_hidden"],
    *,
    score: Callable = additive,
    weigh: Callable = _over_the_grid,
    average: Callable = _average,
) -> tuple[Float[Tensor, "row column"], Float[Tensor, " d_key"]]:
    weights = weigh(score(s, h, W, U, v))
    return weights, average(weights, h)


def _keys_averaged(s, h, W, U, v):
    weights, _ = look(s, h, W, U, v)
    return weights, _average(weights, h @ U.mT)


def _columns_of_the_grid(weights, h):
    return weights.flatten() @ h.transpose(0, 1).flatten(0, 1)


def _grid(row: int, column: int, d_query: int, d_key: int, d_hidden: int) -> tuple:
    shapes = [
        (d_query,),
        (row, column, d_key),
        (d_hidden, d_query),
        (d_hidden, d_key),
        (d_hidden,),
    ]
    return draw.normals(*shapes)


EXERCISE = Exercise(
    id="10.2",
    title="One look at a grid",
    minutes=10,
    difficulty=2,
    reference=look,
    results=("weights", "context"),
    cases={
        "a square grid, all vectors of one size": partial(_grid, 3, 3, 5, 5, 5),
        "every size different": partial(_grid, 2, 7, 3, 5, 11),
        "one row": partial(_grid, 1, 5, 2, 3, 7),
        "one cell": partial(_grid, 1, 1, 3, 2, 5),
    },
    mistakes={
        "each row": Mistake(
            OVER_EACH_ROW, partial(look, weigh=lambda scores: scores.softmax(1))
        ),
        "each column": Mistake(
            OVER_EACH_COLUMN, partial(look, weigh=lambda scores: scores.softmax(0))
        ),
        "one after the other": Mistake(
            "a softmax over the rows has been taken of one over the columns: the "
            "second softmax evens out what the first one chose. One softmax, over all "
            "cells",
            partial(look, weigh=lambda scores: scores.softmax(0).softmax(1)),
        ),
        "no tanh": Mistake(
            NO_TANH,
            partial(look, score=lambda s, h, W, U, v: (W @ s + h @ U.mT) @ v),
        ),
        "no say for the state": Mistake(
            "the weights are the same whatever the state is. Either s is not in the "
            "score, or tanh has been taken of W s and of U h each: then the state adds "
            "the same number to all scores, and the softmax takes it away again. First "
            "the sum, then tanh",
            partial(
                look,
                score=lambda s, h, W, U, v: (
                    (torch.tanh(W @ s) + torch.tanh(h @ U.mT)) @ v
                ),
            ),
        ),
        "tanh last": Mistake(
            TANH_LAST,
            partial(
                look,
                score=lambda s, h, W, U, v: torch.tanh((W @ s + h @ U.mT) @ v),
            ),
        ),
        "product": Mistake(
            PRODUCT_FOR_SUM,
            partial(
                look, score=lambda s, h, W, U, v: torch.tanh((W @ s) * (h @ U.mT)) @ v
            ),
        ),
        "no v": Mistake(
            NO_V,
            partial(
                look,
                score=lambda s, h, W, U, v: additive(s, h, W, U, torch.ones_like(v)),
            ),
        ),
        "W and U swapped": Mistake(
            "W has been used for the grid and U for the state",
            partial(look, score=lambda s, h, W, U, v: additive(s, h, U, W, v)),
        ),
        "no softmax": Mistake(
            "the weights are the scores themselves: a softmax makes them positive, and "
            "lets them sum to 1",
            partial(look, weigh=lambda scores: scores),
        ),
        "mean": Mistake(EVENLY, partial(look, average=lambda _, h: h.mean((0, 1)))),
        "divided": Mistake(
            "the weighted cells have been averaged, that is, divided by their number "
            "once more. The weights sum to 1: the sum of the weighted cells is an "
            "average already",
            partial(look, average=lambda w, h: (w[..., None] * h).mean((0, 1))),
        ),
        "keys averaged": Mistake(
            "what has been averaged is U h, which only the scores are made of; the "
            "context is an average of the cells h themselves",
            _keys_averaged,
        ),
        "another order": Mistake(
            ANOTHER_ORDER, partial(look, average=_columns_of_the_grid)
        ),
    },
    hints=(
        "the scores are those of chapter 2, with two axes where there was one: "
        "h @ U.T works for any number of axes before the last.",
        "a softmax takes one axis. Make one of the two, flatten(), and give the "
        "weights their rows and columns back afterwards.",
        "for the context each cell needs its weight beside it, weights[..., None] * h, "
        "and a sum over rows and columns, sum((0, 1)).",
    ),
)
