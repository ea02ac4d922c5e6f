"""The heads merged again."""

from functools import partial

from qkv.attention import merge_heads
from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch04.shared import merge_by_view


def _axes_swapped(one, other):
    """A merge that swaps two axes which are not the tokens' and the heads'."""

    def merge(x):
        return x.transpose(one, other).reshape(len(x), x.shape[2], -1)

    return merge


def _split(batch: int, head: int, token: int, d_head: int) -> tuple:
    return (draw.normal(batch, head, token, d_head),)


EXERCISE = Exercise(
    id="4.2",
    title="Put the heads side by side",
    minutes=3,
    difficulty=1,
    reference=merge_heads,
    cases={
        "every size different": partial(_split, 2, 3, 5, 7),
        "as many heads as tokens": partial(_split, 2, 5, 5, 3),
        "a batch of one": partial(_split, 1, 2, 3, 5),
        "a single head": partial(_split, 3, 1, 5, 2),
    },
    mistakes={
        "view only": Mistake(
            "each row of the result holds one head's features of several tokens: view "
            "moves nothing. Swap token and head first, then join the last two axes",
            merge_by_view,
        ),
        "features in turns": Mistake(
            "the features of the heads alternate, one of each in turn; they should "
            "stand together, all of head 0, then all of head 1",
            lambda x: x.permute(0, 2, 3, 1).flatten(2),
        ),
        "batch and head swapped": Mistake(
            "axes 0 and 1 have been swapped, batch and head: sentences are mixed, "
            "and tokens too. The batch stays where it is; swap 1 and 2",
            _axes_swapped(0, 1),
        ),
        "head and feature swapped": Mistake(
            "axes 1 and 3 have been swapped, head and d_head; swap 1 and 2",
            _axes_swapped(1, 3),
        ),
        "last two swapped": Mistake(
            "the last two axes have been swapped, token and d_head; swap 1 and 2",
            _axes_swapped(2, 3),
        ),
        "heads averaged": Mistake(
            "the heads have been averaged: what they found in different places is "
            "mixed again. They stand side by side, each with its own features",
            lambda x: x.mean(1).repeat(1, 1, x.shape[1]),
        ),
    },
    hints=(
        "it is the split of 4.1, undone: its steps backwards.",
        "first token and head are swapped, transpose(1, 2), then the last two axes "
        "become one.",
        "flatten(2) joins all axes from 2 on. After a transpose, view refuses and "
        "asks for contiguous(); reshape and flatten see to it themselves.",
    ),
)
