"""The entropy of attention weights."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.sentences import BITS


def entropy(
    weights: Float[Tensor, "*batch query key"],
) -> Float[Tensor, "*batch query"]:
    return torch.special.entr(weights).sum(-1)


def _weights(*batch: int, query: int, key: int, causal: bool = False) -> tuple:
    """Rows that sum to one; with ``causal``, later ones have zeros fewer."""
    scores = 2 * draw.normal(*batch, query, key)
    hidden = torch.arange(key) > torch.arange(query)[:, None]
    return (scores.masked_fill(hidden & causal, -torch.inf).softmax(-1),)


EXERCISE = Exercise(
    id="3.5",
    title="How undecided is a query?",
    minutes=5,
    difficulty=2,
    reference=entropy,
    cases={
        "as many queries as keys": partial(_weights, 2, query=5, key=5),
        "every size different": partial(_weights, 2, query=3, key=7),
        "weights of 0": partial(_weights, 3, query=5, key=7, causal=True),
        "a batch of one and one key": partial(_weights, 1, query=3, key=1),
        "heads in front": partial(_weights, 2, 3, query=5, key=7),
    },
    mistakes={
        "log of 0": Mistake(
            "right until a weight is 0: ln 0 is −∞, and 0 · −∞ is NaN. A weight of 0 "
            "adds 0 (torch.xlogy(w, w) and torch.special.entr know that)",
            lambda weights: -(weights * weights.log()).sum(-1),
        ),
        "sign": Mistake(
            "the sign is missing: logarithms of weights are negative, and the entropy "
            "is not",
            lambda weights: -entropy(weights),
        ),
        "bits": Mistake(
            BITS,
            lambda weights: entropy(weights) / torch.tensor(2.0).log(),
        ),
        "over queries": Mistake(
            "the sum runs over the queries; each query has an entropy of its own, "
            "the sum over its keys (dim=-1)",
            lambda weights: torch.special.entr(weights).sum(-2),
        ),
        "mean": Mistake(
            "this is the mean over the keys; the weights have done the weighing "
            "already, the sum is wanted",
            lambda weights: torch.special.entr(weights).mean(-1),
        ),
        "taken for scores": Mistake(
            "the weights have been taken for scores: they have gone through a softmax "
            "once more, which makes them nearly equal",
            lambda weights: entropy(weights.softmax(-1)),
        ),
        "log_softmax": Mistake(
            "log_softmax wants scores and has got weights; their logarithm is log, "
            "with nothing to normalise",
            lambda weights: -(weights * weights.log_softmax(-1)).sum(-1),
        ),
        "perplexity": Mistake(
            "this is e to the entropy: how many equal keys it would be like. The "
            "entropy itself is wanted",
            lambda weights: entropy(weights).exp(),
        ),
        "share of the most": Mistake(
            "this has been divided by the largest value it could have, ln of the "
            "number of keys; in nats it is not",
            lambda weights: entropy(weights) / torch.tensor(weights.shape[-1]).log(),
        ),
    },
    hints=(
        "−Σ w ln w, the sum over the keys of one query.",
        "where w is 0, w ln w is 0 as well, but 0 * torch.log(0) is not: what is it?",
        "torch.xlogy(w, w) is w ln w with the right value at 0.",
    ),
)
