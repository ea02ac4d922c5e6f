"""Whether two lists of numbers put the words in one order."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def rank_correlation(
    weights: Float[Tensor, " word"], harm: Float[Tensor, " word"]
) -> float:
    return _correlated(_ranks(weights), _ranks(harm))


def _ranks(values):
    return values.argsort().argsort().to(values.dtype)


def _correlated(a, b):
    return torch.corrcoef(torch.stack([a, b]))[0, 1].item()


def _pairs_in_order(weights, harm):
    """Kendall's τ: of all pairs, those in the same order less the others."""
    row, column = torch.triu_indices(len(weights), len(weights), 1)
    a, b = ((x[row] - x[column]).sign() for x in (weights, harm))
    return (a * b).mean().item()


def _undivided(weights, harm):
    n, d = len(weights), _ranks(weights) - _ranks(harm)
    return (1 - 6 * d.square().sum() / (n * n * (n - 1))).item()


def _drawn(words: int, seed: int) -> tuple[Tensor, Tensor]:
    weights = (3 * draw.normal(words, seed=seed)).softmax(0)
    return weights, 2 * weights.log() + 3 * draw.normal(words, seed=seed + 1)


EXERCISE = Exercise(
    id="16.5",
    title="In the same order?",
    minutes=8,
    difficulty=2,
    reference=rank_correlation,
    cases={
        "seven words": partial(_drawn, 7, 0),
        "thirteen words": partial(_drawn, 13, 2),
        "five words": partial(_drawn, 5, 5),
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
                weights.argsort().to(weights.dtype), harm.argsort().to(harm.dtype)
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
        "pairs": Mistake(
            "this counts pairs that stand in the same order (Kendall's τ), another "
            "measure. Asked for is the correlation of the ranks (Spearman's ρ)",
            _pairs_in_order,
        ),
        "same rank": Mistake(
            "this is the share of words that have the same rank in both. Near misses "
            "are to count for something",
            lambda weights, harm: (
                (_ranks(weights) == _ranks(harm)).float().mean().item()
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
        "first the rank of each word in each list: argsort, and argsort of that.",
        "then the ordinary correlation of the two lists of ranks: "
        "torch.corrcoef(torch.stack([a, b]))[0, 1].",
    ),
    trained=False,
)
