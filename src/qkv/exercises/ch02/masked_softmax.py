"""A softmax over the real tokens alone."""

from functools import partial

import torch

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch02.shared import (
    INVERTED,
    ONE_KEY_TOO_MANY,
    SCORE_ZERO,
    inverted,
    mask_added,
    masked_softmax,
    over_the_batch,
    real_keys,
    zero_scores,
)
from qkv.exercises.sentences import (
    MASK_ADDED,
    ONE_KEY_TOO_FEW,
    OVER_THE_BATCH,
    OVERFLOW,
)


def _masked_after(scores, lengths):
    return scores.softmax(-1) * real_keys(scores.shape[1], lengths)


def _filled_with_minus_100(scores, lengths):
    real = real_keys(scores.shape[1], lengths)
    return scores.masked_fill(~real, -100.0).softmax(-1)


def _nothing_times_infinity(scores, lengths):
    hidden = (~real_keys(scores.shape[1], lengths)).float()
    return (scores + hidden * -torch.inf).softmax(-1)


def _renormalised(scores, lengths):
    left = _masked_after(scores, lengths)
    return left / left.sum(-1, keepdim=True)


def _overflows(scores, lengths):
    powers = scores.exp() * real_keys(scores.shape[1], lengths)
    return powers / powers.sum(-1, keepdim=True)


def _padded_scores(
    lengths: tuple[int, ...], key: int, scale: float = 1.0, centre: float = 0.0
) -> tuple:
    scores = centre + scale * draw.normal(len(lengths), key)
    return scores, torch.tensor(lengths)


EXERCISE = Exercise(
    id="2.2",
    title="Weights for real tokens only",
    minutes=5,
    difficulty=2,
    reference=masked_softmax,
    cases={
        "three padded sentences": partial(_padded_scores, (2, 5, 4), 7),
        "a batch of one": partial(_padded_scores, (3,), 5),
        "one without padding": partial(_padded_scores, (5, 3), 5),
        "scores in the hundreds": partial(_padded_scores, (4, 2), 5, 300.0),
        "scores far below 0": partial(_padded_scores, (2, 3), 5, centre=-500.0),
    },
    mistakes={
        "score zero": Mistake(SCORE_ZERO, zero_scores),
        "masked after": Mistake(
            "the padding's weights have been set to 0 after the softmax: the rows no "
            "longer sum to one. Mask the scores, before it",
            _masked_after,
        ),
        "inverted": Mistake(INVERTED, inverted),
        "over the batch": Mistake(OVER_THE_BATCH, over_the_batch),
        "one key too many": Mistake(
            ONE_KEY_TOO_MANY,
            lambda scores, lengths: masked_softmax(scores, lengths + 1),
        ),
        "one key too few": Mistake(
            ONE_KEY_TOO_FEW, lambda scores, lengths: masked_softmax(scores, lengths - 1)
        ),
        "no mask": Mistake(
            "the padding is attended to like words: the weights of a sentence change "
            "with the batch that it is in",
            lambda scores, lengths: scores.softmax(-1),
        ),
        "longest": Mistake(
            "every sentence is masked as if it were the longest one",
            lambda scores, lengths: masked_softmax(
                scores, lengths.max().expand(len(lengths))
            ),
        ),
        "mask added": Mistake(MASK_ADDED, mask_added),
        "overflow": Mistake(OVERFLOW, _overflows),
        "not low enough": Mistake(
            "right for small scores, but the padding has got a number like −100, and "
            "where the real scores are lower still, it takes all the weight: −∞ is "
            "lower than any",
            _filled_with_minus_100,
        ),
        "zero times infinity": Mistake(
            "0 · (−∞) is NaN, so that the real tokens are spoilt by the padding's "
            "infinity. Choose with masked_fill or torch.where; do not multiply",
            _nothing_times_infinity,
        ),
        "brought back to one": Mistake(
            "right for small scores: the padding's weights have been removed after "
            "the softmax, and the others divided by their sum. But where a score of "
            "the padding is higher by hundreds, the others are 0 by then, and 0 / 0 "
            "is NaN. Mask the scores, before it",
            _renormalised,
        ),
    },
    hints=(
        "torch.arange(width) counts the places; compared with lengths[:, None] it "
        "says for each sentence which of them are real.",
        "masked_fill(mask, value) writes value where the mask is True, so the mask "
        "must be True at the padding.",
        "the value is −torch.inf, and the softmax comes after it.",
    ),
)
