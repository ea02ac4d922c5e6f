"""A patch by hand: two heads, two logits."""

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table
from qkv.checking.exercise import Mistake

CLEAN = torch.tensor([[4.0, 0], [1, 2]])  # what each head adds to the two logits
CORRUPTED = torch.tensor([[1.0, 3], [2, 1]])
HEADS, LOGITS = ("head 1", "head 2"), ("개", "고")


def _patched(head: int = 0) -> dict[str, Tensor]:
    new = CORRUPTED.clone()
    new[head] = CLEAN[head]
    return _all(new)


def _all(new: Tensor) -> dict[str, Tensor]:
    start, now, goal = (x.sum(0)[0] - x.sum(0)[1] for x in (CORRUPTED, new, CLEAN))
    return {
        "clean": CLEAN,
        "corrupted": CORRUPTED,
        "logits": new.sum(0),
        "difference": torch.stack([start, now, goal]),
        "recovered": ((now - start) / (goal - start))[None],
    }


def _share(of) -> dict[str, Tensor]:
    start, now, goal = _patched()["difference"]
    return {"recovered": torch.as_tensor(of(start, now, goal))[None]}


BY_HAND = ByHand(
    id="16.a",
    title="One head patched",
    minutes=6,
    difficulty=1,
    task="Two heads add to the logits of two syllables, in a clean and in a corrupted "
    "run. Head 1 is patched: in the corrupted run it adds what it adds in the clean "
    "one. Let Δ be the logit of 개 minus that of 고. How much is recovered: Δ patched "
    "minus Δ corrupted, divided by Δ clean minus Δ corrupted?",
    compute=_patched,
    tables={
        "clean": Table("Clean run: what each head adds", HEADS, LOGITS),
        "corrupted": Table("Corrupted run", HEADS, LOGITS),
        "logits": Table(
            "Logits of the patched run",
            columns=LOGITS,
            blanks=...,
            look="head 1 from the clean run, head 2 from the corrupted one, added up.",
        ),
        "difference": Table(
            "Δ: the logit of 개 minus that of 고",
            columns=("corrupted", "patched", "clean"),
            blanks=...,
            look="add up the two heads of a run first.",
        ),
        "recovered": Table(
            "Recovered",
            columns=("share",),
            blanks=...,
            look="from Δ of the patched and from Δ of the clean run, subtract Δ of the "
            "corrupted one. Then divide.",
        ),
    },
    mistakes={
        "the other head": Mistake(
            "head 2 has been patched, and head 1 has stayed",
            lambda: _patched(1),
        ),
        "both heads": Mistake(
            "both heads have been patched: that is the clean run",
            lambda: _all(CLEAN),
        ),
        "start forgotten": Mistake(
            "Δ of the patched run has been divided by Δ of the clean one. Subtract Δ "
            "of the corrupted run from both: 0 must be where the corrupted run stands",
            lambda: _share(lambda start, now, goal: now / goal),
        ),
        "not divided": Mistake(
            "divide by Δ of the clean run minus Δ of the corrupted one",
            lambda: _share(lambda start, now, goal: now - start),
        ),
        "turned round": Mistake(
            "the difference is turned round: it is the logit of 개 minus that of 고",
            lambda: {"difference": -_patched()["difference"]},
        ),
    },
)
