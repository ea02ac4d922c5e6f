"""One head, taken out of one door of the next layer."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import layer_norm

from qkv.checking.exercise import Exercise, Mistake
from qkv.exercises import draw


def keys_without(
    stream: Float[Tensor, "batch token d_model"],
    written: Float[Tensor, "batch head token d_model"],
    head: int,
    W_K: Float[Tensor, "d_model d_key"],
) -> Float[Tensor, "batch token d_key"]:
    return _normal(stream - written[:, head]) @ W_K


def _normal(x):
    return layer_norm(x, x.shape[-1:])


def _old_statistics(stream, written, head, W_K):
    """The norm's mean and variance are the whole stream's."""
    mean, variance = (
        stream.mean(-1, keepdim=True),
        stream.var(-1, correction=0, keepdim=True),
    )
    less = stream - written[:, head]
    return (less - mean) / torch.sqrt(variance + 1e-5) @ W_K


def _drawn(batch: int, heads: int, token: int, sizes: tuple[int, int], head: int):
    d_model, d_key = sizes
    written = 0.5 + draw.normal(batch, heads, token, d_model)
    stream = draw.normal(batch, token, d_model, seed=1) + written.sum(1)
    return stream, written, head, draw.normal(d_model, d_key, seed=2)


EXERCISE = Exercise(
    id="16.3",
    title="One door closed",
    minutes=10,
    difficulty=3,
    reference=keys_without,
    cases={
        "the first of two heads": partial(_drawn, 3, 2, 5, (7, 11), 0),
        "the last of three heads": partial(_drawn, 2, 3, 7, (5, 3), 2),
        "one token": partial(_drawn, 1, 2, 1, (5, 3), 1),
    },
    mistakes={
        "after the norm": Mistake(
            "what the head wrote has been subtracted after the norm. It stands in the "
            "stream, before the norm, and the norm has changed its size",
            lambda stream, written, head, W_K: (
                (_normal(stream) - written[:, head]) @ W_K
            ),
        ),
        "after the keys": Mistake(
            "keys have been made of the stream and of what the head wrote, each with "
            "a norm of its own, and subtracted. The norm of a difference is not the "
            "difference of the norms",
            lambda stream, written, head, W_K: (
                (_normal(stream) - _normal(written[:, head])) @ W_K
            ),
        ),
        "old statistics": Mistake(
            "the norm has used mean and variance of the whole stream. Without the head "
            "the stream has others: take the norm anew",
            _old_statistics,
        ),
        "no norm": Mistake(
            "the keys have been made without the norm: the layer normalises what it "
            "reads",
            lambda stream, written, head, W_K: (stream - written[:, head]) @ W_K,
        ),
        "all heads": Mistake(
            "all heads have been taken out: then nobody knows which one it was",
            lambda stream, written, head, W_K: _normal(stream - written.sum(1)) @ W_K,
        ),
        "only the head": Mistake(
            "these are keys of what the head wrote alone; the rest of the stream is to "
            "stay, and the head to go",
            lambda stream, written, head, W_K: _normal(written[:, head]) @ W_K,
        ),
        "another head": Mistake(
            "another head has been taken out: heads are counted from 0",
            lambda stream, written, head, W_K: keys_without(
                stream, written, (head - 1) % written.shape[1], W_K
            ),
        ),
        "still there": Mistake(
            "the head is still there: these are the layer's ordinary keys",
            lambda stream, written, head, W_K: _normal(stream) @ W_K,
        ),
    },
    hints=(
        "the stream is a sum: of the embedding and of what every head has written. So "
        "a head can be taken out by a subtraction.",
        "then do what the layer does: norm (F.layer_norm, without weights), then the "
        "product with W_K.",
    ),
    trained=False,
)
