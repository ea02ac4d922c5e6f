"""The average of the values."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def weighted_sum(
    weights: Float[Tensor, "batch query key"], values: Float[Tensor, "batch key d_v"]
) -> Float[Tensor, "batch query d_v"]:
    return weights @ values


def _hard(weights, values):
    largest = weights.argmax(-1)
    return values[torch.arange(len(values))[:, None], largest]


def _weights_and_values(batch: int, query: int, key: int, d_v: int) -> tuple:
    weights = draw.normal(batch, query, key).softmax(-1)
    return weights, draw.normal(batch, key, d_v, seed=1)


EXERCISE = Exercise(
    id="2.3",
    title="Average the values",
    minutes=4,
    difficulty=1,
    reference=weighted_sum,
    cases={
        "as many queries as keys": partial(_weights_and_values, 3, 5, 5, 7),
        "every size different": partial(_weights_and_values, 2, 3, 7, 5),
        "a batch of one and one query": partial(_weights_and_values, 1, 1, 3, 2),
    },
    mistakes={
        "transposed": Mistake(
            "the weights are transposed: each key has averaged over the queries",
            lambda weights, values: weights.mT @ values,
        ),
        "divided": Mistake(
            "the sum has been divided by the number of keys; the weights sum to one, "
            "so the sum is an average already",
            lambda weights, values: weights @ values / values.shape[1],
        ),
        "hard": Mistake(
            "only the value with the largest weight is taken; every value counts, as "
            "much as its weight. (A choice has no gradient, a mixture has.)",
            _hard,
        ),
        "weights ignored": Mistake(
            "this is the plain average of the values: the weights are not used",
            lambda weights, values: values.mean(1, keepdim=True).expand(
                -1, weights.shape[1], -1
            ),
        ),
        "first sentence": Mistake(
            "every sentence has averaged the first one's values",
            lambda weights, values: weights @ values[0],
        ),
        "softmax again": Mistake(
            "the weights have gone through the softmax once more, which makes them "
            "nearly equal",
            lambda weights, values: weights.softmax(-1) @ values,
        ),
        "queries averaged": Mistake(
            "every query has got the mean of all queries' contexts",
            lambda weights, values: (
                weights.mean(1, keepdim=True).expand_as(weights) @ values
            ),
        ),
    },
    hints=(
        "for each query: the sum over the keys of weight times value. Sums of "
        "products over one axis are what a matrix product does.",
        "@ multiplies the last two axes and leaves those before them, the batch, in "
        "peace.",
    ),
)
