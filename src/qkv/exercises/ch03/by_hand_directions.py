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
    task="How much of $x$ points along $v_1$, and how much along $v_2$? Put it "
    "together again: first from $v_1$ alone, then from both.",
    compute=_directions,
    tables={
        "x": Table("The vector", ("x",), ("1", "2")),
        "basis": Table("The directions, of length 1", ("v₁", "v₂"), ("1", "2")),
        "coefficients": Table(
            r"Coefficients $x \cdot v_i$",
            ("x",),
            ("v₁", "v₂"),
            blanks=...,
            look="multiply place by place, and add the two products.",
        ),
        "one": Table(
            r"From $v_1$ alone: $(x \cdot v_1)\, v_1$",
            columns=("1", "2"),
            blanks=...,
            look="both numbers of the direction are multiplied by its coefficient.",
        ),
        "both": Table(
            r"From both: $\sum_i (x \cdot v_i)\, v_i$",
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
