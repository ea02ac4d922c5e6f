"""A rank correlation by hand, of four words."""

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table
from qkv.checking.exercise import Mistake

WEIGHTS = torch.tensor([0.25, 0.1, 0.6, 0.05])
HARM = torch.tensor([0.1, 0.5, 2.0, 0.25])
WORDS = ("cat", "saw", "dog", "the")


def _ranks(values: Tensor) -> Tensor:
    """1 for the largest."""
    return 1 + (-values).argsort().argsort().float()


def _compared(weights: Tensor, harm: Tensor) -> dict[str, Tensor]:
    squares = (weights - harm).square()
    n = len(WEIGHTS)
    return {
        "weights": WEIGHTS,
        "harm": HARM,
        "ranks": torch.stack([weights, harm]),
        "squares": squares,
        "rho": (1 - 6 * squares.sum() / (n * (n**2 - 1)))[None],
    }


def _right() -> dict[str, Tensor]:
    return _compared(_ranks(WEIGHTS), _ranks(HARM))


def _rho(of) -> dict[str, Tensor]:
    return {"rho": torch.as_tensor(of(_right()["squares"].sum()))[None]}


BY_HAND = ByHand(
    id="16.b",
    title="Four words in order",
    minutes=7,
    difficulty=2,
    task="For one syllable: the weight that each of four words gets, and by how much "
    "the loss rises when the word is hidden. Give the words ranks, 1 for the largest. "
    "With $d$ for the difference of a word's two ranks and $n$ words, the rank "
    r"correlation is $1 - \frac{6 \sum d^2}{n (n^2 - 1)}$.",
    compute=_right,
    tables={
        "weights": Table("Weight", columns=WORDS),
        "harm": Table("Harm when hidden, in nats", columns=WORDS),
        "ranks": Table(
            "Ranks, 1 for the largest",
            ("of the weight", "of the harm"),
            WORDS,
            blanks=...,
            look="the word with the largest number has rank 1, with the smallest 4.",
        ),
        "squares": Table(
            "$d^2$",
            columns=WORDS,
            blanks=...,
            look="the difference of the two ranks of a word, squared.",
        ),
        "rho": Table(
            "Rank correlation",
            columns=("ρ",),
            blanks=...,
            look="six times the sum of the squares, divided by 4 · 15, from 1.",
        ),
    },
    mistakes={
        "smallest first": Mistake(
            "the ranks begin with the smallest number; 1 is for the largest",
            lambda: {"ranks": 5 - _right()["ranks"]},
        ),
        "which word": Mistake(
            "these are the numbers of the words in order of size; a rank is the other "
            "way round, one number for each word where it stands",
            lambda: {
                "ranks": torch.stack(
                    [1 + (-x).argsort().float() for x in (WEIGHTS, HARM)]
                )
            },
        ),
        "one turned round": Mistake(
            "the harm has been ranked from the smallest: compare like with like",
            lambda: _compared(_ranks(WEIGHTS), 5 - _ranks(HARM)),
        ),
        "not squared": Mistake(
            "the differences have not been squared",
            lambda: {"squares": _right()["squares"].sqrt()},
        ),
        "not from 1": Mistake(
            "the fraction has not been subtracted from 1: then 0 would be perfect "
            "agreement",
            lambda: _rho(lambda total: 6 * total / 60),
        ),
        "without the 6": Mistake(
            "the factor 6 has been left out",
            lambda: _rho(lambda total: 1 - total / 60),
        ),
        "n squared alone": Mistake(
            "divide by n (n² − 1), which is 60 for four words",
            lambda: _rho(lambda total: 1 - 6 * total / 15),
        ),
    },
)
