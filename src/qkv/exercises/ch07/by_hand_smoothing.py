"""A smoothed target by hand, and the loss that it gives."""

from collections.abc import Callable

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table, as_in
from qkv.checking.exercise import Mistake
from qkv.exercises.ch07.smoothed_loss import EXERCISE as SMOOTHED
from qkv.exercises.ch07.smoothed_loss import smoothed_loss

P = torch.tensor([0.125, 0.5, 0.25, 0.125])
TRUE, SMOOTHING = 1, 0.2
WORDS = ("<pad>", "true token", "another", "a third")


def _smoothed(
    loss: Callable = smoothed_loss,
    wanted: tuple[float, ...] = (0.05, 0.85, 0.05, 0.05),
) -> dict[str, Tensor]:
    found = loss(P.log()[None, None], torch.tensor([[TRUE]]), SMOOTHING)
    return {"p": P, "wanted": torch.tensor(wanted), "loss": found}


def _wanting(name: str, *wanted: float) -> Mistake:
    """A mistake that shows in the target already."""
    mistake = SMOOTHED.mistakes[name]
    return Mistake(mistake.says, lambda: _smoothed(mistake.wrong, wanted))


BY_HAND = ByHand(
    id="7.b",
    title="Four tokens and a smoothed target",
    minutes=6,
    difficulty=2,
    task=r"The vocabulary has four tokens, and $\varepsilon = 0.2$. What does the "
    "smoothed target want of each token, and what is the loss? It helps that "
    r"$\ln 2 = .693$, $\ln 4 = 2 \ln 2$ and $\ln 8 = 3 \ln 2$.",
    compute=_smoothed,
    tables={
        "p": Table("What the model says", columns=WORDS),
        "wanted": Table(
            r"The smoothed target $q$: of each token $\varepsilon$ shared out, and "
            r"$1 - \varepsilon$ for the true one",
            columns=WORDS,
            blanks=...,
            look="every token of the vocabulary gets an equal share of ε, the true "
            "one as well. The target sums to one.",
            slack=0.005,
        ),
        "loss": Table(
            r"The loss $-\sum q \ln p$",
            columns=("loss",),
            blanks=...,
            look="of each token what is wanted times −ln p; then the sum.",
        ),
    },
    mistakes={
        **as_in(SMOOTHED, "divergence", "sign", compute=_smoothed),
        "not smoothed": _wanting("not smoothed", 0.0, 1.0, 0.0, 0.0),
        "shares exchanged": _wanting("shares exchanged", 0.2, 0.4, 0.2, 0.2),
        "spread over the others": _wanting(
            "spread over the others", 0.2 / 3, 0.8, 0.2 / 3, 0.2 / 3
        ),
        "spread over the real others": _wanting(
            "spread over the real others", 0.0, 0.8, 0.1, 0.1
        ),
        "not shared out": _wanting("not shared out", 0.2, 1.0, 0.2, 0.2),
    },
)
