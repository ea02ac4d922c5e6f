"""The causal mask."""

import torch

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises.ch06.shared import band, causal_mask

EXERCISE = Exercise(
    id="6.2",
    title="Nothing from the future",
    minutes=4,
    difficulty=1,
    reference=causal_mask,
    cases={
        "seven tokens": lambda: (7,),
        "two tokens": lambda: (2,),
        "a single token": lambda: (1,),
    },
    mistakes={
        "inverted": Mistake(
            "the mask is inverted: it is True where a key must be hidden. Parts of "
            "PyTorch want it so; in this book True means may attend",
            lambda length: ~causal_mask(length),
        ),
        "present hidden": Mistake(
            "a token may not attend to itself here, so the first one has nothing at "
            "all to attend to: the diagonal is allowed",
            lambda length: band(length, behind=length, ahead=-1),
        ),
        "one token ahead": Mistake(
            "every token sees the next one, which is just what it must predict: a "
            "model trained so has a loss that is too good to be true",
            lambda length: band(length, behind=length, ahead=1),
        ),
        "looks ahead": Mistake(
            "the triangle is turned over: each token sees itself and the future, and "
            "nothing of the past. Rows are queries, columns are keys",
            lambda length: causal_mask(length).mT,
        ),
        "everything": Mistake(
            "nothing is hidden",
            lambda length: torch.ones(length, length, dtype=torch.bool),
        ),
        "only itself": Mistake(
            "each token sees itself alone; it may see what stands before it, too",
            lambda length: torch.eye(length, dtype=torch.bool),
        ),
        "only the one before": Mistake(
            "each token sees itself and the one before it; all of the past is allowed",
            lambda length: band(length, behind=1, ahead=0),
        ),
    },
    hints=(
        "query i may attend to key j where j ≤ i. torch.arange(length) has all i, "
        "and all j.",
        "a comparison of places[:, None] with places gives True and False in axes "
        "(query, key); torch.tril of a matrix of ones does the same.",
    ),
)
