"""A rotary score by hand, and the same after both tokens have moved on."""

from collections.abc import Callable

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table
from qkv.checking.exercise import Mistake
from qkv.exercises.ch05.rotated_scores import EXERCISE as SCORES
from qkv.exercises.ch05.score_at_distance import EXERCISE as AT_DISTANCE
from qkv.exercises.ch05.shared import mirrored, overwritten, rates, rotate

Q, K = torch.tensor([[1.0, 0]]), torch.tensor([[1.0, 1]])


def _scored(turn: Callable = rotate, *, turn_query: bool = True) -> dict[str, Tensor]:
    """The score at positions 1 and 2, and at 2 and 3."""
    score = {}
    for place in (1, 2):
        q = turn(Q[None], torch.tensor([place]))[0] if turn_query else Q
        k = turn(K[None], torch.tensor([place + 1]))[0]
        score[place] = q, k, q @ k.mT
    q, k, first = score[1]
    return {"q": Q, "k": K, "q1": q, "k2": k, "first": first, "moved": score[2][2]}


def _in_the_pairs(name: str, turn: Callable) -> Mistake:
    """A mistake of the exercise in code, made with one pair by hand."""
    return Mistake(
        AT_DISTANCE.mistakes[name].says,
        lambda: _scored(lambda x, p: turn(x, p[:, None] * rates(x.shape[-1]))),
    )


TURNED = "a point (a, b) turned by θ is (a cos θ − b sin θ, a sin θ + b cos θ)."

BY_HAND = ByHand(
    id="5.b",
    title="Only the distance counts",
    minutes=8,
    difficulty=2,
    task="A query stands at position 1, a key at position 2. Both have one pair of "
    "features, which turns by one radian for each position. Turn both, and multiply. "
    "Then both move on by one. You need "
    r"$\cos 1 = .540$, $\sin 1 = .841$, $\cos 2 = -.416$, $\sin 2 = .909$, "
    r"$\cos 3 = -.990$, $\sin 3 = .141$.",
    compute=_scored,
    tables={
        "q": Table("The query", ("q",), ("1", "2")),
        "k": Table("The key", ("k",), ("1", "2")),
        "q1": Table(
            "The query, turned by 1 radian",
            columns=("1", "2"),
            blanks=...,
            look=TURNED,
        ),
        "k2": Table(
            "The key, turned by 2 radians",
            columns=("1", "2"),
            blanks=...,
            look=TURNED,
        ),
        "first": Table(
            "The score at positions 1 and 2",
            columns=("score",),
            blanks=...,
            look="multiply the turned vectors place by place, and add.",
            slack=0.02,
        ),
        "moved": Table(
            "The score at positions 2 and 3",
            columns=("score",),
            blanks=...,
            look="turn both once more by one radian. Or is there a shorter way?",
            slack=0.02,
        ),
    },
    mistakes={
        "wrong way": Mistake(
            "the pairs are turned the other way round. A model could be trained so "
            "just as well; but the formula has the minus in the first of each pair",
            lambda: _scored(lambda x, positions: rotate(x, -positions)),
        ),
        "sign lost": _in_the_pairs("sign lost", mirrored),
        "one further": Mistake(
            "every token is turned as if it stood one further on: position 0 is not "
            "turned at all",
            lambda: _scored(lambda x, positions: rotate(x, positions + 1)),
        ),
        "overwritten": _in_the_pairs("overwritten", overwritten),
        "keys alone": Mistake(
            SCORES.mistakes["keys alone"].says,
            lambda: _scored(turn_query=False),
        ),
    },
)
