"""A wide picture cut into patches by hand."""

from collections.abc import Callable

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table, as_in
from qkv.checking.exercise import Mistake
from qkv.exercises.ch08.cut import EXERCISE as CUT
from qkv.exercises.ch08.cut import cut

PICTURE = torch.arange(12.0).view(1, 2, 6)


def _cut(cutting: Callable = cut) -> dict[str, Tensor]:
    return {"picture": PICTURE[0], "patches": cutting(PICTURE, 2)}


BY_HAND = ByHand(
    id="8.a",
    title="Cut a wide picture",
    minutes=3,
    difficulty=1,
    task="A grey picture of 2 × 6 pixels is cut into patches of 2 × 2. Which numbers "
    "stand in each row of the result?",
    compute=_cut,
    tables={
        "picture": Table(
            "The picture", ("row 0", "row 1"), ("0", "1", "2", "3", "4", "5")
        ),
        "patches": Table(
            "The patches, each as a row",
            ("patch 0", "patch 1", "patch 2"),
            ("1", "2", "3", "4"),
            blanks=...,
            look="a patch is a square of the picture, read row by row.",
        ),
    },
    mistakes={
        **as_in(CUT, "height and width exchanged", "every nth pixel", compute=_cut),
        "reshaped": Mistake(
            "these are strips of the picture, as its numbers lie in memory: reshape "
            "moves nothing. A patch is a square, with pixels of both rows",
            lambda: _cut(lambda image, patch: image.reshape(3, 4)),
        ),
    },
    decimals=0,
)
