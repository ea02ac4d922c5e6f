"""The loss of a batch with padding."""

from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.sentences import (
    BY_SENTENCES,
    NO_SIGN,
    PADDING_COUNTED,
    TWO_SOFTMAXES,
)


def sequence_loss(
    logits: Float[Tensor, "batch target vocab"],
    target: Int[Tensor, "batch target"],
    pad: int,
) -> Float[Tensor, ""]:
    return _surprise(logits, target)[target != pad].mean()


def _surprise(logits: Tensor, target: Tensor) -> Tensor:
    """−log p of each true token."""
    return -logits.log_softmax(-1).gather(-1, target[..., None]).squeeze(-1)


def _each_sentence_alike(logits, target, pad):
    real = target != pad
    return ((_surprise(logits, target) * real).sum(1) / real.sum(1)).mean()


def _over_positions(logits, target, pad):
    log_p = logits.log_softmax(1)
    return -log_p.gather(-1, target[..., None]).squeeze(-1)[target != pad].mean()


def _reshaped(logits, target, pad):
    vocab_in_front = logits.reshape(len(logits), logits.shape[2], -1)
    return F.cross_entropy(vocab_in_front, target, ignore_index=pad)


def _predictions(batch: int, target: int, vocab: int, pad: int, full: bool) -> tuple:
    """Targets whose ends are padding, each a little more than the one before."""
    ids = 1 + draw.ids(batch, target, high=vocab - 1)
    ids = torch.where(ids == pad, 1 + pad % (vocab - 1), ids)
    if not full:
        lengths = target - torch.arange(batch) % (target - 1)
        ids[torch.arange(target) >= lengths[:, None]] = pad
    return draw.normal(batch, target, vocab, seed=3), ids, pad


EXERCISE = Exercise(
    id="1.3",
    title="The loss of a batch",
    minutes=6,
    difficulty=2,
    reference=sequence_loss,
    cases={
        "sentences of different lengths": partial(_predictions, 3, 5, 7, 0, False),
        "a batch of one without padding": partial(_predictions, 1, 3, 5, 0, True),
        "another padding id": partial(_predictions, 5, 7, 11, 10, False),
    },
    mistakes={
        "padding counted": Mistake(
            PADDING_COUNTED,
            lambda logits, target, pad: _surprise(logits, target).mean(),
        ),
        "divided by all cells": Mistake(
            "the padding is left out of the sum but not out of the count: a batch "
            "with more padding looks easier",
            lambda logits, target, pad: (
                (_surprise(logits, target) * (target != pad)).sum() / target.numel()
            ),
        ),
        "sum": Mistake(
            "this is the sum over the tokens; the mean is wanted, so that batches of "
            "different sizes can be compared",
            lambda logits, target, pad: _surprise(logits, target)[target != pad].sum(),
        ),
        "by sentences": Mistake(
            BY_SENTENCES,
            lambda logits, target, pad: (
                _surprise(logits, target)[target != pad].sum() / len(target)
            ),
        ),
        "reshaped": Mistake(
            "cross_entropy wants the vocabulary in the second axis, and you have put "
            "it there with view or reshape, which moves nothing: so the scores of "
            "different words and positions are mixed. Swap the axes, transpose(1, 2)",
            _reshaped,
        ),
        "no softmax": Mistake(
            "the logits have been taken for log-probabilities: a softmax over the "
            "vocabulary must come first",
            lambda logits, target, pad: (
                -logits.gather(-1, target[..., None]).squeeze(-1)[target != pad].mean()
            ),
        ),
        "softmax over positions": Mistake(
            "the softmax runs over the positions of the sentence (dim=1); at each "
            "position the words of the vocabulary compete (dim=-1)",
            _over_positions,
        ),
        "softmax twice": Mistake(
            TWO_SOFTMAXES,
            lambda logits, target, pad: sequence_loss(logits.softmax(-1), target, pad),
        ),
        "no logarithm": Mistake(
            "this is the mean probability of the true tokens, negative; the mean of "
            "its logarithm is wanted",
            lambda logits, target, pad: (
                -torch.exp(-_surprise(logits, target))[target != pad].mean()
            ),
        ),
        "each sentence alike": Mistake(
            "you average over each sentence and then over the sentences: a token of "
            "a short sentence weighs more. N counts the tokens of the whole batch",
            _each_sentence_alike,
        ),
        "sign": Mistake(
            NO_SIGN,
            lambda *given: -sequence_loss(*given),
        ),
        "pad written in": Mistake(
            "the padding is taken to be 0; use the id that was given as pad",
            lambda logits, target, pad: sequence_loss(logits, target, 0),
        ),
    },
    hints=(
        "log_softmax over the vocabulary gives the log-probability of every word at "
        "every position; you need that of the true word.",
        "gather(-1, target[..., None]) picks out one entry at each position; "
        "target != pad says which positions are real.",
        "F.cross_entropy does all of it, if the axes batch and target are first made "
        "one (flatten) and it is told ignore_index.",
    ),
)
