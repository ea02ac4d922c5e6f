"""Three experts, of which two work on a token, by hand."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table, as_in
from qkv.checking.exercise import Mistake
from qkv.exercises.ch12.gates import EXERCISE as GATES
from qkv.exercises.ch12.gates import gates

SCORES = torch.tensor([1.0, 4, 3])
SAID = torch.tensor([[8.0, 8], [4, -4], [0, 16]])
EXPERTS, FEATURES = ("expert 1", "expert 2", "expert 3"), ("1", "2")


def _mixed(gate: Callable = gates, k: int = 2) -> dict[str, Tensor]:
    weights, chosen = gate(SCORES.log()[None], k)
    gate_of = torch.zeros(3).scatter(0, chosen[0], weights[0])
    return _added(SCORES / SCORES.sum(), gate_of)


def _added(probabilities: Tensor, gate_of: Tensor) -> dict[str, Tensor]:
    return {
        "scores": SCORES,
        "said": SAID,
        "probabilities": probabilities,
        "gates": gate_of,
        "output": gate_of @ SAID,
    }


def _without_weights() -> dict[str, Tensor]:
    return {"output": SAID[1] + SAID[2]}


BY_HAND = ByHand(
    id="12.a",
    title="Two of three experts",
    minutes=6,
    difficulty=1,
    decimals=3,
    task="A router has scored three experts for one token; here are the powers "
    "$e^{s_i}$ of its scores. With $k = 2$ the two best work on it, and the gates are "
    "probabilities over all experts. What is the layer's output? (Expert 1 is never "
    "asked when the layer runs. Its words stand here for those who ask it.)",
    compute=_mixed,
    tables={
        "scores": Table("$e^{s_i}$", columns=EXPERTS),
        "said": Table("What each would say, $E_i(x)$", EXPERTS, FEATURES),
        "probabilities": Table(
            "Probability of each expert",
            columns=EXPERTS,
            blanks=...,
            look="a softmax: each power, divided by the sum of all three.",
        ),
        "gates": Table(
            "Gate of each expert, 0 if it is not chosen",
            columns=EXPERTS,
            blanks=...,
            look="the two largest probabilities stay as they are.",
        ),
        "output": Table(
            "Output",
            columns=FEATURES,
            blanks=...,
            look="multiply each row of words by its gate, and add up the rows.",
        ),
    },
    mistakes={
        **as_in(GATES, "softmax of the chosen", "squares", compute=_mixed),
        "dense": Mistake(
            "all three experts have worked on the token: with k = 2 the third one's "
            "gate is 0",
            partial(_mixed, k=3),
        ),
        "one expert": Mistake(
            "only the best expert has worked on the token: with k = 2 there are two",
            partial(_mixed, k=1),
        ),
        "the worst": Mistake(
            "the experts with the smallest probabilities have been chosen: it is the "
            "largest ones",
            lambda: _added(SCORES / 8, torch.tensor([1.0, 0, 3]) / 8),
        ),
        "weights forgotten": Mistake(
            "what the two say has been added up without their gates",
            _without_weights,
        ),
        "powers": Mistake(
            "these are the powers themselves, not divided by their sum",
            lambda: {"probabilities": SCORES, "gates": SCORES * (SCORES > 1)},
        ),
    },
)
