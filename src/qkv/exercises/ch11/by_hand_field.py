"""How far the trunk sees, layer by layer, by hand."""

from collections.abc import Callable

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table, as_in
from qkv.checking.exercise import Mistake
from qkv.exercises.ch11.receptive_field import EXERCISE as FIELD
from qkv.exercises.ch11.receptive_field import receptive_field

LAYERS = torch.tensor([[3, 1, 1], [2, 2, 1], [3, 1, 1], [2, 2, 1], [3, 1, 1]])
NAMES = ("3 × 3", "pool 2", "3 × 3", "pool 2", "3 × 3")


def _table(count: Callable = receptive_field) -> dict[str, Tensor]:
    sees = [count(LAYERS[: n + 1]) for n in range(len(LAYERS))]
    return _with_apart(sees, LAYERS[:, 1].cumprod(0))


def _with_apart(sees: list[int], apart: Tensor) -> dict[str, Tensor]:
    return {
        "layers": LAYERS[:, :2].T,
        "apart": apart,
        "sees": torch.tensor(sees),
    }


def _added_up() -> dict[str, Tensor]:
    return {"apart": 1 + (LAYERS[:, 1] - 1).cumsum(0)}


BY_HAND = ByHand(
    id="11.a",
    title="How far the trunk sees",
    minutes=4,
    difficulty=1,
    task="Three 3 × 3 convolutions, with a pool of 2 after the first two. How many "
    "pixels apart are two neighbouring places after each layer, and how many pixels, "
    "in a row, does one place see? (Before the first layer it is 1 and 1.)",
    compute=_table,
    tables={
        "layers": Table("The layers", ("kernel", "stride"), NAMES),
        "apart": Table(
            "Pixels from a place to the next",
            columns=NAMES,
            blanks=...,
            look="multiply all strides up to this layer.",
        ),
        "sees": Table(
            "Pixels that a place sees",
            columns=NAMES,
            blanks=...,
            look="a layer adds (kernel − 1) times the distance *before* it.",
        ),
    },
    mistakes={
        **as_in(
            FIELD,
            "strides forgotten",
            "strides not multiplied up",
            "kernel for kernel − 1",
            "own stride first",
            "pools only halve",
            compute=_table,
        ),
        "strides added up": Mistake(
            "two pools of 2 make 4, not 3: strides multiply",
            _added_up,
        ),
        "only the last stride": Mistake(
            "this is the layer's own stride: places that were 2 apart are 4 apart "
            "after another pool of 2, and stay so after a 3 × 3",
            lambda: {"apart": LAYERS[:, 1]},
        ),
    },
    decimals=0,
)
