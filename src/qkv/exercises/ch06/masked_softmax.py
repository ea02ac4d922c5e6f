"""A softmax under any mask."""

from functools import partial

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch06.shared import ZERO_TIMES_INFINITY
from qkv.exercises.sentences import MASK_ADDED, OVERFLOW, ZERO_AS_HIDDEN


def masked_softmax(
    scores: Float[Tensor, "batch query key"], mask: Bool[Tensor, "batch query key"]
) -> Float[Tensor, "batch query key"]:
    return _not_a_number(scores, mask).where(mask, 0.0)


def _not_a_number(scores, mask):
    return scores.masked_fill(~mask, -torch.inf).softmax(-1)


def _powers_overflow(scores, mask):
    powers = scores.exp().where(mask, 0.0)
    return (powers / powers.sum(-1, keepdim=True)).where(mask, 0.0)


def _zero_taken_for_hidden(scores, mask):
    kept = scores * mask
    return _not_a_number(scores, kept != 0).where(mask & (kept != 0), 0.0)


def _left_over(scores, mask):
    return scores.softmax(-1) * mask


def _brought_back_to_one(scores, mask):
    left = _left_over(scores, mask)
    return left / left.sum(-1, keepdim=True)


def _brought_back_with_epsilon(scores, mask):
    left = _left_over(scores, mask)
    return left / left.sum(-1, keepdim=True).clamp(min=1e-9)


def _masked_scores(
    batch: int, query: int, key: int, *, nothing: bool = False, scale: float = 1.0
) -> tuple:
    """Every query may see its first key and not its last, or one query nothing."""
    mask = draw.normal(batch, query, key, seed=1) > 0
    mask[..., 0], mask[..., -1] = True, False
    if nothing:
        mask[-1, 1] = False
    scores = scale * draw.normal(batch, query, key)
    scores[:, 0, 0] = 0.0  # a score that may be seen, and is nothing like a sign
    return scores, mask


EXERCISE = Exercise(
    id="6.4",
    title="Weights under any mask",
    minutes=8,
    difficulty=2,
    reference=masked_softmax,
    cases={
        "as many queries as keys": partial(_masked_scores, 3, 5, 5),
        "a query with nothing to attend to": partial(
            _masked_scores, 3, 5, 7, nothing=True
        ),
        "a batch of one": partial(_masked_scores, 1, 2, 3, nothing=True),
        "scores in the hundreds": partial(_masked_scores, 2, 3, 5, scale=300.0),
    },
    mistakes={
        "zero taken for hidden": Mistake(ZERO_AS_HIDDEN, _zero_taken_for_hidden),
        "NaN": Mistake(
            "a query with nothing to attend to has scores of −∞ only; they sum to 0 "
            "after exp, and 0 / 0 is NaN. One NaN spreads to every token at the "
            "next layer: such a row must be zeros",
            _not_a_number,
        ),
        "equal weights": Mistake(
            "the hidden scores are a large negative number, not −∞. Where all are "
            "hidden they are equal, and the query attends to all that it must not "
            "see, to each key alike: such a row must be zeros",
            lambda scores, mask: scores.masked_fill(~mask, -1e9).softmax(-1),
        ),
        "inverted": Mistake(
            "the mask is inverted: all weight lies on what is hidden",
            lambda scores, mask: _not_a_number(scores, ~mask),
        ),
        "masked after": Mistake(
            "the hidden weights have been set to 0 after the softmax: the others no "
            "longer sum to one. Mask the scores, before it",
            lambda scores, mask: scores.softmax(-1) * mask,
        ),
        "score zero": Mistake(
            "the hidden keys have got the score 0, and exp 0 is 1: they are attended "
            "to. A weight of 0 needs a score of −∞",
            lambda scores, mask: (scores * mask).softmax(-1),
        ),
        "mask added": Mistake(
            MASK_ADDED, lambda scores, mask: (scores + mask).softmax(-1)
        ),
        "zero times infinity": Mistake(
            ZERO_TIMES_INFINITY,
            lambda scores, mask: (scores + (~mask).float() * -torch.inf).softmax(-1),
        ),
        "brought back to one": Mistake(
            "the hidden weights have been removed after the softmax, and the others "
            "divided by their sum. Where nothing is left, that is 0 / 0, NaN: with "
            "nothing to attend to, and also where a hidden score is higher by "
            "hundreds. Mask the scores, before it",
            _brought_back_to_one,
        ),
        "brought back with an ε": Mistake(
            "the hidden weights have been removed after the softmax, and the others "
            "divided by their sum, kept from 0 by an ε. But where a hidden score is "
            "higher by hundreds, the others are 0 by then, and stay so. Mask the "
            "scores, before it",
            _brought_back_with_epsilon,
        ),
        "over the queries": Mistake(
            "the softmax runs over the queries (dim=-2): columns sum to one. The "
            "keys compete for one query (dim=-1)",
            lambda scores, mask: (
                scores.masked_fill(~mask, -torch.inf).softmax(-2).where(mask, 0.0)
            ),
        ),
        "overflow": Mistake(OVERFLOW, _powers_overflow),
    },
    hints=(
        "first as ever: masked_fill with −∞ where the mask is False (~mask), then "
        "the softmax over the keys. Which rows are still wrong, and what do they "
        "hold?",
        "a hidden key has weight 0, whatever came out of the softmax: the mask can "
        "say so once more, after it.",
        "multiplying is no help, 0 · NaN is NaN; masked_fill or torch.where writes "
        "a new number over the old.",
    ),
)
