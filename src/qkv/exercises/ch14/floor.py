"""The least error that is possible, from the coefficients of the series.

The question: a series is a_t = φ₁ a_{t−1} + … + φ_p a_{t−p} + ε_t, with surprises of
standard deviation σ. How large is the mean squared error of the best forecast, 1, 2,
… ``horizon`` steps ahead?
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake


def _sum_of_squares(psi: Tensor) -> Tensor:
    return psi.square().cumsum(0)


def _recursive(phi: Tensor, horizon: int) -> Tensor:
    psi = [torch.tensor(1.0)]
    for _ in range(1, horizon):
        recent = torch.stack(psi[::-1][: len(phi)])
        psi.append(phi[: len(recent)] @ recent)
    return torch.stack(psi)


def floor(
    phi: Float[Tensor, " lag"],
    sigma: float,
    horizon: int,
    *,
    weights: Callable = _recursive,
    summed: Callable = _sum_of_squares,
) -> Float[Tensor, " step"]:
    return sigma**2 * summed(weights(phi, horizon))


def _shifted(squares):
    return torch.cat([torch.zeros(1), squares[:-1]])


def _by(**changes):
    return lambda phi, sigma, horizon: floor(phi, sigma, horizon, **changes)


def _as_moving_average(phi, horizon):
    psi = torch.zeros(max(horizon, len(phi) + 1))
    psi[: len(phi) + 1] = torch.cat([torch.ones(1), phi])
    return psi[:horizon]


EXERCISE = Exercise(
    id="14.3",
    title="The floor, from φ",
    minutes=10,
    difficulty=2,
    reference=floor,
    cases={
        "the text's AR(2)": lambda: (torch.tensor([1.2, -0.4]), 1.0, 7),
        "one coefficient": lambda: (torch.tensor([0.8]), 1.5, 5),
        "three coefficients": lambda: (torch.tensor([0.5, 0.3, -0.4]), 2.0, 11),
        "a random walk": lambda: (torch.tensor([1.0]), 0.5, 3),
        "fewer steps than coefficients": lambda: (
            torch.tensor([0.5, 0.3, -0.4]),
            3.0,
            2,
        ),
    },
    mistakes={
        "ψ₀ forgotten": Mistake(
            "ψ₀ = 1 is missing: even one step ahead there is a surprise, and the "
            "floor of one step is σ²",
            _by(summed=lambda psi: psi.square().cumsum(0) - 1),
        ),
        "one term too few": Mistake(
            "h steps ahead there are h surprises, from ψ₀ to ψ of h − 1; one is "
            "missing here, and one step ahead would be without any error",
            _by(summed=lambda psi: _shifted(psi.square().cumsum(0))),
        ),
        "not squared": Mistake(
            "the weights ψ have been added up as they are: of independent surprises "
            "the variances add, so each weight is to be squared",
            _by(summed=lambda psi: psi.cumsum(0)),
        ),
        "square of the sum": Mistake(
            "the sum of the weights has been squared: first square each ψ, then add. "
            "The surprises are independent, and do not line up",
            _by(summed=lambda psi: psi.cumsum(0).square()),
        ),
        "last weight alone": Mistake(
            "this is the share of one surprise; all between now and then count, so "
            "add up the squares",
            _by(summed=lambda psi: psi.square()),
        ),
        "σ not squared": Mistake(
            "the variance of a surprise is σ², not σ",
            lambda phi, sigma, horizon: floor(phi, sigma, horizon) / sigma,
        ),
        "root": Mistake(
            "this is the root of it, in the units of the series; the mean squared "
            "error is wanted",
            lambda phi, sigma, horizon: floor(phi, sigma, horizon).sqrt(),
        ),
        "mean of the steps": Mistake(
            "this is the mean over all steps up to each; the floor of each step "
            "itself is wanted",
            lambda phi, sigma, horizon: (
                floor(phi, sigma, horizon).cumsum(0) / torch.arange(1, horizon + 1)
            ),
        ),
        "first lag alone": Mistake(
            "only φ₁ has been followed: a surprise also comes back through φ₂ and "
            "the others, two steps later and more",
            _by(weights=lambda phi, horizon: phi[0] ** torch.arange(horizon)),
        ),
        "φ for ψ": Mistake(
            "ψ has been taken to be 1, φ₁, φ₂ and then 0: that is a series whose "
            "surprises act for a while and are gone. Here a surprise is in the next "
            "value, which is in the next again: ψ_j = φ₁ ψ_{j−1} + φ₂ ψ_{j−2} + …",
            _by(weights=_as_moving_average),
        ),
    },
    hints=(
        "let a single surprise of 1 happen, and no other: which values does the "
        "series have then? These are the ψ.",
        "ψ₀ = 1, and each next one is φ₁ times the one before plus φ₂ times the one "
        "before that, as far as there are some.",
        "σ² · (ψ₀² + … + ψ²) of the first h weights; cumsum gives all h at once.",
    ),
    trained=False,
)
