"""How much a head looks at the token after the earlier copy."""

from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def induction(
    weights: Float[Tensor, "batch head query key"], lengths: Int[Tensor, " batch"]
) -> Float[Tensor, " head"]:
    return _looked(weights, lengths, further=1)


def _looked(weights, lengths, further):
    """The mean weight on i − L + further, over all i ≥ L of all sequences."""
    found = [
        weights[row, :, i, (i - length + further) % weights.shape[3]]
        for row, length in enumerate(lengths.tolist())
        for i in range(length, weights.shape[2])
    ]
    return torch.stack(found).mean(0)


def _mean_of_sequences(weights, lengths):
    rows = zip(weights, lengths, strict=True)
    return torch.stack([induction(w[None], n[None]) for w, n in rows]).mean(0)


def _from_the_start(weights, lengths):
    """Tokens of the first copy count, too, with whatever stands there."""
    query, found = weights.shape[2], []
    for row, length in enumerate(lengths.tolist()):
        for i in range(query):
            found.append(weights[row, :, i, max(i - length + 1, 0)])
    return torch.stack(found).mean(0)


def _one_length(weights, lengths):
    return induction(weights, lengths[:1].expand_as(lengths))


def _drawn(batch: int, head: int, token: int, low: int, high: int) -> tuple:
    weights = draw.normal(batch, head, token, token).tril().softmax(-1)
    lengths = low + draw.ids(batch, high=high - low + 1, seed=3)
    lengths[0], lengths[-1] = low, high
    return weights, lengths


EXERCISE = Exercise(
    id="16.1",
    title="Who looks after the earlier one?",
    minutes=5,
    difficulty=1,
    reference=induction,
    cases={
        "blocks of 3 to 7": partial(_drawn, 5, 2, 17, 3, 7),
        "blocks of 2 to 11, three heads": partial(_drawn, 7, 3, 13, 2, 11),
        "one sequence": partial(_drawn, 1, 2, 11, 5, 5),
    },
    mistakes={
        "the same token": Mistake(
            "this is the weight on token i − L, the earlier copy of the same token. "
            "What is to be named stands one after it, at i − L + 1",
            partial(_looked, further=0),
        ),
        "one too far": Mistake(
            "this is the weight on token i − L + 2, one too far",
            partial(_looked, further=2),
        ),
        "columns for rows": Mistake(
            "queries and keys are exchanged: weights[b, h, query, key]. A causal map "
            "read this way has zeros where it should be largest",
            lambda weights, lengths: induction(weights.mT, lengths),
        ),
        "first copy, too": Mistake(
            "tokens of the first copy have been counted as well. They have no earlier "
            "copy; only i ≥ L counts",
            _from_the_start,
        ),
        "mean of the heads": Mistake(
            "the heads have been averaged; each is to have a score of its own",
            lambda weights, lengths: (
                induction(weights, lengths).mean().expand(weights.shape[1])
            ),
        ),
        "mean of sequences": Mistake(
            "each sequence has a mean of its own here, and these have been averaged. "
            "So a place counts less in a sequence with a short block, which has more "
            "such places. Take one mean over all places",
            _mean_of_sequences,
        ),
        "one length": Mistake(
            "the length of the first sequence has been used for all of them",
            _one_length,
        ),
    },
    hints=(
        "for one sequence and one head: which key does query i look for? Write the "
        "loop over sequences and places first.",
        "weights[b, :, i, i - L + 1] has one number for each head. Collect them for "
        "all b and all i from L on, stack them, and take one mean.",
    ),
    trained=False,
)
