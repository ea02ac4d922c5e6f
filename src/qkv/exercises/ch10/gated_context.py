"""The gate: how much of the picture a word gets."""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw
from qkv.exercises.ch10.shared import OVER_THE_PICTURES


def _by_the_state_before(before, now, context, w, b):
    return before @ w + b


def _weighed(scores, h):
    return (scores.softmax(-1)[..., None] * h).sum(1)


def gated_context(
    scores: Float[Tensor, "batch place"],
    h: Float[Tensor, "batch place d_key"],
    before: Float[Tensor, "batch d_hidden"],
    now: Float[Tensor, "batch d_hidden"],
    w: Float[Tensor, " d_hidden"],
    b: float,
    *,
    opened: Callable = _by_the_state_before,
    squash: Callable = torch.sigmoid,
) -> tuple[Float[Tensor, " batch"], Float[Tensor, "batch d_key"]]:
    context = _weighed(scores, h)
    beta = squash(opened(before, now, context, w, b))
    return beta, beta[:, None] * context


def _before_the_softmax(scores, h, *states):
    beta, _ = gated_context(scores, h, *states)
    return beta, _weighed(beta[:, None] * scores, h)


def _scores_for_weights(scores, h, *states):
    beta, _ = gated_context(scores, h, *states)
    return beta, beta[:, None] * (scores[..., None] * h).sum(1)


def _over_the_batch(scores, h, *states):
    beta, _ = gated_context(scores, h, *states)
    return beta, beta[:, None] * (scores.softmax(0)[..., None] * h).sum(1)


def _of_each_number(scores, h, before, now, w, b):
    beta = torch.sigmoid(before * w + b).mean(1)
    return beta, beta[:, None] * _weighed(scores, h)


def _closed(scores, h, *states):
    beta, context = gated_context(scores, h, *states)
    return 1 - beta, _weighed(scores, h) - context


def _closes_where_it_is_open(scores, h, *states):
    beta, context = gated_context(scores, h, *states)
    return beta, _weighed(scores, h) - context


def _along_the_vector(scores, h, *states):
    beta, _ = gated_context(scores, h, *states)
    return beta, beta * _weighed(scores, h)


def _left_open(scores, h, *states):
    beta, _ = gated_context(scores, h, *states)
    return beta, _weighed(scores, h)


def _evenly(scores, h, *states):
    beta, _ = gated_context(scores, h, *states)
    return beta, beta[:, None] * h.mean(1)


def _with_the_state(scores, h, before, now, w, b):
    beta, context = gated_context(scores, h, before, now, w, b)
    return beta, context + (1 - beta)[:, None] * before


def _of_the_context(before, now, context, w, b):
    return context @ w + b


def _inputs(batch: int, place: int, d_key: int, d_hidden: int) -> tuple:
    shapes = [(batch, place), (batch, place, d_key), (batch, d_hidden)]
    scores, h, before = draw.normals(*shapes)
    now = draw.normal(batch, d_hidden, seed=7)
    return 2 * scores, h, before, now, draw.normal(d_hidden, seed=8), 0.5


EXERCISE = Exercise(
    id="10.4",
    title="A gate between the picture and the word",
    minutes=8,
    difficulty=2,
    reference=gated_context,
    results=("beta", "context"),
    cases={
        "as many pictures, places and numbers": partial(_inputs, 5, 5, 5, 5),
        "every size different": partial(_inputs, 3, 7, 2, 5),
        "one picture": partial(_inputs, 1, 7, 5, 3),
        "one place": partial(_inputs, 2, 1, 3, 5),
    },
    mistakes={
        "from the state after": Mistake(
            "the gate has been computed from s_t. But s_t is made with the context "
            "that the gate lets through: it is not there yet. Take s_{t−1}, as the "
            "scores do",
            partial(
                gated_context,
                opened=lambda before, now, context, w, b: now @ w + b,
            ),
        ),
        "from the context": Mistake(
            "the gate has been computed from the context: what the picture shows would "
            "decide whether the picture is needed. The state s_{t−1} decides, which "
            "knows what has been written",
            partial(gated_context, opened=_of_the_context),
        ),
        "no sigmoid": Mistake(
            "β is not between 0 and 1: a sigmoid is missing",
            partial(gated_context, squash=lambda score: score),
        ),
        "tanh": Mistake(
            "β is made by a tanh, and may be negative: the context would be turned "
            "round. A sigmoid stays between 0 and 1",
            partial(gated_context, squash=torch.tanh),
        ),
        "softmax": Mistake(
            "a softmax has been taken over the batch, so that the pictures share one "
            "gate. Each picture has a gate of its own: a sigmoid",
            partial(gated_context, squash=lambda score: score.softmax(0)),
        ),
        "no b": Mistake(
            "b is missing",
            partial(
                gated_context,
                opened=lambda before, now, context, w, b: before @ w,
            ),
        ),
        "before the softmax": Mistake(
            "β has been multiplied with the scores, before the softmax: the weights "
            "still sum to 1. That makes the look more even, and closes nothing. "
            "Multiply the context",
            _before_the_softmax,
        ),
        "sigmoid of each": Mistake(
            "a sigmoid has been taken of each number, and β is their mean. First the "
            "sum, before @ w + b, then one sigmoid: the paper's gate is one number for "
            "the whole context (well-known code has a vector under the comment “gating "
            "scalar”: sgrvinod, models.py)",
            _of_each_number,
        ),
        "closed": Mistake(
            "the gate works the wrong way round: this is 1 − β. With β = 1 all of the "
            "context comes through",
            _closed,
        ),
        "what is kept back": Mistake(
            "β is right, but the context has been multiplied with 1 − β: this is what "
            "the gate keeps back. With β = 1 all of the context comes through",
            _closes_where_it_is_open,
        ),
        "along the vector": Mistake(
            "the context has been multiplied with β as it is: its numbers then belong "
            "to those of the vector, not to the pictures, and where there are as many "
            "of both no shape tells. Give it an axis of size 1, beta[:, None]",
            _along_the_vector,
        ),
        "not used": Mistake(
            "β is right, but the context has not been multiplied with it",
            _left_open,
        ),
        "state mixed in": Mistake(
            "what the gate keeps back has been filled up with the state, as in a GRU. "
            "Here nothing takes its place: ĉ = β c. (A gate that fills up is another "
            "paper's idea, the visual sentinel.)",
            _with_the_state,
        ),
        "no softmax": Mistake(
            "the cells have been weighed by their scores; the softmax is missing",
            _scores_for_weights,
        ),
        "over the batch": Mistake(OVER_THE_PICTURES, _over_the_batch),
        "evenly": Mistake(
            "the context is the plain mean of the places: the scores have not been "
            "used",
            _evenly,
        ),
    },
    hints=(
        "the context first, as ever: a softmax of the scores over the places, and the "
        "sum of the places with these weights.",
        "β is one number for each picture: before @ w is one already. A sigmoid brings "
        "it between 0 and 1.",
        "to multiply a (batch, d_key) with a (batch), give the latter an axis of size "
        "1: beta[:, None].",
    ),
)
