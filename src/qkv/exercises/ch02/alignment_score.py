"""Whether an alignment is true."""

from functools import partial

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.sentences import NUMBER_FOR_SHARE


def alignment_score(
    weights: Float[Tensor, "target source"], truth: Bool[Tensor, "target source"]
) -> float:
    has_truth = truth.any(1)
    inside = truth[torch.arange(len(truth)), weights.argmax(1)]
    return float(inside[has_truth].float().mean())


def _no_truth_counted(weights, truth):
    inside = truth[torch.arange(len(truth)), weights.argmax(1)]
    return float(inside.float().mean())


def _wrong_axis(weights, truth):
    inside = truth[weights.argmax(0), torch.arange(truth.shape[1])]
    return float(inside[truth.any(0)].float().mean())


def _first_cell(weights, truth):
    same = weights.argmax(1) == truth.float().argmax(1)
    return float(same[truth.any(1)].float().mean())


def _alignment(target: int, source: int, seed: int) -> tuple:
    """Fields of two or three characters; every third character has no truth."""
    places = torch.arange(target)
    centre = (places * source // target)[:, None]
    truth = (torch.arange(source) - centre).abs() <= 1
    truth[(places % 3 == 2) & (places > 0)] = False
    scores = 2 * draw.normal(target, source, seed=seed) + 1.5 * truth
    return scores.softmax(-1), truth


EXERCISE = Exercise(
    id="2.4",
    title="Is the alignment true?",
    minutes=8,
    difficulty=3,
    reference=alignment_score,
    cases={
        "as many characters on both sides": partial(_alignment, 11, 11, 0),
        "a longer source": partial(_alignment, 13, 19, 1),
        "a single character": partial(_alignment, 1, 5, 2),
    },
    mistakes={
        "wrong axis": Mistake(
            "the largest weight has been looked for along the target (dim=0): for "
            "each source character you ask who looks at it. Ask each target "
            "character where it looks (dim=1)",
            _wrong_axis,
        ),
        "rows without truth": Mistake(
            "rows without any True are counted as wrong; they have no truth to miss",
            _no_truth_counted,
        ),
        "mass": Mistake(
            "this is how much weight lies inside the field; the question is whether "
            "the largest one does",
            lambda weights, truth: float((weights * truth).sum(1)[truth.any(1)].mean()),
        ),
        "half of the mass": Mistake(
            "this counts rows with more than half of their weight inside the field; "
            "the largest weight may be there with less",
            lambda weights, truth: float(
                ((weights * truth).sum(1) > 0.5)[truth.any(1)].float().mean()
            ),
        ),
        "first cell": Mistake(
            "only the first character of the true field counts as right "
            "(truth.argmax finds the first True); the whole field is right",
            _first_cell,
        ),
        "count": Mistake(
            NUMBER_FOR_SHARE,
            lambda weights, truth: float(
                truth[torch.arange(len(truth)), weights.argmax(1)].sum()
            ),
        ),
        "cells": Mistake(
            "all cells have been compared one by one, and most are rightly empty: "
            "even weights that look nowhere in particular get a high score so",
            lambda weights, truth: float(((weights > 0.5) == truth).float().mean()),
        ),
    },
    hints=(
        "weights.argmax(dim=1) is where each target character looks most.",
        "truth[torch.arange(len(truth)), places] looks up one entry of each row; "
        "truth.any(dim=1) says which rows have a truth at all.",
        "keep only the rows with a truth, and take the mean as a float.",
    ),
)
