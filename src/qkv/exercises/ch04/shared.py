"""What several exercises of chapter 4 are made of."""

from collections.abc import Callable
from typing import Any

from jaxtyping import Float
from torch import Tensor

from qkv.attention import merge_heads, split_heads
from qkv.exercises.ch03.shared import attention


def split_by_view(x, heads):
    return x.reshape(len(x), heads, x.shape[1], -1)


def merge_by_view(x):
    return x.reshape(len(x), x.shape[2], -1)


def split_in_turns(x, heads):
    return x.unflatten(-1, (-1, heads)).permute(0, 3, 1, 2)


def attend_in_heads(
    q: Float[Tensor, "batch token d_model"],
    k: Float[Tensor, "batch token d_model"],
    v: Float[Tensor, "batch token d_model"],
    heads: int,
    *,
    split: Callable = split_heads,
    merge: Callable = merge_heads,
    attend: Callable = attention,
    **how: Any,
) -> Float[Tensor, "batch token d_model"]:
    """Split, attend and merge, with parts of it that may be wrong ones."""
    return merge(attend(*(split(t, heads) for t in (q, k, v)), **how))


AMONG_HEADS = {
    "split": lambda x, heads: x.unflatten(-1, (heads, -1)),
    "merge": lambda x: x.flatten(2),
}
NO_W_O = (
    "the heads stand side by side, as they come: W_o is missing, which mixes what "
    "they have found"
)
ONE_HEAD = "there is one head as wide as d_model: heads has not been used"
