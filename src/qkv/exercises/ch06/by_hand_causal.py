"""A causal softmax by hand, with scores whose exponentials are whole numbers."""

from collections.abc import Callable

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table, as_in
from qkv.checking.exercise import Mistake
from qkv.exercises.ch06.causal_weights import EXERCISE as CAUSAL
from qkv.exercises.ch06.causal_weights import causal_weights
from qkv.exercises.sentences import MASK_ADDED

POWERS = torch.tensor([[3.0, 9, 1], [1, 3, 5], [2, 1, 1]])


def _causal(weights: Callable = causal_weights) -> dict[str, Tensor]:
    return {"powers": POWERS, "weights": weights(POWERS.log()[None])[0]}


def _mask_added(scores: Tensor) -> Tensor:
    return (scores + torch.ones(3, 3).tril()).softmax(-1)


QUERIES = ("query 1", "query 2", "query 3")
KEYS = ("key 1", "key 2", "key 3")

BY_HAND = ByHand(
    id="6.b",
    title="Three rows under a causal mask",
    minutes=4,
    difficulty=1,
    task="Here is e to the power of each score. No query may attend to a later key. "
    "What are the weights?",
    compute=_causal,
    tables={
        "powers": Table("e to the power of the scores", QUERIES, KEYS),
        "weights": Table(
            "Weights under the causal mask",
            QUERIES,
            KEYS,
            blanks=...,
            look="a later key has the score −∞, and e to the power of that is nothing. "
            "What is left is divided by its own sum.",
        ),
    },
    mistakes={
        **as_in(
            CAUSAL,
            "one token ahead",
            "multiplied",
            "masked after",
            "no mask",
            "present hidden",
            compute=_causal,
        ),
        "mask added": Mistake(MASK_ADDED, lambda: _causal(_mask_added)),
        "not divided by the sum": Mistake(
            "the open powers are still to be divided by their sum: each row of "
            "weights sums to one",
            lambda: {"weights": POWERS.tril()},
        ),
    },
)
