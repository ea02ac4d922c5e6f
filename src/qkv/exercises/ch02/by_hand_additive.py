"""The additive score by hand, of the text's three states."""

from collections.abc import Callable

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table, as_in
from qkv.checking.exercise import Mistake
from qkv.exercises.ch02.additive_scores import EXERCISE as SCORES
from qkv.exercises.ch02.additive_scores import additive_scores

S = torch.tensor([[1.0, -1.0]])
H = torch.tensor([[1.0, 0], [0, 1], [2, 2]])
W, U = torch.eye(2), torch.tensor([[0.0, 1.0], [1.0, 0.0]])
V = torch.tensor([1.0, 2.0])
STATES = ("h₁", "h₂", "h₃")


def _scores(
    score: Callable = additive_scores, together: Tensor = S @ W.mT + H @ U.mT
) -> dict[str, Tensor]:
    scores = score(S, H[None], W, U, V)
    return {"s": S, "h": H, "v": V, "together": together, "scores": scores}


def _spoilt(name: str, together: Tensor) -> Mistake:
    """A mistake that shows before the tanh already."""
    mistake = SCORES.mistakes[name]
    return Mistake(mistake.says, lambda: _scores(mistake.wrong, together))


BY_HAND = ByHand(
    id="2.b",
    title="An additive score",
    minutes=7,
    difficulty=2,
    task=r"Let $W$ be the identity, and let $U$ exchange the two numbers of a state. "
    r"Score each state for the query $s$: $v^\top \tanh(W s + U h_j)$. You need "
    r"$\tanh 1 = .762$, $\tanh 2 = .964$, $\tanh 3 = .995$, and "
    r"$\tanh(-a) = -\tanh a$.",
    compute=_scores,
    tables={
        "s": Table("The query", ("s",), ("1", "2")),
        "h": Table("The states", STATES, ("1", "2")),
        "v": Table("What reads the score off", ("v",), ("1", "2")),
        "together": Table(
            "$W s + U h_j$",
            STATES,
            ("1", "2"),
            blanks=...,
            look="exchange the two numbers of the state, then add those of the query.",
        ),
        "scores": Table(
            r"Scores $v^\top \tanh(W s + U h_j)$",
            ("e",),
            STATES,
            blanks=...,
            look="tanh of both numbers, each times its number of v, added.",
            slack=0.03,
        ),
    },
    mistakes={
        **as_in(
            SCORES, "no tanh", "tanh of each", "tanh last", "no v", compute=_scores
        ),
        "W and U swapped": _spoilt("W and U swapped", S @ U.mT + H @ W.mT),
        "product": _spoilt("product", (S @ W.mT) * (H @ U.mT)),
        "U left out": Mistake(
            "the numbers of the state have not been exchanged: that is what U does",
            lambda: _scores(lambda s, h, *_: torch.tanh(s + h) @ V, S @ W.mT + H),
        ),
    },
)
