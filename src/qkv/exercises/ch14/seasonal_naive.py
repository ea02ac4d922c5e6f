"""Repeat the last season, also further ahead than a season.

The question: forecast each step as the value at the same point of the last season in
the window, however far ahead: after one season it begins again.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def _same_point(step: Tensor, length: int, season: int) -> Tensor:
    return length - season + step % season


def seasonal_naive(
    past: Float[Tensor, "window length"],
    horizon: int,
    season: int,
    *,
    place: Callable = _same_point,
) -> Float[Tensor, "window horizon"]:
    step = torch.arange(horizon)
    return past[:, place(step, past.shape[-1], season)]


def _at(place):
    return lambda past, horizon, season: seasonal_naive(
        past, horizon, season, place=place
    )


def _stretched(past, horizon, season):
    times = -(-horizon // season)
    return past[:, -season:].repeat_interleave(times, -1)[:, :horizon]


def _mean_season(past, horizon, season):
    seasons = past.shape[-1] // season
    whole = past[:, -seasons * season :].unflatten(-1, (seasons, season))
    return seasonal_naive(whole.mean(1), horizon, season)


def _then_nothing(past, horizon, season):
    within = torch.arange(horizon) < season
    return seasonal_naive(past, horizon, season) * within


EXERCISE = Exercise(
    id="14.2",
    title="The last season, again and again",
    minutes=7,
    difficulty=1,
    reference=seasonal_naive,
    cases={
        "within a season": lambda: (draw.normal(3, 17), 5, 7),
        "further than a season": lambda: (draw.normal(2, 11, seed=1), 13, 5),
        "two seasons to the point": lambda: (draw.normal(1, 13, seed=2), 6, 3),
        "just one season known": lambda: (draw.normal(5, 7, seed=3), 17, 7),
    },
    mistakes={
        "stays at the last value": Mistake(
            "after a season the last value is repeated: there are no values further "
            "on, but the season begins again",
            _at(
                lambda step, length, season: (length - season + step).clamp(
                    max=length - 1
                )
            ),
        ),
        "then nothing": Mistake(
            "after a season the forecast is 0: a season goes on for ever",
            _then_nothing,
        ),
        "first season": Mistake(
            "the first season of the window is repeated; the last one is wanted, "
            "which is the freshest (and in step with what comes)",
            _at(lambda step, length, season: step % season),
        ),
        "counted from the window's beginning": Mistake(
            "the point of the season is counted from the beginning of the window: "
            "that is right only where the window holds whole seasons",
            _at(
                lambda step, length, season: length - season + (length + step) % season
            ),
        ),
        "backwards": Mistake(
            "the season runs backwards: one step ahead is like the value a season "
            "before it, not like the one just now",
            _at(lambda step, length, season: length - 1 - step % season),
        ),
        "one step late": Mistake(
            "the season has been taken one step too early: the value a season before "
            "the first step ahead is at length − season",
            _at(lambda step, length, season: length - season - 1 + step % season),
        ),
        "naive": Mistake(
            "this is the naive forecast, the last value for ever",
            _at(lambda step, length, season: length - 1 + 0 * step),
        ),
        "stretched": Mistake(
            "each value of the season has been repeated before the next one came: "
            "repeat_interleave stretches, repeat begins again",
            _stretched,
        ),
        "mean of all seasons": Mistake(
            "this is the mean of all seasons in the window, which is another forecast "
            "(and may be a better one); the last season alone is wanted",
            _mean_season,
        ),
    },
    hints=(
        "write down the places for length 11, season 5: one step ahead is like place "
        "6, five steps ahead like place 10. And six steps ahead?",
        "step % season begins again at 0 after each season.",
        "past[:, places] takes a tensor of places: length − season + step % season.",
    ),
    trained=False,
)
