"""The same look with its best cell hidden, by hand."""

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table
from qkv.checking.exercise import Mistake
from qkv.exercises.ch10.by_hand_look import (
    CELLS,
    COLUMNS,
    FEATURES,
    POWERS,
    ROWS,
    H,
    context,
)

BEST = torch.tensor([[False, False], [False, True]])


def _hidden(powers: Tensor | None = None) -> dict[str, Tensor]:
    left = POWERS.masked_fill(BEST, 0) if powers is None else powers
    return _read(left / left.sum())


def _read(weights: Tensor) -> dict[str, Tensor]:
    return {
        "h": H.flatten(0, 1),
        "before": POWERS / POWERS.sum(),
        "weights": weights,
        "context": context(weights),
    }


BY_HAND = ByHand(
    id="10.b",
    title="The best cell hidden",
    minutes=5,
    difficulty=2,
    task="The grid and the scores are those of exercise 10.a. Now the most attended "
    "cell is hidden: it may not be attended to. What are the weights of the four "
    "cells, and what is the context?",
    compute=_hidden,
    tables={
        "h": Table("The grid, cell by cell", CELLS, FEATURES),
        "before": Table("The weights with everything in sight", ROWS, COLUMNS),
        "weights": Table(
            "The weights with the most attended cell hidden",
            ROWS,
            COLUMNS,
            blanks=...,
            look="the weight of the hidden cell is zero, and the four of them sum to "
            "one again.",
        ),
        "context": Table(
            "The context",
            ("c",),
            FEATURES,
            blanks=...,
            look="multiply each cell with its new weight, and add up, number by "
            "number.",
        ),
    },
    mistakes={
        "not brought to one": Mistake(
            "the hidden cell has lost its weight, and nobody has got it: the weights "
            "do not sum to 1. Hide before the softmax, with a score of −∞, and it is "
            "shared out",
            lambda: _read((POWERS / POWERS.sum()).masked_fill(BEST, 0)),
        ),
        "score zero": Mistake(
            "the hidden cell has got the score 0, and e⁰ is 1: it is still attended "
            "to. Its score has to be −∞",
            lambda: _hidden(POWERS.masked_fill(BEST, 1)),
        ),
        "shared out evenly": Mistake(
            "the weight of the hidden cell has been shared out evenly. A softmax "
            "shares it out as the others' weights are: all are multiplied with the "
            "same number",
            lambda: _read((POWERS / POWERS.sum() + 1 / 6).masked_fill(BEST, 0)),
        ),
        "nothing hidden": Mistake(
            "nothing has been hidden: these are the numbers of exercise 10.a",
            lambda: _hidden(POWERS),
        ),
        "the others hidden": Mistake(
            "only the most attended cell is left: it is the one to be hidden",
            lambda: _hidden(POWERS.masked_fill(~BEST, 0)),
        ),
        "the least attended hidden": Mistake(
            "the cell with the smallest weight has been hidden; the most attended one "
            "has the largest",
            lambda: _hidden(POWERS.masked_fill(POWERS == 1, 0)),
        ),
    },
)
