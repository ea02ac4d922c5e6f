"""The entropy of a language for each character."""

from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def entropy_per_character(
    probabilities: Float[Tensor, " string"], lengths: Int[Tensor, " string"]
) -> float:
    return _entropy(probabilities) / _expected(lengths, probabilities)


def _entropy(probabilities: Tensor) -> float:
    return float(torch.special.entr(probabilities).sum())


def _expected(values: Tensor, probabilities: Tensor) -> float:
    return float((probabilities * values).sum())


def _mean(lengths: Tensor) -> float:
    return float(lengths.float().mean())


def _nothing_times_infinity(probabilities, lengths):
    surprise = -(probabilities * probabilities.log()).sum()
    return float(surprise / (probabilities * lengths).sum())


def _language(count: int, *, low: int = 2, never: int | None = None) -> tuple:
    """Strings of different probabilities and lengths; ``never`` has none at all."""
    scores = 2 * draw.normal(count)
    if never is not None:
        scores[never] = -torch.inf
    return scores.softmax(-1), low + draw.ids(count, high=9, seed=1)


EXERCISE = Exercise(
    id="6.1",
    title="The floor under every loss",
    minutes=8,
    difficulty=3,
    reference=entropy_per_character,
    cases={
        "seven strings": partial(_language, 7),
        "a string that never occurs": partial(_language, 11, never=3),
        "only one string": partial(_language, 1),
    },
    mistakes={
        "per string": Mistake(
            "this is the entropy of a whole string; it is to be shared among its "
            "characters, of which there are Σ p n on average",
            lambda p, n: _entropy(p),
        ),
        "plain mean length": Mistake(
            "the length has been averaged as if all strings were equally likely; "
            "each counts as often as it occurs, Σ p n",
            lambda p, n: _entropy(p) / _mean(n),
        ),
        "rate of each": Mistake(
            "each string's surprise has been divided by its own length, and then "
            "averaged. The loss of a model is a sum over all characters divided by "
            "their number: a ratio of means, not a mean of ratios",
            lambda probabilities, lengths: float(
                (torch.special.entr(probabilities) / lengths).sum()
            ),
        ),
        "equally likely": Mistake(
            "this is the logarithm of the number of strings, which is their entropy "
            "if all are equally likely; these are not",
            lambda p, n: float(torch.tensor(len(p)).log()) / _expected(n, p),
        ),
        "bits": Mistake(
            "this is in bits (log2); losses are in nats, the natural logarithm",
            lambda p, n: entropy_per_character(p, n) / float(torch.tensor(2.0).log()),
        ),
        "NaN": Mistake(
            "a string of probability 0 gives 0 · ln 0 = 0 · (−∞), which is NaN. "
            "What never occurs surprises nobody: it adds 0",
            _nothing_times_infinity,
        ),
        "number of strings": Mistake(
            "the entropy has been divided by the number of strings; divide by the "
            "number of characters in one of them, on average",
            lambda p, n: _entropy(p) / len(p),
        ),
        "longest": Mistake(
            "the entropy has been divided by the longest string's length, as if all "
            "were padded to it and the padding predicted, too",
            lambda p, n: _entropy(p) / int(n.max()),
        ),
        "sign": Mistake(
            "the sign is missing: the logarithm of a probability is negative, the "
            "entropy is its opposite",
            lambda p, n: -entropy_per_character(p, n),
        ),
    },
    hints=(
        "two sums, and one divided by the other: −Σ p ln p over the strings, and "
        "the expected length Σ p n.",
        "p ln p must be 0 where p is 0: torch.xlogy(p, p) sees to it, or leave "
        "those strings out.",
    ),
)
