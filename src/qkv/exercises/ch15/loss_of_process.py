"""The loss of one process, such that the average of all is the whole batch's."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def loss_of_process(
    losses: Float[Tensor, "batch target"],
    real: Bool[Tensor, "batch target"],
    counts: Int[Tensor, " process"],
) -> Float[Tensor, ""]:
    return _weighed(losses, real, counts, len(counts) / counts.sum())


def _sum(losses: Tensor, real: Tensor) -> Tensor:
    """The sum over the process's real tokens; 0, and no NaN, where it has none."""
    return losses.where(real, 0.0).sum()


def _weighed(losses, real, counts, weight: Tensor | float) -> Tensor:
    return _sum(losses, real) * weight


def _by(weight: Callable) -> Callable:
    """The sum of the real tokens' losses, by another weight."""
    return lambda losses, real, counts: _weighed(
        losses, real, counts, weight(real, counts)
    )


def _padding_added(losses, real, counts):
    return losses.sum() * len(counts) / counts.sum()


def _mean_of_all(losses, real, counts):
    return losses.mean()


def _of_sentences(losses, real, counts):
    """The mean of the sentences' own means."""
    means = losses.where(real, 0.0).sum(1) / real.sum(1)
    return means.mean()


def _part(*lengths: int, target: int, others: tuple[int, ...], at: int) -> tuple:
    """A process's part: sentences of these lengths, and what the others counted."""
    losses = 1 + draw.normal(len(lengths), target).square()
    real = torch.arange(target) < torch.tensor(lengths)[:, None]
    counts = [*others[:at], sum(lengths), *others[at:]]
    return losses, real, torch.tensor(counts)


EXERCISE = Exercise(
    id="15.7",
    title="The loss of one process",
    minutes=8,
    difficulty=2,
    reference=loss_of_process,
    cases={
        "two processes": partial(_part, 3, 5, 2, target=7, others=(17,), at=0),
        "the short sentences of five": partial(
            _part, 1, 2, 2, 3, target=3, others=(19, 31, 23, 41), at=2
        ),
        "the long ones of three": partial(
            _part, 11, 13, target=13, others=(3, 5), at=1
        ),
        "alone": partial(_part, 5, 2, 7, target=11, others=(), at=0),
        "one sentence": partial(_part, 4, target=5, others=(7, 3), at=1),
        "nothing to predict": partial(_part, 0, 0, target=3, others=(11,), at=1),
    },
    mistakes={
        "mean of means": Mistake(
            "this is the mean over the process's own tokens, and the average of such "
            "means is not the mean over all: in a process with few tokens each of them "
            "counts more. Divide by the tokens of all processes",
            _by(lambda real, counts: 1 / real.sum()),
        ),
        "processes forgotten": Mistake(
            "the sum has been divided by the tokens of all processes, which is right; "
            "but DDP averages the gradients, and so divides by the number of processes "
            "once more. Multiply by it: len(counts)",
            _by(lambda real, counts: 1 / counts.sum()),
        ),
        "processes forgotten, by the mean": Mistake(
            "the mean has been multiplied by the process's share of the tokens. DDP "
            "divides by the number of processes, so multiply by it as well. And where "
            "a process has no real token the mean is NaN: use the sum",
            lambda losses, real, counts: (
                losses[real].mean() * real.sum() / counts.sum()
            ),
        ),
        "mean of nothing": Mistake(
            "right until a process has no real token: the mean of nothing is NaN, and "
            "0 · NaN is NaN, too. Start from the sum, which is 0 there",
            lambda losses, real, counts: (
                losses[real].mean() * real.sum() * len(counts) / counts.sum()
            ),
        ),
        "the padding alone": Mistake(
            "the losses of the padding have been added up, and those of the real "
            "tokens left out: real is True where there is a token",
            lambda losses, real, counts: _weighed(
                losses, ~real, counts, len(counts) / counts.sum()
            ),
        ),
        "places for tokens": Mistake(
            "the sum of the real tokens has been divided by all places of this "
            "process, padding included. Divide by the real tokens of all processes",
            _by(lambda real, counts: 1 / real.numel()),
        ),
        "sum": Mistake(
            "this is the sum over the process's tokens: the gradient grows with the "
            "length of the batch. Divide by the tokens of all processes, and multiply "
            "by the number of processes",
            _by(lambda real, counts: 1.0),
        ),
        "own count": Mistake(
            "the sum has been divided by the process's own tokens, and multiplied by "
            "the number of processes. It is the tokens of all processes, counts.sum(), "
            "that must be divided by",
            _by(lambda real, counts: len(counts) / real.sum()),
        ),
        "sum times processes": Mistake(
            "the sum has been multiplied by the number of processes, and is still to "
            "be divided by the tokens of all of them",
            _by(lambda real, counts: len(counts)),
        ),
        "divided by the processes": Mistake(
            "the sum has been divided by the number of processes, too. DDP does that "
            "already: multiply by it",
            _by(lambda real, counts: 1 / (len(counts) * counts.sum())),
        ),
        "own mean divided": Mistake(
            "the mean over the process's own tokens has been divided by the number of "
            "processes: DDP divides by it once more, and a process with few tokens "
            "still counts as much as one with many",
            _by(lambda real, counts: 1 / (len(counts) * real.sum())),
        ),
        "divided by sentences": Mistake(
            "the sum has been divided by the number of sentences, so that long ones "
            "count more. Divide by the tokens of all processes",
            _by(lambda real, counts: 1 / len(real)),
        ),
        "mean of sentences": Mistake(
            "each sentence has been averaged, and then the sentences: a token of a "
            "short one counts more. Divide the sum of all by the tokens of all "
            "processes",
            _of_sentences,
        ),
        "padding counted": Mistake(
            "the losses of the padding have been added up with the others: real is "
            "False there",
            _padding_added,
        ),
        "mean with the padding": Mistake(
            "losses.mean() counts the padding, and divides by the process's own number "
            "of places: add up the real ones, and divide by the real tokens of all "
            "processes",
            _mean_of_all,
        ),
        "first process": Mistake(
            "the count of process 0 has been used for all: the tokens of all processes "
            "together are counts.sum()",
            _by(lambda real, counts: len(counts) / counts[0]),
        ),
        "sum weighed by its share": Mistake(
            "the sum has been multiplied by the process's share of the tokens, so that "
            "its number of tokens counts twice. That would be right for the mean; for "
            "the sum it is sum · len(counts) / counts.sum()",
            _by(lambda real, counts: len(counts) * real.sum() / counts.sum()),
        ),
        "weighed the wrong way": Mistake(
            "the mean over the process's own tokens has been multiplied by all tokens "
            "over its own: a process with few tokens now counts even more. It must "
            "count in proportion to its tokens",
            _by(
                lambda real, counts: (
                    counts.sum() / (len(counts) * real.sum().square().float())
                )
            ),
        ),
        "weighed by the largest": Mistake(
            "the sum has been divided by the count of the longest part; the average of "
            "all processes has to be divided by the mean count",
            _by(lambda real, counts: 1 / counts.max()),
        ),
    },
    hints=(
        "write down what is wanted: the sum of the losses of all tokens everywhere, "
        "divided by their number. Which part of that sum does this process have?",
        "DDP adds the gradients of all processes and divides by their number. Multiply "
        "the loss by that number beforehand.",
        "a process with no real token must return 0, and no NaN: divide by "
        "counts.sum(), never by its own count.",
    ),
)
