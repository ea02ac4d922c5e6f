"""What several exercises of chapter 2 are made of."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

SCORE_ZERO = (
    "the padding has got the score 0, and exp 0 is 1: it is attended to. A weight "
    "of 0 needs a score of −∞"
)
INVERTED = "the mask is inverted: all weight lies on the padding"
ONE_KEY_TOO_MANY = (
    "the first token of the padding is attended to: a sentence of 3 tokens has them "
    "at places 0, 1 and 2"
)


def real_keys(width: int, lengths: Tensor) -> Bool[Tensor, "batch key"]:
    """True where a sentence has a token, False in its padding."""
    return torch.arange(width) < lengths[:, None]


def masked_softmax(
    scores: Float[Tensor, "batch key"], lengths: Int[Tensor, " batch"]
) -> Float[Tensor, "batch key"]:
    real = real_keys(scores.shape[1], lengths)
    return scores.masked_fill(~real, -torch.inf).softmax(-1)


def zero_scores(scores, lengths):
    return (scores * real_keys(scores.shape[1], lengths)).softmax(-1)


def inverted(scores, lengths):
    real = real_keys(scores.shape[1], lengths)
    return scores.masked_fill(real, -torch.inf).softmax(-1)


def over_the_batch(scores, lengths):
    real = real_keys(scores.shape[1], lengths)
    return scores.masked_fill(~real, -torch.inf).softmax(0)


def mask_added(scores, lengths):
    return (scores + real_keys(scores.shape[1], lengths)).softmax(-1)
