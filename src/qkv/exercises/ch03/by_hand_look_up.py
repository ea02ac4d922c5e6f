"""The chapter's own example by hand: one query, three keys, and their values."""

from functools import partial

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table
from qkv.checking.exercise import Mistake
from qkv.exercises.ch03.attention import EXERCISE as ATTENTION
from qkv.exercises.ch03.shared import BY_D_K, MULTIPLIED
from qkv.exercises.sentences import NOT_SCALED

Q = torch.tensor([[2.0, 0, 1, 1]])
K = torch.tensor([[1.0, 3, 0, 0], [1, 0, 1, 1], [0, 5, 0, 0]])
V = torch.tensor([[10.0, 0], [0, 10], [10, 10]])


def _look_up(*, divisor: float = 2.0, values: Tensor = V) -> dict[str, Tensor]:
    scaled = Q @ K.mT / divisor
    weights = scaled.softmax(-1)
    return {
        "q": Q,
        "K": K,
        "V": V,
        "scaled": scaled,
        "weights": weights,
        "output": weights @ values,
    }


def _without_softmax() -> dict[str, Tensor]:
    scores = _look_up()["scaled"]
    shares = scores / scores.sum()
    return {"weights": shares, "output": shares @ V}


def _undivided() -> dict[str, Tensor]:
    exponentials = _look_up()["scaled"].exp()
    return {"weights": exponentials, "output": exponentials @ V}


BY_HAND = ByHand(
    id="3.a",
    title="One query, three keys",
    minutes=6,
    difficulty=1,
    task=r"Compare the query with each key, divide by $\sqrt{d_k}$, take the softmax, "
    "and average the values.",
    compute=_look_up,
    tables={
        "q": Table("The query $q$", ("$q$",), ("1", "2", "3", "4")),
        "K": Table("The keys", ("$k_1$", "$k_2$", "$k_3$"), ("1", "2", "3", "4")),
        "V": Table("The values", ("$v_1$", "$v_2$", "$v_3$"), ("1", "2")),
        "scaled": Table(
            r"Scaled scores $q \cdot k_j / \sqrt{d_k}$",
            ("$q$",),
            ("$k_1$", "$k_2$", "$k_3$"),
            blanks=...,
            look="multiply place by place, add the four products, and divide by the "
            "root of how many there are.",
        ),
        "weights": Table(
            "Weights: the softmax of these scores",
            ("$q$",),
            ("$k_1$", "$k_2$", "$k_3$"),
            blanks=...,
            look="e to the power of each score, each divided by the sum of all three. "
            "Do the three weights sum to one?",
        ),
        "output": Table(
            r"Output $\sum_j \mathrm{weight}_j \, v_j$",
            ("$q$",),
            ("1", "2"),
            blanks=...,
            look="each value counts by its weight, place by place. It lies between "
            "the smallest and the largest number of this column of values.",
            slack=0.06,
        ),
    },
    mistakes={
        "not scaled": Mistake(NOT_SCALED, partial(_look_up, divisor=1.0)),
        "divided by d_k": Mistake(BY_D_K, partial(_look_up, divisor=4.0)),
        "multiplied": Mistake(MULTIPLIED, partial(_look_up, divisor=0.5)),
        "no exponential": Mistake(
            "the scores have been divided by their sum. Softmax takes e to the power "
            "of each first: a score of 0 still gets a weight, e⁰ = 1 part of the sum",
            _without_softmax,
        ),
        "not divided by the sum": Mistake(
            "this is the exponential; it is still to be divided by the sum of all "
            "three, so that the weights sum to one",
            _undivided,
        ),
        "hard": Mistake(
            ATTENTION.mistakes["hard"].says,
            lambda: {
                "weights": torch.tensor([0.0, 1, 0]),
                "output": torch.tensor([0.0, 10]),
            },
        ),
        "values not weighted": Mistake(
            "the values have been averaged alike, or added: each is to be multiplied "
            "by its own weight first",
            lambda: {"output": V.sum(0)},
        ),
    },
)
