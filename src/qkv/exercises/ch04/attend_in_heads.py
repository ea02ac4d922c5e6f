"""Bug hunt: heads that are merged by a view."""

from functools import partial

from qkv.attention import merge_heads, split_heads
from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch03.shared import attention
from qkv.exercises.ch04.shared import (
    AMONG_HEADS,
    attend_in_heads,
    split_by_view,
    split_in_turns,
)


def _views_both_ways(q, k, v, heads):
    batch, token, d_model = q.shape
    d_head = d_model // heads
    q = q.reshape(batch, heads, token, d_head)
    k = k.reshape(batch, heads, token, d_head)
    v = v.reshape(batch, heads, token, d_head)
    weights = (q @ k.mT / d_head**0.5).softmax(dim=-1)
    return (weights @ v).reshape(batch, token, d_model)


def _values_by_view(q, k, v, heads):
    q, k = split_heads(q, heads), split_heads(k, heads)
    return merge_heads(attention(q, k, split_by_view(v, heads)))


def _only_queries_split(q, k, v, heads):
    k, v = split_by_view(k, heads), split_by_view(v, heads)
    return merge_heads(attention(split_heads(q, heads), k, v))


def _projected(batch: int, token: int, heads: int, d_head: int) -> tuple:
    return *draw.normals(*[(batch, token, heads * d_head)] * 3), heads


def _merged_by_view(q, k, v, heads):
    batch, token, d_model = q.shape
    split = (batch, token, heads, d_model // heads)
    q, k, v = (x.reshape(split).transpose(1, 2) for x in (q, k, v))
    weights = (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1)
    return (weights @ v).reshape(batch, token, d_model)


EXERCISE = Exercise(
    id="4.6",
    title="Bug hunt: what the heads have found",
    minutes=8,
    difficulty=2,
    reference=attend_in_heads,
    cases={
        "every size different": partial(_projected, 2, 7, 3, 5),
        "as many heads as tokens": partial(_projected, 3, 5, 5, 2),
        "a batch of one": partial(_projected, 1, 3, 2, 5),
        "a single head": partial(_projected, 2, 5, 1, 3),
    },
    mistakes={
        "views both ways": Mistake(
            "now the split is wrong as well: by a view alone, each head gets a block "
            "of tokens in pieces, and never sees the others",
            _views_both_ways,
        ),
        "split by view": Mistake(
            "now the merge is right, and what it merges is not: q, k and v are cut by "
            "a view alone",
            partial(attend_in_heads, split=split_by_view),
        ),
        "values by view": Mistake(
            "the values are cut by a view alone, so that the weights are right and "
            "average the wrong things",
            _values_by_view,
        ),
        "only queries": Mistake(
            "queries are split, but keys and values are cut by a view alone",
            _only_queries_split,
        ),
        "among heads": Mistake(
            "split and merged without a swap of token and head: now the heads of one "
            "token attend to each other, and no token sees another",
            partial(attend_in_heads, **AMONG_HEADS),
        ),
        "features in turns": Mistake(
            "token and head are in order now, but the features are dealt out in "
            "turns; a head's features stand together",
            partial(
                attend_in_heads,
                split=split_in_turns,
                merge=lambda x: x.permute(0, 2, 3, 1).flatten(2),
            ),
        ),
        "√d_model": Mistake(
            "d_head was right: a head's query has d_head features, not d_model",
            lambda q, *rest: attend_in_heads(q, *rest, scale=q.shape[-1] ** 0.5),
        ),
    },
    hints=(
        "change one number of one token of v, and see which rows and columns of the "
        "output change. In which columns may a single head write?",
        "before the last line the axes are batch, head, token, d_head; side by side "
        "in a token are to stand its heads.",
        "merge_heads of 4.2 at the end: swap head and token back, then join.",
    ),
    given=_merged_by_view,
)
