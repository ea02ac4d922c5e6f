"""The ceiling of a model that does not know the order."""

from functools import partial

import torch
from jaxtyping import Int
from torch import Tensor
from torch.nn import functional as F

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def order_blind_ceiling(sequences: Int[Tensor, "batch token"]) -> float:
    return float(_largest_counts(sequences).double().mean()) / sequences.shape[1]


def _largest_counts(sequences: Tensor) -> Int[Tensor, " batch"]:
    return F.one_hot(sequences).sum(1).amax(-1)


def _different_tokens(sequences):
    different = (F.one_hot(sequences).sum(1) > 0).sum(-1)
    return float((1 / different).mean())


def _last_run(sequences):
    """The longest stretch of one token, as a share."""
    best = run = torch.ones(len(sequences))
    for before, now in zip(sequences.mT, sequences.mT[1:], strict=False):
        run = torch.where(before == now, run + 1, 1)
        best = torch.maximum(best, run)
    return float(best.mean()) / sequences.shape[1]


def _drawn_like_the_row(sequences):
    shares = F.one_hot(sequences).sum(1) / sequences.shape[1]
    return float(shares.square().sum(-1).mean())


def _sequences(batch: int, token: int, symbols: int) -> tuple:
    return (1 + draw.ids(batch, token, high=symbols, seed=2),)


EXERCISE = Exercise(
    id="5.1",
    title="How far without knowing where?",
    minutes=7,
    difficulty=2,
    reference=order_blind_ceiling,
    cases={
        "five sequences of eleven tokens": partial(_sequences, 5, 11, 3),
        "seven sequences, many symbols": partial(_sequences, 7, 13, 17),
        "a batch of one": partial(_sequences, 1, 7, 5),
        "a single token each": partial(_sequences, 3, 1, 7),
    },
    mistakes={
        "count": Mistake(
            "this is how often the commonest token occurs, as a number; its share "
            "of the length is wanted",
            lambda sequences: float(_largest_counts(sequences).float().mean()),
        ),
        "whole batch": Mistake(
            "one commonest token has been chosen for the whole batch; the model sees "
            "which tokens its own sequence has, and may answer each one differently",
            lambda sequences: (
                float(sequences.flatten().bincount().max()) / sequences.numel()
            ),
        ),
        "different tokens": Mistake(
            "this is right one time in as many as there are different tokens, as if "
            "they were equally frequent; the best answer is the one that occurs most",
            _different_tokens,
        ),
        "drawn like the row": Mistake(
            "this model answers with each token as often as it occurs, Σ share². "
            "Always answering the commonest one is right more often",
            _drawn_like_the_row,
        ),
        "copied": Mistake(
            "this is how often a token equals its mirror image: the share that is "
            "right if the sequence is answered as it stands. That model knows where",
            lambda sequences: float((sequences == sequences.flip(1)).float().mean()),
        ),
        "longest run": Mistake(
            "only neighbours that are equal have been counted together; whether "
            "equal tokens stand side by side is a matter of order, and the model "
            "does not see it",
            _last_run,
        ),
    },
    hints=(
        "each place must be given the same answer, and each token of the sequence "
        "is wanted at some place. Which single answer is right at most places?",
        "count the tokens of each sequence: F.one_hot(sequences).sum(dim=1), or "
        "row.bincount() in a loop; then the largest count over the length, and the "
        "mean.",
    ),
)
