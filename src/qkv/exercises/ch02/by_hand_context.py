"""The weights and the context of the text's three states, for other scores."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table, as_in
from qkv.checking.exercise import Mistake
from qkv.exercises.ch02.weighted_sum import EXERCISE as SUM
from qkv.exercises.ch02.weighted_sum import weighted_sum
from qkv.exercises.sentences import NO_EXPONENTIAL, NOT_YET_DIVIDED

E = torch.tensor([[math.log(2), 0, math.log(5)]])
H = torch.tensor([[1.0, 0], [0, 1], [2, 2]])
STATES = ("h₁", "h₂", "h₃")


def _context(average: Callable = weighted_sum) -> dict[str, Tensor]:
    weights = E.softmax(-1)
    context = average(weights[None], H[None])[0]
    return {"h": H, "e": E, "weights": weights, "context": context}


def _with_weights(weights: Tensor) -> dict[str, Tensor]:
    return {"weights": weights, "context": weights @ H}


BY_HAND = ByHand(
    id="2.a",
    title="Weights and context for other scores",
    minutes=4,
    difficulty=1,
    task=r"The same three states, but now the scores are $e = (\ln 2, 0, \ln 5)$. "
    "Fractions may be typed as they are.",
    compute=_context,
    tables={
        "h": Table("The states", STATES, ("1", "2")),
        "e": Table(r"The scores $(\ln 2, 0, \ln 5)$", ("e",), STATES),
        "weights": Table(
            "Weights: the softmax of the scores",
            ("α",),
            STATES,
            blanks=...,
            look="e to the power of ln 5 is 5, and e to the power of 0 is 1. Divide "
            "each by the sum of all three.",
        ),
        "context": Table(
            r"Context $\sum_j \alpha_j h_j$",
            ("c",),
            ("1", "2"),
            blanks=...,
            look="each state counts by its weight: multiply, then add, place by place.",
        ),
    },
    mistakes={
        **as_in(
            SUM, "divided", "hard", "weights ignored", "softmax again", compute=_context
        ),
        "no exponential": Mistake(NO_EXPONENTIAL, lambda: _with_weights(E / E.sum())),
        "not divided by the sum": Mistake(
            NOT_YET_DIVIDED, lambda: _with_weights(E.exp())
        ),
    },
)
