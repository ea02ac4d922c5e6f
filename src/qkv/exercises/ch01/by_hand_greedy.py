"""Greedy decoding by hand, on a tree where it misses the best sequence."""

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table
from qkv.checking.exercise import Mistake

FIRST = torch.tensor([[0.6], [0.4]])
NEXT = torch.tensor([[0.55, 0.45], [0.9, 0.1]])


def _decoded(whole: Tensor = FIRST * NEXT) -> dict[str, Tensor]:
    greedy = whole[FIRST.argmax()][NEXT[FIRST.argmax()].argmax()]
    return {
        "first": FIRST,
        "next": NEXT,
        "whole": whole,
        "found": torch.stack([greedy, whole.max()]),
    }


WORDS = ("first A", "first B")
THEN = ("then C", "then D")

BY_HAND = ByHand(
    id="1.b",
    title="What greedy decoding misses",
    minutes=4,
    difficulty=2,
    task="A decoder writes two words. Here is what it says of the first, and of the "
    "second after each first. How probable is each whole sequence? Which of them does "
    "greedy decoding write, and which one is the most probable?",
    compute=_decoded,
    tables={
        "first": Table("Probability of the first word", WORDS),
        "next": Table("Probability of the second, after the first", WORDS, THEN),
        "whole": Table(
            "Probability of both together",
            WORDS,
            THEN,
            blanks=...,
            look="the second word comes after the first: both must happen. All four "
            "sum to one.",
        ),
        "found": Table(
            "Probability of the sequence",
            columns=("that greedy writes", "that is best"),
            blanks=...,
            look="greedy decides the first word before it knows the second. The best "
            "one is the largest of the four.",
        ),
    },
    mistakes={
        "added": Mistake(
            "the two probabilities have been added; that both happen is their product",
            lambda: _decoded(FIRST + NEXT),
        ),
        "second only": Mistake(
            "this is the probability of the second word alone; the first must happen, "
            "too",
            lambda: _decoded(NEXT),
        ),
        "mean": Mistake(
            "this is the mean of the two probabilities; that both happen is their "
            "product, smaller than either",
            lambda: _decoded((FIRST + NEXT) / 2),
        ),
        "greedy is best": Mistake(
            "this is the sequence that greedy decoding writes. Another one, which "
            "begins with a less probable word, is more probable as a whole",
            lambda: {"found": torch.tensor([0.33, 0.33])},
        ),
        "greedy finds the best": Mistake(
            "this is the most probable sequence, and greedy decoding never sees it: "
            "it takes the most probable first word, and cannot go back",
            lambda: {"found": torch.tensor([0.36, 0.36])},
        ),
    },
)
