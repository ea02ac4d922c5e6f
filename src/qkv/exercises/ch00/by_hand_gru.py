"""One step of a GRU with a state of one number."""

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table
from qkv.checking.exercise import Mistake
from qkv.exercises.ch00.gru_step import EXERCISE as GRU_STEP

X, H = 1.0, 0.8
W = torch.tensor([0.4, 0.3, 0.1])  # r, z, n
U = torch.tensor([-0.5, 1.0, 1.0])


def _stepped(gate=torch.sigmoid, squash=torch.tanh, past: float | None = None) -> dict:
    r, z = gate(W[:2] * X + U[:2] * H)
    n = squash(W[2] * X + (r if past is None else past) * U[2] * H)
    return {
        "given": torch.tensor([X, H]),
        "weights": torch.stack([W, U]),
        "gates": torch.stack([r, z]),
        "candidate": n,
        "state": (1 - z) * n + z * H,
    }


def _mixed(keep: float, write: float) -> dict[str, Tensor]:
    step = _stepped()
    z = step["gates"][1]
    kept, written = (z, 1 - z)
    return {"state": keep * kept * H + write * written * step["candidate"]}


def _swapped() -> dict[str, Tensor]:
    step = _stepped()
    z = step["gates"][1]
    return {"state": z * step["candidate"] + (1 - z) * H}


def _says(name: str) -> str:
    return GRU_STEP.mistakes[name].says


BY_HAND = ByHand(
    id="0.b",
    title="One step of a GRU",
    minutes=8,
    difficulty=2,
    task="The state is one number. Work out the two gates, the candidate and the new "
    r"state: $r = \sigma(W_r x + U_r h)$, $z = \sigma(W_z x + U_z h)$, "
    r"$n = \tanh(W_n x + r \, U_n h)$, $h' = (1 - z)\, n + z\, h$. "
    r"You need $\sigma(0) = 0.5$, $\sigma(1.1) = 0.75$ and $\tanh(0.5) = 0.46$.",
    compute=_stepped,
    tables={
        "given": Table("The word and the old state", columns=("x", "h")),
        "weights": Table("Weights", ("W", "U"), ("r", "z", "n")),
        "gates": Table(
            "Gates",
            columns=("r", "z"),
            blanks=...,
            look="W times the word plus U times the state, then σ.",
        ),
        "candidate": Table(
            "Candidate $n$",
            blanks=...,
            look="r multiplies U h alone; then add W x, then tanh.",
        ),
        "state": Table(
            "New state $h'$",
            blanks=...,
            look="z of the old state and what is left to one of the candidate. It lies "
            "between the two.",
        ),
    },
    mistakes={
        "update gate swapped": Mistake(_says("update gate swapped"), _swapped),
        "no reset": Mistake(_says("no reset"), lambda: _stepped(past=1.0)),
        "sigmoid candidate": Mistake(
            _says("sigmoid candidate"), lambda: _stepped(squash=torch.sigmoid)
        ),
        "old state lost": Mistake(_says("old state lost"), lambda: _mixed(0.0, 1.0)),
        "candidate not weighted": Mistake(
            "the candidate has been added whole; only the part 1 − z of it is written",
            lambda: {"state": _mixed(1.0, 0.0)["state"] + _stepped()["candidate"]},
        ),
        "no sigmoid": Mistake(
            "the sum has not gone through σ: a gate lies between 0 and 1",
            lambda: {"gates": W[:2] * X + U[:2] * H},
        ),
    },
)
