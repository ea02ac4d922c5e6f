"""Bahdanau's additive score."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.sentences import (
    NO_TANH,
    NO_V,
    PRODUCT_FOR_SUM,
    TANH_LAST,
    TANH_OF_EACH,
    WEIGHTS_ALREADY,
)


def additive_scores(
    query: Float[Tensor, "batch d_query"],
    keys: Float[Tensor, "batch key d_key"],
    W: Float[Tensor, "d_hidden d_query"],
    U: Float[Tensor, "d_hidden d_key"],
    v: Float[Tensor, " d_hidden"],
) -> Float[Tensor, "batch key"]:
    return torch.tanh((query @ W.mT)[:, None] + keys @ U.mT) @ v


def _no_tanh(query, keys, W, U, v):
    return ((query @ W.mT)[:, None] + keys @ U.mT) @ v


def _attention_inputs(
    batch: int, key: int, d_query: int, d_key: int, d_hidden: int
) -> tuple:
    shapes = [
        (batch, d_query),
        (batch, key, d_key),
        (d_hidden, d_query),
        (d_hidden, d_key),
        (d_hidden,),
    ]
    return draw.normals(*shapes)


EXERCISE = Exercise(
    id="2.1",
    title="Score every key",
    minutes=6,
    difficulty=1,
    reference=additive_scores,
    cases={
        "as many keys as sentences": partial(_attention_inputs, 5, 5, 3, 3, 7),
        "every size different": partial(_attention_inputs, 2, 7, 3, 5, 11),
        "a batch of one": partial(_attention_inputs, 1, 3, 5, 2, 7),
    },
    mistakes={
        "query of another sentence": Mistake(
            "key number i is scored with the query of sentence i, whatever sentence "
            "it is in: W q needs an axis for the keys, [:, None], before the sum. It "
            "fails in sight only where batch and key differ in size",
            lambda query, keys, W, U, v: torch.tanh(query @ W.mT + keys @ U.mT) @ v,
        ),
        "no tanh": Mistake(
            NO_TANH,
            _no_tanh,
        ),
        "product": Mistake(
            PRODUCT_FOR_SUM,
            lambda query, keys, W, U, v: (
                torch.tanh((query @ W.mT)[:, None] * (keys @ U.mT)) @ v
            ),
        ),
        "tanh of each": Mistake(
            TANH_OF_EACH,
            lambda query, keys, W, U, v: (
                (torch.tanh(query @ W.mT)[:, None] + torch.tanh(keys @ U.mT)) @ v
            ),
        ),
        "tanh last": Mistake(
            TANH_LAST,
            lambda query, keys, W, U, v: torch.tanh(_no_tanh(query, keys, W, U, v)),
        ),
        "no v": Mistake(
            NO_V,
            lambda query, keys, W, U, v: additive_scores(
                query, keys, W, U, torch.ones_like(v)
            ),
        ),
        "W and U swapped": Mistake(
            "W has been used for the keys and U for the query",
            lambda query, keys, W, U, v: additive_scores(query, keys, U, W, v),
        ),
        "softmax too early": Mistake(
            WEIGHTS_ALREADY, lambda *given: additive_scores(*given).softmax(-1)
        ),
        "scaled": Mistake(
            "the scores are divided by √d_hidden; that belongs to chapter 3's score, "
            "not to this one",
            lambda query, keys, W, U, v: (
                additive_scores(query, keys, W, U, v) / len(v) ** 0.5
            ),
        ),
    },
    hints=(
        "project first: query @ W.T has axes (batch, d_hidden), keys @ U.T has "
        "(batch, key, d_hidden).",
        "the query is to be added to each key: give it an axis of length one where "
        "the keys have theirs, [:, None].",
        "tanh of the sum, then @ v: a product with a vector takes the last axis away.",
    ),
)
