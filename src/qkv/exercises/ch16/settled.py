"""From which layer on the answer stays."""

from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import layer_norm

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def settled(
    states: Float[Tensor, "layer token d_model"],
    W: Float[Tensor, "vocab d_model"],
    b: Float[Tensor, " vocab"],
) -> Int[Tensor, " token"]:
    return _from_there_on(_read(states, W, b))


def _read(states, W, b):
    return (layer_norm(states, states.shape[-1:]) @ W.T + b).argmax(-1)


def _from_there_on(said):
    same = (said == said[-1]).long()
    return len(said) - same.flip(0).cumprod(0).sum(0)


def _first_time(states, W, b):
    said = _read(states, W, b)
    return (said == said[-1]).long().argmax(0)


def _how_often(states, W, b):
    said = _read(states, W, b)
    return len(said) - (said == said[-1]).long().sum(0)


def _no_norm(states, W, b):
    return _from_there_on((states @ W.T + b).argmax(-1))


def _last_norm_only(states, W, b):
    """Only the last layer is read through the norm."""
    said = (states @ W.T + b).argmax(-1)
    said[-1] = _read(states[-1], W, b)
    return _from_there_on(said)


def _last_change(states, W, b):
    said = _read(states, W, b)
    return (said[1:] != said[:-1]).long().sum(0)


def _drawn(layers: int, token: int, d_model: int, vocab: int) -> tuple:
    """States that wander to their end, of a size that grows."""
    steps = draw.normal(layers, token, d_model)
    states = steps.cumsum(0) + 1.5 * draw.normal(1, token, d_model, seed=1)
    W, b = draw.normal(vocab, d_model, seed=2), 2 * draw.normal(vocab, seed=3)
    return states, W, b


def _comes_and_goes() -> tuple:
    """The last answer is there, goes, and comes back."""
    words = torch.tensor([[0, 1, 0, 2, 0, 0], [1, 1, 1, 1, 1, 1], [2, 0, 0, 0, 1, 0]])
    W = 3 * torch.eye(3)
    return W[words.T] + 1, W, torch.tensor([0.1, 0.0, -0.1])


EXERCISE = Exercise(
    id="16.6",
    title="When is it settled?",
    minutes=10,
    difficulty=2,
    reference=settled,
    cases={
        "an answer that comes and goes": _comes_and_goes,
        "five layers": partial(_drawn, 5, 31, 7, 11),
        "eleven layers": partial(_drawn, 11, 37, 5, 3),
        "one layer": partial(_drawn, 1, 3, 5, 7),
    },
    mistakes={
        "first time": Mistake(
            "this is the first layer that says the last one's token. If a later layer "
            "says something else, it was not settled yet",
            _first_time,
        ),
        "counted from 1": Mistake(
            "the layers have been counted from 1: the first is number 0",
            lambda states, W, b: settled(states, W, b) + 1,
        ),
        "layers that disagree": Mistake(
            "this counts all layers that say something else, also after the answer was "
            "there once. For an answer that comes and goes that is too few",
            _how_often,
        ),
        "no norm": Mistake(
            "the states have been read without the norm. The output layer has learnt "
            "to read normalised states, and b counts too little beside large ones",
            _no_norm,
        ),
        "norm of the last": Mistake(
            "only the last layer's state has been normalised; the lens reads every "
            "layer in the same way",
            _last_norm_only,
        ),
        "no bias": Mistake(
            "b has been left out: the lens is the whole output layer",
            lambda states, W, b: settled(states, W, 0 * b),
        ),
        "changes": Mistake(
            "this is how often the token changes from layer to layer",
            _last_change,
        ),
        "last": Mistake(
            "this is the number of the last layer for every token",
            lambda states, W, b: torch.full(states.shape[1:2], len(states) - 1),
        ),
    },
    hints=(
        "read each layer's state: norm (F.layer_norm), W, b, arg max. Which layers say "
        "the same token as the last?",
        "go back from the last layer as long as it is the same. With same.flip(0) and "
        "cumprod(0) that is a sum.",
    ),
    trained=False,
)
