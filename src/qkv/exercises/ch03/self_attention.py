"""A sequence that attends to itself."""

from functools import partial

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises.ch03.shared import (
    BY_D_K,
    SWAPPED,
    attention,
    by_root,
    causal_attention,
    self_attention,
    with_itself,
)
from qkv.exercises.sentences import (
    CAUSAL_UNASKED,
    KEYS_AVERAGED,
    NOT_SCALED,
    OVER_QUERIES,
)

EXERCISE = Exercise(
    id="3.4",
    title="A sequence attends to itself",
    minutes=6,
    difficulty=2,
    reference=self_attention,
    cases={
        "all widths equal": partial(with_itself, 2, token=7, d_model=5, d_k=5, d_v=5),
        "every size different": partial(
            with_itself, 2, token=3, d_model=7, d_k=5, d_v=11
        ),
        "a batch of one and one token": partial(
            with_itself, 1, token=1, d_model=5, d_k=3, d_v=2
        ),
        "no batch": partial(with_itself, token=5, d_model=3, d_k=11, d_v=7),
    },
    mistakes={
        "causal": Mistake(
            CAUSAL_UNASKED,
            lambda x, W_q, W_k, W_v: causal_attention(
                x @ W_q.mT, x @ W_k.mT, x @ W_v.mT
            ),
        ),
        "W not transposed": Mistake(
            "the matrices have been used the wrong way round: with tokens in rows, "
            "W x is written x @ W.T. It fails in sight only where W is not square",
            lambda x, W_q, W_k, W_v: attention(x @ W_q, x @ W_k, x @ W_v),
        ),
        "queries and keys swapped": SWAPPED,
        "one matrix for both": Mistake(
            "queries and keys are made by the same W_q: then i scores j as j scores "
            "i, and a token can ask for nothing but its like",
            lambda x, W_q, W_k, W_v: self_attention(x, W_q, W_q, W_v),
        ),
        "values not projected": Mistake(
            "the tokens themselves have been averaged; W_v says what of a token is "
            "handed over",
            lambda x, W_q, W_k, W_v: attention(x @ W_q.mT, x @ W_k.mT, x),
        ),
        "keys as values": Mistake(
            KEYS_AVERAGED,
            lambda x, W_q, W_k, W_v: self_attention(x, W_q, W_k, W_k),
        ),
        "√d_model": Mistake(
            "you divide by √d_model, the width of x. The scores are made of queries "
            "and keys, which have d_k features",
            by_root(lambda x, *W: x.shape[-1]),
        ),
        "divided by d_k": Mistake(
            BY_D_K, lambda x, *W: self_attention(x, *W, scale=len(W[0]))
        ),
        "not scaled": Mistake(NOT_SCALED, partial(self_attention, scale=1)),
        "over queries": Mistake(OVER_QUERIES, partial(self_attention, over=-2)),
        "x added": Mistake(
            "x has been added to the result: that is the residual connection of "
            "chapter 7; here attention alone is wanted",
            lambda x, *W: x + self_attention(x, *W),
        ),
    },
    hints=(
        "all three, queries, keys and values, are made of the same x, each by a "
        "matrix of its own.",
        "x @ W_q.T makes the queries of all tokens at once.",
        "then your attention of exercise 3.3 does the rest.",
    ),
    instead=("scaled_dot_product_attention",),
)
