"""A vector rebuilt from a basis."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def rebuild(
    x: Float[Tensor, "batch d"], basis: Float[Tensor, "vector d"]
) -> Float[Tensor, "batch d"]:
    return x @ basis.mT @ basis


def _orthonormal(batch: int, vector: int, d: int) -> tuple:
    rows = torch.linalg.qr(draw.normal(d, vector, seed=1).double()).Q.mT
    return draw.normal(batch, d), rows.float().contiguous()


EXERCISE = Exercise(
    id="3.1",
    title="Rebuild a vector from a basis",
    minutes=5,
    difficulty=1,
    reference=rebuild,
    cases={
        "a whole basis": partial(_orthonormal, 3, 5, 5),
        "fewer vectors than d": partial(_orthonormal, 2, 3, 7),
        "a batch of one": partial(_orthonormal, 1, 2, 5),
        "a single vector": partial(_orthonormal, 5, 1, 3),
    },
    mistakes={
        "x itself": Mistake(
            "this is x itself. The sum comes to x where all d vectors are given; with "
            "fewer, what they have no direction for is lost",
            lambda x, basis: x.clone(),
        ),
        "coefficients": Mistake(
            "these are the coefficients, x·b_i; each is still to be multiplied by its "
            "vector b_i, and the products added",
            lambda x, basis: x @ basis.mT,
        ),
        "compared twice": Mistake(
            "the coefficients have been compared with the basis once more "
            "(@ basis.T); to mix its vectors, multiply by basis itself",
            lambda x, basis: x @ basis.mT @ basis.mT,
        ),
        "softmax": Mistake(
            "the coefficients have gone through a softmax: that is attention, and "
            "comes next. Here they are wanted as they are, negative ones too",
            lambda x, basis: (x @ basis.mT).softmax(-1) @ basis,
        ),
        "no coefficients": Mistake(
            "all vectors of the basis have been added up alike: x has no say in it",
            lambda x, basis: basis.sum(0).expand_as(x),
        ),
        "mean": Mistake(
            "the sum has been divided by the number of vectors; coefficients need "
            "not sum to one, so there is nothing to average",
            lambda x, basis: rebuild(x, basis) / len(basis),
        ),
        "feature by feature": Mistake(
            "x * b has been left as it is, feature by feature; the coefficient is "
            "their sum, one number for the whole vector. With a whole basis that "
            "comes to the same",
            lambda x, basis: x * basis.square().sum(0),
        ),
        "cosine": Mistake(
            "the coefficients are cosines: x has been brought to length one, so its "
            "length is lost",
            lambda x, basis: rebuild(F.normalize(x, dim=-1), basis),
        ),
        "first x": Mistake(
            "every x has been rebuilt with the first one's coefficients",
            lambda x, basis: rebuild(x[:1], basis).expand_as(x),
        ),
    },
    hints=(
        "first all coefficients: x·b_i for each x and each i is one matrix product, "
        "of axes (batch, vector).",
        "basis has the b_i in its rows, so a coefficient for each x and b_i is "
        "x @ basis.T.",
        "the sum over i of coefficient times b_i is a matrix product again, this "
        "time with basis as it is.",
    ),
)
