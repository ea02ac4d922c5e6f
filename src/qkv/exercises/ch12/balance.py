"""The balancing loss, over the tokens that are no padding."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import one_hot

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch12.shared import best


def balance_loss(
    probabilities: Float[Tensor, "batch token expert"],
    chosen: Int[Tensor, "batch token choice"],
    real: Bool[Tensor, "batch token"],
) -> Float[Tensor, ""]:
    return _of_shares(lambda f, p: f * p, probabilities, chosen, real)


def _of_shares(product: Callable, probabilities, chosen, real):
    """N times the sum of a product of f and P."""
    experts = probabilities.shape[-1]
    f = one_hot(chosen[real], experts).float().sum(1).mean(0)
    return experts * product(f, probabilities[real].mean(0)).sum()


def _all_real(probabilities, chosen, real):
    return balance_loss(probabilities, chosen, torch.ones_like(real))


def _padding_in(probabilities, chosen, real, *, counts: bool):
    """Padding left out of the mean probability only, or of the counts only."""
    experts = probabilities.shape[-1]
    every = torch.ones_like(real)
    f = one_hot(chosen[every if counts else real], experts).float().sum(1).mean(0)
    p = probabilities[real if counts else every].mean(0)
    return experts * (f * p).sum()


def _by_all_tokens(probabilities, chosen, real):
    return balance_loss(probabilities, chosen, real) * real.float().mean().square()


def _without_n(probabilities, chosen, real):
    return balance_loss(probabilities, chosen, real) / probabilities.shape[-1]


def _by_k(probabilities, chosen, real):
    return balance_loss(probabilities, chosen, real) / chosen.shape[-1]


def _summed(probabilities, chosen, real):
    return balance_loss(probabilities, chosen, real) * real.sum()


def _mean_of_sentences(probabilities, chosen, real):
    each = [
        balance_loss(*one)
        for one in zip(
            probabilities[:, None], chosen[:, None], real[:, None], strict=True
        )
        if one[2].any()
    ]
    return torch.stack(each).mean()


def _of_the_chosen(probabilities, chosen, real):
    experts = probabilities.shape[-1]
    picked = one_hot(chosen, experts).sum(-2)
    return balance_loss(probabilities * picked, chosen, real)


def _first_choice(probabilities, chosen, real):
    return balance_loss(probabilities, chosen[..., :1], real)


def _softmax_again(probabilities, chosen, real):
    return balance_loss(probabilities.softmax(-1), chosen, real)


def _routed(k: int, batch: int, token: int, expert: int, *, padded: bool) -> tuple:
    logits = 2 * draw.normal(batch, token, expert) + torch.arange(expert) / 2
    real = torch.ones(batch, token, dtype=torch.bool)
    for row in range(padded * batch):
        real[row, token - row :] = False
    return logits.softmax(-1), best(logits, k)[1], real


EXERCISE = Exercise(
    id="12.5",
    title="Something older: a balance that padding does not change",
    minutes=12,
    difficulty=2,
    reference=balance_loss,
    cases={
        "as many sentences, tokens and experts": partial(
            _routed, 1, 3, 3, 3, padded=True
        ),
        "two experts a token": partial(_routed, 2, 3, 7, 5, padded=True),
        "no padding": partial(_routed, 1, 2, 11, 5, padded=False),
        "a batch of one": partial(_routed, 2, 1, 5, 3, padded=False),
    },
    mistakes={
        "padding counted": Mistake(
            "padding has been counted like tokens: a short sentence's experts then "
            "depend on how long the others in its batch are. (So it was in "
            "transformers before its PR #29363.)",
            _all_real,
        ),
        "padding in f": Mistake(
            "the mean probability is over real tokens only, but the counts have "
            "padding in them",
            partial(_padding_in, counts=True),
        ),
        "padding in P": Mistake(
            "the counts are of real tokens only, but the mean probability has padding "
            "in it",
            partial(_padding_in, counts=False),
        ),
        "by all tokens": Mistake(
            "padding is left out of the sums, and the sums have been divided by the "
            "number of all tokens, padding included: divide by that of the real ones",
            _by_all_tokens,
        ),
        "mean of the sentences": Mistake(
            "each sentence has got a loss of its own, and these have been averaged. "
            "The load is that of the whole batch: one sentence may well need one "
            "expert more than another",
            _mean_of_sentences,
        ),
        "first choices": Mistake(
            "only the first choice of each token has been counted: its other experts "
            "work on it as well",
            _first_choice,
        ),
        "by k": Mistake(
            "the shares have been brought to a sum of 1. With k choices a token they "
            "come to k: f is the share of the tokens that an expert works on",
            _by_k,
        ),
        "counts for both": Mistake(
            "f has been multiplied by itself: the sum of f². It is smallest at equal "
            "loads, too, but counts have no derivative: no gradient would come from it",
            partial(_of_shares, lambda f, p: f * f),
        ),
        "probabilities for both": Mistake(
            "P has been multiplied by itself. Its gradient pulls each token's "
            "probabilities together; it does not know who is busy: one factor is f",
            partial(_of_shares, lambda f, p: p * p),
        ),
        "N forgotten": Mistake(
            "the number of experts is missing: equal loads would cost k / N, and so "
            "one factor α would mean something else for each number of experts",
            _without_n,
        ),
        "not divided": Mistake(
            "f or P is a sum over the tokens, not a share of them: a larger batch "
            "would weigh more",
            _summed,
        ),
        "of the chosen": Mistake(
            "P is the mean of the chosen experts' probabilities alone, with 0 for the "
            "others. It is the mean of all that the softmax gave an expert, also where "
            "it was not chosen",
            _of_the_chosen,
        ),
        "softmax again": Mistake(
            "a softmax has been taken of probabilities. What is given is the softmax "
            "already",
            _softmax_again,
        ),
    },
    hints=(
        "take the real tokens first: probabilities[real] and chosen[real] have one row "
        "for each, whichever sentence it is in.",
        "one_hot(chosen, N) has a 1 for each expert that works on the token; what is "
        "its sum over the choices, and its mean over the tokens?",
        "the loss is N times the sum over the experts of f · P.",
    ),
)
