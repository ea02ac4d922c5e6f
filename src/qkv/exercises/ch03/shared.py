"""What several exercises of chapter 3 are made of."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Mistake
from qkv.exercises import draw
from qkv.exercises.sentences import W_Q_AND_W_K_SWAPPED

BY_D_K = (
    "the scores are divided by d_k: now they shrink as the vectors grow, and the "
    "weights become all but equal. A sum of d_k products spreads like √d_k"
)
MULTIPLIED = (
    "the scores have been multiplied by √d_k; the product is too large already, "
    "divide it"
)


def attention(
    q: Float[Tensor, "*batch query d_k"],
    k: Float[Tensor, "*batch key d_k"],
    v: Float[Tensor, "*batch key d_v"],
    *,
    scale: float | None = None,
    over: int = -1,
) -> Float[Tensor, "*batch query d_v"]:
    """Attention with a divisor and a softmax axis that may be wrong ones."""
    scale = q.shape[-1] ** 0.5 if scale is None else scale
    return (q @ k.mT / scale).softmax(over) @ v


def causal_attention(
    q: Float[Tensor, "*batch query d_k"],
    k: Float[Tensor, "*batch key d_k"],
    v: Float[Tensor, "*batch key d_v"],
) -> Float[Tensor, "*batch query d_v"]:
    scores = scaled_scores(q, k)
    later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    return scores.masked_fill(later, -torch.inf).softmax(-1) @ v


def scaled_scores(
    q: Float[Tensor, "*batch query d_k"], k: Float[Tensor, "*batch key d_k"]
) -> Float[Tensor, "*batch query key"]:
    return q @ k.mT / q.shape[-1] ** 0.5


def self_attention(
    x: Float[Tensor, "*batch token d_model"],
    W_q: Float[Tensor, "d_k d_model"],
    W_k: Float[Tensor, "d_k d_model"],
    W_v: Float[Tensor, "d_v d_model"],
    **how: Any,
) -> Float[Tensor, "*batch token d_v"]:
    return attention(x @ W_q.mT, x @ W_k.mT, x @ W_v.mT, **how)


def by_root(axis):
    """Self-attention divided by the root of the size that ``axis`` gives."""
    return lambda x, *W: self_attention(x, *W, scale=axis(x, *W) ** 0.5)


def with_itself(*batch: int, token: int, d_model: int, d_k: int, d_v: int) -> tuple:
    matrices = (d_k, d_model), (d_k, d_model), (d_v, d_model)
    return draw.normals((*batch, token, d_model), *matrices)


SWAPPED = Mistake(
    W_Q_AND_W_K_SWAPPED, lambda x, W_q, W_k, W_v: self_attention(x, W_k, W_q, W_v)
)
