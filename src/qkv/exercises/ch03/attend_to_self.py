"""Bug hunt: self-attention with the wrong scale."""

from functools import partial

from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises.ch03.shared import (
    BY_D_K,
    SWAPPED,
    by_root,
    self_attention,
    with_itself,
)
from qkv.exercises.sentences import NOT_SCALED, OVER_QUERIES


def attend_to_self(
    x: Float[Tensor, "*batch token d_model"],
    W_q: Float[Tensor, "d_k d_model"],
    W_k: Float[Tensor, "d_k d_model"],
    W_v: Float[Tensor, "d_v d_model"],
) -> Float[Tensor, "*batch token d_v"]:
    return self_attention(x, W_q, W_k, W_v)


def _scaled_by_the_models_width(x, W_q, W_k, W_v):
    q, k, v = x @ W_q.T, x @ W_k.T, x @ W_v.T
    scores = q @ k.mT / x.shape[-1] ** 0.5
    return scores.softmax(dim=-1) @ v


EXERCISE = Exercise(
    id="3.6",
    title="Bug hunt: the same but not quite",
    minutes=8,
    difficulty=2,
    reference=attend_to_self,
    cases={
        "keys narrower than the model": partial(
            with_itself, 2, token=5, d_model=7, d_k=3, d_v=7
        ),
        "keys as wide as the model": partial(
            with_itself, 3, token=7, d_model=5, d_k=5, d_v=2
        ),
        "a batch of one": partial(with_itself, 1, token=3, d_model=11, d_k=2, d_v=5),
        "no batch": partial(with_itself, token=7, d_model=3, d_k=11, d_v=5),
    },
    mistakes={
        "not scaled": Mistake(NOT_SCALED, partial(self_attention, scale=1)),
        "divided by d_k": Mistake(
            BY_D_K, lambda x, *W: self_attention(x, *W, scale=len(W[0]))
        ),
        "divided by d_model": Mistake(
            "now the scores are divided by all of d_model: the root was right, what "
            "it was taken of was not",
            lambda x, *W: self_attention(x, *W, scale=x.shape[-1]),
        ),
        "√d_v": Mistake(
            "now you divide by √d_v, the width of the values; they have no part in "
            "the scores",
            by_root(lambda x, W_q, W_k, W_v: len(W_v)),
        ),
        "√ of the tokens": Mistake(
            "now you divide by the root of how many tokens there are: the same two "
            "tokens would score differently in a longer sentence",
            by_root(lambda x, *W: x.shape[-2]),
        ),
        "divided twice": Mistake(
            "the scores are divided by √d_k and by √d_model: the first was missing, "
            "the second is still too much",
            by_root(lambda x, *W: x.shape[-1] * len(W[0])),
        ),
        "over queries": Mistake(OVER_QUERIES, partial(self_attention, over=-2)),
        "queries and keys swapped": SWAPPED,
    },
    hints=(
        "compare it with your self_attention of exercise 3.4: for which sizes are "
        "the two equal?",
        "they are equal where d_k = d_model. Which line should know of d_k, and does "
        "not?",
        "the scores are sums over the features of q: divide by √q.shape[-1].",
    ),
    given=_scaled_by_the_models_width,
)
