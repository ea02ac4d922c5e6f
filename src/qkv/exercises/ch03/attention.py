"""Scaled dot-product attention."""

from functools import partial

from torch.nn import functional as F

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch03.shared import (
    BY_D_K,
    MULTIPLIED,
    attention,
    causal_attention,
    scaled_scores,
)
from qkv.exercises.sentences import (
    CAUSAL_UNASKED,
    NOT_SCALED,
    OVER_QUERIES,
    OVER_THE_BATCH,
)


def _look_up(*batch: int, query: int, key: int, d_k: int, d_v: int) -> tuple:
    return draw.normals((*batch, query, d_k), (*batch, key, d_k), (*batch, key, d_v))


EXERCISE = Exercise(
    id="3.3",
    title="Scaled dot-product attention",
    minutes=5,
    difficulty=1,
    reference=attention,
    cases={
        "equal sizes": partial(_look_up, 2, query=5, key=5, d_k=5, d_v=5),
        "every size different": partial(_look_up, 2, query=3, key=7, d_k=5, d_v=11),
        "a batch of one and one query": partial(
            _look_up, 1, query=1, key=3, d_k=2, d_v=5
        ),
        "heads in front": partial(_look_up, 2, 3, query=5, key=7, d_k=11, d_v=2),
    },
    mistakes={
        "causal": Mistake(CAUSAL_UNASKED, causal_attention),
        "over queries": Mistake(OVER_QUERIES, partial(attention, over=-2)),
        "over axis 1": Mistake(
            "the softmax runs over axis 1: those are the queries, and the heads as "
            "soon as there are heads. The keys stand last (dim=-1)",
            partial(attention, over=1),
        ),
        "over the batch": Mistake(OVER_THE_BATCH, partial(attention, over=0)),
        "not scaled": Mistake(NOT_SCALED, partial(attention, scale=1)),
        "divided by d_k": Mistake(
            BY_D_K, lambda q, k, v: attention(q, k, v, scale=q.shape[-1])
        ),
        "√d_v": Mistake(
            "you divide by √d_v; the scores are sums over the features of queries "
            "and keys, d_k of them. How wide a value is does not matter",
            lambda q, k, v: attention(q, k, v, scale=v.shape[-1] ** 0.5),
        ),
        "multiplied": Mistake(
            MULTIPLIED, lambda q, k, v: attention(q, k, v, scale=q.shape[-1] ** -0.5)
        ),
        "queries and keys swapped": Mistake(
            "the scores are transposed, k @ q.mT: each token is given what others ask "
            "of it. Rows belong to the queries. It fails in sight only where there "
            "are not as many keys as queries",
            lambda q, k, v: attention(k, q, v),
        ),
        "weights transposed": Mistake(
            "the weights have been transposed before the average: a query gets what "
            "its own key was asked for. Rows belong to the queries, and sum to one",
            lambda q, k, v: scaled_scores(q, k).softmax(-1).mT @ v,
        ),
        "scaled after": Mistake(
            "√d_k divides the weights, after the softmax: they no longer sum to one, "
            "and the softmax has been as hard as ever",
            lambda q, k, v: (q @ k.mT).softmax(-1) / q.shape[-1] ** 0.5 @ v,
        ),
        "no softmax": Mistake(
            "the scores have been used as weights: without a softmax they may be "
            "negative, and sum to anything",
            lambda q, k, v: scaled_scores(q, k) @ v,
        ),
        "weights": Mistake(
            "these are the weights; the values are still to be averaged with them",
            lambda q, k, v: scaled_scores(q, k).softmax(-1),
        ),
        "keys averaged": Mistake(
            "the keys have been averaged: they are only what a query is compared "
            "with, what is handed over are the values",
            lambda q, k, v: attention(q, k, k),
        ),
        "hard": Mistake(
            "only the value of the best key is taken, as a dictionary would do; a "
            "choice has no gradient, a mixture has",
            lambda q, k, v: F.one_hot((q @ k.mT).argmax(-1), k.shape[-2]).float() @ v,
        ),
    },
    hints=(
        "three lines, in the order of the formula: scores, weights, average.",
        "the weights of one query are a row, and a row sums to one: softmax(dim=-1).",
        "weights @ v averages the values for all queries at once.",
    ),
    instead=("scaled_dot_product_attention",),
)
