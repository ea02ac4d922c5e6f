"""How much of the clean run's answer a patch recovers."""

from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def recovered(
    clean: Float[Tensor, "batch vocab"],
    corrupted: Float[Tensor, "batch vocab"],
    patched: Float[Tensor, "batch vocab"],
    first: Int[Tensor, " batch"],
    second: Int[Tensor, " batch"],
) -> Float[Tensor, " batch"]:
    return _recovered(clean, corrupted, patched, first, second)


def _recovered(clean, corrupted, patched, first, second, read=lambda logits: logits):
    start, now, goal = (
        _difference(read(logits), first, second)
        for logits in (corrupted, patched, clean)
    )
    return (now - start) / (goal - start)


def _difference(logits, first, second):
    rows = torch.arange(len(logits))
    return logits[rows, first] - logits[rows, second]


def _first_alone(clean, corrupted, patched, first, second):
    rows = torch.arange(len(first))
    start, now, goal = (x[rows, first] for x in (corrupted, patched, clean))
    return (now - start) / (goal - start)


def _of_clean(clean, corrupted, patched, first, second):
    return _difference(patched, first, second) / _difference(clean, first, second)


def _of_all_pairs(clean, corrupted, patched, first, second):
    start, now, goal = (
        _difference(logits, first, second) for logits in (corrupted, patched, clean)
    )
    return (now - start) / (goal - start).mean()


def _drawn(pairs: int, vocab: int) -> tuple:
    clean, corrupted, patched = draw.normals(*[(pairs, vocab)] * 3)
    first = torch.arange(pairs) % vocab
    second = (first + 1 + torch.arange(pairs) % (vocab - 1)) % vocab
    rows = torch.arange(pairs)
    for logits, high, low in ((clean, first, second), (corrupted, second, first)):
        logits[rows, high], logits[rows, low] = logits.amax(1) + 3, logits.amin(1) - 1
    return clean, corrupted, patched, first, second


EXERCISE = Exercise(
    id="16.4",
    title="How much is recovered?",
    minutes=8,
    difficulty=2,
    reference=recovered,
    cases={
        "eleven pairs": partial(_drawn, 11, 7),
        "three pairs": partial(_drawn, 3, 13),
        "one pair": partial(_drawn, 1, 5),
    },
    mistakes={
        "direction exchanged": Mistake(
            "0 and 1 are exchanged: a run in which nothing is patched is the corrupted "
            "one and must give 0; with everything patched it is the clean one, 1",
            lambda clean, corrupted, *rest: recovered(corrupted, clean, *rest),
        ),
        "probabilities": Mistake(
            "probabilities have been compared. They hardly move as long as one token "
            "is far ahead, and then jump; the difference of two logits moves evenly",
            partial(_recovered, read=lambda logits: logits.softmax(-1)),
        ),
        "one logit": Mistake(
            "only the logit of the clean sentence's token has been followed. A patch "
            "that raises all logits alike would look like a success; take its "
            "difference to the corrupted sentence's token",
            _first_alone,
        ),
        "start forgotten": Mistake(
            "the corrupted run's logit difference has not been subtracted: 0 is to be "
            "where the corrupted run stands, not where the two logits are equal",
            _of_clean,
        ),
        "not divided": Mistake(
            "this is by how much the logit difference has changed. Divide by how far "
            "the clean run is from the corrupted one: then 1 is all the way",
            lambda clean, corrupted, patched, first, second: (
                _difference(patched, first, second)
                - _difference(corrupted, first, second)
            ),
        ),
        "divided by the mean": Mistake(
            "every pair has been divided by the mean of all pairs. Clean and corrupted "
            "run are not equally far apart in all pairs; divide each by its own",
            _of_all_pairs,
        ),
        "right or wrong": Mistake(
            "this says whether the clean sentence's token is ahead: 0 or 1. How far a "
            "patch goes is a number between",
            lambda clean, corrupted, patched, first, second: (
                _difference(patched, first, second) > 0
            ).float(),
        ),
    },
    hints=(
        "for each of the three runs, the logit difference: the logit of the clean "
        "sentence's token minus that of the corrupted one's.",
        "then, for each pair: patched minus corrupted, divided by clean minus "
        "corrupted.",
    ),
    trained=False,
)
