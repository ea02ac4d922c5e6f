"""Bug hunt: channels that act as places."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch10.shared import (
    ANOTHER_ORDER,
    COLUMNS_FIRST,
    EVENLY,
    ONE_AXIS_MOVED,
    OVER_EACH_COLUMN,
    OVER_EACH_ROW,
    OVER_THE_PICTURES,
    additive,
    by_place,
    columns_first,
    one_axis_moved,
    viewed,
)


def _over_the_places(scores):
    """scores is (batch, row, column)"""
    return scores.flatten(1).softmax(1).view_as(scores)


def _looked(
    features: Tensor,
    s: Tensor,
    W: Tensor,
    U: Tensor,
    v: Tensor,
    *,
    scored: Callable = by_place,
    averaged: Callable = by_place,
    weigh: Callable = _over_the_places,
) -> tuple[Tensor, Tensor]:
    """A look with another order of the grid in the scores, or in what is averaged."""
    scores = additive(s[:, None], scored(features), W, U, v)
    weights = weigh(scores.unflatten(1, features.shape[2:]))
    grid = averaged(features)
    return weights, (weights.flatten(1)[..., None] * grid).sum(1)


def glimpse(
    features: Float[Tensor, "batch channel row column"],
    s: Float[Tensor, "batch d_query"],
    W: Float[Tensor, "d_hidden d_query"],
    U: Float[Tensor, "d_hidden channel"],
    v: Float[Tensor, " d_hidden"],
) -> tuple[Float[Tensor, "batch row column"], Float[Tensor, "batch channel"]]:
    return _looked(features, s, W, U, v)


def _channels_as_places(features, s, W, U, v):
    batch, channels, rows, columns = features.shape
    grid = features.reshape(batch, rows * columns, channels)
    hidden = torch.tanh((s @ W.T)[:, None] + grid @ U.T)
    weights = (hidden @ v).softmax(-1)
    context = (weights[..., None] * grid).sum(1)
    return weights.reshape(batch, rows, columns), context


def _evenly(features, *given):
    weights, _ = _looked(features, *given)
    return weights, features.mean((2, 3))


def _inputs(
    batch: int, channel: int, row: int, column: int, d_query: int, d_hidden: int
) -> tuple:
    shapes = [
        (batch, channel, row, column),
        (batch, d_query),
        (d_hidden, d_query),
        (d_hidden, channel),
        (d_hidden,),
    ]
    return draw.normals(*shapes)


EXERCISE = Exercise(
    id="10.8",
    title="Bug hunt: the map says nothing",
    minutes=12,
    difficulty=3,
    reference=glimpse,
    results=("weights", "context"),
    cases={
        "as many channels as places": partial(_inputs, 4, 4, 2, 2, 4, 4),
        "every size different": partial(_inputs, 2, 5, 3, 7, 11, 13),
        "one picture": partial(_inputs, 1, 3, 5, 2, 7, 5),
        "one row": partial(_inputs, 3, 5, 1, 7, 2, 3),
    },
    mistakes={
        "columns first": Mistake(
            COLUMNS_FIRST,
            partial(_looked, scored=columns_first, averaged=columns_first),
        ),
        "one axis moved": Mistake(
            ONE_AXIS_MOVED,
            partial(_looked, scored=one_axis_moved, averaged=one_axis_moved),
        ),
        "only the context": Mistake(
            "what is averaged is mended; the scores are still made of the old grid, in "
            "which channels act as places",
            partial(_looked, scored=viewed),
        ),
        "only the scores": Mistake(
            "the scores are mended; what is averaged is still the old grid, in which "
            "channels act as places",
            partial(_looked, averaged=viewed),
        ),
        "another order": Mistake(
            ANOTHER_ORDER, partial(_looked, averaged=columns_first)
        ),
        "each row": Mistake(
            OVER_EACH_ROW, partial(_looked, weigh=lambda scores: scores.softmax(2))
        ),
        "each column": Mistake(
            OVER_EACH_COLUMN, partial(_looked, weigh=lambda scores: scores.softmax(1))
        ),
        "over the batch": Mistake(
            OVER_THE_PICTURES, partial(_looked, weigh=lambda scores: scores.softmax(0))
        ),
        "mean": Mistake(EVENLY, _evenly),
    },
    hints=(
        "give it a picture whose features are 0 everywhere but at one cell, where all "
        "channels are 1. What should the grid look like? What does it look like?",
        "print features[0, :, 0, 0], all channels of the first cell, and grid[0, 0].",
        "a reshape moves no number. The channels have to go to the end before it: "
        "exercise 10.1.",
    ),
    given=_channels_as_places,
)
