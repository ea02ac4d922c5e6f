"""A vector as a sum of directions, by hand, and what one direction keeps of it."""

from collections.abc import Callable

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table, as_in
from qkv.exercises.ch03.rebuild import EXERCISE as REBUILD
from qkv.exercises.ch03.rebuild import rebuild

X = torch.tensor([[3.0, 1.0]])
BASIS = torch.tensor([[0.6, 0.8], [0.8, -0.6]])


def _directions(build: Callable = rebuild) -> dict[str, Tensor]:
    return {
        "x": X,
        "basis": BASIS,
        "coefficients": X @ BASIS.mT,
        "one": build(X, BASIS[:1]),
        "both": build(X, BASIS),
    }


BY_HAND = ByHand(
    id="3.b",
    title="A vector as a sum of directions",
    minutes=6,
    difficulty=2,
    task="How much of $x$ points along $b_1$, and how much along $b_2$? Put it "
    "together again: first from $b_1$ alone, then from both.",
    compute=_directions,
    tables={
        "x": Table("The vector", ("x",), ("1", "2")),
        "basis": Table("The directions, of length 1", ("b₁", "b₂"), ("1", "2")),
        "coefficients": Table(
            r"Coefficients $x \cdot b_i$",
            ("x",),
            ("b₁", "b₂"),
            blanks=...,
            look="multiply place by place, and add the two products.",
        ),
        "one": Table(
            r"From $b_1$ alone: $(x \cdot b_1)\, b_1$",
            columns=("1", "2"),
            blanks=...,
            look="both numbers of the direction are multiplied by its coefficient.",
        ),
        "both": Table(
            r"From both: $\sum_i (x \cdot b_i)\, b_i$",
            columns=("1", "2"),
            blanks=...,
            look="add what each direction gives. The two directions are at right "
            "angles: what do you expect to find?",
        ),
    },
    mistakes=as_in(
        REBUILD,
        "softmax",
        "no coefficients",
        "mean",
        "cosine",
        "feature by feature",
        compute=_directions,
    ),
)
