"""The sinusoids."""

import torch
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises.ch05.shared import encoded, rates, woven
from qkv.positions import sinusoidal


def _waves(length: int, rates: Tensor, cosine_rates: Tensor | None = None) -> Tensor:
    """Sines and cosines of the rates given, the cosines' their own where they are."""
    cosine_rates = rates if cosine_rates is None else cosine_rates
    positions = torch.arange(length)[:, None]
    return woven((positions * rates).sin(), (positions * cosine_rates).cos())


def _halves(length, d_model):
    angles = torch.arange(length)[:, None] * rates(d_model)
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def _sine_and_cosine_swapped(length, d_model):
    angles = torch.arange(length)[:, None] * rates(d_model)
    return woven(angles.cos(), angles.sin())


def _own_rate(length, d_model):
    next_column = torch.arange(1, d_model, 2) / d_model
    return _waves(length, rates(d_model), 10000**-next_column)


def _loop_variable_doubled(length, d_model):
    next_column = torch.arange(1, d_model, 2) / d_model
    return _waves(length, rates(d_model, power=2.0), 10000 ** (-2 * next_column))


EXERCISE = Exercise(
    id="5.2",
    title="The sinusoids",
    minutes=8,
    difficulty=2,
    reference=sinusoidal,
    cases={
        "eleven positions": lambda: (11, 6),
        "more features than positions": lambda: (7, 22),
        "a single position": lambda: (1, 10),
        "a single pair of features": lambda: (5, 2),
    },
    mistakes={
        "halves": Mistake(
            "all sines come first, and then all cosines. Nothing is lost by that (it "
            "is the same encoding with its columns in another order, and much code "
            "does so), but here, as in the paper, they take turns: sin, cos, sin, cos",
            _halves,
        ),
        "sine and cosine swapped": Mistake(
            "sine and cosine have changed places: column 2i is the sine, column "
            "2i + 1 the cosine of the same angle",
            _sine_and_cosine_swapped,
        ),
        "from one": Mistake(
            "the positions are counted from 1; the first token stands at position 0",
            lambda length, d_model: encoded(torch.arange(length) + 1, d_model),
        ),
        "i for 2i": Mistake(
            "the exponent is i / d_model where the formula has 2i / d_model: the "
            "waves stop at a length of 2π · 100, a hundredth of what is wanted",
            lambda length, d_model: _waves(length, rates(d_model, power=0.5)),
        ),
        "doubled twice": Mistake(
            "the exponent is twice what it should be: if your i already counts the "
            "columns 0, 2, 4, …, it is the formula's 2i",
            lambda length, d_model: _waves(length, rates(d_model, power=2.0)),
        ),
        "own rate": Mistake(
            "the cosine has an exponent of its own, (2i + 1) / d_model. A sine and "
            "the cosine next to it turn at the same rate: only so do the two make "
            "one hand of a clock, and a shift a rotation",
            _own_rate,
        ),
        "loop variable doubled": Mistake(
            "your i counts the columns 0, 2, 4, … already, and is doubled once more; "
            "and i + 1 gives the cosine a rate of its own. It is in many tutorials",
            _loop_variable_doubled,
        ),
    },
    hints=(
        "make the angles first: a column of positions, torch.arange(length)[:, None], "
        "times a row of d_model / 2 rates, 10000 ** (−2i / d_model).",
        "torch.arange(0, d_model, 2) is the row of all 2i.",
        "the sines go to the columns 0, 2, 4, … and the cosines to 1, 3, 5, …: "
        "encoding[:, 0::2] = …, or torch.stack on a last axis, which flatten(-2) "
        "then takes away.",
    ),
)
