"""Two rows of the sinusoidal encoding by hand."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table
from qkv.checking.exercise import Mistake
from qkv.exercises.ch05.shared import unwoven, woven


def _clocks(
    lay: Callable = lambda sin, cos: woven(sin, cos),
    *,
    slow: float = 0.01,
    first: int = 2,
) -> dict[str, Tensor]:
    positions = torch.tensor([first, first + 1.0])
    angles = positions[:, None] * torch.tensor([1.0, slow])
    return {"angles": angles, "encoding": lay(angles.sin(), angles.cos())}


def _own_rates() -> dict[str, Tensor]:
    """The cosines turn as if column 2i + 1 were a hand of its own."""
    right = _clocks()
    rates = 10000 ** -torch.tensor([0.25, 0.75])
    cosines = (torch.tensor([[2.0], [3.0]]) * rates).cos()
    return {"encoding": woven(right["angles"].sin(), cosines)}


def _mistake(says: str, **how: Any) -> Mistake:
    return Mistake(says, partial(_clocks, **how))


PLACES = ("position 2", "position 3")

BY_HAND = ByHand(
    id="5.a",
    title="Two positions more",
    minutes=6,
    difficulty=1,
    task=r"Go on with the text's example, $d_{\mathrm{model}} = 4$: where do the two "
    r"hands stand at positions 2 and 3? You need $\sin 2 = .909$, $\cos 2 = -.416$, "
    r"$\sin 3 = .141$, $\cos 3 = -.990$; and for a small angle $\sin a$ is nearly "
    r"$a$, $\cos a$ nearly 1.",
    compute=_clocks,
    tables={
        "angles": Table(
            r"Angles $p\,\theta_i$",
            PLACES,
            ("hand 0", "hand 1"),
            blanks=...,
            look="the position, counted from 0, times how far this hand turns at "
            "each position.",
            slack=0.004,
        ),
        "encoding": Table(
            "Encoding",
            PLACES,
            ("column 0", "column 1", "column 2", "column 3"),
            blanks=...,
            look="of each hand first the sine, then the cosine of the same angle.",
            slack=0.004,
        ),
    },
    mistakes={
        "halves": _mistake(
            "all sines come first, and then all cosines. Nothing is lost by that (it "
            "is the same encoding with its columns in another order, and much code "
            "does so), but here, as in the paper, they take turns: sin, cos, sin, cos",
            lay=lambda sin, cos: unwoven(woven(sin, cos)),
        ),
        "sine and cosine swapped": _mistake(
            "sine and cosine have changed places: column 2i is the sine, column "
            "2i + 1 the cosine of the same angle",
            lay=lambda sin, cos: woven(cos, sin),
        ),
        "own rate": Mistake(
            "the cosine has an exponent of its own, (2i + 1) / d_model. A sine and "
            "the cosine next to it turn at the same rate: only so do the two make "
            "one hand of a clock, and a shift a rotation",
            _own_rates,
        ),
        "from one": _mistake(
            "the positions are counted from 1; the first token stands at position 0",
            first=3,
        ),
        "i for 2i": _mistake(
            "the exponent is i / d_model where the formula has 2i / d_model: the "
            "waves stop at a length of 2π · 100, a hundredth of what is wanted",
            slow=0.1,
        ),
        "doubled twice": _mistake(
            "the exponent is twice what it should be: if your i already counts the "
            "columns 0, 2, 4, …, it is the formula's 2i",
            slow=0.0001,
        ),
    },
    decimals=3,
)
