"""The balancing loss of four tokens and two experts, by hand."""

from collections.abc import Callable

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table, as_in
from qkv.checking.exercise import Mistake
from qkv.exercises.ch12.balance import EXERCISE as BALANCE
from qkv.exercises.ch12.balance import balance_loss

PROBABILITIES = torch.tensor([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.2, 0.8]])
TOKENS, EXPERTS = ("a", "b", "c", "d"), ("expert 1", "expert 2")


def _balanced(loss: Callable = balance_loss) -> dict[str, Tensor]:
    p, chosen = PROBABILITIES[None].requires_grad_(), PROBABILITIES.argmax(1)
    real = torch.ones(1, 4, dtype=torch.bool)
    f = chosen.bincount(minlength=2) / 4
    return {
        "probabilities": PROBABILITIES,
        "f": f,
        "P": PROBABILITIES.mean(0),
        "loss": loss(p, chosen[None, :, None], real).detach(),
        "slope": 2 * f,
    }


BY_HAND = ByHand(
    id="12.b",
    title="How far from equal loads",
    minutes=7,
    difficulty=2,
    task="Four tokens, two experts, $k = 1$: each token goes to the expert with the "
    "larger probability. Compute the balancing loss $N \\sum_i f_i P_i$, and how much "
    "it changes with each $P_i$: $f$ is made of counts, so it stays as it is. Which "
    "expert's probability does a step of gradient descent lower more?",
    compute=_balanced,
    tables={
        "probabilities": Table("Probabilities", TOKENS, EXPERTS),
        "f": Table(
            "$f_i$, the share of tokens that go to it",
            columns=EXPERTS,
            blanks=...,
            look="how many of the four tokens have their larger number here?",
        ),
        "P": Table(
            "$P_i$, its mean probability",
            columns=EXPERTS,
            blanks=...,
            look="the mean of the column, over all four tokens.",
        ),
        "loss": Table(
            "Balancing loss",
            blanks=...,
            look="f times P for each expert, added up, times the number of experts.",
        ),
        "slope": Table(
            "Slope $\\partial / \\partial P_i$",
            columns=EXPERTS,
            blanks=...,
            look="how much more is the loss, if P of this expert is 1 larger?",
        ),
    },
    mistakes={
        "N forgotten": Mistake(
            BALANCE.mistakes["N forgotten"].says,
            lambda: {
                "loss": _balanced(BALANCE.mistakes["N forgotten"].wrong)["loss"],
                "slope": _balanced()["f"],
            },
        ),
        "counts for both": Mistake(
            BALANCE.mistakes["counts for both"].says,
            lambda: {
                "P": _balanced()["f"],
                "loss": _balanced(BALANCE.mistakes["counts for both"].wrong)["loss"],
            },
        ),
        "probabilities for both": Mistake(
            BALANCE.mistakes["probabilities for both"].says,
            lambda: {
                "f": _balanced()["P"],
                "loss": _balanced(BALANCE.mistakes["probabilities for both"].wrong)[
                    "loss"
                ],
                "slope": 2 * _balanced()["P"],
            },
        ),
        **as_in(BALANCE, "of the chosen", compute=_balanced),
        "sums": Mistake(
            "these are sums over the four tokens: divide by 4",
            lambda: {
                "f": torch.tensor([3.0, 1]),
                "P": PROBABILITIES.sum(0),
                "loss": torch.tensor(17.6),
            },
        ),
    },
)
