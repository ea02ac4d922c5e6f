"""Positions read off the sinusoids."""

import math
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises.ch05.shared import encoded, rates


def which_position(
    encoding: Float[Tensor, "token d_model"],
) -> Float[Tensor, " token"]:
    return _slowest(_angles(encoding)) / rates(encoding.shape[-1])[-1]


def _angles(encoding: Tensor) -> Tensor:
    """How far each hand has turned, from 0 to a full turn."""
    return torch.atan2(encoding[:, 0::2], encoding[:, 1::2]) % (2 * math.pi)


def _slowest(angles: Tensor) -> Tensor:
    return angles[:, -1]


def _by_another_rate(encoding, *, rate):
    return _slowest(_angles(encoding)) / rate(encoding.shape[-1])


def _from_the_slowest(encoding, *, angle):
    """The slowest hand's angle read in another way from its sine and cosine."""
    return angle(encoding[:, -2], encoding[:, -1]) / rates(encoding.shape[-1])[-1]


def _halves(encoding):
    sine, cosine = encoding.chunk(2, dim=-1)
    angles = torch.atan2(sine, cosine) % (2 * math.pi)
    return _slowest(angles) / rates(encoding.shape[-1])[-1]


def _nearest_row(encoding):
    table = encoded(torch.arange(601), encoding.shape[-1])
    return (encoding @ table.mT).argmax(-1).float()


def _at(positions: tuple[float, ...], d_model: int) -> tuple:
    return (encoded(torch.tensor(positions), d_model),)


EXERCISE = Exercise(
    id="5.2",
    title="Read the clocks",
    minutes=8,
    difficulty=2,
    reference=which_position,
    cases={
        "two hands": partial(_at, (7.25, 0.0, 599.75, 250.25, 400.75), 4),
        "ten columns, positions in any order": partial(
            _at, (31.25, 2.75, 480.25, 7.25, 1.75, 13.25, 64.75), 10
        ),
        "many hands": partial(_at, (3.25, 512.75, 123.25), 34),
        "a single row": partial(_at, (99.75,), 6),
    },
    mistakes={
        "fastest hand": Mistake(
            "hand 0 has been read. It is back after 2π positions, about 6.3, so it "
            "cannot tell 7 from 0.7: read a hand that has not been round yet",
            lambda encoding: _angles(encoding)[:, 0],
        ),
        "averaged": Mistake(
            "every hand has been read, and the mean taken. A hand that has been round "
            "says less than the truth, and nobody knows by how many turns",
            lambda encoding: (_angles(encoding) / rates(encoding.shape[-1])).mean(-1),
        ),
        "half a turn": Mistake(
            "right up to half a turn of the slowest hand; beyond it, positions are "
            "negative. torch.atan2 gives angles from −π to π: what is below 0 has a "
            "full turn, 2π, too little",
            partial(_from_the_slowest, angle=torch.atan2),
        ),
        "sine alone": Mistake(
            "right up to a quarter of a turn only: the sine comes back to each value "
            "on the other side of the clock. Sine and cosine together, torch.atan2, "
            "make one hand",
            partial(_from_the_slowest, angle=lambda sine, cosine: sine.asin()),
        ),
        "cosine alone": Mistake(
            "the cosine is the same left and right of the clock; and near the top it "
            "hardly changes, so that its digits do not tell 3 from 4. Sine and cosine "
            "together, torch.atan2, make one hand",
            partial(_from_the_slowest, angle=lambda sine, cosine: cosine.acos()),
        ),
        "sine and cosine swapped": Mistake(
            "sine and cosine have changed places: torch.atan2 wants the sine first, "
            "which stands in the columns 0, 2, 4, …; so the hand is up at angle 0",
            partial(
                _from_the_slowest,
                angle=lambda sine, cosine: torch.atan2(cosine, sine) % (2 * math.pi),
            ),
        ),
        "tangent alone": Mistake(
            "torch.atan of the quotient takes a hand and its opposite for the same: "
            "it is right in a quarter of the turn. torch.atan2 is given both numbers, "
            "and tells them apart",
            partial(
                _from_the_slowest, angle=lambda sine, cosine: (sine / cosine).atan()
            ),
        ),
        "one hand too far": Mistake(
            "the rate is that of a hand that is not there: hands are counted from 0, "
            "so the last is i = d_model / 2 − 1, and its rate is more than 1 / 10000",
            partial(_by_another_rate, rate=lambda d_model: 10000**-1),
        ),
        "i for 2i": Mistake(
            "the exponent is i / d_model where the formula has 2i / d_model",
            partial(
                _by_another_rate, rate=lambda d_model: rates(d_model, power=0.5)[-1]
            ),
        ),
        "not divided": Mistake(
            "this is the angle of the slowest hand. The position is the angle divided "
            "by how far the hand turns at each position",
            lambda encoding: _slowest(_angles(encoding)),
        ),
        "halves": Mistake(
            "column i and column i + d_model / 2 have been taken for a hand; here its "
            "two numbers stand side by side, columns 2i and 2i + 1",
            _halves,
        ),
        "rows counted": Mistake(
            "the rows have been counted. Their order says nothing; what each row "
            "holds does",
            lambda encoding: torch.arange(len(encoding)).float(),
        ),
        "nearest row of a table": Mistake(
            "the rows have been matched with those of a table of whole positions. "
            "Nothing between two of them can come out; and with few hands another "
            "position may fit better, whose fast hand happens to point the same way. "
            "The angle of one hand is enough, and it needs no table",
            _nearest_row,
        ),
        "rounded": Mistake(
            "the positions have been rounded. The hands go round smoothly, and a row "
            "may stand between two whole positions",
            lambda encoding: which_position(encoding).round(),
        ),
        "cut off": Mistake(
            "what comes after the point has been cut off, as .long() and .int() do: "
            "the hands go round smoothly, and a row may stand between two positions",
            lambda encoding: which_position(encoding).floor(),
        ),
    },
    hints=(
        "hand 0 is back after 6.3 positions, and says the same again. Which hand of "
        "the row has surely not been round, and how far does it turn at each position?",
        "the slowest hand stands in the last two columns, encoding[:, -2] (sine) and "
        "encoding[:, -1] (cosine). Its number is i = d_model / 2 − 1.",
        "torch.atan2(sine, cosine) is the angle, from −π to π; % (2 * math.pi) makes "
        "it one from 0 to 2π. Divide it by the rate, 10000 ** (−2i / d_model).",
    ),
    tolerance=1e-3,
    trained=False,
)
