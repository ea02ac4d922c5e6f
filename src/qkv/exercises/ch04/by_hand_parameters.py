"""The parameters of a layer by hand, with more and with fewer heads."""

from collections.abc import Callable

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table, as_in
from qkv.exercises.ch04.count_parameters import EXERCISE as COUNT
from qkv.exercises.ch04.count_parameters import count_parameters

D_MODEL = 8


def _counted(count: Callable = count_parameters) -> dict[str, Tensor]:
    counts = [[count(D_MODEL, h, bias) for bias in (False, True)] for h in (2, 4)]
    return {
        "heads": torch.tensor([[4], [2]]),
        "count": torch.tensor(counts),
    }


BY_HAND = ByHand(
    id="4.b",
    title="Do more heads cost more?",
    minutes=4,
    difficulty=1,
    task=r"A layer of multi-head attention has $d_{\mathrm{model}} = 8$. How many "
    "numbers does it learn in all, $W^Q$, $W^K$, $W^V$ and $W^O$ together?",
    compute=_counted,
    tables={
        "heads": Table(
            r"$d_{\mathrm{head}}$", ("2 heads", "4 heads"), ("numbers in a head",)
        ),
        "count": Table(
            "Parameters of the layer",
            ("2 heads", "4 heads"),
            ("without biases", "with biases"),
            blanks=...,
            look="how many projections are there, and how many numbers go into each "
            "and come out of it? A bias has one number for each that comes out.",
        ),
    },
    mistakes=as_in(
        COUNT,
        "each as wide",
        "times the heads",
        "no W_o",
        "heads apart",
        "one head only",
        "biases forgotten",
        "one number for a bias",
        "no bias after the merge",
        compute=_counted,
    ),
    decimals=0,
)
