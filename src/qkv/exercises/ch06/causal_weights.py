"""Bug hunt: a mask of 0 and 1."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch06.shared import ZERO_TIMES_INFINITY, band, causal_mask
from qkv.exercises.sentences import OVER_QUERIES, ZERO_AS_HIDDEN


def causal_weights(
    scores: Float[Tensor, "batch query key"],
) -> Float[Tensor, "batch query key"]:
    return _weights_where(causal_mask(scores.shape[-1]), scores)


def _weights_where(may_attend, scores):
    return scores.masked_fill(~may_attend, -torch.inf).softmax(-1)


def _ones_added(scores):
    mask = torch.ones(scores.shape[-1], scores.shape[-1]).tril()
    return (scores + mask).softmax(-1)


def _zero_times_infinity(scores):
    hidden = (~causal_mask(scores.shape[-1])).float()
    return (scores + hidden * -torch.inf).softmax(-1)


def _renormalised(scores):
    left = scores.softmax(-1) * causal_mask(scores.shape[-1])
    return left / left.sum(-1, keepdim=True)


def _to_itself(batch: int, token: int, scale: float = 1.0) -> tuple:
    scores = scale * draw.normal(batch, token, token)
    scores[0, -1, 0] = 0.0  # a score that may be seen, and is nothing like a sign
    return (scores,)


EXERCISE = Exercise(
    id="6.6",
    title="Bug hunt: the mask that hides nothing",
    minutes=8,
    difficulty=2,
    reference=causal_weights,
    cases={
        "five tokens": partial(_to_itself, 3, 5),
        "large scores": partial(_to_itself, 2, 7, 20.0),
        "scores in the hundreds": partial(_to_itself, 3, 7, 300.0),
        "a batch of one": partial(_to_itself, 1, 3),
        "a single token": partial(_to_itself, 2, 1),
    },
    mistakes={
        "over the queries": Mistake(
            OVER_QUERIES,
            lambda s: s.masked_fill(~causal_mask(s.shape[-1]), -torch.inf).softmax(-2),
        ),
        "zero taken for hidden": Mistake(
            ZERO_AS_HIDDEN, lambda s: _weights_where(s.tril() != 0, s)
        ),
        "inverted": Mistake(
            "now the past is hidden and the future seen, and the last token, which "
            "has no future, gets NaN: hide where the mask is 0",
            lambda s: _weights_where(~causal_mask(s.shape[-1]), s),
        ),
        "looks ahead": Mistake(
            "each token sees itself and the future, and nothing of the past: the "
            "triangle is turned over",
            lambda s: _weights_where(causal_mask(s.shape[-1]).mT, s),
        ),
        "present hidden": Mistake(
            "a token may not attend to itself here, and the first one has nothing "
            "left: its row is NaN. The diagonal is allowed",
            lambda s: _weights_where(causal_mask(s.shape[-1]).tril(-1), s),
        ),
        "one token ahead": Mistake(
            "every token still sees the next one, which it must predict",
            lambda s: _weights_where(band(s.shape[-1], behind=s.shape[-1], ahead=1), s),
        ),
        "drowned": Mistake(
            "a huge number has been added to the open scores. The future is hidden "
            "so, but single precision has seven digits, and nothing is left of what "
            "told the open scores apart. Add to the hidden ones, and it must be −∞",
            lambda scores: (scores + 1e9 * causal_mask(scores.shape[-1])).softmax(-1),
        ),
        "not low enough": Mistake(
            "right for small scores, but the future has got a number like −100, and "
            "where what may be seen scores lower still, the future takes all the "
            "weight: −∞ is lower than any",
            lambda scores: scores.masked_fill(
                ~causal_mask(scores.shape[-1]), -100.0
            ).softmax(-1),
        ),
        "brought back to one": Mistake(
            "right for small scores: the future's weights have been removed after "
            "the softmax, and the others divided by their sum. But where a score of "
            "the future is higher by hundreds, the others are 0 by then, and 0 / 0 "
            "is NaN. Mask the scores, before it",
            _renormalised,
        ),
        "zero times infinity": Mistake(ZERO_TIMES_INFINITY, _zero_times_infinity),
        "multiplied": Mistake(
            "the hidden scores are 0 now, and exp 0 is 1: they are attended to",
            lambda s: (s * causal_mask(s.shape[-1])).softmax(-1),
        ),
        "masked after": Mistake(
            "the hidden weights have been set to 0 after the softmax: rows no longer "
            "sum to one, and the future still had its say in the others' share",
            lambda s: s.softmax(-1) * causal_mask(s.shape[-1]),
        ),
        "no mask": Mistake(
            "now nothing is masked at all",
            lambda s: s.softmax(-1),
        ),
    },
    hints=(
        "print the weights of a few tokens: what stands above the diagonal?",
        "adding 1 to a score multiplies its weight by e, before all are brought to a "
        "sum of one. How much must be added to make a weight 0?",
        "make the mask boolean, and fill the scores with −∞ where it is False.",
    ),
    given=_ones_added,
)
