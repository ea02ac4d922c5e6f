"""Bug hunt: a balancing loss that sees a softmax of a softmax."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch12.shared import shares


def balance_of_layers(
    logits: Float[Tensor, "layer token expert"], k: int
) -> Float[Tensor, ""]:
    return _balance(logits, k).sum()


def _over_experts(logits):
    return logits.softmax(-1)


def _balance(logits: Tensor, k: int, probable: Callable = _over_experts) -> Tensor:
    """The balancing loss of each layer."""
    experts = logits.shape[-1]
    f = shares(logits.topk(k).indices, experts)
    return experts * (f * probable(logits).mean(1)).sum(-1)


def _summed(probable: Callable, logits, k):
    return _balance(logits, k, probable).sum()


def _twice(logits, k):
    return _summed(lambda scores: scores.softmax(-1).softmax(-1), logits, k)


def _put_together(logits, k):
    return _balance(logits.flatten(0, 1)[None], k).sum()


def _of_the_chosen(logits, k):
    best, chosen = logits.topk(k)
    weights = torch.zeros_like(logits).scatter(-1, chosen, best.softmax(-1))
    return _summed(lambda _: weights, logits, k)


def _soft(logits, k):
    p = logits.softmax(-1).mean(1)
    return logits.shape[-1] * p.square().sum()


def _layers(k: int, layer: int, token: int, expert: int) -> tuple[Tensor, int]:
    """Each layer prefers another expert, so that together they look balanced."""
    prefers = torch.eye(expert)[torch.arange(layer) % expert]
    return 2 * draw.normal(layer, token, expert) + 2 * prefers[:, None], k


EXERCISE = Exercise(
    id="12.6",
    title="Bug hunt: balanced, whatever the router does",
    minutes=10,
    difficulty=2,
    reference=balance_of_layers,
    cases={
        "as many layers, tokens and experts": partial(_layers, 1, 3, 3, 3),
        "every size different": partial(_layers, 2, 3, 11, 5),
        "one layer": partial(_layers, 1, 1, 7, 3),
        "one token": partial(_layers, 1, 2, 1, 5),
    },
    mistakes={
        "no softmax": Mistake(
            "now there is no softmax at all: P is a mean of logits, which may be "
            "negative, and the router can make the loss as small as it likes",
            partial(_summed, lambda scores: scores),
        ),
        "over the tokens": Mistake(
            "the softmax now runs over the tokens of a layer: P is then the same for "
            "every expert. It runs over the experts, dim=-1",
            partial(_summed, lambda scores: scores.softmax(1)),
        ),
        "over the layers": Mistake(
            "the softmax now runs over the layers: each layer has a router of its own",
            partial(_summed, lambda scores: scores.softmax(0)),
        ),
        "layers put together": Mistake(
            "the tokens of all layers have been put together, as if expert 0 of one "
            "layer were expert 0 of the next: two layers that are busy in different "
            "places then look balanced. Sum up the layers' own losses (see "
            "huggingface/transformers PR #28256)",
            _put_together,
        ),
        "of the chosen": Mistake(
            "the softmax is now over the chosen logits alone: with k = 1 each of them "
            "is 1, and no gradient is left (huggingface/transformers #28255)",
            _of_the_chosen,
        ),
        "mean of the layers": Mistake(
            "the layers' losses have been averaged; here they are added up, as fit "
            "does, one for each module",
            lambda logits, k: _balance(logits, k).mean(),
        ),
        "probabilities for both": Mistake(
            "f is the mean probability now, as P is: what is to be counted is who was "
            "chosen",
            _soft,
        ),
        "sigmoid": Mistake(
            "each expert has a sigmoid of its own now: the router can make all of "
            "them small, and the loss with them. A softmax shares out 1",
            partial(_summed, torch.sigmoid),
        ),
    },
    hints=(
        "send all tokens to one expert: logits of 20 and 0. What does the loss say, "
        "and what should it say?",
        "print what is averaged to P. Between which two numbers does it lie, for 3 "
        "experts?",
        "the softmax of numbers between 0 and 1 is nearly even. One softmax is enough.",
    ),
    given=_twice,
)
