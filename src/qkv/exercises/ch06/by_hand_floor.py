"""The floor under the loss by hand, of a language with three strings."""

from collections.abc import Callable

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table, as_in
from qkv.checking.exercise import Mistake
from qkv.exercises.ch06.entropy_per_character import EXERCISE as FLOOR
from qkv.exercises.ch06.entropy_per_character import entropy_per_character

P = torch.tensor([0.5, 0.25, 0.25])
LENGTHS = torch.tensor([1, 4, 7])


def _floor(floor: Callable = entropy_per_character) -> dict[str, Tensor]:
    return {
        "p": P,
        "n": LENGTHS,
        "entropy": -(P * P.log()).sum(),
        "length": (P * LENGTHS).sum(),
        "floor": torch.tensor(floor(P, LENGTHS)),
    }


STRINGS = ("string 1", "string 2", "string 3")

BY_HAND = ByHand(
    id="6.a",
    title="How low can the loss go?",
    minutes=6,
    difficulty=2,
    task="A language has three strings. What is the entropy of a string, how long is "
    "one on average, and how low can the loss of a character go? It helps that "
    r"$\ln 2 = .693$ and $\ln 4 = 2 \ln 2$.",
    compute=_floor,
    tables={
        "p": Table("Probability of the string", columns=STRINGS),
        "n": Table("Its length in characters", columns=STRINGS),
        "entropy": Table(
            r"Entropy of a string, $-\sum p \ln p$",
            columns=("entropy",),
            blanks=...,
            look="of each string its probability times its surprise, −ln p; then "
            "their sum.",
        ),
        "length": Table(
            r"Length on average, $\sum p\,n$",
            columns=("length",),
            blanks=...,
            look="each length counts as often as its string occurs.",
        ),
        "floor": Table(
            "The floor under the loss of a character",
            columns=("floor",),
            blanks=...,
            look="the loss is a sum over all characters, divided by their number.",
            slack=0.006,
        ),
    },
    mistakes={
        **as_in(
            FLOOR,
            "per string",
            "rate of each",
            "equally likely",
            "number of strings",
            "longest",
            compute=_floor,
        ),
        "plain mean length": Mistake(
            FLOOR.mistakes["plain mean length"].says,
            lambda: {
                "length": LENGTHS.float().mean(),
                "floor": _floor(FLOOR.mistakes["plain mean length"].wrong)["floor"],
            },
        ),
        "bits": Mistake(
            FLOOR.mistakes["bits"].says,
            lambda: {
                "entropy": -(P * P.log2()).sum(),
                "floor": _floor(FLOOR.mistakes["bits"].wrong)["floor"],
            },
        ),
        "sign": Mistake(
            FLOOR.mistakes["sign"].says,
            lambda: {
                "entropy": (P * P.log()).sum(),
                "floor": _floor(FLOOR.mistakes["sign"].wrong)["floor"],
            },
        ),
    },
)
