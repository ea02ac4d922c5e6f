"""Attention rollout by hand, through two layers of two tokens."""

from collections.abc import Callable

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table, as_in
from qkv.checking.exercise import Mistake
from qkv.exercises.ch08.rollout import EXERCISE as ROLLOUT
from qkv.exercises.ch08.rollout import rollout

FIRST = torch.tensor([[0.6, 0.4], [0.2, 0.8]])
SECOND = torch.tensor([[0.8, 0.2], [0.4, 0.6]])
SAME = torch.eye(2)


def _rolled(
    roll: Callable = rollout, mix: Callable = lambda layer: (layer + SAME) / 2
) -> dict[str, Tensor]:
    weights = torch.stack([FIRST, SECOND])[:, None]
    return {
        "first": FIRST,
        "second": SECOND,
        "mixed 1": mix(FIRST),
        "mixed 2": mix(SECOND),
        "rollout": roll(weights),
    }


def _mixing(name: str, mix: Callable) -> Mistake:
    """A mistake that shows in each layer already."""
    mistake = ROLLOUT.mistakes[name]
    return Mistake(mistake.says, lambda: _rolled(mistake.wrong, mix))


TOKENS, SEEN = ("query 1", "query 2"), ("key 1", "key 2")
LOOK = (
    "half of what the layer hands on is the token itself: add the identity, and halve. "
    "Each row still sums to one."
)

BY_HAND = ByHand(
    id="8.b",
    title="Rollout through two layers",
    minutes=7,
    difficulty=2,
    task="Two tokens go through two layers of one head. Mix the identity into each "
    "layer's weights, and follow the way back from the output to the pixels.",
    compute=_rolled,
    tables={
        "first": Table("Weights of layer 1", TOKENS, SEEN),
        "second": Table("Weights of layer 2", TOKENS, SEEN),
        "mixed 1": Table(
            "Layer 1 with the residual, $(A_1 + I) / 2$",
            TOKENS,
            SEEN,
            blanks=...,
            look=LOOK,
        ),
        "mixed 2": Table(
            "Layer 2 with the residual, $(A_2 + I) / 2$",
            TOKENS,
            SEEN,
            blanks=...,
            look=LOOK,
        ),
        "rollout": Table(
            "Rollout: their product, the later layer to the left",
            TOKENS,
            SEEN,
            blanks=...,
            look="a row of the left matrix meets a column of the right one: multiply, "
            "then add.",
        ),
    },
    mistakes={
        **as_in(
            ROLLOUT,
            "order of the product",
            "identity once",
            "mean of the layers",
            compute=_rolled,
        ),
        "no identity": _mixing("no identity", lambda layer: layer),
        "not halved": _mixing("not halved", lambda layer: layer + SAME),
    },
)
