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
        "leaning": torch.stack([start, now, goal]),
        "recovered": ((now - start) / (goal - start))[None],
    }


def _share(of) -> dict[str, Tensor]:
    start, now, goal = _patched()["leaning"]
    return {"recovered": torch.as_tensor(of(start, now, goal))[None]}


BY_HAND = ByHand(
    id="16.a",
    title="One head over",
    minutes=6,
    difficulty=1,
    task="Two heads add to the logits of two syllables, in a clean and in a corrupted "
    "run. Head 1 is patched: in the corrupted run it adds what it adds in the clean "
    "one. How far does the answer go over?",
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
        "leaning": Table(
            "Leaning: the logit of 개 less that of 고",
            columns=("corrupted", "patched", "clean"),
            blanks=...,
            look="add up the two heads of a run first.",
        ),
        "recovered": Table(
            "Recovered",
            columns=("share",),
            blanks=...,
            look="the way from corrupted to patched, divided by the way to clean.",
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
            "the leaning has been divided by the clean one: 0 must be where the "
            "corrupted run stands",
            lambda: _share(lambda start, now, goal: now / goal),
        ),
        "not divided": Mistake(
            "divide by the way from the corrupted run to the clean one",
            lambda: _share(lambda start, now, goal: now - start),
        ),
        "turned round": Mistake(
            "the difference is turned round: it is the logit of 개 less that of 고",
            lambda: {"leaning": -_patched()["leaning"]},
        ),
    },
)
