"""Scores turned into shares, more or less sharply."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.sentences import OVERFLOW


def softmax(
    scores: Float[Tensor, "batch vocab"], temperature: float
) -> Float[Tensor, "batch vocab"]:
    return _shares(scores / temperature)


def _shares(scores: Tensor) -> Tensor:
    powers = (scores - scores.amax(-1, keepdim=True)).exp()
    return powers / powers.sum(-1, keepdim=True)


def _powers_overflow(scores, temperature):
    powers = (scores / temperature).exp()
    return powers / powers.sum(-1, keepdim=True)


def _one_maximum_for_all(scores, temperature):
    scores = scores / temperature
    powers = (scores - scores.max()).exp()
    return powers / powers.sum(-1, keepdim=True)


def _whole_batch(scores, temperature):
    return softmax(scores.reshape(1, -1), temperature).reshape(scores.shape)


def _without_exp(scores, temperature):
    scores = scores / temperature
    return scores / scores.sum(-1, keepdim=True)


def _scored(batch: int, vocab: int, temperature: float, *, far: float = 0.0) -> tuple:
    """Scores of a batch; ``far`` moves each row further up than the one before."""
    rows = far * (torch.arange(batch)[:, None] - batch // 2)
    return draw.normal(batch, vocab) + rows, temperature


EXERCISE = Exercise(
    id="0.2",
    title="Scores become shares",
    minutes=6,
    difficulty=1,
    reference=softmax,
    cases={
        "a temperature of 1": partial(_scored, 5, 5, 1.0),
        "a low temperature": partial(_scored, 3, 7, 0.25),
        "a high temperature": partial(_scored, 2, 11, 4.0),
        "a batch of one": partial(_scored, 1, 3, 2.0),
        "scores in the hundreds, of both signs": partial(_scored, 5, 7, 1.0, far=150.0),
    },
    mistakes={
        "overflow": Mistake(OVERFLOW, _powers_overflow),
        "one maximum": Mistake(
            "the largest score of the whole batch has been subtracted. In a row far "
            "below it every exp is 0, and 0 / 0 is NaN: subtract each row's own "
            "largest score (dim=-1, keepdim=True)",
            _one_maximum_for_all,
        ),
        "over the batch": Mistake(
            "the softmax runs over the batch (dim=0): the columns sum to 1. The words "
            "of one row compete (dim=-1)",
            lambda scores, temperature: softmax(scores.mT, temperature).mT,
        ),
        "whole batch": Mistake(
            "all rows together sum to 1; each row should",
            _whole_batch,
        ),
        "multiplied": Mistake(
            "the scores are multiplied by the temperature, so that heat makes the "
            "choice sharper; they are divided by it",
            lambda scores, temperature: softmax(scores, 1 / temperature),
        ),
        "no temperature": Mistake(
            "the temperature changes nothing: it is not used, or it divides after the "
            "exp or the largest score alone, where it cancels. It divides the scores",
            lambda scores, temperature: softmax(scores, 1.0),
        ),
        "no exp": Mistake(
            "the scores are divided by their sum, without exp: a negative score gives "
            "a negative share",
            _without_exp,
        ),
        "logarithm": Mistake(
            "these are the logarithms of the shares; the shares are wanted",
            lambda scores, temperature: softmax(scores, temperature).log(),
        ),
        "sigmoid": Mistake(
            "each score goes through a sigmoid by itself: the shares of a row do not "
            "sum to 1, because the words do not compete",
            lambda scores, temperature: (scores / temperature).sigmoid(),
        ),
    },
    hints=(
        "three steps: divide by the temperature, subtract the largest of each row, "
        "and share out what exp makes of it.",
        "amax(dim=-1, keepdim=True) gives each row's largest number as a column, and "
        "a column is subtracted from every number of its row.",
        "after exp, divide by sum(dim=-1, keepdim=True).",
    ),
    tolerance=1e-4,  # a sum of powers of numbers in the hundreds is no nearer
)
