"""Luong's general score."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.sentences import TRANSPOSED, WEIGHTS_ALREADY


def general_scores(
    query: Float[Tensor, "batch query d_query"],
    keys: Float[Tensor, "batch key d_key"],
    W: Float[Tensor, "d_query d_key"],
) -> Float[Tensor, "batch query key"]:
    return query @ W @ keys.mT


def _dot_inputs(batch: int, query: int, key: int, d_query: int, d_key: int) -> tuple:
    shapes = [(batch, query, d_query), (batch, key, d_key), (d_query, d_key)]
    return draw.normals(*shapes)


EXERCISE = Exercise(
    id="2.5",
    title="Luong's general score",
    minutes=6,
    difficulty=2,
    reference=general_scores,
    cases={
        "equal sizes": partial(_dot_inputs, 3, 5, 5, 7, 7),
        "every size different": partial(_dot_inputs, 2, 3, 7, 5, 11),
        "a batch of one": partial(_dot_inputs, 1, 2, 3, 7, 5),
    },
    mistakes={
        "W transposed": Mistake(
            "W has been used the wrong way round: its rows belong to the query, its "
            "columns to the keys. It shows only where the two differ in size",
            lambda query, keys, W: query @ W.mT @ keys.mT,
        ),
        "no W": Mistake(
            "W is not used: this is the plain dot product, which needs queries and "
            "keys of one size",
            lambda query, keys, W: query @ keys.mT,
        ),
        "scaled": Mistake(
            "the scores are divided by √d_key; that is chapter 3's idea, Luong's "
            "score has none of it",
            lambda query, keys, W: query @ W @ keys.mT / keys.shape[-1] ** 0.5,
        ),
        "softmax too early": Mistake(
            WEIGHTS_ALREADY, lambda *given: general_scores(*given).softmax(-1)
        ),
        "transposed": Mistake(TRANSPOSED, lambda *given: general_scores(*given).mT),
        "first sentence": Mistake(
            "the queries of every sentence are compared with the first one's keys",
            lambda query, keys, W: query @ W @ keys[0].mT,
        ),
        "cosine": Mistake(
            "the vectors have been brought to length one: this is their cosine, "
            "which can never exceed 1, so that the softmax can hardly choose",
            lambda query, keys, W: (
                F.normalize(query @ W, dim=-1) @ F.normalize(keys, dim=-1).mT
            ),
        ),
        "tanh": Mistake(
            "there is a tanh around the product; this score has none",
            lambda query, keys, W: torch.tanh(query @ W) @ keys.mT,
        ),
    },
    hints=(
        "from the left: query @ W brings the queries to the size of the keys.",
        "then each with each: the keys must be transposed in their last two axes, "
        "keys.mT; keys.T would turn the batch round as well.",
    ),
)
