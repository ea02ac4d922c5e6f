"""Whether two lists of numbers put the words in one order."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def rank_correlation(
    weights: Float[Tensor, "target source"], harm: Float[Tensor, "target source"]
) -> Float[Tensor, " target"]:
    return _correlated(_ranks(weights), _ranks(harm))


def _ranks(values, axis=-1):
    return values.argsort(axis).argsort(axis).to(values.dtype)


def _correlated(a, b):
    a, b = (x - x.mean(-1, keepdim=True) for x in (a, b))
    return (a * b).sum(-1) / (a.norm(dim=-1) * b.norm(dim=-1))


def _pairs_in_order(weights, harm):
    """Kendall's τ: of all pairs, those in the same order less the others."""
    row, column = torch.triu_indices(weights.shape[1], weights.shape[1], 1)
    a, b = ((x[:, row] - x[:, column]).sign() for x in (weights, harm))
    return (a * b).mean(1)


def _undivided(weights, harm):
    n, d = weights.shape[1], _ranks(weights) - _ranks(harm)
    return 1 - 6 * d.square().sum(1) / (n * n * (n - 1))


def _drawn(tokens: int, words: int) -> tuple[Tensor, Tensor]:
    weights = (3 * draw.normal(tokens, words)).softmax(1)
    return weights, 2 * weights.log() + 3 * draw.normal(tokens, words, seed=1)


EXERCISE = Exercise(
    id="16.5",
    title="In the same order?",
    minutes=8,
    difficulty=2,
    reference=rank_correlation,
    cases={
        "five tokens, seven words": partial(_drawn, 5, 7),
        "seven tokens, thirteen words": partial(_drawn, 7, 13),
        "one token": partial(_drawn, 1, 5),
    },
    mistakes={
        "values": Mistake(
            "the values have been correlated, not their ranks: then one large number "
            "decides nearly everything",
            _correlated,
        ),
        "argsort once": Mistake(
            "argsort says which word is at each rank. A rank is the other way round: "
            "which rank each word has. Take argsort of it once more",
            lambda weights, harm: _correlated(
                weights.argsort(-1).to(weights.dtype), harm.argsort(-1).to(harm.dtype)
            ),
        ),
        "one turned round": Mistake(
            "one of the two has been ranked from the largest, the other from the "
            "smallest: so the sign is turned",
            lambda weights, harm: -rank_correlation(weights, harm),
        ),
        "one of them ranked": Mistake(
            "only one of the two has been ranked",
            lambda weights, harm: _correlated(weights, _ranks(harm)),
        ),
        "over the tokens": Mistake(
            "the ranks have been given among the tokens, for each word. It is the "
            "words of one token that are put in order: the last axis",
            lambda weights, harm: _correlated(_ranks(weights, 0), _ranks(harm, 0)),
        ),
        "pairs": Mistake(
            "this counts pairs that stand in the same order (Kendall's τ), another "
            "measure. Asked for is the correlation of the ranks (Spearman's ρ)",
            _pairs_in_order,
        ),
        "same rank": Mistake(
            "this is the share of words that have the same rank in both. Near misses "
            "are to count for something",
            lambda weights, harm: (
                (_ranks(weights) == _ranks(harm)).to(weights.dtype).mean(1)
            ),
        ),
        "squared": Mistake(
            "this is the square, which has lost its sign",
            lambda weights, harm: rank_correlation(weights, harm) ** 2,
        ),
        "n squared": Mistake(
            "in 1 − 6 Σ d² / (n (n² − 1)) the denominator has become n² (n − 1)",
            _undivided,
        ),
    },
    hints=(
        "first the rank of each word in its row: argsort(-1), and argsort(-1) of that.",
        "then the ordinary correlation of two rows of ranks: subtract the mean of "
        "each; the sum of the products, divided by the product of the two lengths.",
    ),
    trained=False,
)
