"""Multi-head attention."""

from functools import partial
from typing import Any

from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch03.shared import causal_attention
from qkv.exercises.ch04.shared import (
    AMONG_HEADS,
    NO_W_O,
    ONE_HEAD,
    attend_in_heads,
    merge_by_view,
    split_by_view,
)
from qkv.exercises.sentences import (
    BY_D_HEAD,
    CAUSAL_UNASKED,
    NOT_SCALED,
    OVER_QUERIES,
    W_Q_AND_W_K_SWAPPED,
)


def multi_head(
    x: Float[Tensor, "batch token d_model"],
    W_q: Float[Tensor, "d_model d_model"],
    W_k: Float[Tensor, "d_model d_model"],
    W_v: Float[Tensor, "d_model d_model"],
    W_o: Float[Tensor, "d_model d_model"],
    heads: int,
    **how: Any,
) -> Float[Tensor, "batch token d_model"]:
    """The whole, with parts of it that may be wrong ones."""
    q, k, v = x @ W_q.mT, x @ W_k.mT, x @ W_v.mT
    return attend_in_heads(q, k, v, heads, **how) @ W_o.mT


def _sequence(batch: int, token: int, heads: int, d_head: int) -> tuple:
    d_model = heads * d_head
    shapes = [(batch, token, d_model), *[(d_model, d_model)] * 4]
    x, *matrices = draw.normals(*shapes)
    return x, *(W / d_model**0.5 for W in matrices), heads


EXERCISE = Exercise(
    id="4.3",
    title="Multi-head attention",
    minutes=8,
    difficulty=2,
    reference=multi_head,
    cases={
        "every size different": partial(_sequence, 2, 7, 3, 5),
        "as many heads as tokens": partial(_sequence, 3, 5, 5, 2),
        "a batch of one": partial(_sequence, 1, 3, 2, 5),
        "a single head": partial(_sequence, 2, 5, 1, 3),
    },
    mistakes={
        "causal": Mistake(CAUSAL_UNASKED, partial(multi_head, attend=causal_attention)),
        "√d_model": Mistake(
            "the scores are divided by √d_model; each head's query has only d_head "
            "features, so √d_head is its d_k",
            lambda x, *rest: multi_head(x, *rest, scale=x.shape[-1] ** 0.5),
        ),
        "divided by d_head": Mistake(
            BY_D_HEAD,
            lambda x, *rest: multi_head(x, *rest, scale=x.shape[-1] / rest[-1]),
        ),
        "queries and keys swapped": Mistake(
            W_Q_AND_W_K_SWAPPED,
            lambda x, W_q, W_k, *rest: multi_head(x, W_k, W_q, *rest),
        ),
        "not scaled": Mistake(NOT_SCALED, partial(multi_head, scale=1)),
        "no W_o": Mistake(
            NO_W_O,
            lambda x, W_q, W_k, W_v, W_o, heads: attend_in_heads(
                x @ W_q.mT, x @ W_k.mT, x @ W_v.mT, heads
            ),
        ),
        "W not transposed": Mistake(
            "the matrices have been used the wrong way round, x @ W for x @ W.T: they "
            "are square, so no shape gives it away",
            lambda x, W_q, W_k, W_v, W_o, heads: multi_head(
                x, W_q.mT, W_k.mT, W_v.mT, W_o.mT, heads
            ),
        ),
        "W_o not transposed": Mistake(
            "W_o has been used the wrong way round, @ W_o for @ W_o.T: it is square, "
            "so no shape gives it away",
            lambda x, W_q, W_k, W_v, W_o, heads: multi_head(
                x, W_q, W_k, W_v, W_o.mT, heads
            ),
        ),
        "not split": Mistake(
            ONE_HEAD,
            lambda x, W_q, W_k, W_v, W_o, heads: multi_head(x, W_q, W_k, W_v, W_o, 1),
        ),
        "among heads": Mistake(
            "the heads of one token attend to each other, and no token sees another: "
            "token and head must be swapped before the scores",
            partial(multi_head, **AMONG_HEADS),
        ),
        "split by view": Mistake(
            "the split is a view alone: each head has got pieces of a few tokens "
            "instead of its features of all tokens (exercise 4.1)",
            partial(multi_head, split=split_by_view),
        ),
        "merged by view": Mistake(
            "the merge is a view alone: each row holds one head's features of several "
            "tokens (exercise 4.2)",
            partial(multi_head, merge=merge_by_view),
        ),
        "view both ways": Mistake(
            "split and merge are views alone. They undo each other, so that all looks "
            "well, but in between each head has got pieces of a few tokens",
            partial(multi_head, split=split_by_view, merge=merge_by_view),
        ),
        "over queries": Mistake(OVER_QUERIES, partial(multi_head, over=-2)),
        "over heads": Mistake(
            "the softmax runs over the heads (dim=1); the keys of each head compete "
            "among themselves (dim=-1)",
            partial(multi_head, over=1),
        ),
    },
    hints=(
        "in this order: project, split, attend in each head, merge, W_o.",
        "attention counts axes from the end, so your attention of 3.3 serves all "
        "heads at once, and divides by the root of the width that it is given.",
        "attention(*(split_heads(x @ W.T, heads) for W in (W_q, W_k, W_v))) is all "
        "but the last two steps.",
    ),
    instead=("multi_head_attention_forward",),
)
