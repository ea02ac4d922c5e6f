"""Two rows of the sinusoidal encoding by hand."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table, as_in
from qkv.checking.exercise import Mistake
from qkv.exercises.ch05.sinusoidal import EXERCISE as SINUSOIDS
from qkv.positions import sinusoidal


def _clocks(
    encode: Callable = sinusoidal, *, slow: float = 0.01, first: int = 2
) -> dict[str, Tensor]:
    positions = torch.tensor([first, first + 1.0])
    angles = positions[:, None] * torch.tensor([1.0, slow])
    return {"angles": angles, "encoding": encode(4, 4)[2:]}


def _turned(name: str, **how: Any) -> Mistake:
    """A mistake that shows in the angles already."""
    mistake = SINUSOIDS.mistakes[name]
    return Mistake(mistake.says, lambda: _clocks(mistake.wrong, **how))


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
        **as_in(
            SINUSOIDS, "halves", "sine and cosine swapped", "own rate", compute=_clocks
        ),
        "from one": _turned("from one", first=3),
        "i for 2i": _turned("i for 2i", slow=0.1),
        "doubled twice": _turned("doubled twice", slow=0.0001),
    },
    decimals=3,
)
