"""Chapter 2's decoder looks back at the encoder, with several heads."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.attention import merge_heads, split_heads
from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch03.shared import attention
from qkv.exercises.ch04.shared import NO_W_O, ONE_HEAD, split_by_view
from qkv.exercises.sentences import BY_D_HEAD, KEYS_AVERAGED, NOT_SCALED


def look_back(
    s: Float[Tensor, "batch d_model"],
    h: Float[Tensor, "batch source d_model"],
    W_q: Float[Tensor, "d_model d_model"],
    W_k: Float[Tensor, "d_model d_model"],
    W_v: Float[Tensor, "d_model d_model"],
    W_o: Float[Tensor, "d_model d_model"],
    heads: int,
    *,
    split: Callable = split_heads,
    **how: Any,
) -> Float[Tensor, "batch d_model"]:
    """One query, and many states that it may look at."""
    projected = s[:, None] @ W_q.mT, h @ W_k.mT, h @ W_v.mT
    found = attention(*(split(t, heads) for t in projected), **how)
    return (merge_heads(found) @ W_o.mT).squeeze(1)


def _all_ask_all(s, h, W_q, W_k, W_v, W_o, heads):
    """The decoder's state among those of the encoder, in place of the last."""
    states = torch.cat([h[:, :-1], s[:, None]], dim=1)
    return look_back(s, states, W_q, W_k, W_v, W_o, heads)


def _itself_too(s, h, *rest):
    return look_back(s, torch.cat([h, s[:, None]], dim=1), *rest)


def _states(batch: int, source: int, heads: int, d_head: int) -> tuple:
    d_model = heads * d_head
    shapes = [(batch, d_model), (batch, source, d_model), *[(d_model, d_model)] * 4]
    s, h, *matrices = draw.normals(*shapes)
    return s, h, *(W / d_model**0.5 for W in matrices), heads


EXERCISE = Exercise(
    id="4.7",
    title="Something older: look back with many heads",
    minutes=8,
    difficulty=2,
    reference=look_back,
    cases={
        "every size different": partial(_states, 2, 7, 3, 5),
        "as many heads as states": partial(_states, 3, 5, 5, 2),
        "a batch of one": partial(_states, 1, 3, 2, 5),
        "a single head": partial(_states, 2, 5, 1, 3),
    },
    mistakes={
        "over the query": Mistake(
            "the softmax runs over the queries. There is only one, so each weight is "
            "1, and the values are added up (dim=-1, the source, is wanted)",
            partial(look_back, over=-2),
        ),
        "over heads": Mistake(
            "the softmax runs over the heads (dim=1); the states of the source "
            "compete within each head (dim=-1)",
            partial(look_back, over=1),
        ),
        "itself too": Mistake(
            "s is among the keys: it looks back at the source's states, and is none "
            "of them",
            _itself_too,
        ),
        "the last state lost": Mistake(
            "s stands in the place of the last state, which nobody can look at now; "
            "queries come from s alone, keys and values from h alone",
            _all_ask_all,
        ),
        "keys from the query's matrix": Mistake(
            "W_q has made the keys as well: s goes through W_q, h through W_k",
            lambda s, h, W_q, W_k, *rest: look_back(s, h, W_q, W_q, *rest),
        ),
        "keys averaged": Mistake(
            KEYS_AVERAGED,
            lambda s, h, W_q, W_k, W_v, *rest: look_back(s, h, W_q, W_k, W_k, *rest),
        ),
        "values not projected": Mistake(
            "the states themselves have been averaged, as in chapter 2; here W_v says "
            "what each head gets of them",
            lambda s, h, W_q, W_k, W_v, *rest: look_back(
                s, h, W_q, W_k, torch.eye(len(W_v)), *rest
            ),
        ),
        "no W_o": Mistake(
            NO_W_O,
            lambda s, h, W_q, W_k, W_v, W_o, heads: look_back(
                s, h, W_q, W_k, W_v, torch.eye(len(W_o)), heads
            ),
        ),
        "W not transposed": Mistake(
            "the matrices have been used the wrong way round, s @ W for s @ W.T: they "
            "are square, so no shape gives it away",
            lambda s, h, W_q, W_k, W_v, W_o, heads: look_back(
                s, h, W_q.mT, W_k.mT, W_v.mT, W_o.mT, heads
            ),
        ),
        "not split": Mistake(
            ONE_HEAD,
            lambda s, h, W_q, W_k, W_v, W_o, heads: look_back(
                s, h, W_q, W_k, W_v, W_o, 1
            ),
        ),
        "√d_model": Mistake(
            "the scores are divided by √d_model; each head's query has only d_head "
            "features",
            lambda s, *rest: look_back(s, *rest, scale=s.shape[-1] ** 0.5),
        ),
        "divided by d_head": Mistake(
            BY_D_HEAD,
            lambda s, *rest: look_back(s, *rest, scale=s.shape[-1] / rest[-1]),
        ),
        "not scaled": Mistake(NOT_SCALED, partial(look_back, scale=1)),
        "states split by view": Mistake(
            "the states are cut by a view alone: each head has got pieces of a few "
            "states instead of its features of all (exercise 4.1)",
            partial(look_back, split=split_by_view),
        ),
    },
    hints=(
        "it is exercise 4.3 with two sources: the query is made of s, keys and values "
        "are made of h.",
        "s has no axis for queries. Give it one of length one, s[:, None], and take "
        "it away again at the end.",
        "split_heads and merge_heads ask for (batch, token, d_model): (s @ W_q.T)"
        "[:, None] is that, with one token.",
    ),
)
