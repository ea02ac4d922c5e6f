"""A look-up by hand: which moments of the past were like this one?"""

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table
from qkv.checking.exercise import Mistake
from qkv.exercises.sentences import NO_EXPONENTIAL, NOT_YET_DIVIDED

NOW = torch.tensor([[1.0, 2.0]])
THEN = torch.tensor([[1.0, 2.0], [2.0, 3.0], [3.0, 2.0]])
NEXT = torch.tensor([[6.0, 2.0, 4.0]])
SQUARED = (NOW - THEN).square().sum(-1)
MOMENTS = ("k₁", "k₂", "k₃")


def _weighed(scores: Tensor) -> dict[str, Tensor]:
    return {"scores": scores, **_averaged(scores.softmax(-1))}


def _averaged(weights: Tensor) -> dict[str, Tensor]:
    return {"weights": weights, "forecast": weights @ NEXT[0]}


BY_HAND = ByHand(
    id="14.b",
    title="What came after moments like this?",
    minutes=7,
    difficulty=1,
    task="The last two values of a series are 1 and 2. Below are three stretches of "
    "its past, and the value that came after each. Look the next value up: the score "
    r"of a stretch is $-\|q - k_j\|^2 / 2h^2$ with $h = 1$, the weights are the "
    r"softmax of the scores. It helps that $e^{-1} = .368$ and $e^{-2} = .135$.",
    compute=lambda: {"now": NOW, "then": THEN, "next": NEXT, **_weighed(-SQUARED / 2)},
    tables={
        "now": Table("The last two values", ("q",), ("1", "2")),
        "then": Table("Stretches of the past", MOMENTS, ("1", "2")),
        "next": Table("What came after each", columns=MOMENTS),
        "scores": Table(
            r"Scores $-\|q - k_j\|^2 / 2$",
            columns=MOMENTS,
            blanks=...,
            look="subtract place by place, square, add the two squares, halve the "
            "sum, and change the sign.",
        ),
        "weights": Table(
            "Weights: the softmax of these scores",
            columns=MOMENTS,
            blanks=...,
            look="e to the power of each score, divided by the sum of all three. Do "
            "your three weights sum to one?",
            slack=0.006,
        ),
        "forecast": Table(
            "Forecast: what came after, averaged by weight",
            columns=("next value",),
            blanks=...,
            look="each value that came after counts by its weight; the result lies "
            "between the smallest and the largest of them.",
            slack=0.05,
        ),
    },
    mistakes={
        "not squared": Mistake(
            "the distance itself has been halved; the kernel takes its square, the sum "
            "of the squares before any root",
            lambda: _weighed(-SQUARED.sqrt() / 2),
        ),
        "not halved": Mistake(
            "the squared distance has not been divided by 2h²",
            lambda: _weighed(-SQUARED),
        ),
        "sign": Mistake(
            "the sign is missing: the least alike would get the most weight",
            lambda: _weighed(SQUARED / 2),
        ),
        "dot product": Mistake(
            "this is the dot product of query and key, chapter 3's score: a long key "
            "scores high, however unlike it is",
            lambda: _weighed(THEN @ NOW[0]),
        ),
        "no exponential": Mistake(
            NO_EXPONENTIAL, lambda: _averaged(-SQUARED / 2 / (-SQUARED / 2).sum())
        ),
        "not divided by the sum": Mistake(
            NOT_YET_DIVIDED, lambda: _averaged((-SQUARED / 2).exp())
        ),
        "nearest alone": Mistake(
            "only what came after the nearest stretch has been taken: that is the "
            "limit of a very small h. The others count, too, by their weight",
            lambda: _averaged(torch.tensor([1.0, 0, 0])),
        ),
        "plain mean": Mistake(
            "this is the mean of all values, the limit of a very large h: each counts "
            "by its weight",
            lambda: _averaged(torch.full((3,), 1 / 3)),
        ),
    },
)
