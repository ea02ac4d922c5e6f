"""The loss of two sentences by hand, one of them with padding."""

from collections.abc import Callable

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table, as_in
from qkv.checking.exercise import Mistake
from qkv.exercises.ch01.sequence_loss import EXERCISE as LOSS
from qkv.exercises.ch01.sequence_loss import sequence_loss
from qkv.exercises.sentences import BITS

PAD = 0
TARGET = torch.tensor([[1, 1, 1], [1, PAD, PAD]])
P = torch.tensor([[0.5, 0.25, 0.5], [0.125, 0.5, 0.5]])  # of what the target says
REAL = TARGET != PAD


def _loss(loss: Callable = sequence_loss) -> dict[str, Tensor]:
    of_pad = torch.where(REAL, 1 - P, P)
    logits = torch.stack([of_pad, 1 - of_pad], dim=-1).log()
    return {"p": P, "surprise": -P.log(), "loss": loss(logits, TARGET, PAD)}


BY_HAND = ByHand(
    id="1.a",
    title="The loss of two sentences",
    minutes=5,
    difficulty=1,
    task="The first sentence has three tokens; the second has one, and then `<pad>`. "
    "How surprised is the model by each real token, and what is the loss of this "
    r"batch? It helps that $\ln 4 = 2 \ln 2$ and $\ln 8 = 3 \ln 2$, where "
    r"$\ln 2 = .693$.",
    compute=_loss,
    tables={
        "p": Table(
            "Probability of the true token, or of `<pad>`",
            ("sentence 1", "sentence 2"),
            ("token 1", "token 2", "token 3"),
        ),
        "surprise": Table(
            r"Surprise $-\ln p$; that of the padding is there already",
            ("sentence 1", "sentence 2"),
            ("token 1", "token 2", "token 3"),
            blanks=((0, 0), (0, 1), (0, 2), (1, 0)),
            look="the natural logarithm of a probability is negative; the surprise "
            "is its opposite. A probability half as large is one ln 2 more.",
        ),
        "loss": Table(
            "The loss: the mean over all real tokens of the batch",
            columns=("loss",),
            blanks=...,
            look="add the surprise of the real tokens. How many are they?",
        ),
    },
    mistakes={
        **as_in(
            LOSS,
            "padding counted",
            "divided by all cells",
            "sum",
            "by sentences",
            "each sentence alike",
            "no logarithm",
            compute=_loss,
        ),
        "bits": Mistake(
            BITS,
            lambda: {
                "surprise": -P.log2(),
                "loss": -P.log2()[REAL].mean(),
            },
        ),
        "sign": Mistake(
            LOSS.mistakes["sign"].says,
            lambda: {"surprise": P.log(), "loss": P.log()[REAL].mean()},
        ),
        "share": Mistake(
            "this is 1 − p, how far the probability is from one; the surprise is "
            "−ln p, and grows without end as p becomes small",
            lambda: {"surprise": 1 - P, "loss": (1 - P)[REAL].mean()},
        ),
    },
)
