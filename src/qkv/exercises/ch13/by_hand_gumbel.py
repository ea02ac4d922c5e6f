"""Three codes, three uniform numbers: a soft draw at two temperatures, by hand."""

from collections.abc import Callable
from math import exp

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table, as_in
from qkv.checking.exercise import Mistake
from qkv.exercises.ch13.gumbel import EXERCISE as GUMBEL
from qkv.exercises.ch13.gumbel import gumbel

POWERS = torch.tensor([1.0, 2, 4])
U = torch.tensor([exp(-1 / 4), exp(-1), exp(-1 / 2)])
CODES = ("code 1", "code 2", "code 3")


def _soft(draw: Callable = gumbel) -> dict[str, Tensor]:
    return {"one": draw(POWERS.log(), U, 1.0), "half": draw(POWERS.log(), U, 0.5)}


def _drawn() -> dict[str, Tensor]:
    noise = 1 / -U.log()
    return {
        "logits": POWERS,
        "u": -U.log(),
        "noise": noise,
        "sums": POWERS * noise,
        **_soft(),
    }


def _of_the_sums(sums: Tensor) -> dict[str, Tensor]:
    """What follows from e to the power of the sums."""
    squares = sums.square()
    return {"sums": sums, "one": sums / sums.sum(), "half": squares / squares.sum()}


BY_HAND = ByHand(
    id="13.a",
    title="A soft draw",
    minutes=7,
    difficulty=1,
    task=r"A patch has the logits $\ell = (0, \ln 2, \ln 4)$ over three codes, and the "
    r"uniform numbers are $u = (e^{-1/4}, e^{-1}, e^{-1/2})$. The noise is "
    r"$g = -\ln(-\ln u)$, and the soft draw is the softmax of "
    r"$(\ell + g)/\tau$. Here are $e^{\ell}$ and $-\ln u$. What "
    r"are the shares of the codes at $\tau = 1$, and at $\tau = 1/2$? Which code is "
    r"drawn as $\tau \to 0$?",
    compute=_drawn,
    tables={
        "logits": Table(r"$e^{\ell}$", columns=CODES),
        "u": Table(r"$-\ln u$", columns=CODES),
        "noise": Table(
            r"$e^{g}$, where $g = -\ln(-\ln u)$",
            columns=CODES,
            blanks=...,
            look="e to the power of −ln x is 1 / x. What is x here?",
        ),
        "sums": Table(
            r"$e^{\ell + g}$",
            columns=CODES,
            blanks=...,
            look="e to the power of a sum is a product.",
        ),
        "one": Table(
            r"Shares at $\tau = 1$",
            columns=CODES,
            blanks=...,
            look="a softmax: divide each power by the sum of all three.",
        ),
        "half": Table(
            r"Shares at $\tau = 1/2$",
            columns=CODES,
            blanks=...,
            look="dividing by one half doubles each sum, so that its power of e is "
            "squared.",
        ),
    },
    mistakes={
        "τ multiplied": as_in(GUMBEL, "τ multiplied", compute=_soft)["τ multiplied"],
        "exponential": Mistake(
            GUMBEL.mistakes["exponential"].says,
            lambda: {"noise": 1 / U, **_of_the_sums(POWERS / U)},
        ),
        "sign of the noise": Mistake(
            GUMBEL.mistakes["sign of the noise"].says,
            lambda: {"noise": -U.log(), **_of_the_sums(POWERS * -U.log())},
        ),
        **as_in(GUMBEL, "no noise", "τ on the logits", compute=_soft),
        "powers added": Mistake(
            "the powers have been added; the logits and the noise are, and so their "
            "powers are multiplied",
            lambda: _of_the_sums(POWERS + 1 / -U.log()),
        ),
        "τ after the softmax": Mistake(
            "the shares at τ = 1 have been doubled or squared as they are: they have "
            "to be brought to a sum of 1 again",
            lambda: {"half": gumbel(POWERS.log(), U, 1.0).square()},
        ),
        "not divided": Mistake(
            "these are the powers, not yet divided by their sum",
            lambda: {
                "one": torch.tensor([4.0, 2, 8]),
                "half": torch.tensor([16.0, 4, 64]),
            },
        ),
        "one-hot": Mistake(
            GUMBEL.mistakes["one-hot"].says,
            lambda: dict.fromkeys(("one", "half"), torch.tensor([0.0, 0, 1])),
        ),
    },
)
