"""A penalty for what is looked at too much, or never."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def _over_the_words(weights, real):
    """How much each place was looked at, over all words."""
    return (weights * real[..., None]).sum(1)


def _to_one(looked, real):
    return (1 - looked).square().sum(-1)


def equal_looking(
    weights: Float[Tensor, "batch target place"],
    real: Bool[Tensor, "batch target"],
    *,
    looked: Callable = _over_the_words,
    penalty: Callable = _to_one,
) -> Float[Tensor, ""]:
    return penalty(looked(weights, real), real).mean()


def _over_the_places(weights, real):
    return weights.sum(2) * real


def _of_the_real(looked, real):
    return ((1 - looked).square() * real).sum(-1)


def _to_an_even_share(looked, real):
    """Every place is to get what each would get of all the looks."""
    share = real.sum(1, keepdim=True) / looked.shape[-1]
    return (share - looked).square().sum(-1)


def _mean_of_words(weights, real):
    return _over_the_words(weights, real) / real.sum(1, keepdim=True)


def _squares_of_each(weights, real):
    return (((1 - weights) * real[..., None]).square()).sum((1, 2)).mean()


def _square_of_the_sum(looked, real):
    return (1 - looked).sum(-1).square()


def _only_padding(weights, real):
    return _over_the_words(weights, ~real)


def _attention(lengths: tuple[int, ...], target: int, place: int) -> tuple:
    batch = len(lengths)
    weights = (2 * draw.normal(batch, target, place)).softmax(-1)
    real = torch.arange(target) < torch.tensor(lengths)[:, None]
    return weights, real


EXERCISE = Exercise(
    id="10.5",
    title="Looking at everything once",
    minutes=8,
    difficulty=2,
    reference=equal_looking,
    cases={
        "as many words as places": partial(_attention, (5, 3, 4), 5, 5),
        "every size different": partial(_attention, (11, 2), 11, 7),
        "one picture": partial(_attention, (3,), 5, 3),
        "no padding": partial(_attention, (3, 3, 3, 3, 3), 3, 7),
    },
    mistakes={
        "over the places": Mistake(
            "the weights have been added up over the places. That is 1 for every word, "
            "whatever it looks at, so the penalty is 0, and so is its gradient. Add up "
            "over the words",
            partial(equal_looking, looked=_over_the_places, penalty=_of_the_real),
        ),
        "an even share": Mistake(
            "each place has been held to an even share of all looks, words / places, "
            "as if they were to be shared out. The paper has 1 (16/196 in its place "
            "was asked about in yunjey/show-attend-and-tell #15)",
            partial(equal_looking, penalty=_to_an_even_share),
        ),
        "padding": Mistake(
            "the padding has been counted: behind <eos> nobody looks, though there are "
            "numbers. Then the penalty depends on the longest caption of the batch "
            "(yunjey/show-attend-and-tell #15)",
            partial(equal_looking, looked=lambda weights, real: weights.sum(1)),
        ),
        "only the padding": Mistake(
            "the mask is inverted: only the padding has been counted",
            partial(equal_looking, looked=_only_padding),
        ),
        "mean over the words": Mistake(
            "the mean over the words has been taken, not their sum. A mean is never "
            "near 1 at all places, so the penalty asks for the impossible",
            partial(equal_looking, looked=_mean_of_words),
        ),
        "mean over the steps": Mistake(
            "the sum has been divided by the number of steps, the padding among them. "
            "The formula has a sum over the words",
            partial(
                equal_looking,
                looked=lambda weights, real: (
                    _over_the_words(weights, real) / weights.shape[1]
                ),
            ),
        ),
        "mean over all steps": Mistake(
            "the mean over all steps has been taken, the padding among them: what is "
            "wanted is the sum over the real words",
            partial(equal_looking, looked=lambda weights, real: weights.mean(1)),
        ),
        "mean over the places": Mistake(
            "the mean over the places has been taken at the end; the formula has their "
            "sum",
            partial(
                equal_looking,
                penalty=lambda looked, real: _to_one(looked, real) / looked.shape[-1],
            ),
        ),
        "sum over the pictures": Mistake(
            "the pictures have been added up; their mean was asked, so that the "
            "penalty does not depend on the size of the batch",
            lambda weights, real: equal_looking(weights, real) * len(weights),
        ),
        "squares of each": Mistake(
            "each weight has been compared with 1 by itself, and then the squares have "
            "been added up. First the sum over the words, then the difference from 1, "
            "then the square",
            _squares_of_each,
        ),
        "square of the sum": Mistake(
            "the differences of all places have been added up before the square: too "
            "much here and too little there cancel out",
            partial(equal_looking, penalty=_square_of_the_sum),
        ),
        "no square": Mistake(
            "the square is missing: too much here and too little there cancel out",
            partial(equal_looking, penalty=lambda looked, real: (1 - looked).sum(-1)),
        ),
        "absolute": Mistake(
            "the size of the difference has been taken; the formula has its square",
            partial(
                equal_looking, penalty=lambda looked, real: (1 - looked).abs().sum(-1)
            ),
        ),
        "squared before": Mistake(
            "the weights have been squared and added up, and then compared with 1; "
            "first add them up, then compare, then square",
            lambda weights, real: (
                (1 - (weights * real[..., None]).square().sum(1)).sum(-1).mean()
            ),
        ),
    },
    hints=(
        "a padded step has weights too, but nobody wrote a word there: multiply the "
        "weights with real[..., None], and its weights are 0.",
        "add up over t first: what is left is (batch, place), how much each place was "
        "looked at in the whole caption.",
        "then 1 minus that, squared, the sum over the places, the mean over the "
        "pictures: in this order.",
    ),
)
