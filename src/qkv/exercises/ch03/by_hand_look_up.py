"""The look-up of the text by hand: another query to the same keys and values."""

from collections.abc import Callable

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table, as_in
from qkv.checking.exercise import Mistake
from qkv.exercises.ch03.attention import EXERCISE as ATTENTION
from qkv.exercises.ch03.scaled_scores import EXERCISE as SCORES
from qkv.exercises.ch03.shared import scaled_scores
from qkv.exercises.sentences import NO_EXPONENTIAL, NOT_YET_DIVIDED

Q = torch.tensor([[2.0, 0, 0, -1]])
K = torch.tensor([[1.0, 3, 0, 0], [1, 0, 1, 1], [0, 5, 0, 0]])
V = torch.tensor([[10.0, 0], [0, 10], [10, 10]])


def _look_up(score: Callable = scaled_scores) -> dict[str, Tensor]:
    scaled = score(Q, K)
    return {"q": Q, "K": K, "V": V, "scaled": scaled, **_averaged(scaled.softmax(-1))}


def _averaged(weights: Tensor) -> dict[str, Tensor]:
    return {"weights": weights, "output": weights @ V}


SCALED = scaled_scores(Q, K)
KEYS = ("k₁", "k₂", "k₃")

BY_HAND = ByHand(
    id="3.a",
    title="Another query, the same keys",
    minutes=6,
    difficulty=1,
    task=r"Compare the query with each key, divide by $\sqrt{d_k}$, take the softmax, "
    "and average the values.",
    compute=_look_up,
    tables={
        "q": Table("The query", ("q",), ("1", "2", "3", "4")),
        "K": Table("The keys", KEYS, ("1", "2", "3", "4")),
        "V": Table("The values", ("v₁", "v₂", "v₃"), ("1", "2")),
        "scaled": Table(
            r"Scaled scores $q \cdot k_j / \sqrt{d_k}$",
            ("q",),
            KEYS,
            blanks=...,
            look="multiply place by place, add the four products, and divide by the "
            "root of how many there are.",
        ),
        "weights": Table(
            "Weights: the softmax of these scores",
            ("q",),
            KEYS,
            blanks=...,
            look="take e to the power of each score, and divide each by the sum of "
            "all three. Do your three weights sum to one?",
            slack=0.008,
        ),
        "output": Table(
            r"Output: each value times its weight, added up",
            ("q",),
            ("1", "2"),
            blanks=...,
            look="each value counts by its weight, place by place. The result lies "
            "between the smallest and the largest number of its column.",
            slack=0.06,
        ),
    },
    mistakes={
        **as_in(SCORES, "not scaled", "divided by d_k", "multiplied", compute=_look_up),
        "no exponential": Mistake(
            NO_EXPONENTIAL, lambda: _averaged(SCALED / SCALED.sum())
        ),
        "not divided by the sum": Mistake(
            NOT_YET_DIVIDED, lambda: _averaged(SCALED.exp())
        ),
        "hard": Mistake(
            ATTENTION.mistakes["hard"].says,
            lambda: _averaged(torch.tensor([[1.0, 0, 0]])),
        ),
        "values not weighted": Mistake(
            "the values have been added as they are: each is to be multiplied by its "
            "own weight first",
            lambda: {"output": V.sum(0)},
        ),
    },
)
