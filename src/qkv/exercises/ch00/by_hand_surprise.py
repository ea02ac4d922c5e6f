"""Three scores, the truth, and how surprised the model is."""

import math

import torch
from torch import Tensor

from qkv.checking.by_hand import ByHand, Table
from qkv.checking.exercise import Mistake

SCORES = torch.tensor([0.0, math.log(3), math.log(4)])
TRUTH = torch.tensor([0.0, 1, 0])
WORDS = ("was", "were", "is")


def _judged(shares: Tensor | None = None) -> dict[str, Tensor]:
    shares = SCORES.softmax(-1) if shares is None else shares
    surprise = -(TRUTH * shares.log()).nansum()
    return {
        "scores": SCORES,
        "truth": TRUTH,
        "shares": shares,
        "surprise": surprise,
        "perplexity": surprise.exp(),
        "gradient": shares - TRUTH,
    }


def _surprise(surprise: float) -> dict[str, Tensor]:
    return {"surprise": torch.tensor(surprise)}


BY_HAND = ByHand(
    id="0.a",
    title="Scores, shares, surprise",
    minutes=6,
    difficulty=1,
    task="The scores are chosen so that $e$ to their power is 1, 3 and 4. The truth "
    "is “were”. Take the softmax, the surprise at the truth, the perplexity, and "
    "what the loss says to each score.",
    compute=_judged,
    tables={
        "scores": Table("Scores: $0, \\ln 3, \\ln 4$", columns=WORDS),
        "truth": Table("The truth, one-hot", columns=WORDS),
        "shares": Table(
            "Shares: the softmax",
            columns=WORDS,
            blanks=...,
            look="e to the power of each score, divided by the sum of all three.",
        ),
        "surprise": Table(
            "Surprise: $-\\ln p$ of the truth",
            blanks=...,
            look="the natural logarithm of the share of the true word, without its "
            "minus.",
        ),
        "perplexity": Table(
            "Perplexity: $e$ to the surprise",
            blanks=...,
            look="for one word this is one divided by the share of the truth.",
        ),
        "gradient": Table(
            "Gradient by each score: $p - \\mathrm{onehot}$",
            columns=WORDS,
            blanks=...,
            look="the shares, and at the true word one less. The three sum to zero.",
        ),
    },
    mistakes={
        "no exponential": Mistake(
            "the scores have been divided by their sum; softmax takes e to the power "
            "of each first: a score of 0 is one part of the sum, e⁰ = 1",
            lambda: {"shares": SCORES / SCORES.sum()},
        ),
        "not divided": Mistake(
            "this is the exponential; it is still to be divided by the sum of all "
            "three, so that the shares sum to one",
            lambda: {"shares": SCORES.exp()},
        ),
        "base 2": Mistake(
            "this is log2, the surprise in bits; here it is ln, in nats",
            lambda: _surprise(-math.log2(3 / 8)),
        ),
        "sign": Mistake(
            "the logarithm of a share is negative; the surprise is its opposite",
            lambda: _surprise(math.log(3 / 8)),
        ),
        "its favourite": Mistake(
            "this is the surprise at the word that the model likes best; it is judged "
            "at the true one",
            lambda: _surprise(-math.log(1 / 2)) | {"perplexity": torch.tensor(2.0)},
        ),
        "truth minus share": Mistake(
            "this is truth less share. The gradient is share less truth; training goes "
            "against it, and so the true word's score rises",
            lambda: {"gradient": TRUTH - SCORES.softmax(-1)},
        ),
        "only the shares": Mistake(
            "these are the shares; at the true word 1 is still to be taken away",
            lambda: {"gradient": SCORES.softmax(-1)},
        ),
    },
)
