"""Bug hunt: a gate that is brought to 1 where there is only one."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch12.shared import best, mix, networks


def mixture(
    x: Float[Tensor, "token d_model"],
    router: Float[Tensor, "expert d_model"],
    up: Float[Tensor, "expert d_model d_ff"],
    down: Float[Tensor, "expert d_ff d_model"],
    k: int,
) -> Float[Tensor, "token d_model"]:
    weights, chosen = best(x @ router.T, k)
    if k > 1:
        weights = weights / weights.sum(1, keepdim=True)
    return mix(x, weights, chosen, up, down)


def _always_to_one(x, router, up, down, k):
    weights, chosen = best(x @ router.T, k)
    return mix(x, weights / weights.sum(1, keepdim=True), chosen, up, down)


def _weighed(weigh, x, router, up, down, k):
    """Weights as they should be for k > 1; of another making for a single one."""
    logits = x @ router.T
    weights, chosen = best(logits, k)
    weights = weights / weights.sum(1, keepdim=True)
    if k == 1:
        weights = weigh(logits).gather(1, chosen)
    return mix(x, weights, chosen, up, down)


def _never(x, router, up, down, k):
    return mix(x, *best(x @ router.T, k), up, down)


def _softmax_again(x, router, up, down, k):
    weights, chosen = best(x @ router.T, k)
    weights = weights.softmax(1) if k > 1 else weights
    return mix(x, weights, chosen, up, down)


def _to_k(x, router, up, down, k):
    weights, chosen = best(x @ router.T, k)
    return mix(x, weights / k, chosen, up, down)


def _asked(k: int, token: int, expert: int, d_model: int, d_ff: int) -> tuple:
    x, router = draw.normals((token, d_model), (expert, d_model))
    return x, router, *networks(expert, d_model, d_ff), k


EXERCISE = Exercise(
    id="12.4",
    title="Bug hunt: even loads, and nothing learnt",
    minutes=12,
    difficulty=3,
    reference=mixture,
    cases={
        "two experts a token": partial(_asked, 2, 7, 5, 3, 11),
        "one expert a token": partial(_asked, 1, 7, 5, 3, 11),
        "three of three": partial(_asked, 3, 5, 3, 7, 2),
        "a batch of one token": partial(_asked, 1, 1, 3, 5, 7),
    },
    mistakes={
        "never brought to 1": Mistake(
            "the router learns again with k = 1; but with k = 2 the weights no longer "
            "come to 1. There the division does no harm, because the two still share "
            "the 1 between them, and it was to stay",
            _never,
        ),
        "divided by k": Mistake(
            "the weights are divided by k in place of their sum: with k = 2 they no "
            "longer come to 1. There it was right as it was",
            _to_k,
        ),
        "softmax again": Mistake(
            "with k = 2 a softmax has been taken of probabilities: it makes them far "
            "too alike. There it was right to divide by the sum",
            _softmax_again,
        ),
        "sigmoid": Mistake(
            "with k = 1 the weight is a sigmoid of the logit: a gradient passes, but "
            "only the chosen expert's score counts in it. Take the probability among "
            "all experts, as it comes out of the softmax",
            partial(_weighed, torch.sigmoid),
        ),
        "logit": Mistake(
            "with k = 1 the weight is the logit itself, which may be negative or "
            "large: take its probability, as it comes out of the softmax",
            partial(_weighed, lambda logits: logits),
        ),
        "times N": Mistake(
            "with k = 1 the probability has been multiplied by the number of experts. "
            "It is to be taken as it is: a factor is the experts' to learn",
            partial(_weighed, lambda logits: logits.shape[1] * logits.softmax(1)),
        ),
        "over the tokens": Mistake(
            "with k = 1 the weight is a share among the tokens of the batch (softmax "
            "over dim=0): so a token's result depends on its company",
            partial(_weighed, lambda logits: logits.softmax(0)),
        ),
        "squared": Mistake(
            "with k = 1 the weight has been multiplied twice: the probability once is "
            "enough",
            partial(_weighed, lambda logits: logits.softmax(1).square()),
        ),
    },
    hints=(
        "print the weights for k = 1. What are they, and what would they be with "
        "another router?",
        "a number divided by itself is 1, whatever it is: its derivative is 0. So "
        "what reaches router.grad?",
        "with k = 1 leave the probability as it is; with more, divide by the sum.",
    ),
    given=_always_to_one,
)
