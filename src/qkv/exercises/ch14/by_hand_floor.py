"""How far ahead can one see? The floor of an AR(2) and of a random walk by hand."""

from collections.abc import Callable

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table, as_in
from qkv.checking.exercise import Mistake
from qkv.exercises.ch14.floor import EXERCISE as FLOOR
from qkv.exercises.ch14.floor import floor

PHI, SIGMA, STEPS = torch.tensor([0.5, 0.25]), 2.0, 4
WALK = torch.tensor([1.0])
AHEAD = ("1 step", "2 steps", "3 steps", "4 steps")


def _floors(of: Callable = floor) -> dict[str, Tensor]:
    return {"floor": of(PHI, SIGMA, STEPS), "walk": of(WALK, SIGMA, STEPS)}


def _by_hand() -> dict[str, Tensor]:
    squares = floor(PHI, 1.0, STEPS).diff(prepend=torch.zeros(1))
    return {
        "phi": torch.tensor([*PHI.tolist(), SIGMA]),
        "psi": squares.sqrt()[1:],
        **_floors(),
    }


def _wrong_weights(*psi: float) -> dict[str, Tensor]:
    """The weights of a mistake, and the floors that they make."""
    weights = torch.tensor([1.0, *psi])
    return {"psi": weights[1:], "floor": SIGMA**2 * weights.square().cumsum(0)}


BY_HAND = ByHand(
    id="14.a",
    title="How far ahead can one see?",
    minutes=8,
    difficulty=1,
    decimals=3,
    task=r"A series is $a_t = .5\,a_{t-1} + .25\,a_{t-2} + \varepsilon_t$, and its "
    r"surprises have the standard deviation $\sigma = 2$. A surprise of 1 today is "
    r"$\psi_0 = 1$ today, $\psi_1$ tomorrow, $\psi_2$ the day after. The best "
    r"forecast of $h$ steps has the mean squared error "
    r"$\sigma^2 (\psi_0^2 + \dots + \psi_{h-1}^2)$. And that of a "
    r"random walk, $y_t = y_{t-1} + \varepsilon_t$, with the same $\sigma$?",
    compute=_by_hand,
    tables={
        "phi": Table("What is known", columns=("φ₁", "φ₂", "σ")),
        "psi": Table(
            r"$\psi_j = \varphi_1 \psi_{j-1} + \varphi_2 \psi_{j-2}$",
            columns=("ψ₁", "ψ₂", "ψ₃"),
            blanks=...,
            look="each is φ₁ times the one before and φ₂ times the one before that; "
            "before ψ₀ = 1 there is nothing.",
            slack=0.006,
        ),
        "floor": Table(
            "Least mean squared error",
            columns=AHEAD,
            blanks=...,
            look="square each weight, add up as many as there are steps, and "
            "multiply by the variance of a surprise.",
            slack=0.006,
        ),
        "walk": Table(
            "The same of a random walk",
            columns=AHEAD,
            blanks=...,
            look="here a surprise stays for ever: which weights ψ does it have?",
        ),
    },
    mistakes={
        **as_in(
            FLOOR,
            "ψ₀ forgotten",
            "one term too few",
            "not squared",
            "square of the sum",
            "last weight alone",
            "σ not squared",
            "root",
            compute=_floors,
        ),
        "first lag alone": Mistake(
            FLOOR.mistakes["first lag alone"].says,
            lambda: _wrong_weights(0.5, 0.25, 0.125),
        ),
        "φ for ψ": Mistake(
            FLOOR.mistakes["φ for ψ"].says, lambda: _wrong_weights(0.5, 0.25, 0.0)
        ),
    },
)
