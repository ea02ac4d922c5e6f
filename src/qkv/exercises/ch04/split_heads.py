"""The width split into heads."""

from functools import partial

from qkv.attention import split_heads
from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch04.shared import split_by_view, split_in_turns


def _whole(batch: int, token: int, heads: int, d_head: int) -> tuple:
    return draw.normal(batch, token, heads * d_head), heads


EXERCISE = Exercise(
    id="4.1",
    title="Split the width into heads",
    minutes=4,
    difficulty=1,
    reference=split_heads,
    cases={
        "as many sentences, tokens and heads": partial(_whole, 3, 3, 3, 5),
        "every size different": partial(_whole, 2, 7, 3, 5),
        "a batch of one": partial(_whole, 1, 5, 2, 3),
        "a single head": partial(_whole, 2, 3, 1, 5),
    },
    mistakes={
        "view only": Mistake(
            "each head has got pieces of a few tokens, all of their features, instead "
            "of its features of all tokens: view moves nothing, it only says anew how "
            "long the axes are. Split d_model first, then swap token and head",
            split_by_view,
        ),
        "not transposed": Mistake(
            "d_model is split, but the axes are (batch, token, head, d_head): the "
            "heads must stand before the tokens, or they attend to one another",
            lambda x, heads: x.unflatten(-1, (heads, -1)),
        ),
        "features in turns": Mistake(
            "the features are dealt out in turns, to head 0, 1, 2, … and 0 again; a "
            "head gets d_head features that stand together: heads comes first in the "
            "split",
            split_in_turns,
        ),
        "transposed, then viewed": Mistake(
            "token and feature have been swapped before the split, and the view cuts "
            "across both: first split d_model, then swap",
            lambda x, heads: x.mT.reshape(len(x), heads, x.shape[1], -1),
        ),
        "heads in front": Mistake(
            "the heads stand before the batch: sentences come first in this book",
            lambda x, heads: split_heads(x, heads).transpose(0, 1),
        ),
        "first features": Mistake(
            "every head has got the features of the first",
            lambda x, heads: split_heads(x, heads)[:, :1].expand(-1, heads, -1, -1),
        ),
    },
    hints=(
        "only the last axis is to be cut: (batch, token, d_model) becomes (batch, "
        "token, head, d_head).",
        "x.unflatten(-1, (heads, -1)), or view with the sizes in that order, cuts it.",
        "then swap token and head: transpose(1, 2).",
    ),
)
