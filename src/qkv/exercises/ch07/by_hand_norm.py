"""Layer norm by hand, with a weight and a bias."""

from collections.abc import Callable

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table, as_in
from qkv.checking.exercise import Mistake
from qkv.exercises.ch07.norm_by_head import EXERCISE as NORM
from qkv.exercises.ch07.norm_by_head import norm_by_head

X = torch.tensor([[0.0, 4, 4, 8]])
WEIGHT, BIAS = torch.tensor([1.0, 1, 2, 2]), torch.tensor([0.0, 1, 1, 0])


def _normed(norm: Callable = norm_by_head) -> dict[str, Tensor]:
    """One token whose features are a single head."""
    x, ones, zeros = X[None], torch.ones(4), torch.zeros(4)
    return {
        "x": X,
        "weight": torch.stack([WEIGHT, BIAS]),
        "moments": torch.stack([X.mean(), X.var(correction=0)]),
        "normal": norm(x, 1, ones, zeros, 0.0)[0],
        "result": norm(x, 1, WEIGHT, BIAS, 0.0)[0],
    }


FEATURES = ("1", "2", "3", "4")

BY_HAND = ByHand(
    id="7.a",
    title="Layer norm of one token",
    minutes=5,
    difficulty=1,
    task="One token with four features. Bring it to mean 0 and variance 1 "
    r"($\varepsilon$ is 0 here), then scale and shift each feature.",
    compute=_normed,
    tables={
        "x": Table("The token", ("x",), FEATURES),
        "weight": Table("What is learned", ("weight", "bias"), FEATURES),
        "moments": Table(
            "Of the four features",
            columns=("mean", "variance"),
            blanks=...,
            look="the variance is the mean of the squared distances from the mean.",
        ),
        "normal": Table(
            r"$(x - \mu) / \sigma$",
            columns=FEATURES,
            blanks=...,
            look="subtract the mean, and divide by the root of the variance.",
        ),
        "result": Table(
            "Scaled and shifted",
            columns=FEATURES,
            blanks=...,
            look="first times the weight, then plus the bias.",
            slack=0.02,
        ),
    },
    mistakes={
        **as_in(
            NORM,
            "variance",
            "not centred",
            "weight and bias unused",
            "bias scaled",
            compute=_normed,
        ),
        "unbiased": Mistake(
            NORM.mistakes["unbiased"].says,
            lambda: {
                **_normed(NORM.mistakes["unbiased"].wrong),
                "moments": torch.stack([X.mean(), X.var()]),
            },
        ),
    },
)
