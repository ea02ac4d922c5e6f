"""Chapter 2's additive score, for several queries at once."""

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
    TRANSPOSED,
    WEIGHTS_ALREADY,
)


def additive_for_all(
    q: Float[Tensor, "*batch query d_query"],
    k: Float[Tensor, "*batch key d_key"],
    W: Float[Tensor, "d_hidden d_query"],
    U: Float[Tensor, "d_hidden d_key"],
    v: Float[Tensor, " d_hidden"],
) -> Float[Tensor, "*batch query key"]:
    return torch.tanh(_sums(q, k, W, U)) @ v


def _sums(q, k, W, U):
    """W q + U k of each query with each key, (*batch, query, key, d_hidden)."""
    asked, offered = _projected(q, k, W, U)
    return asked + offered


def _projected(q, k, W, U):
    return (q @ W.mT)[..., :, None, :], (k @ U.mT)[..., None, :, :]


def _tanh_of_each(q, k, W, U, v):
    asked, offered = _projected(q, k, W, U)
    return (asked.tanh() + offered.tanh()) @ v


def _product(q, k, W, U, v):
    asked, offered = _projected(q, k, W, U)
    return torch.tanh(asked * offered) @ v


def _axes_counted_from_the_front(q, k, W, U, v):
    sums = (q @ W.mT)[:, :, None] + (k @ U.mT)[:, None]
    return torch.tanh(sums) @ v


def _many(
    *batch: int, query: int, key: int, d_query: int, d_key: int, d_hidden: int
) -> tuple:
    shapes = [
        (*batch, query, d_query),
        (*batch, key, d_key),
        (d_hidden, d_query),
        (d_hidden, d_key),
        (d_hidden,),
    ]
    return draw.normals(*shapes)


EXERCISE = Exercise(
    id="3.7",
    title="Something older: additive scores, all at once",
    minutes=7,
    difficulty=2,
    reference=additive_for_all,
    cases={
        "as many queries as keys": partial(
            _many, 2, query=5, key=5, d_query=3, d_key=3, d_hidden=7
        ),
        "every size different": partial(
            _many, 2, query=3, key=7, d_query=5, d_key=2, d_hidden=11
        ),
        "a batch of one": partial(
            _many, 1, query=2, key=3, d_query=5, d_key=3, d_hidden=2
        ),
        "heads in front": partial(
            _many, 3, 3, query=3, key=3, d_query=2, d_key=7, d_hidden=5
        ),
        "no batch": partial(_many, query=3, key=5, d_query=2, d_key=3, d_hidden=7),
    },
    mistakes={
        "axes from the front": Mistake(
            "the new axes have been counted from the front. They stand in the right "
            "place only where there is one axis before the queries; count from the "
            "end: [..., :, None, :] and [..., None, :, :]",
            _axes_counted_from_the_front,
        ),
        "transposed": Mistake(
            TRANSPOSED, lambda q, k, W, U, v: additive_for_all(k, q, U, W, v)
        ),
        "no tanh": Mistake(
            NO_TANH,
            lambda q, k, W, U, v: _sums(q, k, W, U) @ v,
        ),
        "tanh of each": Mistake(
            TANH_OF_EACH,
            _tanh_of_each,
        ),
        "tanh last": Mistake(
            TANH_LAST,
            lambda q, k, W, U, v: torch.tanh(_sums(q, k, W, U) @ v),
        ),
        "product": Mistake(PRODUCT_FOR_SUM, _product),
        "no v": Mistake(
            NO_V,
            lambda q, k, W, U, v: additive_for_all(q, k, W, U, torch.ones_like(v)),
        ),
        "scaled": Mistake(
            "the scores are divided by √d_hidden. The division belongs to the dot "
            "product; here v can have any length that training gives it",
            lambda q, k, W, U, v: additive_for_all(q, k, W, U, v) / len(v) ** 0.5,
        ),
        "softmax too early": Mistake(
            WEIGHTS_ALREADY, lambda *given: additive_for_all(*given).softmax(-1)
        ),
    },
    hints=(
        "project first: q @ W.T is (*batch, query, d_hidden), k @ U.T is (*batch, "
        "key, d_hidden). Each row of the one is to be added to each row of the other.",
        "give the queries an axis of length one where the keys have theirs, and the "
        "keys one where the queries have theirs: the sum is (*batch, query, key, "
        "d_hidden).",
        "[..., :, None, :] and [..., None, :, :] make these axes; then tanh, then @ v.",
    ),
)
