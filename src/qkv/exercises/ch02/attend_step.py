"""Bug hunt: one step of attention."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch02.masked_softmax import EXERCISE as WEIGHTS
from qkv.exercises.ch02.shared import (
    INVERTED,
    ONE_KEY_TOO_MANY,
    SCORE_ZERO,
    inverted,
    mask_added,
    masked_softmax,
    over_the_batch,
    zero_scores,
)
from qkv.exercises.sentences import MASK_ADDED, ONE_KEY_TOO_FEW, OVER_THE_BATCH


def attend_step(
    query: Float[Tensor, "batch d_k"],
    keys: Float[Tensor, "batch key d_k"],
    values: Float[Tensor, "batch key d_v"],
    lengths: Int[Tensor, " batch"],
    *,
    weigh: Callable = masked_softmax,
) -> Float[Tensor, "batch d_v"]:
    scores = (keys @ query[..., None]).squeeze(-1)
    return (weigh(scores, lengths)[:, None] @ values).squeeze(1)


def _padding_keeps_its_share(query, keys, values, lengths):
    scores = (keys @ query[:, :, None]).squeeze(-1)
    weights = scores.softmax(dim=-1)
    real = torch.arange(keys.shape[1]) < lengths[:, None]
    weights = weights * real
    return (weights[:, None] @ values).squeeze(1)


def _step_inputs(
    lengths: tuple[int, ...], key: int, d_k: int, d_v: int, scale: float = 1.0
) -> tuple:
    batch = len(lengths)
    shapes = [(batch, d_k), (batch, key, d_k), (batch, key, d_v)]
    query, keys, values = draw.normals(*shapes)
    return scale * query, keys, values, torch.tensor(lengths)


def _scores_far_below_zero() -> tuple:
    query, keys, values, lengths = _step_inputs((2, 3), 5, 3, 7, 300.0)
    return query, -query[:, None].sign() * keys.abs(), values, lengths


EXERCISE = Exercise(
    id="2.6",
    title="Bug hunt: a step of attention",
    minutes=10,
    difficulty=3,
    reference=attend_step,
    cases={
        "values as wide as keys": partial(_step_inputs, (2, 5, 4), 7, 5, 5),
        "one sentence without padding": partial(_step_inputs, (3,), 3, 2, 7),
        "every size different": partial(_step_inputs, (6, 1, 3, 7, 2), 11, 2, 3),
        "scores in the hundreds": partial(_step_inputs, (4, 2), 5, 3, 7, 300.0),
        "scores far below 0": _scores_far_below_zero,
    },
    mistakes={
        **{
            name: Mistake(wrong.says, partial(attend_step, weigh=wrong.wrong))
            for name, wrong in WEIGHTS.mistakes.items()
            if name in {"not low enough", "brought back to one"}
        },
        "no mask": Mistake(
            "now the padding is attended to like words: the context of a sentence "
            "changes with the batch that it is in",
            partial(attend_step, weigh=lambda s, n: s.softmax(-1)),
        ),
        "score zero": Mistake(SCORE_ZERO, partial(attend_step, weigh=zero_scores)),
        "inverted": Mistake(INVERTED, partial(attend_step, weigh=inverted)),
        "over the batch": Mistake(
            OVER_THE_BATCH, partial(attend_step, weigh=over_the_batch)
        ),
        "one key too many": Mistake(
            ONE_KEY_TOO_MANY,
            partial(attend_step, weigh=lambda s, n: masked_softmax(s, n + 1)),
        ),
        "one key too few": Mistake(
            ONE_KEY_TOO_FEW,
            partial(attend_step, weigh=lambda s, n: masked_softmax(s, n - 1)),
        ),
        "mask added": Mistake(MASK_ADDED, partial(attend_step, weigh=mask_added)),
        "scaled": Mistake(
            "the padding is mended; but the scores are divided by √d_k now, which is "
            "chapter 3's idea, and not this step's",
            lambda query, *given: attend_step(query / query.shape[-1] ** 0.5, *given),
        ),
        "keys averaged": Mistake(
            "the context is an average of the keys; the values are to be averaged",
            lambda query, keys, values, lengths: attend_step(
                query, keys, keys, lengths
            ),
        ),
        "divided by the length": Mistake(
            "the context has been divided by the length; weights that sum to one "
            "make an average by themselves",
            lambda *given: attend_step(*given) / given[-1][:, None],
        ),
    },
    hints=(
        "add up the weights of one sentence, once alone and once in a batch with a "
        "longer one.",
        "the padding's weights are set to 0 too late: the softmax has already given "
        "it a share, and that share is missing from the others.",
        "mask the scores with −∞ before the softmax, and leave the weights alone.",
    ),
    given=_padding_keeps_its_share,
)
