"""The split into heads by hand: which number goes where."""

from collections.abc import Callable

import torch
from torch import Tensor

from qkv.attention import split_heads
from qkv.checking.by_hand import ByHand, Table, as_in
from qkv.exercises.ch04.split_heads import EXERCISE as SPLIT

X = torch.arange(1.0, 13).view(3, 4)


def _split(split: Callable = split_heads) -> dict[str, Tensor]:
    first, second = split(X[None], 2)[0]
    return {"X": X, "first": first, "second": second}


TOKENS = ("token 1", "token 2", "token 3")
LOOK = (
    "each head has all three tokens, with half of the numbers of each: it is the width "
    "that is cut."
)

BY_HAND = ByHand(
    id="4.a",
    title="Split three tokens into two heads",
    minutes=3,
    difficulty=1,
    task="Three tokens of width 4 are split into two heads. Which numbers does each "
    "head get?",
    compute=_split,
    tables={
        "X": Table("X", TOKENS, ("1", "2", "3", "4")),
        "first": Table("Head 1", TOKENS, ("1", "2"), blanks=..., look=LOOK),
        "second": Table("Head 2", TOKENS, ("1", "2"), blanks=..., look=LOOK),
    },
    mistakes=as_in(
        SPLIT,
        "view only",
        "features in turns",
        "transposed, then viewed",
        "first features",
        compute=_split,
    ),
    decimals=0,
)
